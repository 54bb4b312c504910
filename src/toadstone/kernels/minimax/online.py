"""The online method of the minimax problem: a model that is moved against one worst point after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse

from toadstone.core.arrays import Array
from toadstone.core.certificate import NormBall
from toadstone.core.errors import InvalidArgument
from toadstone.core.feasible import Extremum
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.minimax.worst_points import SIGNS, Adversary


@dataclass(frozen=True, eq=False)
class OnlineStep:
    """The worst feasible point against the model of one step.

    Parameters
    ----------
    sign : float
        Label of the point, -1 or +1.
    point : ndarray of shape (d,)
    bound : float
        Upper bound of the minimax value that the model gives.
    """

    sign: float
    point: Array
    bound: float


def play_online(problem: Problem, *, fraction: float, steps: int, step_size: float) -> Iterator[OnlineStep]:
    """Move a model by regularized dual averaging, each time against the worst point for the last one.

    It needs no solution of any step, and thousands of steps. Its points
    differ along the way, unlike those of `solve_saddle`: no model fits all of
    them easily, which is what an attack may be after.

    Parameters
    ----------
    problem : Problem
        Over a norm ball.
    fraction : float
        Poison mass for each unit of clean mass.
    steps : int
    step_size : float

    Yields
    ------
    OnlineStep
        One a step. The least bound of all is an upper bound of the minimax
        value; it falls to it as steps grow.

    Raises
    ------
    InvalidArgument
        If the models are not those of a norm ball.

    References
    ----------
    .. [1] Steinhardt, Koh and Liang, "Certified Defenses for Data Poisoning
       Attacks", NIPS 2017, algorithm 1.
    """
    if not isinstance(problem.hypothesis, NormBall):
        raise InvalidArgument("hypothesis", "a norm ball for the online method", problem.hypothesis)
    n, d = problem.X.shape
    radius, growth = float(np.sqrt(problem.hypothesis.squared_radius)), 1 / step_size
    adversary = Adversary(problem.regions, fraction, problem.loss)
    columns = problem.X.T.tocsr() if issparse(problem.X) else problem.X.T
    theta, summed, found = np.zeros(d + 1), np.zeros(d + 1), list[Extremum]()
    for _ in range(steps):
        margins = problem.signs * (problem.X @ theta[:-1] + theta[-1])
        found = adversary.attack(theta, found)
        least = adversary.worst_margins(theta, found)
        worst = int(least.argmin())
        sign, point = float(SIGNS[worst]), found[worst].point
        bound = problem.loss.value(margins).mean() + fraction * problem.loss.value(least[worst])
        yield OnlineStep(sign, point, float(bound))
        pulls = problem.signs * problem.loss.derivative(margins) / n
        pull = fraction * sign * float(problem.loss.derivative(np.array(sign * (point @ theta[:-1] + theta[-1]))))
        summed -= np.append(columns @ pulls + pull * point, pulls.sum() + pull)
        # The weight of the regularizer grows as needed to stay within the ball.
        growth = max(growth, float(np.linalg.norm(summed)) / radius)
        theta = summed / growth
