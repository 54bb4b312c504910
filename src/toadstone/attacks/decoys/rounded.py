"""Rounding of poison points to rows of whole numbers, a few equal copies of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator
from scipy.sparse import csr_array

from toadstone.core.arrays import Array, IntArray, Labels, Mask, Matrix
from toadstone.core.dataset import Poison
from toadstone.core.feasible import Region
from toadstone.kernels.rows import stack
from toadstone.kernels.sets.membership import violations
from toadstone.kernels.sets.rounding import repeat_counts, round_independently, round_systematically

Rounding = Literal["systematic", "independent"]
CopyRounding = Literal["systematic", "independent", "reference"]

_SIGNS = np.array([-1.0, 1.0])
# Relative violation that counts as inside, and distance from a whole number that rounding errors explain.
_INSIDE, _NEARLY_WHOLE = 1e-8, 1e-9


@dataclass(frozen=True, eq=False)
class Rounded:
    """Poison rows, grouped into equal ones.

    Parameters
    ----------
    rows : ndarray or CSR of shape (k, d)
    labels : ndarray of shape (k,)
    copies : ndarray of int of shape (k,)
    inside : ndarray of bool of shape (k,)
        True for rows that are still in their region.
    drift : ndarray of shape (d,)
        Sum of the signed points less that of the signed rows.
    """

    rows: Matrix
    labels: Labels
    copies: IntArray
    inside: Mask
    drift: Array

    @property
    def violating(self) -> int:
        """Number of poison rows that rounding has moved out of their region."""
        return int(self.copies[~self.inside].sum())

    def poison(self) -> Poison:
        """Return all rows, with their copies."""
        rows = np.repeat(np.arange(len(self.copies)), self.copies)
        return Poison(self.rows[rows], self.labels[rows])


def copy_points(points: Array, labels: Labels, counts: IntArray, regions: tuple[Region, Region]) -> Rounded:
    """Return rows equal to their points, for features that need not be whole numbers.

    Parameters
    ----------
    points : ndarray of shape (2, d)
        One for each class, the negative first.
    labels : ndarray of shape (2,)
        Labels of the data for these classes.
    counts : ndarray of int of shape (2,)
        Number of copies of each point.
    regions : tuple of two Region
        The feasible set of each class.
    """
    used = np.flatnonzero(counts)
    inside = np.array([_inside(regions[k], points[k : k + 1])[0] for k in used], dtype=bool)
    return Rounded(points[used], labels[used], counts[used], inside, np.zeros(points.shape[1]))


def round_points(
    points: Array,
    labels: Labels,
    counts: IntArray,
    regions: tuple[Region, Region],
    *,
    order: Array,
    repeats: int,
    rounding: Rounding,
    rng: Generator,
) -> Rounded:
    """Round points to whole numbers at random, so that the rows' mean is close to the point.

    Parameters
    ----------
    points, labels, counts, regions
        As for `copy_points`.
    order : ndarray of shape (d,)
        Weights of a model whose score should hardly change; see
        `round_systematically`.
    repeats : int
        Equal copies of each rounding.
    rounding : {"systematic", "independent"}
    rng : Generator

    Returns
    -------
    Rounded
        With sparse rows.
    """
    blocks, copies, inside = [], [], []
    drift, used = np.zeros(points.shape[1]), np.flatnonzero(counts)
    for k in used:
        copies.append(repeat_counts(int(counts[k]), repeats))
        rows = _drawn(points[k], order, len(copies[-1]), rounding, rng)
        drift += _SIGNS[k] * (counts[k] * points[k] - copies[-1] @ rows)
        inside.append(_inside(regions[k], rows))
        blocks.append(csr_array(rows))
    lengths = [len(part) for part in copies]
    return Rounded(
        stack(blocks), np.repeat(labels[used], lengths), np.concatenate(copies), np.concatenate(inside), drift
    )


def round_copies(point: Array, order: Array, *, repeats: int, rounding: CopyRounding, rng: Generator) -> Array:
    """Round copies of one point to whole numbers at random, preserving the mean.

    Parameters
    ----------
    point : ndarray of shape (d,)
    order : ndarray of shape (d,)
        As for `round_points`.
    repeats : int
        Number of copies.
    rounding : {"systematic", "independent", "reference"}
        "systematic" balances the coordinates along `order`, and copies are
        equal; "independent" rounds each coordinate independently, and copies
        are equal (the paper's text); "reference" rounds each coordinate of
        each copy independently (the paper's code).
    rng : Generator

    Returns
    -------
    ndarray of shape (repeats, d)

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022.

    Examples
    --------
    >>> point, order, rng = np.array([0.5, 2.0, 0.5]), np.arange(3.0), np.random.default_rng(0)
    >>> round_copies(point, order, repeats=2, rounding="systematic", rng=rng).tolist()
    [[1.0, 2.0, 0.0], [1.0, 2.0, 0.0]]
    """
    draws = repeats if rounding == "reference" else 1
    return np.tile(_drawn(point, order, draws, rounding, rng), (repeats // draws, 1))


def _drawn(point: Array, order: Array, draws: int, rounding: CopyRounding, rng: Generator) -> Array:
    # Few coordinates of an extreme point are fractional; the others need no draw.
    rows = np.tile(np.round(point), (draws, 1))
    between = np.flatnonzero(np.abs(point - rows[0]) >= _NEARLY_WHOLE)
    if rounding == "systematic":
        rows[:, between] = round_systematically(point[between], order[between], draws, rng)
    else:
        rows[:, between] = round_independently(point[between], draws, rng)
    return rows


def _inside(region: Region, rows: Array) -> Mask:
    return np.asarray(np.all(violations(region, rows) <= _INSIDE, axis=1))
