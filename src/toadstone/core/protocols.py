"""The four contracts; everything else in the house is concrete."""

from __future__ import annotations

from typing import Protocol, Self

from numpy.random import Generator

from toadstone.core.arrays import Array, Labels, Mask, Matrix
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.feasible import Extremum


class FeasibleSet(Protocol):
    """Where poison of each label may lie; convex for each label."""

    def contains(self, X: Matrix, y: Labels) -> Mask:
        """Which rows, labelled so, lie inside."""

    def project(self, X: Matrix, y: Labels) -> Array:
        """The nearest feasible rows."""

    def maximize(self, direction: Array, label: object) -> Extremum:
        """The extreme point of one label's region along a direction."""


class Attack(Protocol):
    """A way of spending a budget; its fields are the attacker's knowledge."""

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Rows that honour the budget on this clean training set."""


class Scorer(Protocol):
    """A measure of how normal a labelled row is."""

    def fit(self, X: Matrix, y: Labels) -> Self:
        """Learn what is normal."""

    def score_samples(self, X: Matrix, y: Labels) -> Array:
        """One score a row; larger is more normal."""


class Aggregator(Protocol):
    """A robust mean of updates, some of them Byzantine."""

    def __call__(self, updates: Array, n_byzantine: int) -> Array:
        """Combine rows of `updates`."""
