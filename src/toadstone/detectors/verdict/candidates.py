"""Candidates: groups of rows of one label that share values or nearly everything, most suspicious first."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.sparse import issparse

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.detectors.verdict.examination import Candidate
from toadstone.detectors.verdict.views import Views
from toadstone.kernels.verdict.atoms import Atoms, find_atoms
from toadstone.kernels.verdict.evidence import foreign_share, less_than
from toadstone.kernels.verdict.mining import Mined, Sizes, mine
from toadstone.kernels.verdict.near_copies import near_copies
from toadstone.kernels.verdict.windows import Window, by_columns, deviations, shared_window

_ATOMS = 1500
_FOLLOWED, _FOLLOWED_OF_LABEL = 60, 12
_OVERLAP = 0.6
_TOLERANCES = (0.0, 0.05, 0.125, 0.25)
"""In standard deviations of a column."""

_HALO = 1.2
"""A clump is isolated if no more rows of its label, in its sizes, lie in a window of twice the width."""

_MOST_COLUMNS, _MOST_SHARE = 8, 0.3
_LEAST_LIKE = 0.4
_EXAMINED, _EXAMINED_BLINDLY = 16, 8
_NO_COLUMNS = Window(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))


def find_candidates(
    X: Matrix, codes: IntArray, source: IntArray, views: Views, sizes: Sizes
) -> tuple[list[Candidate], int]:
    """Find the groups that are worth an examination.

    Mined groups are widened to all rows of their label that fit what they
    share, at three tolerances. Those that do not look foreign to the forests
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
    candidates : list of Candidate
        The most suspicious first; no two share most of their rows.
    n_groups : int
        Number of groups that they were chosen among.
    """
    spread = deviations(by_columns(X))
    atoms = find_atoms(X, codes, views.strange_without, least=sizes.least, most=_ATOMS)
    groups = mine(atoms, codes, views.strange(), source, sizes) + _single(atoms, codes, sizes)
    followed = _distinct(groups, views)
    candidates = _widened(X, codes, source, spread, followed, sizes)
    scaled = _scaled(X, spread)
    copies = [Candidate(label, rows, _NO_COLUMNS) for label, rows in near_copies(scaled, codes, sizes)]
    # Every forest has seen copies next to each other: only one that was trained without them can tell.
    return _promising(candidates, views, codes) + copies[:_EXAMINED_BLINDLY], len(followed) + len(copies)


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
    X: Matrix, codes: IntArray, source: IntArray, spread: Array, groups: list[Mined], sizes: Sizes
) -> list[Candidate]:
    """Return all rows of a label that fit what a group shares, for each group and tolerance."""
    table = by_columns(X)
    found: dict[tuple[int, bytes], Candidate] = {}
    fewest = 1 if issparse(X) else 2
    most = max(_MOST_COLUMNS, _MOST_SHARE * len(np.unique(source)))
    for group in groups:
        label, rows = group.label, group.rows
        for tolerance in _TOLERANCES:
            window = shared_window(table, rows, tolerance * spread)
            if not fewest <= len(np.unique(source[window.columns])) <= most:
                continue
            fitting = np.flatnonzero(window.fits(table) & (codes == label))
            if not sizes.least <= len(fitting) <= sizes.most:
                continue
            around = np.count_nonzero(window.doubled().fits(table) & (codes == label))
            # A window cut out of a cloud has neighbours on all sides; poisoned values are a clump of their own.
            if around <= _HALO * len(fitting):
                found.setdefault((label, fitting.tobytes()), Candidate(label, fitting, window))
    return list(found.values())


def _scaled(X: Matrix, spread: Array) -> Matrix:
    """Divide each column by its standard deviation."""
    return (
        X.multiply(1 / np.where(spread > 0, spread, 1.0)).tocsr()
        if issparse(X)
        else X / np.where(spread > 0, spread, 1.0)
    )


def _promising(candidates: list[Candidate], views: Views, codes: IntArray) -> list[Candidate]:
    """Return the candidates that look foreign without what they share, or that no forest can tell about."""
    judged: list[tuple[float, Candidate]] = []
    blind: list[Candidate] = []
    for candidate in candidates:
        table = views.without(candidate.window.columns)
        if table is None:
            blind.append(candidate)
            continue
        belief = table[:, candidate.label]
        inside = np.zeros(len(codes), dtype=bool)
        inside[candidate.rows] = True
        own = belief[(codes == candidate.label) & ~inside]
        others = belief[codes != candidate.label]
        if len(own) and len(others) and foreign_share(belief[inside], own, others) >= _LEAST_LIKE:
            judged.append((less_than(belief[inside], own), candidate))
    judged.sort(key=lambda pair: pair[0])
    kept: list[Candidate] = []
    for candidate in [candidate for _, candidate in judged][: 4 * _EXAMINED]:
        if len(kept) < _EXAMINED and not _overlaps(candidate, kept):
            kept.append(candidate)
    return kept + blind[:_EXAMINED_BLINDLY]
