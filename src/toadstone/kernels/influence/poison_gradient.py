"""Gradient of a retrained linear model's loss with respect to poison points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import Array, Matrix
from toadstone.kernels.influence.ridge_path import SmoothFit
from toadstone.kernels.losses import MarginLoss, SigmoidLoss


@dataclass(frozen=True, eq=False)
class ProbeLoss:
    """A weighted sum of margin losses that an attacker wants to raise.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    signs : ndarray of shape (n,)
        Labels -1 or +1.
    weights : ndarray of shape (n,)
        Negative for rows whose loss should fall.
    loss : MarginLoss or SigmoidLoss
        Need not be what models are trained with.
    """

    X: Matrix
    signs: Array
    weights: Array
    loss: MarginLoss | SigmoidLoss

    def value(self, theta: Array) -> float:
        """Compute the loss of a model of shape (d + 1,), bias last."""
        return float(self.weights @ self.loss.value(self._margins(theta)))

    def gradient(self, theta: Array) -> Array:
        """Compute the gradient with respect to the model, shape (d + 1,)."""
        slopes = self.weights * self.signs * self.loss.derivative(self._margins(theta))
        return np.append(self.X.T @ slopes, slopes.sum())

    def _margins(self, theta: Array) -> Array:
        return np.asarray(self.signs * (self.X @ theta[:-1] + theta[-1]))


def influence(fit: SmoothFit, probe: ProbeLoss) -> Array:
    """Compute the direction in which each poison point raises the loss of the retrained model.

    Parameters
    ----------
    fit : SmoothFit
        Trained on the clean rows and k poison points.
    probe : ProbeLoss

    Returns
    -------
    ndarray of shape (k, d)
        The derivative of the probe's loss by each point, with the model
        trained anew, divided by the point's share of all rows: minus the
        gradient of the paper.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, section 4.1.

    Examples
    --------
    >>> from toadstone.kernels.losses import LOGISTIC
    >>> from toadstone.kernels.influence.ridge_path import PoisonedTraining
    >>> X, signs = np.array([[-1.0], [1.0]]), np.array([-1.0, 1.0])
    >>> training = PoisonedTraining(X, signs, loss=LOGISTIC, ridge=0.1)
    >>> fit = training.fit(np.array([[0.5]]), np.array([-1.0]), np.array([1.0]))
    >>> influence(fit, ProbeLoss(X, signs, np.full(2, 0.5), LOGISTIC)).item() > 0
    True
    """
    # Koh and others (2022, section 4.1): the second term is due to the point's own curvature.
    pull = fit.inverse_hessian.solve(probe.gradient(fit.theta))
    poison, signs, slopes = fit.poison
    bends = slopes * (1 - slopes) / fit.temperature
    along = bends * (poison @ pull[:-1] + pull[-1])
    return np.asarray((signs * slopes)[:, None] * pull[:-1] - along[:, None] * fit.theta[:-1])
