"""The poison side of the minimax problem of several classes: one feasible point for each pair of classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from toadstone.core.arrays import Array, IntArray
from toadstone.core.feasible import Region
from toadstone.kernels.linear.coordinate_descent import exchange
from toadstone.kernels.losses import HINGE
from toadstone.kernels.sets.regions import maximize, project
from toadstone.kernels.sets.rival_search import RivalSearch

_NO_MASS, _FAR = 1e-9, 1e5


@dataclass(frozen=True, eq=False)
class Placed:
    """Poison points and their dual masses.

    Parameters
    ----------
    labels, rivals : ndarray of int of shape (p,)
        Each point's class, and the wrong class that it is for; no pair twice.
    points : ndarray of shape (p, d + 1)
        With the constant feature last.
    masses : ndarray of shape (p,)
    """

    labels: IntArray
    rivals: IntArray
    points: Array
    masses: Array

    def take(self, chosen: IntArray) -> Placed:
        """Return the chosen points."""
        return Placed(self.labels[chosen], self.rivals[chosen], self.points[chosen], self.masses[chosen])

    def signs(self, n_classes: int) -> Array:
        """Return how each point pulls each class: one for its label, minus one for its rival, shape (p, k)."""
        eye = np.eye(n_classes)
        return np.asarray(eye[self.labels] - eye[self.rivals])


class PairPoints:
    """Poison points of several classes and their dual masses, improved one part after another.

    By the collapse of Koh, Steinhardt and Liang (2022, theorem 1) one point
    for each label and wrong class is enough, so that the best point for a
    given mass is a projection. Models have one column a class here.

    Parameters
    ----------
    regions : sequence of Region
        Where points of each class may lie.
    fraction : float
        Total poison mass.

    Raises
    ------
    EmptyFeasibleSet
        If a region has no point.
    """

    def __init__(self, regions: Sequence[Region], fraction: float) -> None:
        self.regions, self.fraction = regions, fraction
        for region in regions:
            project(region, region.centre)
        nothing = np.empty(0, dtype=np.int64)
        self.placed = Placed(nothing, nothing, np.empty((0, regions[0].n_features + 1)), np.empty(0))
        self._search = RivalSearch(regions)
        self._multipliers: dict[tuple[int, int], Array] = {}

    def pull(self) -> Array:
        """Sum what the points pull each class by, shape (d + 1, k)."""
        placed = self.placed
        return np.asarray((placed.masses[:, None] * placed.points).T @ placed.signs(len(self.regions)))

    def gain(self) -> float:
        """Return the contribution of the masses to the dual objective."""
        return float(self.placed.masses.sum())

    def attack(self, theta: Array) -> float:
        """Bound the loss of every feasible row; pairs without mass get their worst point where it was found."""
        found = self._search.solve(theta.T)
        kept = self.placed.take(np.flatnonzero(self.placed.masses > _NO_MASS * self.fraction))
        held = set(zip(kept.labels.tolist(), kept.rivals.tolist(), strict=True))
        new = [point for point in found if (point.label, point.rival) not in held]
        points = [np.append(point.point, 1.0)[None, :] for point in new]
        self.placed = Placed(
            np.append(kept.labels, [point.label for point in new]).astype(np.int64),
            np.append(kept.rivals, [point.rival for point in new]).astype(np.int64),
            np.concatenate([kept.points, *points]),
            np.append(kept.masses, np.zeros(len(new))),
        )
        return found[0].bound

    def multipliers(self, theta: Array) -> Array:
        """Return multipliers for every pair that prove the last bound of `attack`, shape (k, k, 1 + J)."""
        return self._search.multipliers(theta.T)

    def rebalance(self, theta: Array, kappa: float) -> None:
        """Maximize over the masses, updating `theta`."""
        placed, signs = self.placed, self.placed.signs(len(self.regions))
        if not len(placed.masses):
            return
        margins = np.einsum("ij,ij->i", placed.points @ theta, signs)
        gram = (placed.points @ placed.points.T) * (signs @ signs.T)
        masses = placed.masses.copy()
        exchange(masses, margins, gram, self.fraction, kappa, HINGE.coefficients)
        theta += ((masses - placed.masses)[:, None] * placed.points).T @ signs / kappa
        self.placed = replace(placed, masses=masses)

    def respond(self, theta: Array, kappa: float) -> None:
        """Maximize over each point for its mass, updating `theta`."""
        placed, points = self.placed, self.placed.points.copy()
        for p in np.flatnonzero(placed.masses > _NO_MASS * self.fraction).tolist():
            label, rival, mass = int(placed.labels[p]), int(placed.rivals[p]), float(placed.masses[p])
            lead = theta[:-1, label] - theta[:-1, rival]
            # PROJ of docs/mathematics.md; two classes answer to the point, hence twice its mass.
            pushed = -kappa / (2 * mass) * lead
            region = self.regions[label]
            reach = region.radius if region.radius < np.inf else 1.0 + float(np.linalg.norm(points[p]))
            if float(np.linalg.norm(pushed)) > _FAR * reach:
                # So little mass has nothing to lose: its best place is the worst point itself.
                new = maximize(region, -lead).point
            else:
                new = self._projected(label, rival, points[p, :-1] + pushed)
            moved = mass / kappa * (new - points[p, :-1])
            theta[:-1, label] += moved
            theta[:-1, rival] -= moved
            points[p, :-1] = new
        self.placed = replace(placed, points=points)

    def extrapolate(self, old: Placed, stride: float) -> None:
        """Extrapolate masses and points along their change from an older state."""
        placed, k = self.placed, len(self.regions)
        # The dual is linear in mass times point, so that product is what gets extrapolated; its last entry is the mass.
        moments = placed.masses[:, None] * placed.points
        before = dict(zip((old.labels * k + old.rivals).tolist(), old.masses[:, None] * old.points, strict=True))
        for p, pair in enumerate((placed.labels * k + placed.rivals).tolist()):
            moments[p] += stride * (moments[p] - before.get(pair, 0.0))
        masses = np.maximum(moments[:, -1], 0.0)
        points = placed.points.copy()
        for p in np.flatnonzero(masses > _NO_MASS * self.fraction).tolist():
            label, rival = int(placed.labels[p]), int(placed.rivals[p])
            points[p, :-1] = self._projected(label, rival, moments[p, :-1] / masses[p])
        masses *= min(1.0, self.fraction / max(float(masses.sum()), 1e-300))
        self.placed = replace(placed, points=points, masses=masses)

    def _projected(self, label: int, rival: int, point: Array) -> Array:
        start = self._multipliers.get((label, rival))
        nearest, self._multipliers[label, rival] = project(self.regions[label], point, start)
        return nearest
