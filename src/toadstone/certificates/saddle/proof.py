"""Proof of a certificate's numbers, recomputed from the data alone.

Certifier and verifier call the same functions, so that a stated bound is
always one that the stored model and multipliers prove, rounding included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import Array
from toadstone.core.certificate import Ridge, Witness
from toadstone.core.feasible import Region
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.sets.regions import support_bound

_EPSILON = float(np.finfo(float).eps)


@dataclass(frozen=True)
class ModelProof:
    """Parts of the upper bound that one model gives, for every fraction at once.

    The bound is ``clean_loss + penalty + fraction * (poison_loss + penalty)``,
    or with a part of the fraction for the largest loss of each label;
    `slack` allows for the rounding of each part.
    """

    clean_loss: float
    poison_losses: tuple[float, float]
    penalty: float
    slack: float

    @property
    def poison_loss(self) -> float:
        """Largest loss of any feasible row."""
        return max(self.poison_losses)

    def bound(self, fraction: float, by_class: tuple[float, float] | None = None) -> float:
        """Compute the upper bound at a fraction, or at one for each label, rounded up."""
        poison = fraction * self.poison_loss
        if by_class is not None:
            poison = by_class[0] * self.poison_losses[0] + by_class[1] * self.poison_losses[1]
        total = self.clean_loss + self.penalty + poison + fraction * self.penalty
        return float(np.nextafter(total + self.slack, np.inf))


def prove_bound(problem: Problem, theta: Array, multipliers: Array) -> ModelProof:
    """Evaluate the upper bound of Steinhardt, Koh and Liang (2017, equation 5) at a model.

    Parameters
    ----------
    problem : Problem
    theta : ndarray of shape (d + 1,)
        Any model in the hypothesis class; weights, then the bias.
    multipliers : ndarray of shape (2, 1 + J)
        Any multipliers of the poison oracle, the first of each not negative.

    Returns
    -------
    ModelProof
        In time proportional to the stored entries of `problem.X`.
    """
    scores = problem.X @ theta[:-1] + theta[-1]
    clean = problem.loss.value(problem.signs * scores)
    negative, positive = worst_losses(problem, theta, multipliers).tolist()
    penalty = penalty_of(problem, theta)
    # Rounding of a row's score, times the steepest slope that its true margin may have.
    longest, sizes = rounding_of_scores(problem, theta)
    slope = float(-problem.loss.derivative(problem.signs * scores - _EPSILON * longest * sizes).min())
    rounding = slope * longest * float(sizes.mean()) + len(clean) * float(clean.mean())
    rounding += (len(theta) + 8) * 2 * penalty + 8 * max(negative, positive)
    return ModelProof(float(clean.mean()), (negative, positive), penalty, 2 * _EPSILON * rounding)


def worst_losses(problem: Problem, theta: Array, multipliers: Array) -> Array:
    """Bound the loss of every feasible row labelled -1, and of every one labelled +1, at a model."""
    margins = [
        sign * theta[-1] - bound_support(region, -sign * theta[:-1], nu)
        for region, sign, nu in zip(problem.regions, (-1.0, 1.0), multipliers, strict=True)
    ]
    return problem.loss.value(np.array(margins))


def penalty_of(problem: Problem, theta: Array) -> float:
    """Compute the ridge penalty of a model; zero for a norm ball."""
    if isinstance(problem.hypothesis, Ridge):
        return 0.5 * problem.hypothesis.strength * float(theta @ theta)
    return 0.0


def rounding_of_scores(problem: Problem, theta: Array) -> tuple[int, Array]:
    """Return the most terms of a row's score, and the sum of their sizes for each row."""
    longest = int(np.diff(problem.X.indptr).max()) if hasattr(problem.X, "indptr") else problem.X.shape[1]
    return longest, abs(problem.X) @ abs(theta[:-1]) + abs(theta[-1])


def bound_support(region: Region, direction: Array, multipliers: Array) -> float:
    """Bound a linear function over a region by multipliers; infinite where only rounding makes it finite.

    Parameters
    ----------
    region : Region
    direction : ndarray of shape (d,)
    multipliers : ndarray of shape (1 + J,)
        Any, the first not negative.
    """
    if multipliers[0] == 0:
        with np.errstate(over="ignore", invalid="ignore"):
            used = multipliers[1:, None] * region.bands
            sizes = np.abs(direction) + np.abs(used).sum(axis=0)
            left = np.abs(direction - used.sum(axis=0))
        # Bands may seem to cancel the direction here, and leave a little of it without end when rounded otherwise.
        cancelled = (sizes > 0) & (left <= (2 + len(region.bands)) * _EPSILON * sizes)
        if np.any(cancelled & (np.isinf(region.lower) | np.isinf(region.upper))):
            return np.inf
    return support_bound(region, direction, multipliers)


def prove_attack(problem: Problem, witness: Witness, fraction: float) -> float:
    """Compute a lower bound of every model's objective under an attack, by weak duality.

    Parameters
    ----------
    problem : Problem
    witness : Witness
        Its dual variables must lie within their bounds.
    fraction : float

    Returns
    -------
    float
        Lower bound of the defender's smallest objective on clean rows and
        the witness's points together.
    """
    n = problem.X.shape[0]
    gain = float(problem.loss.conjugate_gain(witness.clean_duals).mean())
    weights = problem.signs * witness.clean_duals / n
    pull = np.append(problem.X.T @ weights, weights.sum())
    if fraction > 0:
        masses, duals = witness.masses, witness.poison_duals
        # eps g(pi / eps) by the perspective of g, point by point: concave, so never more than at the total.
        shares = np.divide(duals, masses, out=np.zeros_like(duals), where=masses > 0)
        gain += float(masses @ problem.loss.conjugate_gain(np.minimum(shares, problem.loss.cap)))
        signed = witness.signs * witness.poison_duals
        pull += np.append(signed @ witness.points, signed.sum())
    norm = float(np.linalg.norm(pull))
    if isinstance(problem.hypothesis, Ridge):
        cost = norm**2 / (2 * problem.hypothesis.strength * (1 + fraction))
    else:
        cost = float(np.sqrt(problem.hypothesis.squared_radius)) * norm
    # Not a worst case: random rounding errors of n terms add up to sqrt(n) of them. The bound does not rest on it.
    return float(gain - cost - 64 * np.sqrt(n) * _EPSILON * (abs(gain) + cost))
