"""Admission of updates: what is malformed, or not finite, never enters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toadstone.core.arrays import IntArray, Matrix
from toadstone.core.errors import InvalidData
from toadstone.kernels.robust_mean.distances import distances_to, total
from toadstone.kernels.robust_mean.rows import Rows

LARGEST_NORM = 1e150
"""Squares of larger norms, and sums of them, overflow."""


SINGLE = 4
"""Bytes of a number of single precision."""


@dataclass(frozen=True)
class Refused:
    """A message that did not enter the aggregation, counted as one of the malicious.

    Parameters
    ----------
    client : int
        Its position among those received.
    reason : str
    """

    client: int
    reason: str


@dataclass(frozen=True, eq=False)
class Admitted:
    """The updates that enter.

    Parameters
    ----------
    rows : Rows, optional
        None if there are none.
    clients : ndarray of int
        Their positions among those received.
    received : int
    refused : tuple of Refused
    """

    rows: Rows | None
    clients: IntArray
    received: int
    refused: tuple[Refused, ...]


def admit(updates: Matrix | Sequence[Any]) -> Admitted:
    """Check updates one by one.

    Parameters
    ----------
    updates : array or tensor of shape (n, d), or sequence of n vectors
        An array is not copied unless its numbers are not floats. Of a
        sequence, vectors of another length than most are refused.

    Returns
    -------
    Admitted

    Raises
    ------
    InvalidData
        If an array is not of shape (n, d) or holds no numbers, or no length of
        vectors is the most frequent.

    Examples
    --------
    >>> found = admit([[1.0, 2.0], [3.0], None, [4.0, float("nan")], [5.0, 6.0]])
    >>> found.clients.tolist()
    [0, 4]
    >>> for refused in found.refused:
    ...     print(refused.client, refused.reason)
    1 expected 2 numbers, got 1
    2 nothing was sent
    3 not all finite
    """
    return only_finite(well_formed(updates))


def well_formed(updates: Matrix | Sequence[Any]) -> Admitted:
    """Return the updates that are vectors of one length, whatever numbers they hold; as `admit`.

    Examples
    --------
    >>> well_formed([[1.0, float("nan")], [2.0, 3.0], [4.0]]).clients.tolist()
    [0, 1]
    """
    if isinstance(updates, Sequence) and not isinstance(updates, str | bytes):
        return _from_vectors(updates)
    table = _numbers(updates)
    if table is None or table.ndim != 2 or 0 in table.shape[1:]:
        got = type(updates).__name__ if table is None else f"shape {table.shape}"
        raise InvalidData(f"updates: expected numbers of shape (n, d), with d at least one, got {got}")
    return Admitted(Rows(table) if len(table) else None, np.arange(len(table)), len(table), ())


def only_finite(found: Admitted) -> Admitted:
    """Leave out the updates that are not finite, or too large to be squared.

    Examples
    --------
    >>> only_finite(well_formed([[1.0, float("nan")], [2.0, 3.0]])).refused
    (Refused(client=0, reason='not all finite'),)
    """
    if found.rows is None:
        return found
    table = found.rows.base
    if table.dtype.itemsize <= SINGLE and np.isfinite(total(found.rows).sum()):
        # No finite row of single precision is too large, and what is not finite stays so in a sum, whose reading serves
        # the mean too.
        return found
    norms = distances_to(found.rows, np.zeros(table.shape[1]))
    kept = np.flatnonzero(norms <= LARGEST_NORM)
    if len(kept) == len(table):
        return found
    refused = [*found.refused, *(Refused(int(found.clients[row]), _excess(table[row])) for row in _others(kept, table))]
    ordered = tuple(sorted(refused, key=lambda one: one.client))
    return Admitted(found.rows.chosen(kept) if len(kept) else None, found.clients[kept], found.received, ordered)


def _others(kept: IntArray, table: NDArray[Any]) -> IntArray:
    return np.setdiff1d(np.arange(len(table)), kept)


def _excess(row: NDArray[Any]) -> str:
    """Return what is wrong with a row whose norm is not a number below the largest."""
    pieces = (row[start : start + 2**20] for start in range(0, len(row), 2**20))
    if all(np.isfinite(piece).all() for piece in pieces):
        return f"expected a norm up to {LARGEST_NORM:g}, got a larger one"
    return "not all finite"


def _from_vectors(updates: Sequence[Any]) -> Admitted:
    vectors = [_numbers(update) for update in updates]
    length = _usual_length(vectors)
    refused, clients = [], []
    for client, (update, vector) in enumerate(zip(updates, vectors, strict=True)):
        reason = _malformed(update, vector, length)
        if reason:
            refused.append(Refused(client, reason))
        else:
            clients.append(client)
    if not clients:
        return Admitted(None, np.zeros(0, dtype=np.int64), len(updates), tuple(refused))
    table = np.stack([vectors[client] for client in clients])  # type: ignore[misc]
    return Admitted(Rows(table), np.array(clients), len(updates), tuple(refused))


def _numbers(given: Any) -> NDArray[Any] | None:
    """Return an array of floats, of a tensor too; None for what holds no numbers."""
    if hasattr(given, "detach") and hasattr(given, "numpy"):
        given = given.detach().cpu()
        # NumPy has no bfloat16; single precision holds each of its numbers.
        given = (given.float() if str(given.dtype) == "torch.bfloat16" else given).numpy()
    try:
        array = given if isinstance(given, np.ndarray) else np.asarray(given)
    except (TypeError, ValueError):
        return None
    if array.dtype.kind in "iu" or (array.dtype.kind == "f" and array.dtype.itemsize > 8):
        return array.astype(np.float64)
    return array if array.dtype.kind == "f" else None


def _usual_length(vectors: Sequence[NDArray[Any] | None]) -> int:
    """Return the length that most vectors have."""
    lengths = Counter(len(vector) for vector in vectors if vector is not None and vector.ndim == 1 and len(vector))
    ranked = lengths.most_common(2)
    if len(ranked) == 2 and ranked[0][1] == ranked[1][1]:
        raise InvalidData(
            f"updates: expected vectors of one length, got {ranked[0][0]} and {ranked[1][0]} as often as each other; "
            "give those of the model's length only"
        )
    return ranked[0][0] if ranked else 0


def _malformed(update: Any, vector: NDArray[Any] | None, length: int) -> str:
    """Return what is wrong with a message, empty if nothing is."""
    if update is None or (vector is not None and not vector.size):
        return "nothing was sent"
    if vector is None:
        return "not a vector of real numbers"
    if vector.ndim != 1:
        return f"expected a vector, got shape {vector.shape}"
    return "" if len(vector) == length else f"expected {length} numbers, got {len(vector)}"
