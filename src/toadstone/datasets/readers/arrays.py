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

import lzma
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.files import written_aside
from toadstone.datasets.preparation.features import Features, assemble, pixels, renamed, scaled_rows
from toadstone.datasets.preparation.labels import as_labels, check_classes, check_test_labels, listing, rows_of_classes
from toadstone.datasets.readers.files import unreadable
from toadstone.datasets.readers.request import Request
from toadstone.datasets.readers.sparse_parts import PARTS, matrix_parts, sparse_matrix
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
)
"""Exceptions of NumPy and the standard library on a damaged archive."""

_NAMES = ("feature_names", "vocab")
_SCORE = "vocab_score"
_CONFIDENT = 0.9


class Archive:
    """The arrays of an .npz file, each read on access and never unpickled.

    Parameters
    ----------
    path : Path

    Raises
    ------
    InvalidData
        If the file is not an archive of arrays, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                self.names = frozenset(
                    name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")
                )
        except OSError as error:
            raise unreadable(path, error) from None
        except _DAMAGED:
            raise self._damaged() from None

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> NDArray[Any]:
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                values = archive[name]
        except (*_DAMAGED, OSError) as error:
            if "pickle" in str(error):
                raise InvalidData(
                    f"{self.path}: array {name}: expected numbers or text, got pickled objects, which are never loaded"
                ) from None
            raise self._damaged() from None
        if not isinstance(values, np.ndarray):  # NumPy returns the bytes of a member that is not an array.
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


def read(path: Path, request: Request) -> Split:
    """Read an .npz archive.

    Raises
    ------
    InvalidArgument, InvalidData
        As `toadstone.datasets.read`.
    """
    request.refuse_columns("an .npz archive")
    archive = Archive(path)
    published = archive.has_rows("X_train")
    suffixes = ("_train", "_test") if published else ("",)
    if not all(archive.has_rows(f"X{suffix}") and f"y{suffix}" in archive for suffix in suffixes):
        raise InvalidData(
            f"{path}: expected arrays X and y, or X_train, y_train, X_test and y_test, or the parts of sparse X "
            f"(X_data, X_indices, X_indptr, X_shape), got {archive.listed()}"
        )
    parts = [_part(archive, suffix, request) for suffix in suffixes]
    split = _published(path, parts, request) if published else _held_out(path, parts[0], request)
    return renamed(split, _column_names(archive, split.train.n_features))


def read_prepared_like(path: Path, other: Path, row_ids: IntArray, request: Request) -> tuple[Matrix, Labels]:
    """Read ``X`` and ``y`` of another archive, with the preparation fitted on some rows of this one.

    Raises
    ------
    InvalidArgument, InvalidData
        As `toadstone.datasets.read`.
    """
    archive, added = Archive(path), Archive(other)
    if not (added.has_rows("X") and "y" in added):
        raise InvalidData(f"{other}: expected arrays X and y, got {added.listed()}")
    X, y, _ = _part(added, "", request)
    fitted_on = _rows(archive, "X_train" if archive.has_rows("X_train") else "X")[row_ids]
    return _prepared(fitted_on, X, request, str(other)).test, y


def _part(archive: Archive, suffix: str, request: Request) -> tuple[Matrix, Labels, IntArray]:
    """Return rows, labels and row numbers of one part, restricted to the requested classes."""
    what = f"{archive.path}: y{suffix}"
    y = as_labels(archive[f"y{suffix}"], what)
    X = _rows(archive, f"X{suffix}")
    if X.shape[0] != len(y):
        raise InvalidData(f"{what}: expected one label for each of {X.shape[0]} rows, got {len(y)}")
    kept = rows_of_classes(y, request.classes, what)
    return (X, y, kept) if len(kept) == len(y) else (X[kept], y[kept], kept)


def _rows(archive: Archive, name: str) -> Matrix:
    if name not in archive:
        return sparse_matrix(archive, name, f"{archive.path}: {name}")
    X = archive[name]
    if X.dtype.kind not in "biuf":
        raise InvalidData(f"{archive.path}: {name}: expected numbers, got values of type {X.dtype}")
    if X.ndim != 2 and not (X.ndim > 2 and X.dtype == np.uint8):
        raise InvalidData(
            f"{archive.path}: {name}: expected rows of shape (n, d) or images of bytes, "
            f"got {X.dtype} values of shape {X.shape}"
        )
    if X.dtype.kind == "f" and not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise InvalidData(f"{archive.path}: {name}: expected finite numbers, got {X[row, column]} at [{row}, {column}]")
    return X


def _prepared(train: Matrix, test: Matrix, request: Request, what: str) -> Features:
    if train.shape[1:] != test.shape[1:]:
        raise InvalidData(
            f"{what}: expected training and test rows of one shape, got {train.shape[1:]} and {test.shape[1:]}"
        )
    if train.ndim > 2:
        if request.scale == "standard":
            return scaled_rows(pixels(train), pixels(test), "standard", what)
        return Features(pixels(train), pixels(test), "pixels divided by 255", domain="box")
    if not issparse(train):
        train, test = train.astype(np.float64), test.astype(np.float64)
    return scaled_rows(train, test, request.scale, what)


def _published(path: Path, parts: list[tuple[Matrix, Labels, IntArray]], request: Request) -> Split:
    (X, y, ids), (X_test, y_test, ids_test) = parts
    check_classes(y, f"{path}: y_train")
    check_test_labels(y, y_test, f"{path}: y_test")
    features = _prepared(X, X_test, request, str(path))
    return assemble(path.name, features, (y, y_test), (ids, ids_test), "test split of the file")


def _held_out(path: Path, part: tuple[Matrix, Labels, IntArray], request: Request) -> Split:
    X, y, ids = part
    check_classes(y, f"{path}: y")
    train, test = stratified_rows(y, share=request.test_share, random_state=request.random_state)
    features = _prepared(X[train], X[test], request, str(path))
    return assemble(path.name, features, (y[train], y[test]), (ids[train], ids[test]), request.test_origin)


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


def write_rows(path: Path, rows: IntArray, destination: Path) -> None:
    """Write an archive with the given training rows only, in file order.

    The test split and the column names are copied. Other arrays are kept if
    they have one entry for each row, or belong to the test split.

    Raises
    ------
    InvalidArgument
        If a row does not exist.
    """
    archive = Archive(path)
    suffix = "_train" if archive.has_rows("X_train") else ""
    if not (archive.has_rows(f"X{suffix}") and f"y{suffix}" in archive):
        raise InvalidData(f"{path}: expected arrays X and y, got {archive.listed()}")
    n = len(archive[f"y{suffix}"])
    if rows.max(initial=-1) >= n:
        raise InvalidArgument("rows", f"row numbers below {n}", int(rows.max()))
    save(destination, _kept_arrays(archive, suffix, np.sort(rows), n))


def _kept_arrays(archive: Archive, suffix: str, rows: IntArray, n: int) -> dict[str, NDArray[Any]]:
    X = f"X{suffix}"
    kept: dict[str, NDArray[Any]] = {}
    parts: tuple[str, ...] = ()
    if X not in archive:
        parts = tuple(f"{X}_{part}" for part in PARTS)
        matrix = sparse_matrix(archive, X, f"{archive.path}: {X}")[rows]
        widths = {part: archive[f"{X}_{part}"].dtype for part in ("data", "indices", "indptr")}
        kept.update(matrix_parts(X, matrix, widths))
    for name in sorted(archive.names.difference(parts)):
        values = archive[name]
        if name in (*_NAMES, _SCORE) or name.startswith(("X_test", "X_val")) or name.endswith(("_test", "_val")):
            kept[name] = values
        elif name.endswith(suffix) and values.ndim > 0 and len(values) == n:
            kept[name] = values[rows]
    return kept


def save(destination: Path, arrays: Arrays) -> None:
    """Write arrays as a compressed .npz archive; an existing file is replaced once the new one is complete."""
    # `numpy.savez` takes no array named "file" or "allow_pickle", since names are its keyword arguments.
    with written_aside(destination) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, values, allow_pickle=False)
