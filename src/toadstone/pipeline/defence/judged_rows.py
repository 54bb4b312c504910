"""Rows and groups of a verdict as the record of a defence has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from toadstone.datasets.split import Split
from toadstone.pipeline.defence.treatment import Treatment
from toadstone.pipeline.scanning.groups import group_findings
from toadstone.pipeline.scanning.source_values import SourceValues
from toadstone.records.defence import NoiseFinding, RelabelledRow, RemovedRow
from toadstone.records.scan import Finding


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

    @property
    def removals(self) -> tuple[RemovedRow, ...]:
        """Rows that were removed, the most suspicious first."""
        score, group = self.verdict.score_, self.verdict.group_
        return tuple(
            RemovedRow(
                *self._name(row),
                step="label" if group[row] < 0 else "group",
                suspicion=float(score[row]),
                reason=self._reasons[row],
            )
            for row in self.treatment.removed.tolist()
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
                reason=self._reasons[row],
            )
            for row in self.treatment.relabelled.tolist()
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

    def _name(self, row: int) -> tuple[str, int, str]:
        position = int(self.source.ids[row])
        return self.split.row_names[position], position, str(self._data.y[row])
