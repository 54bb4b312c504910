"""One feasible region: projection, linear maximization with a proof, violations."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from scipy.sparse import issparse

from bezoar.core.arrays import Array, Matrix
from bezoar.core.errors import EmptyFeasibleSet, InvalidArgument
from bezoar.core.feasible import Extremum, Region
from bezoar.kernels.ascent import nearest
from bezoar.kernels.rows import squared_distances
from bezoar.kernels.separable import linear_bound

_FEASIBILITY = 1e-9
_CLOSED = 1e-10
_SOLVED, _EMPTY = 0, 1
_MAX_NEWTON = 400
_MAX_PROXIMAL = 60
_PATIENCE = 6
_LONGEST = 1e8
_CONTRADICTION = "the constraints contradict each other: no point satisfies all of them"
_NOT_FOUND = "no feasible point was found: the constraints contradict each other, or nearly so"


_Form: TypeAlias = tuple[tuple[Any, ...], tuple[Any, ...], Array]
"""What compiled code reads of a region: its arrays, its limits, tolerances."""


def project(region: Region, point: Array, start: Array | None = None) -> tuple[Array, Array]:
    """The nearest point of a region, and the multipliers that prove it.

    Solves ``min |x - point|**2 / 2`` through its concave dual in one variable
    for the radius and one for each band.

    Parameters
    ----------
    region : Region
    point : ndarray of shape (d,)
    start : ndarray of shape (1 + J,), optional

    Returns
    -------
    nearest : ndarray of shape (d,)
    multipliers : ndarray of shape (1 + J,)

    Raises
    ------
    EmptyFeasibleSet
        If a dual value beyond any distance within the region proves that it
        has no point, or none is found.
    InvalidArgument
        If a coordinate of `point` is NaN or infinite.
    """
    point, form = _finite_vector("point", point), _compiled(region)
    x, multipliers, status = _nearest(region, form, point, np.zeros(1 + len(region.low)) if start is None else start)
    if status == _EMPTY:
        raise EmptyFeasibleSet(_CONTRADICTION)
    excess = violations(region, x[None, :]).max()
    if 1e-8 < excess < 1e-6:
        # Rounding at a far point hides the last digits; they are settled from nearby.
        x, _, _ = _nearest(region, form, x, np.zeros(1 + len(region.low)))
        excess = violations(region, x[None, :]).max()
    if excess > 1e-8:
        raise EmptyFeasibleSet(_NOT_FOUND)
    return x, multipliers


def maximize(region: Region, direction: Array, start: Array | None = None) -> Extremum:
    """Maximize a linear function over a region, with a dual bound.

    Proximal point steps, each of them a projection, with lengths that grow
    until the value at the feasible point meets the bound of the multipliers.

    Parameters
    ----------
    region : Region
    direction : ndarray of shape (d,)
    start : ndarray of shape (1 + J,), optional
        Multipliers of a similar direction.

    Returns
    -------
    Extremum
        Its `bound` includes an allowance for floating-point error; it is
        infinite where the region has no farthest point.

    Raises
    ------
    EmptyFeasibleSet
        If the region has no point, or none is found.
    InvalidArgument
        If a coordinate of `direction` is NaN or infinite.
    """
    direction, form = _finite_vector("direction", direction), _compiled(region)
    size = float(np.linalg.norm(direction))
    multipliers = np.zeros(1 + len(region.low)) if start is None or size == 0.0 else start / size
    if size == 0.0:
        point, _ = project(region, region.centre)
        return Extremum(point, 0.0, 0.0, multipliers)
    unit = direction / size
    scale = extent(region)
    length = (10.0 if region.integer else 100.0) * scale
    point = np.clip(region.centre, region.lower, region.upper)
    best: Extremum | None = None
    stale = 0
    for _ in range(_MAX_PROXIMAL):
        nearby, scaled, status = _nearest(region, form, point + length * unit, multipliers * length)
        if status == _EMPTY:
            raise EmptyFeasibleSet(_CONTRADICTION)
        if status != _SOLVED and violations(region, nearby[None, :]).max() > 1e-8:
            length /= 10.0
            continue
        point, multipliers = nearby, scaled / length
        found = _extremum(region, form, direction, point, multipliers * size)
        stale = stale + 1 if best is not None and best.bound < np.inf else 0
        if best is None or found.bound - found.value < best.bound - best.value:
            best, stale = found, 0
        closed = best.bound - best.value <= _CLOSED * (abs(best.value) + size * scale)
        if closed or stale >= _PATIENCE or length >= _LONGEST * scale:
            break
        length *= 5.0
    if best is None:
        raise EmptyFeasibleSet(_NOT_FOUND)
    return best


def support_bound(region: Region, direction: Array, multipliers: Array) -> float:
    """A bound of ``direction @ x`` over the region from multipliers alone.

    Valid for any multipliers with a first entry that is not negative: this is
    what a verifier evaluates. Rounded up by the floating-point error at most.

    Raises
    ------
    InvalidArgument
        If the first multiplier is negative, or one is not a number.
    """
    multipliers = np.ascontiguousarray(multipliers, dtype=float)
    if multipliers.shape != (1 + len(region.low),) or not multipliers[0] >= 0 or not np.isfinite(multipliers).all():
        raise InvalidArgument(
            "multipliers", f"{1 + len(region.low)} finite numbers, the first not negative", multipliers
        )
    return _bound(_compiled(region), np.ascontiguousarray(direction, dtype=float), multipliers)


def violations(region: Region, X: Matrix) -> Array:
    """How far rows violate a region, relative to its scale.

    Parameters
    ----------
    region : Region
    X : ndarray or CSR of shape (n, d)

    Returns
    -------
    ndarray of shape (n, 2 + J)
        Of the box, of the radius, of each band; zero or less where satisfied.
    """
    columns = [_box_excess(region, X), _radius_excess(region, X)]
    for normal, low, high in zip(region.bands, region.low, region.high, strict=True):
        value = X @ normal
        columns.append(np.maximum(value - high, low - value) / _band_scale(region, normal, low, high))
    return np.stack(columns, axis=1)


def _finite_vector(name: str, vector: Array) -> Array:
    if not np.isfinite(vector).all():
        raise InvalidArgument(name, "finite numbers", "NaN or infinity")
    return np.ascontiguousarray(vector, dtype=float)


def _nearest(region: Region, form: _Form, point: Array, start: Array) -> tuple[Array, Array, int]:
    parts, limits, tolerance = form
    multipliers = np.ascontiguousarray(start, dtype=float)
    found = nearest(point, parts, limits, multipliers, tolerance, _farthest(region, point), _MAX_NEWTON)
    return found  # type: ignore[no-any-return]


def _bound(form: _Form, direction: Array, multipliers: Array) -> float:
    parts, limits, _ = form
    bound, rounding = linear_bound(direction, parts, limits, multipliers)
    return float(bound + rounding)


def _extremum(region: Region, form: _Form, direction: Array, point: Array, multipliers: Array) -> Extremum:
    value = float(direction @ point)
    bound = _bound(form, direction, multipliers)
    reach = float(np.linalg.norm(direction)) / (2 * max(region.radius, 1e-150))
    if multipliers[0] <= 1e-6 * reach:
        # Where bands and box alone hold the optimum, a radius multiplier near
        # zero would multiply what rounding left of the direction without bound.
        rest = direction - multipliers[1:] @ region.bands
        loose = np.where(rest > 0, region.upper == np.inf, region.lower == -np.inf)
        for left in (rest, rest[loose]):
            other = multipliers.copy()
            other[0] = max(float(np.linalg.norm(left)) / (2 * max(region.radius, 1e-150)), 1e-17 * reach)
            other_bound = _bound(form, direction, other)
            if other_bound < bound:
                bound, multipliers = other_bound, other
    return Extremum(point.copy(), value, max(bound, value), multipliers)


def _box_excess(region: Region, X: Matrix) -> Array:
    if not issparse(X):
        return np.asarray(np.maximum(region.lower - X, X - region.upper).max(axis=1)) / extent(region)
    rows = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    excess = np.full(X.shape[0], -np.inf)
    np.maximum.at(excess, rows, np.maximum(region.lower[X.indices] - X.data, X.data - region.upper[X.indices]))
    # A bound that excludes zero concerns the entries that are not stored too.
    for column in np.flatnonzero((region.lower > 0) | (region.upper < 0)):
        value = X[:, [column]].toarray().ravel()
        np.maximum(excess, np.maximum(region.lower[column] - value, value - region.upper[column]), out=excess)
    return excess / extent(region)


def _radius_excess(region: Region, X: Matrix) -> Array:
    if region.radius == np.inf:
        return np.full(X.shape[0], -np.inf)
    squares = squared_distances(X, region.centre)
    if region.integer:
        squares = squares + _interpolation_excess(X)
    return np.asarray((squares - region.radius**2) / _radius_scale(region))


def _interpolation_excess(X: Matrix) -> Array:
    """By how much the integer-aware form exceeds the squared distance."""
    excess = X.copy()
    if issparse(X):
        part = X.data - np.floor(X.data)
        excess.data = part * (1 - part)
    else:
        part = X - np.floor(X)
        excess = part * (1 - part)
    return np.asarray(excess.sum(axis=1)).ravel()


def extent(region: Region) -> float:
    """A length typical of a region: its radius, or else what its other limits tell."""
    if 0 < region.radius < np.inf:
        return region.radius
    norms = np.maximum(np.linalg.norm(region.bands, axis=1), 1e-300)
    box = _finite(region.upper - region.lower).max(initial=0.0)
    widths = np.append(_finite((region.high - region.low) / norms), box)
    offsets = np.concatenate([region.low / norms, region.high / norms, region.lower, region.upper, region.centre])
    if np.any(widths > 0):
        return float(widths[widths > 0].min())
    return float(np.abs(_finite(offsets)).max(initial=0.0)) or 1.0


def _finite(values: Array) -> Array:
    return values[np.isfinite(values)]


def _radius_scale(region: Region) -> float:
    # Squares of rows far from the origin cannot be told apart more finely.
    return max(region.radius**2 + 1e-5 * float(region.centre @ region.centre), 1e-300)


def _band_scale(region: Region, normal: Array, low: float, high: float) -> float:
    finite = [abs(limit) for limit in (low, high) if abs(limit) < np.inf]
    return max(float(np.linalg.norm(normal)) * extent(region) + 1e-4 * max(finite, default=0.0), 1e-300)


def _compiled(region: Region) -> _Form:
    budget = float(region.radius) ** 2
    arrays = (region.lower, region.upper, region.centre, region.bands, region.low, region.high)
    lower, upper, centre, bands, low, high = (np.ascontiguousarray(array, dtype=float) for array in arrays)
    parts, limits = (lower, upper, centre, bands, bool(region.integer)), (budget, low, high)
    band_scales = [
        _band_scale(region, normal, low, high)
        for normal, low, high in zip(region.bands, region.low, region.high, strict=True)
    ]
    radius_scale = 1.0 if budget == np.inf else _radius_scale(region)
    return parts, limits, _FEASIBILITY * np.array([radius_scale, *band_scales])


def _farthest(region: Region, point: Array) -> float:
    """No point of the region is farther from `point`, in halved squares."""
    if region.radius < np.inf:
        reach = (float(np.linalg.norm(point - region.centre)) + region.radius) ** 2
    else:
        reach = float(np.sum(np.maximum((point - region.lower) ** 2, (point - region.upper) ** 2)))
    if reach == np.inf:
        # Only a region that begins beyond this many times any of its lengths is mistaken for empty.
        return 1e16 * (extent(region) ** 2 + float(point @ point))
    return 0.5 * reach * (1 + 1e-6)
