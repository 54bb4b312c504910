"""The error floor of targets: a mixture of right targets with a residual and of arbitrary values of the range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import Bounds, minimize
from scipy.stats import chi2

from toadstone.core.arrays import Array, Mask
from toadstone.kernels.regression.residual_core import PARAMETERS, ResidualCore

_LARGEST_RATE, _SMALLEST_RATE = 0.45, 1e-6
_LEVEL, _HALVINGS = 0.95, 12
_FEWEST_TIES, _TIED_SHARE = 3, 0.005
_CORE_LOW = (-3.0, -4.0, -4.0, float(np.log(1.2)), float(np.log(1.2)), 0.0)
_CORE_HIGH = (3.0, 4.0, 4.0, float(np.log(200.0)), float(np.log(200.0)), 1.0)
_USUAL_TAIL, _TAIL_WEIGHT = float(np.log(4.0)), 10.0


@dataclass(frozen=True, eq=False)
class FloorFit:
    """A core and a floor, fitted by maximum likelihood.

    Parameters
    ----------
    rate : float
        Share of wrong targets.
    interval : tuple of float
        Its 95 % profile-likelihood interval.
    log_ratio : float
        Log-likelihood ratio of the floor against none, less the penalty of
        BIC for the floor's parameters; above zero the data prefer a floor.
    core : ResidualCore
        Given the floor, for residuals in units of `unit`.
    unit : float
        Scale of the residuals.
    wrong : ndarray of shape (n,)
        Probability that each target is wrong, given the floor.
    """

    rate: float
    interval: tuple[float, float]
    log_ratio: float
    core: ResidualCore
    unit: float
    wrong: Array


def fit_floor(y: Array, predicted: Array, local: Array, trusted: Mask) -> FloorFit:
    """Fit the density of residuals with and without a floor of wrong targets.

    With the rate e a target is wrong: uniform over the range of the targets
    or, where several targets share the lowest or the highest value, that value
    with a probability of its own. Otherwise its residual has the density f of
    a `ResidualCore`. Trusted targets are never wrong::

        - sum_i log((1 - e) f(r_i) + e floor(y_i)) - sum_trusted log f(r_i)

    is minimised by L-BFGS-B. At a shared end, f is the probability of reaching
    it, as for a target that is cut off there. By BIC the floor has to be
    worth half the logarithm of n for each of its parameters.

    A floor explains outliers as well as heavy tails do, so the likelihood
    alone gives the core light tails once there is a floor, and takes right
    targets far out for certainly wrong. A prior on each tail, normal about
    the logarithm of 4 degrees of freedom with a deviation of 0.22, keeps it
    where tails of right targets usually are, unless many rows say otherwise.

    Parameters
    ----------
    y, predicted : ndarray of shape (n,)
        Targets, and their predictions out of fold.
    local : ndarray of shape (n,)
        Scale of residuals like each, positive.
    trusted : ndarray of bool of shape (n,)

    Returns
    -------
    FloorFit

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> predicted = rng.uniform(-20, 20, 300)
    >>> y = predicted + rng.normal(size=300)
    >>> y[:30] = rng.uniform(-20, 20, 30)
    >>> fit = fit_floor(y, predicted, np.ones(300), np.zeros(300, dtype=bool))
    >>> round(fit.rate, 1), fit.log_ratio > 3, int((fit.wrong[30:] > 0.5).sum())
    (0.1, True, 1)
    """
    residual = y - predicted
    # Where most residuals are zero, their mean size still is a scale.
    unit = max(float(np.median(np.abs(residual))), 0.1 * float(np.abs(residual).mean())) or 1.0
    ends = _shared_ends(y)
    problem = _Problem(residual / unit, np.log(local / unit), float(np.log(unit / np.ptp(y))), trusted, ends)
    none = problem.minimise(problem.start(4.0))
    floor = min(
        (problem.minimise(problem.start(tail, rate)) for tail, rate in ((30.0, 0.05), (6.0, 0.02))),
        key=lambda found: float(found.fun),
    )
    penalty = 0.5 * (1 + len(ends)) * float(np.log(max(len(y), 2)))
    return FloorFit(
        rate=float(floor.x[PARAMETERS]),
        interval=problem.interval(floor),
        log_ratio=float(none.fun - floor.fun) - penalty,
        core=ResidualCore.of(floor.x),
        unit=unit,
        wrong=problem.wrong(floor.x),
    )


def _shared_ends(y: Array) -> dict[bool, Mask]:
    """Return the rows at the highest (True) and the lowest value, where several rows share it."""
    fewest = max(_FEWEST_TIES, _TIED_SHARE * len(y))
    found = {True: y == y.max(), False: y == y.min()}
    return {upper: rows for upper, rows in found.items() if np.count_nonzero(rows) >= fewest}


@dataclass(frozen=True, eq=False)
class _Problem:
    """The likelihood, with residuals in units of their scale; see `fit_floor`."""

    residual: Array
    log_local: Array
    log_uniform: float
    trusted: Mask
    ends: Mapping[bool, Mask]

    def start(self, tail: float, rate: float | None = None) -> Array:
        core = [0.0, 0.0, 0.0, np.log(tail), np.log(tail), 0.5]
        return np.array(core if rate is None else [*core, rate, *(0.0 for _ in self.ends)])

    def minimise(self, start: Array, fixed_rate: float | None = None) -> Any:
        low, high = list(_CORE_LOW), list(_CORE_HIGH)
        if len(start) > PARAMETERS:
            rates = (_SMALLEST_RATE, _LARGEST_RATE) if fixed_rate is None else (fixed_rate, fixed_rate)
            low += [rates[0], *(-6.0 for _ in self.ends)]
            high += [rates[1], *(6.0 for _ in self.ends)]
        return minimize(self.loss, start, method="L-BFGS-B", bounds=Bounds(low, high), options={"maxiter": 200})

    def loss(self, x: Array) -> float:
        # Weak priors, worth one observation or so, decide where the data do not; the one on the tails is strong.
        prior = 0.5 * (x[1] - x[2]) ** 2 + 0.1 * (x[3] - x[4]) ** 2 + 0.05 * x[0] ** 2
        prior += _TAIL_WEIGHT * ((x[3] - _USUAL_TAIL) ** 2 + (x[4] - _USUAL_TAIL) ** 2)
        core = self._log_core(x)
        if len(x) == PARAMETERS:
            return float(prior - core.sum())
        mixed = np.logaddexp(np.log1p(-x[PARAMETERS]) + core, np.log(x[PARAMETERS]) + self._log_floor(x))
        return float(prior - np.where(self.trusted, core, mixed).sum())

    def wrong(self, x: Array) -> Array:
        core = np.log1p(-x[PARAMETERS]) + self._log_core(x)
        floor = np.log(x[PARAMETERS]) + self._log_floor(x)
        return np.where(self.trusted, 0.0, np.exp(floor - np.logaddexp(core, floor)))

    def interval(self, floor: Any) -> tuple[float, float]:
        """Halve the way from the best rate to each end of its range, until the likelihood ratio test says stop."""
        limit = float(floor.fun) + 0.5 * float(chi2.ppf(_LEVEL, 1))
        return self._end(floor, limit, _SMALLEST_RATE), self._end(floor, limit, _LARGEST_RATE)

    def _end(self, floor: Any, limit: float, outer: float) -> float:
        inner = float(floor.x[PARAMETERS])
        start = floor.x.copy()
        for _ in range(_HALVINGS):
            middle = 0.5 * (inner + outer)
            start[PARAMETERS] = middle
            if float(self.minimise(start, middle).fun) <= limit:
                inner = middle
            else:
                outer = middle
        return outer

    def _log_core(self, x: Array) -> Array:
        core = ResidualCore.of(x)
        found = core.log_density(self.residual, self.log_local)
        for upper, rows in self.ends.items():
            found[rows] = core.log_reach(self.residual[rows], self.log_local[rows], upper=upper)
        return found

    def _log_floor(self, x: Array) -> Array:
        shares = np.exp(np.append(0.0, x[PARAMETERS + 1 :]))
        log_shares = np.log(shares / shares.sum())
        found = np.full(len(self.residual), log_shares[0] + self.log_uniform)
        for rows, log_share in zip(self.ends.values(), log_shares[1:], strict=True):
            found[rows] = log_share
        return found
