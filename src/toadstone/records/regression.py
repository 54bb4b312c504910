"""Records of numeric targets: a scan, a defence and an attack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from toadstone.records.header import (
    ColumnSummary,
    Count,
    Digest,
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

Where: TypeAlias = Literal["trusted", "published"]
Size: TypeAlias = Annotated[float, Limits(minimum=0)]


@dataclass(frozen=True)
class TargetData:
    """Sizes and preparation of data with a numeric target.

    Parameters
    ----------
    target : str
        Name of the target.
    rows, n_features : int
        Rows that were looked at, and columns after preparation.
    lowest, median, highest : float
        Of the targets.
    preparation : str
        How columns became features.
    columns : tuple of ColumnSummary
        One for each column of a table but the target; empty for arrays.
    notes : tuple of str
        Sentences on how the source was read.
    """

    target: Name
    rows: Positive
    n_features: Positive
    lowest: float
    median: float
    highest: float
    preparation: str
    columns: tuple[ColumnSummary, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TargetFinding:
    """Evidence of the data for wrong targets in general.

    Parameters
    ----------
    rate, low, high : float
        Estimated share of wrong targets, and its 95 % interval.
    log_ratio : float
        Log-likelihood ratio of some wrong targets against none, penalised by
        BIC; above zero the data prefer some.
    supported : bool
        Whether that is enough for a list; otherwise the rows are for review.
    explained : float, optional
        By how much predictions from the other columns miss the targets less
        than their median does: 1 where they hit, 0 where they are no better.
    """

    rate: Share
    low: Share
    high: Share
    log_ratio: float
    supported: bool
    explained: Share | None = None


@dataclass(frozen=True)
class WrongTarget:
    """A row whose target is probably wrong.

    Parameters
    ----------
    row : str
        Its name, in the numbering of the source.
    position : int
        Its position in the source, from 0.
    target : float
        As it stands in the source.
    suggested, low, high : float
        What the other rows suggest, and the 90 % interval about it.
    probability : float
        That the target is wrong, if some are.
    fingerprint : str
        SHA-256 of its features and target.
    preview : str
        Its most telling values.
    """

    row: str
    position: Count
    target: float
    suggested: float
    low: float
    high: float
    probability: Share
    fingerprint: Digest
    preview: str


@dataclass(frozen=True)
class RegressionScanRecord(Record):
    """Result of a scan of numeric targets.

    Parameters
    ----------
    header : Header
    source : Source
    data : TargetData
    evidence : TargetFinding
    flagged_rows : int
        Listed rows, all of them counted; rows for review where the evidence
        does not support a list.
    rows : tuple of WrongTarget
        The most suspicious first; at most 10,000.
    expected_innocents : float
        Expected number of right targets in the list.
    learners : mapping from str to float
        Weights of the learners that predict the targets.
    trusted_rows : int
        Trusted rows, which are never listed.
    set_aside : SetAside
        Rows of the source that were not judged.
    timings : mapping from str to float
        Seconds of each stage.
    """

    header: Header
    source: Source
    data: TargetData
    evidence: TargetFinding
    flagged_rows: Count
    rows: tuple[WrongTarget, ...]
    expected_innocents: Size
    learners: Mapping[str, Size]
    trusted_rows: Count = 0
    set_aside: SetAside = field(default_factory=SetAside)
    timings: Mapping[str, Seconds] = field(default_factory=dict)


@dataclass(frozen=True)
class ErrorChange:
    """Mean absolute errors of a model on the same rows, trained without and with the defence.

    Parameters
    ----------
    model : str
        What was trained.
    where : {"trusted", "published"}
        Rows that it was measured on.
    rows : int
        Their number.
    before, after : float
        Trained on all rows and on the kept ones, in units of the target.
    change, change_low, change_high : float
        From the first to the second, and its 95 % interval over the rows.
    """

    model: Name
    where: Literal["trusted", "published"]
    rows: Positive
    before: Size
    after: Size
    change: float
    change_low: float
    change_high: float


@dataclass(frozen=True)
class RegressionDefenceRecord(Record):
    """Result of a defence of numeric targets.

    Parameters
    ----------
    header : Header
    source : Source
    data : TargetData
    evidence : TargetFinding
    max_removed : float, optional
        Largest share of the rows that may be removed; None where there is no limit.
    rows, kept : int
        Rows that were judged, and those of them that are left.
    removals : tuple of WrongTarget
        The most suspicious first.
    spared : int
        Listed rows that the limit left in.
    expected_innocents : float
        Expected number of right targets among the removed ones.
    account : RowAccount
        What became of all rows of the source.
    set_aside : SetAside
        Rows of the source that were not judged.
    trusted_rows : int
        Trusted rows, which are never removed.
    errors : tuple of ErrorChange
        On rows that the defence did not choose; empty where there are none.
    timings : mapping from str to float
        Seconds of each stage.
    """

    header: Header
    source: Source
    data: TargetData
    evidence: TargetFinding
    max_removed: Fraction | None
    rows: Positive
    kept: Count
    removals: tuple[WrongTarget, ...]
    spared: Count
    expected_innocents: Size
    account: RowAccount
    set_aside: SetAside
    trusted_rows: Count
    errors: tuple[ErrorChange, ...]
    timings: Mapping[str, Seconds] = field(default_factory=dict)


@dataclass(frozen=True)
class AttackedDefence:
    """A defence behind an attack on ridge regression.

    Parameters
    ----------
    defence : str
        Its name; "none" for the plain model.
    clean_error : float
        Root mean squared error on the test rows without poison, in units of
        the target.
    test_error : float
        The same under attack.
    poison_removed, clean_removed : int
        Rows that it left out under attack.
    """

    defence: Name
    clean_error: Size
    test_error: Size
    poison_removed: Count
    clean_removed: Count


@dataclass(frozen=True)
class RegressionAttackRecord(Record):
    """Result of an attack on ridge regression.

    Parameters
    ----------
    header : Header
    source : Source
    data : TargetData
    method : str
        Name of the attack.
    fraction : float
        Poison rows for each clean row.
    budget : {"add", "flip"}
        Whether rows are added, or targets of clean rows changed.
    poison_rows : int
        Rows added, or targets changed.
    ridge : float
        Penalty of the defender's model.
    test_rows : int
        Clean rows on which errors are measured.
    test_origin : str
        Where the test rows are from.
    defences : tuple of AttackedDefence
        The plain model first.
    timings : mapping from str to float
        Seconds of each stage.
    """

    header: Header
    source: Source
    data: TargetData
    method: Name
    fraction: Fraction
    budget: Literal["add", "flip"]
    poison_rows: Positive
    ridge: Size
    test_rows: Positive
    test_origin: str
    defences: Annotated[tuple[AttackedDefence, ...], Limits(minItems=1)]
    timings: Mapping[str, Seconds] = field(default_factory=dict)
