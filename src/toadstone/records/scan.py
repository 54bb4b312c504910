"""The record of a scan: the rows that detectors flag, and the figures of each detector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from toadstone.records.header import Count, DataSummary, Digest, Header, Limits, Ranks, Seconds, Share, Source
from toadstone.records.rows import Contradiction, SetAside
from toadstone.records.serial import Record


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
    """

    flagged: Count
    flagged_share: Share
    false_alarm_rate: Share
    smallest_detectable_share: Share
    seconds: Seconds
    skipped: str = ""
    thresholds: str = ""

    @property
    def exceeded(self) -> bool:
        """True if more rows are flagged than the false-alarm rate and chance explain."""
        return self.flagged_share >= self.smallest_detectable_share > 0


@dataclass(frozen=True)
class FlaggedRow:
    """A row that at least one detector flags.

    Parameters
    ----------
    row : str
        Its name, in the numbering of the source.
    position : int
        Its position in the source, from 0.
    label : str
        Its class.
    suspicion : float
        Mean over detectors of the share of its class that looks less suspicious.
    ranks : mapping from str to int
        By detector; 1 is the most suspicious row of its class.
    reasons : mapping from str to str
        By detector, for those that flag it.
    fingerprint : str
        SHA-256 of its features and label.
    preview : str
        Its most telling values, as they stand in the source where they are
        known there, else as prepared.
    """

    row: str
    position: Count
    label: str
    suspicion: Share
    ranks: Ranks
    reasons: Annotated[Mapping[str, str], Limits(minProperties=1)]
    fingerprint: Digest
    preview: str


@dataclass(frozen=True)
class ScanRecord(Record):
    """Result of a scan: flagged rows, and what each detector found.

    Parameters
    ----------
    header : Header
    source : Source
    data : DataSummary
    flagged_rows : int
        Rows that at least one detector flags, all of them counted.
    rows : tuple of FlaggedRow
        Flagged rows, those that most detectors flag first; at most 10,000.
    detectors : mapping from str to DetectorReport
        By name, in the order in which they ran.
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
    flagged_rows: Count
    rows: tuple[FlaggedRow, ...]
    detectors: Mapping[str, DetectorReport]
    trusted_rows: Count = 0
    set_aside: SetAside = field(default_factory=SetAside)
    contradicting: Count = 0
    contradictions: tuple[Contradiction, ...] = ()
    timings: Mapping[str, Seconds] = field(default_factory=dict)
