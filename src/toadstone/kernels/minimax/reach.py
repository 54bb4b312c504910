"""Distances along a model's weights: between the classes, within them, and as far as poison reaches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import Array
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.sets.regions import maximize


@dataclass(frozen=True)
class Reach:
    """Separability of two classes and room for poison, along the weights of a model.

    Parameters
    ----------
    separability : float
        Distance of the class means, in standard deviations within the
        classes; infinite where the rows of each class do not vary.
    share_of_width : float
        The same distance as a share of the width of the feasible set.
    width : float
        Width of the feasible set, in standard deviations within the classes.
    """

    separability: float
    share_of_width: float
    width: float


def measure_reach(problem: Problem, weights: Array) -> Reach:
    """Measure separability and the room for poison along a direction [1]_.

    Poisoning is hard where the classes are far apart for their spread, and
    where the feasible set is not much wider than they are apart.

    Parameters
    ----------
    problem : Problem
        With both classes among its rows.
    weights : ndarray of shape (d,)
        Not zero.

    Returns
    -------
    Reach

    References
    ----------
    .. [1] Suya, Zhang, Tian and Evans, "What distributions are robust to
       indiscriminate poisoning attacks for linear learners?", NeurIPS 2023.
    """
    direction = weights / np.linalg.norm(weights)
    scores, positive = np.asarray(problem.X @ direction), problem.signs > 0
    means = [float(scores[rows].mean()) for rows in (~positive, positive)]
    within = float(np.sqrt(np.mean((scores - np.where(positive, means[1], means[0])) ** 2)))
    highest = max(maximize(region, direction).bound for region in problem.regions)
    lowest = min(-maximize(region, -direction).bound for region in problem.regions)
    apart, width = abs(means[1] - means[0]), highest - lowest
    per_spread = np.inf if within == 0 else 1 / within
    return Reach(
        apart * per_spread if apart else 0.0, apart / width if width else 0.0, width * per_spread if width else 0.0
    )
