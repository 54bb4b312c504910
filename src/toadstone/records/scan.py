"""The record of a scan: what each detector flags, and the most suspicious rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from toadstone.records.audit import SCHEMA_VERSION, ClassCount, DataSummary


@dataclass(frozen=True)
class DetectorReport:
    """One detector on one data set.

    `flagged_share` is the share of the rows that it flags, `false_alarm_rate`
    what it may flag of clean rows, and `smallest_detectable_share` the smallest share
    of poison that could have raised the count beyond both the promise and
    chance. `skipped` says why a detector did not run; the counts are then 0.
    `thresholds` says in words whether they come from the scores of the rows
    themselves or from those of trusted rows. All counts and shares are of the
    rows that are not trusted.
    """

    flagged: int
    flagged_share: float
    false_alarm_rate: float
    smallest_detectable_share: float
    seconds: float
    skipped: str = ""
    thresholds: str = ""

    @property
    def exceeded(self) -> bool:
        """Whether more rows are flagged than clean data would account for."""
        return self.flagged_share >= self.smallest_detectable_share > 0


@dataclass(frozen=True)
class FlaggedRow:
    """A row that at least one detector flags.

    `reasons` are by detector, for those that flag it; `ranks` by detector,
    1 being the most suspicious row of its class; `suspicion` is the mean over
    detectors of the share of its class that looks less suspicious;
    `fingerprint` is a hash of its features and label.
    """

    row: int
    label: str
    suspicion: float
    ranks: Mapping[str, int]
    reasons: Mapping[str, str]
    fingerprint: str
    preview: str


@dataclass(frozen=True)
class ScanRecord:
    """Everything that a report of a scan needs.

    `findings` are capped, `flagged_rows` counts all; `first_line` is the line
    of row 0 in a source where each row is a line, counted from 1;
    `trusted_rows` is how many rows the user vouched for, which detectors saw
    too and which are never flagged.
    """

    command: str
    created: str
    toadstone_version: str
    seed: int
    source: str
    first_line: int | None
    data: DataSummary
    detectors: Mapping[str, DetectorReport]
    flagged_rows: int
    findings: tuple[FlaggedRow, ...]
    trusted_rows: int = 0
    timings: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    schema_version: str = SCHEMA_VERSION

    def to_json(self) -> str:
        """JSON text under the published schema."""
        return json.dumps(asdict(self), indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Rebuild a record from its JSON text."""
        fields: dict[str, Any] = json.loads(text)
        fields["data"]["classes"] = tuple(ClassCount(**count) for count in fields["data"]["classes"])
        fields["data"] = DataSummary(**fields["data"])
        fields["detectors"] = {name: DetectorReport(**found) for name, found in fields["detectors"].items()}
        fields["findings"] = tuple(FlaggedRow(**finding) for finding in fields["findings"])
        return cls(**fields)
