"""GroupSearch: rows that share rare values, or nearly everything, and whose label the rest of them denies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.neighbors import NearestNeighbors

from toadstone.core.arrays import Array, IntArray, Labels, Mask, Matrix
from toadstone.core.errors import InvalidData
from toadstone.detectors.verdict.bursts import Parts, find_bursts, periods, sources_apart
from toadstone.detectors.verdict.candidates import find_candidates, find_copied, scaled
from toadstone.detectors.verdict.examination import Examined, examine
from toadstone.detectors.verdict.row_groups import RowGroup
from toadstone.detectors.verdict.views import train_views
from toadstone.kernels.rows import count_entries, squared_distances, value_order
from toadstone.kernels.statistics.contradictions import contradicting_rows
from toadstone.kernels.verdict.coincidence import are_copies, sets_of_equals
from toadstone.kernels.verdict.mining import Sizes
from toadstone.kernels.verdict.windows import by_columns, deviations
from toadstone.sanitizers.labelled import admit, trusted_mask
from toadstone.sanitizers.scored import draw_seed

_MOST_ROWS = 5000
_LEAST_ROWS, _LEAST_SHARE, _MOST_SHARE = 5, 0.004, 0.12
_TRUSTED_SHARE = 0.1
_MOST_P_OF_COPIES = 0.05
"""Of a row that alone in its label has many copies: one witness, whatever their number."""

_ROUNDING = 1e-6
_FEWEST_ENTRIES = 3
"""Rows of fewer, such as texts of two known words, are equal by chance."""


class GroupSearch(BaseEstimator):
    """Find groups of rows of one label that do not belong to it.

    A backdoor is a repetition: rows of one label that share rare values and
    that, without these columns, look like rows of another label. Groups are
    mined, and each is examined by forests trained without its rows and without
    the columns that it shares.

    Parameters
    ----------
    random_state : int, RandomState or None, default=0

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    groups_ : tuple of RowGroup
        The most certain first; no row is in two of them, and no trusted row in
        any.
    n_examined_ : int
        Number of groups examined.
    n_features_in_ : int

    Notes
    -----
    Rows that are equal and have one label count once: copies are no evidence
    of each other. A row that alone in its label has many copies is examined as
    one witness, so that its p-value is no less than one over the rows of the
    label. Of more than 5000 rows as many are drawn, by their values
    and a fixed seed, to find what groups share; the rows of the groups, and those
    as near to a copy as copies are, are then sought among all. A group of less than 0.4 % of the rows is not found.

    References
    ----------
    .. [1] Gu, Dolan-Gavitt and Garg, "BadNets: identifying vulnerabilities in
       the machine learning model supply chain", 2017.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat([0, 1], 200)
    >>> X = rng.normal(size=(400, 6)) + 2 * y[:, None]
    >>> X[:16, [1, 4]], y[:16] = (7.5, -3.25), 1
    >>> group, = GroupSearch().fit(X, y).groups_
    >>> group.kind, group.label, group.looks_like, group.columns, group.rows.tolist() == list(range(16))
    ('shared values', 1, 0, (1, 4), True)
    """

    needs_labels: ClassVar[bool] = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"random_state": ["random_state"]}

    classes_: Labels
    groups_: tuple[RowGroup, ...]
    n_examined_: int

    def __init__(self, *, random_state: int | np.random.RandomState | None = 0) -> None:
        self.random_state = random_state

    def fit(
        self,
        X: Matrix,
        y: Labels,
        *,
        trusted: IntArray | Mask | None = None,
        column_of: IntArray | None = None,
        sources: Labels | None = None,
        times: Array | None = None,
    ) -> Self:
        """Search for groups.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,)
        trusted : ndarray of int or bool, optional
            Rows known to be clean, by position or as a mask.
        column_of : ndarray of int of shape (d,), optional
            The column that each feature was made from; those of one column
            are hidden together.
        sources : array_like of shape (n,), optional
            Where each row comes from.
        times : ndarray of shape (n,), optional
            When it was recorded.

        Returns
        -------
        GroupSearch
            Itself.

        Raises
        ------
        InvalidArgument
            If `trusted` names rows that do not exist.
        InvalidData
            If there is one class only, or another argument has the wrong
            length.
        """
        matrix, self.classes_, codes = admit(self, X, y)
        n, d = matrix.shape
        known = trusted_mask(trusted, n)
        origin = np.arange(d) if column_of is None else _of_length(column_of, d, "column_of")
        # Equal rows are told apart by what else is known of them, so that the caller's order decides nothing.
        before = np.argsort(known, kind="stable")
        order = before[value_order(matrix[before], codes[before])]
        rng = np.random.default_rng(draw_seed(self.random_state))
        drawn = order[np.sort(rng.permutation(n)[:_MOST_ROWS])]
        # Copies are not independent of each other: of equal rows with one label one is searched.
        first, number = sets_of_equals(matrix[drawn], codes[drawn])
        distinct = drawn[first]
        hits = self._search(matrix[distinct], codes[distinct], origin, np.bincount(number), rng)
        found = self._duplicates(matrix, codes, known)
        found += [self._group(matrix, codes, drawn[np.isin(number, hit.candidate.rows)], hit) for hit in hits]
        if sources is not None:
            apart = sources_apart(_of_length(sources, n, "sources"))
            found += self._bursts("source", matrix, codes, drawn, apart)
        if times is not None:
            apart = periods(np.asarray(_of_length(times, n, "times"), dtype=np.float64))
            found += self._bursts("period", matrix, codes, drawn, apart)
        self.groups_ = _disjoint([group for group in found if not known[group.rows].mean() > _TRUSTED_SHARE], known)
        return self

    def _search(
        self, X: Matrix, codes: IntArray, source: IntArray, copies: IntArray, rng: np.random.Generator
    ) -> list[Examined]:
        """Return the groups that the examination convicts, the most certain first."""
        n = len(codes)
        sizes = Sizes(max(_LEAST_ROWS, round(_LEAST_SHARE * n)), int(_MOST_SHARE * n))
        self.n_examined_ = 0
        if sizes.most < sizes.least:
            return []
        views = train_views(X, codes, source, rng)
        candidates = find_candidates(X, codes, source, views, sizes)
        copied = find_copied(X, codes, copies, sizes)
        candidates += copied
        self.n_examined_ = len(candidates)
        seed = int(rng.integers(2**31))
        examined = [examine(X, codes, candidate, source, seed) for candidate in candidates]
        hits = [one.among(one.candidate.rivals) for one in examined if one is not None]
        found = [
            hit
            for hit in hits
            if hit.evidence.convicts
            or (hit.candidate in copied and hit.evidence.is_foreign and hit.evidence.p_value <= _MOST_P_OF_COPIES)
        ]
        return sorted(found, key=lambda hit: hit.evidence.p_value)

    def _group(self, X: Matrix, codes: IntArray, members: IntArray, hit: Examined) -> RowGroup:
        """Return the group of all rows that fit what a convicted one shares, or of its members and their copies."""
        candidate, window = hit.candidate, hit.candidate.window
        if len(window.columns):
            rows = np.flatnonzero(window.fits(by_columns(X)) & (codes == candidate.label))
        else:
            rows = _with_neighbours(X, codes, members) if len(codes) > _MOST_ROWS else np.sort(members)
        table = X[rows][:, window.columns]
        values = np.asarray(table.toarray() if hasattr(table, "toarray") else table)
        kept = (values >= window.lows) & (values <= window.highs)
        lows, highs = np.where(kept, values, np.inf).min(axis=0), np.where(kept, values, -np.inf).max(axis=0)
        return RowGroup(
            kind="shared values" if len(window.columns) else "near-copies",
            rows=rows,
            label=self.classes_.tolist()[candidate.label],
            looks_like=self.classes_.tolist()[hit.looks_like],
            columns=tuple(window.columns.tolist()),
            lows=tuple(lows.tolist()),
            highs=tuple(highs.tolist()),
            p_value=hit.evidence.p_value,
            probability=min(1.0, hit.evidence.like) * (1 - hit.evidence.p_value),
        )

    def _duplicates(self, X: Matrix, codes: IntArray, known: Mask) -> list[RowGroup]:
        """Return the rows that equal more rows, or a trusted one, of another label; none where chance does that."""
        found: dict[tuple[int, int], list[tuple[int, float]]] = {}
        contradictions = [
            one for one in contradicting_rows(X, codes) if count_entries(X[one.rows[:1]]) >= _FEWEST_ENTRIES
        ]
        if not contradictions or not are_copies(X):
            return []
        for contradiction in contradictions:
            judges = contradiction.labels[known[contradiction.rows]]
            votes = np.bincount(judges if len(judges) else contradiction.labels)
            if np.count_nonzero(votes == votes.max()) == 1:
                truth, share = int(votes.argmax()), float(votes.max() / votes.sum())
                for row, label in zip(contradiction.rows.tolist(), contradiction.labels.tolist(), strict=True):
                    if label != truth and not known[row]:
                        found.setdefault((label, truth), []).append((row, share))
        names = self.classes_.tolist()
        return [
            RowGroup(
                "contradictory duplicates",
                np.array([row for row, _ in members], dtype=np.int64),
                names[label],
                names[truth],
                (),
                (),
                (),
                0.0,
                float(np.mean([share for _, share in members])),
            )
            for (label, truth), members in sorted(found.items())
        ]

    def _bursts(self, kind: str, X: Matrix, codes: IntArray, drawn: IntArray, parts: Parts) -> list[RowGroup]:
        """Return the groups of sources or periods."""
        labels = self.classes_.tolist()
        return [
            RowGroup(
                kind,
                burst.rows,
                labels[burst.label],
                labels[burst.looks_like],
                (),
                (),
                (),
                burst.p_value,
                burst.probability,
                parts.names[burst.place],
            )
            for burst in find_bursts(X, codes, drawn, parts, draw_seed(self.random_state))
        ]


def _with_neighbours(X: Matrix, codes: IntArray, members: IntArray) -> IntArray:
    """Add the rows of the label, among those that were not drawn, that lie as near to a member as members do."""
    table = scaled(X, deviations(by_columns(X)))
    near = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(table[members])
    widest = float(near.kneighbors()[0].max()) if len(members) > 1 else 0.0
    # Equal rows are at no distance but for rounding.
    widest += _ROUNDING * float(np.sqrt(squared_distances(table[members], np.zeros(table.shape[1])).mean()))
    label = np.flatnonzero(codes == codes[members[0]])
    return np.union1d(members, label[near.kneighbors(table[label])[0].ravel() <= widest])


def _of_length(values: Any, length: int, name: str) -> Any:
    array = np.asarray(values)
    if array.shape != (length,):
        raise InvalidData(f"{name}: expected {length} values, got shape {array.shape}")
    return array


def _disjoint(groups: list[RowGroup], known: Mask) -> tuple[RowGroup, ...]:
    """Leave each row that is not trusted to the first of its groups, and drop groups that lose half of their rows."""
    taken = known.copy()
    kept = []
    for group in groups:
        rows = np.sort(group.rows[~taken[group.rows]])
        if 2 * len(rows) > len(group.rows):
            kept.append(replace(group, rows=rows))
            taken[rows] = True
    return tuple(kept)
