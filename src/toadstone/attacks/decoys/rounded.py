"""Poison points turned into whole rows, a few equal copies of each."""

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
        Which rows are in their region still, bands of loss included.
    drift : ndarray of shape (d,)
        The sum of signed points less that of signed rows.
    """

    rows: Matrix
    labels: Labels
    copies: IntArray
    inside: Mask
    drift: Array

    @property
    def violating(self) -> int:
        """Poison rows that rounding has moved out of their region."""
        return int(self.copies[~self.inside].sum())

    def poison(self) -> Poison:
        """All rows, copies written out."""
        rows = np.repeat(np.arange(len(self.copies)), self.copies)
        return Poison(self.rows[rows], self.labels[rows])


def copy_points(points: Array, labels: Labels, counts: IntArray, regions: tuple[Region, Region]) -> Rounded:
    """Rows equal to their points, where features need not be whole numbers.

    Parameters
    ----------
    points : ndarray of shape (2, d)
        For the labels -1 and +1.
    labels : ndarray of shape (2,)
        The same in the data's own terms.
    counts : ndarray of int of shape (2,)
        Copies wanted.
    regions : tuple of two Region
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
    """Round points to whole numbers, in several ways whose mean they are.

    Parameters
    ----------
    points, labels, counts, regions
        As for `copy_points`.
    order : ndarray of shape (d,)
        A model whose score should hardly vary; see `round_systematically`.
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
    """Copies of one point, rounded at random to whole numbers with the mean kept.

    Parameters
    ----------
    point : ndarray of shape (d,)
    order : ndarray of shape (d,)
        As for `round_points`.
    repeats : int
        How many copies.
    rounding : {"systematic", "independent", "reference"}
        Coordinates balance each other along `order` and all copies are alike;
        or each coordinate by itself and all copies alike (the paper's text);
        or each coordinate of each copy by itself (its program), so that
        copies differ.
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
