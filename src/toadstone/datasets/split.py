"""Training and test set of a data set, random hold-out, and the digest of a data set."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from scipy.sparse import issparse

from toadstone.core.arrays import Array, IntArray, Labels, Matrix
from toadstone.core.certificate import DIGEST_LABEL
from toadstone.core.checks import check_count, check_within
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidData
from toadstone.core.row_names import RowNames
from toadstone.kernels.rows import stack
from toadstone.records.header import ColumnSummary

_CHUNK = 1 << 20


class RawValues(Protocol):
    """Values of a source as they stand in it, before preparation."""

    def describe(self, position: int, features: Sequence[int]) -> str:
        """Name the values that prepared features of a row come from: "age 71, sex male".

        Parameters
        ----------
        position : int
            Row of the source, from 0.
        features : sequence of int
            Prepared columns, the most telling first.
        """

    def column(self, feature: int) -> str:
        """Name the column of the source that a prepared feature comes from."""

    def values(self, positions: Sequence[int], feature: int) -> list[str]:
        """Show the values of some rows in the column that a prepared feature comes from."""

    def cells(self, column: str) -> list[Any] | None:
        """Return all values of a column of the source, used as a feature or not; None where there is no such column."""

    def days(self, column: str) -> Array | None:
        """Read a column of dates as features are read, as days, not a number where missing; None for other columns."""


@dataclass(frozen=True)
class RowAside:
    """A row of a source that is neither judged nor removed, or was dropped on request.

    Parameters
    ----------
    position : int
        Row of the source, from 0.
    label : str
        As it stands there; empty where it has none.
    reason : str
        Reason in words, such as "no label".
    dropped : bool
        True if the caller asked to drop it; otherwise it is kept.
    """

    position: int
    label: str
    reason: str
    dropped: bool = False


@dataclass(frozen=True)
class Unscaled:
    """Columns that a request left as they stand, to be scaled by whoever knows on which rows.

    Parameters
    ----------
    numbers : int
        The first so many columns are numbers; others are levels, words and
        marks, of which most may be zero.
    scale : {"auto", "standard", "none"}
        As the caller asked for.
    counts : bool
        True if numbers may be counts: there is no other kind of column.
    """

    numbers: int
    scale: str = "auto"
    counts: bool = False


@dataclass(frozen=True, eq=False)
class Split:
    """Training and test set, prepared, with a description of both.

    Parameters
    ----------
    name : str
        Name of the file or the catalogue entry.
    train, test : Dataset
        Over the same columns.
    preparation : str
        Preparation of the features, in words.
    test_origin : str
        Source of the test rows, in words.
    domain : str, optional
        ``"real"``, ``"box"`` or ``"integer"`` if the source determines it.
    row_names : RowNames
        Name of each row of the source, by its row id.
    raw : RawValues, optional
        Values as they stand in the source.
    aside : tuple of RowAside
        Rows of the source that are in neither part.
    columns : tuple of ColumnSummary
        One for each column of a table, but the label; empty for arrays.
    notes : tuple of str
        Sentences on how the source was read, for the user.
    image : tuple of int, optional
        Shape of one row as it stands in the source, where rows are images.
    target : str
        Name of the numeric target; empty where labels are classes.
    unscaled : Unscaled, optional
        Where rows were encoded one by one, so that scaling is left open.
    """

    name: str
    train: Dataset
    test: Dataset
    preparation: str
    test_origin: str
    domain: str | None = None
    row_names: RowNames = field(default_factory=RowNames)
    raw: RawValues | None = None
    aside: tuple[RowAside, ...] = ()
    columns: tuple[ColumnSummary, ...] = ()
    notes: tuple[str, ...] = ()
    image: tuple[int, ...] | None = None
    target: str = ""
    unscaled: Unscaled | None = None

    def whole(self) -> Dataset:
        """Return all rows of the source in file order, held-out test rows included.

        If the source publishes its own test rows, return the training rows only.
        """
        if self.train.row_ids is None or self.test.row_ids is None or "held out at random" not in self.test_origin:
            return self.train
        ids = np.concatenate([self.train.row_ids, self.test.row_ids])
        rows = Dataset(
            stack([self.train.X, self.test.X]),
            np.concatenate([self.train.y, self.test.y]),
            self.train.feature_names,
            ids,
        )
        return rows.take(np.argsort(ids, kind="stable"))


def hold_out(dataset: Dataset, *, share: float = 0.2, random_state: int = 0) -> tuple[Dataset, Dataset]:
    """Hold out the same share of every class as a test set.

    Parameters
    ----------
    dataset : Dataset
    share : float
        Share of each class, in (0, 1); rounded to whole rows, at least one.
    random_state : int
        Seed.

    Returns
    -------
    train, test : Dataset
        In the order of `dataset`, with its row ids.

    Raises
    ------
    InvalidArgument
        If the share or the seed is out of range.
    InvalidData
        If a class has a single row.

    Examples
    --------
    >>> data = Dataset(np.arange(10.0)[:, None], [0] * 5 + [1] * 5)
    >>> train, test = hold_out(data, share=0.2)
    >>> len(train), test.y.tolist()
    (8, [0, 1])
    """
    train, test = stratified_rows(dataset.y, share=share, random_state=random_state)
    return dataset.take(train), dataset.take(test)


def stratified_rows(y: Labels, *, share: float, random_state: int) -> tuple[IntArray, IntArray]:
    """Return the positions of the training rows and of the held-out rows, ascending.

    Every row draws a random number, class by class in sorted order. The rows
    with the smallest numbers of their class are held out. Errors are those of
    `hold_out`.
    """
    check_within("(0, 1)", share=share)
    check_count(0, random_state=random_state)
    rng = np.random.default_rng(random_state)
    held = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        if len(rows) < 2:
            raise InvalidData(f"class {label}: expected at least 2 rows to hold one out, got 1")
        # Round half up: the built-in `round` goes to the nearest even number.
        count = min(max(math.floor(share * len(rows) + 0.5), 1), len(rows) - 1)
        held[rows[np.argsort(rng.random(len(rows)), kind="stable")[:count]]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def describe_hold_out(share: float, random_state: int) -> str:
    """Describe the choice of test rows by `hold_out` in words."""
    return f"{100 * share:g} % held out at random, stratified, seed {random_state}"


def sha256(dataset: Dataset, *, label: str = DIGEST_LABEL) -> str:
    """Return the SHA-256 digest of the features and labels of a dataset.

    It depends only on the values and their order: not on memory layout,
    integer width, byte order or stored zeros of a sparse matrix, and not on
    names or row ids. A dense matrix and the equal sparse matrix have
    different digests.

    Parameters
    ----------
    dataset : Dataset
    label : str
        First word of the hashed header. Certificates written before the
        project was renamed have another one, `Certificate.digest_label`.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> sha256(Dataset([[0.0, 1.0], [2.0, 0.0]], [0, 1]))[:16]
    '00aba2295aec0836'
    """
    digest = hashlib.sha256()
    X = dataset.X
    form = "csr" if issparse(X) else "dense"
    digest.update(f"{label} dataset 1 {form} {X.shape[0]} {X.shape[1]}\n".encode())
    if issparse(X):
        _feed_sparse(digest, X)
    else:
        _feed(digest, X, "<f8")
    _feed_labels(digest, dataset.y)
    return digest.hexdigest()


def _feed_sparse(digest: Any, X: Matrix) -> None:
    if not np.all(X.data):
        X = X.copy()
        X.eliminate_zeros()
    _feed(digest, X.indptr, "<i8")
    _feed(digest, X.indices, "<i8")
    _feed(digest, X.data, "<f8")


def _feed_labels(digest: Any, y: Labels) -> None:
    kinds = {"b": ("boolean", "<i8"), "i": ("whole", "<i8"), "u": ("whole", "<i8"), "f": ("float", "<f8")}
    if y.dtype.kind in kinds:
        kind, width = kinds[y.dtype.kind]
        digest.update(f"labels {kind}\n".encode())
        _feed(digest, y, width)
        return
    digest.update(b"labels text\n")
    for label in y.tolist():
        raw = label if isinstance(label, bytes) else label.encode()
        digest.update(b"%d:" % len(raw) + raw)


def _feed(digest: Any, values: Any, width: str) -> None:
    """Hash an array in the given byte order and width, a chunk at a time."""
    step = max(1, _CHUNK // max(1, math.prod(values.shape[1:])))
    for start in range(0, len(values), step):
        chunk = np.ascontiguousarray(values[start : start + step], dtype=width)
        # Adding zero turns -0.0, which equals 0.0, into the same bytes.
        digest.update(chunk + chunk.dtype.type(0))
