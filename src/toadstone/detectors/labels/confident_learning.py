"""Confident learning: flag the rows whose label is likely an error."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.detectors.calibrated import Calibrated
from toadstone.detectors.labels.cross_validation import OutOfFold
from toadstone.kernels.statistics.class_probabilities import contradictions
from toadstone.kernels.statistics.confident_learning import calibrated_joint, confident_joint, prune_by_noise_rate
from toadstone.sanitizers.scored import ClassScorer


class ConfidentLearning(OutOfFold, Calibrated, ClassScorer, BaseEstimator):
    """Flag the rows that confident learning counts as label errors, if they are beyond the threshold.

    Probabilities out of fold are compared with the mean probability of each
    class over the rows of its label. The counts that result, scaled to the
    labels, estimate how many rows of each label belong to each other class
    [1]_, and as many of the least likely rows are candidates. Candidates
    beyond the threshold are flagged: on clean data hard rows are candidates
    too. Attributes that all detectors have are those of `Calibrated`.

    Parameters
    ----------
    estimator : classifier, optional
        Classifier to train; scikit-learn's logistic regression by default.
    folds : int, default=5
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    random_state : int, RandomState or None, default=0
        Seed of the folds.

    Attributes
    ----------
    joint_ : ndarray of shape (n_classes, n_classes)
        Expected number of rows by label (down) and true class (across).
    model_ : classifier
        Trained on all rows, to score new ones.
    suspicion_ : ndarray of shape (n,)
        Log odds of the likeliest other class against a row's own, out of
        fold; not positive for rows that are no candidates.
    thresholds_ : ndarray of shape (n_classes,)
        All equal and never negative, but infinite for a label that occurs once.

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

    def _fitted_suspicions(self, X: Matrix, codes: IntArray) -> Array:
        table = self._out_of_fold(X, codes)
        self.joint_ = calibrated_joint(confident_joint(table, codes), codes)
        self._odds = contradictions(table, codes)
        candidates = prune_by_noise_rate(table, codes, self.joint_)
        return np.where(candidates, self._odds, np.minimum(self._odds, 0.0))

    def _own_thresholds(self, classes: list[Mask]) -> Array:
        # The odds of all rows set it: rows that are contradicted but no candidates are mistakes of the model too.
        return self._pooled(classes, self._odds)
