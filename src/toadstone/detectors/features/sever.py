"""SEVER: flag the rows whose gradients are far out along the direction in which gradients differ most."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.detectors.calibrated import Calibrated
from toadstone.detectors.labels.classifiers import CLASSIFIER, train
from toadstone.kernels.statistics.class_probabilities import probabilities, slopes
from toadstone.kernels.statistics.sever import sever
from toadstone.sanitizers.scored import ClassScorer


class SEVER(Calibrated, ClassScorer, BaseEstimator):
    """Flag the rows whose gradients project far on the direction in which gradients differ most.

    Each round trains a model, centres the gradient of every row's cross
    entropy within its class, projects it on the top singular vector, and
    leaves the rows with the largest projections out of the next round [1]_. A
    row's suspicion is that of its worst round. Gradients are those of a linear
    softmax model with the probabilities of the estimator. Attributes that all
    detectors have are those of `Calibrated`.

    Parameters
    ----------
    estimator : classifier, optional
        Classifier to train; scikit-learn's logistic regression by default.
    rounds : int, default=4
        Number of models to train.
    share : float, default=0.02
        Share of the remaining rows of each class that is left out after each
        round. Rows left out of training are flagged only beyond the threshold.
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].

    Attributes
    ----------
    rounds_ : list of (classifier, tuple of Pull)
        The model and the direction of each class, by round.
    suspicion_ : ndarray of shape (n,)
        Squared projection of each row's gradient as a multiple of the mean of
        its class, in its worst round.

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
    needs_labels: ClassVar[bool] = True
    _measure: ClassVar[str] = "squared projection of the gradient, in multiples of the mean of the class,"

    def __init__(
        self, *, estimator: Any = None, rounds: int = 4, share: float = 0.02, false_alarm_rate: float = 0.02
    ) -> None:
        self.estimator = estimator
        self.rounds = rounds
        self.share = share
        self.false_alarm_rate = false_alarm_rate

    def _learn(self, X: Matrix, codes: IntArray) -> None:
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

    def _suspicion(self, X: Matrix, code: int) -> Array:
        known, label = np.arange(len(self.classes_)), np.full(X.shape[0], code)
        # A row left out of later rounds is scored by their models too: poison may only stand out in one of them.
        excesses = [
            pulls[code].excess(X, slopes(probabilities(model, X, known), label)) for model, pulls in self.rounds_
        ]
        return np.asarray(np.max(excesses, axis=0))
