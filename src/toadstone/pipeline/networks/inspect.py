"""Inspect a trained network with trusted images, and record what was found."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toadstone.core.errors import InvalidArgument
from toadstone.datasets.split import Split
from toadstone.pipeline.harness.clock import Clock
from toadstone.pipeline.harness.data_summary import digests_of_rows, summarize
from toadstone.pipeline.harness.header import make_header
from toadstone.pipeline.harness.row_account import source_of
from toadstone.pipeline.networks.png import png
from toadstone.records.header import Source
from toadstone.records.networks.inspection import (
    InspectionRecord,
    PruningOutcome,
    RepairOutcome,
    SearchedTrigger,
    SuspectedLabel,
)

if TYPE_CHECKING:
    from toadstone.deep.inspection.inspect_images import ImageInspection
    from toadstone.deep.inspection.inspect_network import LabelSearch

_NOT_PROMISED = (
    "A network without suspected labels may have a backdoor: an attacker who knows these searches can make a trigger "
    "that is large in both measures, or that works on images of one label only.",
    "A suspected label may be innocent: its own features can be unusually small. Look at the picture of the trigger.",
    "After a repair, the share of images that follow the trigger is that of the found one; the attacker's may differ.",
    "Measured on small networks (docs: inspection); nothing is claimed of others.",
)


@dataclass(frozen=True, eq=False)
class InspectionPlan:
    """Options of an inspection.

    Parameters
    ----------
    network : Module
    name : str
        What the caller calls it.
    pixels : uint8 ndarray of shape (n, height, width, channels)
        The trusted images, in the order of the split's rows.
    head : str, optional
        Name of the last layer; the last linear one by default.
    unlearn : bool
        Whether to repair the network.
    epochs : int, optional
        Passes of the search for patches.
    seed : int
    source : Source, optional
    command : str
    """

    network: Any
    name: str
    pixels: NDArray[np.uint8]
    head: str | None = None
    unlearn: bool = False
    epochs: int | None = None
    seed: int = 0
    source: Source | None = None
    command: str = ""


@dataclass(frozen=True, eq=False)
class Inspected:
    """Result of an inspection.

    Parameters
    ----------
    record : InspectionRecord
    weights : mapping from str to Tensor, optional
        Of the repaired network.
    """

    record: InspectionRecord
    weights: Mapping[str, Any] | None


def inspect(split: Split, plan: InspectionPlan, *, on_stage: Callable[[str], None] = lambda stage: None) -> Inspected:
    """Look for labels that an unusually small trigger leads to.

    Parameters
    ----------
    split : Split
        Of trusted images; labels stand for the network's outputs in their
        order.
    plan : InspectionPlan
    on_stage : callable

    Returns
    -------
    Inspected

    Raises
    ------
    InvalidInput
        As `toadstone.deep.inspection.inspect_images.inspect_images`, or if
        there are not images of a label for each output.
    """
    from toadstone.deep.inspection.inspect_images import inspect_images, outputs_of
    from toadstone.deep.inspection.inspect_network import Inspection

    data, clock = split.whole(), Clock(on_stage)
    _check_labels(split, outputs_of(plan.network, plan.pixels[:1]))
    names = [str(label) for label in data.classes]
    with clock.stage("inspection"):
        found = inspect_images(
            plan.network,
            plan.pixels,
            np.searchsorted(data.classes, data.y).astype(np.int64),
            head=plan.head,
            unlearn=plan.unlearn,
            seed=plan.seed,
            epochs=plan.epochs,
            on_stage=on_stage,
        )
    rows = digests_of_rows(data, None)
    record = InspectionRecord(
        header=make_header("inspection", command=plan.command, seed=plan.seed, digests=rows, packages=("torch",)),
        source=source_of(split, plan.source),
        data=summarize(_unwritten(split), split.domain or "real"),
        network=plan.name,
        head=found.head,
        images=len(data),
        accuracy=found.network.accuracy,
        undecided=found.network.undecided or "",
        limit=Inspection().share_of_median,
        suspects=_suspects(found, names),
        searches=tuple(_searched(each, names) for each in found.network.searches),
        pruning=PruningOutcome(found.pruned, found.features, found.pruned_accuracy) if found.features else None,
        repair=_repair(found),
        not_promised=_NOT_PROMISED,
        timings=clock.seconds,
    )
    return Inspected(record, found.weights)


def _check_labels(split: Split, outputs: int) -> None:
    """Check that there are images of a label for each output: their order tells which output is which label."""
    labels = {str(label) for label in split.whole().classes}
    rare = sorted({row.label for row in split.aside if row.label and row.label not in labels})
    if rare:
        raise InvalidArgument("images", "at least five images of each label", f"fewer of {', '.join(rare)}")
    if len(labels) != outputs:
        expected = f"images of {outputs} labels, one for each output of the network in their order"
        raise InvalidArgument("images", expected, len(labels))


def _unwritten(split: Split) -> Split:
    """Return the split without its note on what is written: an inspection writes no rows."""
    return replace(split, notes=tuple(note for note in split.notes if not note.startswith("kept images")))


def _suspects(found: ImageInspection, names: list[str]) -> tuple[SuspectedLabel, ...]:
    after = found.repair.carried_after if found.repair is not None else (None,) * len(found.evidence)
    return tuple(
        SuspectedLabel(
            found=_searched(each.found, names),
            trigger=png(each.trigger),
            example=png(each.example),
            flagged_with=each.flagged_with,
            flagged_without=each.flagged_without,
            pruned=_finite(each.pruned),
            repaired=_finite(repaired),
        )
        for each, repaired in zip(found.evidence, after, strict=True)
    )


def _searched(each: LabelSearch, names: list[str]) -> SearchedTrigger:
    label = names[each.label] if each.label < len(names) else f"output {each.label}"
    return SearchedTrigger(label, each.kind, _finite(each.size), _finite(each.share_of_median), _finite(each.carried))


def _repair(found: ImageInspection) -> RepairOutcome | None:
    if found.repair is None:
        return None
    return RepairOutcome(found.repair.accuracy_before, found.repair.accuracy_after, found.repair.rows)


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
