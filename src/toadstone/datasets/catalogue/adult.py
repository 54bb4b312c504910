"""Reader of the UCI Adult data: six numbers and eight categories for each person."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from toadstone.core.arrays import IntArray
from toadstone.core.errors import InvalidData
from toadstone.core.row_names import RowNames
from toadstone.datasets.preparation.conversion import ColumnType, Origin
from toadstone.datasets.preparation.encoding import TableValues
from toadstone.datasets.preparation.features import Features, assemble
from toadstone.datasets.preparation.labels import as_labels, check_classes, check_test_labels
from toadstone.datasets.preparation.row_by_row import fit_or_encode
from toadstone.datasets.readers.formats.archive import Archive
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import Split

_PARTS = ("train", "test")


def read(path: Path, request: Request) -> Split:
    """Read numbers and category codes; "?", a missing answer, is a category of its own.

    A category that the request names as the group is no feature.

    Expects ``numeric_names``, ``category_names``, and for each part
    ``numeric_<part>``, ``y_<part>``, and ``<category>_<part>`` as codes into
    ``levels_<category>``.

    Raises
    ------
    InvalidData
        If an array is missing or does not fit the others.
    """
    archive = Archive(path)
    labels = [as_labels(_array(archive, f"y_{part}"), f"{path}: y_{part}") for part in _PARTS]
    check_classes(labels[0], f"{path}: y_train")
    check_test_labels(labels[0], labels[1], f"{path}: y_test")
    ids = (np.arange(len(labels[0])), np.arange(len(labels[1])))
    rows: tuple[IntArray, IntArray] = (ids[0], len(ids[0]) + ids[1])
    table = _table(archive, len(ids[0]) + len(ids[1]))
    kinds = {name: "category" if pa.types.is_dictionary(table[name].type) else "number" for name in table.column_names}
    types = tuple(ColumnType(name, kind) for name, kind in kinds.items() if name != request.group)
    origin = Origin(str(path), RowNames("row"))
    encoding, X, unscaled = fit_or_encode(table, rows[0], types, replace(request, scale="standard", group=None), origin)
    features = Features(X[rows[0]], X[rows[1]], encoding.summary, encoding.names, "real")
    split = assemble(path.name, features, (labels[0], labels[1]), ids, "published test split")
    return replace(
        split,
        raw=TableValues(table, encoding.sources),
        columns=encoding.columns,
        unscaled=unscaled,
    )


def _array(archive: Archive, name: str) -> np.ndarray:
    if name not in archive:
        raise InvalidData(f"{archive.path}: expected an array {name}, got none")
    return archive[name]


def _table(archive: Archive, n: int) -> pa.Table:
    numbers = np.concatenate([_array(archive, f"numeric_{part}") for part in _PARTS])
    columns = {str(name): pa.array(numbers[:, j]) for j, name in enumerate(_array(archive, "numeric_names"))}
    for name in map(str, _array(archive, "category_names")):
        codes = np.concatenate([_array(archive, f"{name}_{part}") for part in _PARTS]).astype(np.int32)
        levels = _array(archive, f"levels_{name}")
        if codes.min() < 0 or codes.max() >= len(levels):
            raise InvalidData(f"{archive.path}: {name}: expected codes below {len(levels)}, got {codes.max()}")
        columns[name] = pa.DictionaryArray.from_arrays(codes, pa.array(levels.tolist()))
    for name, column in columns.items():
        if len(column) != n:
            raise InvalidData(f"{archive.path}: expected {n} values of {name} as there are labels, got {len(column)}")
    return pa.table(columns)
