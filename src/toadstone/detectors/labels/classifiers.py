"""The classifiers that sanitizers train to judge labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.utils._param_validation import HasMethods

from toadstone.core.arrays import Array, IntArray, Labels, Mask, Matrix
from toadstone.core.errors import InvalidData
from toadstone.kernels.statistics.label_noise import contradiction_threshold
from toadstone.kernels.statistics.row_digests import contents
from toadstone.kernels.statistics.thresholds import careful_share, trusted_threshold

CLASSIFIER = [HasMethods(["fit", "predict"]), None]
"""What `estimator` may be."""


class PooledOdds:
    """One threshold for all classes, on log odds against a row's own class.

    Odds mean the same in every class, and a rare class may be half poison, so
    that its own scores would not tell what is normal in it. No row is flagged
    that the model puts in its own class, nor the only one of its label.
    """

    false_alarm_rate: float
    suspicion_: Array

    def _own_threshold(self, code: int, members: Mask) -> float:
        alone = np.count_nonzero(members) < 2
        return float(np.inf) if alone else contradiction_threshold(self.suspicion_, self.false_alarm_rate)

    def _trusted_threshold(self, members: Mask, clean: Mask) -> float:
        known = int(np.count_nonzero(clean))
        if not known or np.count_nonzero(members) < 2:
            return float(np.inf)
        # Never beyond the promise by the luck of a few trusted rows, but not all of them either.
        share = min(self.false_alarm_rate, max(careful_share(known, self.false_alarm_rate), 1 / (known + 1)))
        return max(0.0, trusted_threshold(self.suspicion_[clean], share))


def train(estimator: Any, X: Matrix, codes: IntArray, rows: IntArray) -> Any:
    """Fit a fresh copy of a classifier to some rows.

    Parameters
    ----------
    estimator : classifier or None
        None for scikit-learn's logistic regression.
    X : ndarray or CSR of shape (n, d)
    codes : ndarray of shape (n,)
        Class of each row, counted from zero.
    rows : ndarray of int

    Returns
    -------
    classifier
        Fitted; one that knows a single class, where the rows have no other.
    """
    chosen = codes[rows]
    if (chosen == chosen[0]).all():
        return DummyClassifier(strategy="prior").fit(X[rows], chosen)
    fresh = LogisticRegression(max_iter=1000) if estimator is None else clone(estimator)
    return fresh.fit(X[rows], chosen)


def check_two_classes(classes: Labels) -> None:
    """Refuse labels that leave nothing to tell apart.

    Raises
    ------
    InvalidData
        If there is a single class.
    """
    if len(classes) < 2:
        raise InvalidData("labels: expected at least two classes, got 1 class")


def by_appearance(codes: IntArray) -> IntArray:
    """Count classes in the order in which they first occur, so that their names decide nothing.

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


def stratified_folds(
    codes: IntArray, groups: IntArray, folds: int, rng: np.random.Generator
) -> list[tuple[IntArray, IntArray]]:
    """Deal the rows of each class out to folds, one by one, but copies together.

    A copy in another fold would vouch for a row as if it had been seen.
    Unlike scikit-learn's this takes classes of fewer rows than folds.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        Class of each row, counted from zero.
    groups : ndarray of int of shape (n,)
        From `copies`; the first of a group counts for its class.
    folds : int
        At most so many.
    rng : Generator

    Returns
    -------
    list of (ndarray of int, ndarray of int)
        Rows outside and inside of each fold, ascending; where all rows are
        copies of one, a single fold of which no row is outside but all.

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
    # Dealt class after class, every fold gets its share of all rows, too.
    dealt = shuffled[np.argsort(by_appearance(codes[first[shuffled]]), kind="stable")]
    folds = min(folds, len(first))
    number = np.empty(len(first), dtype=np.int64)
    number[dealt] = np.arange(len(first)) % folds
    fold = number[groups]
    return [(np.flatnonzero(fold != part), np.flatnonzero(fold == part)) for part in range(folds)]


def bag(codes: IntArray, groups: IntArray, rng: np.random.Generator) -> IntArray:
    """Draw from the distinct rows of each class as many as there are, with replacement.

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
        All copies of the drawn rows, ascending, as often as they were drawn.

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
