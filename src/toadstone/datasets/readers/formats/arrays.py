"""Reader of NumPy archives: dense rows, images, or the parts of sparse rows.

An archive holds features ``X`` and labels ``y``, or ``X_train``, ``y_train``,
``X_test`` and ``y_test`` if a test split is published. Dense features are
one array: numbers of shape (n, d), or bytes of shape (n, height, width, ...)
for images. Sparse features are ``X_data``, ``X_indices``, ``X_indptr`` and
``X_shape`` (``X_train_data`` and so on for a published split). Column names
are read from ``feature_names`` or ``vocab``; a name whose confidence in
``vocab_score`` is below 0.9 is replaced by its position. Other arrays are
ignored.
"""

from __future__ import annotations

import io
import lzma
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.files import written_aside
from toadstone.core.row_names import RowNames
from toadstone.datasets.preparation.features import ArrayValues, Features, RowScaling, assemble, fit_rows, renamed
from toadstone.datasets.preparation.labels import (
    as_labels,
    check_test_labels,
    listing,
    rows_of_classes,
)
from toadstone.datasets.readers.aside import rows_to_judge
from toadstone.datasets.readers.content import Content, inflation_limit, open_content, too_large
from toadstone.datasets.readers.formats.sparse_parts import PARTS, matrix_parts, sparse_matrix
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import Split, stratified_rows

Arrays: TypeAlias = Mapping[str, NDArray[Any]]

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

_NAMES = ("feature_names", "vocab")
_SCORE = "vocab_score"
_CONFIDENT = 0.9
_LARGEST = 1e100
_LAST_CHARACTER, _SURROGATES = 0x10FFFF, (0xD800, 0xDFFF)


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
                sizes = {info.filename: info.file_size for info in archive.infolist()}
        except _DAMAGED:
            raise self._damaged() from None
        self._sizes = {name.removesuffix(".npy"): size for name, size in sizes.items() if name.endswith(".npy")}
        self.names = frozenset(self._sizes)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> NDArray[Any]:
        # The directory states sizes, so that a bomb is refused before it is inflated.
        if self._sizes.get(name, 0) > self._limit:
            raise InvalidData(too_large(f"{self.path}: array {name}", self._limit))
        try:
            with (
                np.load(io.BytesIO(self._stored), allow_pickle=False) as archive,
                # Of headers that Python 2 wrote, which are read all the same.
                warnings.catch_warnings(action="ignore", category=UserWarning),
            ):
                values = archive[name]
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


@dataclass(frozen=True, eq=False)
class ArchiveReader:
    """Preparation of the rows of other archives as those of a split were.

    Parameters
    ----------
    scaling : RowScaling
    shape : tuple of int
        Of one row before preparation.
    request : Request
    """

    scaling: RowScaling
    shape: tuple[int, ...]
    request: Request

    def encode(self, content: Content) -> tuple[Matrix, Labels]:
        """Return features and labels of the training rows of another archive.

        Raises
        ------
        InvalidData
            If it holds no rows, or rows of another shape.
        """
        archive = Archive(content)
        names = train_names(archive)
        part = _part(archive, names)
        part = part.take(rows_of_classes(part.y, self.request.classes, f"{content.name}: {names[1]}"))
        check_shape(part.X.shape[1:], self.shape, content.name)
        return self.scaling.apply(part.X), part.y


@dataclass(frozen=True, eq=False)
class Part:
    """Rows of one part of an archive.

    Parameters
    ----------
    X : ndarray or CSR
    y : ndarray of shape (n,)
    ids : ndarray of int
        Position of each row in the archive.
    """

    X: Matrix
    y: Labels
    ids: IntArray

    def take(self, rows: IntArray) -> Part:
        """Return the given rows."""
        return Part(self.X[rows], self.y[rows], self.ids[rows])


def read_split(source: Path | Content, request: Request) -> Split:
    """Read an .npz archive, without the way back to its rows; see `read`."""
    return read(source if isinstance(source, Content) else open_content(source), request)[0]


