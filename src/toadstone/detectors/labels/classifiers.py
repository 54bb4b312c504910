"""Classifiers that detectors train to judge labels, on folds and bags of rows."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import HasMethods

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.kernels.statistics.row_digests import contents
from toadstone.learners.boosters import wrap_booster

_FEW_CLASSES = 16
# Of 600 wrong labels of 20,000 letters in 26 classes, 15 rounds on columns of equal scale rank as many high as 60 do
# (area under the curve 0.959 and 0.961), and as a thousand on the columns as they are, which take 40 times as long.
_ROUNDS_FOR_MANY = 15
# Beyond a hundred classes fewer: of 10,000 rows of 500 classes 8 rounds find the wrong labels that 15 do.
_ALL_ROUNDS, _FEWEST_ROUNDS = 1500, 8

CLASSIFIER = [HasMethods(["fit", "predict"]), None]
"""Values that `estimator` may take."""


def train(estimator: Any, X: Matrix, codes: IntArray, rows: IntArray) -> Any:
    """Fit a fresh copy of a classifier to some rows.

    Parameters
    ----------
    estimator : classifier or None
        None for scikit-learn's logistic regression, trained in 15 rounds
        where there are more than 16 classes, and in down to 8 where there are
        more than 100.
    X : ndarray or CSR of shape (n, d)
    codes : ndarray of shape (n,)
        Class of each row, counted from zero.
    rows : ndarray of int

    Returns
    -------
    classifier
        Fitted; where the rows have one class only, one that predicts that.
    """
    chosen = codes[rows]
    if (chosen == chosen[0]).all():
        return DummyClassifier(strategy="prior").fit(X[rows], chosen)
    if estimator is not None:
        return clone(wrap_booster(estimator)).fit(X[rows], chosen)
    if len(np.unique(chosen)) <= _FEW_CLASSES:
        return LogisticRegression(max_iter=1000).fit(X[rows], chosen)
    return _of_many_classes(X[rows], chosen)


def _of_many_classes(X: Matrix, codes: IntArray) -> Any:
    """Train a logistic regression in few rounds, on columns of equal scale where they are dense."""
    rounds = max(_FEWEST_ROUNDS, min(_ROUNDS_FOR_MANY, _ALL_ROUNDS // len(np.unique(codes))))
    model = LogisticRegression(max_iter=rounds)
    with warnings.catch_warnings():
        # Stopping early is meant: labels are judged as well after 15 rounds as after a thousand, see _ROUNDS_FOR_MANY.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return (model if issparse(X) else make_pipeline(StandardScaler(), model)).fit(X, codes)


def by_appearance(codes: IntArray) -> IntArray:
    """Number classes in the order in which they first occur, whatever their names.

    Examples
    --------
    >>> by_appearance(np.array([2, 0, 0, 1, 2]))
    array([0, 1, 1, 2, 0])
    """
    _, first, position = np.unique(codes, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[position])


def copies(X: Matrix) -> IntArray:
    """Number the distinct rows in the order in which they first occur.

    Examples
    --------
    >>> copies(np.array([[3.0], [1.0], [3.0]]))
    array([0, 1, 0])
    """
    numbers: dict[bytes, int] = {}
    return np.array([numbers.setdefault(content, len(numbers)) for content in contents(X)], dtype=np.int64)


def shared(values: Array, groups: IntArray) -> Array:
    """Return the mean of each row's group: copies get the same value in any order.

    Examples
    --------
    >>> shared(np.array([1.0, 5.0, 3.0]), np.array([0, 1, 0]))
    array([2., 5., 2.])
    """
    _, position, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray((np.bincount(position, weights=values) / sizes)[position])


def stratified_folds(
    codes: IntArray, groups: IntArray, folds: int, rng: np.random.Generator
) -> list[tuple[IntArray, IntArray]]:
    """Deal the rows of each class out to folds, copies of a row into the same fold.

    A model trained on a copy would have seen the row. Unlike scikit-learn's
    `StratifiedKFold` this takes classes of fewer rows than folds.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        Class of each row, counted from zero.
    groups : ndarray of int of shape (n,)
        From `copies`; the first of a group counts for its class.
    folds : int
        Number of folds, fewer where there are fewer distinct rows.
    rng : Generator

    Returns
    -------
    list of (ndarray of int, ndarray of int)
        Rows outside and inside of each fold, ascending. Where all rows are
        copies of one, a single fold with all rows outside and inside.

    Examples
    --------
    >>> codes = np.array([0, 0, 0, 0, 1, 1])
    >>> folds = stratified_folds(codes, np.arange(6), 2, np.random.default_rng(0))
    >>> [codes[inside].tolist() for _, inside in folds]
    [[0, 0, 1], [0, 0, 1]]
    """
    _, first = np.unique(groups, return_index=True)
    if len(first) < 2:
        every = np.arange(len(codes))
        return [(every, every)]
    shuffled = rng.permutation(len(first))
    # Dealing one class after the other without starting anew keeps the sizes of the folds within one row.
    dealt = shuffled[np.argsort(by_appearance(codes[first[shuffled]]), kind="stable")]
    folds = min(folds, len(first))
    number = np.empty(len(first), dtype=np.int64)
    number[dealt] = np.arange(len(first)) % folds
    fold = number[groups]
    return [(np.flatnonzero(fold != part), np.flatnonzero(fold == part)) for part in range(folds)]


def bag(codes: IntArray, groups: IntArray, rng: np.random.Generator) -> IntArray:
    """Draw a bootstrap sample of the distinct rows of each class.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        Class of each row, counted from zero.
    groups : ndarray of int of shape (n,)
        From `copies`; the first of a group counts for its class.
    rng : Generator

    Returns
    -------
    ndarray of int
        As many distinct rows of each class as it has, drawn with replacement,
        each with all its copies; ascending.

    Examples
    --------
    >>> bag(np.array([0, 0, 1]), np.array([0, 0, 1]), np.random.default_rng(0))
    array([0, 1, 2])
    """
    _, first = np.unique(groups, return_index=True)
    classes = by_appearance(codes[first])
    members = [np.flatnonzero(classes == number) for number in range(int(classes.max()) + 1)]
    times = np.bincount(np.concatenate([rng.choice(own, len(own)) for own in members]), minlength=len(first))
    return np.repeat(np.arange(len(codes)), times[groups])
