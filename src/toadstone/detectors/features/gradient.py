"""Gradients of a linear head: flag the rows whose gradients are large, or point away from those of their class."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval
from sklearn.utils.extmath import row_norms

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.detectors.calibrated import Calibrated
from toadstone.kernels.linear.fit import LinearSolver
from toadstone.kernels.linear.one_vs_rest import OneVsRestFit, fit_one_vs_rest
from toadstone.kernels.losses import LOGISTIC
from toadstone.sanitizers.scored import ClassScorer, draw_seed

_TINY = 1e-300


class LogisticHead:
    """A logistic head, one class against the rest, trained on all rows."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Calibrated._parameter_constraints,
        "ridge": [Interval(Real, 0, None, closed="neither")],
        "tolerance": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }
    needs_labels: ClassVar[bool] = True

    def __init__(
        self,
        *,
        false_alarm_rate: float = 0.02,
        ridge: float = 0.01,
        tolerance: float = 1e-6,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.false_alarm_rate = false_alarm_rate
        self.ridge = ridge
        self.tolerance = tolerance
        self.random_state = random_state

    def _train_head(self, X: Matrix, codes: IntArray) -> OneVsRestFit:
        seed = draw_seed(self.random_state)
        return fit_one_vs_rest(X, codes, LinearSolver(LOGISTIC, self.ridge, tolerance=self.tolerance, seed=seed))


class GradientNorm(LogisticHead, Calibrated, ClassScorer, BaseEstimator):
    """Flag the rows with a large gradient of the last layer's loss.

    A logistic head, one class against the rest, is trained on the features.
    The gradient of a row a with residuals r, the predicted probability of each
    class minus one for its own, is the outer product of r and (a, 1); its
    norm is ``|r| sqrt(|a|**2 + 1)``. Gradients as evidence of poison are
    those of Hong and others [1]_. Attributes that all detectors have are those
    of `Calibrated`.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    ridge : float, default=0.01
        Penalty of the head for each row.
    tolerance : float, default=1e-6
        Duality gap to reach, as a share of the objective.
    random_state : int, RandomState or None, default=0
        Seed of the order in which the solver visits rows.

    Attributes
    ----------
    head_ : OneVsRestFit
        The model trained on all rows.
    suspicion_ : ndarray of shape (n,)
        Gradient norm of each training row.

    References
    ----------
    .. [1] Hong, Chandrasekaran, Kaya, Dumitras and Papernot, "On the
       effectiveness of mitigating data poisoning attacks with gradient
       shaping", 2020.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(400, 3)), np.repeat([0, 1], 200)
    >>> X[y == 1] += 8
    >>> y[:4] = 1
    >>> GradientNorm(ridge=0.001).fit(X, y).flagged_indices_[:4]
    array([0, 1, 2, 3])
    """

    _measure: ClassVar[str] = "norm of the head's gradient"

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        self.head_ = self._train_head(X, codes)

    def _suspicion(self, X: Matrix, code: int) -> Array:
        return _lengths(residuals(self.head_, X, code), X)


class GradientSimilarity(LogisticHead, Calibrated, ClassScorer, BaseEstimator):
    """Flag the rows whose gradient points elsewhere than those of their class.

    The head, its gradients and the parameters are those of `GradientNorm`. A
    row's suspicion is one minus the cosine between its gradient and the mean
    of its class's gradients, each scaled to length one: otherwise the few
    large gradients of wrong labels would dominate the mean. Attributes that
    all detectors have are those of `Calibrated`.

    Parameters
    ----------
    false_alarm_rate, ridge, tolerance, random_state
        As of `GradientNorm`.

    Attributes
    ----------
    head_ : OneVsRestFit
        The model trained on all rows.
    mean_directions_ : list of ndarray of shape (k, d + 1)
        Mean direction of each class's gradients with respect to the head's k
        weight vectors and biases.
    suspicion_ : ndarray of shape (n,)
        Of each training row, in [0, 2].

    Examples
    --------
    >>> X, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), [0, 0, 1, 1]
    >>> GradientSimilarity().fit(X, y).mean_directions_[0].shape
    (1, 2)
    """

    _measure: ClassVar[str] = "one minus the cosine to the class's gradient"

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        self.head_ = self._train_head(X, codes)
        self.mean_directions_ = []
        for code in range(len(self.classes_)):
            rows = X[codes == code]
            slopes = residuals(self.head_, rows, code)
            slopes /= np.maximum(_lengths(slopes, rows), _TINY)[:, None]
            mean = np.column_stack([(rows.T @ slopes).T, slopes.sum(axis=0)]) / rows.shape[0]
            self.mean_directions_.append(mean)

    def _suspicion(self, X: Matrix, code: int) -> Array:
        slopes, mean = residuals(self.head_, X, code), self.mean_directions_[code]
        # An inner product of outer products needs no gradient of k (d + 1) numbers for each row.
        inner = np.sum(slopes * np.asarray(X @ mean[:, :-1].T + mean[:, -1]), axis=1)
        lengths = _lengths(slopes, X) * np.linalg.norm(mean)
        return np.asarray(1 - np.clip(inner / np.maximum(lengths, _TINY), -1, 1))


def residuals(head: OneVsRestFit, X: Matrix, code: int) -> Array:
    """Return predicted probabilities minus one for the row's own class.

    Parameters
    ----------
    head : OneVsRestFit
    X : ndarray or CSR of shape (n, d)
    code : int
        The class of the rows.

    Returns
    -------
    ndarray of shape (n, k)
        Derivative of the logistic loss of each of the head's models with
        respect to its score; k is one for two classes.
    """
    own = np.arange(len(head.thetas)) == code if len(head.thetas) > 1 else np.array([code == 1])
    sides = np.where(own, 1.0, -1.0)
    # One minus a probability near one would lose its digits; the probability of the other side has them.
    return np.asarray(-sides * expit(-sides * (X @ head.thetas[:, :-1].T + head.thetas[:, -1])))


def _lengths(slopes: Array, X: Matrix) -> Array:
    """Return the norm of each row's gradient, the outer product of its residuals and (a, 1)."""
    return np.asarray(row_norms(slopes) * np.sqrt(row_norms(X, squared=True) + 1))
