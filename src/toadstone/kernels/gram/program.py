"""The Gram program: the best poison of given weights that passes filters whose centres it moves.

Poison of a class and of positive loss may be merged into its mean, and so may
the rest of the class: four atoms stand for all poison (Steinhardt, Koh and
Liang 2017, section 4). Their loss and the filters depend on products of the
atoms, the class means and the model alone. Counted from the clean mean of its
class, an atom has two known directions: the line between the means, and what
of the model's weights is orthogonal to it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from toadstone.core.arrays import Array
from toadstone.kernels.gram.barrier import ATOMS, COORDINATES, KNOWN, UNKNOWNS, Forms, barrier, follow
from toadstone.kernels.gram.filters import DataDependentFilters

CLOSENESS = 1e-9


class Plane(NamedTuple):
    """The plane of the class means and a vector, in which lengths are measured by the larger radius.

    Attributes
    ----------
    axes : ndarray of shape (2, d)
        Orthonormal; the first points from class -1 to class +1. The second
        is zero if the vector lies on that line.
    unit : float
        The larger radius.
    size : float
        Length of the vector.
    geometry : ndarray of shape (9,)
        Distance of the means; the vector's direction in the plane;
        shares, radii and widths of the classes -1 and +1.
    """

    axes: Array
    unit: float
    size: float
    geometry: Array


class GramSolution(NamedTuple):
    """Products of the best atoms, and the bound that multipliers prove.

    Attributes
    ----------
    unknowns : ndarray of shape (18,)
        Coordinates of the atoms in the plane, counted from their class's
        clean mean, then their products.
    multipliers : ndarray of shape (3, 4)
    gain, bound : float
        What the atoms reach, and what none of these weights exceed.
    """

    unknowns: Array
    multipliers: Array
    gain: float
    bound: float


def span_plane(filters: DataDependentFilters, vector: Array) -> Plane:
    """Return the plane of the class means and a vector of shape (d,)."""
    line = filters.means[1] - filters.means[0]
    apart, unit = float(np.linalg.norm(line)), float(filters.radii.max())
    first = line / apart
    along = float(first @ vector)
    rest = vector - along * first
    # Once more, for what rounding left.
    rest -= (first @ rest) * first
    across = float(np.linalg.norm(rest))
    size = float(np.hypot(along, across))
    if across <= 1e-14 * size:
        across, second = 0.0, np.zeros_like(first)
    else:
        second = rest / across
    direction = np.array([along, across]) / size if size > 0 else np.zeros(KNOWN)
    lengths = np.concatenate([filters.radii, filters.widths]) / unit
    geometry = np.concatenate([[apart / unit], direction, filters.shares, lengths])
    return Plane(np.stack([first, second]), unit, size, geometry)


@njit(cache=True, nogil=True)
def _write_product(form: Array, one: Array, other: Array) -> None:
    """Write the product of two points, each a combination of the atoms and a point of the plane, as a form."""
    for i in range(ATOMS):
        for k in range(KNOWN):
            form[i * KNOWN + k] = one[i] * other[ATOMS + k] + other[i] * one[ATOMS + k]
    entry = COORDINATES
    for i in range(ATOMS):
        for j in range(i, ATOMS):
            form[entry] = one[i] * other[i] if i == j else one[i] * other[j] + one[j] * other[i]
            entry += 1
    form[UNKNOWNS] = 0.0
    for k in range(KNOWN):
        form[UNKNOWNS] += one[ATOMS + k] * other[ATOMS + k]


@njit(cache=True, nogil=True)
def write_forms(geometry: Array, weights: Array, gain: Array) -> Forms:
    """Return the program of poison weights in a plane, with what to maximize.

    Parameters
    ----------
    geometry : ndarray of shape (9,)
    weights : ndarray of shape (4,)
    gain : ndarray of shape (19,)
    """
    rooms, offsets = np.empty((ATOMS, UNKNOWNS + 1)), np.empty((ATOMS, UNKNOWNS + 1))
    spread, squared_widths = np.empty(UNKNOWNS + 1), np.empty(ATOMS)
    # How far each class's mean moves, as a combination of its atoms.
    moves, line = np.zeros((2, ATOMS + KNOWN)), np.zeros(ATOMS + KNOWN)
    for k in range(2):
        first = 2 - 2 * k
        mass = geometry[3 + k] + weights[first] + weights[first + 1]
        moves[k, first] = weights[first] / mass
        moves[k, first + 1] = weights[first + 1] / mass
    for m in range(ATOMS):
        line[m] = moves[1, m] - moves[0, m]
    line[ATOMS] = geometry[0]
    _write_product(spread, line, line)
    away = np.empty(ATOMS + KNOWN)
    for i in range(ATOMS):
        k = 1 if i < 2 else 0
        for m in range(ATOMS + KNOWN):
            away[m] = -moves[k, m]
        away[i] += 1.0
        _write_product(rooms[i], away, away)
        for m in range(UNKNOWNS + 1):
            rooms[i, m] = -rooms[i, m]
        rooms[i, UNKNOWNS] += geometry[5 + k] ** 2
        _write_product(offsets[i], away, line)
        squared_widths[i] = geometry[7 + k] ** 2
    return Forms(gain, rooms, offsets, spread, squared_widths)


@njit(cache=True, nogil=True)
def _solve(forms: Forms, geometry: Array, closeness: float) -> tuple[Array, Array, float, float]:
    # Atoms close around their class's clean mean, in directions of their own, pass all filters.
    start, thick = np.zeros(UNKNOWNS), 0.25 * min(geometry[5], geometry[6]) ** 2
    while True:
        entry = COORDINATES
        for i in range(ATOMS):
            start[entry] = thick
            entry += ATOMS - i
        if barrier(forms, start) < np.inf:
            return follow(forms, start, closeness)
        thick *= 0.5


@njit(cache=True, nogil=True)
def loss_gain(geometry: Array, weights: Array) -> Array:
    """Return the loss of the first atom of each class as a form, for weights that sum to one and a unit model."""
    gain = np.zeros(UNKNOWNS + 1)
    total = weights.sum()
    for k in range(KNOWN):
        gain[k] = -weights[0] / total * geometry[1 + k]
        gain[2 * KNOWN + k] = weights[2] / total * geometry[1 + k]
    return gain


@njit(cache=True, nogil=True)
def loss_gains(geometry: Array, weights: Array, closeness: float) -> tuple[Array, Array]:
    """Return gain and bound of the loss for each of several weights, of shape (k, 4)."""
    gains, bounds = np.empty(len(weights)), np.empty(len(weights))
    for one in range(len(weights)):
        forms = write_forms(geometry, weights[one], loss_gain(geometry, weights[one]))
        _, _, gains[one], bounds[one] = _solve(forms, geometry, closeness)
    return gains, bounds


def solve_loss(plane: Plane, weights: Array, closeness: float = CLOSENESS) -> GramSolution:
    """Find the atoms whose first of each class have the largest loss, linear below zero too.

    Parameters
    ----------
    plane : Plane
        Of the model's weights.
    weights : ndarray of shape (4,)
        Poison at each atom, for each clean row: two atoms labelled +1, then
        two labelled -1.
    closeness : float
        Difference of bound and gain at which to stop, for weights that sum
        to one and a unit model and radius.

    Returns
    -------
    GramSolution
        ``gain`` is the sum of weight times minus label times product with
        the model, over the first atom of each class, for weights that sum to
        one and a unit model.
    """
    forms = write_forms(plane.geometry, weights, loss_gain(plane.geometry, weights))
    return GramSolution(*_solve(forms, plane.geometry, closeness))


def solve_nearest(plane: Plane, weights: Array, atom: int, closeness: float = CLOSENESS) -> GramSolution:
    """Find atoms of which one is nearest to the plane's vector, both counted from the atom's class.

    Parameters
    ----------
    plane : Plane
    weights : ndarray of shape (4,)
    atom : int
        From 0 to 3.
    closeness : float

    Returns
    -------
    GramSolution
        ``gain`` is minus the squared distance.
    """
    target = plane.size / plane.unit * plane.geometry[1:3]
    gain = np.zeros(UNKNOWNS + 1)
    gain[atom * KNOWN : (atom + 1) * KNOWN] = 2 * target
    # Where the upper triangle has the atom's product with itself.
    gain[COORDINATES + atom * ATOMS - atom * (atom - 1) // 2] = -1.0
    gain[UNKNOWNS] = -target @ target
    forms = write_forms(plane.geometry, weights, gain)
    return GramSolution(*_solve(forms, plane.geometry, closeness))
