"""Compiled barrier method for the Gram program: one small semidefinite program, and a bound that its multipliers prove.

The unknowns are coordinates C of the four atoms along two known directions, of
shape (4, 2), and their products S, of shape (4, 4). Atoms with these products
exist if and only if ``S - C C'`` is positive semidefinite. They are kept in
one vector: C by rows, then the upper triangle of S by rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from toadstone.core.arrays import Array

ATOMS, KNOWN = 4, 2
COORDINATES = ATOMS * KNOWN
UNKNOWNS = COORDINATES + ATOMS * (ATOMS + 1) // 2
_PAIRS = np.array(
    [(KNOWN + i, k) for i in range(ATOMS) for k in range(KNOWN)]
    + [(KNOWN + i, KNOWN + j) for i in range(ATOMS) for j in range(i, ATOMS)]
)
_BARRIER = 3.0 * ATOMS
"""Parameter of the barrier: the cone's, then one for each ball and each band of an atom."""
_FASTER, _CENTRED, _QUADRATIC = 30.0, 1e-4, 0.04
_MOST_CENTRES, _MOST_STEPS = 20, 40
_ENOUGH, _SHRINK, _SHORTEST = 0.1, 0.6, 1e-12


class Forms(NamedTuple):
    """Affine functions of the unknowns; the last column of each is the constant.

    Attributes
    ----------
    gain : ndarray of shape (19,)
        To be maximized.
    rooms : ndarray of shape (4, 19)
        Squared radius less squared distance of each atom: not negative.
    offsets : ndarray of shape (4, 19)
        Product of each atom, less its class's centre, with the difference of the centres.
    spread : ndarray of shape (19,)
        Squared distance of the centres.
    squared_widths : ndarray of shape (4,)
        Of each atom: no squared offset exceeds this many times the spread.
    """

    gain: Array
    rooms: Array
    offsets: Array
    spread: Array
    squared_widths: Array


@njit(cache=True, nogil=True)
def _value(form: Array, unknowns: Array) -> float:
    total = 0.0
    for one in range(UNKNOWNS):
        total += form[one] * unknowns[one]
    return float(total + form[UNKNOWNS])


@njit(cache=True, nogil=True)
def _change(form: Array, step: Array) -> float:
    total = 0.0
    for one in range(UNKNOWNS):
        total += form[one] * step[one]
    return total


@njit(cache=True, nogil=True)
def _factorize(matrix: Array) -> bool:
    """Overwrite the lower triangle with the Cholesky factor; False if the matrix is not positive definite."""
    size = len(matrix)
    for k in range(size):
        pivot = matrix[k, k]
        for m in range(k):
            pivot -= matrix[k, m] * matrix[k, m]
        if not pivot > 0.0:
            return False
        pivot = np.sqrt(pivot)
        matrix[k, k] = pivot
        for i in range(k + 1, size):
            entry = matrix[i, k]
            for m in range(k):
                entry -= matrix[i, m] * matrix[k, m]
            matrix[i, k] = entry / pivot
    return True


@njit(cache=True, nogil=True)
def _substitute(factor: Array, vector: Array) -> None:
    """Overwrite a vector with the solution, given the Cholesky factor."""
    size = len(vector)
    for i in range(size):
        for m in range(i):
            vector[i] -= factor[i, m] * vector[m]
        vector[i] /= factor[i, i]
    for i in range(size - 1, -1, -1):
        for m in range(i + 1, size):
            vector[i] -= factor[m, i] * vector[m]
        vector[i] /= factor[i, i]


@njit(cache=True, nogil=True)
def _fill(matrix: Array, unknowns: Array) -> None:
    """Write the products of the two known unit directions and the atoms into a matrix of shape (6, 6)."""
    for i in range(KNOWN):
        for j in range(KNOWN):
            matrix[i, j] = 1.0 if i == j else 0.0
    for one in range(UNKNOWNS):
        i, j = _PAIRS[one]
        matrix[i, j] = unknowns[one]
        matrix[j, i] = unknowns[one]


