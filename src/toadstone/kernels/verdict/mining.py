"""Mining: rows of one label that share two to four atoms more often than chance would have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from toadstone.core.arrays import Array, IntArray
from toadstone.kernels.verdict.atoms import Atoms

_PAIRS = 400
_FEWEST_PAIRS = 40
_LEAST_SCORE = 4.0
_MOST_ADDED = 2
_MOST_SHARE = 0.7
_COMMON = 0.4
"""Share of a label's rows beyond which an atom is no rare value in it, unless they are few enough for a group."""


@dataclass(frozen=True, eq=False)
class Sizes:
    """Smallest and largest number of rows of a group.

    Parameters
    ----------
    least : int
    most : int
    """

    least: int
    most: int


@dataclass(frozen=True, eq=False)
class Mined:
    """Rows of a label that share some atoms.

    Parameters
    ----------
    label : int
    rows : ndarray of int
        Ascending.
    columns : tuple of int
        Of the atoms.
    score : float
        How surprising their number is, see `poisson_score`.
    """

    label: int
    rows: IntArray
    columns: tuple[int, ...]
    score: float


def mine(atoms: Atoms, codes: IntArray, strange: Array, source: IntArray, sizes: Sizes) -> list[Mined]:
    """Mine groups of rows of one label that share atoms of different columns.

    For each pair of atoms the rows of a label that have both are compared
    with their number were the two independent within the label, or as frequent
    together as in other labels. Half of the pairs that are followed up have
    the largest Poisson score ``C log(C / E) - (C - E)``, half the largest sum
    of strangeness. To each, up to two more atoms are added while the score
    grows.

    Parameters
    ----------
    atoms : Atoms
    codes : ndarray of int of shape (n,)
        Label of each row, counted from zero.
    strange : ndarray of shape (n,)
        With mean zero and variance one in each label.
    source : ndarray of int of shape (d,)
        Columns of one source never form a pair.
    sizes : Sizes

    Returns
    -------
    list of Mined
        No two of one label have the same rows.

    Examples
    --------
    >>> from scipy.sparse import csc_array
    >>> members = csc_array(np.repeat([[1.0, 1.0], [0.0, 0.0]], [12, 188], axis=0).astype(np.float32))
    >>> atoms = Atoms(np.array([0, 1]), np.zeros(2), np.ones(2), members)
    >>> found = mine(atoms, np.arange(200) // 100, np.zeros(200), np.arange(2), Sizes(5, 12))
    >>> [(group.label, group.columns, group.rows.tolist()) for group in found]
    [(0, (0, 1), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])]
    """
    if len(atoms.columns) < 2:
        return []
    everywhere = atoms.members.T @ atoms.members
    everywhere = np.asarray(everywhere.toarray(), dtype=np.float32)
    apart = source[atoms.columns][:, None] != source[atoms.columns]
    n_labels = int(codes.max()) + 1
    pairs = max(_FEWEST_PAIRS, 2 * _PAIRS // n_labels)
    found: dict[tuple[int, bytes], Mined] = {}
    by_row = atoms.members.tocsr()
    for label in range(n_labels):
        rows = np.flatnonzero(codes == label)
        if len(rows) < sizes.least:
            continue
        within = by_row[rows].toarray()
        for one, other in _pairs(within, everywhere, apart, strange[rows], sizes, len(codes), pairs):
            for places, used, score in _grown(within, one, other, apart, sizes):
                columns = tuple(atoms.columns[used].tolist())
                found.setdefault((label, places.tobytes()), Mined(label, rows[places], columns, score))
    return list(found.values())


def _pairs(
    within: Any, everywhere: Any, apart: Any, strange: Array, sizes: Sizes, n: int, most: int
) -> list[tuple[int, int]]:
    """Return the pairs of atoms of one label that are worth following up."""
    size = len(within)
    together = within.T @ within
    prior = size / n
    share = min(_MOST_SHARE, (1 + prior) / 2)
    kept = (together >= sizes.least) & (together <= 2 * sizes.most) & (together >= share * everywhere)
    rare = np.diag(together) <= max(_COMMON * size, sizes.most)
    one, other = np.nonzero(np.triu(kept & apart & rare & rare[:, None], 1))
    if not len(one):
        return []
    count = together[one, other].astype(np.float64)
    single = np.diag(together).astype(np.float64)
    elsewhere = (everywhere[one, other] - count + 1) / (n - size + 1) * size
    score = poisson_score(count, np.maximum(single[one] * single[other] / size, elsewhere))
    odd = (within.T @ (within * strange[:, None].astype(np.float32)))[one, other] / np.sqrt(count)
    worth = np.flatnonzero(score > _LEAST_SCORE)
    best = worth[np.argsort(-score[worth], kind="stable")[:most]]
    oddest = worth[np.argsort(-odd[worth], kind="stable")[:most]]
    chosen = np.unique(np.append(best, oddest))
    return list(zip(one[chosen].tolist(), other[chosen].tolist(), strict=True))


def poisson_score(count: Array, expected: Array) -> Array:
    """Return the log likelihood ratio of Poisson counts against what was expected; 0 for no more than that.

    Examples
    --------
    >>> poisson_score(np.array([20.0, 5.0]), np.array([5.0, 5.0])).round(1)
    array([12.7,  0. ])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = count * np.log(count / expected) - (count - expected)
    return np.where(count > expected, ratio, 0.0)


def _grown(within: Any, one: int, other: int, apart: Any, sizes: Sizes) -> list[tuple[IntArray, list[int], float]]:
    """Return rows, atoms and score of the rows that have both atoms, and one and two more while the score grows."""
    size = len(within)
    single = within.sum(axis=0, dtype=np.float64) / size
    group = np.flatnonzero((within[:, one] > 0) & (within[:, other] > 0))
    expected = size * single[one] * single[other]
    best = float(poisson_score(np.array(len(group)), np.array(expected)))
    free = apart[one] & apart[other]
    used = [one, other]
    groups = [(group, [*used], best)]
    for _ in range(_MOST_ADDED):
        count = within[group].sum(axis=0, dtype=np.float64)
        allowed = free & (count >= sizes.least)
        score = np.where(allowed, poisson_score(count, expected * single), -np.inf)
        added = int(np.argmax(score))
        if score[added] <= best:
            break
        best, expected, free = float(score[added]), expected * float(single[added]), free & apart[added]
        group = group[within[group, added] > 0]
        used.append(added)
        groups.append((group, [*used], best))
    return groups
