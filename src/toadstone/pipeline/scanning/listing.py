"""The list of a scan: the rows to look at, with what is known about each, and the scores of all rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from toadstone.core.arrays import Array, IntArray
from toadstone.core.dataset import Dataset
from toadstone.kernels.checks.telling_values import telling_features
from toadstone.pipeline.harness.suspects import rank_rows, stored_values
from toadstone.pipeline.scanning.source_values import SourceValues
from toadstone.records.row_scores import RowScores
from toadstone.records.scan import ListedRow

LONGEST_LIST, LONGEST_REVIEW = 10_000, 200
_COLUMNS_SHOWN = 4
_WORTH_CHECKING, _DOUBT = 8, (0.2, 0.8)


@dataclass(frozen=True, eq=False)
class Listing:
    """Rows of a source, a verdict on them if there is one, and the detectors that ran.

    Parameters
    ----------
    source : SourceValues
    verdict : Verdict or None
        Fitted to these rows, or to these and trusted ones after them.
    detectors : mapping from name to a fitted detector
        Likewise.
    """

    source: SourceValues
    verdict: Any | None
    detectors: Mapping[str, Any]

    @cached_property
    def listed(self) -> IntArray:
        """Rows to look at, the most suspicious first: those of the verdict, or without one of any detector."""
        if self.verdict is not None:
            return np.asarray(self.verdict.flagged_indices_, dtype=np.int64)
        votes = np.array([len(found) for found in self.flagged_by])
        flagged = np.flatnonzero(votes)
        return flagged[np.lexsort((flagged, -self.suspicion[flagged], -votes[flagged]))]

    @cached_property
    def flagged_by(self) -> list[dict[str, str]]:
        """Reasons of the detectors that flag each row, that which ranks it first in front."""
        reasons: list[dict[str, str]] = [{} for _ in range(self._n)]
        for name, detector in self.detectors.items():
            for row, reason in zip(detector.flagged_indices_, detector.reasons_, strict=True):
                reasons[row][name] = reason
        return [
            found if len(found) < 2 else dict(sorted(found.items(), key=lambda item: self._ranks[item[0]][row]))
            for row, found in enumerate(reasons)
        ]

    @cached_property
    def suspicion(self) -> Array:
        """Score of each row: of the verdict, or the mean over detectors of the share of its class that it exceeds."""
        if self.verdict is not None:
            return np.clip(np.asarray(self.verdict.score_[: self._n], dtype=np.float64), 0.0, 1.0)
        if not self._ranks:
            return np.zeros(self._n)
        size = np.bincount(self._codes)[self._codes]
        return np.asarray(np.mean([1 - (rank - 1) / size for rank in self._ranks.values()], axis=0))

    def rows(self) -> tuple[ListedRow, ...]:
        """Describe the rows to look at."""
        chosen = self.listed[:LONGEST_LIST]
        said: list[tuple[str, ...]] = [()] * len(chosen)
        if self.verdict is not None:
            said = [(reason,) for reason in self.verdict.reasons_[:LONGEST_LIST]]
        return self._described(chosen, said)

    def review(self) -> tuple[int, tuple[ListedRow, ...]]:
        """Count and describe the rows to review where the data cannot tell overlap from noise."""
        if self.verdict is None:
            return 0, ()
        rows = np.asarray(self.verdict.review_indices_, dtype=np.int64)
        chosen = rows[:LONGEST_REVIEW]
        return len(rows), self._described(chosen, [()] * len(chosen))

    def values(self, rows: IntArray) -> list[dict[str, str]]:
        """Show the columns that matter of some rows; empty beyond the longest list."""
        shown, chosen = [], rows[:LONGEST_LIST]
        for row, features in zip(chosen.tolist(), self._columns_that_matter(chosen), strict=True):
            shown.append(self.source.shown(row, features))
        return [*shown, *({} for _ in range(len(rows) - len(chosen)))]

    def worth_checking(self) -> tuple[str, ...]:
        """Name the rows whose labels are in doubt most."""
        if self.verdict is None:
            return ()
        wrong = np.asarray(self.verdict.wrong_probability_[: self._n])
        doubtful = np.flatnonzero((wrong > _DOUBT[0]) & (wrong < _DOUBT[1]))
        order = doubtful[np.lexsort((doubtful, np.abs(wrong[doubtful] - 0.5)))]
        return tuple(self.source.name(int(row)) for row in order[:_WORTH_CHECKING])

    def first_of(self, name: str, most: int) -> tuple[str, ...]:
        """Name the rows that a detector flags, the most suspicious of their class first."""
        flagged = np.asarray(self.detectors[name].flagged_indices_, dtype=np.int64)
        order = flagged[np.lexsort((flagged, self._ranks[name][flagged]))]
        return tuple(self.source.name(int(row)) for row in order[:most])

    def scores(self) -> RowScores:
        """Score all rows."""
        n, verdict = self._n, self.verdict
        listed = np.zeros(n, dtype=bool)
        listed[self.listed] = True
        scores = RowScores(
            rows=[self.source.name(row) for row in range(n)],
            positions=self.source.ids,
            labels=[str(label) for label in self._data.y.tolist()],
            score=self.suspicion,
            wrong_probability=None,
            suggested=None,
            suggestion_probability=None,
            group=np.full(n, -1),
            listed=listed,
            flagged_by=[tuple(found) for found in self.flagged_by],
        )
        if verdict is None:
            return scores
        return replace(
            scores,
            wrong_probability=np.asarray(verdict.wrong_probability_[:n]),
            suggested=[str(label) for label in verdict.suggested_[:n].tolist()],
            suggestion_probability=np.asarray(verdict.suggestion_probability_[:n]),
            group=np.asarray(verdict.group_[:n]),
        )

    @property
    def _data(self) -> Dataset:
        return self.source.data

    @property
    def _n(self) -> int:
        return len(self.source.data)

    @cached_property
    def _codes(self) -> IntArray:
        return np.searchsorted(self._data.classes, self._data.y)

    @cached_property
    def _ranks(self) -> dict[str, IntArray]:
        n, y = self._n, self._data.y
        return {name: rank_rows(detector.suspicion_[:n], y) for name, detector in self.detectors.items()}

    def _described(self, rows: IntArray, reasons: Sequence[tuple[str, ...]]) -> tuple[ListedRow, ...]:
        matter = self._columns_that_matter(rows)
        return tuple(
            self._row(int(row), said, features) for row, said, features in zip(rows, reasons, matter, strict=True)
        )

    def _columns_that_matter(self, rows: IntArray) -> list[list[int]]:
        """Features of each row: shared by its group, or speaking for the suggested label, or the largest."""
        if self.verdict is None:
            return [self._largest(int(row)) for row in rows]
        classes = self._data.classes
        towards = np.searchsorted(classes, np.asarray(self.verdict.suggested_)[rows]).clip(max=len(classes) - 1)
        telling = telling_features(
            self._data.X, self._codes, rows, towards, column_of=self.source.column_of, most=_COLUMNS_SHOWN
        )
        return [
            self._shared(int(row)) or [int(column) for column in found] or self._largest(int(row))
            for row, found in zip(rows, telling, strict=True)
        ]

    def _shared(self, row: int) -> list[int]:
        group = self._group(row)
        return (
            []
            if group is None or self.verdict is None
            else list(self.verdict.groups_[group].columns)[: 2 * _COLUMNS_SHOWN]
        )

    def _group(self, row: int) -> int | None:
        place = -1 if self.verdict is None else int(self.verdict.group_[row])
        return None if place < 0 else place

    def _largest(self, row: int) -> list[int]:
        columns, values = stored_values(self._data.X, row)
        return [int(column) for column in columns[np.argsort(-np.abs(values), kind="stable")[:_COLUMNS_SHOWN]]]

    def _row(self, row: int, reasons: tuple[str, ...], features: Sequence[int]) -> ListedRow:
        label, (suggested, probability) = str(self._data.y[row]), self._suggestion(row)
        return ListedRow(
            row=self.source.name(row),
            position=int(self.source.ids[row]),
            label=label,
            suggested_label=suggested,
            probability=probability,
            score=float(self.suspicion[row]),
            group=self._group(row),
            reasons=(*reasons, *self._speaking(row, suggested, features)),
            also_flagged_by=self.flagged_by[row],
            fingerprint=fingerprint(self._data, row),
            values=self.source.shown(row, features),
        )

    def _speaking(self, row: int, suggested: str | None, features: Sequence[int]) -> tuple[str, ...]:
        """Name the columns or words that speak for the suggested label; a group has its own reason."""
        if suggested is None or self._group(row) is not None or not features:
            return ()
        names = [self.source.column(feature) for feature in features]
        said = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        return (f"{said} {'speaks' if len(names) == 1 else 'speak'} for {suggested}",)

    def _suggestion(self, row: int) -> tuple[str | None, float | None]:
        """The label that a row's values suggest, where it is another than its own."""
        if self.verdict is None or str(self.verdict.suggested_[row]) == str(self._data.y[row]):
            return None, None
        return str(self.verdict.suggested_[row]), float(np.clip(self.verdict.suggestion_probability_[row], 0.0, 1.0))


def fingerprint(data: Dataset, row: int) -> str:
    """Hash a row's features and label, the same for dense and sparse rows."""
    stored, values = stored_values(data.X, row)
    digest = hashlib.sha256(str(data.y[row]).encode())
    digest.update(stored.astype("<i8").tobytes() + (values + 0.0).astype("<f8").tobytes())
    return digest.hexdigest()
