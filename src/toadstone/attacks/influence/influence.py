"""The influence attack: poison moved along the gradient of a loss through retraining."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from toadstone.attacks.influence.base import InfluencePlan, Start, flipped_rows
from toadstone.attacks.influence.projected_ascent import probe_loss
from toadstone.core.arrays import Array, IntArray, Labels
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.influence.poison_gradient import ProbeLoss, influence
from toadstone.kernels.influence.ridge_path import PoisonedTraining
from toadstone.kernels.losses import margin_loss

# Newton steps converge so fast that a small gap costs little. At 1e-5, the rounding errors of one fit, amplified by the
# next, decided the result of a long search: dense and sparse rows led to different poison.
_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False, kw_only=True)
class InfluenceAttack(InfluencePlan):
    """Many copies of one point for each label, moved along their influence on the probe's loss.

    The attacker knows the clean training rows, the defender's model class,
    and a set that poison must not leave. Each step trains the model again and
    moves the points along the gradient of its loss on the probe, which takes
    the inverse Hessian of the training loss. The points start as clean rows
    with the wrong label.

    Parameters
    ----------
    probe, feasible_set, ridge, positive_share, step, max_steps, integer
        As for `InfluencePlan`.
    loss : {"smooth_hinge", "logistic"}
        The attacker's differentiable substitute for the defender's loss.
    starts : int
        Number of pairs of initial points to draw; the search begins with the
        pair whose first step gains most to first order. The paper draws one.
    repeats : int
        Number of poison rows that share one rounding.

    Raises
    ------
    InvalidArgument
        If an option is out of its range.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, section 4.1.

    Examples
    --------
    >>> from toadstone.core.budget import Budget
    >>> from toadstone.core.feasible import ball
    >>> from toadstone.kernels.sets.sets import ConvexSet
    >>> data = Dataset([[-2.0], [-1.0], [1.0], [2.0]] * 5, ["ham", "ham", "spam", "spam"] * 5)
    >>> anywhere = ConvexSet({label: ball(np.zeros(1), 3.0) for label in ("ham", "spam")})
    >>> attack = InfluenceAttack(probe=data, feasible_set=anywhere, ridge=0.1)
    >>> made = attack.poison(data, Budget(0.2), np.random.default_rng(0))
    >>> made.y.tolist(), bool(made.X[0] > 1), bool(made.X[-1] < -1)
    (['ham', 'ham', 'spam', 'spam'], True, True)
    """

    loss: str = "smooth_hinge"
    starts: int = 6
    repeats: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("starts", "repeats"):
            if getattr(self, name) < 1:
                raise InvalidArgument(name, "a positive number", getattr(self, name))
        if margin_loss(self.loss).temperature <= 0:
            raise InvalidArgument("loss", "smooth_hinge or logistic", self.loss)

    def _begin(self, data: Dataset, copies: IntArray, rng: Generator) -> Start:
        used = copies > 0
        labels, counts = data.classes[used], copies[used]
        loss = margin_loss(self.loss)
        probe = probe_loss(self.probe, data.classes, loss)
        training = PoisonedTraining(data.X, data.signs, loss=loss, ridge=self.ridge)
        response = _Response(training, probe, np.array([-1.0, 1.0])[used], counts)
        points = self._points(data, labels, response, rng)
        return Start(self._search(response, probe, labels), points, counts, self.repeats)

    def _points(self, data: Dataset, labels: Labels, response: _Response, rng: Generator) -> Array:
        """Return the initial points whose first step gains most to first order, of several draws."""
        pools = [flipped_rows(data, label, self.starts, self.feasible_set, rng) for label in labels.tolist()]
        gains = []
        for k in range(self.starts):
            points = np.stack([pool[k] for pool in pools])
            directions = response(points)[1]
            moved = self.feasible_set.project(points + self.step * directions, labels) - points
            gains.append(float(response.copies @ np.einsum("ij,ij->i", directions, moved)))
        return np.stack([pool[int(np.argmax(gains))] for pool in pools])


class _Response:
    """The influence of the points on the probe's loss, through a smooth model trained with them."""

    def __init__(self, training: PoisonedTraining, probe: ProbeLoss, signs: Array, copies: IntArray) -> None:
        self.training, self.probe, self.signs, self.copies = training, probe, signs, copies
        self.duals: Array | None = None

    def __call__(self, points: Array) -> tuple[Array, Array]:
        weights = self.copies.astype(float)
        fit = self.training.fit(points, self.signs, weights, start=self.duals, tolerance=_TOLERANCE)
        self.duals = fit.duals
        return fit.theta, influence(fit, self.probe)
