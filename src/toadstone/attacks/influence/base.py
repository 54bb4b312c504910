"""Influence attacks: knowledge, initial points, search and rounding that they share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from scipy.sparse import issparse
from threadpoolctl import threadpool_limits

from toadstone.attacks.influence.projected_ascent import InfluenceSearch, Iterate, Respond, Targets
from toadstone.core.arrays import Array, IntArray, Labels
from toadstone.core.budget import Budget
from toadstone.core.checks import check_not_negative, check_positive, check_within
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import EmptyFeasibleSet
from toadstone.kernels.influence.poison_gradient import ProbeLoss
from toadstone.kernels.rows import canonical_form
from toadstone.kernels.sets.balanced_rounding import round_inside
from toadstone.kernels.sets.sets import ConvexSet


@dataclass(frozen=True, eq=False)
class Start:
    """A search and its initial points.

    Parameters
    ----------
    search : InfluenceSearch
    points : ndarray of shape (k, d)
        Clean rows of the other class inside the attack's set, or projections
        of such rows onto it.
    counts : ndarray of int of shape (k,)
        Number of poison rows at each point.
    repeats : int
        Number of these rows that share one rounding.
    """

    search: InfluenceSearch
    points: Array
    counts: IntArray
    repeats: int = 1


@dataclass(frozen=True, eq=False, kw_only=True)
class InfluencePlan(ABC):
    """Gradient ascent of poison points on the loss of the retrained model.

    The points start as clean rows with the wrong label. Each step trains the
    model on clean rows and poison, computes the gradient of its loss on the
    probe by the points, moves them along it and projects them onto the
    feasible set. Subclasses choose the number of points and the gradient.

    Parameters
    ----------
    probe : Dataset or Targets
        Rows whose mean loss the attacker wants to raise, or target rows with
        the labels that the attacker wants.
    feasible_set : ConvexSet
        The set that poison must lie in.
    ridge : float
        Penalty of the defender's linear model, for each row.
    positive_share : float, optional
        Share of the poison with the second label; by default the first
        label's share of the clean rows.
    step : float
        Step length, as a factor of the paper's gradient, which is not
        multiplied by the poison's share of all rows.
    max_steps : int
        Largest number of steps. The search ends earlier after two evaluations,
        ten steps apart, without a better iterate.
    integer : bool
        True if features are whole numbers; the best iterate is then rounded
        at random to rows inside the set whose scores are nearly equal.

    Raises
    ------
    InvalidArgument
        If an option is out of its range.
    """

    probe: Dataset | Targets
    feasible_set: ConvexSet
    ridge: float
    positive_share: float | None = None
    step: float = 0.1
    max_steps: int = 2000
    integer: bool = False

    def __post_init__(self) -> None:
        check_positive(ridge=self.ridge)
        if self.positive_share is not None:
            check_within("[0, 1]", positive_share=self.positive_share)
        check_not_negative(step=self.step, max_steps=self.max_steps)

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Search for the points, and return as many copies of them as the budget allows.

        Parameters
        ----------
        data : Dataset
            Clean training rows of two classes.
        budget : Budget
            Of kind "add".
        rng : Generator
            Random numbers for the initial points and for rounding.

        Returns
        -------
        Poison

        Raises
        ------
        InvalidArgument
            If the budget is not for adding rows, or for none.
        InvalidData
            If there are not exactly two classes, or the probe has other
            labels.
        EmptyFeasibleSet
            If the set has no point for a label, or no row of whole numbers
            was found in it.
        """
        return self.search(data, budget, rng, lambda start: start.search.run(start.points, self.feasible_set))

    def search(self, data: Dataset, budget: Budget, rng: Generator, run: Callable[[Start], Iterate]) -> Poison:
        """Make poison as `poison` does, with a search run by the caller.

        Parameters
        ----------
        data, budget, rng
            As for `poison`.
        run : callable
            Takes a `Start` and returns the best iterate.
        """
        # Dense and sparse products round differently, and a long search amplifies that too.
        data = replace(data, X=canonical_form(data.X))
        copies = copies_by_class(data, budget, self.positive_share)
        # Products on several threads sum in another order, and a long search amplifies their rounding errors.
        with threadpool_limits(1, user_api="blas"):
            start = self._begin(data, copies, rng)
            best = run(start)
        labels, counts = start.search.labels, start.counts
        blocks = tuple(best.points[:, None, :])
        if self.integer:
            blocks = whole_rows(best, labels, -(-counts // start.repeats), anchors=start.points, rng=rng)
        rows = [
            np.resize(np.repeat(block, start.repeats, axis=0), (count, data.n_features))
            for block, count in zip(blocks, counts, strict=True)
        ]
        return Poison(np.concatenate(rows), np.repeat(labels, counts))

    @abstractmethod
    def _begin(self, data: Dataset, copies: IntArray, rng: Generator) -> Start:
        """Return initial points for given numbers of poison rows of each class, and the search."""

    def _search(self, respond: Respond, probe: ProbeLoss, labels: Labels) -> InfluenceSearch:
        return InfluenceSearch(respond, probe, labels, step=self.step, max_steps=self.max_steps)


def copies_by_class(data: Dataset, budget: Budget, positive_share: float | None) -> IntArray:
    """Return the numbers of poison rows with the first label and with the second.

    Parameters
    ----------
    data : Dataset
        Of two classes.
    budget : Budget
        Of kind "add".
    positive_share : float, optional
        Share of the second class; by default the first class's share of the
        clean rows.

    Raises
    ------
    InvalidArgument
        If the budget is not for adding rows, or for none.
    """
    count = budget.count_for("add", len(data))
    share = float(np.mean(data.signs < 0)) if positive_share is None else positive_share
    positive = round(share * count)
    return np.array([count - positive, positive])


def flipped_rows(data: Dataset, label: object, count: int, feasible_set: ConvexSet, rng: Generator) -> Array:
    """Draw clean rows of the other class that lie inside the set with a label; project rows if there are none.

    Parameters
    ----------
    data : Dataset
    label : object
        Label of the poison.
    count : int
        Number of rows; they repeat if too few qualify.
    feasible_set : ConvexSet
    rng : Generator

    Returns
    -------
    ndarray of shape (count, d)

    Raises
    ------
    EmptyFeasibleSet
        If the set has no point for the label.
    """
    others = np.flatnonzero(data.y != label)
    inside = others[feasible_set.contains(data.X[others], np.full(len(others), label))]
    rows = data.X[np.resize(rng.permutation(inside if len(inside) else others), count)]
    dense: Array = rows.toarray() if issparse(rows) else rows
    return dense if len(inside) else feasible_set.project(dense, np.full(count, label))


def whole_rows(
    iterate: Iterate, labels: Labels, counts: IntArray, *, anchors: Array, rng: Generator
) -> tuple[Array, ...]:
    """Round each point of an iterate to rows of whole numbers inside its set.

    Parameters
    ----------
    iterate : Iterate
    labels : ndarray of shape (k,)
    counts : ndarray of shape (k,)
        Number of rows for each point; they repeat if fewer were found.
    anchors : ndarray of shape (k, d)
        Points of the set, which are used if no row was found.
    rng : Generator

    Returns
    -------
    tuple of ndarray of shape (count, d)

    Raises
    ------
    EmptyFeasibleSet
        If no row was found, and the anchor has fractions.
    """
    blocks = []
    for point, label, count, anchor in zip(iterate.points, labels.tolist(), counts.tolist(), anchors, strict=True):
        region = iterate.feasible_set.region(label)
        found = round_inside(point, region, iterate.theta[:-1], count, rng)
        if not len(found) and np.any(anchor != np.round(anchor)):
            raise EmptyFeasibleSet(f"no row of whole numbers was found in the feasible set of label {label}")
        blocks.append(np.resize(found if len(found) else anchor, (count, len(point))))
    return tuple(blocks)
