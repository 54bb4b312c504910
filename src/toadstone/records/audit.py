"""The one source of every rendering: plain data with a published schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from toadstone.core.errors import InvalidData

SCHEMA_VERSION = "1.0"

NO_ATTACK = "none"
"""The attack name of an evaluation on clean rows."""

NO_SANITIZER = "none"
"""The sanitizer name of an evaluation in which nothing is filtered."""


@dataclass(frozen=True)
class ClassCount:
    """Rows of one label; `test` is the number of test rows."""

    label: str
    train: int
    test: int


@dataclass(frozen=True)
class DataSummary:
    """The audited data, without any of its values."""

    name: str
    sha256: str
    n_train: int
    n_test: int
    n_features: int
    density: float
    classes: tuple[ClassCount, ...]
    domain: str
    preparation: str
    test_origin: str


@dataclass(frozen=True)
class Threat:
    """What the attacker may do: `rows` added rows are `fraction` of the clean ones."""

    fraction: float
    kind: str
    rows: int


@dataclass(frozen=True)
class Defender:
    """How the audited defender filters and trains.

    `wrong_row_loss` is the least loss of a row classified wrongly (1 for the
    hinge): a mean loss at or above it allows every row to be wrong.
    """

    learner: str
    loss: str
    wrong_row_loss: float
    hypothesis: str
    hypothesis_value: float
    hypothesis_origin: str
    removed_share: float
    certificate_quantile: float
    clean_test_error: float


@dataclass(frozen=True)
class Bound:
    """One point of the certified curve.

    `bound` and `attack_value` are mean training losses for each clean row;
    `clean_loss` is the clean rows' own part of the bound; `conclusive` is
    false when the gap was not closed to the tolerance asked.
    """

    fraction: float
    bound: float
    attack_value: float
    gap: float
    clean_loss: float
    conclusive: bool
    seconds: float


@dataclass(frozen=True)
class Evaluation:
    """One cell of the matrix: an attack against a defence.

    Errors are shares of the test rows; `low` and `high` are a 95 % Wilson
    interval of the test error. Kept and removed count rows.
    """

    attack: str
    sanitizer: str
    test_error: float
    low: float
    high: float
    train_loss: float
    poison_rows: int
    poison_removed: int
    clean_rows: int
    clean_removed: int
    seconds: float


@dataclass(frozen=True)
class Suspect:
    """A training row that sanitizers find abnormal.

    `ranks` maps each sanitizer to the row's place within its class, 1 being
    the most suspicious; `removed_by` names those that would remove it.
    """

    row: int
    label: str
    ranks: Mapping[str, int]
    removed_by: tuple[str, ...]
    suspicion: float
    preview: str


@dataclass(frozen=True)
class Removal:
    """A row that a sanitizer removed: its number in the source, label, anomaly score, and why."""

    row: int
    label: str
    score: float
    reason: str


@dataclass(frozen=True)
class SplitTest:
    """An attack selected on one half of the test rows, and its smallest error on either half."""

    selected: float
    reported: float


@dataclass(frozen=True)
class TargetOutcome:
    """Test rows that an attack wants misclassified, and the share of them that is.

    `error` is by sanitizer, the one called none included; `worst_case` is the
    smallest over the sanitizers; `clean_error` is without attack or filter.
    """

    rows: tuple[int, ...]
    clean_error: float
    error: Mapping[str, float]
    worst_case: float


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

    command: str
    created: str
    toadstone_version: str
    seed: int
    data: DataSummary
    threat: Threat
    method: str
    candidate: str
    tried: int
    selected_on: str
    protocol: str
    filters: tuple[str, ...]
    quantile: float
    removed_share: float
    learner: str
    ridge: float
    ridge_origin: str
    clean_test_error: float
    test_error: Mapping[str, float]
    worst_case: float
    split_test: SplitTest | None
    targets: TargetOutcome | None
    evaluations: tuple[Evaluation, ...]
    poison_rows: int
    distinct_rows: int
    seconds: float
    timings: Mapping[str, float] = field(default_factory=dict)
    schema_version: str = SCHEMA_VERSION

    def to_json(self) -> str:
        """JSON text."""
        return json.dumps(asdict(self), indent=2, allow_nan=False)


@dataclass(frozen=True)
class AuditRecord:
    """Everything a report needs."""

    command: str
    created: str
    toadstone_version: str
    seed: int
    data: DataSummary
    threat: Threat
    defender: Defender
    curve: tuple[Bound, ...]
    evaluations: tuple[Evaluation, ...]
    suspects: tuple[Suspect, ...]
    assumptions: tuple[str, ...]
    not_promised: tuple[str, ...]
    timings: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    schema_version: str = SCHEMA_VERSION

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
        """JSON text under the published schema."""
        return json.dumps(asdict(self), indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Rebuild a record from its JSON text."""
        return cls(**_revive(json.loads(text)))


_PARTS: dict[str, Any] = {"data": DataSummary, "threat": Threat, "defender": Defender}
_LISTS: dict[str, Any] = {"curve": Bound, "evaluations": Evaluation, "suspects": Suspect}


def _revive(fields: dict[str, Any]) -> dict[str, Any]:
    fields["data"]["classes"] = tuple(ClassCount(**count) for count in fields["data"]["classes"])
    for name, part in _PARTS.items():
        fields[name] = part(**fields[name])
    for name, item in _LISTS.items():
        fields[name] = tuple(item(**_tuples(row)) for row in fields[name])
    return _tuples(fields)


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
