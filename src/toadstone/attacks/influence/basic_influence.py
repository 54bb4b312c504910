"""The influence attack as it was before: many separate points and no curvature."""

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

# Rows of the probe that are also trained on lie on the margin but for rounding errors, which would decide whether they
# count. All of them are taken as fitted, which is the subgradient that `MarginLoss` takes at the kink.
_PROBE_LOSS = replace(HINGE, shift=1.0 - 1e-6)


@dataclass(frozen=True, eq=False, kw_only=True)
class BasicInfluenceAttack(InfluencePlan):
    """As many separate points as the budget allows, against the hinge loss as it is.

    Where no row lies on the margin the hinge has no curvature but the
    penalty's, so that the inverse Hessian is a division by the ridge. The
    baseline of Koh, Steinhardt and Liang (2022) [1]_; `InfluenceAttack` is
    stronger.

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
    """A support vector machine trained on one set of points after another."""

    def __init__(self, data: Dataset, signs: Array, probe: ProbeLoss, ridge: float) -> None:
        self.data, self.signs, self.probe, self.ridge = data, signs, probe, ridge
        self.duals: Array | None = None

    def __call__(self, points: Array) -> tuple[Array, Array]:
        rows, signs = stack([self.data.X, points]), np.concatenate([self.data.signs, self.signs])
        fit = fit_linear(rows, signs, loss=HINGE, ridge=self.ridge, duals=self.duals)
        self.duals = fit.duals
        slopes = self.signs * fit.duals[len(self.data) :]
        pull = self.probe.gradient(fit.theta) / self.ridge
        return fit.theta, slopes[:, None] * pull[:-1]