def read(content: Content, request: Request) -> tuple[Split, ArchiveReader]:
    """Read an .npz archive.

    Raises
    ------
    InvalidArgument, InvalidData
        As `toadstone.datasets.read`.
    """
    request.refuse_columns("an .npz archive")
    archive, what = Archive(content), content.name
    train_of, test_of = train_names(archive), test_names(archive)
    train = _part(archive, train_of)
    raw = train.X
    rows, aside = rows_to_judge(train.ids, train.y, f"{what}: {train_of[1]}", request)
    train = train.take(rows) if aside else train
    if test_of is None:
        parts = stratified_rows(train.y, share=request.test_share, random_state=request.random_state)
        train, test = (train.take(rows) for rows in parts)
        origin = request.test_origin
    else:
        test, origin = _part(archive, test_of), "test split of the file"
        test = test.take(np.flatnonzero(~np.isin(test.y.astype(np.str_), [one.label for one in aside])))
        check_test_labels(train.y, test.y, f"{what}: {test_of[1]}")
        check_shape(test.X.shape[1:], train.X.shape[1:], what)
    scaling = fit_rows(train.X, request.scale, what)
    features = Features(scaling.apply(train.X), scaling.apply(test.X), scaling.preparation, domain=scaling.domain)
    split = assemble(content.short_name(), features, (train.y, test.y), (train.ids, test.ids), origin)
    names = _column_names(archive, split.train.n_features)
    split = replace(renamed(split, names), aside=aside, raw=ArrayValues(raw, names), row_names=RowNames("row"))
    return split, ArchiveReader(scaling, tuple(train.X.shape[1:]), request)


def train_names(archive: Archive) -> tuple[str, str]:
    """Return the names of the arrays of training rows and labels.

    Raises
    ------
    InvalidData
        If there are none.
    """
    for X, y in (("X_train", "y_train"), ("X", "y")):
        if archive.has_rows(X) and y in archive:
            return X, y
    raise InvalidData(
        f"{archive.path}: expected arrays X and y, or X_train, y_train, X_test and y_test, or the parts of sparse X "
        f"(X_data, X_indices, X_indptr, X_shape), got {archive.listed()}"
    )


def test_names(archive: Archive) -> tuple[str, str] | None:
    """Return the names of the arrays of published test rows and labels, or None if there are none."""
    train, _ = train_names(archive)
    if not train.endswith("_train"):
        return None
    X, y = "X_test", "y_test"
    if not (archive.has_rows(X) and y in archive):
        raise InvalidData(f"{archive.path}: expected arrays {X} and {y} beside {train}, got {archive.listed()}")
    return X, y


def check_shape(found: tuple[int, ...], expected: tuple[int, ...], what: str) -> None:
    """Check that rows have the same shape.

    Raises
    ------
    InvalidData
        If not.
    """
    if found != expected:
        raise InvalidData(f"{what}: expected rows of shape {expected}, got {found}")


def _part(archive: Archive, names: tuple[str, str]) -> Part:
    """Return rows, labels and row numbers of one part."""
    what = f"{archive.path}: {names[1]}"
    y = as_labels(archive[names[1]], what)
    X = _rows(archive, names[0])
    if X.shape[0] != len(y):
        raise InvalidData(f"{what}: expected one label for each of {X.shape[0]} rows, got {len(y)}")
    return Part(X, y, np.arange(len(y)))


def _rows(archive: Archive, name: str) -> Matrix:
    what = f"{archive.path}: {name}"
    if name not in archive:
        return sparse_matrix(archive, name, what)
    X = archive[name]
    if X.dtype.kind not in "biuf":
        raise InvalidData(f"{what}: expected numbers, got values of type {X.dtype}")
    if X.ndim != 2 and not (X.ndim > 2 and X.dtype == np.uint8):
        raise InvalidData(
            f"{what}: expected rows of shape (n, d) or images of bytes, got {X.dtype} values of shape {X.shape}"
        )
    check_numbers(X, what)
    return X


