"""The record of an audit: certified bounds, attacks, defences and suspicious rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

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
from toadstone.records.serial import Record

NO_ATTACK = "none"
"""Name of the attack in an evaluation on clean rows."""

NO_SANITIZER = "none"
"""Name of the sanitizer in an evaluation without a filter."""


@dataclass(frozen=True)
class Threat:
    """Budget of the attacker.

    Parameters
    ----------
    fraction : float
        Poison rows for each clean row.
    kind : {"add", "flip", "perturb"}
        Whether rows are added, relabelled or altered.
    rows : int
        The fraction as a count.
    """

    fraction: Fraction
    kind: Literal["add", "flip", "perturb"]
    rows: Count


@dataclass(frozen=True)
class Defender:
    """Model, loss and filters of the audited defender.

    Parameters
    ----------
    learner : str
        What is trained in the evaluations: a learner of the catalogue, or the
        user's own model by name.
    loss : str
        Training loss.
    wrong_row_loss : float
        Least loss of a row classified wrongly, 1 for the hinge: a mean loss
        at or above it allows every row to be wrong.
    hypothesis : {"norm_ball", "ridge"}
        How the model is restricted.
    hypothesis_value : float
        Squared radius of the ball, or strength of the ridge.
    hypothesis_origin : str
        Where that value is from.
    removed_share : float
        Share of each class that a sanitizer removes.
    certificate_quantile : float
        Of each class's distances: where the certified filters cut.
    clean_test_error : float
        Without attack and without filter.
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
    """One point of the certified curve; losses are training losses for each clean row.

    Parameters
    ----------
    fraction : float
        Poison rows for each clean row.
    bound : float
        Largest loss that any allowed attack can cause.
    attack_value : float
        Loss that a concrete attack causes.
    gap : float
        The bound less the attack value.
    clean_loss : float
        Part of the bound that is due to the clean rows.
    conclusive : bool
        False where the gap was not closed to the tolerance asked for.
    seconds : float
        Of the computation.
    """

    fraction: Fraction
    bound: Loss
    attack_value: float
    gap: float
    clean_loss: float
    conclusive: bool
    seconds: Seconds


@dataclass(frozen=True)
class CostPoint:
    """Added rows that an error on the clean training rows takes.

    Parameters
    ----------
    error : float
        Share of the clean training rows classified wrongly.
    certified_rows : int
        Fewer rows than this cannot cause it.
    attack_rows : int, optional
        So many rows do, of the attacks tried; None where none does.
    attack : str
        The name of that attack; empty where there is none.
    """

    error: Share
    certified_rows: Count
    attack_rows: Count | None
    attack: str


@dataclass(frozen=True)
class Evaluation:
    """One cell of the matrix: an attack against a defence.

    Parameters
    ----------
    attack, sanitizer : str
        Names; "none" for the clean rows, and for no filter.
    test_error : float
        Share of the test rows classified wrongly.
    low, high : float
        95 % Wilson interval of the test error.
    train_loss : float
        Of the model trained on the kept rows; of a model of the user's own
        the share of these that it classifies wrongly.
    poison_rows, poison_removed : int
        Poison rows, and those that the sanitizer removed.
    clean_rows, clean_removed : int
        Clean rows, and those that the sanitizer removed.
    seconds : float
        Of filtering and training.
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

    Parameters
    ----------
    row : str
        Its name, in the numbering of the source.
    position : int
        Its position in the source, from 0.
    label : str
        Its class.
    ranks : mapping from str to int
        By sanitizer; 1 is the most suspicious row of its class.
    removed_by : tuple of str
        Sanitizers that would remove it.
    suspicion : float
        Mean over sanitizers of the share of its class that looks less suspicious.
    preview : str
        Its most telling values, as they stand in the source where they are
        known there, else as prepared.
    """

    row: str
    position: Count
    label: str
    ranks: Ranks
    removed_by: tuple[str, ...]
    suspicion: Share
    preview: str


@dataclass(frozen=True)
class Removal:
    """A row that a sanitizer removed: its name and position in the source, label, anomaly score, and why."""

    row: str
    position: int
    label: str
    score: float
    reason: str


@dataclass(frozen=True)
class AuditRecord(Record):
    """Result of an audit: certified bounds, attacks, defences and suspicious rows.

    Parameters
    ----------
    header : Header
    source : Source
    data : DataSummary
    threat : Threat
    defender : Defender
    curve : tuple of Bound
        By rising fraction; empty where there is no certificate.
    no_certificate : str
        Why there is none, in a sentence; empty where there is one.
    evaluations : tuple of Evaluation
        Every attack against every defence.
    suspects : tuple of Suspect
        Most suspicious first; capped.
    assumptions, not_promised : tuple of str
        Of the certificate, in plain words.
    timings : mapping from str to float
        Seconds of each stage.
    cost : tuple of CostPoint
        Rows that some errors of a linear model take; empty where nothing is
        certified with a ridge and the hinge loss, or there was no time left.
    """

    header: Header
    source: Source
    data: DataSummary
    threat: Threat
    defender: Defender
    curve: tuple[Bound, ...]
    no_certificate: str
    evaluations: tuple[Evaluation, ...]
    suspects: tuple[Suspect, ...]
    assumptions: tuple[str, ...]
    not_promised: tuple[str, ...]
    timings: Mapping[str, Seconds] = field(default_factory=dict)
    cost: tuple[CostPoint, ...] = ()

    @property
    def headline(self) -> Bound | None:
        """The certified bound at the audited fraction; None where there is no certificate.

        Raises
        ------
        InvalidData
            If the curve has no point there.
        """
        if not self.curve:
            return None
        for point in self.curve:
            if point.fraction == self.threat.fraction:
                return point
        raise InvalidData(f"curve: expected a point at the audited fraction {self.threat.fraction}, got none")
