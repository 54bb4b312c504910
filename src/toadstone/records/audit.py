"""The record of an audit: certified bounds, attacks, defences and suspicious rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self

from toadstone.core.errors import InvalidData
from toadstone.records.header import (
    Count,
    DataSummary,
    Fraction,
    Header,
    Limits,
    Loss,
    Name,
    Ranks,
    Seconds,
    Share,
    Source,
)
from toadstone.records.serial import from_json, to_json

NO_ATTACK = "none"
"""The attack name of an evaluation on clean rows."""

NO_SANITIZER = "none"
"""The sanitizer name of an evaluation in which nothing is filtered."""


@dataclass(frozen=True)
class Threat:
    """What the attacker may do: `rows` added rows are `fraction` of the clean ones."""

    fraction: Fraction
    kind: Literal["add", "flip", "perturb"]
    rows: Count


@dataclass(frozen=True)
class Defender:
    """How the audited defender filters and trains.

    `wrong_row_loss` is the least loss of a row classified wrongly (1 for the
    hinge): a mean loss at or above it allows every row to be wrong.
    """

    learner: str
    loss: str
    wrong_row_loss: Annotated[float, Limits(exclusiveMinimum=0)]
    hypothesis: Literal["norm_ball", "ridge"]
    hypothesis_value: float
    hypothesis_origin: str
    removed_share: Share
    certificate_quantile: Annotated[float, Limits(exclusiveMinimum=0, maximum=1)]
    clean_test_error: Share


@dataclass(frozen=True)
class Bound:
    """One point of the certified curve.

    `bound` and `attack_value` are mean training losses for each clean row;
    `clean_loss` is the clean rows' own part of the bound; `conclusive` is
    false when the gap was not closed to the tolerance asked.
    """

    fraction: Fraction
    bound: Loss
    attack_value: float
    gap: float
    clean_loss: float
    conclusive: bool
    seconds: Seconds


@dataclass(frozen=True)
class Evaluation:
    """One cell of the matrix: an attack against a defence.

    Errors are shares of the test rows; `low` and `high` are a 95 % Wilson
    interval of the test error. Kept and removed count rows.
    """

    attack: Name
    sanitizer: Name
    test_error: Share
    low: Share
    high: Share
    train_loss: float
    poison_rows: Count
    poison_removed: Count
    clean_rows: Count
    clean_removed: Count
    seconds: Seconds


@dataclass(frozen=True)
class Suspect:
    """A training row that sanitizers find abnormal.

    `ranks` maps each sanitizer to the row's place within its class, 1 being
    the most suspicious; `removed_by` names those that would remove it.
    """

    row: Count
    label: str
    ranks: Ranks
    removed_by: tuple[str, ...]
    suspicion: Share
    preview: str


@dataclass(frozen=True)
class Removal:
    """A row that a sanitizer removed: its number in the source, label, anomaly score, and why."""

    row: int
    label: str
    score: float
    reason: str


@dataclass(frozen=True)
class AuditRecord:
    """Result of an audit: certified bounds, attacks, defences and suspicious rows.

    Parameters
    ----------
    header : Header
    source : Source
    data : DataSummary
    threat : Threat
    defender : Defender
    curve : tuple of Bound
        By rising fraction.
    evaluations : tuple of Evaluation
        Every attack against every defence.
    suspects : tuple of Suspect
        Most suspicious first; capped.
    assumptions, not_promised : tuple of str
        Of the certificate, in plain words.
    timings : mapping from str to float
        Seconds of each stage.
    """

    header: Header
    source: Source
    data: DataSummary
    threat: Threat
    defender: Defender
    curve: Annotated[tuple[Bound, ...], Limits(minItems=1)]
    evaluations: tuple[Evaluation, ...]
    suspects: tuple[Suspect, ...]
    assumptions: tuple[str, ...]
    not_promised: tuple[str, ...]
    timings: Mapping[str, Seconds] = field(default_factory=dict)

    @property
    def headline(self) -> Bound:
        """The certified bound at the audited fraction.

        Raises
        ------
        InvalidData
            If the curve has no point there.
        """
        for point in self.curve:
            if point.fraction == self.threat.fraction:
                return point
        raise InvalidData(f"curve: expected a point at the audited fraction {self.threat.fraction}, got none")

    def to_json(self) -> str:
        """Write the record as JSON text under the published schema."""
        return to_json(self)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Rebuild a record from its JSON text."""
        return from_json(cls, text)
