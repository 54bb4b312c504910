"""Block coordinate descent over two poison points and the multipliers of clean rows on the margin."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit
from scipy.sparse import csr_array

from toadstone.core.arrays import Array, IntArray
from toadstone.core.feasible import Region
from toadstone.kernels.sets.membership import scales, violations
from toadstone.kernels.sets.projection import nearest
from toadstone.kernels.sets.regions import maximize, project, support_bound
from toadstone.kernels.sets.separable import compile_region

SIGNS = np.array([-1.0, 1.0])
_NO_MASS = 1e-9
_PASSES = 4
_FEASIBILITY, _MAX_NEWTON = 1e-11, 100


class Side:
    """A region compiled for repeated projections.

    Parameters
    ----------
    region : Region

    Attributes
    ----------
    multipliers : ndarray of shape (1 + J,)
        Of the last projection, from which the next one starts.
    """

    def __init__(self, region: Region) -> None:
        self.region = region
        self._parts, self._limits = compile_region(region)
        self._tolerance = _FEASIBILITY * scales(region)
        self.multipliers = np.zeros(1 + len(region.low))

    def nearest(self, point: Array) -> Array:
        """Return the nearest point of the region."""
        x, multipliers, status = nearest(
            point, self._parts, self._limits, self.multipliers, self._tolerance, np.inf, _MAX_NEWTON
        )
        if status != 0:
            x, multipliers = project(self.region, point)
        self.multipliers = multipliers
        return np.asarray(x)

    def feasible(self, point: Array) -> Array:
        """Return the point itself if it is feasible, else the nearest feasible one."""
        return project(self.region, point)[0] if violations(self.region, point[None, :]).max() > 1e-8 else point


class Balance:
    """Points, shares, and the residual ``fixed - shares @ loose - sum masses * signs * (points, 1)``.

    Parameters
    ----------
    fixed : ndarray of shape (d + 1,)
    loose : CSR of shape (k, d + 1)
    regions : tuple of two Region
        Where points labelled -1 and +1 may lie.
    masses : ndarray of shape (2,)
    points : ndarray of shape (2, d)
        Where to start; moved into the regions.
    shares : ndarray of shape (k,)

    Raises
    ------
    EmptyFeasibleSet
        If a region has no point.
    """

    def __init__(
        self,
        fixed: Array,
        loose: csr_array,
        regions: tuple[Region, Region],
        masses: Array,
        points: Array,
        shares: Array,
    ) -> None:
        self.fixed, self.loose = fixed, csr_array(loose)
        self.sides = [Side(region) for region in regions]
        squares = np.asarray(self.loose.multiply(self.loose).sum(axis=1)).ravel()
        self._loose = (self.loose.data, self.loose.indices, self.loose.indptr, squares)
        self.points, self.shares = points, shares
        self.set_masses(masses)
        # Even a point without mass proves that its region has one.
        self.set_state(
            np.stack([project(region, point)[0] for region, point in zip(regions, points, strict=True)]), shares
        )

    @property
    def value(self) -> float:
        """Norm of the residual."""
        return float(np.linalg.norm(self.residual))

    def set_masses(self, masses: Array) -> None:
        """Set the masses of the points."""
        # A mass of rounding size would divide the residual in `sweep` and send its point far away.
        self.masses = np.where(masses > _NO_MASS * masses.sum(), masses, 0.0)
        self.set_state(self.points, self.shares)

    def set_state(self, points: Array, shares: Array) -> None:
        """Set points and shares, and recompute the residual."""
        self.points, self.shares = points.copy(), shares.copy()
        signed = self.masses * SIGNS
        self.residual = self.fixed - self.loose.T @ shares
        self.residual -= np.append(signed @ points, signed.sum())

    def state(self) -> tuple[Array, Array]:
        """Return copies of the points and shares."""
        return self.points.copy(), self.shares.copy()

    def extrapolate(self, here: tuple[Array, Array], previous: tuple[Array, Array], stride: float) -> None:
        """Extrapolate from a previous state, even out of the regions."""
        points, shares = (now + stride * (now - old) for now, old in zip(here, previous, strict=True))
        self.set_state(points, np.clip(shares, 0.0, 1.0))

    def sweep(self) -> None:
        """Minimize over the shares, then over each point, in turn."""
        if len(self.shares):
            _minimize_shares(*self._loose, self.shares, self.residual, _PASSES)
        for k in np.flatnonzero(self.masses):
            mass, old = SIGNS[k] * self.masses[k], self.points[k].copy()
            # For fixed shares and other point the residual is mass times (target - x): its minimizer is a projection.
            self.points[k] = self.sides[k].nearest(old + self.residual[:-1] / mass)
            self.residual[:-1] -= mass * (self.points[k] - old)

    def finish(self) -> None:
        """Project the points once more, and recompute the residual exactly."""
        points = [side.feasible(point) for side, point in zip(self.sides, self.points, strict=True)]
        self.set_state(np.stack(points), self.shares)

    def quick_bounds(self) -> tuple[float, float]:
        """Compute lower bounds of the value from the multipliers of the last projections.

        Returns
        -------
        for_masses : float
            With the present masses.
        for_total : float
            With any masses of the same sum.
        """
        return self._bounds(support_bound)

    def exact_bounds(self) -> tuple[float, float]:
        """Compute the same bounds from exact support functions, which can take longer than all sweeps."""
        return self._bounds(lambda region, direction, start: maximize(region, direction, start).bound)

    def _bounds(self, support: Callable[[Region, Array, Array], float]) -> tuple[float, float]:
        # The residual's own direction separates best; it is optimal where the residual is.
        length = self.value or 1.0
        away = self.residual / length
        heights = SIGNS * away[-1]
        for k, side in enumerate(self.sides):
            heights[k] += support(side.region, SIGNS[k] * away[:-1], side.multipliers * self.masses[k] / length)
        clean = float(away @ self.fixed) - float(np.maximum(self.loose @ away, 0.0).sum())
        used = self.masses > 0
        own, total = float(self.masses[used] @ heights[used]), float(self.masses.sum()) * float(heights.max())
        return max(clean - own, 0.0), max(clean - total, 0.0)


@njit(cache=True, nogil=True)
def _minimize_shares(
    values: Array, indices: IntArray, pointers: IntArray, squares: Array, shares: Array, residual: Array, passes: int
) -> None:
    """Minimize the residual over the shares by coordinate descent, in place."""
    for _ in range(passes):
        for i in range(shares.shape[0]):
            if squares[i] == 0.0:
                continue
            along = 0.0
            for k in range(pointers[i], pointers[i + 1]):
                along += values[k] * residual[indices[k]]
            change = min(max(shares[i] + along / squares[i], 0.0), 1.0) - shares[i]
            if change == 0.0:
                continue
            shares[i] += change
            for k in range(pointers[i], pointers[i + 1]):
                residual[indices[k]] -= change * values[k]
