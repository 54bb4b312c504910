"""The verdict on numeric targets: the probability that each is wrong, and the value that its row suggests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import validate_data

from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.core.dataset import as_matrix
from toadstone.detectors.targets.stack import Stack, predict_out_of_fold
from toadstone.kernels.regression.intervals import conformal_ends
from toadstone.kernels.regression.target_floor import FloorFit, fit_floor
from toadstone.kernels.regression.targets import check_targets
from toadstone.kernels.rows import canonical_form, value_order
from toadstone.sanitizers.labelled import trusted_mask
from toadstone.sanitizers.scored import select_rows

_LEAST_LOG_RATIO, _HIGHEST_RATE, _SHORT = 3.0, 0.3, 0.01
_LEAST_SEEN = 0.5
_ROUNDS = 3


@dataclass(frozen=True)
class TargetEvidence:
    """Evidence for wrong targets, apart from which rows they are.

    Parameters
    ----------
    rate : float
        Estimated share of wrong targets.
    interval : tuple of float
        Its 95 % profile-likelihood interval.
    log_ratio : float
        Log-likelihood ratio of a floor of wrong targets against none, less
        the penalty of BIC; above zero the data prefer a floor.
    supported : bool
        True if the data prefer a floor by odds of 20 to 1 (a ratio above 3), or
        at all where at most 1 % of the rows are listed; one below 30 %: from
        there on it cannot be told from a second kind of rows; and one that the
        list has at least half of: where most targets that would be wrong are
        within the usual error, the shape of the errors alone speaks for them.
    explained : float
        One less the median error of the predictions over the median distance
        of the targets from their median; zero where that is negative.
    """

    rate: float
    interval: tuple[float, float]
    log_ratio: float
    supported: bool
    explained: float


class TargetVerdict(BaseEstimator):
    """Flag the targets that are wrong more likely than not.

    Ridge, a random forest and nearest neighbours predict each target without
    having seen it; a robust combination of them leaves residuals, and a
    forest the scale of residuals like each. The residuals are a mixture of a
    core, whose tails may be heavy and skewed, and of a floor of arbitrary
    values over the range of the targets (`fit_floor`). The floor counts as
    found where the evidence supports it (`TargetEvidence`). Learners are then trained again without
    the rows that are flagged, twice at most.

    Parameters
    ----------
    estimators : sequence of regressor, default=()
        Further learners for the combination.
    level : float, default=0.9
        Of the interval of a suggested value, in (0, 1).
    random_state : int, RandomState or None, default=0
        Seed of the folds and of the forests.

    Attributes
    ----------
    wrong_probability_ : ndarray of shape (n,)
        That each target is wrong, given the floor.
    suggested_ : ndarray of shape (n,)
        Value that the other rows suggest.
    lower_, upper_ : ndarray of shape (n,)
        Conformal interval about it, from the rows that are not flagged.
    evidence_ : TargetEvidence
    flagged_indices_ : ndarray of int
        Rows with a probability above one half, the most suspicious first;
        none where the evidence does not support a floor.
    review_indices_ : ndarray of int
        The same rows where it does not.
    expected_innocents_ : float
        Expected number of right targets among the flagged rows.
    reasons_ : list of str
        One sentence for each flagged row.
    learner_weights_ : dict from str to float
        Weights in the combination.
    suspicion_ : ndarray of shape (n,)
        The probabilities, as other detectors name it.
    sample_indices_, removed_indices_ : ndarray of int
        Rows that `fit_resample` kept and removed, ascending.
    n_features_in_ : int

    Examples
    --------
    >>> X = np.linspace(0, 10, 120)[:, None]
    >>> y = 3 * X[:, 0] + np.sin(7 * X[:, 0])
    >>> y[40] = 60.0
    >>> TargetVerdict().fit(X, y).flagged_indices_
    array([40])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimators": ["array-like", tuple, list],
        "level": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }
    needs_trusted: ClassVar[bool] = False

    def __init__(
        self,
        *,
        estimators: Any = (),
        level: float = 0.9,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.estimators = estimators
        self.level = level
        self.random_state = random_state

    def fit(self, X: Matrix, y: Array, *, trusted: IntArray | Mask | None = None) -> Self:
        """Judge every target.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,)
            Numbers.
        trusted : ndarray of int or bool, optional
            Rows known to be right, by position or as a mask: never flagged,
            always trained on, and known to the floor.

        Returns
        -------
        TargetVerdict
            Itself.

        Raises
        ------
        InvalidArgument
            If `trusted` names rows that do not exist.
        InvalidData
            If there are fewer than 20 rows, or all targets are equal.
        """
        self._validate_params()
        checked, targets = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64, y_numeric=True)
        matrix, targets = canonical_form(as_matrix(checked)), np.asarray(targets, dtype=np.float64)
        check_targets(targets, "targets")
        mask = trusted_mask(trusted, len(targets))
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        # Folds and forests see rows in the order of their values, so that the caller's order is irrelevant.
        order = value_order(matrix, targets)
        stack, fit = self._rounds(matrix[order], targets[order], mask[order], seed)
        back = np.empty(len(order), dtype=np.int64)
        back[order] = np.arange(len(order))
        self._decide(targets, Stack(stack.predicted[back], stack.local[back], dict(stack.weights)), fit, back)
        return self

    def fit_resample(self, X: Matrix, y: Array, *, trusted: IntArray | Mask | None = None) -> tuple[Matrix, Any]:
        """Fit, and remove the flagged rows; as the other detectors do."""
        self.fit(X, y, trusted=trusted)
        self.removed_indices_ = np.sort(self.flagged_indices_)
        self.sample_indices_ = np.setdiff1d(np.arange(len(self.suspicion_)), self.removed_indices_)
        return select_rows(X, y, self.sample_indices_)

    def _rounds(self, X: Matrix, y: Array, trusted: Mask, seed: int) -> tuple[Stack, FloorFit]:
        extra: Mapping[str, Any] = {f"estimator {place}": one for place, one in enumerate(self.estimators, start=1)}
        kept = np.ones(len(y), dtype=bool)
        for _ in range(_ROUNDS):
            stack = predict_out_of_fold(X, y, kept, extra=extra, seed=seed)
            fit = fit_floor(y, stack.predicted, stack.local, trusted)
            left = (fit.wrong <= 0.5) if _is_supported(fit) else np.ones(len(y), dtype=bool)
            if np.array_equal(left, kept):
                break
            kept = left
        return stack, fit

    def _decide(self, y: Array, stack: Stack, fit: FloorFit, back: IntArray) -> None:
        wrong = fit.wrong[back]
        supported = _is_supported(fit)
        self.wrong_probability_ = self.suspicion_ = wrong
        self.evidence_ = TargetEvidence(
            fit.rate, fit.interval, fit.log_ratio, supported, _explained(y, stack.predicted)
        )
        self.learner_weights_ = stack.weights
        listed = np.flatnonzero(wrong > 0.5)
        far = np.abs(y - stack.predicted) / stack.local
        listed = listed[np.lexsort((-far[listed], -wrong[listed]))]
        nobody = listed[:0]
        self.flagged_indices_: IntArray = listed if supported else nobody
        self.review_indices_: IntArray = nobody if supported else listed
        self.expected_innocents_ = float(np.sum(1 - wrong[self.flagged_indices_]))
        scale = stack.local**fit.core.follows
        right = wrong <= 0.5
        low, high = conformal_ends(((y - stack.predicted) / scale)[right], self.level)
        self.suggested_ = stack.predicted
        self.lower_, self.upper_ = stack.predicted + low * scale, stack.predicted + high * scale
        self.reasons_ = [
            f"the target is {y[row]:.6g}; the other rows suggest {self.suggested_[row]:.6g} "
            f"({self.lower_[row]:.6g} to {self.upper_[row]:.6g})"
            for row in self.flagged_indices_
        ]


def _is_supported(fit: FloorFit) -> bool:
    listed = fit.wrong > 0.5
    short = np.count_nonzero(listed) <= max(1, _SHORT * len(listed))
    apart = float(fit.wrong[listed].sum()) >= _LEAST_SEEN * float(fit.wrong.sum())
    return apart and fit.rate < _HIGHEST_RATE and fit.log_ratio > (0 if short else _LEAST_LOG_RATIO)


def _explained(y: Array, predicted: Array) -> float:
    apart = float(np.median(np.abs(y - np.median(y))))
    # Most targets may be equal, and then their median hits most of them.
    return max(0.0, 1 - float(np.median(np.abs(y - predicted))) / apart) if apart else 0.0
