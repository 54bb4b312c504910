"""Reader of SVMlight (LIBSVM) files: a label, then ``column:value`` pairs."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array
from sklearn.datasets import load_svmlight_file, load_svmlight_files

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.files import written_aside
from toadstone.datasets.preparation.features import assemble, scaled_rows
from toadstone.datasets.preparation.labels import as_labels, check_classes, rows_of_classes
from toadstone.datasets.readers.files import unreadable
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import Split, stratified_rows


def read(path: Path, request: Request) -> Split:
    """Read an SVMlight file as sparse rows; columns are counted from 1 unless a 0 occurs.

    Raises
    ------
    InvalidArgument, InvalidData
        As `toadstone.datasets.read`.
    """
    request.refuse_columns("an SVMlight file")
    X, raw = _load(path)
    y = as_labels(raw, f"{path}: labels")
    kept = rows_of_classes(y, request.classes, f"{path}: labels")
    X, y = X[kept], y[kept]
    check_classes(y, f"{path}: labels")
    train, test = stratified_rows(y, share=request.test_share, random_state=request.random_state)
    features = scaled_rows(X[train], X[test], request.scale, str(path))
    return assemble(path.name, features, (y[train], y[test]), (kept[train], kept[test]), request.test_origin)


def read_prepared_like(path: Path, other: Path, row_ids: IntArray, request: Request) -> tuple[Matrix, Labels]:
    """Read another file of the same columns, with the preparation fitted on some rows of this one.

    Raises
    ------
    InvalidArgument, InvalidData
        As `toadstone.datasets.read`.
    """
    _load(other)
    # Read together, so that both files count their columns from the same number.
    fitted_on, _, added, raw = load_svmlight_files([str(path), str(other)], dtype=np.float64, zero_based="auto")
    y = as_labels(raw, f"{other}: labels")
    kept = rows_of_classes(y, request.classes, f"{other}: labels")
    features = scaled_rows(csr_array(fitted_on)[row_ids], csr_array(added)[kept], request.scale, str(other))
    return features.test, y[kept]


def write_rows(path: Path, rows: IntArray, destination: Path) -> None:
    """Write the given rows, character for character, in file order; comment lines are left out.

    Raises
    ------
    InvalidArgument
        If a row does not exist.
    """
    wanted = set(rows.tolist())
    number = -1
    with path.open("rb") as source, written_aside(destination) as stream:
        for line in source:
            if not line.split(b"#", 1)[0].strip():
                continue
            number += 1
            if number in wanted:
                stream.write(line)
        if wanted and max(wanted) > number:
            raise InvalidArgument("rows", f"row numbers below {number + 1}", max(wanted))


def _load(path: Path) -> tuple[Matrix, Labels]:
    try:
        X, y = load_svmlight_file(str(path), dtype=np.float64, zero_based="auto")
    except OSError as error:
        raise unreadable(path, error) from None
    except (ValueError, OverflowError, IndexError, TypeError, MemoryError):
        raise _malformed(path) from None
    if X.shape[0] == 0:
        raise InvalidData(f"{path}: expected lines such as '+1 3:1 7:2.5', got none")
    if not (np.isfinite(X.data).all() and np.isfinite(y).all()):
        raise _malformed(path)
    return csr_array(X), y


def _malformed(path: Path) -> InvalidData:
    expected = f"{path}: expected lines such as '+1 3:1 7:2.5' with ascending column numbers"
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if not _is_well_formed(line):
                return InvalidData(f"{expected}, got in line {number}: {line.strip()[:60]!r}")
    return InvalidData(f"{expected}, got others")


def _is_well_formed(line: str) -> bool:
    tokens = line.split("#", 1)[0].split()
    last = -1
    try:
        if tokens and not math.isfinite(float(tokens[0])):
            return False
        for token in tokens[1:]:
            column, _, value = token.partition(":")
            if column == "qid":
                continue
            if not (last < int(column) < 2**31 and math.isfinite(float(value))):
                return False
            last = int(column)
    except ValueError:
        return False
    return True
