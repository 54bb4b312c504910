"""Proof of the numbers of a certificate about rows that are flipped or replaced, from the data alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from toadstone.certificates.saddle.proof import penalty_of, rounding_of_scores, worst_losses
from toadstone.core.arrays import Array
from toadstone.core.budget import Budget
from toadstone.core.certificate import ModelCertificate, NormBall, Ridge, Witness
from toadstone.kernels.losses import margin_loss
from toadstone.kernels.minimax.drift import largest_drift
from toadstone.kernels.minimax.flip_budget import FlipBudget, gains_of_flips
from toadstone.kernels.minimax.problem import Problem

_EPSILON = float(np.finfo(float).eps)

Counts: TypeAlias = int | tuple[int, int]
"""Rows that are changed: of all, or of each label (of the added rows, where rows are replaced)."""


def counts_of(budget: Budget, n: int) -> Counts:
    """Return the whole rows of a budget."""
    return budget.counts(n) or budget.count(n)


def flip_budget(signs: Array, counts: Counts) -> FlipBudget:
    """Return limits on flips; no more of a label than there are rows of it."""
    if isinstance(counts, int):
        return FlipBudget.of_all(len(signs), min(counts, len(signs)))
    positives = int(np.count_nonzero(signs > 0))
    return FlipBudget.by_label(signs, min(counts[0], len(signs) - positives), min(counts[1], positives))


@dataclass(frozen=True, eq=False)
class ChangedProof:
    """Bounds that one model proves about flipped or replaced rows, for any number of them.

    Parameters
    ----------
    problem : Problem
    flipped : bool
        Labels are flipped; rows are replaced otherwise.
    theta : ndarray of shape (d + 1,)
    margins : ndarray of shape (n,)
        Of the clean rows at the model.
    norms : ndarray of shape (n,)
        Of the rows with their constant feature, rounded up.
    worst : ndarray of shape (2,)
        Largest loss of a feasible row of each label; zero where labels are flipped.
    """

    problem: Problem
    flipped: bool
    theta: Array
    margins: Array
    norms: Array
    worst: Array

    @property
    def clean_loss(self) -> float:
        """Mean loss of the clean rows."""
        return float(self.problem.loss.value(self.margins).mean())

    @property
    def poison_loss(self) -> float:
        """Largest loss that a changed row can have: of a feasible row, or of a clean one under its other label."""
        return float(self.problem.loss.value(-self.margins).max() if self.flipped else self.worst.max())

    def bound(self, counts: Counts) -> float:
        """Bound the objective of training on the rows as changed, rounded up."""
        objective = self.clean_loss + penalty_of(self.problem, self.theta)
        total = objective + self._raised(counts) / len(self.margins)
        return float(np.nextafter(total + self.slack(counts), np.inf))

    def slack(self, counts: Counts) -> float:
        """Return the allowance for rounding that `bound` contains."""
        steepest = -self._score_errors() - np.abs(self.margins)
        return self._slack(steepest, self.clean_loss + self._raised(counts) / len(self.margins))

    def clean_bound(self, counts: Counts) -> float:
        """Bound what the trained model's objective on the clean rows can be, as they were, rounded up.

        The trained model is the minimum of a curved objective, so that going
        a distance t from this model pays only so far; what the rows that it
        does not see lose grows with t. See `largest_drift`.
        """
        objective, added, drift = self._clean_parts(counts)
        return float(np.nextafter(objective + added + drift + self.clean_slack(counts), np.inf))

    def clean_slack(self, counts: Counts) -> float:
        """Return the allowance for rounding that `clean_bound` contains."""
        ridge, farthest = self._farthest(counts)
        steepest = -self._score_errors() - np.abs(self.margins) - farthest * self.norms
        sizes = sum(self._clean_parts(counts)) + self._growth(counts, farthest) + 0.5 * ridge * farthest**2
        return 4 * self._slack(steepest, sizes)

    def _clean_parts(self, counts: Counts) -> tuple[float, float, float]:
        """Return the clean objective, what rows coming in add to it, and the largest drift."""
        ridge, farthest = self._farthest(counts)
        drift = largest_drift(lambda distance: self._growth(counts, distance), ridge=ridge, farthest=farthest)
        added = 0.0 if self.flipped else float(np.sum(_each(counts, self.worst))) / len(self.margins)
        return self.clean_loss + penalty_of(self.problem, self.theta), added, drift

    def _farthest(self, counts: Counts) -> tuple[float, float]:
        """Return the ridge, and how far the trained model can be from this one."""
        hypothesis = self.problem.hypothesis
        if isinstance(hypothesis, NormBall):
            reach = float(np.sqrt(hypothesis.squared_radius) + np.linalg.norm(self.theta))
            return 0.0, reach * (1 + (8 + len(self.theta)) * _EPSILON)
        # What is minimized is not negative, and rises by ridge / 2 t^2 at least.
        ridge = hypothesis.strength
        return ridge, float(np.sqrt(2 * self.bound(counts) / ridge)) * (1 + 8 * _EPSILON)

    def _raised(self, counts: Counts) -> float:
        """Sum what the changed rows add to the losses at the model, at most."""
        loss = self.problem.loss
        if self.flipped:
            return flip_budget(self.problem.signs, counts).largest(gains_of_flips(loss, self.margins))
        coming = np.sort(_each(counts, self.worst))[::-1]
        going = np.sort(loss.value(self.margins))[: len(coming)]
        return float(np.maximum(coming[: len(going)] - going, 0.0).sum())

    def _growth(self, counts: Counts, distance: float) -> float:
        """Return how much more the rows that are not seen as they were can lose at a distance, a clean row."""
        loss, moved = self.problem.loss, self.margins - distance * self.norms
        if self.flipped:
            more = gains_of_flips(loss, self.margins) - gains_of_flips(loss, moved)
            return flip_budget(self.problem.signs, counts).largest(more) / len(moved)
        total = counts if isinstance(counts, int) else sum(counts)
        any_row = FlipBudget.of_all(len(moved), min(total, len(moved)))
        return any_row.largest(loss.value(moved) - loss.value(self.margins)) / len(moved)

    def _score_errors(self) -> Array:
        longest, sizes = rounding_of_scores(self.problem, self.theta)
        return _EPSILON * longest * sizes

    def _slack(self, steepest: Array, magnitude: float) -> float:
        n, penalty = len(self.margins), penalty_of(self.problem, self.theta)
        slope = float(-self.problem.loss.derivative(steepest).min())
        rounding = 3 * slope * float(self._score_errors().mean()) / _EPSILON + (n + 8) * magnitude
        rounding += (len(self.theta) + 8) * 2 * penalty + 8 * float(self.worst.max())
        return 2 * _EPSILON * rounding


def prove_changes(problem: Problem, theta: Array, multipliers: Array, *, flipped: bool) -> ChangedProof:
    """Evaluate a model on the clean rows, and its largest loss on feasible ones.

    Parameters
    ----------
    problem : Problem
    theta : ndarray of shape (d + 1,)
        Any model in the hypothesis class.
    multipliers : ndarray of shape (2, 1 + J)
        Any of the poison oracle; not used where labels are flipped.
    flipped : bool
        Labels are flipped; rows are replaced otherwise.
    """
    X = problem.X
    squares = X.multiply(X) if hasattr(X, "multiply") else X * X
    norms = np.sqrt(np.asarray(squares.sum(axis=1)).ravel() + 1.0) * (1 + (X.shape[1] + 8) * _EPSILON)
    margins = problem.signs * (X @ theta[:-1] + theta[-1])
    worst = np.zeros(2) if flipped else worst_losses(problem, theta, multipliers)
    return ChangedProof(problem, flipped, theta, margins, norms, worst)


def _each(counts: Counts, worst: Array) -> Array:
    """Return the largest loss of each row that comes in."""
    if isinstance(counts, int):
        return np.full(counts, float(worst.max()))
    return np.repeat(worst, counts)


def prove_changed_attack(problem: Problem, witness: Witness, shares: Array, *, flipped: bool) -> float:
    """Compute a lower bound of every model's objective after an attack, by weak duality.

    Parameters
    ----------
    problem : Problem
    witness : Witness
        Its dual variables must lie within their bounds.
    shares : ndarray of shape (n,)
        How much of each row is flipped or taken away.
    flipped : bool
    """
    n, loss = len(shares), problem.loss
    left = 1 - shares
    gain = float((left * loss.conjugate_gain(witness.clean_duals)).mean())
    weights = problem.signs * left * witness.clean_duals / n
    if flipped:
        gain += float((shares * loss.conjugate_gain(witness.poison_duals)).mean())
        weights = weights - problem.signs * shares * witness.poison_duals / n
    pull = np.append(problem.X.T @ weights, weights.sum())
    if not flipped:
        masses, duals = witness.masses, witness.poison_duals
        shared = np.divide(duals, masses, out=np.zeros_like(duals), where=masses > 0)
        gain += float(masses @ loss.conjugate_gain(np.minimum(shared, loss.cap)))
        signed = witness.signs * duals
        pull += np.append(signed @ witness.points, signed.sum())
    norm, hypothesis = float(np.linalg.norm(pull)), problem.hypothesis
    if isinstance(hypothesis, Ridge):
        cost = norm**2 / (2 * hypothesis.strength)
    else:
        cost = float(np.sqrt(hypothesis.squared_radius)) * norm
    # Not a worst case: see `prove_attack`.
    return float(gain - cost - 64 * np.sqrt(n) * _EPSILON * (abs(gain) + cost))


def error_bound(certificate: ModelCertificate, n: int) -> float:
    """Bound the share of the clean training rows that the trained model classifies wrongly.

    Every wrong row that is trained on as it was costs at least the loss at
    margin zero; the others are no more than those that were changed.

    Parameters
    ----------
    certificate : ModelCertificate
    n : int
        Clean rows.

    Returns
    -------
    float
        At most one.
    """
    # One for the hinges, log 2 for the logistic loss.
    least = float(margin_loss(certificate.setting.loss).value(np.array(0.0)))
    within = certificate.clean_bound / least
    if certificate.changed is not None:
        within = min(within, certificate.bound / least + certificate.budget.count(n) / n)
    return min(1.0, within)
