"""Remove the rows that a model trained on the best fitted rows does not fit."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.detectors.calibrated import Calibrated
from toadstone.detectors.labels.classifiers import CLASSIFIER, PooledOdds, check_two_classes, train
from toadstone.kernels.linear.trimmed_loss import alternate
from toadstone.kernels.statistics.class_probabilities import contradictions, cross_entropies, probabilities


class IterativeTrimmedLoss(PooledOdds, Calibrated, BaseEstimator):
    """Flag the rows whose loss is large for a model of the rows of least loss.

    Each round trains on the rows of least loss among all rows, not among
    those of the round before, so that a row once left out may return [1]_.

    Parameters
    ----------
    estimator : classifier, optional
        What to train; scikit-learn's logistic regression by default.
    keep : float, default=0.8
        Share of the rows to train on, in (0.5, 1], of each class half at
        least. What is left out of training is not flagged for that.
    rounds : int, default=10
        At most so many models.
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged.

    Attributes
    ----------
    model_ : classifier
        Trained on the best fitted rows.
    n_rounds_ : int
        How many models were trained.
    settled_ : bool
        Whether the last model fits those rows best that it was trained on.
    classes_ : ndarray of shape (n_classes,)
    suspicion_ : ndarray of shape (n,)
        Log odds of the likeliest other class against a row's own, by that
        model; with two classes a cross entropy is the softplus of it.
    thresholds_ : ndarray of shape (n_classes,)
        All equal and never negative, but infinite for a label that occurs once.
    flagged_indices_, sample_indices_, removed_indices_ : ndarray of int
        Rows of the data as given to `fit`; the latter two after `fit_resample`.
    reasons_ : list of str
    false_alarm_rate_, smallest_detectable_share_ : float
    n_features_in_ : int

    References
    ----------
    .. [1] Shen and Sanghavi, "Learning with bad training data via iterative
       trimmed loss minimization", ICML 2019, algorithm 1.

    Examples
    --------
    >>> X = np.concatenate([np.linspace(-3, -1, 50), np.linspace(1, 3, 50)])[:, None]
    >>> y = np.repeat(["ham", "spam"], 50)
    >>> y[7] = "spam"
    >>> IterativeTrimmedLoss().fit(X, y).flagged_indices_
    array([7])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Calibrated._parameter_constraints,
        "estimator": CLASSIFIER,
        "keep": [Interval(Real, 0.5, 1, closed="right")],
        "rounds": [Interval(Integral, 1, None, closed="left")],
    }
    _measure: ClassVar[str] = "log odds of another class without the worst fitted rows"

    def __init__(
        self, *, estimator: Any = None, keep: float = 0.8, rounds: int = 10, false_alarm_rate: float = 0.02
    ) -> None:
        self.estimator = estimator
        self.keep = keep
        self.rounds = rounds
        self.false_alarm_rate = false_alarm_rate

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that labels are needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        check_two_classes(self.classes_)
        known = np.arange(len(self.classes_))
        fit = alternate(
            lambda rows: train(self.estimator, X, codes, rows),
            lambda model: cross_entropies(probabilities(model, X, known), codes),
            codes,
            np.arange(len(codes)),
            keep=self.keep,
            rounds=self.rounds,
        )
        self.model_, self.n_rounds_, self.settled_ = fit.model, fit.rounds, fit.settled

    def _anomaly(self, X: Matrix, code: int) -> Array:
        table = probabilities(self.model_, X, np.arange(len(self.classes_)))
        return contradictions(table, np.full(len(table), code))
