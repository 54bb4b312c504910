"""The share of wrong labels, from the probabilities of one model or two, and which of them fits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_softmax, softmax

from toadstone.core.arrays import Array, IntArray
from toadstone.kernels.statistics.class_probabilities import SMALLEST

_TEMPERATURES = np.geomspace(0.25, 16, 31)
_SHARES = np.concatenate([[0.0], np.geomspace(0.001, 0.4, 40)])
_UNLIKELY, _LESS_LIKELY = 5.0, 3.0
_WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
_CLEARLY, _HARDLY = 5.0, 2.0


@dataclass(frozen=True, eq=False)
class LabelNoise:
    """The share of wrong labels and the temperature of a model, estimated together.

    Parameters
    ----------
    share : float
        Most likely share of wrong labels, independent of the model's
        confidence.
    at_least : float
        The smallest share whose likelihood is within a factor of exp(5) of
        the largest.
    temperature : float
        Divisor that calibrates the logarithms of the probabilities, above one
        for an overconfident model: the highest whose likelihood is within a
        factor of exp(3) of the largest.
    profile : ndarray of shape (n_shares,)
        Log-likelihood of the labels at each share of a grid, at the
        temperature that is best for it.
    chances : ndarray of shape (n, n_classes)
        Probability of each class to be the true one, at that temperature.
    """

    share: float
    at_least: float
    temperature: float
    profile: Array
    chances: Array


def label_noise(table: Array, codes: IntArray) -> LabelNoise:
    """Estimate the share of wrong labels and the model's temperature by maximum likelihood.

    A label is right with probability ``1 - s``, and otherwise any of the
    others: where the calibrated model gives the label probability p, it is
    observed with probability ``e + (1 - k e) p``, with ``e = s / (k - 1)`` for
    k classes [1]_. A model's own mistakes become rare as it becomes confident,
    while wrong labels do not. Both the share s and the temperature [2]_ are
    sought on a grid. Wrong labels that all go from one class to another may
    look like overlap, which the model has learned.

    Parameters
    ----------
    table : ndarray of shape (n, n_classes)
        Probabilities of at least two classes, by a model that has not seen
        the row.
    codes : ndarray of shape (n,)
        Label of each row, counted from zero.

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
    >>> sure = 1 / (1 + np.exp(-rng.exponential(4.0, 5000)))
    >>> labels = (rng.random(5000) < 0.1 + 0.8 * sure).astype(int)
    >>> round(label_noise(np.column_stack([1 - sure, sure]), labels).share, 1)
    0.1
    """
    logs = np.log(np.maximum(table, SMALLEST))
    places, others = np.arange(len(codes)), table.shape[1] - 1
    likelihood = np.empty((len(_TEMPERATURES), len(_SHARES)))
    for row, temperature in enumerate(_TEMPERATURES):
        own = np.exp(log_softmax(logs / temperature, axis=1)[places, codes])
        observed = _SHARES[:, None] / others + (1 - _SHARES[:, None] * (1 + 1 / others)) * own
        likelihood[row] = np.log(np.maximum(observed, SMALLEST)).sum(axis=1)
    profile = likelihood.max(axis=0)
    likely = likelihood.max(axis=1) >= likelihood.max() - _LESS_LIKELY
    temperature = float(_TEMPERATURES[np.flatnonzero(likely)[-1]])
    return LabelNoise(
        share=float(_SHARES[profile.argmax()]),
        at_least=least_share(profile),
        temperature=temperature,
        profile=profile,
        chances=np.asarray(softmax(logs / temperature, axis=1)),
    )


def least_share(profile: Array) -> float:
    """Return the smallest share of wrong labels that is not much less likely than the likeliest.

    Parameters
    ----------
    profile : ndarray of shape (n_shares,)
        From `label_noise`, or the largest of several: what any of them
        explains without wrong labels does not prove these.
    """
    return float(_SHARES[np.flatnonzero(profile >= profile.max() - _UNLIKELY)[0]])


def contradiction_threshold(log_odds: Array, share: float, noise: LabelNoise, odds: Array) -> float:
    """Compute the log odds of another class beyond which few right labels lie.

    At most `share` of the rows lies beyond, unless the labels prove that a
    larger share of them is wrong. Then half of `share` is expected beyond of
    labels drawn from the calibrated chances.

    Parameters
    ----------
    log_odds : ndarray of shape (n,)
        Of another class against the row's own.
    share : float
        False-alarm rate: share of clean rows that may lie beyond.
    noise : LabelNoise
        Of some rows; its chances need not be those of the model that gives
        the odds.
    odds : ndarray of shape (m, n_classes)
        Of these rows, of another class against each class, from `rivalries`.

    Returns
    -------
    float
        Never negative.

    Examples
    --------
    >>> from toadstone.kernels.statistics.class_probabilities import rivalries
    >>> table = np.repeat([[0.9, 0.1], [0.4, 0.6]], [99, 1], axis=0)
    >>> noise, odds = label_noise(table, np.zeros(100, dtype=int)), rivalries(table)
    >>> contradiction_threshold(odds[:, 0], 0.02, noise, odds)
    0.0
    """
    usual = float(np.quantile(log_odds, 1 - share, method="inverted_cdf"))
    if noise.at_least <= share:
        return max(0.0, usual)
    order = np.argsort(-odds, axis=None, kind="stable")
    expected = np.cumsum(noise.chances.ravel()[order]) / len(odds)
    first = min(int(np.searchsorted(expected, share / 2)), len(order) - 1)
    return float(max(0.0, min(usual, odds.ravel()[order[first]])))


@dataclass(frozen=True, eq=False)
class PooledChances:
    """Two models of the same labels, pooled.

    Parameters
    ----------
    noise : LabelNoise
        Of the pool: share of wrong labels and calibrated chances. The least
        share is that of all pools together.
    weight : float
        Of the second model in the pool, in [0, 1].
    gain : float
        Log-likelihood of the pool less that of the first model alone.
    added : float
        Log-likelihood of the pool less that of the second model alone.
    """

    noise: LabelNoise
    weight: float
    gain: float
    added: float

    @property
    def fits(self) -> bool:
        """False if the second model makes the labels far likelier and the first adds nothing to it."""
        return not (self.gain > _CLEARLY and self.added < _HARDLY)


def pool_chances(first: Array, second: Array, codes: IntArray) -> PooledChances:
    """Pool the probabilities of two models by the weights that make the labels likeliest.

    The pool is log-linear [1]_: logarithms of probabilities are averaged, and
    calibrated by the temperature and the share of wrong labels of
    `label_noise`. Each model alone is calibrated in the same way, so that
    overconfidence and wrong labels count against neither.

    Parameters
    ----------
    first, second : ndarray of shape (n, n_classes)
        Probabilities by models that have not seen the row.
    codes : ndarray of shape (n,)
        Label of each row, counted from zero.

    Returns
    -------
    PooledChances

    References
    ----------
    .. [1] Genest and Zidek, "Combining probability distributions: a critique
       and an annotated bibliography", Statistical Science 1, 1986, section 3.

    Examples
    --------
    >>> codes = np.arange(200) % 2
    >>> coin, oracle = np.full((200, 2), 0.5), np.where(codes[:, None] == [0, 1], 0.9, 0.1)
    >>> pool_chances(coin, oracle, codes).fits, pool_chances(oracle, coin, codes).fits
    (False, True)
    """
    logs = [np.log(np.maximum(table, SMALLEST)) for table in (first, second)]
    found = [label_noise(np.exp((1 - weight) * logs[0] + weight * logs[1]), codes) for weight in _WEIGHTS]
    profiles = np.array([noise.profile for noise in found])
    likelihoods = profiles.max(axis=1)
    best = int(np.argmax(likelihoods))
    return PooledChances(
        noise=replace(found[best], at_least=least_share(profiles.max(axis=0))),
        weight=_WEIGHTS[best],
        gain=float(likelihoods[best] - likelihoods[0]),
        added=float(likelihoods[best] - likelihoods[-1]),
    )
