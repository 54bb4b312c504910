"""Triggers for tabular rows and texts: chosen features, and rare words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_array, issparse

from toadstone.core.arrays import IntArray, Matrix
from toadstone.core.checks import check_positive, check_within
from toadstone.core.dataset import as_matrix
from toadstone.core.errors import InvalidArgument, InvalidData


@dataclass(frozen=True, kw_only=True)
class FeatureTrigger:
    """Chosen features of a tabular row set to chosen values.

    Parameters
    ----------
    features : tuple of int
        Columns.
    values : tuple of float
        One for each column.

    Raises
    ------
    InvalidArgument
        If the numbers of columns and values differ, a column occurs twice, or
        a value is not finite.

    Examples
    --------
    >>> FeatureTrigger(features=(0, 2), values=(7.0, 9.0)).apply(np.array([[1.0, 2.0, 3.0]]))
    array([[7., 2., 9.]])
    """

    features: tuple[int, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        _check_columns(self.features)
        if len(self.values) != len(self.features) or not np.isfinite(self.values).all():
            raise InvalidArgument("values", f"{len(self.features)} finite numbers", self.values)

    @classmethod
    def seen_in(cls, X: Matrix, features: tuple[int, ...], *, quantile: float = 1.0) -> Self:
        """Build a trigger of values that occur in the data, which range checks cannot notice.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        features : tuple of int
        quantile : float
            Quantile of each column's values to use; 1 is the largest.

        Raises
        ------
        InvalidArgument
            If a column does not exist or `quantile` is out of range.
        """
        check_within("[0, 1]", quantile=quantile)
        columns = _columns_of(X, features)
        chosen = X[:, columns].toarray() if issparse(X) else np.asarray(X, dtype=np.float64)[:, columns]
        values = np.quantile(chosen, quantile, axis=0, method="nearest")
        return cls(features=features, values=tuple(values.tolist()))

    def apply(self, X: Matrix) -> Matrix:
        """Return the rows with the features set.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)

        Returns
        -------
        ndarray or CSR of shape (n, d)
            A new matrix; `X` does not change.

        Raises
        ------
        InvalidArgument
            If a column does not exist.
        """
        matrix = as_matrix(X)
        columns = _columns_of(matrix, self.features)
        if not issparse(matrix):
            changed = matrix.copy()
            changed[:, columns] = self.values
            return changed
        others = np.ones(matrix.shape[1])
        others[columns] = 0.0
        # Assigning to a CSR array rebuilds it for each column; masking and adding does so once.
        kept = csr_array(matrix.multiply(others[None, :]))
        kept.eliminate_zeros()
        return csr_array(kept + _repeated(self.values, columns, matrix.shape))


@dataclass(frozen=True, kw_only=True)
class TokenTrigger:
    """Rare words added to texts whose features are word counts.

    Parameters
    ----------
    features : tuple of int
        The words' columns.
    count : float
        Number of times that each word is added.
    highest : float
        Largest possible count: 1 if features only tell if a word occurs.

    Raises
    ------
    InvalidArgument
        If a number is not positive, or a column occurs twice.

    Examples
    --------
    >>> TokenTrigger(features=(1,), count=2).apply(np.array([[3.0, 0.0]]))
    array([[3., 2.]])
    """

    features: tuple[int, ...]
    count: float = 1.0
    highest: float = np.inf

    def __post_init__(self) -> None:
        _check_columns(self.features)
        check_positive(count=self.count)
        if not self.highest > 0:
            raise InvalidArgument("highest", "a positive number", self.highest)

    @classmethod
    def rarest_in(cls, X: Matrix, n_tokens: int, *, count: float = 1.0, highest: float = np.inf) -> Self:
        """Build a trigger of the rarest words that occur; earlier columns first on ties.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        n_tokens : int
        count, highest : float
            As for the class.

        Raises
        ------
        InvalidArgument
            If fewer words occur.
        """
        used = np.asarray((csr_array(as_matrix(X)) != 0).sum(axis=0)).ravel()
        order = np.argsort(np.where(used > 0, used, np.inf), kind="stable")[:n_tokens]
        present = int(np.count_nonzero(used))
        if not 1 <= n_tokens <= present:
            raise InvalidArgument("n_tokens", f"a whole number from 1 to {present}", n_tokens)
        return cls(features=tuple(order.tolist()), count=count, highest=highest)

    def apply(self, X: Matrix) -> Matrix:
        """Return the rows with the words added; see `FeatureTrigger.apply`."""
        matrix = as_matrix(X)
        columns = _columns_of(matrix, self.features)
        before = matrix[:, columns].toarray() if issparse(matrix) else matrix[:, columns]
        # A count above `highest` stays as it is: words are added, never removed.
        added = np.maximum(np.minimum(before + self.count, self.highest) - before, 0.0)
        if not issparse(matrix):
            changed = matrix.copy()
            changed[:, columns] += added
            return changed
        n, rows = matrix.shape[0], np.repeat(np.arange(matrix.shape[0]), len(columns))
        more = csr_array((added.ravel(), (rows, np.tile(columns, n))), shape=matrix.shape)
        return csr_array(matrix + more)


def _repeated(values: tuple[float, ...], columns: IntArray, shape: tuple[int, int]) -> Matrix:
    """Return a sparse matrix with the same values in every row."""
    rows = np.repeat(np.arange(shape[0]), len(columns))
    return csr_array((np.tile(values, shape[0]), (rows, np.tile(columns, shape[0]))), shape=shape)


def _check_columns(features: tuple[int, ...]) -> None:
    if not features or len(set(features)) < len(features) or min(features) < 0:
        raise InvalidArgument("features", "different columns, at least one", features)


def _columns_of(X: Matrix, features: tuple[int, ...]) -> IntArray:
    _check_columns(features)
    if X.ndim != 2:
        raise InvalidData(f"features: expected a table of two dimensions, got {X.ndim}")
    if max(features) >= X.shape[1]:
        raise InvalidArgument("features", f"columns below {X.shape[1]}", max(features))
    return np.array(features, dtype=np.int64)
