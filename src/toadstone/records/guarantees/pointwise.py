"""The record of certificates of single predictions, and what each comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from toadstone.records.header import Count, DataSummary, Header, Name, Positive, Seconds, Share, Source
from toadstone.records.serial import Record


@dataclass(frozen=True)
class UnitAlone:
    """One unit, and how many predictions it can change alone.

    Parameters
    ----------
    unit : str
        The hospital, the annotator, or the day on which a period begins.
    rows : int
        Training rows of it.
    changes : int
        Predictions for test rows that it can change, right or wrong.
    """

    unit: str
    rows: Count
    changes: Count


@dataclass(frozen=True)
class PointwiseSummary:
    """Accuracy that holds whatever an attacker does with so many units.

    Parameters
    ----------
    method : str
        ``"label-flips"``, ``"votes"``, ``"neighbours"`` or ``"temporal"``.
    unit : str
        What is counted, in the plural.
    exact : bool
        The counts are the largest that hold, not only sound.
    settings : mapping
        What the learner was made with.
    n_train, n_units, queries : int
        Training rows, units and test rows.
    accuracy : float
        Share of the test rows predicted rightly where nobody attacks.
    accuracy_low, accuracy_high : float
        Its 95 % Wilson interval, for rows that were drawn at random.
    median : int
        Units that half of all test rows withstand and are right.
    certified_accuracy : mapping from str to float
        By share of the units: test rows that are right whatever so many units do.
    certified_few : mapping from str to float
        By number of units: test rows that are right whatever so many units do.
    unchanged : mapping from str to float
        By number of units: predictions, right or wrong, that so many cannot change.
    collective_accuracy : mapping from str to float
        By share of the units: test rows that stay right at least, whatever one
        attack with so many units does to all of them together. Empty where
        that was not computed, as for neighbours.
    collective_unchanged : mapping from str to float
        By number of units: predictions that stay at least, all together.
    attacked_accuracy : mapping from str to float
        By share of the units: test rows that are right after the best attack
        on all of them together that was found and carried out. Empty where
        none was tried.
    alone : tuple of UnitAlone
        What each unit can change alone, the worst first. Empty where units
        have no names.
    seconds : float
        Of the certificate.
    """

    method: Name
    unit: Name
    exact: bool
    settings: Mapping[str, str | float | int]
    n_train: Positive
    n_units: Positive
    queries: Positive
    accuracy: Share
    accuracy_low: Share
    accuracy_high: Share
    median: Count
    certified_accuracy: Mapping[str, Share]
    certified_few: Mapping[str, Share]
    unchanged: Mapping[str, Share]
    collective_accuracy: Mapping[str, Share]
    collective_unchanged: Mapping[str, Share]
    attacked_accuracy: Mapping[str, Share]
    alone: tuple[UnitAlone, ...]
    seconds: Seconds


@dataclass(frozen=True)
class CertifiedSteps:
    """The certified accuracy over the number of units, at some of its steps.

    Parameters
    ----------
    units : tuple of int
        Ascending from 0.
    shares : tuple of float
        Of the test rows that are right whatever so many units do.
    """

    units: tuple[Count, ...]
    shares: tuple[Share, ...]


@dataclass(frozen=True)
class PointwiseRecord(Record):
    """Certificates of single predictions of one method, at several settings.

    Parameters
    ----------
    header : Header
    source : Source
    data : DataSummary
    adversary : str
        Powers of the attacker, in one sentence.
    summaries : tuple of PointwiseSummary
        One for each setting.
    steps : tuple of CertifiedSteps
        The curve of each setting.
    assumptions, not_promised : tuple of str
        In plain words.
    """

    header: Header
    source: Source
    data: DataSummary
    adversary: str
    summaries: tuple[PointwiseSummary, ...]
    steps: tuple[CertifiedSteps, ...]
    assumptions: tuple[str, ...]
    not_promised: tuple[str, ...]
