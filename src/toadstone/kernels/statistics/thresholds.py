"""Thresholds of scores for a given false-alarm rate."""

from __future__ import annotations

import numpy as np
from scipy.stats import beta, binom

from toadstone.core.arrays import Array, Mask

_CONFIDENCE = 0.95
_LEVELS = (0.5, np.sqrt(0.05), 0.1)
_SAFETY = 0.5
_SLOPE_ERROR = np.sqrt(8) / np.log(5)
_HEAVIEST = 8.0
_ROUNDING = 1e-9
_HEAVIEST_INDEX = np.log(_LEVELS[0] / _LEVELS[1]) / np.log(_HEAVIEST)
_MOST_BEYOND = 0.25
_GAP_P_VALUE = 1e-3


def careful_share(n_rows: int, share: float) -> float:
    """Return the flagging probability at which the false-alarm rate is kept with 95 % confidence.

    Parameters
    ----------
    n_rows : int
    share : float
        False-alarm rate: largest share of the rows that may be flagged, in (0, 1).

    Returns
    -------
    float
        At most `share`: the lower confidence limit of Clopper and Pearson. With
        this probability for each of independent rows, more than the share is
        flagged in one sample of twenty.

    Examples
    --------
    >>> [round(careful_share(n, 0.02), 4) for n in (10, 200, 20000)]
    [0.0051, 0.0099, 0.0184]
    """
    allowed = int(np.floor(share * n_rows + _ROUNDING))
    return min(share, float(beta.ppf(1 - _CONFIDENCE, allowed + 1, n_rows - allowed)))


def smallest_detectable_share(n_rows: int, share: float) -> float:
    """Return the smallest share of flagged rows that chance alone does not explain.

    Parameters
    ----------
    n_rows : int
    share : float
        False-alarm rate: probability of each clean row to be flagged.

    Returns
    -------
    float
        One row more than the 95 % quantile of the binomial count, as a share.

    Examples
    --------
    >>> smallest_detectable_share(1000, 0.02)
    0.029
    """
    return min(1.0, float(binom.ppf(_CONFIDENCE, n_rows, share) + 1) / n_rows)


def tail_threshold(scores: Array, share: float, *, least_spread: float = 0.0) -> float:
    """Extrapolate the bulk of the scores to a threshold that few clean rows exceed.

    Three quantiles, exceeded by 0.5, 0.224 and 0.1 of the rows, are equally
    spaced for an exponential tail, and form a geometric sequence for a
    generalized Pareto tail [1]_. The threshold is the larger of the two
    extrapolations to half of `careful_share`, widened by two standard errors
    of the slope. Rows beyond the 90 % quantile, among which poison would be,
    have no influence on it. A tail lighter than exponential counts as
    exponential.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Larger is more suspicious.
    share : float
        Share of clean rows that may exceed the threshold, in (0, 0.1].
    least_spread : float, default=0
        Smallest spread to assume between the outer two quantiles.

    Returns
    -------
    float
        Infinite if the bulk has no spread, which leaves no scale for outliers.

    References
    ----------
    .. [1] Pickands, "Statistical inference using extreme order statistics",
       Annals of Statistics 3, 1975.

    Examples
    --------
    >>> scores = -np.log(np.arange(1, 20001) / 20001)
    >>> round(float(np.mean(scores > tail_threshold(scores, 0.02))), 4)
    0.0087
    """
    median, middle, high = np.quantile(scores, [1 - level for level in _LEVELS])
    spread = max(high - median, least_spread)
    if spread <= _ROUNDING * max(abs(high), abs(median)):
        return float(np.inf)
    level = _SAFETY * careful_share(len(scores), share)
    # In steps of half the distance between the outer quantiles' log-survival.
    steps = 2 * np.log(_LEVELS[2] / level) / np.log(_LEVELS[0] / _LEVELS[2])
    growth = min((high - middle) / (middle - median), _HEAVIEST) if middle > median else _HEAVIEST
    # Exponential tail: the distance grows linearly with the logarithm of the survival probability.
    reach = spread / 2 * steps
    if growth > 1:
        # Pareto tail: the quantiles' distances form a geometric sequence, here its sum (Pickands 1975).
        reach = max(reach, (high - middle) * growth * (growth**steps - 1) / (growth - 1))
    return float(high + reach * (1 + 2 * _SLOPE_ERROR / np.sqrt(len(scores))))


def beyond_gap(scores: Array) -> Mask:
    """Find a tenth to a quarter of the rows whose scores a gap parts from the others, wider than any tail explains.

    In a Pareto tail of index a the k-th largest score and the next one below
    differ by a factor that exceeds r with probability ``r ** (-a k)``
    (Rényi's representation [1]_). The index is that of the heaviest tail that
    `tail_threshold` extrapolates, 0.39, and scores count from their median; a
    gap of adjusted probability below 0.001 is no tail. Up to a tenth of the
    rows have no influence on `tail_threshold` anyway, so that smaller sets
    need no gap.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Larger is more suspicious.

    Returns
    -------
    ndarray of bool of shape (n,)
        The rows beyond the most remarkable gap, none if there is none.

    References
    ----------
    .. [1] Rényi, "On the theory of order statistics", Acta Mathematica
       Hungarica 4, 1953.

    Examples
    --------
    >>> scores = np.append(np.linspace(0, 1, 88), np.linspace(50, 90, 12))
    >>> np.flatnonzero(beyond_gap(scores)).tolist() == list(range(88, 100))
    True
    >>> int(beyond_gap(scores[:88]).sum())
    0
    """
    n = len(scores)
    ordered = np.sort(scores)[::-1]
    counts = np.arange(max(n - int(np.ceil((1 - _LEVELS[2]) * (n - 1))), 1), int(_MOST_BEYOND * n) + 1)
    if not len(counts):
        return np.zeros(n, dtype=bool)
    excess = np.maximum(ordered - np.median(scores), _ROUNDING * np.abs(scores).max())
    with np.errstate(divide="ignore", invalid="ignore"):
        log_p = -_HEAVIEST_INDEX * counts * np.log(excess[counts - 1] / excess[counts])
    best = int(np.nanargmin(log_p)) if np.isfinite(log_p).any() else 0
    if not log_p[best] < np.log(_GAP_P_VALUE / len(counts)):
        return np.zeros(n, dtype=bool)
    return np.asarray(scores >= ordered[counts[best] - 1])


def trusted_threshold(scores: Array, share: float) -> float:
    """Return the score that exchangeable clean rows exceed with at most the given probability.

    Parameters
    ----------
    scores : ndarray of shape (m,)
        Of rows known to be clean; larger is more suspicious.
    share : float
        False-alarm rate: probability of a clean row to exceed the threshold.

    Returns
    -------
    float
        The conformal quantile [1]_; infinite for too few trusted rows.

    References
    ----------
    .. [1] Vovk, Gammerman and Shafer, "Algorithmic learning in a random
       world", Springer, 2005, section 2.2.

    Examples
    --------
    >>> trusted_threshold(np.arange(99.0), 0.02)
    97.0
    >>> trusted_threshold(np.arange(9.0), 0.02)
    inf
    """
    beyond = int(np.floor(share * (len(scores) + 1) + _ROUNDING))
    return float(np.sort(scores)[-beyond]) if beyond else float(np.inf)
