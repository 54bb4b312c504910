"""Candidates: groups of rows of one label that share values or nearly everything, most suspicious first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy.sparse import issparse

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.detectors.verdict.examination import Candidate
from toadstone.detectors.verdict.views import Views
from toadstone.kernels.rows import count_entries
from toadstone.kernels.verdict.atoms import Atoms, find_atoms
from toadstone.kernels.verdict.coincidence import sets_of_equals
from toadstone.kernels.verdict.evidence import LEAST_LIKE, LEAST_POWER, area_under_curve, less_than
from toadstone.kernels.verdict.mining import Mined, Sizes, mine
from toadstone.kernels.verdict.near_copies import PURE, near_copies
from toadstone.kernels.verdict.windows import (
    Window,
    are_words,
    by_columns,
    deviations,
    present_window,
    shared_window,
    signs_of,
)

_ATOMS = 1500
_FOLLOWED, _FOLLOWED_OF_LABEL = 60, 12
_OVERLAP = 0.6
_TOLERANCES = (0.0, 0.05, 0.125, 0.25)
"""In standard deviations of a column."""

_AGREEMENTS = (0.8, 0.95)
"""Share of a group that agrees in each column it shares; the second leaves chance companions of a trigger out."""

_ROUNDS, _MOST_OF_IT = 3, 0.6
"""Rounds in which a group grows by the rows that have that share of what it shares."""

_HALO = 1.2
"""A clump is isolated if no more rows of its label, in its sizes, lie in a window of twice the width."""

_MOST_COLUMNS, _MOST_SHARE = 8, 0.3
_TEXT = 0.05
"""Share of entries below which one column may be all that a group shares."""

_LEAST_LIKE = 0.4
_EXAMINED, _EXAMINED_BLINDLY = 24, 8
_NO_COLUMNS = Window(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))


def find_candidates(X: Matrix, codes: IntArray, source: IntArray, views: Views, sizes: Sizes) -> list[Candidate]:
    """Find the groups that are worth an examination.

    Mined groups are widened to all rows of their label that fit what they
    share, at four tolerances, and where columns are words to all that have the
    same ones. Those that do not look foreign to the forests
    that see none of the shared columns are left out.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    codes : ndarray of int of shape (n,)
        Label of each row, counted from zero.
    source : ndarray of int of shape (d,)
    views : Views
    sizes : Sizes

    Returns
    -------
    list of Candidate
        The most suspicious first; no two share most of their rows. Groups
        that share exact values were chosen among all such groups, others
        among all that were mined.
    """
    spread = deviations(by_columns(X))
    atoms = find_atoms(X, codes, views.strange_without, least=sizes.least, most=_ATOMS)
    groups = mine(atoms, codes, views.strange(), source, sizes) + _single(atoms, codes, sizes)
    followed = _distinct(groups, views)
    candidates = _widened(X, codes, source, spread, followed, sizes)
    present = _widened(X, codes, source, None, followed, sizes) if are_words(X) else []
    known = {(one.label, one.rows.tobytes()) for one in candidates}
    present = [one for one in present if (one.label, one.rows.tobytes()) not in known]
    exact = [one for one in candidates if np.array_equal(one.window.lows, one.window.highs)] + present
    among = [replace(one, rivals=len(exact) if one in exact else len(followed)) for one in candidates + present]
    pairs = near_copies(scaled(X, spread), codes, sizes)
    copies = [Candidate(label, rows, _NO_COLUMNS, len(pairs)) for label, rows in pairs]
    # Every forest has seen copies next to each other: only one that was trained without them can tell.
    return _promising(among, views, codes) + copies[:_EXAMINED]


def find_copied(X: Matrix, codes: IntArray, copies: IntArray, sizes: Sizes) -> list[Candidate]:
    """Find the row of each label that has copies and is the only one that has so many.

    Where another row of the label has half as many, copying is the habit of
    the table, such as of one whose rare label was drawn more often; and where
    equal rows have other labels too, it is a common row that labels share.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        No two rows of one label are equal.
    codes : ndarray of int of shape (n,)
        Label of each row, counted from zero.
    copies : ndarray of int of shape (n,)
        How often each row occurs.
    sizes : Sizes

    Returns
    -------
    list of Candidate
        Of one row each, since copies are no witnesses of each other.

    Examples
    --------
    >>> X, codes = np.arange(5.0)[:, None], np.array([0, 0, 1, 1, 1])
    >>> found = find_copied(X, codes, np.array([1, 8, 9, 5, 2]), Sizes(5, 12))
    >>> [(one.label, one.rows.tolist()) for one in found]
    [(0, [1])]
    """
    _, place = sets_of_equals(X, np.zeros_like(codes))
    pure = copies >= PURE * np.bincount(place, weights=copies)[place]
    found = []
    for label in range(int(codes.max()) + 1):
        rows = np.flatnonzero(codes == label)
        order = rows[np.argsort(-copies[rows], kind="stable")]
        most, second = np.append(copies[order], [0, 0])[:2]
        if sizes.least <= most <= sizes.most and most > 2 * second and pure[order[0]]:
            found.append((label, order[:1]))
    return [Candidate(label, rows, _NO_COLUMNS, len(found)) for label, rows in found]


def _single(atoms: Atoms, codes: IntArray, sizes: Sizes) -> list[Mined]:
    """Return the rows of each label that have one atom: a single rare word may be a trigger."""
    found = []
    for place in range(len(atoms.columns)):
        rows = atoms.members.indices[atoms.members.indptr[place] : atoms.members.indptr[place + 1]].astype(np.int64)
        counts = np.bincount(codes[rows])
        label = int(counts.argmax())
        if sizes.least <= counts[label] <= sizes.most:
            found.append(Mined(label, np.sort(rows[codes[rows] == label]), (int(atoms.columns[place]),), 0.0))
    return found


def _distinct(groups: list[Mined], views: Views) -> list[Mined]:
    """Return the strangest groups and the most surprising, none of which shares most of its rows with another."""
    strangest = np.argsort([-views.strangeness_of(group.rows, group.columns) for group in groups], kind="stable")
    surprising = np.argsort([-group.score for group in groups], kind="stable")
    kept: list[Mined] = []
    for order in (strangest, surprising):
        taken: dict[int, int] = {}
        for place in order.tolist():
            group = groups[place]
            if taken.get(group.label, 0) < _FOLLOWED_OF_LABEL and not _overlaps(group, kept):
                kept.append(group)
                taken[group.label] = taken.get(group.label, 0) + 1
            if sum(taken.values()) == _FOLLOWED:
                break
    return kept


def _overlaps(group: Mined | Candidate, kept: Iterable[Mined | Candidate]) -> bool:
    for other in kept:
        if other.label == group.label:
            common = len(np.intersect1d(group.rows, other.rows, assume_unique=True))
            if common > _OVERLAP * (len(group.rows) + len(other.rows) - common):
                return True
    return False


def _widened(
    X: Matrix, codes: IntArray, source: IntArray, spread: Array | None, groups: list[Mined], sizes: Sizes
) -> list[Candidate]:
    """Return all rows of a label that fit what a group shares, for each group and tolerance.

    Without a spread they share entries, of any size.
    """
    table = by_columns(X)
    signs = None if spread is not None else signs_of(table)
    found: dict[tuple[int, bytes], Candidate] = {}
    fewest = 1 if count_entries(X) < _TEXT * X.shape[0] * X.shape[1] else 2
    most = max(_MOST_COLUMNS, _MOST_SHARE * len(np.unique(source)))
    for group, tolerance, agreement in product(groups, _TOLERANCES if spread is not None else (0.0,), _AGREEMENTS):
        rows, same = group.rows, codes == group.label
        for _ in range(_ROUNDS):
            if spread is not None:
                window = shared_window(table, rows, tolerance * spread, agreement)
            else:
                window = present_window(signs, rows, agreement)
            # What a label has anyway, such as a column that repeats it, sets no rows of it apart.
            window = window.rare_among(table, np.setdiff1d(np.flatnonzero(same), rows, assume_unique=True))
            if not fewest <= len(np.unique(source[window.columns])) <= most:
                break
            fitting = np.flatnonzero(window.fits(table) & same)
            if not sizes.least <= len(fitting) <= sizes.most:
                break
            # A window cut out of a cloud has neighbours on all sides; poisoned values are a clump of their own.
            if spread is None or np.count_nonzero(window.doubled().fits(table) & same) <= _HALO * len(fitting):
                found.setdefault((group.label, fitting.tobytes()), Candidate(group.label, fitting, window))
            # Part of a group shares more than the whole: rows that have most of that lead to the others.
            rows = np.flatnonzero(window.fits(table, _MOST_OF_IT) & same)
            if len(rows) == len(fitting):
                break
    return list(found.values())


def scaled(X: Matrix, spread: Array) -> Matrix:
    """Divide each column by its standard deviation."""
    return (
        X.multiply(1 / np.where(spread > 0, spread, 1.0)).tocsr()
        if issparse(X)
        else X / np.where(spread > 0, spread, 1.0)
    )


@dataclass(frozen=True, eq=False)
class _Judged:
    """A candidate, and what the forests that see nothing it shares believe of the rows of its label."""

    candidate: Candidate
    foreign: Array
    """Of each row: 0 like its label, 1 like the others."""

    p_value: float


def _promising(candidates: list[Candidate], views: Views, codes: IntArray) -> list[Candidate]:
    """Return the candidates that look foreign without what they share, or that no forest can tell about."""
    judged: list[_Judged] = []
    blind: list[Candidate] = []
    for candidate in candidates:
        table = views.without(candidate.window.columns)
        if table is None:
            blind.append(candidate)
            continue
        belief = table[:, candidate.label]
        own = np.delete(belief, candidate.rows)[np.delete(codes, candidate.rows) == candidate.label]
        others = belief[codes != candidate.label]
        if not len(own) or not len(others):
            continue
        if area_under_curve(own, others) < LEAST_POWER:
            # Forests that cannot tell the label clear nobody.
            blind.append(candidate)
        elif own.mean() > others.mean():
            foreign = (own.mean() - belief) / (own.mean() - others.mean())
            if foreign[candidate.rows].mean() >= _LEAST_LIKE:
                judged.append(_Judged(candidate, foreign, less_than(belief[candidate.rows], own)))
    judged.sort(key=lambda one: one.p_value)
    kept: list[Candidate] = []
    for one in judged[: 4 * _EXAMINED]:
        whole = _whole(one, judged)
        if len(kept) < _EXAMINED and not _overlaps(whole, kept):
            kept.append(whole)
    return kept + blind[:_EXAMINED_BLINDLY]


def _whole(part: _Judged, judged: list[_Judged]) -> Candidate:
    """Return the largest candidate that holds one, if the rows that it adds look foreign as well."""
    best = part.candidate
    for one in judged:
        rows = one.candidate.rows
        if one.candidate.label != best.label or not len(best.rows) < len(rows) < len(part.candidate.rows) / _OVERLAP:
            continue
        added = np.setdiff1d(rows, part.candidate.rows, assume_unique=True)
        if len(added) == len(rows) - len(part.candidate.rows) and one.foreign[added].mean() >= LEAST_LIKE:
            best = one.candidate
    return best
