"""Certified bound for a sphere around a mean that includes the poison."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.certificates.saddle.proof import prove_bound
from toadstone.core.arrays import Array, Matrix
from toadstone.core.budget import Budget
from toadstone.core.certificate import NormBall
from toadstone.core.errors import CertificateRejected
from toadstone.kernels.gram.filters import DataDependentFilters
from toadstone.kernels.losses import HINGE
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.minimax.saddle import solve_saddle

_SHRINK = 1 - 1e-14
_MOST_ROUNDS = 500


@dataclass(frozen=True, eq=False)
class InflatedSphereBound:
    """A certified bound of the training loss for filters around means that include the poison.

    Parameters
    ----------
    bound : float
        Mean hinge loss of clean rows and poison for each clean row, rounded
        up: no added poison that passes makes the best model exceed it.
    fraction : float
        Poison rows for each clean row.
    squared_radius : float
        Of the models' norm ball.
    theta : ndarray of shape (d + 1,)
        The model that proves the bound; weights, then the bias.
    multipliers : ndarray of shape (2, 1)
        Of the radii, at that model, for poison labelled -1 and +1.
    """

    bound: float
    fraction: float
    squared_radius: float
    theta: Array
    multipliers: Array


def certify_inflated_sphere(
    X: Matrix,
    signs: Array,
    filters: DataDependentFilters,
    *,
    fraction: float,
    squared_radius: float,
    tolerance: float = 1e-3,
    seed: int = 0,
) -> InflatedSphereBound:
    """Certify a bound for a data-dependent sphere: each class's ball around its clean mean, inflated.

    Poison of a class that passes is within ``radius * (1 + fraction / share)``
    of the clean mean, whatever it is and however many rows of it there are up
    to the fraction [1]_. A slab only removes more, so the bound holds with one
    too. Of the sphere alone no smaller bound is valid at any one model.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Clean rows.
    signs : ndarray of shape (n,)
        Their labels, -1 or +1.
    filters : DataDependentFilters
        Of these rows.
    fraction : float
        Poison rows for each clean row, in [0, 0.5).
    squared_radius : float
        Models: those whose weights and bias have a squared norm of at most this.
    tolerance : float
        Relative gap at which the search for the best model stops. The bound
        is valid wherever it stops.
    seed : int
        Of the order in which rows are visited.

    Returns
    -------
    InflatedSphereBound

    Raises
    ------
    InvalidArgument
        If the fraction or the squared radius is out of range.

    References
    ----------
    .. [1] Steinhardt, Koh and Liang, "Certified defenses for data poisoning
       attacks", NIPS 2017, section 4.

    Examples
    --------
    >>> from toadstone.kernels.gram.filters import fit_filters
    >>> rng = np.random.default_rng(0)
    >>> signs = np.repeat([-1.0, 1.0], 20)
    >>> X = rng.normal(size=(40, 3)) + 2 * signs[:, None]
    >>> filters = fit_filters(X, signs, quantile=0.7)
    >>> few, many = (
    ...     certify_inflated_sphere(X, signs, filters, fraction=fraction, squared_radius=1.0).bound
    ...     for fraction in (0.03, 0.3)
    ... )
    >>> few < many
    True
    """
    problem = _pose(X, signs, filters, Budget(fraction).fraction, squared_radius)
    saddle = solve_saddle(problem, fraction=fraction, tolerance=tolerance, seed=seed, max_rounds=_MOST_ROUNDS)
    size = float(np.linalg.norm(saddle.theta)) / float(np.sqrt(squared_radius))
    scale = min(1.0, _SHRINK / max(size, 1e-300))
    theta = scale * saddle.theta
    # Without poison no oracle was asked; a loose proof of its loss will do.
    multipliers = scale * saddle.multipliers if len(saddle.multipliers) else np.full((2, 1), np.linalg.norm(theta))
    bound = prove_bound(problem, theta, multipliers).bound(fraction)
    return InflatedSphereBound(bound, fraction, squared_radius, theta, multipliers)


def verify_inflated_sphere(
    certificate: InflatedSphereBound, X: Matrix, signs: Array, filters: DataDependentFilters
) -> float:
    """Check a bound against the clean rows without solving anything, and return it as recomputed.

    Raises
    ------
    CertificateRejected
        If the model lies outside its norm ball, arrays do not fit the data,
        or model and multipliers do not prove the bound.
    """
    theta, multipliers = certificate.theta, certificate.multipliers
    if theta.shape != (X.shape[1] + 1,) or multipliers.shape != (2, 1) or not np.all(multipliers >= 0):
        raise CertificateRejected(
            f"theta, multipliers: expected {X.shape[1] + 1} numbers and two that are not negative, got others"
        )
    if not theta @ theta <= certificate.squared_radius:
        raise CertificateRejected("theta: expected a model within the norm ball, got one outside it")
    problem = _pose(X, signs, filters, Budget(certificate.fraction).fraction, certificate.squared_radius)
    proven = prove_bound(problem, theta, multipliers)
    bound = proven.bound(certificate.fraction)
    # What is stated may be no smaller than what is proven, but for the rounding of two machines.
    if not certificate.bound >= bound - 4 * proven.slack or not np.isfinite(bound):
        raise CertificateRejected(
            f"bound: the model proves {bound:.9g}, the certificate states {certificate.bound:.9g}"
        )
    return bound


def _pose(X: Matrix, signs: Array, filters: DataDependentFilters, fraction: float, squared_radius: float) -> Problem:
    return Problem(X, signs, filters.inflated(fraction), HINGE, NormBall(squared_radius))
