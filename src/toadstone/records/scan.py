"""The record of a scan: the rows to look at, what was found about them, and the evidence for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from toadstone.records.header import Count, DataSummary, Digest, Header, Limits, Positive, Seconds, Share, Source
from toadstone.records.rows import Contradiction, SetAside
from toadstone.records.serial import Record

FindingKind: TypeAlias = Literal[
    "shared values",
    "near-copies",
    "contradictory duplicates",
    "source",
    "period",
    "equal rows",
    "near-duplicates",
    "rows in the test set",
    "identifier column",
    "telling column",
    "order of rows",
]

GROUPS: frozenset[str] = frozenset({"shared values", "near-copies", "contradictory duplicates", "source", "period"})
"""Kinds of findings that put rows under suspicion; the others are facts about the table."""


@dataclass(frozen=True)
class DetectorReport:
    """One detector on one data set; all counts and shares are of the rows that are not trusted.

    Parameters
    ----------
    flagged : int
        Rows flagged.
    flagged_share : float
        The same as a share.
    false_alarm_rate : float
        Largest share of clean rows that it may flag.
    smallest_detectable_share : float
        Smallest share of poison that raises the count of flagged rows beyond
        the false-alarm rate and chance.
    seconds : float
        Of scoring and setting thresholds.
    skipped : str
        Why the detector did not run; the counts are then 0.
    thresholds : str
        Whether thresholds come from the rows' own scores or from trusted rows.
    rows : tuple of str
        Names of the flagged rows, the most suspicious of their class first;
        at most 100.
    abstains : bool
        True if it looked at the rows and says nothing of them because its
        model does not fit; `skipped` says so.
    """

    flagged: Count
    flagged_share: Share
    false_alarm_rate: Share
    smallest_detectable_share: Share
    seconds: Seconds
    skipped: str = ""
    thresholds: str = ""
    rows: tuple[str, ...] = ()
    abstains: bool = False

    @property
    def exceeded(self) -> bool:
        """True if more rows are flagged than the false-alarm rate and chance explain."""
        return self.flagged_share >= self.smallest_detectable_share > 0


@dataclass(frozen=True)
class VerdictReport:
    """The verdict on the rows as a whole.

    Parameters
    ----------
    seconds : float
        Of all learners and of the search for groups.
    note : str
        What the data say about wrong labels, in one sentence.
    skipped : str
        Why there is no verdict; empty where there is one.
    """

    seconds: Seconds
    note: str = ""
    skipped: str = ""


@dataclass(frozen=True)
class Evidence:
    """Evidence for wrong labels in the data, apart from the question which rows have them.

    Parameters
    ----------
    rate : float
        Estimated share of wrong labels.
    low, high : float
        95 % profile-likelihood interval of the rate.
    log_ratio : float
        Logarithm of the Bayes factor for wrong labels against none, in nats;
        above 0 the data prefer them.
    supported : bool
        True if it supports a list of rows; otherwise there is a review ranking.
    """

    rate: Share
    low: Share
    high: Share
    log_ratio: float
    supported: bool


@dataclass(frozen=True)
class ListedRow:
    """A row to look at.

    Parameters
    ----------
    row : str
        Its name, in the numbering of the source.
    position : int
        Its position in the source, from 0.
    label : str
        Its class.
    suggested_label : str, optional
        The class that its values suggest; None where there is no suggestion.
    probability : float, optional
        Of the suggested label.
    score : float
        Suspicion, from 0 to 1: the probability that the label is wrong or that
        the row is one of a group; without a verdict, the mean over detectors
        of the share of its class that looks less suspicious.
    group : int, optional
        Place in `findings` of the group that it is in, from 0.
    reasons : tuple of str
        Why it is listed, in sentences.
    also_flagged_by : mapping from str to str
        Reasons of the detectors that flag it, that which ranks it first in front.
    fingerprint : str
        SHA-256 of its features and label.
    values : mapping from str to str
        The columns that matter, most telling first, with the values as they
        stand in the source where they are known there, else as prepared.
    """

    row: str
    position: Count
    label: str
    suggested_label: str | None
    probability: Share | None
    score: Share
    group: Count | None
    reasons: tuple[str, ...]
    also_flagged_by: Mapping[str, str]
    fingerprint: Digest
    values: Mapping[str, str]


@dataclass(frozen=True)
class Span:
    """A part of a text.

    Parameters
    ----------
    row : str
        Name of the row whose text it is.
    begin, end : int
        Characters of the text, from 0; the end is not part of it.
    """

    row: str
    begin: Count
    end: Positive


@dataclass(frozen=True)
class Finding:
    """A group of rows under suspicion, or a fact about the table.

    Parameters
    ----------
    kind : str
        What was found.
    label : str, optional
        The label that the rows carry.
    looks_like : str, optional
        The label that their other columns suggest.
    values : mapping from str to str
        Columns and the value or range that the rows share, as in the source;
        of a source or a period its name, under that word.
    literal : str, optional
        Text that the rows share.
    rows : tuple of str
        Names of the rows; at most 200.
    positions : tuple of int
        Their positions in the source, from 0.
    count : int
        All rows that it is about, counted.
    p_value : float, optional
        Adjusted for the groups examined; 0 where it is provable, None where
        there is none.
    sentence : str
        All of it in words.
    score, threshold : float, optional
        Of a check with a threshold.
    spans : tuple of Span
        Where the literal stands, for text.
    """

    kind: FindingKind
    label: str | None
    looks_like: str | None
    values: Mapping[str, str]
    literal: str | None
    rows: tuple[str, ...]
    positions: tuple[Count, ...]
    count: Count
    p_value: Annotated[float, Limits(minimum=0, maximum=1)] | None
    sentence: str
    score: float | None = None
    threshold: float | None = None
    spans: tuple[Span, ...] = ()

    @property
    def is_group(self) -> bool:
        """True if the rows are under suspicion; otherwise it is a fact about the table."""
        return self.kind in GROUPS


@dataclass(frozen=True)
class ScanRecord(Record):
    """Result of a scan: the rows to look at, groups and facts, and the detectors as evidence.

    Parameters
    ----------
    header : Header
    source : Source
    data : DataSummary
    verdict : VerdictReport, optional
        None where the scan was asked to go without: then the rows are those
        that a detector flags.
    listed_rows : int
        Rows to look at, all of them counted.
    rows : tuple of ListedRow
        Rows to look at, the most suspicious first; at most 10,000.
    expected_innocents : float, optional
        Expected number of listed rows with nothing wrong; None without a verdict.
    evidence : Evidence, optional
        For wrong labels; None without a verdict.
    findings : tuple of Finding
        Groups of rows, then facts about the table; at most 200 of a kind.
        Copies of different labels that the verdict does not list are groups
        too, without a label that they look like.
    group_count, grouped_rows : int
        All groups, counted, and the listed rows that are in one.
    review : tuple of ListedRow
        Rows to review where the data cannot tell overlapping classes from
        wrong labels, the most suspicious first; at most 200. They are not
        among the listed rows.
    review_rows : int
        All of them, counted.
    worth_checking : tuple of str
        Rows whose labels are in doubt most: checked by hand and given as
        trusted, they would tell most.
    detectors : mapping from str to DetectorReport
        By name, in the order in which they ran.
    flagged_by_any : int
        Rows that at least one detector flags.
    union_false_alarm_rate : float
        Largest share of clean rows that at least one detector may flag: the
        sum of their rates.
    trusted_rows : int
        Trusted rows, which detectors saw too and never flag.
    set_aside : SetAside
        Rows of the source that were not judged.
    contradicting : int
        Groups of rows that are equal but for the label, all of them counted.
    contradictions : tuple of Contradiction
        The first of these groups; at most 200.
    timings : mapping from str to float
        Seconds of each stage.
    """

    header: Header
    source: Source
    data: DataSummary
    verdict: VerdictReport | None
    listed_rows: Count
    rows: tuple[ListedRow, ...]
    expected_innocents: Annotated[float, Limits(minimum=0)] | None
    evidence: Evidence | None
    findings: tuple[Finding, ...]
    group_count: Count
    grouped_rows: Count
    review: tuple[ListedRow, ...]
    review_rows: Count
    worth_checking: tuple[str, ...]
    detectors: Mapping[str, DetectorReport]
    flagged_by_any: Count
    union_false_alarm_rate: Share
    trusted_rows: Count = 0
    set_aside: SetAside = field(default_factory=SetAside)
    contradicting: Count = 0
    contradictions: tuple[Contradiction, ...] = ()
    timings: Mapping[str, Seconds] = field(default_factory=dict)

    @property
    def decided(self) -> bool:
        """True if there is a verdict."""
        return self.verdict is not None and not self.verdict.skipped

    @property
    def groups(self) -> tuple[Finding, ...]:
        """Findings that put rows under suspicion."""
        return tuple(finding for finding in self.findings if finding.is_group)

    @property
    def facts(self) -> tuple[Finding, ...]:
        """Findings about the table that accuse no row."""
        return tuple(finding for finding in self.findings if not finding.is_group)
