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
    foreign_share,
)

_TREES = 100
_MOST_FOLDS, _STRETCHES = 12, 10
_FEWEST_ROWS = 5
_DENIED = 0.5
"""A row is denied where its label has at most this share of the probability of the likeliest."""

_LISTED = (1.0, 0.8, 2 / 3, _DENIED)
"""Of a source found guilty, the rows denied by the first of these shares that few rows of others are denied by."""

_LEAST_FOREIGN = 0.95
"""Where the denied rows of a part lie between its label (0) and rows of others that look like another label (1).

A part that draws the line between labels elsewhere has rows that lie between.
"""

_MOST_SHIFTED = 0.75
"""Area under the curve of telling the rows of a part from others, beyond which its labels cannot be judged."""
_PERIODS = (10, 20, 40, 80)


@dataclass(frozen=True, eq=False)
class Parts:
    """Sources or periods, and which rows are left out of training together.

    Parameters
    ----------
    names : list of str
    rows : list of ndarray of int
        Of each part.
    fold : ndarray of int of shape (n,)
        From zero.
    reach : int, default=0
        A fold is predicted without the folds up to that far from it.
    """

    names: list[str]
    rows: list[IntArray]
    fold: IntArray
    reach: int = 0


@dataclass(frozen=True, eq=False)
class Burst:
    """Rows of one source or period and one label that other rows deny.

    Parameters
    ----------
    place : int
        Index of the source or of the period.
    label : int
    rows : ndarray of int
        Its rows with this label that look like another, ascending.
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


def find_bursts(X: Matrix, codes: IntArray, drawn: IntArray, parts: Parts, seed: int) -> list[Burst]:
    """Find the sources or periods with rows of one label that the rest of the data deny.

    Every row is predicted by a forest trained without its part. Rows whose
    label has at most half the probability of the likeliest are counted in
    each part, and compared with those of the label's other rows by Fisher's
    exact test [1]_. A part with many wrong labels makes the forests of all
    others doubtful, but seldom as sure of the wrong.

    Of a part that has too many, the rows that look like another label are
    listed: as many as leave at most a quarter to what other parts account
    for. They must look like
    the other label as much as its own rows do, not lie between. Nothing is said of a
    part whose rows a model tells from those of others: that others do not
    know features of its own does not make its labels wrong.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    codes : ndarray of int of shape (n,)
        Label of each row, counted from zero.
    drawn : ndarray of int
        Rows to learn from.
    parts : Parts
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
    table = _without_own_fold(rows, labels, parts.fold[drawn], parts.reach, seed)
    place_of = np.full(len(codes), -1)
    place_of[drawn] = np.arange(len(drawn))
    local = [np.sort(place_of[part][place_of[part] >= 0]) for part in parts.rows]
    cells = [(number, label) for number in range(len(local)) for label in range(table.shape[1])]
    cells = [(number, label) for number, label in cells if (labels[local[number]] == label).sum() >= _FEWEST_ROWS]
    found = []
    for number, label in cells:
        charge = _charged(table, labels, local[number], label, len(cells))
        if charge is None:
            continue
        outside = np.setdiff1d(np.arange(len(labels)), local[number], assume_unique=True)
        members = parts.rows[number][codes[parts.rows[number]] == label]
        forest, _ = out_of_bag(rows[outside], labels[outside], trees=_TREES, seed=seed)
        seen = probabilities_of(forest, X[members], table.shape[1])
        denied = belief_in(seen, codes[members]) <= charge.limit
        suspects, part = members[denied], drawn[local[number]]
        if len(suspects) < _FEWEST_ROWS or _stands_out(X, codes, suspects, part, drawn[outside], seed):
            continue
        suggestion = seen[denied].mean(axis=0)
        suggestion[label] = -1.0
        probability = float(charge.excess * (1 - charge.p_value))
        found.append(Burst(number, label, np.sort(suspects), int(suggestion.argmax()), charge.p_value, probability))
    return sorted(found, key=lambda burst: burst.p_value)


@dataclass(frozen=True)
class _Charge:
    """Charge against the rows of one label of a part, and the share of them that others do not account for."""

    p_value: float
    limit: float
    excess: float


def _charged(table: Array, codes: IntArray, part: IntArray, label: int, n_cells: int) -> _Charge | None:
    """Compare the rows of one label of a part with those of all others; None where they are not much more denied."""
    elsewhere = np.ones(len(codes), dtype=bool)
    elsewhere[part] = False
    same = codes == label
    own, rivals = np.flatnonzero(elsewhere & same), np.flatnonzero(elsewhere & ~same)
    if not len(own) or not len(rivals) or area_under_curve(table[own, label], table[rivals, label]) < LEAST_POWER:
        return None
    belief = belief_in(table, np.full(len(codes), label))
    inside, others = belief[~elsewhere & same], belief[own]
    p_value = min(1.0, too_many(inside <= _DENIED, others <= _DENIED) * n_cells)
    limit = _limit(inside, others)
    group, alike = np.flatnonzero(~elsewhere & same & (belief < 1.0)), rivals[belief[rivals] < 1.0]
    if p_value >= MOST_P or limit is None or not len(alike):
        return None
    if foreign_share(table[group, label], table[own, label], table[alike, label]) < _LEAST_FOREIGN:
        return None
    return _Charge(p_value, limit, float(1 - (others <= limit).mean() / (inside <= limit).mean()))


