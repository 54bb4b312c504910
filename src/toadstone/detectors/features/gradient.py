"""Flag the rows that would move a trained linear head the most, or in another direction than their class."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.extmath import row_norms

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.errors import InvalidData
from toadstone.detectors.calibrated import Calibrated
from toadstone.kernels.linear.one_vs_rest import OneVsRestFit, fit_one_vs_rest
from toadstone.kernels.losses import LOGISTIC

_TINY = 1e-300


class GradientNorm(Calibrated, BaseEstimator):
    """Suspect rows with a large gradient of the last layer's loss.

    A logistic head, one class against the rest, is trained on the features.
    The gradient of a row a with residuals r, the predicted chance of each
    class minus one for its own, is the outer product of r and (a, 1); its
    norm is ``|r| sqrt(|a|**2 + 1)``. Gradients as evidence of poison are
    those of Hong and others [1]_.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    ridge : float, default=0.01
        Penalty of the head for each row.
    tolerance : float, default=1e-6
        Duality gap to reach, as a share of the objective.
    random_state : int, RandomState or None, default=0
        Of the order in which the solver visits rows.

    Attributes
    ----------
    head_ : OneVsRestFit
        The model trained on all rows.
    classes_ : ndarray of shape (n_classes,)
        Sorted labels.
    thresholds_ : ndarray of shape (n_classes,)
        On the suspicion, for each class.
    suspicion_ : ndarray of shape (n,)
        Gradient norm of each training row; larger is more suspicious.
    flagged_indices_ : ndarray of int
        Rows beyond the threshold of their class, ascending.
    reasons_ : list of str
        Why each was flagged.
    sample_indices_, removed_indices_ : ndarray of int
        Rows that `fit_resample` kept and removed, ascending.
    false_alarm_rate_, smallest_detectable_share_ : float
        As in `SpectralSignatures`.
    n_features_in_ : int
        Number of columns.

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Calibrated._parameter_constraints,
        "ridge": [Interval(Real, 0, None, closed="neither")],
        "tolerance": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }
    _measure: ClassVar[str] = "norm of the head's gradient"

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

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that labels are needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        self.head_ = train_head(X, codes, ridge=self.ridge, tolerance=self.tolerance, random_state=self.random_state)

    def _anomaly(self, X: Matrix, code: int) -> Array:
        return _lengths(residuals(self.head_, X, code), X)


class GradientSimilarity(Calibrated, BaseEstimator):
    """Suspect rows whose gradient points elsewhere than those of their class.

    The head and its gradients are those of `GradientNorm`; a row's suspicion
    is one minus the cosine between its gradient and the mean of its class's
    gradients, each scaled to length one: the few large gradients of wrong
    labels would otherwise be the mean.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    ridge : float, default=0.01
        Penalty of the head for each row.
    tolerance : float, default=1e-6
        Duality gap to reach, as a share of the objective.
    random_state : int, RandomState or None, default=0
        Of the order in which the solver visits rows.

    Attributes
    ----------
    head_ : OneVsRestFit
        The model trained on all rows.
    mean_directions_ : list of ndarray of shape (k, d + 1)
        Mean direction of each class's gradients with respect to the head's k
        weight vectors and biases.
    classes_ : ndarray of shape (n_classes,)
        Sorted labels.
    thresholds_ : ndarray of shape (n_classes,)
        On the suspicion, for each class.
    suspicion_ : ndarray of shape (n,)
        Of each training row, in [0, 2]; larger is more suspicious.
    flagged_indices_ : ndarray of int
        Rows beyond the threshold of their class, ascending.
    reasons_ : list of str
        Why each was flagged.
    sample_indices_, removed_indices_ : ndarray of int
        Rows that `fit_resample` kept and removed, ascending.
    false_alarm_rate_, smallest_detectable_share_ : float
        As in `SpectralSignatures`.
    n_features_in_ : int
        Number of columns.

    Examples
    --------
    >>> X, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), [0, 0, 1, 1]
    >>> GradientSimilarity().fit(X, y).mean_directions_[0].shape
    (1, 2)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {**GradientNorm._parameter_constraints}
    _measure: ClassVar[str] = "one minus the cosine to the class's gradient"

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

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that labels are needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        self.head_ = train_head(X, codes, ridge=self.ridge, tolerance=self.tolerance, random_state=self.random_state)
        self.mean_directions_ = []
        for code in range(len(self.classes_)):
            rows = X[codes == code]
            slopes = residuals(self.head_, rows, code)
            slopes /= np.maximum(_lengths(slopes, rows), _TINY)[:, None]
            mean = np.column_stack([(rows.T @ slopes).T, slopes.sum(axis=0)]) / rows.shape[0]
            self.mean_directions_.append(mean)

    def _anomaly(self, X: Matrix, code: int) -> Array:
        slopes, mean = residuals(self.head_, X, code), self.mean_directions_[code]
        inner = np.sum(slopes * np.asarray(X @ mean[:, :-1].T + mean[:, -1]), axis=1)
        lengths = _lengths(slopes, X) * np.linalg.norm(mean)
        return np.asarray(1 - np.clip(inner / np.maximum(lengths, _TINY), -1, 1))


def train_head(
    X: Matrix, codes: IntArray, *, ridge: float, tolerance: float, random_state: int | np.random.RandomState | None
) -> OneVsRestFit:
    """Train a logistic head, one class against the rest.

    Raises
    ------
    InvalidData
        If there is a single class.
    """
    if codes.max() < 1:
        raise InvalidData("labels: expected at least two classes, got 1 class")
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    return fit_one_vs_rest(X, codes, loss=LOGISTIC, ridge=ridge, tolerance=tolerance, seed=seed)


def residuals(head: OneVsRestFit, X: Matrix, code: int) -> Array:
    """Predicted chances minus one for the row's own class.

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
    # One minus a chance near one keeps its digits as the chance of the contrary.
    return np.asarray(-sides * expit(-sides * (X @ head.thetas[:, :-1].T + head.thetas[:, -1])))


def _lengths(slopes: Array, X: Matrix) -> Array:
    """Norm of each row's gradient, the outer product of its residuals and (a, 1)."""
    return np.asarray(row_norms(slopes) * np.sqrt(row_norms(X, squared=True) + 1))
