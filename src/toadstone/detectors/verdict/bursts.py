"""Bursts: sources and periods whose labels the rows of all others deny."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import hypergeom

from toadstone.core.arrays import Array, IntArray, Labels, Mask, Matrix
from toadstone.detectors.verdict.forests import out_of_bag, probabilities_of
from toadstone.kernels.rows import stack
from toadstone.kernels.verdict.evidence import (
    LEAST_LIKE,
    LEAST_POWER,
    MOST_P,
    MOST_PREDICTABLE,
    area_under_curve,
)

_TREES = 100
_FOLDS = 6
_FEWEST_ROWS = 5
_MOST_SHIFTED = 0.75
"""Area under the curve of telling the rows of a part from others, beyond which its labels cannot be judged."""
_PERIODS = (10, 20, 40, 80)


@dataclass(frozen=True, eq=False)
class Burst:
    """Rows of one source or period and one label that other rows deny.

    Parameters
    ----------
    place : int
        Index of the source or of the period.
    label : int
    rows : ndarray of int
        Those of its rows with this label that look like another, ascending.
    looks_like : int
    p_value : float
        Adjusted for the sources, or periods, and labels examined.
    probability : float
        Share of these rows beyond what rows of other sources account for.
    """

    place: int
    label: int
    rows: IntArray
    looks_like: int
    p_value: float
    probability: float


def find_bursts(
    X: Matrix, codes: IntArray, drawn: IntArray, parts: list[IntArray], fold: IntArray, seed: int
) -> list[Burst]:
    """Find the sources or periods with rows of one label that the rest of the data deny.

    The rows of a part that look like another label to a forest trained
    without their fold are counted, and compared with those of the label's
    other rows by Fisher's exact test [1]_. Of a part that has too many, the rows that look like another label to a
    forest trained without the part are listed, if at most a quarter of them
    is what other parts account for, and if no model tells them from rows of
    other labels elsewhere: that others do not know features of its own does
    not make its labels wrong.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    codes : ndarray of int of shape (n,)
        Label of each row, counted from zero.
    drawn : ndarray of int
        Rows to learn from.
    parts : list of ndarray of int
        Rows of each source or period.
    fold : ndarray of int of shape (n,)
        Rows that are left out together, numbered from zero.
    seed : int

    Returns
    -------
    list of Burst
        The most certain first.

    References
    ----------
    .. [1] Fisher, "On the interpretation of chi-squared from contingency
       tables, and the calculation of P", 1922.
    """
    rows, labels = X[drawn], codes[drawn]
    table = _without_own_fold(rows, labels, fold[drawn], seed)
    denied = table.argmax(axis=1) != labels
    place_of = np.full(len(codes), -1)
    place_of[drawn] = np.arange(len(drawn))
    cells = []
    for number, part in enumerate(parts):
        local = place_of[part]
        local = np.sort(local[local >= 0])
        cells += [(number, label, local[labels[local] == label]) for label in range(table.shape[1])]
    cells = [cell for cell in cells if len(cell[2]) >= _FEWEST_ROWS]
    found = []
    for number, label, inside in cells:
        others = np.setdiff1d(np.flatnonzero(labels == label), inside, assume_unique=True)
        if len(others) < _FEWEST_ROWS or denied[inside].sum() < _FEWEST_ROWS:
            continue
        excess = 1 - float(denied[others].mean() / denied[inside].mean())
        p_value = min(1.0, too_many(denied[inside], denied[others]) * len(cells))
        if p_value >= MOST_P or excess < LEAST_LIKE or not _can_tell(labels, table, others, label):
            continue
        outside = np.setdiff1d(np.arange(len(labels)), place_of[parts[number]])
        members = parts[number][codes[parts[number]] == label]
        forest, _ = out_of_bag(rows[outside], labels[outside], trees=_TREES, seed=seed)
        seen_as = probabilities_of(forest, X[members], table.shape[1]).argmax(axis=1)
        group = members[seen_as != label]
        if len(group) >= _FEWEST_ROWS and not _stands_out(X, group, parts[number], drawn, seed):
            looks_like = int(np.bincount(seen_as[seen_as != label]).argmax())
            found.append(Burst(number, label, np.sort(group), looks_like, p_value, excess * (1 - p_value)))
    return sorted(found, key=lambda burst: burst.p_value)


def _without_own_fold(X: Matrix, codes: IntArray, fold: IntArray, seed: int) -> Array:
    """Return the probability of each label for each row by a forest trained without its fold; zero without others."""
    n_labels = int(codes.max()) + 1
    table = np.zeros((len(codes), n_labels))
    for number in np.unique(fold).tolist():
        inside = fold == number
        if not inside.all():
            forest, _ = out_of_bag(X[np.flatnonzero(~inside)], codes[~inside], trees=_TREES, seed=seed)
            table[inside] = probabilities_of(forest, X[np.flatnonzero(inside)], n_labels)
    return table


def _can_tell(codes: IntArray, table: Array, others: IntArray, label: int) -> bool:
    """Tell if the forests know the label at all."""
    return area_under_curve(table[others, label], table[codes != label, label]) >= LEAST_POWER


def too_many(marked: Mask, others: Mask) -> float:
    """Return the p-value of Fisher's exact test that no larger a share of some rows is marked than of others.

    Examples
    --------
    >>> round(too_many(np.array([True, True, False]), np.zeros(7, dtype=bool)), 4)
    0.0667
    """
    both, size = int(marked.sum() + others.sum()), len(marked) + len(others)
    return float(hypergeom.sf(int(marked.sum()) - 1, size, both, len(marked)))


def _stands_out(X: Matrix, group: IntArray, part: IntArray, drawn: IntArray, seed: int) -> bool:
    """Tell if the rows of a part, or the group within it, can be told from the rows of other parts."""
    rivals = np.setdiff1d(drawn, part)
    return any(
        _apart(X[inside], X[rivals], seed) > most
        for inside, most in ((group, MOST_PREDICTABLE), (np.intersect1d(drawn, part), _MOST_SHIFTED))
    )


def _apart(group: Matrix, rivals: Matrix, seed: int) -> float:
    member = np.repeat([1, 0], [group.shape[0], rivals.shape[0]])
    _, chance = out_of_bag(stack([group, rivals]), member, trees=_TREES, seed=seed)
    return area_under_curve(chance[member == 1, 1], chance[member == 0, 1])


def sources_apart(sources: Labels) -> tuple[list[str], list[IntArray], IntArray]:
    """Return the names of the sources, the rows of each, and the folds that they are left out in.

    Parameters
    ----------
    sources : ndarray of shape (n,)
        None where unknown.

    Returns
    -------
    names : list of str
        Sorted.
    rows : list of ndarray of int
    fold : ndarray of int of shape (n,)
        The sources are dealt out to six folds; rows without a source have one of their own.

    Examples
    --------
    >>> sources_apart(np.array(["b", None, "a"], dtype=object))
    (['a', 'b'], [array([2]), array([0])], array([1, 6, 0]))
    """
    texts = [None if source is None else str(source) for source in sources.tolist()]
    names = sorted({text for text in texts if text is not None})
    place = {name: number for number, name in enumerate(names)}
    number = np.array([-1 if text is None else place[text] for text in texts], dtype=np.int64)
    rows = [np.flatnonzero(number == source) for source in range(len(names))]
    return names, rows, np.where(number < 0, _FOLDS, number % _FOLDS)


def periods(times: Array) -> tuple[list[str], list[IntArray], IntArray]:
    """Return overlapping periods of several lengths, the rows of each, and the stretches that are left out together.

    Parameters
    ----------
    times : ndarray of shape (n,)
        Not a number where unknown.

    Returns
    -------
    names : list of str
        First and last time of each.
    rows : list of ndarray of int
        Of each tenth, twentieth, fortieth and eightieth of the rows by time,
        and of those that lie half a length further; equal times are in one.
    fold : ndarray of int of shape (n,)
        Number of the sixth of the rows, by time; 6 for unknown times.

    Examples
    --------
    >>> names, rows, fold = periods(np.arange(60.0))
    >>> np.bincount(fold).tolist(), names[0], rows[0].tolist()
    ([10, 10, 10, 10, 10, 10], '0 to 5', [0, 1, 2, 3, 4, 5])
    """
    known = np.flatnonzero(np.isfinite(times))
    order = known[np.argsort(times[known], kind="stable")]
    # Rows of one time have the place of the first of them, whatever their order.
    place = np.searchsorted(times[order], times[order], "left") / max(len(order), 1)
    stretch = np.full(len(times), _FOLDS)
    stretch[order] = np.minimum((place * _FOLDS).astype(np.int64), _FOLDS - 1)
    found: dict[bytes, IntArray] = {}
    for length in _PERIODS:
        for half in range(2 * length - 1):
            rows = np.sort(order[_within(place, half / (2 * length), (half + 2) / (2 * length))])
            if len(rows) >= _FEWEST_ROWS:
                found.setdefault(rows.tobytes(), rows)
    rows_of = list(found.values())
    return [f"{times[rows].min():g} to {times[rows].max():g}" for rows in rows_of], rows_of, stretch


def _within(place: Array, low: float, high: float) -> Mask:
    return (place >= low - 1e-12) & (place < high - 1e-12)
