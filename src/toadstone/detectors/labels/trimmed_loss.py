"""Iterative trimmed loss: flag the rows that a model trained on the best fitted rows does not fit."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import IntArray, Matrix
from toadstone.detectors.calibrated import Calibrated
from toadstone.detectors.labels.classifiers import CLASSIFIER, train
from toadstone.detectors.labels.pooled_odds import PooledOdds
from toadstone.detectors.labels.second_opinion import held_out, sampled
from toadstone.kernels.linear.trimmed_loss import alternate
from toadstone.kernels.statistics.class_probabilities import cross_entropies, probabilities
from toadstone.sanitizers.scored import ClassScorer


class IterativeTrimmedLoss(PooledOdds, Calibrated, ClassScorer, BaseEstimator):
    """Flag the rows whose loss is large for a model of the rows of least loss.

    Each round trains on the rows of least loss among all rows, not among
    those of the round before, so that a row once left out may return [1]_.
    Attributes that all detectors have are those of `Calibrated`.

    Parameters
    ----------
    estimator : classifier, optional
        Classifier to train; scikit-learn's logistic regression by default.
    keep : float, default=0.8
        Share of the rows to train on, in (0.5, 1]; of each class at least
        half. Rows left out of training are flagged only beyond the threshold.
    rounds : int, default=10
        Largest number of models to train.
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].

    Attributes
    ----------
    model_ : classifier
        Trained on the best fitted rows.
    n_rounds_ : int
        Number of models that were trained.
    settled_ : bool
        True if the last model fits best the rows that it was trained on.
    suspicion_ : ndarray of shape (n,)
        Log odds of the likeliest other class against a row's own, by that
        model. With two classes the cross entropy is the softplus of it.
    thresholds_ : ndarray of shape (n_classes,)
        All equal and never negative, but infinite for a label that occurs once.

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

    def _learn(self, X: Matrix, codes: IntArray) -> None:
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
        rows = sampled(codes)
        unseen = held_out(self.estimator, X, codes, rows, len(known))
        self._compare(X, codes, unseen, probabilities(self.model_, X[rows], known), rows)
