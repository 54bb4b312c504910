"""Views: forests that see a third of the columns each, and how strange they find the label of each row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse

from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.detectors.verdict.forests import out_of_bag

_VIEWS, _TREES = 12, 16
_SEEN = 1 / 3
_MOST_CORRELATED = 2048
_CORRELATED = 0.7


@dataclass(frozen=True, eq=False)
class Views:
    """Out-of-bag probabilities of forests that see a third of the columns each.

    A model that sees what poisoned rows share has learned their label from
    it. One that does not see it finds their label strange.

    Parameters
    ----------
    hidden : ndarray of bool of shape (n_views, d)
        Columns that each forest does not see.
    probabilities : ndarray of shape (n_views, n, n_labels)
    codes : ndarray of int of shape (n,)
        Label of each row, counted from zero.
    """

    hidden: Mask
    probabilities: Array
    codes: IntArray

    def __post_init__(self) -> None:
        """Measure the strangeness of each row in each view."""
        own = self.probabilities[:, np.arange(len(self.codes)), self.codes]
        object.__setattr__(self, "_strange", np.array([standardised(1 - view, self.codes) for view in own]))

    def without(self, columns: IntArray) -> Array | None:
        """Return the mean probabilities of the forests that see none of some columns; None if there is no such."""
        blind = self.hidden[:, columns].all(axis=1)
        return np.asarray(self.probabilities[blind].mean(axis=0)) if blind.any() else None

    def strange_without(self, column: int) -> Array:
        """Return how strange the label of each row is to the forests that do not see a column, standardised."""
        blind = self.hidden[:, column]
        strange: Array = self._strange  # type: ignore[attr-defined]
        return standardised(strange[blind].mean(axis=0), self.codes) if blind.any() else np.zeros(len(self.codes))

    def strangeness_of(self, rows: IntArray, columns: tuple[int, ...]) -> float:
        """Return how strange the label of a group is to the forests that see none of some columns.

        Parameters
        ----------
        rows : ndarray of int
        columns : tuple of int

        Returns
        -------
        float
            In standard deviations of the sum over as many rows of their label;
            0 if there is no such forest.
        """
        blind = self.hidden[:, columns].all(axis=1)
        strange: Array = self._strange  # type: ignore[attr-defined]
        return float(strange[blind][:, rows].mean() * np.sqrt(len(rows))) if blind.any() else 0.0

    def strange(self) -> Array:
        """Return how strange the label of each row is to the third of the forests that find it strangest."""
        strange: Array = self._strange  # type: ignore[attr-defined]
        most = max(1, len(strange) // 3)
        return standardised(np.sort(strange, axis=0)[-most:].mean(axis=0), self.codes)


def standardised(values: Array, codes: IntArray) -> Array:
    """Shift and scale values to mean zero and variance one in each label; zero where they do not vary.

    Examples
    --------
    >>> standardised(np.array([1.0, 3.0, 5.0, 5.0]), np.array([0, 0, 1, 1]))
    array([-1.,  1.,  0.,  0.])
    """
    sizes = np.maximum(np.bincount(codes), 1)
    away = values - (np.bincount(codes, weights=values) / sizes)[codes]
    deviation = np.sqrt(np.bincount(codes, weights=away**2) / sizes)[codes]
    return np.divide(away, deviation, out=np.zeros_like(away), where=deviation > 1e-12)


def train_views(X: Matrix, codes: IntArray, source: IntArray, rng: np.random.Generator) -> Views:
    """Train forests on a third of the columns each, columns that move together seen or hidden together.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    codes : ndarray of int of shape (n,)
    source : ndarray of int of shape (d,)
        Columns of one source are seen or hidden together.
    rng : Generator

    Returns
    -------
    Views
    """
    block = _blocks(X, source)
    n_blocks = int(block.max()) + 1
    seen = max(1, round(_SEEN * n_blocks))
    hidden, tables = [], []
    # Dealing the blocks round after round has each seen about equally often.
    deck = np.concatenate([rng.permutation(n_blocks) for _ in range(-(-_VIEWS * seen // n_blocks))])
    for view in range(_VIEWS):
        chosen = np.unique(deck[view * seen : (view + 1) * seen])
        visible = np.isin(block, chosen)
        hidden.append(~visible)
        seed = int(rng.integers(2**31))
        tables.append(out_of_bag(X[:, np.flatnonzero(visible)], codes, trees=_TREES, seed=seed)[1])
    return Views(np.array(hidden), np.array(tables), codes)


def _blocks(X: Matrix, source: IntArray) -> IntArray:
    """Number the blocks of columns: those of one source, and those strongly correlated with the first of a block."""
    d = X.shape[1]
    own = np.unique(source, return_inverse=True)[1]
    if issparse(X) or d > _MOST_CORRELATED or d < 6:
        return np.asarray(own)
    away = X - X.mean(axis=0)
    norms = np.sqrt((away**2).sum(axis=0))
    away = away / np.where(norms > 0, norms, 1.0)
    close = np.abs(away.T @ away) >= _CORRELATED
    block, number = np.full(d, -1), 0
    largest = max(1, d // 12)
    for column in range(d):
        if block[column] < 0:
            block[np.flatnonzero((close[column] | (own == own[column])) & (block < 0))[:largest]] = number
            block[column] = number
            number += 1
    # Columns of one source stay together, whichever block took the first of them.
    _, first, position = np.unique(own, return_index=True, return_inverse=True)
    return np.unique(block[first][position], return_inverse=True)[1]
