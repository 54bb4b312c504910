"""Trusted bootstrap: grow a model from trusted rows, and flag the rows that contradict it."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Labels, Mask, Matrix
from toadstone.core.errors import InvalidData
from toadstone.detectors.calibrated import Calibrated
from toadstone.detectors.labels.classifiers import (
    CLASSIFIER,
    copies,
    shared,
    stratified_folds,
    train,
)
from toadstone.detectors.labels.pooled_odds import PooledOdds
from toadstone.kernels.statistics.class_probabilities import contradictions, out_of_fold, probabilities
from toadstone.kernels.statistics.row_digests import first_equal
from toadstone.sanitizers.scored import ClassScorer, draw_seed


class TrustedBootstrap(PooledOdds, Calibrated, ClassScorer, BaseEstimator):
    """Flag the rows that contradict a model grown from trusted rows.

    A model of some trusted rows admits the untrusted rows with whose label it
    agrees, the most confident first and a batch at a time. Each batch is
    validated on trusted rows that are never trained on: if the model with the
    batch makes significantly more mistakes on them than the one before, the
    batch is rejected and training ends.

    `fit` needs trusted rows, at least two of every class, none of them with a
    copy among the untrusted. Attributes that all detectors have are those of
    `Calibrated`.

    Parameters
    ----------
    estimator : classifier, optional
        Classifier to train; scikit-learn's logistic regression by default.
    batch : float, default=0.25
        Share of the untrusted rows to admit at a time.
    held_out : float, default=0.3
        Share of the trusted rows to validate on.
    folds : int, default=5
        Folds of the rows that were trained on; they are judged out of fold.
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    random_state : int, RandomState or None, default=0
        Seed of the held-out rows and the folds.

    Attributes
    ----------
    model_ : classifier
        Trained on the trusted rows that were not held out and on the
        admitted ones.
    admitted_share_ : float
        Share of the untrusted rows that were admitted.
    validation_errors_ : list of float
        Share of mistakes on the held-out trusted rows, before the first batch
        and after each that was kept.
    suspicion_ : ndarray of shape (n,)
        Log odds of the likeliest other class against a row's own; out of fold
        for rows that were trained on.
    thresholds_ : ndarray of shape (n_classes,)
        All equal and never negative, but infinite for a label that occurs once.

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

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        _check_trusted(X, self.classes_, codes, self._trusted)
        self._rng = np.random.default_rng(draw_seed(self.random_state))
        held_out = np.zeros_like(self._trusted)
        for code in range(len(self.classes_)):
            rows = self._rng.permutation(np.flatnonzero(self._trusted & (codes == code)))
            # At least one row of each class on either side.
            held_out[rows[: min(max(round(self.held_out * len(rows)), 1), len(rows) - 1)]] = True
        self._trained = self._trusted & ~held_out
        self._grow(X, codes, held_out)
        untrusted = np.count_nonzero(~self._trusted)
        admitted = np.count_nonzero(self._trained & ~self._trusted)
        self.admitted_share_ = float(admitted / untrusted) if untrusted else 1.0

    def _grow(self, X: Matrix, codes: IntArray, held_out: Mask) -> None:
        known = np.arange(len(self.classes_))
        test, labels = X[held_out], codes[held_out]
        batch = max(1, round(self.batch * np.count_nonzero(~self._trusted)))
        self.model_ = train(self.estimator, X, codes, np.flatnonzero(self._trained))
        wrong = contradictions(probabilities(self.model_, test, known), labels) > 0
        self.validation_errors_ = [float(wrong.mean())]
        while True:
            candidates = np.flatnonzero(~self._trained & ~held_out)
            if not candidates.size:
                return
            scores = contradictions(probabilities(self.model_, X[candidates], known), codes[candidates])
            agreeing = np.count_nonzero(scores < 0)
            if not agreeing:
                return
            admitted = candidates[np.argsort(scores, kind="stable")[: min(batch, agreeing)]]
            larger = self._trained.copy()
            larger[admitted] = True
            model = train(self.estimator, X, codes, np.flatnonzero(larger))
            wrong_now = contradictions(probabilities(model, test, known), labels) > 0
            # McNemar's test: of the rows on which two equally good models differ, each is right on half. A surplus of
            # two standard errors is significant.
            lost, won = np.count_nonzero(wrong_now & ~wrong), np.count_nonzero(wrong & ~wrong_now)
            if lost - won > 2 * np.sqrt(lost + won):
                return
            self.model_, self._trained, wrong = model, larger, wrong_now
            self.validation_errors_.append(float(wrong.mean()))

    def _own_thresholds(self, classes: list[Mask]) -> Array:
        return np.full(len(classes), np.inf)

    def _fitted_suspicions(self, X: Matrix, codes: IntArray) -> Array:
        known = np.arange(len(self.classes_))
        table = probabilities(self.model_, X, known)
        inside = np.flatnonzero(self._trained)
        rows, labels = X[inside], codes[inside]
        folds = stratified_folds(labels, copies(rows), self.folds, self._rng)
        # A model that has seen a row agrees with its label: trusted rows, which set the threshold, would all score low.
        table[inside] = out_of_fold(lambda some: train(self.estimator, rows, labels, some), rows, known, folds)
        # A held-out copy of a row is judged by another model than one that was trained on; the row has one suspicion.
        return shared(contradictions(table, codes), copies(X) * len(self.classes_) + codes)


def _check_trusted(X: Matrix, classes: Labels, codes: IntArray, trusted: Mask) -> None:
    for code, label in enumerate(classes):
        count = np.count_nonzero(trusted & (codes == code))
        if count < 2:
            raise InvalidData(f"trusted rows: expected at least two of class {label}, got {count}")
    copied = np.count_nonzero(first_equal(X[~trusted], X[trusted]) >= 0)
    if copied:
        raise InvalidData(
            f"trusted rows: expected none that occurs among the untrusted, got {copied} untrusted rows "
            "with the features of a trusted one; trust every copy or none"
        )
