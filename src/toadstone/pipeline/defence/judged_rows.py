"""Rows and groups of a verdict as the record of a defence has them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from toadstone.core.dataset import Dataset
from toadstone.datasets.split import Split
from toadstone.pipeline.defence.treatment import Treatment
from toadstone.pipeline.harness.row_account import ids_of
from toadstone.records.defence import NoiseFinding, RelabelledRow, RemovedGroup, RemovedRow


class JudgedRows:
    """Rows that a verdict judged, with what became of them.

    Parameters
    ----------
    split : Split
    data : Dataset
        All rows that were judged.
    verdict : Verdict
        On these, and on trusted rows after them.
    treatment : Treatment
    named : bool
        Whether the verdict looked at the features of `data`, so that its
        columns have names and values.
    """

    def __init__(self, split: Split, data: Dataset, verdict: Any, treatment: Treatment, *, named: bool) -> None:
        self.split, self.data, self.verdict, self.treatment = split, data, verdict, treatment
        self._named, self._ids = named, ids_of(data)
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
    def groups(self) -> tuple[RemovedGroup, ...]:
        """Groups with rows on the list."""
        listed = np.array([row for row in self._reasons if row < len(self.data)], dtype=np.int64)
        members = Counter(self.verdict.group_[listed].tolist())
        return tuple(
            RemovedGroup(
                kind=group.kind,
                label=str(group.label),
                looks_like="" if group.looks_like is None else str(group.looks_like),
                rows=members[place],
                values=self._values(group),
                p_value=float(np.clip(group.p_value, 0.0, 1.0)),
            )
            for place, group in enumerate(self.verdict.groups_)
            if members[place]
        )

    @property
    def expected_innocents(self) -> float:
        """Treated rows that are expected to be as they should; of weighed ones, the weight taken from them."""
        weight, score = self.treatment.weight, np.asarray(self.verdict.score_[: len(self.data)])
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
            for_review=int(np.count_nonzero(review < len(self.data))),
        )

    def _name(self, row: int) -> tuple[str, int, str]:
        position = int(self._ids[row])
        return self.split.row_names[position], position, str(self.data.y[row])

    def _values(self, group: Any) -> str:
        """Values that a group shares, as one of its rows has them; the name of its source where it has one."""
        rows = np.asarray(group.rows)
        own = rows[rows < len(self.data)]
        if not len(group.columns) or not own.size or not self._named:
            return str(group.source)
        columns, row = [int(column) for column in group.columns], int(own[0])
        if self.split.raw is not None:
            return self.split.raw.describe(int(self._ids[row]), columns)
        names, values = self.data.feature_names, self.data.X[[row]][:, columns]
        dense = np.asarray(values if isinstance(values, np.ndarray) else values.toarray())[0]
        titles = [names[column] if names else f"column {column}" for column in columns]
        return ", ".join(f"{title} {value:.4g}" for title, value in zip(titles, dense, strict=True))
