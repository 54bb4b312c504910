"""The record of an inspection: labels that an unusually small trigger leads to, and what was measured with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, TypeAlias

from toadstone.records.header import Count, DataSummary, Header, Limits, Name, Positive, Seconds, Share, Source
from toadstone.records.serial import Record

TriggerKind: TypeAlias = Literal["patch", "shift"]
NotNegative: TypeAlias = Annotated[float, Limits(minimum=0)]


@dataclass(frozen=True)
class SearchedTrigger:
    """The smallest trigger of one kind that was found for one label.

    Parameters
    ----------
    label : str
        As in the trusted images.
    kind : {"patch", "shift"}
        A patch covers pixels; a shift is added to the whole image.
    size : float, optional
        Of a patch in pixels, of a shift its Euclidean norm; None if none was
        found.
    share_of_median : float, optional
        Size divided by the median size of all labels; None where undecided.
    carried : float, optional
        Share of held-out images of other labels that follow it.
    """

    label: str
    kind: TriggerKind
    size: NotNegative | None
    share_of_median: NotNegative | None
    carried: Share | None


@dataclass(frozen=True)
class SuspectedLabel:
    """A label with a trigger that is unusually small.

    Parameters
    ----------
    found : SearchedTrigger
        Its trigger, in numbers.
    trigger, example : str
        The trigger on grey, and a trusted image with it: PNG files in base64.
    flagged_with, flagged_without : float, optional
        Share of trusted images that STRIP flags with the trigger, and without;
        None where there are too few for its false-alarm rate.
    pruned : float, optional
        Share of images that follow the trigger after fine-pruning; None where
        it does not apply.
    repaired : float, optional
        The same after the repair, on images that it did not train on; None
        without one.
    """

    found: SearchedTrigger
    trigger: str
    example: str
    flagged_with: Share | None
    flagged_without: Share | None
    pruned: Share | None = None
    repaired: Share | None = None


@dataclass(frozen=True)
class PruningOutcome:
    """Fine-pruning of a copy: the least active features removed, without training on.

    Parameters
    ----------
    pruned, features : int
        Features of the last layer that were removed, of all.
    accuracy : float
        After it, on the trusted images, which also set how many features go.
    """

    pruned: Count
    features: Positive
    accuracy: Share


@dataclass(frozen=True)
class RepairOutcome:
    """Accuracies before and after a repair, on trusted images that it did not train on.

    Parameters
    ----------
    accuracy_before, accuracy_after : float
        Shares of images classified correctly.
    rows : int
        Number of these images.
    """

    accuracy_before: Share
    accuracy_after: Share
    rows: Positive


@dataclass(frozen=True)
class InspectionRecord(Record):
    """Labels that an unusually small trigger leads to, and what was measured with it.

    Parameters
    ----------
    header : Header
    source : Source
        Of the trusted images.
    data : DataSummary
    network : str
        As the caller named it.
    head : str
        Name of its last layer.
    images : int
        Number of trusted images.
    accuracy : float
        On them.
    undecided : str
        Reason why there is no decision; empty if there is one.
    limit : float
        Share of the median size at which a trigger is suspected.
    suspects : tuple of SuspectedLabel
        The smallest first.
    searches : tuple of SearchedTrigger
        Of all labels and kinds.
    pruning : PruningOutcome, optional
        None where nothing is suspected, or the last layer is not linear.
    repair : RepairOutcome, optional
        None where none was asked for, or nothing is suspected.
    not_promised : tuple of str
        Sentences on what is not covered.
    timings : mapping from str to float
        Seconds of each stage.
    """

    derived: ClassVar[tuple[str, ...]] = ("labels",)

    header: Header
    source: Source
    data: DataSummary
    network: Name
    head: Name
    images: Positive
    accuracy: Share
    undecided: str
    limit: Share
    suspects: tuple[SuspectedLabel, ...]
    searches: tuple[SearchedTrigger, ...]
    pruning: PruningOutcome | None
    repair: RepairOutcome | None
    not_promised: tuple[str, ...]
    timings: Mapping[str, Seconds]

    @property
    def labels(self) -> tuple[str, ...]:
        """The suspected labels, each once."""
        return tuple(dict.fromkeys(suspect.found.label for suspect in self.suspects))
