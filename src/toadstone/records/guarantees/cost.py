"""The record of a cost: the rows that cannot do a harm, and those that can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from toadstone.records.header import Count, DataSummary, Header, Limits, Loss, Seconds, Share, Source
from toadstone.records.serial import Record

NotNegative = Annotated[float, Limits(minimum=0)]


@dataclass(frozen=True)
class CertifiedSide:
    """The certified number of rows, and its proof in numbers.

    Parameters
    ----------
    rows : int
        Fewer rows than this cannot do the harm.
    bound : float, optional
        Largest objective on the clean rows that one row less can cause; None
        where nothing but training without poison says that it takes a row.
    floor : float
        Least objective of a model that does the harm.
    reason : str
        What the number rests on, in a sentence.
    """

    rows: Count
    bound: Loss | None
    floor: float
    reason: str


@dataclass(frozen=True)
class FoundSide:
    """The attack that does a harm with the fewest rows, or comes nearest to it.

    Parameters
    ----------
    rows : int
        Of the attack.
    done : bool
        Whether it does the harm.
    name : str
        The attack, in words.
    error : float
        Share of the clean training rows classified wrongly after it.
    loss : float, optional
        Mean hinge loss there; None where no model could be trained.
    test_error : float
        Share of the test rows classified wrongly after it.
    """

    rows: Count
    done: bool
    name: str
    error: Share
    loss: Loss | None
    test_error: Share


@dataclass(frozen=True)
class Vulnerability:
    """Distances along the weights of the clean model, in standard deviations within the classes.

    Parameters
    ----------
    separability : float, optional
        Between the class means; None where the rows of a class do not vary.
    share_of_width : float
        The same as a share of the width of the feasible set.
    width : float, optional
        Width of the feasible set.
    """

    separability: NotNegative | None
    share_of_width: NotNegative
    width: NotNegative | None


@dataclass(frozen=True)
class CostRecord(Record):
    """Number of rows that an attacker needs to do a harm: certified from below, found from above.

    Parameters
    ----------
    header : Header
    source : Source
    data : DataSummary
    kind : {"add", "flip", "replace"}
        Whether rows are added, relabelled, or replaced by any that pass the
        filters.
    error : float, optional
        Share of the clean training rows to be classified wrongly; None where
        the harm is a loss.
    loss : float, optional
        Their mean hinge loss; None where the harm is an error.
    target_origin : str
        Where that number is from.
    clean_error, clean_loss : float
        Of training without poison, on the training rows.
    clean_test_error : float
        The same on the test rows.
    certified : CertifiedSide
    found : FoundSide, optional
        None where no attack was needed or could be made.
    tried : int
        Attacks that were made and trained on.
    most_rows : int
        Largest number of rows that was tried.
    ridge : float
        L2 penalty of the defender's model.
    ridge_origin : str
        Where the penalty is from.
    quantile : float
        Share of each class's clean rows that passes the filters.
    vulnerability : Vulnerability
    assumptions, not_promised : tuple of str
        In plain words.
    seconds : float
        Of the whole.
    timings : mapping from str to float
        Seconds of each stage.
    """

    derived: ClassVar[tuple[str, ...]] = ("certified_rows", "attack_rows", "ratio")

    header: Header
    source: Source
    data: DataSummary
    kind: Literal["add", "flip", "replace"]
    error: Share | None
    loss: Loss | None
    target_origin: str
    clean_error: Share
    clean_loss: Loss
    clean_test_error: Share
    certified: CertifiedSide
    found: FoundSide | None
    tried: Count
    most_rows: Count
    ridge: Annotated[float, Limits(exclusiveMinimum=0)]
    ridge_origin: str
    quantile: Annotated[float, Limits(minimum=0.5, exclusiveMaximum=1)]
    vulnerability: Vulnerability
    assumptions: tuple[str, ...]
    not_promised: tuple[str, ...]
    seconds: Seconds
    timings: Mapping[str, Seconds] = field(default_factory=dict)

    @property
    def exceeded(self) -> bool:
        """True where training without poison does the harm already."""
        if self.error is not None:
            return self.clean_error >= self.error
        return self.loss is not None and self.clean_loss >= self.loss

    @property
    def certified_rows(self) -> Count:
        """Fewer rows than this provably cannot do the harm."""
        return self.certified.rows

    @property
    def attack_rows(self) -> Count | None:
        """So many rows suffice, by an attack that was carried out; None where none was found."""
        if self.exceeded:
            return 0
        return self.found.rows if self.found is not None and self.found.done else None

    @property
    def ratio(self) -> NotNegative | None:
        """Rows of the attack for each certified one; None unless both are positive."""
        if self.certified_rows == 0 or self.attack_rows is None:
            return None
        return self.attack_rows / self.certified_rows
