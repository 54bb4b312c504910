"""How many labels are wrong, and how far a right one may be contradicted."""

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
    """What a model's disagreements with labels say about both.

    Parameters
    ----------
    share : float
        Most likely share of labels that are wrong however sure the model is.
    at_least : float
        The least share that is not much less likely (by less than a factor
        of exp(4)).
    temperature : float
        What to divide log odds by to make them honest: the highest that is
        not much less likely, above one for an overconfident model.
    """

    share: float
    at_least: float
    temperature: float


def label_noise(log_odds: Array) -> LabelNoise:
    """Tell the wrong labels from the mistakes of the model.

    An honest model contradicts a right label by log odds a or is confirmed
    by as much in the ratio of 1 to exp(a), so that its mistakes become rare
    as it gets sure; wrong labels do not. Both shares are estimated together,
    with a temperature for the model, by maximum likelihood.

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
    """The log odds of another class beyond which few right labels lie.

    Where the disagreements prove no more wrong labels than the promised
    share, no more rows than that share lie beyond. Where they do, as many
    right labels lie beyond as the model, tempered, expects to be mistaken
    about: half of the share.

    Parameters
    ----------
    log_odds : ndarray of shape (n,)
        Of another class against the row's own, by a model that has not seen
        the row.
    share : float
        Of clean rows, that may lie beyond.

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
