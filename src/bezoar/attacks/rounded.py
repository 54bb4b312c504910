"""Poison points turned into whole rows, a few equal copies of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator
from scipy.sparse import csr_array

from bezoar.core.arrays import Array, IntArray, Labels, Mask, Matrix
from bezoar.core.dataset import Poison
from bezoar.core.feasible import Region
from bezoar.kernels.membership import violations
from bezoar.kernels.rounding import repeat_counts, round_independently, round_systematically
from bezoar.kernels.rows import stack

Rounding = Literal["systematic", "independent"]
_SIGNS = np.array([-1.0, 1.0])
_INSIDE = 1e-8


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
        if rounding == "systematic":
            rows = round_systematically(points[k], order, len(copies[-1]), rng)
        else:
            rows = round_independently(points[k], len(copies[-1]), rng)
        drift += _SIGNS[k] * (counts[k] * points[k] - copies[-1] @ rows)
        inside.append(_inside(regions[k], rows))
        blocks.append(csr_array(rows))
    lengths = [len(part) for part in copies]
    return Rounded(
        stack(blocks), np.repeat(labels[used], lengths), np.concatenate(copies), np.concatenate(inside), drift
    )


def _inside(region: Region, rows: Array) -> Mask:
    return np.asarray(np.all(violations(region, rows) <= _INSIDE, axis=1))
