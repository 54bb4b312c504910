"""The record of a defence: what each layer removed, why, and what that cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from toadstone.records.audit import SCHEMA_VERSION, ClassCount, DataSummary


@dataclass(frozen=True)
class RemovedRow:
    """A row that a layer removed.

    `row` is its number in the original rows, `step` the name of what removed
    it, and `suspicion` what that measured: larger is more suspicious.
    """

    row: int
    label: str
    step: str
    suspicion: float
    reason: str


@dataclass(frozen=True)
class AccuracyChange:
    """Accuracies of two models on the same rows.

    Parameters
    ----------
    rows : int
        At least one.
    before, before_low, before_high : float
        The first model's accuracy, and its 95 % Wilson interval.
    after, after_low, after_high : float
        The second's.
    drop, drop_low, drop_high : float
        What is lost from the first to the second, and its 95 % interval,
        which takes into account that the rows are the same.
    """

    rows: int
    before: float
    before_low: float
    before_high: float
    after: float
    after_low: float
    after_high: float
    drop: float
    drop_low: float
    drop_high: float


@dataclass(frozen=True)
class DefenceStep:
    """What one layer of a defence did.

    Parameters
    ----------
    name : str
    layer : {"filter", "preliminary", "inspection", "robust", "validation"}
    flagged : int
        Rows that it wanted to remove.
    removed : int
        Rows that it removed.
    removed_share, share_so_far : float
        Of the original rows: by this step, and by all steps up to this one.
    accuracy_before, accuracy_after : float, optional
        Of the model trained on the rows before and after, both on the same
        rows; None where no row could be judged.
    paid_per_percent : float, optional
        Accuracy lost for each percent of the rows removed; negative where
        accuracy was gained, None where nothing was removed or judged.
    cut : str
        Why flagged rows were kept, if any were.
    skipped : str
        Why the step did nothing, if it could not be done.
    seconds : float
    """

    name: str
    layer: str
    flagged: int
    removed: int
    removed_share: float
    share_so_far: float
    accuracy_before: float | None
    accuracy_after: float | None
    paid_per_percent: float | None
    cut: str
    skipped: str
    seconds: float


@dataclass(frozen=True)
class DefenceRecord:
    """Everything that a report of a defence needs.

    `measure` says in words on which rows accuracies were measured;
    `trusted_rows` is 0 where none were given. Accuracies and test errors are
    those of the plain model on all rows and of the robust one on the kept
    rows, the errors None where the data publish no test set;
    `accuracy_change` and `test_change` are the same with their intervals.
    `log` are the sentences of the run.
    """

    command: str
    created: str
    toadstone_version: str
    seed: int
    source: str
    data: DataSummary
    max_removed: float
    learner: str
    ridge: float
    ridge_origin: str
    measure: str
    trusted_rows: int
    rows: int
    kept: int
    accuracy_before: float | None
    accuracy_after: float | None
    steps: tuple[DefenceStep, ...]
    removals: tuple[RemovedRow, ...]
    log: tuple[str, ...]
    test_error_before: float | None
    test_error_after: float | None
    accuracy_change: AccuracyChange | None
    test_change: AccuracyChange | None
    timings: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    schema_version: str = SCHEMA_VERSION

    @property
    def removed(self) -> int:
        """Rows removed by all layers together."""
        return self.rows - self.kept

    def to_json(self) -> str:
        """JSON text."""
        return json.dumps(asdict(self), indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Rebuild a record from its JSON text."""
        fields: dict[str, Any] = json.loads(text)
        fields["data"]["classes"] = tuple(ClassCount(**count) for count in fields["data"]["classes"])
        fields["data"] = DataSummary(**fields["data"])
        fields["steps"] = tuple(DefenceStep(**step) for step in fields["steps"])
        fields["removals"] = tuple(RemovedRow(**removal) for removal in fields["removals"])
        fields["log"] = tuple(fields["log"])
        for name in ("accuracy_change", "test_change"):
            fields[name] = None if fields[name] is None else AccuracyChange(**fields[name])
        return cls(**fields)
