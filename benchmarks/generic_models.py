"""One class's region in a modelling language: the generic route to LIN and PROJ.

The integer-aware cost is written in two ways, and the benchmark reports the
faster: by its epigraph, one row for each breakpoint; or by unit steps, x being
a sum of variables in [0, 1] whose prices increase. Either way only the
breakpoints enter that some feasible point can reach.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cvxpy as cp
import numpy as np
from scipy.sparse import csr_array, diags_array

from toadstone.core.feasible import Region


@dataclass(frozen=True)
class Model:
    """A problem built once, whose vector parameter changes from solve to solve."""

    problem: cp.Problem
    place: Callable[[np.ndarray], None]

    def solve(self, vector: np.ndarray, solver: str) -> float:
        """The optimal value for one vector."""
        self.place(vector)
        self.problem.solve(solver=solver)
        return float(self.problem.value)


def reachable_steps(region: Region) -> tuple[np.ndarray, np.ndarray]:
    """Feature and whole number at the start of each unit step that can matter."""
    nearest = np.clip(np.round(region.centre), region.lower, region.upper)
    least = (nearest - region.centre) ** 2
    own = np.sqrt(np.maximum(region.radius**2 - least.sum() + least, 0.0))
    tops = np.clip(np.floor(region.centre + own) + 1, 1, region.upper).astype(int)
    return np.repeat(np.arange(len(tops)), tops), np.concatenate([np.arange(top) for top in tops])


def by_steps(region: Region, *, linear: bool) -> Model:
    """Maximize ``vector @ x``, or find the nearest point to it; x in unit steps."""
    features, starts = reachable_steps(region)
    steps, d = len(features), region.n_features
    total = csr_array((np.ones(steps), (features, np.arange(steps))), shape=(d, steps))
    taken = cp.Variable(steps, bounds=[0, 1])
    spent = (2 * starts + 1 - 2 * region.centre[features]) @ taken + region.centre @ region.centre
    bands = region.bands @ total
    limits = [spent <= region.radius**2, bands @ taken >= region.low, bands @ taken <= region.high]
    if linear:
        gains = cp.Parameter(steps)
        problem = cp.Problem(cp.Maximize(gains @ taken), limits)
        return Model(problem, lambda vector: setattr(gains, "value", vector[features]))
    x, target = cp.Variable(d), cp.Parameter(d)
    problem = cp.Problem(cp.Minimize(cp.sum_squares(x - target)), [*limits, x == total @ taken])
    return Model(problem, lambda vector: setattr(target, "value", vector))


def by_epigraph(region: Region, *, linear: bool) -> Model:
    """The same with one variable above each coordinate's interpolated square."""
    features, starts = reachable_steps(region)
    steps, d = len(features), region.n_features
    pick = csr_array((np.ones(steps), (np.arange(steps), features)), shape=(steps, d))
    x, squares, vector = cp.Variable(d, bounds=[region.lower, region.upper]), cp.Variable(d), cp.Parameter(d)
    spent = cp.sum(squares) - 2 * region.centre @ x + region.centre @ region.centre
    limits = [
        pick @ squares >= diags_array(2.0 * starts + 1) @ pick @ x - starts * (starts + 1.0),
        spent <= region.radius**2,
        region.bands @ x >= region.low,
        region.bands @ x <= region.high,
    ]
    objective = cp.Maximize(vector @ x) if linear else cp.Minimize(cp.sum_squares(x - vector))
    return Model(cp.Problem(objective, limits), lambda value: setattr(vector, "value", value))
