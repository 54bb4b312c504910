"""Start from rows that are trusted, and admit the rows that agree with them."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Labels, Mask, Matrix
from toadstone.core.errors import InvalidData
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
from toadstone.kernels.statistics.row_digests import first_equal


class TrustedBootstrap(PooledOdds, Calibrated, BaseEstimator):
    """Flag the rows that contradict a model grown from trusted rows.

    A model of some trusted rows admits the untrusted rows with whose label it
    agrees, the surest first and a batch at a time. Before a batch stays, the
    model that it leads to is tried on the trusted rows that were held out and
    never trained on: where it makes more mistakes than before, by more than
    chance explains, the batch is sent back and the growth ends.

    It takes trusted rows to be fitted, two at least of every class, none of
    them with a copy among the untrusted.

    Parameters
    ----------
    estimator : classifier, optional
        What to train; scikit-learn's logistic regression by default.
    batch : float, default=0.25
        Share of the untrusted rows to admit at a time.
    held_out : float, default=0.3
        Share of the trusted rows to validate on.
    folds : int, default=5
        Rows that were trained on are judged out of fold.
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged.
    random_state : int, RandomState or None, default=0
        Of the held-out rows and the folds.

    Attributes
    ----------
    model_ : classifier
        Trained on the trusted rows that were not held out and on the
        admitted ones.
    admitted_share_ : float
        Of the untrusted rows.
    validation_errors_ : list of float
        Share of mistakes on the held-out trusted rows, before the first batch
        and after each that stayed.
    classes_ : ndarray of shape (n_classes,)
    suspicion_ : ndarray of shape (n,)
        Log odds of the likeliest other class against a row's own; out of fold
        for rows that were trained on.
    thresholds_ : ndarray of shape (n_classes,)
        All equal and never negative, but infinite for a label that occurs once.
    flagged_indices_, sample_indices_, removed_indices_ : ndarray of int
        Rows of the data as given to `fit`; the latter two after `fit_resample`.
    reasons_ : list of str
    false_alarm_rate_, smallest_detectable_share_ : float
    n_features_in_ : int

    Examples
    --------
    >>> X = np.concatenate([np.linspace(-3, -1, 300), np.linspace(1, 3, 300)])[:, None]
    >>> y = np.repeat(["ham", "spam"], 300)
    >>> y[7] = "spam"
    >>> TrustedBootstrap().fit(X, y, trusted=np.arange(100, 500)).flagged_indices_
    array([7])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Calibrated._parameter_constraints,
        "estimator": CLASSIFIER,
        "batch": [Interval(Real, 0, 1, closed="right")],
        "held_out": [Interval(Real, 0, 1, closed="neither")],
        "folds": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }
    needs_trusted: ClassVar[bool] = True
    _measure: ClassVar[str] = "log odds of another class by what agrees with trusted rows"

    def __init__(
        self,
        *,
        estimator: Any = None,
        batch: float = 0.25,
        held_out: float = 0.3,
        folds: int = 5,
        false_alarm_rate: float = 0.02,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.estimator = estimator
        self.batch = batch
        self.held_out = held_out
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
        _check_trusted(X, self.classes_, codes, self._clean)
        rng = np.random.default_rng(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        held = np.zeros_like(self._clean)
        for code in range(len(self.classes_)):
            rows = rng.permutation(np.flatnonzero(self._clean & (codes == code)))
            held[rows[: min(max(round(self.held_out * len(rows)), 1), len(rows) - 1)]] = True
        self._rng, self._trained = rng, self._clean & ~held
        self._grow(X, codes, held)
        untrusted = np.count_nonzero(~self._clean)
        self.admitted_share_ = float(np.count_nonzero(self._trained & ~self._clean) / untrusted) if untrusted else 1.0

    def _grow(self, X: Matrix, codes: IntArray, held: Mask) -> None:
        known = np.arange(len(self.classes_))
        judge, quiz = X[held], codes[held]
        batch = max(1, round(self.batch * np.count_nonzero(~self._clean)))
        self.model_ = train(self.estimator, X, codes, np.flatnonzero(self._trained))
        wrong = contradictions(probabilities(self.model_, judge, known), quiz) > 0
        self.validation_errors_ = [float(wrong.mean())]
        while True:
            candidates = np.flatnonzero(~self._trained & ~held)
            if not candidates.size:
                return
            scores = contradictions(probabilities(self.model_, X[candidates], known), codes[candidates])
            agreeing = np.count_nonzero(scores < 0)
            if not agreeing:
                return
            surest = candidates[np.argsort(scores, kind="stable")[: min(batch, agreeing)]]
            larger = self._trained.copy()
            larger[surest] = True
            model = train(self.estimator, X, codes, np.flatnonzero(larger))
            worse = contradictions(probabilities(model, judge, known), quiz) > 0
            # Of rows on which two models differ, a fair coin would favour either: two standard errors are too many.
            lost, won = np.count_nonzero(worse & ~wrong), np.count_nonzero(wrong & ~worse)
            if lost - won > 2 * np.sqrt(lost + won):
                return
            self.model_, self._trained, wrong = model, larger, worse
            self.validation_errors_.append(float(wrong.mean()))

    def _suspicions(self, X: Matrix, codes: IntArray) -> Array:
        known = np.arange(len(self.classes_))
        table = probabilities(self.model_, X, known)
        inside = np.flatnonzero(self._trained)
        rows, own = X[inside], codes[inside]
        folds = stratified_folds(own, copies(rows), self.folds, self._rng)
        # A row must not vouch for itself, least of all one that sets the threshold.
        table[inside] = out_of_fold(lambda some: train(self.estimator, rows, own, some), rows, known, folds)
        return contradictions(table, codes)

    def _anomaly(self, X: Matrix, code: int) -> Array:
        table = probabilities(self.model_, X, np.arange(len(self.classes_)))
        return contradictions(table, np.full(len(table), code))


def _check_trusted(X: Matrix, classes: Labels, codes: IntArray, clean: Mask) -> None:
    for code, label in enumerate(classes):
        count = np.count_nonzero(clean & (codes == code))
        if count < 2:
            raise InvalidData(f"trusted rows: expected two at least of class {label}, got {count}")
    twins = np.count_nonzero(first_equal(X[~clean], X[clean]) >= 0)
    if twins:
        raise InvalidData(
            f"trusted rows: expected none that occurs among the untrusted, got {twins} untrusted rows "
            "with the features of a trusted one; trust every copy or none"
        )
