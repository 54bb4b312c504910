"""Class probabilities of any fitted classifier, and the losses and slopes computed from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from toadstone.core.arrays import Array, IntArray, Labels, Matrix

SMALLEST = 1e-12
"""No probability is taken to be smaller, so that no loss is infinite."""


def probabilities(model: Any, X: Matrix, classes: Labels) -> Array:
    """Compute the probability of each class by a fitted classifier.

    Without `predict_proba`, the decision function is mapped to probabilities
    by the logistic function for two classes and by softmax for more. Without
    either, the predicted class has probability one.

    Parameters
    ----------
    model : classifier
        Fitted, with `classes_` a subset of `classes`.
    X : ndarray or CSR of shape (n, d)
    classes : ndarray of shape (n_classes,)
        Sorted.

    Returns
    -------
    ndarray of shape (n, n_classes)
        Zero for classes that the classifier has not seen.
    """
    known = np.searchsorted(classes, model.classes_)
    if hasattr(model, "predict_proba"):
        seen = np.asarray(model.predict_proba(X), dtype=np.float64)
    elif hasattr(model, "decision_function"):
        seen = _squashed(np.asarray(model.decision_function(X), dtype=np.float64))
    else:
        seen = (model.predict(X)[:, None] == model.classes_[None, :]).astype(np.float64)
    table = np.zeros((len(seen), len(classes)))
    table[:, known] = seen
    return table


def _squashed(scores: Array) -> Array:
    if scores.ndim == 1:
        return np.column_stack([expit(-scores), expit(scores)])
    return np.asarray(softmax(scores, axis=1))


def cross_entropies(table: Array, codes: IntArray) -> Array:
    """Compute the cross entropy of each row.

    Parameters
    ----------
    table : ndarray of shape (n, n_classes)
        Probabilities.
    codes : ndarray of shape (n,)
        Class of each row, counted from zero.

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> cross_entropies(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([0, 1])).round(3)
    array([ 0.693, 27.631])
    """
    own = table[np.arange(len(codes)), codes]
    return np.asarray(-np.log(np.clip(own, SMALLEST, 1.0)))


def contradictions(table: Array, codes: IntArray) -> Array:
    """Compute the log odds of the likeliest other class against each row's own.

    Parameters
    ----------
    table : ndarray of shape (n, n_classes)
        Probabilities of at least two classes.
    codes : ndarray of shape (n,)
        Class of each row, counted from zero.

    Returns
    -------
    ndarray of shape (n,)
        Positive where another class is likelier.

    Examples
    --------
    >>> contradictions(np.array([[0.5, 0.5], [0.2, 0.8]]), np.array([0, 0])).round(3)
    array([0.   , 1.386])
    """
    rivals = np.clip(table, SMALLEST, 1.0)
    rows = np.arange(len(codes))
    own = rivals[rows, codes]
    rivals[rows, codes] = 0.0
    return np.asarray(np.log(rivals.max(axis=1)) - np.log(own))


def rivalries(table: Array) -> Array:
    """Compute the log odds of the likeliest other class against each class.

    Parameters
    ----------
    table : ndarray of shape (n, n_classes)
        Probabilities of at least two classes.

    Returns
    -------
    ndarray of shape (n, n_classes)
        What `contradictions` would be for each label.

    Examples
    --------
    >>> rivalries(np.array([[0.2, 0.8]])).round(3)
    array([[ 1.386, -1.386]])
    """
    logs = np.log(np.clip(table, SMALLEST, 1.0))
    second, first = np.sort(logs, axis=1)[:, -2:].T
    largest = np.arange(logs.shape[1]) == logs.argmax(axis=1)[:, None]
    return np.asarray(np.where(largest, second[:, None], first[:, None]) - logs)


def slopes(table: Array, codes: IntArray) -> Array:
    """Compute the derivatives of the cross entropy with respect to the scores of a softmax.

    The gradient of a linear softmax model on a row is the outer product of
    these with the row and a one. Two classes share one score.

    Parameters
    ----------
    table : ndarray of shape (n, n_classes)
        Probabilities.
    codes : ndarray of shape (n,)
        Class of each row, counted from zero.

    Returns
    -------
    ndarray of shape (n, 1) or (n, n_classes)
    """
    differences = table.copy()
    differences[np.arange(len(codes)), codes] -= 1
    return differences[:, 1:] if table.shape[1] == 2 else differences


def out_of_fold(
    train: Callable[[IntArray], Any], X: Matrix, classes: Labels, folds: list[tuple[IntArray, IntArray]]
) -> Array:
    """Compute the out-of-fold probabilities of each row.

    Parameters
    ----------
    train : callable
        Fits a fresh classifier on the rows of the given indices.
    X : ndarray or CSR of shape (n, d)
    classes : ndarray of shape (n_classes,)
        Sorted.
    folds : list of (indices to train on, indices to predict)
        The latter are disjoint and together all rows.

    Returns
    -------
    ndarray of shape (n, n_classes)
    """
    table = np.empty((X.shape[0], len(classes)))
    for inside, outside in folds:
        table[outside] = probabilities(train(inside), X[outside], classes)
    return table