@njit(cache=True, nogil=True)
def barrier(forms: Forms, unknowns: Array) -> float:
    """Compute the barrier of the program, infinite outside of it."""
    total = 0.0
    spread = _value(forms.spread, unknowns)
    for i in range(ATOMS):
        offset = _value(forms.offsets[i], unknowns)
        room = _value(forms.rooms[i], unknowns)
        left = forms.squared_widths[i] * spread - offset * offset
        if not (room > 0.0 and left > 0.0):
            return np.inf
        total -= np.log(room) + np.log(left)
    matrix = np.empty((KNOWN + ATOMS, KNOWN + ATOMS))
    _fill(matrix, unknowns)
    if not _factorize(matrix):
        return np.inf
    for k in range(KNOWN + ATOMS):
        total -= 2.0 * np.log(matrix[k, k])
    return total


@njit(cache=True, nogil=True)
def _slopes(forms: Forms, unknowns: Array, gradient: Array, hessian: Array) -> None:
    """Overwrite gradient and Hessian with those of the barrier."""
    size = KNOWN + ATOMS
    matrix, inverse = np.empty((size, size)), np.empty((size, size))
    _fill(matrix, unknowns)
    _factorize(matrix)
    for k in range(size):
        for i in range(size):
            inverse[k, i] = 1.0 if i == k else 0.0
        _substitute(matrix, inverse[k])
    for one in range(UNKNOWNS):
        i, j = _PAIRS[one]
        # An entry off the diagonal stands for two.
        half = 0.5 if i == j else 1.0
        gradient[one] = -2.0 * half * inverse[i, j]
        for other in range(UNKNOWNS):
            k, m = _PAIRS[other]
            factor = 2.0 * half * (0.5 if k == m else 1.0)
            hessian[one, other] = factor * (inverse[i, m] * inverse[j, k] + inverse[i, k] * inverse[j, m])
    spread = _value(forms.spread, unknowns)
    for i in range(ATOMS):
        room, offset = _value(forms.rooms[i], unknowns), _value(forms.offsets[i], unknowns)
        left = forms.squared_widths[i] * spread - offset * offset
        for one in range(UNKNOWNS):
            shrink = forms.rooms[i, one] / room
            bend = forms.offsets[i, one]
            narrow = (forms.squared_widths[i] * forms.spread[one] - 2.0 * offset * bend) / left
            gradient[one] -= shrink + narrow
            for other in range(UNKNOWNS):
                again = (forms.squared_widths[i] * forms.spread[other] - 2.0 * offset * forms.offsets[i, other]) / left
                hessian[one, other] += (
                    shrink * forms.rooms[i, other] / room + narrow * again + bend * forms.offsets[i, other] * 2.0 / left
                )


@njit(cache=True, nogil=True)
def _multipliers(forms: Forms, unknowns: Array, step: Array, sharpness: float) -> Array:
    """Return the multipliers of a point near the central path, of shape (3, 4), after one Newton step."""
    multipliers = np.empty((3, ATOMS))
    spread, widened = _value(forms.spread, unknowns), _change(forms.spread, step)
    for i in range(ATOMS):
        room, offset = _value(forms.rooms[i], unknowns), _value(forms.offsets[i], unknowns)
        left = forms.squared_widths[i] * spread - offset * offset
        shifted = _change(forms.offsets[i], step)
        closer = _change(forms.rooms[i], step) / room
        narrower = (forms.squared_widths[i] * widened - 2.0 * offset * shifted) / left
        multipliers[0, i] = max(1.0 - closer, 0.0) / (sharpness * room)
        multipliers[1, i] = max(1.0 - narrower, 0.0) / (sharpness * left)
        multipliers[2, i] = offset + shifted
    return multipliers


