"""Prepared features, and scaling with the same result on every machine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.sparse import issparse

from toadstone.core.arrays import Array, IntArray, Labels, Matrix
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.preparation.exact_numbers import LARGEST
from toadstone.datasets.split import Split
from toadstone.kernels.rows import fitting_domain

MAX_COLUMNS = 10_000_000
_HASHED, _PER_ENTRY = 1 << 20, 100
_OUTER_SHARE, _DEVIATION_RATIO = 0.005, 10.0
_AS_GIVEN = {"integer": "counts as given", "box": "values within [0, 1] as given", "real": "numbers as given"}


_CHANNELS: Mapping[int, tuple[str, ...]] = {
    1: ("",),
    3: ("red", "green", "blue"),
    4: ("red", "green", "blue", "opacity"),
}
"""Names of the channels of images, by their number."""


@dataclass(frozen=True, eq=False)
class Features:
    """Features of the training and test rows, with a description of their preparation.

    Parameters
    ----------
    train, test : ndarray or CSR
        Over the same columns.
    preparation : str
        Description in words.
    names : tuple of str, optional
        Column names.
    domain : str, optional
        ``"real"``, ``"box"`` or ``"integer"``; None if it is not known.
    """

    train: Matrix
    test: Matrix
    preparation: str
    names: tuple[str, ...] | None = None
    domain: str | None = None


def fit_scaling(X: Array, what: str) -> tuple[Array, Array]:
    """Return the mean and the standard deviation of each column; 1 for a constant column.

    If half a per cent of the values at each end make the deviation more than
    ten times as large, they are left out of both. Otherwise an attacker with
    a single row could scale a column, and all outliers in it, down to nothing.
    Sums are correctly rounded, so that a certificate for these features can
    be verified on any machine.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    what : str
        Source of the numbers, for error messages.

    Returns
    -------
    mean, spread : ndarray of shape (d,)

    Raises
    ------
    InvalidData
        If a number is too large to be squared.
    """
    check_size(X, what)
    mean, spread = np.empty(X.shape[1]), np.empty(X.shape[1])
    for column in range(X.shape[1]):
        mean[column], spread[column] = _moments(X[:, column])
        inner = _moments(_inner(X[:, column]))
        if 0 < inner[1] * _DEVIATION_RATIO < spread[column]:
            mean[column], spread[column] = inner
    constant = X.min(axis=0, initial=np.inf) == X.max(axis=0, initial=-np.inf)
    spread[constant | (spread == 0)] = 1.0
    return mean, spread


def check_size(X: Matrix, what: str) -> None:
    """Check that numbers are small enough for sums of their squares.

    Raises
    ------
    InvalidData
        If one is not.
    """
    values = X.data if issparse(X) else X
    largest = float(np.abs(values).max(initial=0.0))
    if largest > LARGEST:
        raise InvalidData(f"{what}: expected numbers up to {LARGEST:g}, got {largest:g}")


def check_width(columns: int, entries: int, what: str) -> None:
    """Check that the columns of a matrix are in proportion to its entries.

    Text matrices have many columns without an entry, those of hashed words a
    million by default; but a single declared number must not cost time and
    memory for columns that no row uses.

    Raises
    ------
    InvalidData
        If there are more than ten million, or more than 2**20 and more than a
        hundred for each entry.
    """
    most = min(MAX_COLUMNS, max(_HASHED, _PER_ENTRY * entries))
    if columns > most:
        raise InvalidData(
            f"{what}: expected at most {most:,} columns for {entries:,} stored entries, got {columns:,}; "
            "declare a smaller width, or leave out columns that no row uses"
        )


def _stored(X: Matrix) -> int:
    return int(X.nnz) if issparse(X) else int(X.size)


def _moments(values: Array) -> tuple[float, float]:
    mean = math.fsum(values.tolist()) / len(values)
    deviation = values - mean
    return mean, math.sqrt(math.fsum((deviation * deviation).tolist()) / len(values))


def _inner(values: Array) -> Array:
    """Return the values without the outermost half per cent at each end, at least one each; all if there are few."""
    beyond = max(1, int(_OUTER_SHARE * len(values)))
    return values if len(values) <= 2 * beyond else np.sort(values)[beyond:-beyond]


def pixels(images: Matrix) -> Array:
    """Flatten images of bytes into rows of numbers in [0, 1]."""
    rows: Array = images.reshape(len(images), -1) / 255.0
    return rows


@dataclass(frozen=True, eq=False)
class RowScaling:
    """Preparation of the rows of a matrix, fitted on training rows.

    Parameters
    ----------
    preparation : str
        Description in words.
    domain : str, optional
        Of the prepared rows, where it is known.
    image : bool
        True if rows are images of bytes, which become numbers in [0, 1].
    mean, spread : ndarray of shape (d,), optional
        Of standardised columns.
    """

    preparation: str
    domain: str | None = None
    image: bool = False
    mean: Array | None = None
    spread: Array | None = None

    def apply(self, X: Matrix) -> Matrix:
        """Prepare rows."""
        if self.image:
            X = pixels(X)
        elif not issparse(X):
            X = X.astype(np.float64)
        return X if self.mean is None or self.spread is None else (X - self.mean) / self.spread


def fit_rows(train: Matrix, scale: str, what: str) -> RowScaling:
    """Fit the preparation of a matrix: standardise if `scale` is "standard", else leave its rows unchanged.

    Parameters
    ----------
    train : ndarray or CSR
        Rows, or images of bytes of shape (n, height, width, ...).
    scale : {"auto", "standard", "none"}
    what : str
        Source of the rows, for error messages.

    Raises
    ------
    InvalidArgument
        If sparse rows are to be standardised, which would make them dense.
    """
    image = train.ndim > 2
    if scale != "standard":
        if image:
            return RowScaling("pixels divided by 255", "box", image=True)
        return RowScaling(_AS_GIVEN[fitting_domain(train)])
    if issparse(train):
        raise InvalidArgument("scale", f"'auto' or 'none' for the sparse rows of {what}", "'standard'")
    mean, spread = fit_scaling(pixels(train) if image else train.astype(np.float64), what)
    return RowScaling(f"{count(len(mean), 'number')} standardised", image=image, mean=mean, spread=spread)


@dataclass(frozen=True, eq=False)
class ArrayValues:
    """Values of a matrix as they stand in the source; see `toadstone.datasets.split.RawValues`.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    names : tuple of str, optional
        Of the columns.
    beside : mapping from str to sequence of length n
        Columns that are no features, such as who a row is from.
    """

    X: Matrix
    names: tuple[str, ...] | None = None
    beside: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def describe(self, position: int, features: Sequence[int]) -> str:
        """Name the values of the given features of a row."""
        row = self.X[[position]].toarray().ravel() if issparse(self.X) else self.X[position].ravel()
        return ", ".join(f"{self.column(feature)} {row[feature]:.6g}" for feature in features)

    def column(self, feature: int) -> str:
        """Name a column: of an image by row and column of the pixel, and else by its number where it has no name.

        Examples
        --------
        >>> ArrayValues(np.zeros((5, 28, 28))).column(57), ArrayValues(np.zeros((5, 8, 8, 3))).column(4)
        ('pixel (2, 1)', 'pixel (0, 1) green')
        """
        if self.names:
            return self.names[feature]
        shape = self.X.shape[1:]
        if len(shape) == 2 or (len(shape) == 3 and shape[2] in _CHANNELS):
            row, column, *channel = np.unravel_index(feature, shape)
            colour = _CHANNELS[shape[2]][channel[0]] if channel else ""
            return f"pixel ({row}, {column}) {colour}".rstrip()
        return f"column {feature}"

    def values(self, positions: Sequence[int], feature: int) -> list[str]:
        """Show the values of some rows in a column."""
        rows = self.X[list(positions)]
        found = rows[:, [feature]].toarray().ravel() if issparse(rows) else rows.reshape(len(rows), -1)[:, feature]
        return [f"{value:.6g}" for value in found]

    def cells(self, column: str) -> list[Any] | None:
        """Return the values of a column beside the features, which most matrices do not have."""
        return list(self.beside[column]) if column in self.beside else None

    def days(self, column: str) -> Array | None:
        """Return None: no column beside a matrix holds dates."""
        return None


def assemble(
    name: str,
    features: Features,
    labels: tuple[Labels, Labels],
    row_ids: tuple[IntArray, IntArray],
    test_origin: str,
) -> Split:
    """Build a split from prepared features and labels.

    Raises
    ------
    InvalidData
        If there is no column or more than ten million, or a number is too
        large to be squared.
    """
    columns = features.train.shape[1]
    if columns == 0:
        raise InvalidData(f"{name}: expected at least one feature column, got none")
    check_width(columns, _stored(features.train) + _stored(features.test), name)
    check_size(features.train, name)
    check_size(features.test, name)
    train = Dataset(features.train, labels[0], features.names, row_ids[0])
    test = Dataset(features.test, labels[1], features.names, row_ids[1])
    return Split(name, train, test, features.preparation, test_origin, features.domain)


def renamed(split: Split, names: tuple[str, ...] | None) -> Split:
    """Return the same split with other column names."""
    return replace(
        split, train=replace(split.train, feature_names=names), test=replace(split.test, feature_names=names)
    )


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: "1 number", "12 numbers"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
