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

    @property
    def behind(self) -> str:
        """End of a sentence on the number of updates: how many were refused, and why the first was."""
        if not self.refused:
            return ""
        number, first = len(self.refused), self.refused[0].reason
        return f" after {number} of {self.received} updates were refused, the first: {first}"

    def malicious_left(self, malicious: int) -> int:
        """Return how many of so many malicious clients may be among the admitted."""
        return max(0, malicious - len(self.refused))

    def warning(self, malicious: int) -> str:
        """Return what is wrong with the number of malicious clients that were reckoned with; empty if nothing is.

        Examples
        --------
        >>> admit([[1.0], [2.0], None, None]).warning(1)
        '2 of 4 updates were refused, more than the 1 malicious that were reckoned with: choose a larger number'
        """
        if len(self.refused) <= malicious:
            return ""
        return (
            f"{len(self.refused)} of {self.received} updates were refused, more than the {malicious} malicious that "
            "were reckoned with: choose a larger number"
        )


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
    if isinstance(table, str) or table.ndim != 2 or 0 in table.shape[1:]:
        got = table if isinstance(table, str) else f"shape {table.shape}"
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
    table = np.stack([vectors[client] for client in clients])  # type: ignore[arg-type]
    return Admitted(Rows(table), np.array(clients), len(updates), tuple(refused))


def _numbers(given: Any) -> NDArray[Any] | str:
    """Return an array of floats, of a tensor too; for what holds no numbers, what it is."""
    try:
        array = _array(given)
    except (TypeError, ValueError, RuntimeError):
        # Of objects of other libraries: sparse, nested and quantized tensors, those without storage, ragged lists.
        return f"{_with_article(type(given).__name__)} that cannot be read as an array of numbers"
    if isinstance(array, np.ma.MaskedArray):
        return "a masked array"
    if array.dtype.kind in "iu" or (array.dtype.kind == "f" and array.dtype.itemsize > 8):
        return array.astype(np.float64)
    if array.dtype.kind == "f":
        return array
    return f"an array of {array.dtype.name.rstrip('0123456789')}" if array.ndim else type(given).__name__


def _array(given: Any) -> NDArray[Any]:
    if hasattr(given, "detach") and hasattr(given, "numpy"):
        given = given.detach().cpu()
        # NumPy has no bfloat16; single precision holds each of its numbers.
        given = given.float() if str(given.dtype) == "torch.bfloat16" else given
        # Views that only note a conjugation, or a sign, are written out.
        given = given.resolve_conj().resolve_neg() if hasattr(given, "resolve_conj") else given
        return np.asarray(given.numpy())
    return given if isinstance(given, np.ndarray) else np.asarray(given)


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiouAEIOU' else 'a'} {noun}"


def _usual_length(vectors: Sequence[NDArray[Any] | str]) -> int:
    """Return the length that most vectors have."""
    arrays = [vector for vector in vectors if not isinstance(vector, str)]
    lengths = Counter(len(vector) for vector in arrays if vector.ndim == 1 and len(vector))
    ranked = lengths.most_common(2)
    if len(ranked) == 2 and ranked[0][1] == ranked[1][1]:
        raise InvalidData(
            f"updates: expected vectors of one length, got {ranked[0][0]} and {ranked[1][0]} as often as each other; "
            "give those of the model's length only"
        )
    return ranked[0][0] if ranked else 0


def _malformed(update: Any, vector: NDArray[Any] | str, length: int) -> str:
    """Return what is wrong with a message, empty if nothing is."""
    if update is None:
        return "nothing was sent"
    if isinstance(vector, str):
        return f"expected a vector of real numbers, got {vector}"
    if not vector.size:
        return "nothing was sent"
    if vector.ndim != 1:
        return f"expected a vector, got shape {vector.shape}"
    return "" if len(vector) == length else f"expected {length} numbers, got {len(vector)}"
