"""Regularized dual averaging against poison that moves the filters' centres."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import Array, Matrix
from toadstone.kernels.gram.atoms import WorstWeights, project_atom, respond, search_weights
from toadstone.kernels.gram.filters import DataDependentFilters
from toadstone.kernels.losses import HINGE

_FIRST_STEP = 0.005
_GRID_EVERY, _COARSE_PARTS, _FINE_PARTS = 25, 6, 10
_FOLLOWED, _LONGEST, _SLOWING = 0.05, 0.1, 10


@dataclass(frozen=True, eq=False)
class OnlineModel:
    """The model of an online method whose loss under the worst poison is smallest.

    Parameters
    ----------
    theta : ndarray of shape (d + 1,)
        Weights, then the bias.
    clean_loss : float
        Mean hinge loss of the clean rows.
    worst : WorstWeights
        The poison that the search found against it.
    """

    theta: Array
    clean_loss: float
    worst: WorstWeights

    @property
    def total(self) -> float:
        """Clean and poison loss together."""
        return self.clean_loss + self.worst.loss


class Averaging:
    """Regularized dual averaging in a norm ball, on the clean hinge loss and poison that answers [1]_.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Clean rows.
    signs : ndarray of shape (n,)
    squared_radius : float
        Largest squared norm of weights and bias.

    References
    ----------
    .. [1] Steinhardt, Koh and Liang, "Certified defenses for data poisoning
       attacks", NIPS 2017, algorithm 1.
    """

    def __init__(self, X: Matrix, signs: Array, squared_radius: float) -> None:
        self.X, self.signs = X, signs
        self.reach = float(np.sqrt(squared_radius))
        self.sum, self.divisor = np.zeros(X.shape[1] + 1), 1 / _FIRST_STEP
        self.transposed = X.T.tocsr() if hasattr(X, "tocsr") else X.T

    @property
    def theta(self) -> Array:
        """The present model."""
        return np.asarray(self.sum / self.divisor)

    def margins(self) -> Array:
        """Compute the clean margins of the present model."""
        return np.asarray(self.signs * (self.X @ self.theta[:-1] + self.theta[-1]))

    def judge(
        self, theta: Array, filters: DataDependentFilters, fraction: float, *, parts: int = _COARSE_PARTS
    ) -> OnlineModel:
        """Compute the loss of a model on clean rows and on the worst poison of a search over a whole grid."""
        clean = float(HINGE.value(self.signs * (self.X @ theta[:-1] + theta[-1])).mean())
        return OnlineModel(theta, clean, search_weights(filters, theta, fraction, parts=parts))

    def step(self, margins: Array, pull: Array) -> None:
        """Take a step: margins of clean rows below one count, and a pull of shape (d + 1,) of the poison."""
        active = self.signs * (margins < 1) / len(self.signs)
        self.sum = self.sum + np.append(self.transposed @ active, active.sum()) + pull
        self.divisor = max(self.divisor, float(np.linalg.norm(self.sum)) / self.reach)


def average_online(
    rows: Averaging,
    filters: DataDependentFilters,
    fraction: float,
    *,
    rounds: int = 300,
    known: Array | None = None,
    on_round: Callable[[], None] | None = None,
) -> OnlineModel:
    """Find a model with a small loss under the worst poison.

    Parameters
    ----------
    rows : Averaging
    filters : DataDependentFilters
    fraction : float
    rounds : int
    known : ndarray of shape (d + 1,), optional
        A model to try besides those of the rounds.
    on_round : callable, optional

    Returns
    -------
    OnlineModel
        The best of all, its poison searched once more on a finer grid.
    """
    weights, best = None, rows.judge(rows.theta, filters, fraction)
    for number in range(rounds):
        theta, margins = rows.theta, rows.margins()
        worst = search_weights(filters, theta, fraction, start=None if number % _GRID_EVERY == 0 else weights)
        weights = worst.weights
        if float(HINGE.value(margins).mean()) + worst.loss < best.total:
            # A search near the last weights may miss worse ones, and models would be chosen for that.
            best = min(best, rows.judge(theta, filters, fraction), key=lambda found: found.total)
        atoms = respond(filters, worst)
        pull = np.append(weights[0] * atoms[0] - weights[2] * atoms[2], weights[0] - weights[2])
        rows.step(margins, pull)
        if on_round is not None:
            on_round()
    tried = [best.theta] if known is None else [best.theta, known]
    finest = [rows.judge(theta, filters, fraction, parts=_FINE_PARTS) for theta in tried]
    return min(finest, key=lambda found: found.total)


def ascend(
    rows: Averaging, filters: DataDependentFilters, weights: Array, atom: int, *, rounds: int = 400
) -> tuple[Array, Array]:
    """Move one atom against a model that learns online, and keep it within the filters that it moves.

    Parameters
    ----------
    rows : Averaging
        From the start.
    filters : DataDependentFilters
    weights : ndarray of shape (4,)
        Stay as they are.
    atom : {0, 2}
        The one that costs; labelled +1 or -1.
    rounds : int

    Returns
    -------
    last, mean : ndarray of shape (4, d)
        Atoms of the last round, and those nearest to the mean of the second
        half of all rounds: one atom that costs more models than the last.
    """
    sign, mass = (1.0, float(weights[atom])) if atom == 0 else (-1.0, float(weights[atom]))
    point = filters.means[1 if atom == 0 else 0]
    # Longer steps first; the mean of the models changes less than a model.
    lengths = _LONGEST * filters.radii.max() / np.sqrt(1 + np.arange(rounds) / _SLOWING)
    total, followed = np.zeros_like(point), np.zeros(len(point) + 1)
    atoms = np.empty((0, len(point)))
    for number in range(rounds):
        margins, cost = rows.margins(), sign * (point @ rows.theta[:-1] + rows.theta[-1]) < 1
        rows.step(margins, mass * sign * np.append(point, 1.0) * cost)
        share = max(2 / (number + 2), _FOLLOWED)
        followed = (1 - share) * followed + share * rows.theta
        direction = followed[:-1] / max(float(np.linalg.norm(followed[:-1])), 1e-300)
        atoms = project_atom(filters, point - sign * lengths[number] * direction, weights, atom)
        point = atoms[atom]
        if number >= rounds // 2:
            total += point
    mean = total / (rounds - rounds // 2)
    return atoms, project_atom(filters, mean, weights, atom)
