"""One feasible region: projection, and linear maximization with a proof."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from toadstone.core.arrays import Array, Mask
from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument
from toadstone.core.feasible import Extremum, Region
from toadstone.kernels.sets.ball_and_band import farthest, is_ball_and_band
from toadstone.kernels.sets.membership import extent, scales, violations
from toadstone.kernels.sets.projection import nearest
from toadstone.kernels.sets.separable import Parts, compile_region, linear_bound, respond

_FEASIBILITY = 1e-11
_CLOSED = 1e-10
_SOLVED, _EMPTY = 0, 1
_MAX_NEWTON = 400
_MAX_PROXIMAL = 60
_PATIENCE = 6
_LONGEST = 1e8
_MANY = 200
_EASED = 0.9
_CONTRADICTION = "the constraints contradict each other: no point satisfies all of them"
_NOT_FOUND = "no feasible point was found: the constraints contradict each other, or nearly so"


_Form: TypeAlias = tuple[Parts, Parts, Array]
"""A region as compiled code reads it: its arrays, its limits, and tolerances."""


def project(region: Region, point: Array, start: Array | None = None) -> tuple[Array, Array]:
    """Project a point onto a region.

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
    if start is not None and np.any(start):
        # A far start can make a tiny region look empty; what it finds is right.
        with suppress(EmptyFeasibleSet):
            return _project(region, _finite_vector("point", point), start)
    return _project(region, _finite_vector("point", point), np.zeros(1 + len(region.low)))


def _project(region: Region, point: Array, start: Array) -> tuple[Array, Array]:
    form = _compiled(region)
    x, multipliers, status = _nearest(region, form, point, start)
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

    In closed form for a ball and a band; else by proximal point steps, each of
    them a projection, with lengths that grow until the value at the feasible
    point meets the bound of the multipliers.

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
    if start is not None and np.any(start):
        with suppress(EmptyFeasibleSet):
            return _maximize(region, _finite_vector("direction", direction), start)
    return _maximize(region, _finite_vector("direction", direction), np.zeros(1 + len(region.low)))


def _maximize(region: Region, direction: Array, start: Array) -> Extremum:
    size = float(np.linalg.norm(direction))
    if size == 0.0:
        point, _ = project(region, region.centre)
        return Extremum(point, 0.0, 0.0, np.zeros(1 + len(region.low)))
    objective = _Objective(region, _compiled(region), direction, size, extent(region))
    if is_ball_and_band(region) and (exact := farthest(region, direction)) is not None:
        end = objective.extremum(exact[0], exact[1] / size)
        if objective.is_closed(end):
            return end
    point = np.clip(region.centre, region.lower, region.upper)
    multipliers = start / size
    length = (10.0 if region.integer else 100.0) * objective.scale
    if region.n_features >= _MANY and region.radius < np.inf:
        step = objective.step(point, multipliers, length)
        found = None if step is None else _maximize_free(objective, point, *step, length)
        if found is not None and objective.is_closed(found):
            return found
        point, multipliers = (point, multipliers) if step is None else step
    return _ascend(objective, point, multipliers, length)


