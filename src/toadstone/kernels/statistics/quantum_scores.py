"""QUE scores: outlier scores along all the directions in which whitened rows vary more than clean ones would."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh
from scipy.stats import chi2

from toadstone.core.arrays import Array

SHARPNESS = 4.0
"""The paper's alpha: large for the one direction of the largest variance, zero for the plain squared distance."""

_ROUNDING = 1e-10


@dataclass(frozen=True, eq=False)
class QuantumScores:
    """Whitening by a robust covariance, and weights of the directions of whitened rows.

    Parameters
    ----------
    centre : ndarray of shape (k,)
        Robust mean.
    whitening : ndarray of shape (k, r)
        Maps rows, less the centre, to those of unit robust covariance.
    weights : ndarray of shape (r, r)
        Positive definite, of trace one.
    excess : float
        Mean score of the rows that were learned from; about one for clean
        Gaussian rows.
    """

    centre: Array
    whitening: Array
    weights: Array
    excess: float

    def scores(self, points: Array) -> Array:
        """Return the score of each row from its first k coordinates, shape (n,)."""
        white = (points[:, : len(self.centre)] - self.centre) @ self.whitening
        return np.asarray(np.einsum("ij,jk,ik->i", white, self.weights, white))


def quantum_scores(points: Array, centre: Array, covariance: Array) -> QuantumScores:
    """Weigh the directions in which whitened rows vary, by the exponential of their excess variance.

    With the covariance C of the whitened rows x, the score is ``x' M x`` with
    M proportional to ``exp(alpha (C - I) / (|C| - 1))``, of trace one [1]_
    (equation 4). Directions without excess have little weight, several with
    the same excess count alike. An excess that chance explains, by the edge of
    Marchenko and Pastur, does not sharpen the weights further.

    Parameters
    ----------
    points : ndarray of shape (n, k)
    centre : ndarray of shape (k,)
        Robust mean of the rows.
    covariance : ndarray of shape (k, k)
        Robust covariance, up to a factor: it is scaled so that the median
        squared distance is that of Gaussian rows.

    Returns
    -------
    QuantumScores
        With ``r`` of zero where the covariance is zero.

    References
    ----------
    .. [1] Hayase, Kong, Somani and Oh, "SPECTRE: defending against backdoor
       attacks using robust statistics", ICML 2021, algorithm 2.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> points = rng.standard_normal((1000, 3))
    >>> points[:50, 2] += 6
    >>> found = quantum_scores(points, np.zeros(3), np.eye(3))
    >>> found.weights.diagonal().round(2)
    array([0.02, 0.01, 0.97])
    """
    variances, axes = eigh(covariance)
    present = variances > _ROUNDING * max(float(variances.max(initial=0.0)), 0.0)
    whitening = axes[:, present] / np.sqrt(variances[present])
    white = (points - centre) @ whitening
    n, r = white.shape
    if not r:
        return QuantumScores(centre, whitening, np.zeros((0, 0)), 0.0)
    usual = float(np.median(np.sum(white**2, axis=1)) / chi2.ppf(0.5, r))
    scale = np.sqrt(usual) if usual > 0 else 1.0
    white, whitening = white / scale, whitening / scale
    away = white - white.mean(axis=0)
    energies, directions = eigh(away.T @ away / n)
    by_chance = 2 * np.sqrt(r / n) + r / n
    exponents = SHARPNESS * (energies - energies[-1]) / max(energies[-1] - 1, by_chance)
    shares = np.exp(exponents)
    weights = (directions * (shares / shares.sum())) @ directions.T
    return QuantumScores(centre, whitening, weights, float(shares @ energies / shares.sum()))
