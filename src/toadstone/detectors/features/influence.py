"""Influence functions: flag the rows without which a model would predict held-out rows better."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.core.errors import InvalidData
from toadstone.detectors.calibrated import Calibrated
from toadstone.detectors.labels.classifiers import copies, shared, stratified_folds
from toadstone.detectors.labels.second_opinion import sampled, second_opinion
from toadstone.kernels.influence.leave_one_out import TrainedHead, influence_along
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import LOGISTIC, SigmoidLoss
from toadstone.kernels.statistics.thresholds import tail_threshold
from toadstone.sanitizers.scored import ClassScorer, draw_seed

_ACCURACY, _SAFETY = 1e-7, 0.5
_FEW_CLASSES = 50

# The probability of a wrong label is bounded, unlike the loss: wrong labels among the held-out rows weigh little.
_WRONG = SigmoidLoss(1.0)


@dataclass(frozen=True, eq=False)
class _Probe:
    """The model of one class against the rest, and the gradient of the held-out error at it."""

    head: TrainedHead
    pull: Array
    code: int


class InfluenceDetector(Calibrated, ClassScorer, BaseEstimator):
    """Flag the rows that raise the error on held-out training rows.

    The rows are dealt into folds, copies of a row into the same. For each fold
    a linear model is trained on the others, and influence functions [1]_ give
    for each of its rows the fall of the error on the fold if the row were left
    out, times the number of rows trained on. The error is the mean probability
    of a wrong label. A row's suspicion is the mean over the folds that it is
    not in. Test rows are not used. Several classes are trained one against
    the rest and their errors added.

    Where classes overlap, clean rows raise the error too. The threshold of a
    class is the suspicion that half of the false-alarm rate of its rows would
    exceed if labels were drawn from the probabilities of models that have not
    seen the row, calibrated by one temperature (`label_noise`).

    Wrong labels raise the error. The rows of a backdoor may not, for no clean
    held-out row has the trigger. Attributes that all detectors have are those
    of `Calibrated`.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    ridge : float, default=0.01
        Penalty of the model for each row, bias included.
    folds : int, default=5
        Number of folds, from 3; with more than 50 classes there are 3.
    random_state : int, RandomState or None, default=0
        Seed of the folds.

    Attributes
    ----------
    suspicion_ : ndarray of shape (n,)
        Fall of the error without the row; negative for rows that help.

    References
    ----------
    .. [1] Koh and Liang, "Understanding black-box predictions via influence
       functions", ICML 2017, sections 2 and 5.4.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.resize([0, 1], 200)
    >>> X = rng.normal(size=(200, 2)) + 6 * y[:, None]
    >>> y[:3] = 1 - y[:3]
    >>> np.sort(np.argsort(-InfluenceDetector().fit(X, y).suspicion_)[:3])
    array([0, 1, 2])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Calibrated._parameter_constraints,
        "ridge": [Interval(Real, 0, None, closed="neither")],
        "folds": [Interval(Integral, 3, None, closed="left")],
        "random_state": ["random_state"],
    }
    needs_labels: ClassVar[bool] = True
    _measure: ClassVar[str] = "fall of the error on held-out rows without it"

    def __init__(
        self,
        *,
        false_alarm_rate: float = 0.02,
        ridge: float = 0.01,
        folds: int = 5,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.false_alarm_rate = false_alarm_rate
        self.ridge = ridge
        self.folds = folds
        self.random_state = random_state

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        groups, seed = copies(X), draw_seed(self.random_state)
        self._probes: list[_Probe] = []
        self._n_models = 0
        totals, counts = np.zeros(len(codes)), np.zeros(len(codes))
        chances = np.zeros((len(codes), len(self.classes_)))
        folds = self.folds if len(self.classes_) <= _FEW_CLASSES else 3
        for rest, probe in stratified_folds(codes, groups, folds, np.random.default_rng(seed)):
            if len(np.unique(codes[rest])) < 2:
                continue
            models = self._train(X[rest], codes[rest], X[probe], codes[probe])
            totals[rest] -= len(rest) * sum(influence_along(one.pull, X[rest]) * one.head.steps for one in models)
            counts[rest] += 1
            chances[probe] = self._chances(models, X[probe])
            self._probes += models
            self._n_models += 1
        if not self._probes:
            different = int(groups.max()) + 1
            raise InvalidData(
                f"rows: expected different ones of two classes to hold some out, got {different} different"
            )
        self._learned = shared(totals / np.maximum(counts, 1), groups * len(self.classes_) + codes)
        rows = sampled(codes)
        self._opinion = second_opinion(X, codes, chances[rows], rows)
        self._misfit = self._opinion.misfit
        expected = self._class_suspicions(X[rows])
        self._expected = _beyond(expected, self._opinion.noise.chances, _SAFETY * self.false_alarm_rate)

    def _train(self, X: Matrix, codes: IntArray, probe: Matrix, probe_codes: IntArray) -> list[_Probe]:
        """Train the models of one fold, a single one for two classes."""
        n_classes, models = len(self.classes_), []
        for code in [1] if n_classes == 2 else np.unique(codes).tolist():
            signs, probe_signs = (np.where(some == code, 1.0, -1.0) for some in (codes, probe_codes))
            theta = fit_linear(X, signs, loss=LOGISTIC, ridge=self.ridge, tolerance=_ACCURACY).theta
            head = TrainedHead(X, signs, theta, LOGISTIC, self.ridge)
            models.append(_Probe(head, head.pull(probe, probe_signs, _WRONG), code))
        return models

    def _chances(self, models: list[_Probe], X: Matrix) -> Array:
        """Return the probability of each class by the models of one fold, shape (n, n_classes)."""
        table = np.zeros((X.shape[0], len(self.classes_)))
        for one in models:
            table[:, one.code] = expit(X @ one.head.theta[:-1] + one.head.theta[-1])
        if len(self.classes_) == 2:
            table[:, 0] = 1 - table[:, 1]
        return np.asarray(table / table.sum(axis=1, keepdims=True))

    def _fitted_suspicions(self, X: Matrix, codes: IntArray) -> Array:
        return self._learned

    def _own_threshold(self, code: int, members: Mask) -> float:
        # Without any spread in the bulk of a class every other score would be an outlier.
        spread = np.isfinite(tail_threshold(self.suspicion_[members], self.false_alarm_rate))
        return float(self._expected[code]) if spread else float(np.inf)

    def _accounts_for(self, X: Matrix, code: int, beyond: Mask) -> bool:
        return self._opinion.noise.at_least > self.false_alarm_rate

    def _class_suspicions(self, X: Matrix) -> Array:
        """Return the rise of the error if each row were trained on too, under each label; shape (n, n_classes)."""
        n = X.shape[0]
        found, rest = np.zeros((n, len(self.classes_))), np.zeros(n)
        # Under most labels a row is one of the rest to a model: that sum is shared, and its own class corrects it.
        for one in self._probes:
            along = influence_along(one.pull, X)
            outside = along * one.head.slopes(X, np.full(n, -1.0))
            found[:, one.code] -= along * one.head.slopes(X, np.ones(n)) - outside
            rest -= outside
        return np.asarray((found + rest[:, None]) / self._n_models)


def _beyond(table: Array, chances: Array, share: float) -> Array:
    """Return the suspicion that a share of the rows of each label would exceed if labels were drawn at random.

    Every row counts for every label with its probability, so that the labels
    given, some of them wrong, do not set the threshold.
    """
    found = np.empty(table.shape[1])
    for code in range(table.shape[1]):
        order = np.argsort(-table[:, code], kind="stable")
        weights = np.cumsum(chances[order, code])
        place = np.searchsorted(weights, share * weights[-1], side="right")
        found[code] = table[order[min(place, len(order) - 1)], code]
    return found
