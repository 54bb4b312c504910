"""Random forests on few rows, and their probabilities out of bag."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.errors import InvalidData
from toadstone.detectors.out_of_bag import label_chances
from toadstone.kernels.rows import column_extremes

LARGEST = 1e38
"""Largest number that trees take; they hold numbers in single precision."""

_ROWS_OF_A_TREE = 1500


def out_of_bag(X: Matrix, codes: IntArray, *, trees: int, seed: int) -> tuple[Any, Array]:
    """Train a forest whose trees see at most 1500 rows each.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    codes : ndarray of int of shape (n,)
        Label of each row, counted from zero.
    trees : int
    seed : int

    Returns
    -------
    forest : RandomForestClassifier
    table : ndarray of shape (n, n_labels)
        Probability of each label by the trees that did not see a row; the
        share of the label for a row that all of them saw. Labels without rows
        have probability 0.

    Raises
    ------
    InvalidData
        If a number is beyond what trees hold in single precision.

    Examples
    --------
    >>> X = np.arange(40.0)[:, None]
    >>> _, table = out_of_bag(X, (X[:, 0] > 20).astype(int), trees=20, seed=0)
    >>> table[[0, -1]].argmax(axis=1)
    array([0, 1])
    """
    low, high = column_extremes(X)
    largest = float(max(-low.min(), high.max()))
    if largest > LARGEST:
        raise InvalidData(
            f"features: expected numbers up to {LARGEST:.0e}, which is what the trees of the verdict can hold, got "
            f"{largest:.3g}; scale the columns first"
        )
    n = len(codes)
    drawn = min(n, _ROWS_OF_A_TREE) if trees >= 50 else min(max(2, round(0.6 * n)), _ROWS_OF_A_TREE)
    forest = RandomForestClassifier(trees, min_samples_leaf=2, max_samples=drawn, random_state=seed)
    return forest, label_chances(forest, X, codes, int(codes.max()) + 1)


def probabilities_of(forest: Any, X: Matrix, n_labels: int) -> Array:
    """Return the probability of each label, 0 for those that the forest has not seen, shape (n, n_labels)."""
    table = np.zeros((X.shape[0], n_labels))
    table[:, forest.classes_] = forest.predict_proba(X)
    return table