def check_numbers(X: NDArray[Any], what: str) -> None:
    """Check that numbers are finite, and whole ones such that a float holds them exactly.

    Raises
    ------
    InvalidData
        If not; the sentence names the row, from 1, and the column.
    """
    if X.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            bad, expected = ~(np.abs(X.astype(np.float64)) <= _LARGEST), f"finite numbers up to {_LARGEST:g}"
    elif X.dtype.itemsize == 8:
        # Compared as whole numbers: the float of 2**53 + 1 is 2**53.
        bad, expected = X > 2**53, "whole numbers up to 2**53, which a float holds exactly"
        bad |= False if X.dtype.kind == "u" else X < -(2**53)
    else:
        return
    if bad.any():
        place = tuple(int(position) for position in np.argwhere(bad)[0])
        way_out = "; a table (.csv, .parquet) may have missing values" if X.dtype.kind == "f" else ""
        raise InvalidData(
            f"{what}: expected {expected}, got {X[place]} in row {place[0] + 1}, column {place[1]}{way_out}"
        )


def _column_names(archive: Archive, d: int) -> tuple[str, ...] | None:
    """Return the column names, or None if there is not one for each column; stored as text or as UTF-8 lines."""
    for key in _NAMES:
        if key not in archive:
            continue
        stored = archive[key]
        if stored.dtype == np.uint8 and stored.ndim == 1:
            names = stored.tobytes().decode("utf-8", errors="replace").split("\n")
        else:
            names = stored.tolist() if stored.dtype.kind == "U" and stored.ndim == 1 else []
        if len(names) == d:
            confident = archive[_SCORE] >= _CONFIDENT if _SCORE in archive else np.ones(d, dtype=bool)
            return tuple(
                name if name and known else f"column {position}"
                for position, (name, known) in enumerate(zip(names, confident, strict=True))
            )
    return None


def write_rows(content: Content, rows: IntArray, request: Request) -> bytes:
    """Return an archive with the given training rows only, in file order.

    The test split and the column names are copied. Other arrays are kept if
    they have one entry for each row, or belong to the test split.

    Raises
    ------
    InvalidArgument
        If a row does not exist.
    """
    archive = Archive(content)
    names = train_names(archive)
    n = len(archive[names[1]])
    if rows.max(initial=-1) >= n:
        raise InvalidArgument("rows", f"row numbers below {n}", int(rows.max()))
    stream = io.BytesIO()
    _write(stream, _kept_arrays(archive, names[0], rows, n))
    return stream.getvalue()


def _kept_arrays(archive: Archive, X: str, rows: IntArray, n: int) -> dict[str, NDArray[Any]]:
    kept: dict[str, NDArray[Any]] = {}
    parts: tuple[str, ...] = ()
    if X not in archive:
        parts = tuple(f"{X}_{part}" for part in PARTS)
        matrix = sparse_matrix(archive, X, f"{archive.path}: {X}")[rows]
        widths = {part: archive[f"{X}_{part}"].dtype for part in ("data", "indices", "indptr")}
        kept.update(matrix_parts(X, matrix, widths))
    suffix = "_train" if X.endswith("_train") else ""
    for name in sorted(archive.names.difference(parts)):
        values = archive[name]
        if name in (*_NAMES, _SCORE) or name.startswith(("X_test", "X_val")) or name.endswith(("_test", "_val")):
            kept[name] = values
        elif name.endswith(suffix) and values.ndim > 0 and len(values) == n:
            kept[name] = values[rows]
    return kept


def save(destination: Path, arrays: Arrays) -> None:
    """Write arrays as a compressed .npz archive; an existing file is replaced once the new one is complete."""
    with written_aside(destination) as stream:
        _write(stream, arrays)


def _write(stream: BinaryIO, arrays: Arrays) -> None:
    # `numpy.savez` takes no array named "file" or "allow_pickle", since names are its keyword arguments.
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in arrays.items():
            # With a fixed time, the same rows give the same bytes.
            info = zipfile.ZipInfo(f"{name}.npy")
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, values, allow_pickle=False)
