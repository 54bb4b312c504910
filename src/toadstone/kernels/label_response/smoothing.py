"""Label flips that smoothed predictions of two classes withstand: a comparison for exact counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.stats import binom

from toadstone.core.arrays import Array, IntArray
from toadstone.core.checks import check_count, check_within
from toadstone.kernels.label_response.flips import checked_weights
from toadstone.kernels.label_response.responses import ROUNDING

_SLACK, _ENOUGH = 1e-9, 1e-5
_MOST_STEPS = 60


@dataclass(frozen=True, eq=False)
class Smoothed:
    """Predictions of a smoothed classifier.

    Parameters
    ----------
    winner : ndarray of int of shape (q,)
        The class that is likelier under the noise, if that is proved at all.
    log_failure : ndarray of shape (q,)
        Logarithm of a bound on the probability of the other class; zero where
        nothing is proved.
    """

    winner: IntArray
    log_failure: Array

    @property
    def probability(self) -> Array:
        """Lower bound of the winner's probability, shape (q,)."""
        return np.asarray(-np.expm1(self.log_failure))


def smooth_flips(alpha: Array, codes: IntArray, *, noise: float, error: Array | None = None) -> Smoothed:
    """Bound the probability of each prediction when every training label is flipped at random.

    With ``s_i`` the sign of the winner's share in row i, ``z_i = s_i alpha_i``,
    and q the noise, the other class wins with a probability of at most
    ``min_t prod_i ((1 - q) exp(-t z_i) + q exp(t z_i))`` over ``t >= 0``,
    Chernoff's bound ([1]_, section 4). Every t is a bound; Newton steps find
    the best. Nothing is drawn. The smoothed classifier predicts the likelier
    class, 0 among equals; it is another classifier than the one without noise.

    Parameters
    ----------
    alpha : ndarray of shape (q, n)
        Finite weights of the training rows for each query, as `certify_flips` takes them.
    codes : ndarray of int of shape (n,)
        Classes of the training rows, 0 or 1.
    noise : float
        Probability q in (0, 0.5) that a label is flipped.
    error : ndarray of shape (q,), optional
        Bound on the sum over the rows of the absolute errors of the weights;
        none by default.

    Returns
    -------
    Smoothed

    Raises
    ------
    InvalidArgument
        If shapes disagree, a weight is not finite, a class is neither 0 nor 1,
        or the noise is out of its range.

    References
    ----------
    .. [1] Rosenfeld, Winston, Ravikumar and Kolter, "Certified robustness to
       label-flipping attacks via randomized smoothing", ICML 2020. Its learner
       has labels 0 and 1 and the threshold 1/2; here two one-hot scores are
       compared, as in `certify_flips`.

    Examples
    --------
    >>> smoothed = smooth_flips(np.ones((1, 20)), np.ones(20, dtype=int), noise=0.25)
    >>> smoothed.winner, smoothed.probability.round(4)
    (array([1]), array([0.9437]))
    """
    check_within("(0, 0.5)", noise=noise)
    weights, labels, errors = checked_weights(alpha, codes, error, 2)
    winner, log_failure = np.zeros(len(weights), dtype=np.int64), np.zeros(len(weights))
    signs: Array = np.where(labels == 1, 1.0, -1.0)
    _bound_failures(weights, signs, errors, noise, winner, log_failure)
    return Smoothed(winner, log_failure)


def divergence_counts(log_failure: Array, *, noise: float, n_rows: int) -> IntArray:
    """Count the flips that smoothed predictions withstand, by the divergence of the noise.

    A flip of r labels moves the noise by a Kullback-Leibler divergence of
    ``r (1 - 2q) log((1 - q)/q)``; the winner stays above one half while
    ``r < log(4 p (1 - p)) / (2 (1 - 2q) log(q/(1 - q)))`` [1]_.

    Parameters
    ----------
    log_failure : ndarray of shape (q,)
        Logarithms of bounds on ``1 - p``, as `smooth_flips` gives them.
    noise : float
        Probability q in (0, 0.5) that a label is flipped.
    n_rows : int
        Training rows: no count is larger.

    Returns
    -------
    ndarray of int of shape (q,)
        -1 where the winner itself is not proved.

    Raises
    ------
    InvalidArgument
        If the noise is out of its range.

    References
    ----------
    .. [1] Rosenfeld, Winston, Ravikumar and Kolter, "Certified robustness to
       label-flipping attacks via randomized smoothing", ICML 2020.

    Examples
    --------
    >>> divergence_counts(np.log([1e-9, 0.4, 0.6]), noise=0.1, n_rows=100)
    array([ 5,  0, -1])
    """
    check_within("(0, 0.5)", noise=noise)
    check_count(0, n_rows=n_rows)
    proved = log_failure < -np.log(2.0)
    failure = np.where(proved, log_failure, -np.log(2.0))
    apart = -(np.log(4.0) + failure + np.log1p(-np.exp(failure)))
    flips = apart / (2 * (1 - 2 * noise) * np.log((1 - noise) / noise))
    # Strictly fewer: at equality both classes may be equally likely.
    counts = np.ceil(flips - _SLACK * (1 + flips)) - 1
    return np.asarray(np.where(proved, np.clip(counts, 0, n_rows), -1), dtype=np.int64)


