"""The record of an attack: the strongest candidate of a method, and its effect on each defence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from toadstone.records.audit import Evaluation, Threat
from toadstone.records.header import Count, DataSummary, Header, Limits, Name, Seconds, Share, Source
from toadstone.records.serial import Record


@dataclass(frozen=True)
class SplitTest:
    """Smallest errors of an attack on the half of the test rows it was selected on, and on the other.

    Parameters
    ----------
    selected : float
        Smallest test error over the defences, on the half that selected the attack.
    reported : float
        The same on the half that did not.
    """

    selected: Share
    reported: Share


@dataclass(frozen=True)
class TargetOutcome:
    """Test rows that an attack wants misclassified, and the share of them that is.

    Parameters
    ----------
    rows : tuple of int
        Their numbers among the test rows.
    clean_error : float
        Share misclassified without attack and without filter.
    error : mapping from str to float
        Share misclassified, by sanitizer; "none" is without filter.
    worst_case : float
        Smallest share over the sanitizers.
    """

    rows: tuple[int, ...]
    clean_error: Share
    error: Mapping[str, Share]
    worst_case: Share


@dataclass(frozen=True)
class AttackRecord(Record):
    """Result of one attack against every defence.

    Parameters
    ----------
    header : Header
    source : Source
    data : DataSummary
    threat : Threat
    method : str
        Name of the attack.
    candidate : str
        The selected attack, in words.
    tried : int
        Attacks among which it was selected.
    selected_on : str
        Rows on which it was selected.
    protocol : str
        How it was selected, in a sentence.
    filters : tuple of str
        Sanitizers that the attacker expects.
    quantile : float
        Of each class's clean scores that passes these filters.
    removed_share : float
        Share of each class that a defence removes.
    learner : str
        Model of the defender.
    ridge : float
        Its L2 penalty.
    ridge_origin : str
        Where the penalty is from.
    clean_test_error : float
        Without attack and without filter.
    test_error : mapping from str to float
        By sanitizer; "none" is without filter.
    worst_case : float
        Smallest test error over the sanitizers: the attacker's result against
        a defender who chooses the best of them.
    split_test : SplitTest, optional
        None where the attack was not selected on test rows.
    targets : TargetOutcome, optional
        None where the attack aims at as many errors as possible.
    evaluations : tuple of Evaluation
        The attack against each sanitizer.
    poison_rows, distinct_rows : int
        Rows added, and how many of them differ.
    seconds : float
        Of the attack.
    timings : mapping from str to float
        Seconds of each stage.
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
