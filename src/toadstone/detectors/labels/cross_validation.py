"""Cross-validation cleaning: flag the rows whose label models trained on other rows contradict."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.detectors.calibrated import Calibrated
from toadstone.detectors.labels.classifiers import CLASSIFIER, copies, stratified_folds, train
from toadstone.detectors.labels.pooled_odds import PooledOdds
from toadstone.detectors.labels.second_opinion import sampled
from toadstone.kernels.statistics.class_probabilities import contradictions, out_of_fold
from toadstone.sanitizers.scored import ClassScorer, draw_seed


class OutOfFold(PooledOdds):
    """A classifier trained on all rows to score new ones, and one for each fold to score the rows themselves."""

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

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        self.model_ = train(self.estimator, X, codes, np.arange(len(codes)))

    def _out_of_fold(self, X: Matrix, codes: IntArray) -> Array:
        """Return the probability of each class for each row, by a model that has not seen the row."""
        rng = np.random.default_rng(draw_seed(self.random_state))
        folds = stratified_folds(codes, copies(X), self.folds, rng)
        known = np.arange(len(self.classes_))
        table = out_of_fold(lambda rows: train(self.estimator, X, codes, rows), X, known, folds)
        rows = sampled(codes)
        self._compare(X, codes, table[rows], table[rows], rows)
        return table


class CrossValidationCleaning(OutOfFold, Calibrated, ClassScorer, BaseEstimator):
    """Flag the rows whose label is contradicted with confidence by a model that has not seen them.

    The method of Brodley and Friedl [1]_. Folds have equal shares of each
    class. A row is flagged only where another class is likelier than its own,
    and by more than the threshold. Attributes that all detectors have are
    those of `Calibrated`.

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
    model_ : classifier
        Trained on all rows, to score new ones.
    suspicion_ : ndarray of shape (n,)
        Log odds of the likeliest other class against a row's own, out of fold.
    thresholds_ : ndarray of shape (n_classes,)
        All equal and never negative, but infinite for a label that occurs once.

    References
    ----------
    .. [1] Brodley and Friedl, "Identifying mislabeled training data", JAIR
       11, 1999, section 3.

    Examples
    --------
    >>> X = np.concatenate([np.linspace(-3, -1, 50), np.linspace(1, 3, 50)])[:, None]
    >>> y = np.repeat(["ham", "spam"], 50)
    >>> y[7] = "spam"
    >>> CrossValidationCleaning().fit(X, y).flagged_indices_
    array([7])
    """

    def _fitted_suspicions(self, X: Matrix, codes: IntArray) -> Array:
        return contradictions(self._out_of_fold(X, codes), codes)
