"""The record of a defence: the rows that it removed, relabelled or weighed, why, and what that cost."""

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
    Positive,
    Seconds,
    Share,
    Source,
)
from toadstone.records.rows import RowAccount, SetAside
from toadstone.records.scan import Finding
from toadstone.records.serial import Record

Difference: TypeAlias = Annotated[float, Limits(minimum=-1, maximum=1)]


@dataclass(frozen=True)
class RemovedRow:
    """A row that a defence removed.

    Parameters
    ----------
    row : str
        Its name, in the numbering of the source.
    position : int
        Its position in the source, from 0.
    label : str
        Its class.
    step : str
        What removed it: "label" or "group" of the verdict, or the name of a
        detector.
    suspicion : float
        Score of that step, in its own units; larger is more suspicious.
    reason : str
        Why it was removed.
    values : mapping from str to str
        The columns that matter, most telling first, as of the rows that a
        scan lists; of the first 10,000 rows.
    """

    row: str
    position: Count
    label: str
    step: str
    suspicion: float
    reason: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RelabelledRow:
    """A row that a defence gave another label.

    Parameters
    ----------
    row : str
        Its name, in the numbering of the source.
    position : int
        Its position in the source, from 0.
    label, new_label : str
        Its class before and after.
    probability : float
        Of the new label.
    reason : str
        Why it was relabelled.
    values : mapping from str to str
        As of removed rows.
    """

    row: str
    position: Count
    label: str
    new_label: str
    probability: Share
    reason: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WeighedRow:
    """A row that weighs less than half as much as before.

    Parameters
    ----------
    row : str
        Its name, in the numbering of the source.
    position : int
        Its position in the source, from 0.
    label : str
        Its class.
    weight : float
        Between 0 and 1.
    reason : str
        Why it weighs less.
    values : mapping from str to str
        As of removed rows.
    """

    row: str
    position: Count
    label: str
    weight: Share
    reason: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class NoiseFinding:
    """Evidence of the data for wrong labels in general.

    Parameters
    ----------
    rate, low, high : float
        Estimated share of wrong labels, and its 95 % interval.
    supported : bool
        False if the rows that look wrong are for review only; no row is then
        treated for its label.
    sentence : str
        The same in words.
    for_review : int
        Rows whose labels may be wrong, and which stay as they are, because
        the data cannot tell noise from overlap.
    """

    rate: Share
    low: Share
    high: Share
    supported: bool
    sentence: str
    for_review: Count


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
class Measurement:
    """Accuracy of the model trained without and with the defence, on rows that the defence did not choose.

    Parameters
    ----------
    where : {"trusted", "published"}
        Rows known to be clean, or a test set that the data publish.
    change : AccuracyChange
    """

    where: Literal["trusted", "published"]
    change: AccuracyChange


@dataclass(frozen=True)
class DefenceRecord(Record):
    """Result of a defence: the rows that it treated and why, and what that cost where that can be known.

    Parameters
    ----------
    header : Header
    source : Source
    data : DataSummary
    action : {"remove", "relabel", "weight"}
        What is done with listed rows.
    max_removed : float, optional
        Largest share of the rows that the defence may remove; None for no
        limit.
    looked_at : str
        What the verdict looked at, in words.
    learner : str
        Model that was trained to measure the cost; empty where nothing was
        measured.
    learner_origin : str
        Where the model and its penalty are from.
    trusted_rows : int
        0 where none were given.
    rows, kept : int
        Rows that were judged, and those of them that are left.
    account : RowAccount
        What became of all rows of the source.
    set_aside : SetAside
        Rows of the source that were not judged.
    groups : tuple of Finding
        Groups with listed rows.
    removals : tuple of RemovedRow
        The most suspicious first.
    relabelled : tuple of RelabelledRow
        The most suspicious first.
    weighed : int
        Rows that weigh less than before.
    weight_lost : float
        Sum of what the rows weigh less, in rows.
    light : tuple of WeighedRow
        Rows that weigh less than half of a row, the lightest first.
    spared : int
        Listed rows that the limit left in.
    stays : tuple of str
        Why listed rows stay as they are, if any do.
    expected_innocents : float
        Rows among those treated that are expected to be as they should.
    noise : NoiseFinding
        What the data say about wrong labels in general.
    measurements : tuple of Measurement
        Empty where there were no independent rows.
    timings : mapping from str to float
        Seconds of each stage.
    """

    header: Header
    source: Source
    data: DataSummary
    action: Literal["remove", "relabel", "weight"]
    max_removed: Fraction | None
    looked_at: str
    learner: str
    learner_origin: str
    trusted_rows: Count
    rows: Positive
    kept: Count
    account: RowAccount
    set_aside: SetAside
    groups: tuple[Finding, ...]
    removals: tuple[RemovedRow, ...]
    relabelled: tuple[RelabelledRow, ...]
    weighed: Count
    weight_lost: Annotated[float, Limits(minimum=0)]
    stays: tuple[str, ...]
    expected_innocents: Annotated[float, Limits(minimum=0)]
    noise: NoiseFinding
    measurements: tuple[Measurement, ...]
    light: tuple[WeighedRow, ...] = ()
    spared: Count = 0
    timings: Mapping[str, Seconds] = field(default_factory=dict)

    @property
    def removed(self) -> int:
        """Rows removed."""
        return self.rows - self.kept

    @property
    def independent(self) -> AccuracyChange | None:
        """Change of accuracy on trusted rows, or else on a published test set; None where there are neither."""
        return next((found.change for found in self.measurements), None)
