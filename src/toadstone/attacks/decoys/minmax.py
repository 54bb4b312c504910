"""The min-max attack: repeatedly the worst feasible point against a model that learns from it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.random import Generator
from scipy.sparse import csr_array, issparse

from toadstone.attacks.decoys.rounded import CopyRounding, round_copies
from toadstone.core.arrays import Array, Matrix
from toadstone.core.budget import Budget
from toadstone.core.checks import check_count, check_not_negative, check_positive
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument
from toadstone.core.feasible import Extremum, Region, slab
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.linear.online_hinge import OnlineHinge
from toadstone.kernels.losses import HINGE
from toadstone.kernels.rows import stack
from toadstone.kernels.sets.membership import violations
from toadstone.kernels.sets.regions import maximize, project
from toadstone.kernels.sets.sets import ConvexSet

_SIGNS = (-1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Move:
    """One move of the attacker: the worst feasible point against the current model.

    Parameters
    ----------
    label : object
        The class whose worst point has the larger loss.
    sign : float
        The label as -1 or +1.
    region : Region
        The feasible set of the class; the decoy's limit is the last band.
    worst : Extremum
        The point, and an upper bound of the loss of any point.
    rows : ndarray of shape (repeats, d)
        Copies of the point, rounded if features are whole numbers.
    theta : ndarray of shape (d + 1,)
        The current model; weights, then the bias.
    """

    label: object
    sign: float
    region: Region
    worst: Extremum
    rows: Array
    theta: Array

    @property
    def loss(self) -> float:
        """Hinge loss of the point at the model before its maximum with zero."""
        return 1.0 + self.worst.value - self.sign * float(self.theta[-1])

    @property
    def violation(self) -> float:
        """Largest violation of the region by a rounded row, relative to the region's scale; zero for none."""
        return max(0.0, float(violations(self.region, self.rows).max()))


