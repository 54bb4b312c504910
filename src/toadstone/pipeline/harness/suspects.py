"""Rank the most suspicious rows by several sanitizers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.sparse import issparse

from toadstone.core.arrays import Array, IntArray, Labels
from toadstone.core.dataset import Dataset
from toadstone.records.audit import Suspect

LONGEST_LIST = 200
_FEATURES_SHOWN = 6


def rank_rows(suspicion: Array, y: Labels) -> IntArray:
    """Rank each row within its class, 1 being the most suspicious.

    Ties keep the order of the rows.

    Examples
    --------
    >>> rank_rows(np.array([0.1, 0.9, 0.5]), np.array(["a", "a", "b"])).tolist()
    [2, 1, 1]
    """
    ranks = np.empty(len(y), dtype=np.int64)
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        ranks[rows[np.argsort(-suspicion[rows], kind="stable")]] = np.arange(1, len(rows) + 1)
    return ranks


def list_suspects(
    data: Dataset,
    sanitizers: Mapping[str, Any],
    *,
    longest: int = LONGEST_LIST,
    on_ranked: Callable[[], None] | None = None,
) -> tuple[Suspect, ...]:
    """Return the most suspicious rows by all sanitizers together.

    A row's suspicion is the mean over sanitizers of the share of its class
    that looks no more suspicious than it does.

    Parameters
    ----------
    data : Dataset
    sanitizers : mapping from name to an unfitted sanitizer
    longest : int
        Rows to list at most.
    on_ranked : callable, optional
        Called after each sanitizer, for progress.

    Returns
    -------
    tuple of Suspect
        Most suspicious first.
    """
    sizes = np.array([np.count_nonzero(data.y == label) for label in data.classes])
    size = sizes[np.searchsorted(data.classes, data.y)]
    ranks, removed = {}, {}
    for name, sanitizer in sanitizers.items():
        sanitizer.fit_resample(data.X, data.y)
        ranks[name] = rank_rows(sanitizer.suspicion_, data.y)
        removed[name] = set(sanitizer.removed_indices_.tolist())
        if on_ranked is not None:
            on_ranked()
    suspicion = np.mean([1 - (rank - 1) / size for rank in ranks.values()], axis=0)
    chosen = np.argsort(-suspicion, kind="stable")[:longest]
    ids = np.arange(len(data)) if data.row_ids is None else data.row_ids
    return tuple(
        Suspect(
            row=int(ids[row]),
            label=str(data.y[row]),
            ranks={name: int(rank[row]) for name, rank in ranks.items()},
            removed_by=tuple(name for name, rows in removed.items() if int(row) in rows),
            suspicion=float(suspicion[row]),
            preview=preview(data, int(row)),
        )
        for row in chosen
    )


def preview(data: Dataset, row: int) -> str:
    """Describe the largest features of a row, by name where there are names."""
    values = data.X[[row]].toarray().ravel() if issparse(data.X) else data.X[row]
    largest = np.argsort(-np.abs(values), kind="stable")[:_FEATURES_SHOWN]
    shown = [f"{_name(data.feature_names, int(j))} {values[j]:.4g}" for j in largest if values[j] != 0]
    return ", ".join(shown) or "all features are zero"


def _name(names: Sequence[str] | None, column: int) -> str:
    named = names[column].strip() if names is not None else ""
    return named or f"column {column}"
