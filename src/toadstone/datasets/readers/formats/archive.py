"""The arrays of an .npz file, and the names under which archives keep rows and labels."""

from __future__ import annotations

import io
import lzma
import math
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from toadstone.core.errors import InvalidData
from toadstone.datasets.preparation.labels import listing
from toadstone.datasets.readers.content import Content, inflation_limit, open_content, too_large

_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    ValueError,
    KeyError,
    struct.error,
    NotImplementedError,
    RuntimeError,
    MemoryError,
    # Of headers that are no Python literals, which NumPy reads by Python's tokenizer.
    tokenize.TokenError,
    SyntaxError,
)
"""Exceptions of NumPy and the standard library on a damaged archive."""

_LAST_CHARACTER, _SURROGATES = 0x10FFFF, (0xD800, 0xDFFF)


@dataclass(frozen=True)
class ArrayNames:
    """Names of the arrays of rows and labels of an archive.

    Parameters
    ----------
    X, y : str
        Of the training rows, or of all rows.
    X_test, y_test : str
        Of a published test split; empty for none.
    left_out : tuple of str
        Arrays of a validation split, which is not read.
    """

    X: str
    y: str
    X_test: str = ""
    y_test: str = ""
    left_out: tuple[str, ...] = ()


_PUBLISHED = (
    ArrayNames("X_train", "y_train", "X_test", "y_test", ("X_val", "y_val")),
    ArrayNames("x_train", "y_train", "x_test", "y_test", ("x_val", "y_val")),
    ArrayNames("train_images", "train_labels", "test_images", "test_labels", ("val_images", "val_labels")),
    ArrayNames("train_data", "train_labels", "test_data", "test_labels", ("val_data", "val_labels")),
)
_WHOLE = (
    ArrayNames("X", "y"),
    ArrayNames("x", "y"),
    ArrayNames("images", "labels"),
    ArrayNames("data", "target"),
    ArrayNames("data", "labels"),
    ArrayNames("features", "labels"),
)


def array_names(archive: Archive) -> ArrayNames:
    """Return the names of the arrays of rows and labels, those of a published split first.

    Raises
    ------
    InvalidData
        If there are none, or a test split lacks one.
    """
    for names in (*_PUBLISHED, *_WHOLE):
        if not (archive.has_rows(names.X) and names.y in archive):
            continue
        if names.X_test and not (archive.has_rows(names.X_test) and names.y_test in archive):
            raise InvalidData(
                f"{archive.path}: expected arrays {names.X_test} and {names.y_test} beside {names.X}, "
                f"got {archive.listed()}"
            )
        found = tuple(name for name in names.left_out if archive.has_rows(name) or name in archive)
        return ArrayNames(names.X, names.y, names.X_test, names.y_test, found)
    raise InvalidData(
        f"{archive.path}: expected arrays X and y, or X_train, y_train, X_test and y_test, or the parts of sparse X "
        f"(X_data, X_indices, X_indptr, X_shape), or those of Keras or MedMNIST (x_train, train_images), "
        f"got {archive.listed()}"
    )


class Archive:
    """The arrays of an .npz file, each read on access and never unpickled.

    Parameters
    ----------
    source : Path or Content

    Raises
    ------
    InvalidData
        If the file is not an archive of arrays, or is damaged.
    """

    def __init__(self, source: Path | Content) -> None:
        content = source if isinstance(source, Content) else open_content(source)
        self.path = content.name
        self._stored = content.data
        self._limit = inflation_limit(len(content.data))
        try:
            with zipfile.ZipFile(io.BytesIO(self._stored)) as archive:
                members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
        except _DAMAGED:
            raise self._damaged() from None
        # The directory states sizes, so that a bomb is refused before it is inflated.
        if sum(info.file_size for info in members) > self._limit:
            raise InvalidData(too_large(self.path, self._limit))
        times = Counter(info.filename.removesuffix(".npy") for info in members)
        repeated = [name for name, count in times.items() if count > 1]
        if repeated:
            raise InvalidData(f"{self.path}: expected arrays of different names, got {repeated[0]} twice")
        self._sizes = {info.filename.removesuffix(".npy"): info.file_size for info in members}
        self.names = frozenset(times)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> NDArray[Any]:
        try:
            # NumPy warns of headers that Python 2 wrote, and reads them all the same.
            with warnings.catch_warnings(action="ignore", category=UserWarning):
                with zipfile.ZipFile(io.BytesIO(self._stored)) as archive, archive.open(f"{name}.npy") as member:
                    self._check_header(name, member)
                with np.load(io.BytesIO(self._stored), allow_pickle=False) as arrays:
                    values = arrays[name]
        except InvalidData:
            raise
        except (*_DAMAGED, OSError) as error:
            if "pickle" in str(error):
                raise InvalidData(
                    f"{self.path}: array {name}: expected numbers or text, got pickled objects, which are never loaded"
                ) from None
            raise self._damaged() from None
        # NumPy returns the bytes of a member that is not an array, and takes any number for a character.
        if not isinstance(values, np.ndarray) or not _is_text(values):
            raise self._damaged()
        return values

    def _check_header(self, name: str, member: IO[bytes]) -> None:
        """Check that the values which the header of an array states are as many as its bytes hold."""
        version = np.lib.format.read_magic(member)
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(member)
        elif version == (2, 0):
            shape, _, dtype = np.lib.format.read_array_header_2_0(member)
        else:
            raise self._damaged()
        # NumPy reserves memory for what the header states before it reads the first value.
        if not dtype.hasobject and math.prod(shape) * dtype.itemsize != self._sizes[name] - member.tell():
            raise self._damaged()

    def _damaged(self) -> InvalidData:
        return InvalidData(f"{self.path}: expected a complete .npz archive, got one that is damaged or of another kind")

    def has_rows(self, name: str) -> bool:
        """Return True if the archive has features of this name, dense or sparse."""
        return name in self or f"{name}_data" in self

    def listed(self) -> str:
        """Return the names of the arrays, for error messages."""
        return listing(sorted(self.names)) or "no array"


def _is_text(values: NDArray[Any]) -> bool:
    """Return False for an array of texts with numbers that are no characters of Unicode."""
    if values.dtype.kind != "U" or values.size == 0 or values.dtype.itemsize == 0:
        return True
    codes = np.ascontiguousarray(values).reshape(-1).view(np.dtype(np.uint32).newbyteorder(values.dtype.byteorder))
    return not bool(np.any((codes > _LAST_CHARACTER) | ((codes >= _SURROGATES[0]) & (codes <= _SURROGATES[1]))))