def likelihood_counts(log_failure: Array, *, noise: float, n_rows: int) -> IntArray:
    """Count the flips that smoothed predictions withstand, by the likeliest way to lose.

    Among all classifiers whose other class has probability ``1 - p``, the one
    that loses first puts it where r flips raise the probability most (Neyman
    and Pearson; [1]_). So r flips are withstood if ``1 - p`` is less than the
    probability before the flips of the likeliest outcomes that have one half
    after them. For a known p no better count exists that looks at p alone;
    that of `divergence_counts` is about half as large for p near one.

    Parameters
    ----------
    log_failure : ndarray of shape (q,)
        Logarithms of bounds on ``1 - p``, as `smooth_flips` gives them.
    noise : float
        Probability q in (0, 0.5) that a label is flipped.
    n_rows : int
        Training rows: no count is larger.

    Returns
    -------
    ndarray of int of shape (q,)
        -1 where the winner itself is not proved.

    Raises
    ------
    InvalidArgument
        If the noise is out of its range.

    References
    ----------
    .. [1] Cohen, Rosenfeld and Kolter, "Certified adversarial robustness via
       randomized smoothing", ICML 2019, has the argument for normal noise.

    Examples
    --------
    >>> likelihood_counts(np.log([1e-9, 0.4, 0.6]), noise=0.1, n_rows=100)
    array([10,  0, -1])
    """
    check_within("(0, 0.5)", noise=noise)
    check_count(0, n_rows=n_rows)
    needed = np.minimum.accumulate(_log_needed(np.arange(n_rows + 1), noise)) - _SLACK
    return np.asarray(np.searchsorted(-needed, -np.asarray(log_failure), side="left") - 1, dtype=np.int64)


def _log_needed(flips: IntArray, noise: float) -> Array:
    """Logarithm of the least probability before r flips of outcomes that have one half after them.

    Outcomes differ in how many of the r labels show their flipped values:
    binomial with q before, and with 1 - q after. The more, the likelier after.
    """
    middle = binom.ppf(0.5, flips, 1 - noise)
    share = (0.5 - binom.sf(middle, flips, 1 - noise)) / binom.pmf(middle, flips, 1 - noise)
    # The upper tail as a series beside its first term, for the probabilities themselves underflow.
    tail, term, k = np.clip(share, 0.0, 1.0), np.ones(len(flips)), middle.copy()
    while term.max() > 1e-17:
        term *= np.maximum(flips - k, 0) / (k + 1) * noise / (1 - noise)
        tail += term
        k += 1
    return np.asarray(binom.logpmf(middle, flips, noise) + np.log(tail))


@njit(cache=True, nogil=True)
def _bound_failures(
    weights: Array, signs: Array, errors: Array, noise: float, winner: IntArray, log_failure: Array
) -> None:
    for query in range(len(weights)):
        # Sorted, so that rounding does not depend on the order of the rows.
        leads = np.sort(weights[query] * signs)
        total = leads.sum()
        winner[query] = 1 if total > 0.0 else 0
        if total <= 0.0:
            leads = -leads
        largest = np.abs(leads).max() if len(leads) else 0.0
        if largest > 0.0:
            log_failure[query] = _best_bound(leads / largest, errors[query] / largest, noise)


@njit(cache=True, nogil=True)
def _best_bound(leads: Array, error: float, noise: float) -> float:
    """Minimise the logarithm of Chernoff's bound over t; its slope is a sum of hyperbolic tangents."""
    offset = 0.5 * np.log(noise / (1.0 - noise))
    low, high, t, steps = 0.0, np.inf, 0.0, 0
    while steps < _MOST_STEPS:
        slope, bend = error, 0.0
        for lead in leads:
            side = np.tanh(t * lead + offset)
            slope += lead * side
            bend += lead * lead * (1.0 - side * side)
        if slope < 0.0:
            low = t
        else:
            high = t
        if high == 0.0:
            return 0.0
        # Where the tangents are saturated, at little noise above all, Newton's step is far too long.
        new = min(t - slope / bend if bend > 0.0 else high, 4.0 * t + 4.0)
        if not low < new < high:
            new = 0.5 * (low + high)
        moved = abs(new - t)
        t = new
        steps = _MOST_STEPS if moved <= _ENOUGH * t else steps + 1
    value, sizes = t * error, 0.0
    for lead in leads:
        step = t * abs(lead)
        # Factored by the larger of the two terms, so that nothing overflows.
        rare = noise if lead > 0.0 else 1.0 - noise
        value += step + np.log(rare + (1.0 - rare) * np.exp(-2.0 * step))
        sizes += 1.0 + step
    return float(min(value + (len(leads) + 8) * ROUNDING * sizes, 0.0))