@njit(cache=True, nogil=True)
def proven_bound(forms: Forms, multipliers: Array) -> float:
    """Bound the gain of all atoms that pass the filters, from multipliers alone.

    Parameters
    ----------
    forms : Forms
    multipliers : ndarray of shape (3, 4)
        Of the balls and of the bands, none negative, and the offset at which
        the square of each band's offset is replaced by its tangent.

    Returns
    -------
    float
        Infinite if the multipliers prove nothing.
    """
    total = forms.gain.copy()
    for i in range(ATOMS):
        ball, band, tangent = multipliers[0, i], multipliers[1, i], multipliers[2, i]
        # Atoms that pass have room >= 0 and width^2 spread >= offset^2, and offset^2 >= 2 c offset - c^2 for every c.
        for one in range(UNKNOWNS + 1):
            total[one] += ball * forms.rooms[i, one] + band * (
                forms.squared_widths[i] * forms.spread[one] - 2.0 * tangent * forms.offsets[i, one]
            )
        total[UNKNOWNS] += band * tangent * tangent
    # What is left is linear in C and S. With minus its part in S positive definite the best S is C C'; then C is free.
    curvature = np.empty((ATOMS, ATOMS))
    for one in range(COORDINATES, UNKNOWNS):
        i, j = _PAIRS[one, 0] - KNOWN, _PAIRS[one, 1] - KNOWN
        curvature[i, j] = curvature[j, i] = -total[one] if i == j else -0.5 * total[one]
    if not _factorize(curvature):
        return np.inf
    bound, slope = total[UNKNOWNS], np.empty(ATOMS)
    for k in range(KNOWN):
        for i in range(ATOMS):
            slope[i] = total[i * KNOWN + k]
            for m in range(i):
                slope[i] -= curvature[i, m] * slope[m]
            slope[i] /= curvature[i, i]
            bound += 0.25 * slope[i] * slope[i]
    return float(bound)


@njit(cache=True, nogil=True)
def _advance(forms: Forms, unknowns: Array, step: Array, decrement: float, sharpness: float) -> bool:
    """Move the unknowns along a Newton step; False if no length makes progress."""
    length, ahead = 1.0, np.empty(UNKNOWNS)
    here = barrier(forms, unknowns) - sharpness * _change(forms.gain, unknowns)
    while length > _SHORTEST:
        for one in range(UNKNOWNS):
            ahead[one] = unknowns[one] + length * step[one]
        there = barrier(forms, ahead) - sharpness * _change(forms.gain, ahead)
        # So close to the centre whole steps are safe, and differences of the objective are rounding.
        if there < np.inf and (decrement < _QUADRATIC or there <= here - _ENOUGH * length * decrement):
            unknowns[:] = ahead
            return True
        length *= _SHRINK
    return False


@njit(cache=True, nogil=True)
def follow(forms: Forms, start: Array, closeness: float) -> tuple[Array, Array, float, float]:
    """Maximize the gain by Newton steps along the central path.

    Parameters
    ----------
    forms : Forms
    start : ndarray of shape (18,)
        Strictly inside.
    closeness : float
        Difference between bound and gain at which to stop.

    Returns
    -------
    unknowns : ndarray of shape (18,)
        Strictly inside.
    multipliers : ndarray of shape (3, 4)
        Those of the smallest bound on the way.
    gain, bound : float
    """
    unknowns, sharpness = start.copy(), _BARRIER
    best, bound = np.zeros((3, ATOMS)), np.inf
    step, hessian = np.empty(UNKNOWNS), np.empty((UNKNOWNS, UNKNOWNS))
    for _ in range(_MOST_CENTRES):
        for _ in range(_MOST_STEPS):
            _slopes(forms, unknowns, step, hessian)
            for one in range(UNKNOWNS):
                step[one] = sharpness * forms.gain[one] - step[one]
            slope = step.copy()
            if not _factorize(hessian):
                break
            _substitute(hessian, step)
            decrement = _change(slope, step)
            if decrement <= _CENTRED or not _advance(forms, unknowns, step, decrement, sharpness):
                break
        multipliers = _multipliers(forms, unknowns, step, sharpness)
        found = proven_bound(forms, multipliers)
        if found < bound:
            bound, best = found, multipliers
        if bound - _value(forms.gain, unknowns) <= closeness:
            break
        sharpness *= _FASTER
    return unknowns, best, _value(forms.gain, unknowns), bound
