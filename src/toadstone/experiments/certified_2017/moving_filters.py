"""Attacks on filters fitted on poisoned rows: atoms that pass around the means that they move, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import Array, IntArray, Mask
from toadstone.core.budget import Budget
from toadstone.core.certificate import NormBall
from toadstone.core.dataset import Dataset, Poison
from toadstone.datasets.split import Split
from toadstone.kernels.gram.filters import DataDependentFilters
from toadstone.kernels.gram.online import Averaging, ascend
from toadstone.kernels.losses import HINGE
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.minimax.saddle import solve_saddle
from toadstone.kernels.rows import stack

ATOM_SIGNS = np.array([1.0, 1.0, -1.0, -1.0])
_IDLE_SHARES = (0.0, 0.1, 0.3)


@dataclass(frozen=True, eq=False)
class MovingAttack:
    """Copies of four atoms, and what is left once the defence has refitted its means and filtered.

    Parameters
    ----------
    atoms : ndarray of shape (4, d)
    counts : ndarray of shape (4,)
        Rows at each atom.
    excess : float
        By how much the worst atom exceeds a threshold, means recomputed from all rows.
    kept : ndarray of bool of shape (n,)
        Clean rows that pass.
    """

    atoms: Array
    counts: IntArray
    excess: float
    kept: Mask


@dataclass(frozen=True)
class Trained:
    """Losses and errors of a model.

    Parameters
    ----------
    clean, test : float
        Mean hinge loss of all clean rows, filtered or not, and of the test rows.
    wrong, tested : int
        Misclassified test rows, and all.
    """

    clean: float
    test: float
    wrong: int
    tested: int


def spread_copies(atoms: Array, weights: Array, train: Dataset, filters: DataDependentFilters) -> MovingAttack:
    """Judge atoms whose weights are whole rows."""
    centres = filters.centres(atoms, weights)
    return MovingAttack(
        atoms,
        np.rint(weights * len(train)).astype(np.int64),
        filters.excess(atoms, weights),
        filters.kept(train.X, train.signs, centres),
    )


def whole_rows(weights: Array, budget: Budget, n: int) -> Array:
    """Round weights to whole rows, as many as the budget allows."""
    shares = np.cumsum(weights) / weights.sum()
    return np.asarray(np.diff(np.round(shares * budget.count(n)), prepend=0) / n)


def search_attacks(
    train: Dataset, filters: DataDependentFilters, budget: Budget, squared_radius: float, rounds: int
) -> Iterator[MovingAttack]:
    """Move an atom of each class against a model that learns online, with a part of the poison idle at a second atom.

    Idle poison has no loss of its own: it turns the line between the means,
    along which the slab measures.
    """
    for atom, idle in ((0, (1, 3)), (2, (3, 1))):
        for share in _IDLE_SHARES:
            for other in idle if share else idle[:1]:
                weights = np.zeros(4)
                weights[atom], weights[other] = 1 - share, share
                weights = whole_rows(weights, budget, len(train))
                rows = Averaging(train.X, train.signs, squared_radius)
                for atoms in ascend(rows, filters, weights, atom, rounds=rounds):
                    yield spread_copies(atoms, weights, train, filters)


def train_filtered(
    split: Split,
    filters: DataDependentFilters,
    attack: MovingAttack,
    squared_radius: float,
    *,
    kept: Mask,
    tolerance: float,
) -> Trained:
    """Train within a norm ball on some clean rows and all poison."""
    train = split.train
    X = stack([train.X[np.flatnonzero(kept)], poison_of(attack, train).X])
    signs = np.append(train.signs[kept], np.repeat(ATOM_SIGNS, attack.counts))
    # The poison is among the rows, so that no region is asked for more.
    problem = Problem(X, signs, filters.inflated(0.0), HINGE, NormBall(squared_radius))
    theta = solve_saddle(problem, fraction=0.0, tolerance=tolerance).theta

    def margins(rows: Dataset) -> Array:
        wanted = np.where(rows.y == train.classes[1], 1.0, -1.0)
        return np.asarray(wanted * (rows.X @ theta[:-1] + theta[-1]))

    tested = margins(split.test)
    return Trained(
        clean=float(HINGE.value(margins(train)).mean()),
        test=float(HINGE.value(tested).mean()),
        wrong=int(np.count_nonzero(tested <= 0)),
        tested=len(tested),
    )


def poison_of(attack: MovingAttack, train: Dataset) -> Poison:
    """Return the rows of an attack."""
    labels = np.where(np.repeat(ATOM_SIGNS, attack.counts) > 0, train.classes[1], train.classes[0])
    return Poison(np.repeat(attack.atoms, attack.counts, axis=0), labels)
