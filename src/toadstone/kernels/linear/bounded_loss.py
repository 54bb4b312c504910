"""Bounded losses of margins: concave functions of convex ones, fitted by reweighting."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from toadstone.core.arrays import Array, Matrix
from toadstone.core.errors import UnknownName
from toadstone.kernels.linear.fit import Bias, LinearSolver
from toadstone.kernels.losses import HINGE, LOGISTIC, SQUARED_HINGE, MarginLoss


@dataclass(frozen=True)
class BoundedLoss:
    """A margin loss that a single row can raise no higher than a cap.

    Parameters
    ----------
    name : str
    convex : MarginLoss
        The loss to bound.
    bend : {"corner", "exponential"}
        The minimum of the convex loss and the cap, or
        ``cap * (1 - exp(-loss / cap))``.
    cap : float
        Positive.
    """

    name: str
    convex: MarginLoss
    bend: Literal["corner", "exponential"]
    cap: float = 1.0

    def value(self, margins: Array) -> Array:
        """Compute the loss at each margin, in [0, cap]."""
        losses = self.convex.value(margins)
        if self.bend == "corner":
            return np.minimum(losses, self.cap)
        return np.asarray(-self.cap * np.expm1(-losses / self.cap))

    def weights(self, margins: Array) -> Array:
        """Compute the slope in the convex loss at each margin, in [0, 1]: the weight of a row in the next round."""
        losses = self.convex.value(margins)
        if self.bend == "corner":
            return (losses <= self.cap).astype(np.float64)
        return np.asarray(np.exp(-losses / self.cap))


BOUNDED_LOSSES: dict[str, BoundedLoss] = {
    loss.name: loss
    for loss in (
        BoundedLoss("ramp", HINGE, "corner"),
        BoundedLoss("sigmoid", LOGISTIC, "exponential"),
        BoundedLoss("welsch", SQUARED_HINGE, "exponential"),
    )
}


def bounded_loss(name: str, cap: float = 1.0) -> BoundedLoss:
    """Look a bounded loss up by name.

    Raises
    ------
    UnknownName
        If there is none.
    """
    if name not in BOUNDED_LOSSES:
        raise UnknownName(f"`loss`: expected one of {', '.join(BOUNDED_LOSSES)}, got {name}")
    return replace(BOUNDED_LOSSES[name], cap=cap)


@dataclass(frozen=True, eq=False)
class BoundedFit:
    """A model trained with a bounded loss, and the objective after each round.

    Parameters
    ----------
    theta : ndarray of shape (d + 1,)
        Weights, then the bias.
    weights : ndarray of shape (n,)
        What each row counted in the last round, in [0, 1].
    objectives : tuple of float
        Mean bounded loss plus half the ridge times the squared norm after
        each round; never rising but for the tolerance of the solver.
    """

    theta: Array
    weights: Array
    objectives: tuple[float, ...]


def fit_bounded(
    X: Matrix,
    signs: Array,
    *,
    loss: BoundedLoss,
    ridge: float,
    bias: Bias = "regularized",
    rounds: int = 50,
    tolerance: float = 1e-8,
    seed: int = 0,
) -> BoundedFit:
    """Minimize the mean of a bounded loss plus half the ridge times the squared norm.

    Being concave in a convex loss, the bounded one lies below its tangent,
    which is a weighted convex loss: each round minimizes that exactly and so
    lowers the objective, a difference of convex functions. The first round is
    the convex model; the end is stationary, and the best only by luck.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    signs : ndarray of shape (n,)
        Labels -1 or +1.
    loss : BoundedLoss
    ridge, bias, tolerance, seed
        As in `LinearSolver`.
    rounds : int
        Stop after as many, or once the objective falls by less than
        `tolerance` of itself.

    Returns
    -------
    BoundedFit

    References
    ----------
    .. [1] Collobert, Sinz, Weston and Bottou, "Trading convexity for
       scalability", ICML 2006, algorithm 1.
    .. [2] Geman and Reynolds, "Constrained restoration and the recovery of
       discontinuities", IEEE PAMI 14, 1992.
    """
    weights, duals = np.ones(len(signs)), None
    theta, objectives = np.zeros(X.shape[1] + 1), [float(loss.value(np.zeros(len(signs))).mean())]
    # Concave-convex procedure: each round minimizes a tangent that lies above the loss.
    for _ in range(rounds):
        mass = float(weights.mean())
        if mass <= 0:
            break
        # The solver minimizes the weighted mean; the sum is what the tangent asks for.
        solver = LinearSolver(loss.convex, ridge / mass, bias, tolerance, seed)
        fit = solver.fit(X, signs, weights=weights, duals=duals)
        margins = signs * (X @ fit.theta[:-1] + fit.theta[-1])
        penalized = fit.theta if bias == "regularized" else fit.theta[:-1]
        objective = float(loss.value(margins).mean() + 0.5 * ridge * penalized @ penalized)
        last, theta, duals = objectives[-1], fit.theta, fit.duals
        objectives.append(objective)
        used, weights = weights, loss.weights(margins)
        if len(objectives) > 2 and last - objective <= tolerance * max(last, 1e-12):
            return BoundedFit(theta, used, tuple(objectives[1:]))
    return BoundedFit(theta, weights, tuple(objectives[1:]))
