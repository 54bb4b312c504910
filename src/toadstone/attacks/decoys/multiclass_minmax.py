"""The min-max attack with several classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.random import Generator
from scipy.sparse import csr_array, issparse

from toadstone.attacks.decoys.rounded import round_copies
from toadstone.core.arrays import Array, IntArray, Labels
from toadstone.core.budget import Budget
from toadstone.core.checks import check_count, check_not_negative, check_positive
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.feasible import Region
from toadstone.kernels.linear.adagrad import AdaGrad
from toadstone.kernels.linear.online_multiclass import HingeGradient
from toadstone.kernels.sets.rival_search import RivalSearch, WorstPoint
from toadstone.kernels.sets.sets import ConvexSet


@dataclass(frozen=True, eq=False, kw_only=True)
class MulticlassMinMaxAttack:
    """The worst feasible points against a model of several classes that learns from them.

    Each move finds the feasible point with the largest multi-class hinge at
    the current model, over every pair of a label and a wrong class, and adds
    copies of it; the model then takes one AdaGrad step on clean rows and that
    point [1]_. The poison consists of the rows added last. With a decoy,
    points must also have a small loss at the decoy, so that loss filters keep
    them. A label without feasible points is left out. The largest loss is
    exact; the paper's code draws one wrong class for each label at random.

    Parameters
    ----------
    feasible_set : ConvexSet
        The defender's feasible set, for each label.
    decoy : ndarray of shape (k, d + 1), optional
        One row for each class, in the order of sorted labels: weights, then
        the bias.
    max_decoy_loss : float
        Largest hinge at the decoy before its maximum with zero; negative for
        margins beyond 1.
    step, accumulator : float
        AdaGrad's step length, and the initial value of its sums of squares.
    burn_in : float
        Number of rows that are added first and dropped in the end, as a
        multiple of the poison.
    repeats : int
        Number of copies added in each move.
    batch : int
        Number of clean rows drawn for each step of the model.
    start : ndarray of shape (k, d + 1), optional
        Initial model; zero by default.
    integer : bool
        True if features are whole numbers: points are then rounded at random
        with little change of their loss, and may leave the feasible set.

    Raises
    ------
    InvalidArgument
        If an option is out of range.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, section 5.7.

    Examples
    --------
    >>> from toadstone.core.feasible import ball
    >>> rows = Dataset(np.eye(3)[[0, 1, 2] * 5], ["a", "b", "c"] * 5)
    >>> unit = ConvexSet({label: ball(np.zeros(3), 1.0) for label in "abc"})
    >>> attack = MulticlassMinMaxAttack(feasible_set=unit, repeats=2)
    >>> poison = attack.poison(rows, Budget(0.3), np.random.default_rng(0))
    >>> poison.X.shape, bool(unit.contains(poison.X, poison.y).all())
    ((4, 3), True)
    """

    feasible_set: ConvexSet
    decoy: Array | None = None
    max_decoy_loss: float = -2.25
    step: float = 0.03
    accumulator: float = 1e-4
    burn_in: float = 0.5
    repeats: int = 3
    batch: int = 4000
    start: Array | None = None
    integer: bool = False

    def __post_init__(self) -> None:
        check_positive(step=self.step, accumulator=self.accumulator)
        check_not_negative(burn_in=self.burn_in)
        if not np.isfinite(self.max_decoy_loss):
            raise InvalidArgument("max_decoy_loss", "a finite number", self.max_decoy_loss)
        check_count(repeats=self.repeats, batch=self.batch)

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Return as many rows as the budget allows, sparse if the clean rows are.

        Parameters
        ----------
        data : Dataset
            Of at least two classes.
        budget : Budget
            Of kind "add".
        rng : Generator
            Random numbers for the clean rows of each move, and for rounding.

        Returns
        -------
        Poison

        Raises
        ------
        InvalidArgument
            If the budget is not for adding rows or for none, or a model has
            another number of features or classes than the data.
        InvalidData
            If there is a single class.
        EmptyFeasibleSet
            If no label has a feasible point.
        """
        count = self._count(data, budget)
        dropped = round(self.burn_in * count / self.repeats)
        kept = [(move.point, move.label) for move in islice(self.moves(data, budget, rng), dropped, None)]
        points = np.repeat(np.stack([point for point, _ in kept]), self.repeats, axis=0)[:count]
        labels = data.classes[np.repeat([label for _, label in kept], self.repeats)[:count]]
        return Poison(csr_array(points) if issparse(data.X) else points, labels)

    def moves(self, data: Dataset, budget: Budget, rng: Generator) -> Iterator[WorstPoint]:
        """Yield the moves one by one, including the burn-in; parameters as for `poison`."""
        count = self._count(data, budget)
        codes: IntArray = np.searchsorted(data.classes, data.y)
        search, hinge = RivalSearch(self._regions(data.classes)), HingeGradient(data.X, codes)
        shape = (len(data.classes), data.n_features + 1)
        theta = np.ascontiguousarray((np.zeros(shape) if self.start is None else self.start).T)
        descent, mass = AdaGrad(self.step, self.accumulator), count / len(data)
        for _ in range(round(self.burn_in * count / self.repeats) + -(-count // self.repeats)):
            found = search.worst(theta.T)
            if self.integer:
                found = _rounded(found, theta, rng)
            yield found
            seen = rng.integers(0, len(data), self.batch) if self.batch < len(data) else None
            _, gradient = hinge.at(theta, seen)
            # A fitted point has no gradient. It counts with the mass of all poison, as in the paper's algorithm.
            if found.loss > 0:
                pull = mass * np.append(found.point, 1.0)
                gradient[:, found.rival] += pull
                gradient[:, found.label] -= pull
            descent.move(theta, gradient)

    def _count(self, data: Dataset, budget: Budget) -> int:
        if len(data.classes) < 2:
            raise InvalidData("labels: expected at least two classes, got 1 class")
        shape = (len(data.classes), data.n_features + 1)
        for name, theta in (("decoy", self.decoy), ("start", self.start)):
            if theta is not None and np.shape(theta) != shape:
                raise InvalidArgument(name, f"an array of shape {shape}", f"shape {np.shape(theta)}")
        return budget.count_for("add", len(data))

    def _regions(self, classes: Labels) -> list[Region]:
        """Return the feasible set of each class, including the decoy's limit."""
        allowed = self.feasible_set
        if self.decoy is not None:
            fitted = (_fitted_by(self.decoy, label, self.max_decoy_loss) for label in range(len(classes)))
            allowed = allowed.intersect(ConvexSet(dict(zip(classes.tolist(), fitted, strict=True))))
        return [allowed.region(label) for label in classes.tolist()]


def _rounded(found: WorstPoint, theta: Array, rng: Generator) -> WorstPoint:
    excess = theta[:, found.rival] - theta[:, found.label]
    (row,) = round_copies(found.point, excess[:-1], repeats=1, rounding="systematic", rng=rng)
    return replace(found, point=row, loss=float(1 + row @ excess[:-1] + excess[-1]))


def _fitted_by(decoy: Array, label: int, max_loss: float) -> Region:
    """Return the set of rows of a class whose hinge at a decoy, before its maximum with zero, is within a limit."""
    excess = np.delete(decoy - decoy[label], label, axis=0)
    unbounded, bands = np.full(decoy.shape[1] - 1, np.inf), np.ascontiguousarray(excess[:, :-1])
    high = max_loss - 1 - excess[:, -1]
    return Region(-unbounded, unbounded, np.zeros(len(unbounded)), np.inf, bands, np.full(len(high), -np.inf), high)
