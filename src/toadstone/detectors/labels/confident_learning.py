"""Confident learning: remove the rows whose label is likely an error."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.detectors.calibrated import Calibrated
from toadstone.detectors.labels.classifiers import (
    CLASSIFIER,
    PooledOdds,
    check_two_classes,
    copies,
    stratified_folds,
    train,
)
from toadstone.kernels.statistics.class_probabilities import contradictions, out_of_fold, probabilities
from toadstone.kernels.statistics.confident_learning import calibrated_joint, confident_joint, prune_by_noise_rate
from toadstone.kernels.statistics.label_noise import contradiction_threshold


class ConfidentLearning(PooledOdds, Calibrated, BaseEstimator):
    """Flag the rows that confident learning counts as label errors, where they stand out.

    Probabilities out of fold are compared with how probable each class
    usually is for the rows of its label; the counts that result, scaled to
    the labels, say how many rows of each label belong to which other class
    [1]_, and so many of the least likely are candidates. Of these the ones
    beyond the threshold are flagged: hard rows of clean data are candidates,
    too.

    Parameters
    ----------
    estimator : classifier, optional
        What to train; scikit-learn's logistic regression by default.
    folds : int, default=5
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged.
    random_state : int, RandomState or None, default=0
        Of the folds.

    Attributes
    ----------
    joint_ : ndarray of shape (n_classes, n_classes)
        Expected number of rows by label (down) and true class (across).
    model_ : classifier
        Trained on all rows, to score new ones.
    classes_ : ndarray of shape (n_classes,)
    suspicion_ : ndarray of shape (n,)
        Log odds of the likeliest other class against a row's own, out of
        fold; not positive for rows that are no candidates.
    thresholds_ : ndarray of shape (n_classes,)
        All equal and never negative, but infinite for a label that occurs once.
    flagged_indices_, sample_indices_, removed_indices_ : ndarray of int
        Rows of the data as given to `fit`; the latter two after `fit_resample`.
    reasons_ : list of str
    false_alarm_rate_, smallest_detectable_share_ : float
    n_features_in_ : int

    References
    ----------
    .. [1] Northcutt, Jiang and Chuang, "Confident learning: estimating
       uncertainty in dataset labels", JAIR 70, 2021, section 3.

    Examples
    --------
    >>> X = np.concatenate([np.linspace(-3, -1, 50), np.linspace(1, 3, 50)])[:, None]
    >>> y = np.repeat(["ham", "spam"], 50)
    >>> y[7] = "spam"
    >>> detector = ConfidentLearning().fit(X, y)
    >>> detector.flagged_indices_
    array([7])
    >>> detector.joint_.round()
    array([[49.,  0.],
           [ 1., 50.]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Calibrated._parameter_constraints,
        "estimator": CLASSIFIER,
        "folds": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }
    _measure: ClassVar[str] = "log odds of another class out of fold"

    def __init__(
        self,
        *,
        estimator: Any = None,
        folds: int = 5,
        false_alarm_rate: float = 0.02,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.estimator = estimator
        self.folds = folds
        self.false_alarm_rate = false_alarm_rate
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that labels are needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        check_two_classes(self.classes_)
        self.model_ = train(self.estimator, X, codes, np.arange(len(codes)))

    def _suspicions(self, X: Matrix, codes: IntArray) -> Array:
        rng = np.random.default_rng(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        folds = stratified_folds(codes, copies(X), self.folds, rng)
        known = np.arange(len(self.classes_))
        table = out_of_fold(lambda rows: train(self.estimator, X, codes, rows), X, known, folds)
        self.joint_ = calibrated_joint(confident_joint(table, codes), codes)
        self._odds = contradictions(table, codes)
        pruned = prune_by_noise_rate(table, codes, self.joint_)
        return np.where(pruned, self._odds, np.minimum(self._odds, 0.0))

    def _own_threshold(self, code: int, members: Mask) -> float:
        # From the odds of all rows: those that are not pruned are mistakes of the model too.
        return (
            contradiction_threshold(self._odds, self.false_alarm_rate)
            if np.count_nonzero(members) > 1
            else float(np.inf)
        )

    def _anomaly(self, X: Matrix, code: int) -> Array:
        table = probabilities(self.model_, X, np.arange(len(self.classes_)))
        return contradictions(table, np.full(len(table), code))
