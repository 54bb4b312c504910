"""Labelled rows as the learners of the stack see them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import normalize

from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.detectors.labels.classifiers import copies, stratified_folds
from toadstone.kernels.rows import column_extremes, count_entries

_FARTHEST = 8.0
_SPARSE_SHARE, _FEWEST_WORDS, _AXES = 1 / 8, 50, 50


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """Rows in an order of their values, with the forms that learners take.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        As given, in the form of `canonical_form`.
    scaled : ndarray or CSR of shape (n, d)
        Columns of mean zero and deviation one, clipped; of sparse rows those
        of `weighted_words`.
    dense : ndarray of shape (n, k)
        The same; of sparse rows their principal axes.
    codes : ndarray of int of shape (n,)
        Label of each row, counted from zero.
    n_classes : int
    groups : ndarray of int of shape (n,)
        Rows that are out together share a number, counted from zero: copies,
        or where rows have so few values that most coincide each row alone.
    cells : ndarray of int of shape (n,)
        Rows of equal values share a number, counted from zero.
    trusted : ndarray of bool of shape (n,)
        Rows known to be clean, copies of them included.
    seed : int
    """

    X: Matrix
    scaled: Matrix
    dense: Array
    codes: IntArray
    n_classes: int
    groups: IntArray
    cells: IntArray
    trusted: Mask
    seed: int

    @property
    def copies_coincide(self) -> bool:
        """Most rows have the values of another by chance, and are no copies of it."""
        return bool(self.groups[-1] > self.cells[-1])

    def counts(self) -> Array:
        """Count the rows of each label in each cell, shape (n_cells, n_classes)."""
        n_cells = int(self.cells.max()) + 1
        found = np.bincount(self.cells * self.n_classes + self.codes, minlength=n_cells * self.n_classes)
        return found.reshape(n_cells, self.n_classes).astype(np.float64)

    def alike(self, table: Array) -> Array:
        """Return the mean of each row's equals in values and label, which no order of rows tells apart."""
        if not self.copies_coincide:
            return table
        _, blocks, sizes = np.unique(self.cells * self.n_classes + self.codes, return_inverse=True, return_counts=True)
        sums = np.zeros((len(sizes), table.shape[1]))
        np.add.at(sums, blocks, table)
        return np.asarray((sums / sizes[:, None])[blocks])

    def folds(self, n_folds: int) -> list[tuple[IntArray, IntArray]]:
        """Deal rows out to folds, copies together; trusted rows are in every training part but their own.

        Returns
        -------
        list of (ndarray of int, ndarray of int)
            Rows to train on, and rows to predict. The latter are disjoint
            and together all rows.
        """
        rng = np.random.default_rng(self.seed)
        if not self.trusted.any() or self.trusted.all():
            return stratified_folds(self.codes, self.groups, n_folds, rng)
        # Trusted rows are predicted by other models, so that no other row has to do without them.
        dealt = []
        for part, rest in ((~self.trusted, self.trusted), (self.trusted, ~self.trusted)):
            rows, others = np.flatnonzero(part), np.flatnonzero(rest)
            groups = np.unique(self.groups[rows], return_inverse=True)[1]
            for outside, inside in stratified_folds(self.codes[rows], groups, n_folds, rng):
                # A single group cannot be split: the other part then trains alone.
                known = rows[outside] if len(inside) < len(rows) else rows[:0]
                dealt.append((np.sort(np.concatenate([known, others])), rows[inside]))
        return dealt


def see_rows(X: Matrix, codes: IntArray, n_classes: int, trusted: Mask, seed: int) -> LabelledRows:
    """Bring rows into the forms that the learners take.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        In the form of `canonical_form` and the order of `value_order`.
    codes : ndarray of shape (n,)
    n_classes : int
    trusted : ndarray of bool of shape (n,)
    seed : int

    Returns
    -------
    LabelledRows
    """
    cells = equal_rows(X)
    # Copies have their labels by the same hand; where half of the rows coincide by chance they inform each other.
    groups = cells if 2 * (int(cells.max()) + 1) >= len(codes) else np.arange(len(codes))
    known = np.bincount(groups, weights=trusted)[groups] > 0
    if _is_text(X):
        scaled = weighted_words(X)
        axes = min(_AXES, *(size - 1 for size in X.shape))
        dense = TruncatedSVD(axes, random_state=seed).fit_transform(scaled)
    else:
        scaled = dense = standardised(X)
    return LabelledRows(X, scaled, dense, codes, n_classes, groups, cells, known, seed)


def equal_rows(X: Matrix) -> IntArray:
    """Number groups of equal rows, which lie beside each other.

    Examples
    --------
    >>> equal_rows(np.array([[1.0], [1.0], [2.0]]))
    array([0, 0, 1])
    """
    if issparse(X):
        return copies(X)
    return np.concatenate([[0], np.cumsum((X[1:] != X[:-1]).any(axis=1))]).astype(np.int64)


def standardised(X: Matrix) -> Array:
    """Return dense columns of mean zero and deviation one, clipped so that heavy tails do not rule.

    Examples
    --------
    >>> standardised(np.array([[1.0, 5.0], [3.0, 5.0]]))
    array([[-1.,  0.],
           [ 1.,  0.]])
    """
    table = X.toarray() if issparse(X) else np.asarray(X)
    spread = table.std(axis=0)
    # A column that varies by rounding only is constant.
    constant = spread <= 1e-12 * np.abs(table).max(axis=0)
    centred = (table - table.mean(axis=0)) / np.where(constant, 1.0, spread)
    centred[:, constant] = 0.0
    return np.asarray(np.clip(centred, -_FARTHEST, _FARTHEST))


def weighted_words(X: Matrix) -> csr_array:
    """Weight counts by rarity, and scale rows to length one (tf-idf).

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Not negative.

    Returns
    -------
    CSR of shape (n, d)
    """
    counts = csr_array(X, copy=True)
    occurs = np.bincount(counts.indices, minlength=X.shape[1])
    rarity = np.log((1 + X.shape[0]) / (1 + occurs)) + 1
    counts.data = np.log1p(counts.data) * rarity[counts.indices]
    return csr_array(normalize(counts))


def _is_text(X: Matrix) -> bool:
    n, d = X.shape
    few = d >= _FEWEST_WORDS and count_entries(X) < _SPARSE_SHARE * n * d
    return bool(few and n > 2 and column_extremes(X)[0].min() >= 0)
