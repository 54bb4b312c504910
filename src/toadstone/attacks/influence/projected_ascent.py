"""Projected gradient steps on what a probe loses, of which the best iterate is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from toadstone.core.arrays import Array, Labels
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.influence.poison_gradient import ProbeLoss
from toadstone.kernels.losses import MarginLoss, SigmoidLoss
from toadstone.kernels.sets.sets import ConvexSet

STEPS_PER_CHECK, PATIENCE = 10, 2

Respond: TypeAlias = Callable[[Array], tuple[Array, Array]]
"""From poison points to the model trained on them and how they should move."""


@dataclass(frozen=True, eq=False)
class Targets:
    """Rows that an attacker wants to be classified as their labels say.

    Parameters
    ----------
    rows : Dataset
        With the wanted labels, not the true ones.
    """

    rows: Dataset


def probe_loss(probe: Dataset | Targets, classes: Labels, loss: MarginLoss | SigmoidLoss) -> ProbeLoss:
    """The mean loss that an attacker raises: of probe rows, or minus that of targets.

    Raises
    ------
    InvalidData
        If a label is not one of the two classes, or columns disagree.
    """
    rows, sign = (probe.rows, -1.0) if isinstance(probe, Targets) else (probe, 1.0)
    unknown = np.setdiff1d(rows.y, classes)
    if unknown.size:
        raise InvalidData(f"probe: expected labels of the training rows, got {unknown[0]}")
    signs = np.where(rows.y == classes[1], 1.0, -1.0)
    return ProbeLoss(rows.X, signs, np.full(len(rows), sign / len(rows)), loss)


@dataclass(frozen=True, eq=False)
class Iterate:
    """Poison points and what they reach.

    Parameters
    ----------
    points : ndarray of shape (k, d)
    value : float
        The attacker's objective after training on them.
    theta : ndarray of shape (d + 1,)
        The model trained on them.
    feasible_set : ConvexSet
        In which they lie.
    """

    points: Array
    value: float
    theta: Array
    feasible_set: ConvexSet


class InfluenceSearch:
    """Projected gradient steps, of which the best iterate is kept.

    Every ten steps the objective is looked at; after two looks in a row
    without a new best the search is over. What is best so far survives a
    change of the feasible set.

    Parameters
    ----------
    respond : callable
        From points to the trained model and the direction of each point.
    probe : ProbeLoss
    labels : ndarray of shape (k,)
        Of the points.
    step : float
        Length of a step for each unit of direction.
    max_steps : int
    """

    def __init__(self, respond: Respond, probe: ProbeLoss, labels: Labels, *, step: float, max_steps: int) -> None:
        self.respond, self.probe, self.labels = respond, probe, labels
        self.step, self.max_steps = step, max_steps
        self.steps, self.stale = 0, 0
        self.best: Iterate | None = None

    @property
    def finished(self) -> bool:
        """Whether patience or steps are used up."""
        return self.stale >= PATIENCE or self.steps > self.max_steps

    def advance(self, points: Array, within: ConvexSet, feasible_set: ConvexSet) -> Array:
        """Train on the points, remember them if they are the best, and move them.

        Parameters
        ----------
        points : ndarray of shape (k, d)
        within : ConvexSet
            The set in which they lie.
        feasible_set : ConvexSet
            The set that they must not leave next.

        Returns
        -------
        ndarray of shape (k, d)
        """
        theta, directions = self.respond(points)
        if self.steps % STEPS_PER_CHECK == 0 or self.steps == self.max_steps:
            value = self.probe.value(theta)
            if self.best is None or value > self.best.value:
                self.best, self.stale = Iterate(points, value, theta, within), 0
            else:
                self.stale += 1
        self.steps += 1
        return points if self.finished else feasible_set.project(points + self.step * directions, self.labels)

    def run(self, points: Array, feasible_set: ConvexSet) -> Iterate:
        """Go on within one set until the search is finished."""
        while not self.finished:
            points = self.advance(points, feasible_set, feasible_set)
        return self.conclude()

    def conclude(self) -> Iterate:
        """The best iterate.

        Raises
        ------
        InvalidArgument
            If no step was taken.
        """
        if self.best is None:
            raise InvalidArgument("max_steps", "a number that is not negative", self.max_steps)
        return self.best
