"""The basic influence attack: one point for each poison row, and the hinge without curvature."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from toadstone.attacks.influence.base import InfluencePlan, Start, flipped_rows
from toadstone.attacks.influence.projected_ascent import probe_loss
from toadstone.core.arrays import Array, IntArray
from toadstone.core.dataset import Dataset
from toadstone.kernels.influence.poison_gradient import ProbeLoss
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE
from toadstone.kernels.rows import stack

# Support vectors among the probe's rows are on the margin up to rounding errors, which would decide if they count in
# the gradient. A margin slightly below one counts as fitted, the subgradient that `MarginLoss` has at the kink.
_PROBE_LOSS = replace(HINGE, shift=1.0 - 1e-6)


@dataclass(frozen=True, eq=False, kw_only=True)
class BasicInfluenceAttack(InfluencePlan):
    """A separate poison point for each row of the budget, moved against the hinge loss itself.

    The hinge has no curvature, so the Hessian is that of the penalty, and its
    inverse a division by the ridge. The baseline of Koh, Steinhardt and Liang
    (2022) [1]_; `InfluenceAttack` is stronger.

    Parameters
    ----------
    probe, feasible_set, ridge, positive_share, step, max_steps, integer
        As for `InfluencePlan`.

    Raises
    ------
    InvalidArgument
        If an option is out of its range.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, section 5.5.
    """

    def _begin(self, data: Dataset, copies: IntArray, rng: Generator) -> Start:
        labels = np.repeat(data.classes, copies)
        by_class = zip(data.classes.tolist(), copies.tolist(), strict=True)
        pools = [flipped_rows(data, label, count, self.feasible_set, rng) for label, count in by_class if count]
        probe = probe_loss(self.probe, data.classes, _PROBE_LOSS)
        response = _HingeResponse(data, np.repeat([-1.0, 1.0], copies), probe, self.ridge)
        return Start(self._search(response, probe, labels), np.concatenate(pools), np.ones_like(labels, dtype=np.int64))


class _HingeResponse:
    """The gradient of the probe's loss by the points, through a hinge-loss model trained with them."""

    def __init__(self, data: Dataset, signs: Array, probe: ProbeLoss, ridge: float) -> None:
        self.data, self.signs, self.probe, self.ridge = data, signs, probe, ridge
        self.duals: Array | None = None

    def __call__(self, points: Array) -> tuple[Array, Array]:
        rows, signs = stack([self.data.X, points]), np.concatenate([self.data.signs, self.signs])
        fit = fit_linear(rows, signs, loss=HINGE, ridge=self.ridge, duals=self.duals)
        self.duals = fit.duals
        # A dual variable is the slope of a row's loss: 1 inside the margin, 0 outside, between on it.
        slopes = self.signs * fit.duals[len(self.data) :]
        pull = self.probe.gradient(fit.theta) / self.ridge
        return fit.theta, slopes[:, None] * pull[:-1]
