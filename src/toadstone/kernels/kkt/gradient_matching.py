"""Poison points that satisfy the KKT conditions of a given model."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from toadstone.core.arrays import Array
from toadstone.core.errors import InvalidArgument
from toadstone.core.feasible import Region
from toadstone.kernels.kkt.block_descent import Balance

_ACHIEVED, _ENOUGH, _LOOSE = 1e-2, 10.0, 1e-2
_SWEEPS_PER_CHECK, _SWEEPS_A_TRIAL, _MOST_SWEEPS = 5, 16, 100
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
_ROUGHLY = 10.0


@dataclass(frozen=True, eq=False)
class Target:
    """The sum of signed rows that the poison should reach.

    It is ``fixed - shares @ loose``, where each share may be chosen in [0, 1].

    Parameters
    ----------
    fixed : ndarray of shape (d + 1,)
        What the penalty asks for, less what clean rows with a known pull give.
    loose : CSR of shape (k, d + 1)
        The full pull of each clean row that lies exactly on the margin, where
        any part of it is a subgradient; may have no rows.
    """

    fixed: Array
    loose: csr_array

    def scale(self) -> float:
        """Return the length that residuals are measured by."""
        return float(np.linalg.norm(self.fixed)) or 1.0


@dataclass(frozen=True, eq=False)
class Match:
    """Poison points for a target, and a lower bound of the residual.

    Parameters
    ----------
    points : ndarray of shape (2, d)
        For the labels -1 and +1, each in its region.
    masses : ndarray of shape (2,)
    shares : ndarray of shape (k,)
        Of the target's loose rows.
    residual : ndarray of shape (d + 1,)
        What is left of the target.
    value, bound : float
        Norm of the residual; no feasible choice has a smaller one than `bound`.
    sweeps : int
    """

    points: Array
    masses: Array
    shares: Array
    residual: Array
    value: float
    bound: float
    sweeps: int

    @property
    def gap(self) -> float:
        """Largest possible excess of the value over the smallest."""
        return max(self.value - self.bound, 0.0)


def match(
    target: Target,
    regions: tuple[Region, Region],
    masses: Array,
    *,
    start: Match | None = None,
    tolerance: float = 1e-4,
    max_sweeps: int = _MOST_SWEEPS,
) -> Match:
    """Match a target by two weighted points as closely as their regions allow.

    Minimizes ``|fixed - shares @ loose - sum masses * signs * (points, 1)|``
    by exact projections in turn, which is projected gradient descent in one
    of the points, with Nesterov's momentum; it starts anew where that overshoots.

    Parameters
    ----------
    target : Target
    regions : tuple of two Region
        Where points labelled -1 and +1 may lie.
    masses : ndarray of shape (2,)
        Weights of the points, not negative.
    start : Match, optional
        Of a similar problem.
    tolerance : float
        Stop once the gap, or what a few sweeps gain, is below this share of the value.
    max_sweeps : int

    Returns
    -------
    Match
        Its bound is the separation of the two sides by the residual's direction.

    Raises
    ------
    EmptyFeasibleSet
        If a region has no point.
    InvalidArgument
        If a mass is negative.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, equation 17.

    Examples
    --------
    >>> from toadstone.core.feasible import ball
    >>> unit = ball(np.zeros(1), 1.0)
    >>> found = match(Target(np.array([3.0, 0.0]), csr_array((0, 2))), (unit, unit), np.ones(2))
    >>> found.points.round(6).tolist(), round(found.value, 6)
    ([[-1.0], [1.0]], 1.0)
    """
    if not (np.shape(masses) == (2,) and np.all(np.asarray(masses) >= 0)):
        raise InvalidArgument("masses", "two numbers that are not negative", masses)
    balance = _pose(target, regions, np.asarray(masses, dtype=float), start)
    sweeps = _descend(balance, _ACHIEVED * tolerance * target.scale(), tolerance, max_sweeps)
    balance.finish()
    return _concluded(balance, 0, sweeps)


def match_jointly(
    target: Target,
    regions: tuple[Region, Region],
    total: float,
    *,
    tolerance: float = 1e-4,
    resolution: float = 0.02,
) -> Match:
    """Match a target by two points, with the best masses of a given sum.

    The smallest residual is a convex function of one mass (as the perspective
    of a convex set is convex); golden-section search finds its minimum.

    Parameters
    ----------
    total : float
        Sum of the masses.
    resolution : float
        How finely to search, as a share of `total`.

    Returns
    -------
    Match
        Its bound holds for every proportion.

    Raises
    ------
    EmptyFeasibleSet
        If a region has no point.
    """
    balance = _pose(target, regions, np.full(2, total / 2), None)
    achieved, sweeps = _ACHIEVED * tolerance * target.scale(), 0

    def value(positive: float) -> float:
        nonlocal sweeps
        balance.set_masses(np.array([total - positive, positive]))
        sweeps += _descend(balance, achieved, _ROUGHLY * tolerance, _SWEEPS_A_TRIAL)
        return balance.value

    positive = _golden_section(value, total, resolution * total, _ENOUGH * tolerance * target.scale())
    balance.set_masses(np.array([total - positive, positive]))
    sweeps += _descend(balance, achieved, tolerance, _MOST_SWEEPS)
    balance.finish()
    return _concluded(balance, 1, sweeps)


def _golden_section(function: Callable[[float], float], end: float, resolution: float, enough: float) -> float:
    """Minimize a convex function on [0, end] by golden-section search."""
    low, high = 0.0, end
    left, right = (1 - _GOLDEN) * end, _GOLDEN * end
    at_left, at_right = function(left), function(right)
    while high - low > resolution and min(at_left, at_right) > enough:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = function(right)
    return left if at_left <= at_right else right


def _pose(target: Target, regions: tuple[Region, Region], masses: Array, start: Match | None) -> Balance:
    if start is not None:
        return Balance(target.fixed, target.loose, regions, masses, start.points, start.shares)
    middles = np.stack([np.clip(region.centre, region.lower, region.upper) for region in regions])
    return Balance(target.fixed, target.loose, regions, masses, middles, np.full(target.loose.shape[0], 0.5))


def _descend(balance: Balance, achieved: float, tolerance: float, max_sweeps: int) -> int:
    """Sweep with momentum until the gain is small, and return the number of sweeps."""
    balance.sweep()
    momentum, last, previous, before = 1.0, balance.value, balance.state(), np.inf
    for sweeps in range(1, max_sweeps):
        if last <= achieved:
            return sweeps
        if sweeps % _SWEEPS_PER_CHECK == 0:
            if before - last <= tolerance * last or last - balance.quick_bounds()[0] <= tolerance * last:
                return sweeps
            before = last
        # Nesterov's sequence t_(k+1) = (1 + sqrt(1 + 4 t_k^2)) / 2.
        here, longer = balance.state(), 0.5 + math.sqrt(0.25 + momentum**2)
        if momentum > 1.0:
            balance.extrapolate(here, previous, (momentum - 1.0) / longer)
        balance.sweep()
        momentum, previous = longer, here
        # Restart where momentum overshoots (O'Donoghue and Candes 2015).
        if balance.value > last:
            balance.set_state(*here)
            balance.sweep()
            momentum = 1.0
        last = balance.value
    return max_sweeps


def _concluded(balance: Balance, which: int, sweeps: int) -> Match:
    value, bound = balance.value, balance.quick_bounds()[which]
    # Exact supports cost more than all sweeps: only where the cheap bound leaves a gap.
    if value - bound > _LOOSE * value:
        bound = max(bound, balance.exact_bounds()[which])
    return Match(balance.points, balance.masses, balance.shares, balance.residual, value, min(bound, value), sweeps)
