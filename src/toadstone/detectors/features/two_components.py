"""SCAn: flag the rows of a second group within a class, of which trusted rows are a small share."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.covariance import ledoit_wolf
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.detectors.calibrated import Calibrated
from toadstone.kernels.statistics.principal_axes import PrincipalAxes, principal_axes
from toadstone.kernels.statistics.thresholds import careful_share, trusted_threshold
from toadstone.kernels.statistics.two_components import TwoComponents, two_components
from toadstone.sanitizers.labelled import memberships
from toadstone.sanitizers.scored import ClassScorer

_FEWEST_COMPARED = 5
_ROWS_PER_AXIS = 10
_LEARNED_OF = 4
_LEAST_INDEX = float(np.exp(2))
_MAD_OF_NORMAL = 1.4826
_ROUNDING = 1e-10


@dataclass(frozen=True, eq=False)
class Decomposition:
    """The two groups of a class, in whitened coordinates.

    Parameters
    ----------
    principal : PrincipalAxes
    whitening : ndarray of shape (k, r)
    groups : TwoComponents
    foreign : int
        The group of which the trusted rows of the class are the smaller
        share; the smaller group where there are none.
    """

    principal: PrincipalAxes
    whitening: Array
    groups: TwoComponents
    foreign: int

    def suspicion(self, X: Matrix) -> Array:
        """Return the log odds of the foreign group, zero where there is a single one, shape (n,)."""
        if not self.groups.likelihood_ratio:
            return np.zeros(X.shape[0])
        return self.groups.log_odds(self.principal.coordinates(X) @ self.whitening, self.foreign)


class SCAn(Calibrated, ClassScorer, BaseEstimator):
    """Flag the rows of a second group within their class, if trusted rows are seldom like it.

    The rows of a class are a mixture of two groups that vary about their
    means as the rows of all classes do [1]_, by the likeliest split. A row's
    suspicion is the log odds of the group of which trusted rows are the
    smaller share; the threshold of a class comes from its
    trusted rows alone, so that natural groups, which they show too, are not
    flagged. The paper flags a class whose likelihood ratio is an outlier among
    those of all classes; where there are five classes or more that is asked
    for too. A class of few trusted rows is not judged.

    The paper learns the common covariance from trusted rows alone, and
    therefore needs many. Here it is that of all rows about the means of their
    class, shrunk after Ledoit and Wolf, once more when a class is split.
    Every fourth trusted row tells which group is foreign, the others set the
    threshold of their class, which takes ``1 / false_alarm_rate - 1`` of them.
    `fit` needs trusted rows. Attributes that all detectors have are those of
    `Calibrated`.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    n_components : int, default=50
        Principal axes of each class at most, and no more than a tenth of its
        rows.

    Attributes
    ----------
    decompositions_ : list of Decomposition
        For each class.
    anomaly_index_ : ndarray of shape (n_classes,)
        Distance of a class's likelihood ratio from the median of all classes,
        in deviations; the paper flags classes above e squared, 7.39.
    suspicion_ : ndarray of shape (n,)
        Log odds of the foreign group, of each training row.

    References
    ----------
    .. [1] Tang, Wang, Tang and Zhang, "Demon in the variant: statistical
       analysis of DNNs for robust backdoor contamination detection", USENIX
       Security 2021, sections 5.1 to 5.3.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(800, 6)), np.arange(800) % 2
    >>> X[:40:2] += 3
    >>> found = SCAn().fit(X, y, trusted=np.arange(400, 800))
    >>> np.isin(np.arange(0, 40, 2), found.flagged_indices_).all()
    np.True_
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Calibrated._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left")],
    }
    needs_trusted: ClassVar[bool] = True
    _measure: ClassVar[str] = "log odds of a second group of its class"

    def __init__(self, *, false_alarm_rate: float = 0.02, n_components: int = 50) -> None:
        self.false_alarm_rate = false_alarm_rate
        self.n_components = n_components

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        classes = memberships(codes)
        learned = np.zeros_like(self._trusted)
        for members in classes:
            learned[np.flatnonzero(members & self._trusted)[::_LEARNED_OF]] = True
        # In the order of the caller, for the thresholds.
        self._learned = np.zeros_like(learned)
        self._learned[self._order] = learned
        self._shown = learned
        self.decompositions_ = [self._decompose(X, codes, code) for code in range(len(classes))]
        ratios = np.array([found.groups.likelihood_ratio for found in self.decompositions_])
        k = np.array([max(1, found.whitening.shape[1]) for found in self.decompositions_])
        # Of chi-square statistics with k degrees of freedom, as nearly normal ones (the paper's equation 8).
        standardised = (ratios - k) / np.sqrt(2 * k)
        away = np.abs(standardised - np.median(standardised))
        self.anomaly_index_ = away / max(_MAD_OF_NORMAL * float(np.median(away)), _ROUNDING)

    def _decompose(self, X: Matrix, codes: IntArray, code: int) -> Decomposition:
        own = codes == code
        rank = min(self.n_components, int(np.count_nonzero(own)) // _ROWS_PER_AXIS)
        principal = principal_axes(X[own], max(1, rank))
        points = principal.coordinates(X)
        away = points - np.stack([points[members].mean(axis=0) for members in memberships(codes)])[codes]
        whitening, groups = _split(points[own], away)
        # What the groups account for is no variation about their means.
        away[own] = points[own] - _nearer_mean(points[own], whitening, groups)
        whitening, groups = _split(points[own], away)
        shown = points[own & self._shown] @ whitening
        if groups.likelihood_ratio and len(shown):
            foreign = int(np.mean(groups.log_odds(shown, 1) > 0) < groups.shares[1])
        else:
            foreign = int(np.argmin(groups.shares))
        return Decomposition(principal, whitening, groups, foreign)

    def _suspicion(self, X: Matrix, code: int) -> Array:
        return self.decompositions_[code].suspicion(X)

    def _own_threshold(self, code: int, members: Mask) -> float:
        return float(np.inf)

    def _trusted_threshold(self, members: Mask, trusted: Mask) -> float:
        code = int(self._codes[np.argmax(members)])
        if len(self.classes_) >= _FEWEST_COMPARED and self.anomaly_index_[code] <= _LEAST_INDEX:
            return float(np.inf)
        scores = self.suspicion_[members & trusted & ~self._learned]
        if not scores.size or (scores.any() and np.ptp(scores) <= _ROUNDING * np.abs(scores).max()):
            # Trusted rows that coincide leave no scale for what is foreign.
            return float(np.inf)
        # A quantile of few rows is uncertain: the careful share leaves room for that, down to the largest of them.
        share = max(careful_share(len(scores), self.false_alarm_rate), 1 / (len(scores) + 1))
        return trusted_threshold(scores, min(share, self.false_alarm_rate))


def _split(points: Array, away: Array) -> tuple[Array, TwoComponents]:
    """Whiten the rows of a class by the variation of all rows, and split them."""
    covariance, _ = ledoit_wolf(away, assume_centered=True)
    variances, axes = np.linalg.eigh(covariance)
    present = variances > _ROUNDING * float(np.mean(points**2))
    whitening = np.asarray(axes[:, present] / np.sqrt(variances[present]))
    return whitening, two_components(points @ whitening)


def _nearer_mean(points: Array, whitening: Array, groups: TwoComponents) -> Array:
    """Return the mean of the rows of each row's likelier group, shape (n, k)."""
    second = groups.log_odds(points @ whitening, 1) > 0
    means = np.empty_like(points)
    for group in (second, ~second):
        if group.any():
            means[group] = points[group].mean(axis=0)
    return means
