"""Proof of a certificate's numbers for several classes, recomputed from the data alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from toadstone.certificates.saddle.proof import bound_support
from toadstone.core.arrays import Array
from toadstone.core.certificate import PairWitness
from toadstone.kernels.minimax.problem import MulticlassProblem

_EPSILON = float(np.finfo(float).eps)


@dataclass(frozen=True)
class MulticlassProof:
    """Parts of the upper bound that one model gives, for every fraction at once.

    The bound is ``clean_loss + penalty + fraction * (poison_loss + penalty)``,
    and `slack` allows for the rounding of each part.
    """

    clean_loss: float
    poison_loss: float
    penalty: float
    slack: float

    def bound(self, fraction: float) -> float:
        """Compute the upper bound at a fraction, rounded up."""
        total = self.clean_loss + self.penalty + fraction * (self.poison_loss + self.penalty)
        return float(np.nextafter(total + self.slack, np.inf))


def prove_multiclass_bound(problem: MulticlassProblem, theta: Array, multipliers: Array) -> MulticlassProof:
    """Evaluate the upper bound of a model of several classes.

    Parameters
    ----------
    problem : MulticlassProblem
    theta : ndarray of shape (k, d + 1)
        Any model, one row a class: weights, then the bias.
    multipliers : ndarray of shape (k, k, 1 + J)
        Any multipliers of the poison oracle for each label and wrong class,
        the first of each not negative.

    Returns
    -------
    MulticlassProof
        In time proportional to k times the stored entries of `problem.X`,
        and to k (k - 1) d.
    """
    weights, biases = theta[:, :-1], theta[:, -1]
    scores = np.asarray(problem.X @ weights.T + biases)
    rows = np.arange(len(scores))
    leads = 1 + (scores - scores[rows, problem.classes][:, None])
    leads[rows, problem.classes] = 0.0
    clean = leads.max(axis=1)
    poison, largest = 0.0, 1.0
    for label, rival in permutations(range(problem.n_classes), 2):
        excess = theta[rival] - theta[label]
        reached = bound_support(problem.regions[label], excess[:-1], multipliers[label, rival])
        poison = max(poison, 1 + excess[-1] + reached)
        largest = max(largest, 1 + abs(biases[label]) + abs(biases[rival]) + abs(reached))
    penalty = 0.5 * problem.hypothesis.strength * float(np.sum(theta**2))
    longest = int(np.diff(problem.X.indptr).max()) if hasattr(problem.X, "indptr") else problem.X.shape[1]
    # Rounding of two scores a row; of sums over rows; of the penalty; of the worst pair.
    sizes = (abs(problem.X) @ abs(weights).T + abs(biases)).max(axis=1)
    rounding = 2 * (longest + 1) * float(sizes.mean()) + len(clean) * float(clean.mean())
    rounding += (theta.size + 8) * 2 * penalty + 8 * (poison + largest)
    return MulticlassProof(float(clean.mean()), float(poison), penalty, 2 * _EPSILON * rounding)


def prove_multiclass_attack(problem: MulticlassProblem, witness: PairWitness, fraction: float) -> float:
    """Compute a lower bound of every model's objective under an attack, by weak duality.

    Parameters
    ----------
    problem : MulticlassProblem
    witness : PairWitness
        Its dual variables must lie within their bounds but for rounding.
    fraction : float

    Returns
    -------
    float
        Lower bound of the defender's smallest objective on clean rows and
        the witness's points together.
    """
    n, k = problem.X.shape[0], problem.n_classes
    sums = witness.clean_duals.sum(axis=1)
    # A sum that rounding left above one is none of a feasible point; scaled, all of them are.
    scale = 1 / (n * max(1.0, float(sums.max(initial=0.0))))
    eye = np.eye(k)
    shares = scale * (sums[:, None] * eye[problem.classes] - witness.clean_duals)
    gain = scale * float(sums.sum())
    pull = np.column_stack([np.asarray(problem.X.T @ shares).T, shares.sum(axis=0)])
    if fraction > 0:
        duals = np.minimum(witness.poison_duals, witness.masses)
        gain += float(duals.sum())
        signed = duals[:, None] * (eye[witness.labels] - eye[witness.rivals])
        pull += np.column_stack([signed.T @ witness.points, signed.sum(axis=0)])
    cost = float(np.sum(pull**2)) / (2 * problem.hypothesis.strength * (1 + fraction))
    # Not a worst case: random rounding errors of n terms add up to sqrt(n) of them. The bound does not rest on it.
    return float(gain - cost - 64 * np.sqrt(n) * _EPSILON * (abs(gain) + cost))
