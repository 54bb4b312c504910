"""The protocols of feasible sets, attacks and aggregators."""

from __future__ import annotations

from typing import Protocol

from numpy.random import Generator

from toadstone.core.arrays import Array, Labels, Mask, Matrix
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.feasible import Extremum


class FeasibleSet(Protocol):
    """A set of feasible poison rows, convex for each label."""

    def contains(self, X: Matrix, y: Labels) -> Mask:
        """Return a mask of the rows that lie inside, given their labels."""

    def project(self, X: Matrix, y: Labels) -> Array:
        """Project rows onto the set."""

    def maximize(self, direction: Array, label: object) -> Extremum:
        """Maximize a linear function over one label's region."""


class Attack(Protocol):
    """An attack, whose fields are the attacker's knowledge."""

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Return poison rows within the budget for this clean training set."""


class Aggregator(Protocol):
    """An aggregation of clients' updates that a number of malicious ones cannot steer."""

    def __call__(self, updates: Matrix, malicious: int) -> Array:
        """Return one vector, shape (d,), from updates of shape (n, d)."""
