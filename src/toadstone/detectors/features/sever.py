"""Remove the rows whose gradients pull a model harder than the others of their class."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.detectors.calibrated import Calibrated
from toadstone.detectors.labels.classifiers import CLASSIFIER, check_two_classes, train
from toadstone.kernels.statistics.class_probabilities import probabilities, slopes
from toadstone.kernels.statistics.sever import sever


class SEVER(Calibrated, BaseEstimator):
    """Flag the rows whose gradients project far upon the direction in which gradients differ most.

    Each round trains a model, centres the gradient of every row's cross
    entropy within its class, projects it on the top singular vector, and
    leaves the rows that project farthest out of the next round [1]_. A row is
    as suspicious as in its worst round. Gradients are those of a linear
    softmax model with the probabilities of the estimator.

    Parameters
    ----------
    estimator : classifier, optional
        What to train; scikit-learn's logistic regression by default.
    rounds : int, default=4
    share : float, default=0.02
        Of the remaining rows of each class, left out after each round; zero
        leaves out none. What is left out of training is not flagged for that.
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged.

    Attributes
    ----------
    rounds_ : list of (classifier, tuple of Pull)
        The model and the direction of each class, by round.
    classes_ : ndarray of shape (n_classes,)
    suspicion_ : ndarray of shape (n,)
        Squared projection of each row's gradient as a multiple of the mean of
        its class, in its worst round; larger is more suspicious.
    thresholds_ : ndarray of shape (n_classes,)
    flagged_indices_, sample_indices_, removed_indices_ : ndarray of int
        Rows of the data as given to `fit`; the latter two after `fit_resample`.
    reasons_ : list of str
    false_alarm_rate_, smallest_detectable_share_ : float
    n_features_in_ : int

    References
    ----------
    .. [1] Diakonikolas and others, "Sever: A robust meta-algorithm for
       stochastic optimization", ICML 2019, algorithms 1 and 2.

    Examples
    --------
    >>> X = np.concatenate([np.linspace(-3, -1, 50), np.linspace(1, 3, 50)])[:, None]
    >>> y = np.repeat(["ham", "spam"], 50)
    >>> y[7] = "spam"
    >>> int(SEVER().fit(X, y).suspicion_.argmax())
    7
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Calibrated._parameter_constraints,
        "estimator": CLASSIFIER,
        "rounds": [Interval(Integral, 1, None, closed="left")],
        "share": [Interval(Real, 0, 0.5, closed="left")],
    }
    _measure: ClassVar[str] = "pull on the model, in multiples of the mean of the class,"

    def __init__(
        self, *, estimator: Any = None, rounds: int = 4, share: float = 0.02, false_alarm_rate: float = 0.02
    ) -> None:
        self.estimator = estimator
        self.rounds = rounds
        self.share = share
        self.false_alarm_rate = false_alarm_rate

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that labels are needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        check_two_classes(self.classes_)
        known = np.arange(len(self.classes_))
        severed = sever(
            lambda rows: train(self.estimator, X, codes, rows),
            lambda model: slopes(probabilities(model, X, known), codes),
            X,
            codes,
            share=self.share,
            rounds=self.rounds,
        )
        self.rounds_ = list(zip(severed.models, severed.pulls, strict=True))

    def _anomaly(self, X: Matrix, code: int) -> Array:
        known, label = np.arange(len(self.classes_)), np.full(X.shape[0], code)
        excesses = [
            pulls[code].excess(X, slopes(probabilities(model, X, known), label)) for model, pulls in self.rounds_
        ]
        return np.asarray(np.max(excesses, axis=0))
