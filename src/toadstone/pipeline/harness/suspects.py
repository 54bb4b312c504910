"""Rank the most suspicious rows by several sanitizers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.sparse import issparse

from toadstone.core.arrays import Array, IntArray, Labels, Matrix
from toadstone.core.dataset import Dataset
from toadstone.core.row_names import RowNames
from toadstone.datasets.split import RawValues
from toadstone.pipeline.harness.row_account import ids_of
from toadstone.records.audit import Suspect

LONGEST_LIST = 200
_FEATURES_SHOWN = 6
_LONGEST_PREVIEW = 400


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
    names: RowNames | None = None,
    raw: RawValues | None = None,
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
    names : RowNames, optional
        Of the rows in their source; by default they are counted from 1.
    raw : RawValues, optional
        Values for previews; the prepared ones by default.
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
    ids, named = ids_of(data), names or RowNames()
    return tuple(
        Suspect(
            row=named[int(ids[row])],
            position=int(ids[row]),
            label=str(data.y[row]),
            ranks={name: int(rank[row]) for name, rank in ranks.items()},
            removed_by=tuple(name for name, rows in removed.items() if int(row) in rows),
            suspicion=float(suspicion[row]),
            preview=preview(data, int(row), raw),
        )
        for row in chosen
    )


def preview(data: Dataset, row: int, raw: RawValues | None = None, told: Array | None = None) -> str:
    """Describe a row by its largest features: as they stand in the source, else as prepared, by name if they have any.

    Parameters
    ----------
    data : Dataset
    row : int
        Its position in `data`.
    raw : RawValues, optional
        Values of the source.
    told : ndarray of shape (d,), optional
        How much each feature matters, from 0; all alike by default.
    """
    columns, values = stored_values(data.X, row)
    size = np.abs(values) if told is None else np.abs(values) * told[columns]
    if len(size) > _FEATURES_SHOWN:
        # Only those as large as the last that is shown are sorted, since rows may be wide.
        large = size >= np.partition(size, -_FEATURES_SHOWN)[-_FEATURES_SHOWN]
        columns, values, size = columns[large], values[large], size[large]
    largest = np.argsort(-size, kind="stable")[:_FEATURES_SHOWN]
    if raw is not None:
        return shortened(raw.describe(int(ids_of(data)[row]), columns[largest].tolist()))
    shown = [f"{_name(data.feature_names, int(columns[j]))} {values[j]:.4g}" for j in largest]
    return shortened(", ".join(shown)) or "all features are zero"


def stored_values(X: Matrix, row: int) -> tuple[IntArray, Array]:
    """Return the columns and values of the features of a row that are not zero, by column."""
    if not issparse(X):
        columns = np.flatnonzero(X[row])
        return columns, X[row, columns]
    part = slice(X.indptr[row], X.indptr[row + 1])
    columns, values = X.indices[part], X.data[part]
    order = np.argsort(columns, kind="stable")
    order = order[values[order] != 0]
    return columns[order].astype(np.int64), values[order]


def shortened(text: str) -> str:
    """Cut the preview of a row, which a long text of the source would overfill."""
    return text if len(text) <= _LONGEST_PREVIEW else f"{text[: _LONGEST_PREVIEW - 1].rstrip()}…"


def _name(names: Sequence[str] | None, column: int) -> str:
    named = names[column].strip() if names is not None else ""
    return named or f"column {column}"