def belief_in(table: Array, codes: IntArray) -> Array:
    """Return the probability of each row's label over that of the likeliest label.

    Examples
    --------
    >>> belief_in(np.array([[0.75, 0.25], [0.75, 0.25]]), np.array([0, 1])).round(2)
    array([1.  , 0.33])
    """
    return np.asarray(table[np.arange(len(codes)), codes] / np.maximum(table.max(axis=1), 1e-12))


def _limit(inside: Array, others: Array) -> float | None:
    """Return the largest limit of belief that leaves few rows of a part to what others account for; None if none."""
    for limit in _LISTED:
        # A tie of the likeliest labels denies neither.
        limit = min(limit, 1 - 1e-9)
        share = (inside <= limit).mean()
        if (inside <= limit).sum() >= _FEWEST_ROWS and (others <= limit).mean() <= (1 - LEAST_LIKE) * share:
            return limit
    return None


def _without_own_fold(X: Matrix, codes: IntArray, fold: IntArray, reach: int, seed: int) -> Array:
    """Return the probability of each label for each row by a forest trained without its folds; zero without others."""
    n_labels = int(codes.max()) + 1
    table = np.zeros((len(codes), n_labels))
    for number in np.unique(fold).tolist():
        kept, inside = np.abs(fold - number) > reach, fold == number
        if kept.any():
            forest, _ = out_of_bag(X[np.flatnonzero(kept)], codes[kept], trees=_TREES, seed=seed)
            table[inside] = probabilities_of(forest, X[np.flatnonzero(inside)], n_labels)
    return table


def too_many(marked: Mask, others: Mask) -> float:
    """Return the p-value of Fisher's exact test that no larger a share of some rows is marked than of others.

    Examples
    --------
    >>> round(too_many(np.array([True, True, False]), np.zeros(7, dtype=bool)), 4)
    0.0667
    """
    both, size = int(marked.sum() + others.sum()), len(marked) + len(others)
    return float(hypergeom.sf(int(marked.sum()) - 1, size, both, len(marked)))


def _stands_out(X: Matrix, codes: IntArray, group: IntArray, part: IntArray, rivals: IntArray, seed: int) -> bool:
    """Tell if a part can be told from the rows of others, or its group from rows of other labels there."""
    alike = rivals[codes[rivals] != codes[group[0]]]
    return _apart(X[group], X[alike], seed) > MOST_PREDICTABLE or _apart(X[part], X[rivals], seed) > _MOST_SHIFTED


def _apart(group: Matrix, rivals: Matrix, seed: int) -> float:
    member = np.repeat([1, 0], [group.shape[0], rivals.shape[0]])
    _, chance = out_of_bag(stack([group, rivals]), member, trees=_TREES, seed=seed)
    return area_under_curve(chance[member == 1, 1], chance[member == 0, 1])


def sources_apart(sources: Labels) -> Parts:
    """Return the sources, and the folds that they are left out in.

    Parameters
    ----------
    sources : ndarray of shape (n,)
        None where unknown.

    Returns
    -------
    Parts
        Sorted by name. Each source is a fold; more than twelve are dealt out
        to twelve. Rows without a source have a fold of their own.

    Examples
    --------
    >>> parts = sources_apart(np.array(["b", None, "a"], dtype=object))
    >>> parts.names, parts.rows, parts.fold
    (['a', 'b'], [array([2]), array([0])], array([ 1, 12,  0]))
    """
    texts = [None if source is None else str(source) for source in sources.tolist()]
    names = sorted({text for text in texts if text is not None})
    place = {name: number for number, name in enumerate(names)}
    number = np.array([-1 if text is None else place[text] for text in texts], dtype=np.int64)
    rows = [np.flatnonzero(number == source) for source in range(len(names))]
    return Parts(names, rows, np.where(number < 0, _MOST_FOLDS, number % _MOST_FOLDS))


def periods(times: Array) -> Parts:
    """Return overlapping periods of several lengths, and the stretches that are left out together.

    Parameters
    ----------
    times : ndarray of shape (n,)
        Not a number where unknown.

    Returns
    -------
    Parts
        Named by first and last time: each tenth, twentieth, fortieth and
        eightieth of the rows by time, and those that lie half a length
        further; equal times are in one. A fold is a tenth of the rows, by
        time, and left out with its neighbours, so that no period is predicted
        by rows of its own. Rows of unknown time have a fold far from others.

    Examples
    --------
    >>> parts = periods(np.arange(60.0))
    >>> np.bincount(parts.fold).tolist(), parts.names[0], parts.rows[0].tolist()
    ([6, 6, 6, 6, 6, 6, 6, 6, 6, 6], '0 to 5', [0, 1, 2, 3, 4, 5])
    """
    known = np.flatnonzero(np.isfinite(times))
    order = known[np.argsort(times[known], kind="stable")]
    # Rows of one time have the place of the first of them, whatever their order.
    place = np.searchsorted(times[order], times[order], "left") / max(len(order), 1)
    stretch = np.full(len(times), _STRETCHES + 1)
    stretch[order] = np.minimum((place * _STRETCHES + 1e-9).astype(np.int64), _STRETCHES - 1)
    found: dict[bytes, IntArray] = {}
    for length in _PERIODS:
        for half in range(2 * length - 1):
            rows = np.sort(order[_within(place, half / (2 * length), (half + 2) / (2 * length))])
            if len(rows) >= _FEWEST_ROWS:
                found.setdefault(rows.tobytes(), rows)
    rows_of = list(found.values())
    names = [f"{times[rows].min():g} to {times[rows].max():g}" for rows in rows_of]
    return Parts(names, rows_of, stretch, reach=1)


def _within(place: Array, low: float, high: float) -> Mask:
    return (place >= low - 1e-12) & (place < high - 1e-12)
