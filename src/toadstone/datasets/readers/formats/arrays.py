"""Reader of NumPy archives: dense rows, images, or the parts of sparse rows.

An archive holds features ``X`` and labels ``y``, or ``X_train``, ``y_train``,
``X_test`` and ``y_test`` if a test split is published, or the same under the
names of Keras, MedMNIST and others (`archive.array_names`). Dense features are
one array: numbers of shape (n, d), or bytes of shape (n, height, width, ...)
for images. Sparse features are ``X_data``, ``X_indices``, ``X_indptr`` and
``X_shape`` (``X_train_data`` and so on for a published split). Column names
are read from ``feature_names`` or ``vocab``; a name whose confidence in
``vocab_score`` is below 0.9 is replaced by its position. Other arrays are
ignored.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.core.errors import InvalidData
from toadstone.core.files import written_aside
from toadstone.core.row_names import RowNames
from toadstone.datasets.preparation.exact_numbers import check_numbers
from toadstone.datasets.preparation.features import ArrayValues, Features, RowScaling, assemble, renamed
from toadstone.datasets.preparation.labels import check_test_labels, rows_of_classes
from toadstone.datasets.readers.aside import held_out_rows, labels_of, rows_to_judge
from toadstone.datasets.readers.content import Content, open_content
from toadstone.datasets.readers.files import check_rows
from toadstone.datasets.readers.formats.archive import Archive, ArrayNames, array_names
from toadstone.datasets.readers.formats.sparse_parts import PARTS, matrix_parts, sparse_matrix
from toadstone.datasets.readers.matrices import fit_rows_as_asked
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import Split

Arrays: TypeAlias = Mapping[str, NDArray[Any]]

_NAMES = ("feature_names", "vocab")
_SCORE = "vocab_score"
_CONFIDENT = 0.9
_OF_TRAINING = re.compile(r"(?:^|_)train(?:_|$)")
_OF_OTHERS = re.compile(r"(?:^|_)(?:test|val|valid|validation)(?:_|$)")


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
        names = array_names(archive)
        part = _part(archive, (names.X, names.y), self.request)
        part = part.take(rows_of_classes(part.y, self.request.classes, f"{content.name}: {names.y}"))
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
    names = array_names(archive)
    train = _part(archive, (names.X, names.y), request)
    raw = train.X
    rows, aside = rows_to_judge(train.ids, train.y, f"{what}: {names.y}", request)
    train = train.take(rows) if aside else train
    if names.X_test:
        test, origin = _part(archive, (names.X_test, names.y_test), request), "test split of the file"
        test = test.take(np.flatnonzero(~np.isin(test.y.astype(np.str_), [one.label for one in aside])))
        if not request.regression:
            check_test_labels(train.y, test.y, f"{what}: {names.y_test}")
        check_shape(test.X.shape[1:], train.X.shape[1:], what)
    else:
        parts = held_out_rows(train.y, request)
        train, test = (train.take(rows) for rows in parts)
        origin = request.test_origin
    scaling, unscaled = fit_rows_as_asked(train.X, request, what)
    features = Features(scaling.apply(train.X), scaling.apply(test.X), scaling.preparation, domain=scaling.domain)
    split = assemble(content.short_name(), features, (train.y, test.y), (train.ids, test.ids), origin)
    columns = _column_names(archive, split.train.n_features)
    split = replace(
        renamed(split, columns),
        aside=aside,
        target=request.target,
        raw=ArrayValues(raw, columns),
        row_names=RowNames("row"),
        notes=_notes(names),
        image=tuple(raw.shape[1:]) if raw.ndim > 2 else None,
        unscaled=unscaled,
    )
    return split, ArchiveReader(scaling, tuple(train.X.shape[1:]), request)


def check_shape(found: tuple[int, ...], expected: tuple[int, ...], what: str) -> None:
    """Check that rows have the same shape.

    Raises
    ------
    InvalidData
        If not.
    """
    if found != expected:
        raise InvalidData(f"{what}: expected rows of shape {expected}, got {found}")


def _part(archive: Archive, names: tuple[str, str], request: Request) -> Part:
    """Return rows, labels and row numbers of one part."""
    what = f"{archive.path}: {names[1]}"
    y = labels_of(archive[names[1]], what, request)
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


def _notes(names: ArrayNames) -> tuple[str, ...]:
    """Say which arrays the file calls what, where that is not X and y, and which are not read."""
    notes = []
    if (names.X, names.y) not in (("X", "y"), ("X_train", "y_train")):
        notes.append(f"rows are read from {names.X}, labels from {names.y}")
    if names.left_out:
        notes.append(f"{' and '.join(names.left_out)}, a validation split, is left out of training and test rows")
    return tuple(notes)


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
    names = array_names(archive)
    n = len(archive[names.y])
    check_rows(rows, n)
    stream = io.BytesIO()
    _write(stream, _kept_arrays(archive, names, rows, n))
    return stream.getvalue()


def _kept_arrays(archive: Archive, names: ArrayNames, rows: IntArray, n: int) -> dict[str, NDArray[Any]]:
    kept: dict[str, NDArray[Any]] = {}
    parts: tuple[str, ...] = ()
    if names.X not in archive:
        parts = tuple(f"{names.X}_{part}" for part in PARTS)
        matrix = sparse_matrix(archive, names.X, f"{archive.path}: {names.X}")[rows]
        widths = {part: archive[f"{names.X}_{part}"].dtype for part in ("data", "indices", "indptr")}
        kept.update(matrix_parts(names.X, matrix, widths))
    for name in sorted(archive.names.difference(parts)):
        values = archive[name]
        if name in (*_NAMES, _SCORE) or (_OF_OTHERS.search(name) and name not in (names.X, names.y)):
            kept[name] = values
        elif (not names.X_test or _OF_TRAINING.search(name)) and values.ndim > 0 and len(values) == n:
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
