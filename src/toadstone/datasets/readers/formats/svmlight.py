"""Reader of SVMlight (LIBSVM) files: a label, then ``column:value`` pairs."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from sklearn.datasets import load_svmlight_file

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.core.checks import quoted
from toadstone.core.errors import InvalidData
from toadstone.core.row_names import RowNames
from toadstone.datasets.preparation.features import RowScaling, check_width
from toadstone.datasets.preparation.labels import rows_of_classes
from toadstone.datasets.readers.aside import labels_of
from toadstone.datasets.readers.content import Content
from toadstone.datasets.readers.files import check_rows
from toadstone.datasets.readers.formats.plain_text import joined
from toadstone.datasets.readers.matrices import split_matrix
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import Split


@dataclass(frozen=True, eq=False)
class SparseReader:
    """Preparation of the rows of other files as those of a split were.

    Parameters
    ----------
    first_column : int
        Number of the first column in the file, 0 or 1.
    columns : int
    scaling : RowScaling
    request : Request
    """

    first_column: int
    columns: int
    scaling: RowScaling
    request: Request

    def encode(self, content: Content) -> tuple[Matrix, Labels]:
        """Return features and labels of another file, whose columns count from the same number.

        Raises
        ------
        InvalidData
            If it has other columns.
        """
        X, raw = _load(content)
        if X.shape[1] > self.columns + self.first_column:
            got = f"column {X.shape[1] - 1}"
            raise InvalidData(
                f"{content.name}: expected columns up to {self.columns + self.first_column - 1}, got {got}"
            )
        X.resize((X.shape[0], self.columns + self.first_column))
        y = labels_of(raw, f"{content.name}: labels", self.request)
        kept = rows_of_classes(y, self.request.classes, f"{content.name}: labels")
        return self.scaling.apply(X[:, self.first_column :][kept]), y[kept]


def read(content: Content, request: Request) -> tuple[Split, SparseReader]:
    """Read an SVMlight file as sparse rows; columns are counted from 1 unless a 0 occurs.

    Raises
    ------
    InvalidArgument, InvalidData
        As `toadstone.datasets.read`.
    """
    request.refuse_columns("an SVMlight file")
    what = f"{content.name}: labels"
    X, raw = _load(content)
    first_column = 1 if X.nnz and X.indices.min() > 0 else 0
    X = X[:, first_column:]
    y = labels_of(raw, what, request)
    rows = RowNames("line", names=_lines(content))
    split, scaling = split_matrix(X, y, request, name=content.short_name(), source=content.name, labels=what, rows=rows)
    return split, SparseReader(first_column, X.shape[1], scaling, request)


def write_rows(content: Content, rows: IntArray, request: Request) -> bytes:
    """Return the given rows, character for character, in file order; comment lines are left out.

    Raises
    ------
    InvalidArgument
        If a row does not exist.
    """
    lines = [line for line in content.data.splitlines(keepends=True) if _holds_row(line)]
    check_rows(rows, len(lines))
    return joined([lines[row] for row in rows.tolist()])


def _holds_row(line: bytes) -> bool:
    return bool(line.split(b"#", 1)[0].strip())


def _lines(content: Content) -> IntArray:
    lines = content.data.splitlines()
    return np.array([number for number, line in enumerate(lines, start=1) if _holds_row(line)])


def _load(content: Content) -> tuple[Matrix, Labels]:
    """Return rows with columns as the file counts them, and labels."""
    try:
        X, y = load_svmlight_file(io.BytesIO(content.data), dtype=np.float64, zero_based=True)
    except (ValueError, OverflowError, IndexError, TypeError, MemoryError):
        raise _malformed(content) from None
    if X.shape[0] == 0:
        raise InvalidData(f"{content.name}: expected lines such as '+1 3:1 7:2.5', got none")
    if not (np.isfinite(X.data).all() and np.isfinite(y).all()):
        raise _malformed(content)
    if len(_lines(content)) != X.shape[0]:
        raise _malformed(content)
    check_width(X.shape[1], X.nnz, f"{content.name}: the largest column number")
    return csr_array(X), y


def _malformed(content: Content) -> InvalidData:
    expected = f"{content.name}: expected lines such as '+1 3:1 7:2.5' with ascending column numbers"
    for number, raw in enumerate(content.data.splitlines(), start=1):
        line = raw.decode("utf-8", errors="replace")
        label = line.split("#", 1)[0].split()[:1]
        if label and "," in label[0]:
            return InvalidData(
                f"{content.name}: expected one label a row, got {quoted(label[0])} in line {number}: several labels "
                "a row cannot be used"
            )
        if not _is_well_formed(line):
            return InvalidData(f"{expected}, got in line {number}: {quoted(line.strip())}")
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
