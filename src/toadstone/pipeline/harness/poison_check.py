"""Check that poison keeps to its budget and domain."""

from __future__ import annotations

import numpy as np
from scipy.sparse import issparse

from toadstone.core.arrays import IntArray
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import BudgetExceeded
from toadstone.core.feasible import Domain, ball
from toadstone.kernels.rows import stack
from toadstone.kernels.sets.sets import ConvexSet

_WHOLE = 1e-8


def check_poison(poison: Poison, clean: Dataset, budget: Budget, domain: Domain) -> None:
    """Refuse poison that breaks its contract.

    A budget for adding rows pays for rows that displace no clean one. One for
    flips pays for clean rows in their own places under other labels, one for
    perturbing rows for other features under the same labels.

    Parameters
    ----------
    poison : Poison
    clean : Dataset
        What it is added to, or whose rows it displaces.
    budget : Budget
    domain : Domain
        Kept to as closely as `ConvexSet.contains` demands.

    Raises
    ------
    BudgetExceeded
        If there are too many rows, they displace others than the budget is
        for, a label is unknown, or a value lies outside the domain.
    """
    check_size(poison, clean, budget)
    unknown = np.setdiff1d(poison.y, clean.classes)
    if unknown.size:
        raise BudgetExceeded(f"poison: expected labels of the data, got {unknown[0]}")
    check_displaced(poison, clean, budget)
    anywhere = ConvexSet(dict.fromkeys(clean.classes.tolist(), ball(np.zeros(clean.n_features), np.inf)))
    if not anywhere.within(domain).contains(poison.X, poison.y).all():
        raise BudgetExceeded(f"poison: expected values within the {domain.name} domain, got some outside")
    values = poison.X.data if issparse(poison.X) else poison.X
    if domain.integer and np.any(np.abs(values - np.round(values)) > _WHOLE):
        raise BudgetExceeded("poison: expected whole numbers, got fractions")


def check_size(poison: Poison, clean: Dataset, budget: Budget) -> None:
    """Refuse poison of more rows than its budget allows, or of other columns than the data.

    Raises
    ------
    BudgetExceeded
        If it is so.
    """
    allowed = budget.count(len(clean))
    if len(poison) > allowed:
        raise BudgetExceeded(f"poison: expected at most {allowed} rows, got {len(poison)}")
    if poison.X.shape[1] != clean.n_features:
        raise BudgetExceeded(f"poison: expected {clean.n_features} columns, got {poison.X.shape[1]}")


def check_displaced(poison: Poison, clean: Dataset, budget: Budget) -> None:
    """Refuse poison that displaces rows in another way than its budget is for.

    Raises
    ------
    BudgetExceeded
        If it does.
    """
    rows: IntArray = np.empty(0, dtype=np.int64) if poison.replaces is None else poison.replaces
    if budget.kind == "add":
        if len(rows):
            raise BudgetExceeded(f"poison: expected only added rows, got {len(rows)} that displace clean ones")
        return
    if len(rows) != len(poison):
        raise BudgetExceeded(f"poison: expected {len(poison)} displaced rows, one for each, got {len(rows)}")
    if len(np.unique(rows)) != len(rows) or np.any((rows < 0) | (rows >= len(clean))):
        raise BudgetExceeded(f"poison: expected to displace different rows below {len(clean)}, got others")
    relabelled = clean.y[rows] != poison.y
    if budget.kind == "perturb" and relabelled.any():
        raise BudgetExceeded(f"poison: expected the labels of the rows displaced, got {relabelled.sum()} others")
    if budget.kind == "flip" and not relabelled.all():
        raise BudgetExceeded(f"poison: expected other labels for all rows, got {(~relabelled).sum()} unchanged")
    if budget.kind == "flip" and _differ(poison, clean, rows):
        raise BudgetExceeded("poison: expected the features of the rows displaced, got others")


def _differ(poison: Poison, clean: Dataset, rows: IntArray) -> bool:
    """Return True if a row of poison has other features than the one that it displaces."""
    both, m = stack([clean.X[rows], poison.X]), len(rows)
    gaps = both[:m] - both[m:]
    return bool(np.any((gaps.data if issparse(gaps) else gaps) != 0))
