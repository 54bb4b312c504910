"""Random forests, and what they say of each row by the trees that did not see it: out of bag."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from toadstone.core.arrays import Array, IntArray, Mask, Matrix


def label_chances(forest: RandomForestClassifier, X: Matrix, codes: IntArray, n_labels: int) -> Array:
    """Train a forest and return the out-of-bag probability of each label [1]_.

    Parameters
    ----------
    forest : RandomForestClassifier
        Fitted here.
    X : ndarray or CSR of shape (n, d)
    codes : ndarray of int of shape (n,)
        Label of each row, counted from zero.
    n_labels : int

    Returns
    -------
    ndarray of shape (n, n_labels)
        By the trees that did not see the row; the shares of the labels for a
        row that all of them saw. Labels without rows have probability 0.

    References
    ----------
    .. [1] Breiman, "Random forests", Machine Learning 45, 2001, section 3.1.

    Examples
    --------
    >>> X = np.arange(40.0)[:, None]
    >>> forest = RandomForestClassifier(20, min_samples_leaf=2, random_state=0)
    >>> label_chances(forest, X, (X[:, 0] > 20).astype(int), 3)[[0, -1]].argmax(axis=1)
    array([0, 1])
    """
    seen = _fit(forest, X, codes)
    chances = np.zeros((len(codes), n_labels))
    chances[:, forest.classes_] = forest.oob_decision_function_
    chances[seen] = np.bincount(codes, minlength=n_labels) / len(codes)
    return chances


def predicted_targets(forest: RandomForestRegressor, X: Matrix, y: Array) -> Array:
    """Train a forest and return the out-of-bag prediction of each target.

    Parameters
    ----------
    forest : RandomForestRegressor
        Fitted here.
    X : ndarray or CSR of shape (n, d)
    y : ndarray of shape (n,)

    Returns
    -------
    ndarray of shape (n,)
        By the trees that did not see the row; the mean of the targets for a
        row that all of them saw.

    Examples
    --------
    >>> X = np.arange(40.0)[:, None]
    >>> forest = RandomForestRegressor(20, random_state=0)
    >>> bool(np.abs(predicted_targets(forest, X, X[:, 0]) - X[:, 0]).max() < 5)
    True
    """
    seen = _fit(forest, X, y)
    return np.asarray(np.where(seen, y.mean(), forest.oob_prediction_))


def _fit(forest: RandomForestClassifier | RandomForestRegressor, X: Matrix, outputs: Array | IntArray) -> Mask:
    """Train a forest, and return a mask of the rows that every tree saw."""
    with warnings.catch_warnings():
        # Where no tree tells anything of a row scikit-learn says 0, with a warning; the callers say more.
        warnings.filterwarnings("ignore", "Some inputs do not have OOB scores", UserWarning)
        forest.set_params(oob_score=True).fit(X, outputs)
    seen = np.ones(len(outputs), dtype=bool)
    for bag in forest.estimators_samples_:
        seen &= np.bincount(bag, minlength=len(outputs)) > 0
    return seen
