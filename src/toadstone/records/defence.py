"""The record of a defence: what each layer removed, why, and what that cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from toadstone.records.header import (
    Count,
    DataSummary,
    Fraction,
    Header,
    Limits,
    Name,
    Positive,
    Seconds,
    Share,
    Source,
)
from toadstone.records.rows import RowAccount, SetAside
from toadstone.records.serial import Record

Layer: TypeAlias = Literal["filter", "preliminary", "inspection", "robust", "validation"]
Difference: TypeAlias = Annotated[float, Limits(minimum=-1, maximum=1)]


@dataclass(frozen=True)
class RemovedRow:
    """A row that a layer removed.

    Parameters
    ----------
    row : str
        Its name, in the numbering of the source.
    position : int
        Its position in the source, from 0.
    label : str
        Its class.
    step : str
        Name of the step that removed it.
    suspicion : float
        Score of that step, in its own units; larger is more suspicious.
    reason : str
        Why it was removed.
    """

    row: str
    position: Count
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

    rows: Positive
    before: Share
    before_low: Share
    before_high: Share
    after: Share
    after_low: Share
    after_high: Share
    drop: Difference
    drop_low: Difference
    drop_high: Difference


@dataclass(frozen=True)
class DefenceStep:
    """One step of a defence: rows flagged and removed, and the accuracy before and after.

    Parameters
    ----------
    name : str
        Of the detector, or of the step.
    layer : {"filter", "preliminary", "inspection", "robust", "validation"}
        Part of the defence that it belongs to.
    flagged : int
        Rows that it wanted to remove.
    removed : int
        Rows that it removed.
    removed_share, share_so_far : float
        Of the original rows: by this step, and by all steps up to this one.
    accuracy_before, accuracy_after : float, optional
        Of the model trained on the rows before and after, both on the same
        rows; None where no row could be judged.
    cost_per_percent : float, optional
        Accuracy lost for each percent of the rows removed; negative where
        accuracy was gained, None where nothing was removed or judged.
    cut : str
        Why flagged rows were kept, if any were.
    skipped : str
        Why the step did nothing, if it could not be done.
    seconds : float
        Of the step.
    """

    name: Name
    layer: Layer
    flagged: Count
    removed: Count
    removed_share: Share
    share_so_far: Share
    accuracy_before: Share | None
    accuracy_after: Share | None
    cost_per_percent: float | None
    cut: str
    skipped: str
    seconds: Seconds


@dataclass(frozen=True)
class DefenceRecord(Record):
    """Result of a defence: rows removed, why, and the accuracy before and after.

    Parameters
    ----------
    header : Header
    source : Source
    data : DataSummary
    max_removed : float
        Largest share of the rows that the defence may remove.
    learner : str
        Model that is trained.
    ridge : float
        Its L2 penalty.
    ridge_origin : str
        Where the penalty is from.
    measure : str
        Rows on which accuracies were measured, in words.
    trusted_rows : int
        0 where none were given.
    rows, kept : int
        Rows that were judged, and those of them that are left.
    account : RowAccount
        What became of all rows of the source.
    set_aside : SetAside
        Rows of the source that were not judged.
    accuracy_before, accuracy_after : float, optional
        Of the plain model on all rows, and of the robust one on the kept
        rows; None where no row could be judged.
    steps : tuple of DefenceStep
        In the order in which they ran.
    removals : tuple of RemovedRow
        In the order in which they were removed.
    log : tuple of str
        Sentences of the run.
    test_error_before, test_error_after : float, optional
        Of the same two models; None where the data publish no test set.
    accuracy_change, test_change : AccuracyChange, optional
        The same accuracies with their intervals.
    timings : mapping from str to float
        Seconds of each stage.
    """

    header: Header
    source: Source
    data: DataSummary
    max_removed: Fraction
    learner: str
    ridge: Annotated[float, Limits(minimum=0)]
    ridge_origin: str
    measure: str
    trusted_rows: Count
    rows: Positive
    kept: Count
    account: RowAccount
    set_aside: SetAside
    accuracy_before: Share | None
    accuracy_after: Share | None
    steps: Annotated[tuple[DefenceStep, ...], Limits(minItems=1)]
    removals: tuple[RemovedRow, ...]
    log: tuple[str, ...]
    test_error_before: Share | None
    test_error_after: Share | None
    accuracy_change: AccuracyChange | None
    test_change: AccuracyChange | None
    timings: Mapping[str, Seconds] = field(default_factory=dict)

    @property
    def removed(self) -> int:
        """Rows removed by all layers together."""
        return self.rows - self.kept
