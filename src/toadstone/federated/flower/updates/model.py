"""The server's model, and where its arrays lie in a client's row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flwr.app import ArrayRecord
from numpy.typing import NDArray

from toadstone.core.arrays import Array
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.federated.flower.messages.serialized import read_array
from toadstone.federated.flower.updates.adapters import Adapter
from toadstone.federated.flower.updates.pairs import pairs_of


@dataclass(frozen=True, eq=False)
class ServerModel:
    """The model that was sent to the clients of a round.

    Parameters
    ----------
    record : ArrayRecord
        As sent.
    arrays : mapping of str to ndarray
    columns : mapping of str to slice
        Columns of each array of floating numbers in a client's row. Arrays of
        integers have none; factors of adapters have them after all others,
        together.
    adapters : tuple of Adapter
    clients : int
        Most clients that may reply, on which the width of adapters depends.
    """

    record: ArrayRecord
    arrays: Mapping[str, NDArray[Any]]
    columns: Mapping[str, slice]
    adapters: tuple[Adapter, ...]
    clients: int

    @classmethod
    def sent(cls, record: ArrayRecord, *, clients: int, adapters: Sequence[tuple[str, str]] = ()) -> ServerModel:
        """Lay out a record.

        Raises
        ------
        InvalidData
            If it is empty, or one of its arrays is not finite or holds neither
            numbers nor truth values.
        InvalidArgument
            If `adapters` names no pair of its arrays whose product exists.
        """
        arrays = {key: array.numpy() for key, array in record.items()}
        if not arrays:
            raise InvalidData("robust aggregation needs the server's arrays: got an empty ArrayRecord")
        for key, array in arrays.items():
            if array.dtype.kind not in "fiub":
                raise InvalidData(f"array {key!r}: expected floating, integer or boolean numbers, got {array.dtype}")
            if not np.isfinite(array).all():
                raise InvalidData(f"array {key!r} of the server's model: expected finite numbers, got others")
        if all(array.dtype.kind != "f" or not array.size for array in arrays.values()):
            raise InvalidData("robust aggregation needs arrays of floating numbers: got none in the ArrayRecord")
        named = pairs_of(arrays, adapters)
        pairs = tuple(_adapter(arrays, a, b) for a, b in named)
        factors = {key for pair in named for key in pair}
        if len(factors) < 2 * len(pairs):
            raise InvalidArgument("adapters", "each array in one pair", named)
        columns, start = {}, 0
        for key, array in arrays.items():
            if array.dtype.kind == "f" and key not in factors:
                columns[key] = slice(start, start + array.size)
                start += array.size
        return cls(record, arrays, columns, pairs, clients)

    @property
    def plain_width(self) -> int:
        """Columns of all arrays but adapters."""
        return max((columns.stop for columns in self.columns.values()), default=0)

    @property
    def width(self) -> int:
        """Columns of a client's row."""
        return self.plain_width + sum(pair.width(self.clients) for pair in self.adapters)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the rows: double precision only where the model has it."""
        wide = any(array.dtype.kind == "f" and array.dtype.itemsize > 4 for array in self.arrays.values())
        return np.dtype(np.float64 if wide else np.float32)

    @property
    def integers(self) -> tuple[str, ...]:
        """Keys of the arrays of integers and truth values, such as BatchNorm's counters."""
        return tuple(key for key, array in self.arrays.items() if array.dtype.kind in "iub")

    def read(self, reply: ArrayRecord) -> dict[str, NDArray[Any]]:
        """Read a reply whose keys, shapes and types must be those of the model.

        Raises
        ------
        Unreadable
        """
        return {
            key: read_array(reply[key], name=key, shape=array.shape, dtype=array.dtype)
            for key, array in self.arrays.items()
        }

    def subtract(self, reply: Mapping[str, NDArray[Any]], row: NDArray[Any]) -> None:
        """Write a client's update, its arrays minus the server's, into the plain columns of its row."""
        with np.errstate(over="ignore", invalid="ignore"):
            for key, columns in self.columns.items():
                np.subtract(reply[key].ravel(), self.arrays[key].ravel(), out=row[columns], dtype=row.dtype)

    def moved(self, update: Array, unmoved: Collection[str]) -> dict[str, NDArray[Any]]:
        """Return the floating arrays after an update.

        Parameters
        ----------
        update : ndarray of shape (width,)
        unmoved : collection of str
            Keys of arrays that no client changed; they stay as they are to
            the bit.
        """
        arrays = {}
        for key, columns in self.columns.items():
            old = self.arrays[key]
            if key in unmoved:
                arrays[key] = old
                continue
            with np.errstate(over="ignore"):
                arrays[key] = (old.astype(np.float64) + update[columns].reshape(old.shape)).astype(old.dtype)
        return arrays


def _adapter(arrays: Mapping[str, NDArray[Any]], a: str, b: str) -> Adapter:
    for key in (a, b):
        if key not in arrays:
            raise InvalidArgument("adapters", f"keys of the model, such as {next(iter(arrays))!r}", repr(key))
    down, up = arrays[a], arrays[b]
    if down.dtype.kind != "f" or down.dtype != up.dtype or down.ndim != 2 or up.ndim != 2 or len(down) != up.shape[1]:
        expected = f"pairs (A, B) of floating matrices whose product B @ A exists, for {a!r}, {b!r}"
        raise InvalidArgument("adapters", expected, f"shapes {down.shape} and {up.shape}")
    return Adapter(a, b, down, up)