@dataclass(frozen=True, eq=False, kw_only=True)
class MinMaxAttack:
    """The worst feasible points against a model that learns from them, one after another.

    Each move finds, for each label, the feasible point with the largest hinge
    loss at the current model, and adds copies of the worse one; the model
    then takes one AdaGrad step on the clean rows and that point. The poison
    consists of the rows added last. With a decoy [1]_, points must also have
    a small loss at the decoy, so that loss filters keep them; without one
    this is the attack of [2]_. A label without feasible points is left out.

    Parameters
    ----------
    feasible_set : ConvexSet
        The defender's feasible set, for each label.
    ridge : float
        The defender's penalty, for each row.
    decoy : ndarray of shape (d + 1,), optional
        Weights, then the bias.
    max_decoy_loss : float
        Largest hinge loss at the decoy; negative for margins beyond 1.
    burn_in : float
        Number of rows that are added first and dropped in the end, as a
        multiple of the poison; see `burn_in.paper_burn_in`.
    step, accumulator : float
        AdaGrad's step length, and the initial value of its sums of squares.
    repeats : int
        Number of copies added in each move.
    integer : bool
        True if features are whole numbers.
    rounding : {"systematic", "independent", "reference"}
        Method of rounding to whole numbers; see `round_copies`.
    start : ndarray of shape (d + 1,), optional
        Initial model; by default that of the clean rows, with bias 0.

    Raises
    ------
    InvalidArgument
        If an option is out of range.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022.
    .. [2] Steinhardt, Koh and Liang, "Certified defenses for data poisoning
       attacks", NIPS 2017, algorithm 1.

    Examples
    --------
    >>> from toadstone.core.feasible import ball
    >>> rows = Dataset([[0.0], [1.0], [3.0], [4.0]] * 5, ["ham", "ham", "spam", "spam"] * 5)
    >>> feasible = ConvexSet({"ham": ball(np.zeros(1), 2.0), "spam": ball(np.full(1, 3.0), 2.0)})
    >>> attack = MinMaxAttack(feasible_set=feasible, ridge=0.1)
    >>> attack.poison(rows, Budget(0.1), np.random.default_rng(0)).X.round(6).ravel().tolist()
    [2.0, 2.0]
    """

    feasible_set: ConvexSet
    ridge: float
    decoy: Array | None = None
    max_decoy_loss: float = 0.25
    burn_in: float = 1.0
    step: float = 0.03
    accumulator: float = 1.0
    repeats: int = 2
    integer: bool = False
    rounding: CopyRounding = "systematic"
    start: Array | None = None

    def __post_init__(self) -> None:
        check_positive(ridge=self.ridge, step=self.step, accumulator=self.accumulator)
        check_not_negative(burn_in=self.burn_in)
        if not np.isfinite(self.max_decoy_loss):
            raise InvalidArgument("max_decoy_loss", "a finite number", self.max_decoy_loss)
        check_count(repeats=self.repeats)
        if self.rounding not in get_args(CopyRounding):
            raise InvalidArgument("rounding", f"one of {', '.join(get_args(CopyRounding))}", self.rounding)

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Return as many rows as the budget allows, sparse if the clean rows are.

        Parameters
        ----------
        data : Dataset
            Of two classes.
        budget : Budget
            Of kind "add".
        rng : Generator
            Random numbers for rounding.

        Returns
        -------
        Poison

        Raises
        ------
        InvalidArgument
            If the budget is not for adding rows or for none, or a model has
            another number of features than the data.
        EmptyFeasibleSet
            If neither label has a feasible point.
        """
        count, sparse = self._count(data, budget), issparse(data.X)
        moves = self.moves(data, budget, rng)
        # The deque drops the moves of the burn-in as later ones come, so that they take no memory.
        last: deque[tuple[object, Matrix]] = deque(
            ((move.label, csr_array(move.rows) if sparse else move.rows) for move in moves),
            maxlen=-(-count // self.repeats),
        )
        labels = np.repeat(np.array([label for label, _ in last], dtype=data.y.dtype), self.repeats)
        return Poison(stack([rows for _, rows in last])[-count:], labels[-count:])

    def moves(self, data: Dataset, budget: Budget, rng: Generator) -> Iterator[Move]:
        """Yield the moves one by one, including the burn-in; parameters as for `poison`."""
        count = self._count(data, budget)
        regions = self._regions(data)
        model = OnlineHinge(
            data.X,
            data.signs,
            self._first_model(data),
            ridge=self.ridge,
            step=self.step,
            accumulator=self.accumulator,
        )
        multipliers: dict[float, Array] = {}
        for _ in range(-(-round((1 + self.burn_in) * count) // self.repeats)):
            theta, found = model.theta.copy(), {}
            for sign, (_, region) in regions.items():
                # The last multipliers of the same label are a good start: the model changes little in a move.
                found[sign] = maximize(region, -sign * theta[:-1], multipliers.get(sign))
                multipliers[sign] = found[sign].multipliers
            sign = max(found, key=lambda sign: found[sign].value - sign * theta[-1])
            rows = self._copies(found[sign].point, theta, rng)
            yield Move(regions[sign][0], sign, regions[sign][1], found[sign], rows, theta)
            model.learn(rows[-1], sign, count / len(data))

    def _count(self, data: Dataset, budget: Budget) -> int:
        for name, theta in (("decoy", self.decoy), ("start", self.start)):
            if theta is not None and np.shape(theta) != (data.n_features + 1,):
                raise InvalidArgument(name, f"{data.n_features} weights and a bias", f"shape {np.shape(theta)}")
        return budget.count_for("add", len(data))

    def _first_model(self, data: Dataset) -> Array:
        if self.start is not None:
            return self.start
        weights = fit_linear(data.X, data.signs, loss=HINGE, ridge=self.ridge, bias="free").theta[:-1]
        return np.append(weights, 0.0)

    def _regions(self, data: Dataset) -> dict[float, tuple[object, Region]]:
        """Return label and region by sign, for labels with a feasible point."""
        allowed = self.feasible_set
        if self.decoy is not None:
            weights, bias, least = self.decoy[:-1], float(self.decoy[-1]), 1.0 - self.max_decoy_loss
            fitted = slab(weights, -np.inf, -least - bias), slab(weights, least - bias, np.inf)
            allowed = allowed.intersect(ConvexSet(dict(zip(data.classes.tolist(), fitted, strict=True))))
        regions: dict[float, tuple[object, Region]] = {}
        for sign, label in zip(_SIGNS, data.classes.tolist(), strict=True):
            region = allowed.region(label)
            with suppress(EmptyFeasibleSet):
                project(region, region.centre)
                regions[sign] = label, region
        if not regions:
            raise EmptyFeasibleSet("no label has a feasible point whose loss at the decoy is within the limit")
        return regions

    def _copies(self, point: Array, theta: Array, rng: Generator) -> Array:
        if not self.integer:
            return np.tile(point, (self.repeats, 1))
        order = (theta if self.decoy is None else self.decoy)[:-1]
        return round_copies(point, order, repeats=self.repeats, rounding=self.rounding, rng=rng)
