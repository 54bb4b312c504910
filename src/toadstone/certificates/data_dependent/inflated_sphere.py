"""Certified bound for a sphere around a mean that includes the poison."""

from __future__ import annotations

from dataclasses import dataclass

from toadstone.certificates.saddle.certify import within_ball
from toadstone.certificates.saddle.checks import check_bound, check_multipliers, check_shapes, check_within_ball
from toadstone.certificates.saddle.proof import prove_bound
from toadstone.core.arrays import Array, Matrix
from toadstone.core.budget import Budget
from toadstone.core.certificate import NormBall
from toadstone.kernels.gram.filters import DataDependentFilters
from toadstone.kernels.losses import HINGE
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.minimax.saddle import solve_saddle

_MOST_ROUNDS, _ROUNDINGS = 500, 4


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
    >>> import numpy as np
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
    theta, multipliers = within_ball(problem, saddle.theta, saddle.multipliers)
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
    check_shapes({"theta": (theta, (X.shape[1] + 1,)), "multipliers": (multipliers, (2, 1))})
    check_multipliers("multipliers", multipliers)
    problem = _pose(X, signs, filters, Budget(certificate.fraction).fraction, certificate.squared_radius)
    check_within_ball("theta", theta, problem)
    proven = prove_bound(problem, theta, multipliers)
    bound = proven.bound(certificate.fraction)
    check_bound("bound", certificate.bound, bound, _ROUNDINGS * proven.slack)
    return bound


def _pose(X: Matrix, signs: Array, filters: DataDependentFilters, fraction: float, squared_radius: float) -> Problem:
    return Problem(X, signs, filters.inflated(fraction), HINGE, NormBall(squared_radius))
