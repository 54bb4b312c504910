"""Candidates of label flips, and poison made of a ranking of them."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import IntArray, Labels, Mask
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument
from toadstone.core.protocols import FeasibleSet


def possible_flips(
    rows: Dataset,
    classes: Labels,
    feasible_set: FeasibleSet | None = None,
    *,
    source: object | None = None,
    target: object | None = None,
) -> Mask:
    """Return a mask of the rows that may be given each other label.

    Parameters
    ----------
    rows : Dataset
    classes : ndarray of shape (k,)
        All labels, sorted.
    feasible_set : FeasibleSet, optional
        Rows must lie inside it under their new label.
    source, target : object, optional
        The only old label, and the only new label, to use.

    Returns
    -------
    ndarray of bool of shape (n, k)

    Raises
    ------
    InvalidArgument
        If `source` or `target` is not among the classes, or both are equal.
    EmptyFeasibleSet
        If no row may be given any other label.
    """
    for name, label in (("source", source), ("target", target)):
        if label is not None and label not in classes.tolist():
            raise InvalidArgument(name, f"one of {', '.join(map(str, classes))}", label)
    if source is not None and source == target:
        raise InvalidArgument("target", f"a label other than {source}", target)
    possible: Mask = rows.y[:, None] != classes[None, :]
    if source is not None:
        possible &= (rows.y == source)[:, None]
    if target is not None:
        possible &= classes == target
    if feasible_set is not None:
        for code in np.flatnonzero(possible.any(axis=0)):
            wanted = np.flatnonzero(possible[:, code])
            labels = np.repeat(classes[code], len(wanted))
            possible[wanted, code] = feasible_set.contains(rows.X[wanted], labels)
    if not possible.any():
        raise EmptyFeasibleSet("no row may be given another label: none of them lies in the feasible set with it")
    return possible


def check_budget(budget: Budget, n: int) -> None:
    """Check that a budget is for adding or flipping at least one of n clean rows.

    Raises
    ------
    InvalidArgument
        If it is for perturbing rows, or for less than one row.
    """
    if budget.kind not in ("add", "flip"):
        raise InvalidArgument("budget", "one for adding or flipping rows", budget.kind)
    if budget.count(n) == 0:
        raise InvalidArgument("budget", f"a fraction of {n} rows that is at least one row", budget.fraction)


def spend(data: Dataset, budget: Budget, rows: IntArray, labels: Labels, *, most: int | None = None) -> Poison:
    """Return the first rows of a ranking with new labels, as added rows or as flips.

    Parameters
    ----------
    data : Dataset
    budget : Budget
        Of kind "add" or "flip". Added rows start over at the end of the
        ranking; flips end there.
    rows : ndarray of int of shape (r,)
        The ranking, at least one row.
    labels : ndarray of shape (r,)
        The new label of each row of the ranking.
    most : int, optional
        Largest number of rows, whatever the budget.

    Returns
    -------
    Poison
    """
    count = min(budget.count(len(data)), len(data) if most is None else most)
    if budget.kind == "flip":
        return Poison(data.X[rows[:count]], labels[:count], rows[:count])
    return Poison(data.X[np.resize(rows, count)], np.resize(labels, count))
