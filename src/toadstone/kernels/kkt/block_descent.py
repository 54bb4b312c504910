"""Two poison points and the shares of clean rows, moved in turn towards a target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from scipy.sparse import csr_array

from toadstone.core.arrays import Array, IntArray
from toadstone.core.feasible import Region
from toadstone.kernels.sets.membership import scales, violations
from toadstone.kernels.sets.projection import nearest
from toadstone.kernels.sets.regions import maximize, project, support_bound

SIGNS = np.array([-1.0, 1.0])
_NO_MASS = 1e-9
_PASSES = 4
_FEASIBILITY, _MAX_NEWTON = 1e-11, 100


class Side:
    """One region, ready for many projections.

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
        arrays = (region.lower, region.upper, region.centre, region.bands, region.low, region.high)
        lower, upper, centre, bands, low, high = (np.ascontiguousarray(array, dtype=float) for array in arrays)
        self._parts: tuple[Any, ...] = (lower, upper, centre, bands, bool(region.integer))
        self._limits: tuple[Any, ...] = (float(region.radius) ** 2, low, high)
        self._tolerance = _FEASIBILITY * scales(region)
        self.multipliers = np.zeros(1 + len(low))

    def nearest(self, point: Array) -> Array:
        """The nearest point of the region."""
        x, multipliers, status = nearest(
            point, self._parts, self._limits, self.multipliers, self._tolerance, np.inf, _MAX_NEWTON
        )
        if status != 0:
            x, multipliers = project(self.region, point)
        self.multipliers = multipliers
        return np.asarray(x)

    def admitted(self, point: Array) -> Array:
        """The point itself if it is surely feasible, or else the nearest one that is."""
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
        self.weigh(masses)
        # Even a point without mass proves that its region has one.
        self.put(np.stack([project(region, point)[0] for region, point in zip(regions, points, strict=True)]), shares)

    @property
    def value(self) -> float:
        """Norm of the residual."""
        return float(np.linalg.norm(self.residual))

    def weigh(self, masses: Array) -> None:
        """Give the points other masses."""
        self.masses = np.where(masses > _NO_MASS * masses.sum(), masses, 0.0)
        self.put(self.points, self.shares)

    def put(self, points: Array, shares: Array) -> None:
        """Take other points and shares, and find what they leave."""
        self.points, self.shares = points.copy(), shares.copy()
        signed = self.masses * SIGNS
        self.residual = self.fixed - self.loose.T @ shares
        self.residual -= np.append(signed @ points, signed.sum())

    def place(self) -> tuple[Array, Array]:
        """Points and shares as they are now."""
        return self.points.copy(), self.shares.copy()

    def go_on(self, here: tuple[Array, Array], previous: tuple[Array, Array], stride: float) -> None:
        """Go on the way from a previous place, even out of the regions."""
        points, shares = (now + stride * (now - old) for now, old in zip(here, previous, strict=True))
        self.put(points, np.clip(shares, 0.0, 1.0))

    def sweep(self) -> None:
        """Choose the best shares, then the best place of each point, in turn."""
        if len(self.shares):
            _settle(*self._loose, self.shares, self.residual, _PASSES)
        for k in np.flatnonzero(self.masses):
            mass, old = SIGNS[k] * self.masses[k], self.points[k].copy()
            self.points[k] = self.sides[k].nearest(old + self.residual[:-1] / mass)
            self.residual[:-1] -= mass * (self.points[k] - old)

    def settle(self) -> None:
        """Make the points surely feasible, and the residual exact."""
        points = [side.admitted(point) for side, point in zip(self.sides, self.points, strict=True)]
        self.put(np.stack(points), self.shares)

    def quick_bounds(self) -> tuple[float, float]:
        """Lower bounds of the value, from the multipliers of the last projections.

        Returns
        -------
        for_masses : float
            With the present masses.
        for_total : float
            With any masses of the same sum.
        """
        return self._bounds(support_bound)

    def exact_bounds(self) -> tuple[float, float]:
        """The same from the exact support functions, which can take longer than all sweeps."""
        return self._bounds(lambda region, direction, start: maximize(region, direction, start).bound)

    def _bounds(self, support: Callable[[Region, Array, Array], float]) -> tuple[float, float]:
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
def _settle(
    values: Array, indices: IntArray, pointers: IntArray, squares: Array, shares: Array, residual: Array, passes: int
) -> None:
    """Coordinate descent of the residual in the shares, in place."""
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
