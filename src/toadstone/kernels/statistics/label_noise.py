"""The share of wrong labels, estimated from the disagreements of a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from toadstone.core.arrays import Array

_TEMPERATURES = np.geomspace(0.5, 16, 36)
_SHARES = np.concatenate([[0.0], np.geomspace(0.001, 0.4, 60)])
_BINS = 1000
_UNLIKELY = 4.0


@dataclass(frozen=True)
class LabelNoise:
    """The share of wrong labels and the temperature of a model, estimated together.

    Parameters
    ----------
    share : float
        Most likely share of wrong labels, independent of the model's
        confidence.
    at_least : float
        The smallest share whose likelihood is within a factor of exp(4) of
        the largest.
    temperature : float
        Divisor that calibrates the log odds, above one for an overconfident
        model: the highest within the same factor.
    """

    share: float
    at_least: float
    temperature: float


def label_noise(log_odds: Array) -> LabelNoise:
    """Estimate the share of wrong labels and the model's temperature by maximum likelihood.

    A calibrated model contradicts a right label by log odds a with
    probability ``1 / (1 + exp(a))``: its mistakes become rare as it becomes
    confident, while wrong labels do not. The share of wrong labels and the
    temperature that calibrates the model are estimated together.

    Parameters
    ----------
    log_odds : ndarray of shape (n,)
        Of another class against the row's own, by a model that has not seen
        the row.

    Returns
    -------
    LabelNoise

    References
    ----------
    .. [1] Bootkrajang and Kabán, "Label-noise robust logistic regression and
       its applications", ECML 2012, equation 3.
    .. [2] Guo and others, "On calibration of modern neural networks", ICML
       2017, section 4.2.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> sureness = rng.exponential(4.0, 5000)
    >>> wrong = rng.random(5000) < 0.1 + 0.8 * expit(-sureness)
    >>> round(label_noise(np.where(wrong, sureness, -sureness)).share, 1)
    0.1
    """
    order = np.argsort(np.abs(log_odds), kind="stable")
    # Binned by sureness, the likelihood costs bins times grid instead of rows times grid.
    bins = np.array_split(order, min(_BINS, len(order)))
    sureness = np.array([np.abs(log_odds[rows]).mean() for rows in bins])
    wrong = np.array([np.count_nonzero(log_odds[rows] > 0) for rows in bins])
    right = np.array([len(rows) for rows in bins]) - wrong
    mistakes = expit(-sureness / _TEMPERATURES[:, None])
    likelihood = np.empty((len(_TEMPERATURES), len(_SHARES)))
    for column, share in enumerate(_SHARES):
        chance = np.clip(share + (1 - 2 * share) * mistakes, 1e-12, 1 - 1e-12)
        likelihood[:, column] = np.log(chance) @ wrong + np.log1p(-chance) @ right
    likely = likelihood >= likelihood.max() - _UNLIKELY
    best = np.unravel_index(int(likelihood.argmax()), likelihood.shape)
    return LabelNoise(
        share=float(_SHARES[best[1]]),
        at_least=float(_SHARES[np.flatnonzero(likely.any(axis=0))[0]]),
        temperature=float(_TEMPERATURES[np.flatnonzero(likely.any(axis=1))[-1]]),
    )


def contradiction_threshold(log_odds: Array, share: float) -> float:
    """Compute the log odds of another class beyond which few right labels lie.

    Where the disagreements prove no larger share of wrong labels than
    `share`, at most that share of the rows lies beyond. Where they do, the
    calibrated model expects half of `share` to be right labels beyond.

    Parameters
    ----------
    log_odds : ndarray of shape (n,)
        Of another class against the row's own, by a model that has not seen
        the row.
    share : float
        False-alarm rate: share of clean rows that may lie beyond.

    Returns
    -------
    float
        Never negative.

    Examples
    --------
    >>> contradiction_threshold(np.repeat([-5.0, -1.0, 2.0], [90, 9, 1]), 0.02)
    0.0
    """
    usual = float(np.quantile(log_odds, 1 - share, method="inverted_cdf"))
    noise = label_noise(log_odds)
    if noise.at_least <= share:
        return max(0.0, usual)
    sureness = np.sort(np.abs(log_odds))[::-1]
    mistaken = np.cumsum(expit(-sureness / noise.temperature)) / len(sureness)
    first = min(int(np.searchsorted(mistaken, share / 2)), len(sureness) - 1)
    return float(max(0.0, min(usual, sureness[first])))
