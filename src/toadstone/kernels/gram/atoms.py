"""Atoms with given products, and the largest loss over the weights of the poison."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import Array
from toadstone.core.errors import InvalidData
from toadstone.kernels.gram.barrier import ATOMS, COORDINATES, KNOWN
from toadstone.kernels.gram.filters import DataDependentFilters
from toadstone.kernels.gram.program import GramSolution, Plane, loss_gains, solve_loss, solve_nearest, span_plane

CLASSES = np.array([1, 1, 0, 0])
"""Position of each atom's class: label +1 twice, then -1."""

_SEARCH = 1e-6
_PAIRS = [(i, j) for i in range(ATOMS) for j in range(ATOMS) if i != j]


def place_atoms(filters: DataDependentFilters, plane: Plane, solution: GramSolution) -> Array:
    """Return rows with the products of a solution.

    Parameters
    ----------
    filters : DataDependentFilters
    plane : Plane
    solution : GramSolution

    Returns
    -------
    ndarray of shape (4, d)
        In the plane, and in up to four directions orthogonal to it: the
        coordinate axes that are the farthest from the plane, made orthogonal.

    Raises
    ------
    InvalidData
        If there are fewer than six features.
    """
    d = plane.axes.shape[1]
    if d < KNOWN + ATOMS:
        raise InvalidData(f"features: expected at least {KNOWN + ATOMS} to place any atoms, got {d}")
    inside, outside = split_solution(solution)
    return np.asarray(filters.means[CLASSES] + plane.unit * (inside @ plane.axes + outside @ _orthogonal(plane.axes)))


def split_solution(solution: GramSolution) -> tuple[Array, Array]:
    """Return coordinates of the atoms in the plane, of shape (4, 2), and orthogonal to it, of shape (4, 4)."""
    inside = solution.unknowns[:COORDINATES].reshape(ATOMS, KNOWN)
    products = np.zeros((ATOMS, ATOMS))
    products[np.triu_indices(ATOMS)] = solution.unknowns[COORDINATES:]
    products += np.triu(products, 1).T
    squares, vectors = np.linalg.eigh(products - inside @ inside.T)
    return inside, vectors * np.sqrt(np.maximum(squares, 0.0))


def _orthogonal(axes: Array) -> Array:
    """Return four orthonormal vectors orthogonal to the given ones."""
    used = axes[np.linalg.norm(axes, axis=1) > 0.5]
    # Ties fall to the first feature; which of them matters to no product.
    chosen = np.argsort((used**2).sum(axis=0), kind="stable")[:ATOMS]
    found = np.zeros((ATOMS, axes.shape[1]))
    found[np.arange(ATOMS), chosen] = 1.0
    for k in range(ATOMS):
        for _ in range(2):
            for other in (*used, *found[:k]):
                found[k] -= (other @ found[k]) * other
        found[k] /= np.linalg.norm(found[k])
    return found


@dataclass(frozen=True, eq=False)
class WorstWeights:
    """The poison weights with the largest loss that a search has found.

    Parameters
    ----------
    weights : ndarray of shape (4,)
    loss : float
        Reached by atoms of these weights, for each clean row.
    bound : float
        Proven for these weights, not for others.
    plane : Plane
    """

    weights: Array
    loss: float
    bound: float
    plane: Plane


def search_weights(
    filters: DataDependentFilters,
    theta: Array,
    fraction: float,
    *,
    start: Array | None = None,
    parts: int = 6,
    precision: float = 1e-3,
) -> WorstWeights:
    """Search the weights of four atoms for the largest loss: a grid, then moves of weight from atom to atom.

    The largest loss is not concave in the weights, so the search may miss it.

    Parameters
    ----------
    filters : DataDependentFilters
    theta : ndarray of shape (d + 1,)
        Weights, then the bias.
    fraction : float
        Sum of the weights.
    start : ndarray of shape (4,), optional
        Search near these weights, without the grid.
    parts : int
        The grid has all weights in multiples of one part of so many.
    precision : float
        Share of the fraction that the last moves have.

    Returns
    -------
    WorstWeights
    """
    plane = span_plane(filters, theta[:-1])
    negative, positive = filters.means @ theta[:-1] + theta[-1]

    def losses(weights: Array, closeness: float = _SEARCH) -> tuple[Array, Array]:
        gains = np.stack(loss_gains(plane.geometry, weights, closeness))
        constant = weights[:, 0] * (1 - positive) + weights[:, 2] * (1 + negative)
        lower, upper = constant + weights.sum(axis=1) * plane.size * plane.unit * gains
        return lower, upper

    grid = fraction * _compositions(parts) / parts if start is None else start[None]
    found = losses(grid)[0]
    best, loss = grid[found.argmax()].copy(), float(found.max())
    step = fraction / parts
    while step > precision * fraction:
        moved = [_moved(best, i, j, step) for i, j in _PAIRS if best[j] > 0]
        found = losses(np.stack(moved))[0]
        if found.max() > loss + _SEARCH * abs(loss):
            best, loss = moved[int(found.argmax())], float(found.max())
        else:
            step /= 2
    lower, upper = losses(best[None], 1e-9)
    return WorstWeights(best, float(lower[0]), float(upper[0]), plane)


def respond(filters: DataDependentFilters, worst: WorstWeights) -> Array:
    """Return atoms that reach the loss of given weights, mirrored on the plane and averaged, of shape (4, d).

    Mirrored atoms are as good. Their average is thus a subgradient's, though
    it need not pass the filters.
    """
    inside, _ = split_solution(solve_loss(worst.plane, worst.weights))
    return np.asarray(filters.means[CLASSES] + worst.plane.unit * inside @ worst.plane.axes)


def project_atom(filters: DataDependentFilters, target: Array, weights: Array, atom: int) -> Array:
    """Return atoms that pass, with one of them as near to a target as those of its weights can be.

    Parameters
    ----------
    filters : DataDependentFilters
    target : ndarray of shape (d,)
    weights : ndarray of shape (4,)
    atom : int
        From 0 to 3.

    Returns
    -------
    ndarray of shape (4, d)

    Raises
    ------
    InvalidData
        If there are fewer than six features.
    """
    plane = span_plane(filters, target - filters.means[CLASSES[atom]])
    return place_atoms(filters, plane, solve_nearest(plane, weights, atom))


def _compositions(parts: int) -> Array:
    """Return all ways to divide a number of parts among four atoms, of shape (k, 4)."""
    cut = np.arange(parts + 1)
    first, second, third = (axis.ravel() for axis in np.meshgrid(cut, cut, cut, indexing="ij"))
    rest = parts - first - second - third
    table = np.stack([first, second, third, rest], axis=1)[rest >= 0]
    return np.asarray(table, dtype=float)


def _moved(weights: Array, to: int, source: int, step: float) -> Array:
    moved = weights.copy()
    share = min(step, float(weights[source]))
    moved[to] += share
    moved[source] -= share
    return moved
