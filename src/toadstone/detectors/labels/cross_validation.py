"""Remove the rows whose label models trained on other rows contradict."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Matrix
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


class CrossValidationCleaning(PooledOdds, Calibrated, BaseEstimator):
    """Flag the rows of whose label a model that has not seen them is confident that it is wrong.

    Folds have the same shares of classes. A row is flagged only where
    another class is likelier than its own, and by more than the threshold.

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
    model_ : classifier
        Trained on all rows, to score new ones.
    classes_ : ndarray of shape (n_classes,)
    suspicion_ : ndarray of shape (n,)
        Log odds of the likeliest other class against a row's own, out of fold.
    thresholds_ : ndarray of shape (n_classes,)
        All equal and never negative, but infinite for a label that occurs once.
    flagged_indices_, sample_indices_, removed_indices_ : ndarray of int
        Rows of the data as given to `fit`; the latter two after `fit_resample`.
    reasons_ : list of str
    false_alarm_rate_, smallest_detectable_share_ : float
    n_features_in_ : int

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
        return contradictions(out_of_fold(lambda rows: train(self.estimator, X, codes, rows), X, known, folds), codes)

    def _anomaly(self, X: Matrix, code: int) -> Array:
        table = probabilities(self.model_, X, np.arange(len(self.classes_)))
        return contradictions(table, np.full(len(table), code))
