"""Projected gradient ascent of poison points on the loss of a probe."""

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
from toadstone.kernels.rows import canonical_form
from toadstone.kernels.sets.sets import ConvexSet

STEPS_PER_CHECK, PATIENCE = 10, 2

Respond: TypeAlias = Callable[[Array], tuple[Array, Array]]
"""Takes poison points, and returns the model trained with them and the direction of each point."""


@dataclass(frozen=True, eq=False)
class Targets:
    """Target rows with the labels that the attacker wants for them.

    Parameters
    ----------
    rows : Dataset
        Its labels are the wanted ones, not the true ones.
    """

    rows: Dataset


def probe_loss(probe: Dataset | Targets, classes: Labels, loss: MarginLoss | SigmoidLoss) -> ProbeLoss:
    """Return the objective of the attacker: the mean loss of probe rows, or minus that of targets.

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
    return ProbeLoss(canonical_form(rows.X), signs, np.full(len(rows), sign / len(rows)), loss)


@dataclass(frozen=True, eq=False)
class Iterate:
    """Poison points with the model trained on them.

    Parameters
    ----------
    points : ndarray of shape (k, d)
    value : float
        The attacker's objective after training on them.
    theta : ndarray of shape (d + 1,)
        The model trained on them.
    feasible_set : ConvexSet
        The set that the points lie in.
    """

    points: Array
    value: float
    theta: Array
    feasible_set: ConvexSet


class InfluenceSearch:
    """Projected gradient ascent that keeps its best iterate.

    The objective is evaluated every ten steps; two evaluations in a row
    without a new best end the search. The best iterate is kept when the
    feasible set changes.

    Parameters
    ----------
    respond : callable
        Takes points, and returns the trained model and the direction of each
        point.
    probe : ProbeLoss
    labels : ndarray of shape (k,)
        Labels of the points.
    step : float
        Step length, as a factor of the direction.
    max_steps : int
    """

    def __init__(self, respond: Respond, probe: ProbeLoss, labels: Labels, *, step: float, max_steps: int) -> None:
        self.respond, self.probe, self.labels = respond, probe, labels
        self.step, self.max_steps = step, max_steps
        self.steps, self.stale = 0, 0
        self.best: Iterate | None = None

    @property
    def finished(self) -> bool:
        """True once patience or steps are used up."""
        return self.stale >= PATIENCE or self.steps > self.max_steps

    def advance(self, points: Array, within: ConvexSet, feasible_set: ConvexSet) -> Array:
        """Train with the points, keep them if they are the best so far, and move them.

        Parameters
        ----------
        points : ndarray of shape (k, d)
        within : ConvexSet
            The set that they lie in.
        feasible_set : ConvexSet
            The set to project the moved points onto.

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
        """Take steps within one set until the search is finished."""
        while not self.finished:
            points = self.advance(points, feasible_set, feasible_set)
        return self.conclude()

    def conclude(self) -> Iterate:
        """Return the best iterate.

        Raises
        ------
        InvalidArgument
            If no step was taken.
        """
        if self.best is None:
            raise InvalidArgument("max_steps", "a number that is not negative", self.max_steps)
        return self.best
