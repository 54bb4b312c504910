"""The record of an attack: the strongest candidate of a method, and its effect on each defence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Self

from toadstone.records.audit import Evaluation, Threat
from toadstone.records.header import Count, DataSummary, Header, Limits, Name, Seconds, Share, Source
from toadstone.records.serial import from_json, to_json


@dataclass(frozen=True)
class SplitTest:
    """An attack selected on one half of the test rows, and its smallest error on either half."""

    selected: Share
    reported: Share


@dataclass(frozen=True)
class TargetOutcome:
    """Test rows that an attack wants misclassified, and the share of them that is.

    `error` is by sanitizer, the one called none included; `worst_case` is the
    smallest over the sanitizers; `clean_error` is without attack or filter.
    """

    rows: tuple[int, ...]
    clean_error: Share
    error: Mapping[str, Share]
    worst_case: Share


@dataclass(frozen=True)
class AttackRecord:
    """What one attack does to each defence.

    `test_error` is by sanitizer, the one called none included; `worst_case`
    is the smallest over the sanitizers: what is left to a defender who
    happens to choose the best. `candidate` says in words which of the `tried`
    attacks was selected on the rows that `selected_on` names, and `filters`
    which sanitizers the attacker expects; `targets` is there where it aims
    at rows of its choice.
    """

    header: Header
    source: Source
    data: DataSummary
    threat: Threat
    method: Name
    candidate: str
    tried: Count
    selected_on: str
    protocol: str
    filters: tuple[str, ...]
    quantile: Annotated[float, Limits(minimum=0.5, exclusiveMaximum=1)]
    removed_share: Share
    learner: str
    ridge: float
    ridge_origin: str
    clean_test_error: Share
    test_error: Mapping[str, Share]
    worst_case: Share
    split_test: SplitTest | None
    targets: TargetOutcome | None
    evaluations: tuple[Evaluation, ...]
    poison_rows: Count
    distinct_rows: Count
    seconds: Seconds
    timings: Mapping[str, Seconds] = field(default_factory=dict)

    def to_json(self) -> str:
        """Write the record as JSON text under the published schema."""
        return to_json(self)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Rebuild a record from its JSON text."""
        return from_json(cls, text)
