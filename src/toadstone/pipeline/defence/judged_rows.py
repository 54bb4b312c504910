"""Rows and groups of a verdict as the record of a defence has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from toadstone.core.arrays import IntArray
from toadstone.datasets.split import Split
from toadstone.pipeline.defence.treatment import Treatment
from toadstone.pipeline.scanning.groups import group_findings
from toadstone.pipeline.scanning.listing import Listing
from toadstone.pipeline.scanning.source_values import SourceValues
from toadstone.records.defence import NoiseFinding, RelabelledRow, RemovedRow, WeighedRow
from toadstone.records.scan import Finding

LIGHT = 0.5
"""Weight below which a row is shown as one that counts little."""


class JudgedRows:
    """Rows that a verdict judged, with what became of them.

    Parameters
    ----------
    split : Split
    source : SourceValues
        All rows that were judged, as the verdict looked at them.
    verdict : Verdict
        On these, and on trusted rows after them.
    treatment : Treatment
    """

    def __init__(self, split: Split, source: SourceValues, verdict: Any, treatment: Treatment) -> None:
        self.split, self.source, self.verdict, self.treatment = split, source, verdict, treatment
        self._data = source.data
        self._reasons = dict(zip(map(int, verdict.flagged_indices_), verdict.reasons_, strict=True))
        self._listing = Listing(source, verdict, {})

    @property
    def removals(self) -> tuple[RemovedRow, ...]:
        """Rows that were removed, the most suspicious first."""
        score, group = self.verdict.score_, self.verdict.group_
        return tuple(
            RemovedRow(
                *self._name(row),
                step="label" if group[row] < 0 else "group",
                suspicion=float(score[row]),
                reason=self._reason(row),
                values=values,
            )
            for row, values in self._shown(self.treatment.removed)
        )

    @property
    def relabelled(self) -> tuple[RelabelledRow, ...]:
        """Rows that got another label, the most suspicious first."""
        chance = self.verdict.suggestion_probability_
        return tuple(
            RelabelledRow(
                *self._name(row),
                new_label=str(self.treatment.labels[row]),
                probability=float(chance[row]),
                reason=self._reason(row),
                values=values,
            )
            for row, values in self._shown(self.treatment.relabelled)
        )

    @property
    def light(self) -> tuple[WeighedRow, ...]:
        """Rows that weigh less than half of a row, the lightest first."""
        weight = self.treatment.weight
        if weight is None:
            return ()
        below = np.flatnonzero(weight < LIGHT)
        ordered = below[np.lexsort((below, weight[below]))]
        return tuple(
            WeighedRow(*self._name(row), weight=float(weight[row]), reason=self._reason(row), values=values)
            for row, values in self._shown(ordered)
        )

    @property
    def groups(self) -> tuple[Finding, ...]:
        """Groups with rows on the list."""
        listed = np.array([row for row in self._reasons if row < len(self._data)], dtype=np.int64)
        members = set(self.verdict.group_[listed].tolist())
        return group_findings(
            [group for place, group in enumerate(self.verdict.groups_) if place in members], self.source
        )

    @property
    def expected_innocents(self) -> float:
        """Treated rows that are expected to be as they should; of weighed ones, the weight taken from them."""
        weight, score = self.treatment.weight, np.asarray(self.verdict.score_[: len(self._data)])
        if weight is not None:
            return float(np.sum((1 - weight) * (1 - score)))
        treated = np.concatenate([self.treatment.removed, self.treatment.relabelled])
        return float(np.sum(1 - score[treated]))

    @property
    def noise(self) -> NoiseFinding:
        """Evidence of the data for wrong labels in general."""
        evidence, review = self.verdict.evidence_, np.asarray(self.verdict.review_indices_)
        rate, low, high = (float(np.clip(value, 0, 1)) for value in (evidence.rate, *evidence.interval))
        return NoiseFinding(
            rate=rate,
            low=low,
            high=high,
            supported=bool(evidence.supported),
            sentence=self.verdict.note_,
            for_review=int(np.count_nonzero(review < len(self._data))),
        )

    def _shown(self, rows: IntArray) -> list[tuple[int, dict[str, str]]]:
        return list(zip(rows.tolist(), self._listing.values(rows), strict=True))

    def _reason(self, row: int) -> str:
        if self.verdict.group_[row] >= 0:
            return str(self._reasons[row])
        suggested = str(self.verdict.suggested_[row])
        # The label stands beside the reason.
        if suggested == str(self._data.y[row]):
            return "its values do not fit its label"
        return f"looks like {suggested} ({100 * self.verdict.suggestion_probability_[row]:.0f} %)"

    def _name(self, row: int) -> tuple[str, int, str]:
        position = int(self.source.ids[row])
        return self.split.row_names[position], position, str(self._data.y[row])
