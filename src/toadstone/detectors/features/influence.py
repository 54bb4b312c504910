"""Suspect the rows without which a model would predict other rows better."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.errors import InvalidData
from toadstone.detectors.calibrated import Calibrated
from toadstone.detectors.labels.classifiers import check_two_classes, copies, stratified_folds
from toadstone.kernels.influence.leave_one_out import TrainedHead, influence_along
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import LOGISTIC, SigmoidLoss
from toadstone.kernels.statistics.class_probabilities import SMALLEST
from toadstone.kernels.statistics.label_noise import label_noise

_ACCURACY, _SAFETY = 1e-7, 0.5

# The probability of a wrong label: bounded unlike the loss, so that wrong labels held out weigh little.
_WRONG = SigmoidLoss(1.0)


@dataclass(frozen=True, eq=False)
class _Probe:
    """One class against the rest: its model, and which way held-out rows pull it."""

    head: TrainedHead
    pull: Array
    code: int


class InfluenceDetector(Calibrated, BaseEstimator):
    """Score rows by how much they raise the error on training rows held out.

    The rows are dealt into folds, copies of a row into the same. Each fold in
    turn is a probe: a linear model is trained on the others, and by influence
    functions [1]_ every one of its rows gets the fall of the probe's error
    that leaving it out would bring, times the number of rows trained on. The
    error is the mean probability of a wrong label. A row's suspicion is the
    mean over the folds that it is not in. Test rows are not involved. Several
    classes are trained one against the rest and their errors added.

    Where classes overlap, clean rows do harm as well. The threshold of a class
    is the suspicion that half the promised share of its rows would exceed if
    labels were drawn by the chances that models give them which have not seen
    the row, made honest by one temperature (`label_noise`).

    Wrong labels raise the error. The rows of a backdoor need
    not, for no held-out clean row has the trigger.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that it may flag, in (0, 0.1].
    ridge : float, default=0.01
        Penalty of the model for each row, bias included.
    folds : int, default=5
        From 3.
    random_state : int, RandomState or None, default=0
        Of the folds.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted labels.
    suspicion_ : ndarray of shape (n,)
        Larger is more suspicious; negative for rows that help.
    thresholds_ : ndarray of shape (n_classes,)
        Suspicion beyond which a row of each class is flagged.
    flagged_indices_ : ndarray of int
        Flagged rows, ascending.
    reasons_ : list of str
        Why each of them was flagged.
    false_alarm_rate_, smallest_detectable_share_ : float
        The share of clean rows that may be flagged, and the smallest share of
        flagged rows that chance does not explain.
    sample_indices_, removed_indices_ : ndarray of int
        Rows that `fit_resample` kept and removed, ascending.
    n_features_in_ : int
        Number of columns.

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
    _measure: ClassVar[str] = "the fall of held-out rows' error without it"

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

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that labels are needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        check_two_classes(self.classes_)
        groups, seed = copies(X), check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        self._probes: list[_Probe] = []
        self._n_models = 0
        totals, counts = np.zeros(len(codes)), np.zeros(len(codes))
        beliefs = np.zeros((len(codes), len(self.classes_)))
        for rest, probe in stratified_folds(codes, groups, self.folds, np.random.default_rng(seed)):
            if len(np.unique(codes[rest])) < 2:
                continue
            made = self._train(X[rest], codes[rest], X[probe], codes[probe])
            totals[rest] -= len(rest) * sum(influence_along(one.pull, X[rest]) * one.head.steps for one in made)
            counts[rest] += 1
            beliefs[probe] = self._beliefs(made, X[probe])
            self._probes += made
            self._n_models += 1
        if not self._probes:
            different = int(groups.max()) + 1
            raise InvalidData(
                f"rows: expected different ones of two classes to hold some out, got {different} different"
            )
        self._learned = _shared(totals / np.maximum(counts, 1), groups * len(self.classes_) + codes)
        self._expected = _beyond(self._anomalies(X), _honest(beliefs, codes), _SAFETY * self.false_alarm_rate)

    def _train(self, X: Matrix, codes: IntArray, probe: Matrix, probe_codes: IntArray) -> list[_Probe]:
        """The models of one fold, a single one for two classes."""
        n_classes, made = len(self.classes_), []
        for code in [1] if n_classes == 2 else np.unique(codes).tolist():
            signs, probe_signs = (np.where(some == code, 1.0, -1.0) for some in (codes, probe_codes))
            theta = fit_linear(X, signs, loss=LOGISTIC, ridge=self.ridge, tolerance=_ACCURACY).theta
            head = TrainedHead(X, signs, theta, LOGISTIC, self.ridge)
            made.append(_Probe(head, head.pull(probe, probe_signs, _WRONG), code))
        return made

    def _beliefs(self, made: list[_Probe], X: Matrix) -> Array:
        """The probability of each class by models of one fold, shape (n, n_classes)."""
        table = np.zeros((X.shape[0], len(self.classes_)))
        for one in made:
            table[:, one.code] = expit(X @ one.head.theta[:-1] + one.head.theta[-1])
        if len(self.classes_) == 2:
            table[:, 0] = 1 - table[:, 1]
        return np.asarray(table / table.sum(axis=1, keepdims=True))

    def _suspicions(self, X: Matrix, codes: IntArray) -> Array:
        return self._learned

    def _threshold(self, code: int, scores: Array) -> float:
        # A class whose bulk has no spread does not tell what an outlier is.
        return float(self._expected[code]) if np.isfinite(super()._threshold(code, scores)) else float(np.inf)

    def _anomaly(self, X: Matrix, code: int) -> Array:
        """How much each row would harm if it were trained on too, under one label."""
        found = np.zeros(X.shape[0])
        for one in self._probes:
            signs = np.full(X.shape[0], 1.0 if code == one.code else -1.0)
            found -= influence_along(one.pull, X) * one.head.slopes(X, signs)
        return found / self._n_models


def _honest(beliefs: Array, codes: IntArray) -> Array:
    """Beliefs of models that are neither too sure of themselves nor too modest."""
    logs = np.log(np.maximum(beliefs, SMALLEST))
    others = logs.copy()
    others[np.arange(len(codes)), codes] = -np.inf
    odds = others.max(axis=1) - logs[np.arange(len(codes)), codes]
    return np.asarray(softmax(logs / label_noise(odds).temperature, axis=1))


def _beyond(table: Array, beliefs: Array, share: float) -> Array:
    """The suspicion that a share of rows with each label would exceed, were labels drawn from beliefs."""
    found = np.empty(table.shape[1])
    for code in range(table.shape[1]):
        order = np.argsort(-table[:, code], kind="stable")
        weights = np.cumsum(beliefs[order, code])
        place = np.searchsorted(weights, share * weights[-1], side="right")
        found[code] = table[order[min(place, len(order) - 1)], code]
    return found


def _shared(values: Array, groups: IntArray) -> Array:
    """The mean of each group, so that the order of copies decides nothing."""
    _, position, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray((np.bincount(position, weights=values) / sizes)[position])
