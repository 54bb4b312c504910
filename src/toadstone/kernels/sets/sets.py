"""Feasible sets: membership, projection and linear maximization with a proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.sparse import issparse

from toadstone.core.arrays import Array, Labels, Mask, Matrix
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.feasible import Domain, Extremum, Region
from toadstone.kernels.rows import column_extremes
from toadstone.kernels.sets.ball_and_band import is_ball_and_band, project_rows
from toadstone.kernels.sets.membership import violations
from toadstone.kernels.sets.regions import maximize, project


class ConvexSet:
    """A feasible set with one convex region for each label.

    Parameters
    ----------
    regions : mapping from label to Region

    Examples
    --------
    >>> from toadstone.core.feasible import ball
    >>> unit = ConvexSet({"spam": ball(np.zeros(2), 1.0)})
    >>> unit.maximize(np.array([3.0, 4.0]), "spam").point.round(6)
    array([0.6, 0.8])
    """

    def __init__(self, regions: Mapping[Any, Region]) -> None:
        self.regions = dict(regions)

    def contains(self, X: Matrix, y: Labels) -> Mask:
        """Return a mask of the rows inside their label's region, up to 1e-8 relative.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : ndarray of shape (n,)

        Returns
        -------
        ndarray of bool of shape (n,)
            False also for labels that the set does not know.
        """
        inside = np.zeros(X.shape[0], dtype=bool)
        for label, region in self.regions.items():
            rows = np.flatnonzero(np.asarray(y) == label)
            if rows.size:
                inside[rows] = np.all(violations(region, X[rows]) <= 1e-8, axis=1)
        return inside

    def project(self, X: Matrix, y: Labels) -> Array:
        """Project each row onto its label's region.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : ndarray of shape (n,)

        Returns
        -------
        ndarray of shape (n, d)

        Raises
        ------
        EmptyFeasibleSet
            If a region has no point.
        """
        rows = X.toarray() if issparse(X) else np.asarray(X, dtype=float)
        regions = [self.region(label) for label in y]
        nearest = rows.astype(float)
        for region in {id(region): region for region in regions}.values():
            own = [k for k, other in enumerate(regions) if other is region]
            if is_ball_and_band(region) and np.isfinite(rows[own]).all():
                nearest[own] = project_rows(region, rows[own])
            else:
                nearest[own] = np.stack([project(region, row)[0] for row in rows[own]])
        return nearest

    def maximize(self, direction: Array, label: object, start: Array | None = None) -> Extremum:
        """Maximize a linear function over one label's region.

        Parameters
        ----------
        direction : ndarray of shape (d,)
        label : object
        start : ndarray of shape (1 + J,), optional
            Multipliers of a similar direction to begin with.

        Returns
        -------
        Extremum

        Raises
        ------
        EmptyFeasibleSet
            If the region has no point.
        """
        return maximize(self.region(label), direction, start)

    def region(self, label: object) -> Region:
        """Return the region of one label.

        Raises
        ------
        InvalidData
            If the set has none for it.
        """
        found: Region | None = self.regions.get(label)
        if found is None:
            raise InvalidData(f"label: expected one of {', '.join(map(str, self.regions))}, got {label}")
        return found

    def intersect(self, other: ConvexSet) -> ConvexSet:
        """Intersect with another set, for the labels of this one."""
        return ConvexSet({label: _intersect(own, other.region(label)) for label, own in self.regions.items()})

    def within(self, domain: Domain) -> ConvexSet:
        """Intersect with a domain, relaxed to be convex."""
        return ConvexSet({label: _restrict(region, domain) for label, region in self.regions.items()})


def unlimited(labels: Sequence[Any], n_features: int) -> ConvexSet:
    """Return the set of all rows, for each of some labels."""
    nothing, limit = np.empty(0), np.full(n_features, np.inf)
    region = Region(-limit, limit, np.zeros(n_features), np.inf, np.empty((0, n_features)), nothing, nothing)
    return ConvexSet(dict.fromkeys(labels, region))


def fit_domain(X: Matrix, name: str) -> Domain:
    """Fit the domain of poison rows under the named convention.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Rows taken as clean.
    name : {"real", "box", "integer"}
        No bounds; each feature within its range among the rows, or within
        [0, 1] where no value leaves it; or besides that a whole number, with
        a range that includes 0 and 1.

    Raises
    ------
    InvalidArgument
        If the name is another.
    InvalidData
        If ``"integer"`` is asked for and a value is negative or fractional.
    """
    d = X.shape[1]
    if name == "real":
        return Domain("real", np.full(d, -np.inf), np.full(d, np.inf))
    if name not in ("box", "integer"):
        raise InvalidArgument("domain", "real, box or integer", name)
    lower, upper = column_extremes(X)
    if name == "box":
        inside_unit = lower.min() >= 0 and upper.max() <= 1
        return Domain("box", *((np.zeros(d), np.ones(d)) if inside_unit else (lower, upper)))
    values = X.data if issparse(X) else X
    if lower.min() < 0 or np.any(values != np.floor(values)):
        raise InvalidData("integer domain: expected counts, whole numbers that are not negative; got others")
    # At least 1, or poison could never use a feature that is zero in all clean rows.
    return Domain("integer", np.zeros(d), np.maximum(upper, 1.0), integer=True)


def _intersect(one: Region, other: Region) -> Region:
    if one.radius < np.inf and other.radius < np.inf:
        raise InvalidArgument("feasible sets", "at most one with a radius", "two")
    round_one = one if one.radius < np.inf else other
    return Region(
        np.maximum(one.lower, other.lower),
        np.minimum(one.upper, other.upper),
        round_one.centre,
        round_one.radius,
        np.concatenate([one.bands, other.bands]),
        np.concatenate([one.low, other.low]),
        np.concatenate([one.high, other.high]),
        one.integer or other.integer,
    )


def _restrict(region: Region, domain: Domain) -> Region:
    return Region(
        np.maximum(region.lower, domain.lower),
        np.minimum(region.upper, domain.upper),
        region.centre,
        region.radius,
        region.bands,
        region.low,
        region.high,
        region.integer or domain.integer,
    )