def support_bound(region: Region, direction: Array, multipliers: Array) -> float:
    """Bound ``direction @ x`` over the region from multipliers alone.

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


@dataclass(frozen=True, eq=False)
class _Objective:
    """A linear function to maximize over a compiled region."""

    region: Region
    form: _Form
    direction: Array
    size: float
    scale: float

    def step(self, point: Array, multipliers: Array, length: float) -> tuple[Array, Array] | None:
        """Take one proximal step, and return its point and the multipliers for the unit direction."""
        ahead = point + (length / self.size) * self.direction
        nearby, scaled, status = _nearest(self.region, self.form, ahead, multipliers * length)
        if status == _EMPTY:
            raise EmptyFeasibleSet(_CONTRADICTION)
        if status != _SOLVED and violations(self.region, nearby[None, :]).max() > 1e-8:
            return None
        return nearby, scaled / length

    def extremum(self, point: Array, multipliers: Array) -> Extremum:
        region, direction, multipliers = self.region, self.direction, multipliers * self.size
        bound = _bound(self.form, direction, multipliers)
        width = 2 * max(region.radius, 1e-150)
        if multipliers[0] <= 1e-6 * self.size / width:
            # Where bands and box alone hold the optimum, a radius multiplier near
            # zero would multiply what rounding left of the direction without bound.
            rest = direction - multipliers[1:] @ region.bands
            loose = np.where(rest > 0, region.upper == np.inf, region.lower == -np.inf)
            if multipliers[0] == 0 and region.radius < np.inf and (region.upper - region.lower).max() == np.inf:
                # Bands may cancel the direction here, and not where it is rounded otherwise.
                bound = np.inf
            for left in (rest, rest[loose]):
                other = multipliers.copy()
                other[0] = max(float(np.linalg.norm(left)), 1e-17 * self.size) / width
                other_bound = _bound(self.form, direction, other)
                if other_bound < bound:
                    bound, multipliers = other_bound, other
        value = float(direction @ point)
        return Extremum(point.copy(), value, max(bound, value), multipliers)

    def is_closed(self, found: Extremum) -> bool:
        return found.bound - found.value <= _CLOSED * (abs(found.value) + self.size * self.scale)


def _ascend(objective: _Objective, point: Array, multipliers: Array, length: float) -> Extremum:
    """Maximize by proximal steps that grow until the value meets the bound."""
    best: Extremum | None = None
    stale = 0
    for _ in range(_MAX_PROXIMAL):
        step = objective.step(point, multipliers, length)
        if step is None:
            # A shorter step is a nearer projection, which is easier to solve.
            length /= 10.0
            continue
        point, multipliers = step
        found = objective.extremum(point, multipliers)
        stale = stale + 1 if best is not None and best.bound < np.inf else 0
        if best is None or found.bound - found.value < best.bound - best.value:
            best, stale = found, 0
        if objective.is_closed(best) or stale >= _PATIENCE or length >= _LONGEST * objective.scale:
            break
        # The proximal term vanishes as 1 / length; each projection starts from the last multipliers.
        length *= 5.0
    if best is None:
        raise EmptyFeasibleSet(_NOT_FOUND)
    return best


def _maximize_free(
    objective: _Objective, start: Array, point: Array, multipliers: Array, length: float
) -> Extremum | None:
    """Maximize over the features that one proximal step has not left at a bound.

    Most features of sparse data do, and the bound, which looks at all of them,
    tells whether that was right.
    """
    looser = multipliers * length * np.append(_EASED, np.ones(len(multipliers) - 1))
    eased = np.empty_like(point)
    work = np.empty(1 + len(multipliers)), np.empty((len(multipliers), len(multipliers)))
    respond(start + (length / objective.size) * objective.direction, objective.form[0], looser, eased, *work)
    free = (point > objective.region.lower) & (point < objective.region.upper) | (point != eased)
    narrow = _free_region(objective.region, point, free) if 2 * np.count_nonzero(free) < len(free) else None
    if narrow is None:
        return None
    inner = _Objective(narrow, _compiled(narrow), objective.direction[free], objective.size, extent(narrow))
    try:
        found = _ascend(inner, point[free], multipliers, 25 * length)
    except EmptyFeasibleSet:
        return None
    point = point.copy()
    point[free] = found.point
    return objective.extremum(point, found.multipliers / objective.size)


def _free_region(region: Region, point: Array, free: Mask) -> Region | None:
    """Return the region of the free features, with the others held fixed."""
    held, gap = point.copy(), point - region.centre
    held[free] = gap[free] = 0.0
    part = (held - np.floor(held)) * region.integer
    budget = region.radius**2 - float(gap @ gap + part @ (1 - part))
    if budget <= 0:
        return None
    used = region.bands @ held
    bounds = region.lower[free], region.upper[free], region.centre[free]
    bands = np.stack([normal[free] for normal in region.bands]) if len(used) else region.bands[:, : len(bounds[0])]
    return Region(*bounds, float(np.sqrt(budget)), bands, region.low - used, region.high - used, region.integer)


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


def _compiled(region: Region) -> _Form:
    return *compile_region(region), _FEASIBILITY * scales(region)


def _farthest(region: Region, point: Array) -> float:
    """Bound half the squared distance from `point` to any point of the region."""
    if region.radius < np.inf:
        reach = (float(np.linalg.norm(point - region.centre)) + region.radius) ** 2
    else:
        reach = float(np.sum(np.maximum((point - region.lower) ** 2, (point - region.upper) ** 2)))
    if reach == np.inf:
        # Only a region that begins beyond this many times any of its lengths is mistaken for empty.
        return 1e16 * (extent(region) ** 2 + float(point @ point))
    return 0.5 * reach * (1 + 1e-6)
