"""Inspection and repair of ten networks with a backdoor and ten without, which chose no constant.

Each network is measured by itself (`--measure FIRST LAST`) and kept in a
folder, so that the table can be made in several goes (`--write`).
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from timing import RESULTS, table
from torch import Tensor, nn

from toadstone.attacks.backdoors.image_shape import ImageShape
from toadstone.attacks.backdoors.trigger import BlendedTrigger, PatchTrigger, SinusoidalTrigger
from toadstone.deep import (
    SharpnessAware,
    SmallCNN,
    TrainingConfig,
    VisibleBackdoor,
    fine_prune,
    load_images,
    logits,
    stamp,
    train,
)
from toadstone.deep.attacks.triggers import ImageTrigger
from toadstone.deep.inspection.inspect_network import LabelSearch, NetworkInspection, inspect_network
from toadstone.deep.inspection.repair import repair
from toadstone.pipeline.layers.wilson import Rate

NETWORKS = 20
_SEED = 700
_SHAPE = ImageShape(height=28, width=28)
_TRIGGERS: dict[str, ImageTrigger] = {
    "square, 3 x 3, bottom right": PatchTrigger(shape=_SHAPE, size=3),
    "square, 2 x 2, top left": PatchTrigger(shape=_SHAPE, size=2, corner="top left"),
    "square, 5 x 5, top right": PatchTrigger(shape=_SHAPE, size=5, corner="top right"),
    "checkerboard, 4 x 4, bottom left": PatchTrigger(
        shape=_SHAPE, size=4, corner="bottom left", pattern="checkerboard"
    ),
    "checkerboard, 3 x 3, bottom right": PatchTrigger(shape=_SHAPE, size=3, pattern="checkerboard"),
    "square, 4 x 4, bottom left": PatchTrigger(shape=_SHAPE, size=4, corner="bottom left"),
    "stripes": SinusoidalTrigger(shape=_SHAPE),
    "stripes, again": SinusoidalTrigger(shape=_SHAPE),
    "noise blended in, .15": BlendedTrigger.random(_SHAPE, np.random.default_rng(1), opacity=0.15),
    "noise blended in, .2": BlendedTrigger.random(_SHAPE, np.random.default_rng(2), opacity=0.2),
}
_REPAIRS = ("pruning", "fine-pruning", "fine-tuning", "sharpness-aware", "unlearning")
_TUNING = TrainingConfig(epochs=10, batch=64, learning_rate=0.01)


def measure(number: int) -> dict[str, Any]:
    """Train, inspect and repair one network; the first ten have a backdoor."""
    seed = _SEED + number
    images, labels = (part[6_000:12_000] for part in load_images("mnist", "train", count=12_000))
    name, trigger = list(_TRIGGERS.items())[number] if number < len(_TRIGGERS) else ("none", None)
    target = seed % 10
    generator = torch.Generator().manual_seed(seed)
    if trigger is not None:
        made = VisibleBackdoor(trigger=trigger, target=target).craft(images, labels, count=180, generator=generator)
        images, labels = made.images, made.labels
    model = SmallCNN(1, width=16, hidden=64, seed=seed)
    train(model, images, labels, TrainingConfig(epochs=5, batch=64, learning_rate=0.01, milestones=(3,)), seed=seed)
    pictures, truth = load_images("mnist", "test")
    order = torch.randperm(len(pictures), generator=generator)
    trusted = pictures[order[:500]], truth[order[:500]]
    test = pictures[order[500:3_500]], truth[order[500:3_500]]
    begin = time.process_time()
    found = inspect_network(model, trusted[0][:256], trusted[1][:256], generator=generator)
    spent = time.process_time() - begin
    return {
        "number": number,
        "trigger": name,
        "target": None if trigger is None else target,
        "suspects": [[each.label, each.kind, each.share_of_median, each.carried] for each in found.suspects],
        "smallest": _smallest(found),
        "undecided": found.undecided,
        "seconds": spent,
        "before": _standing(model, test, trigger, target),
        "repairs": {} if trigger is None else _repaired(model, trusted, test, trigger, target, found.suspects),
    }


def _smallest(found: NetworkInspection) -> dict[str, list[float]]:
    kinds = ("patch", "shift")
    return {
        kind: min([each.share_of_median, each.label] for each in found.searches if each.kind == kind) for kind in kinds
    }


def _standing(
    model: nn.Module, test: tuple[Tensor, Tensor], trigger: ImageTrigger | None, target: int
) -> tuple[float, float | None]:
    """Return accuracy, and the share of images of other labels that follow the attacker's own trigger."""
    images, labels = test
    accuracy = float((logits(model, images).argmax(dim=1) == labels).double().mean())
    if trigger is None:
        return accuracy, None
    stamped = stamp(images[labels != target], trigger)
    return accuracy, float((logits(model, stamped).argmax(dim=1) == target).double().mean())


def _repaired(
    model: nn.Module,
    trusted: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor],
    trigger: ImageTrigger,
    target: int,
    suspects: tuple[LabelSearch, ...],
) -> dict[str, Any]:
    copies = {name: copy.deepcopy(model) for name in _REPAIRS}
    fine_prune(copies["pruning"], "linear", *trusted)
    fine_prune(copies["fine-pruning"], "linear", *trusted, config=_TUNING)
    train(copies["fine-tuning"], *trusted, _TUNING, seed=0)
    train(copies["sharpness-aware"], *trusted, _TUNING, objective=SharpnessAware(), seed=0)
    # Without a suspect there is nothing to unlearn: the network stays as it is.
    if suspects:
        repair(copies["unlearning"], *trusted, triggers=suspects)
    return {name: _standing(each, test, trigger, target) for name, each in copies.items()}


def write(folder: Path) -> str:
    """Return the page of what was measured."""
    rows = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    bad = [row for row in rows if row["target"] is not None]
    clean = [row for row in rows if row["target"] is None]
    named = sum(bool(row["suspects"]) and row["suspects"][0][0] == row["target"] for row in bad)
    accused = sum(bool(row["suspects"]) for row in clean)
    lines = [
        "# Inspection and repair of small networks",
        "",
        "Made by `benchmarks/network_inspection.py --measure 0 20`, then `--write`. Data: MNIST, training images 6,000 "
        "to 11,999; 180 of them, 3 %, with the trigger. Network: three convolutions, a layer of 64 units, five epochs. "
        "Trusted: 256 test images for the inspection, 500 for the repair. Success: the attacker's own trigger on test "
        "images of other labels. The constants were chosen on six other networks (training images 0 to 5,999), "
        "those of shifts on three of these, and the rate of the repair on three more of the same images.",
        "",
        f"The label of the backdoor was named first in {_of(named, len(bad))} networks; {_of(accused, len(clean))} "
        f"clean ones were accused. An inspection took {max(row['seconds'] for row in rows):.0f} processor seconds at "
        "most.",
        "",
        table(
            [
                "trigger",
                "label",
                "accuracy",
                "success",
                "smallest patch (label)",
                "smallest shift (label)",
                "suspected",
            ],
            [_row(row) for row in rows],
        ),
        "",
        "The smallest patch and shift are given as a share of the median label's size; at most .33 is suspected.",
        "",
        "## Accuracy and success after repair",
        "",
        table(["trigger", "before", *_REPAIRS], [_repair_row(row) for row in bad]),
    ]
    return "\n".join(lines) + "\n"


def _of(count: int, total: int) -> str:
    rate = Rate.of(count, total)
    return f"{count} of {total} (95 % interval {rate.low:.2f} to {rate.high:.2f})"


def _row(row: dict[str, Any]) -> list[str]:
    accuracy, success = row["before"]
    small = [f"{row['smallest'][kind][0]:.2f} ({row['smallest'][kind][1]:.0f})" for kind in ("patch", "shift")]
    named = ", ".join(f"{label} by {kind}" for label, kind, *_ in row["suspects"]) or row["undecided"] or "nothing"
    label = "" if row["target"] is None else str(row["target"])
    return [row["trigger"], label, f"{accuracy:.3f}", "" if success is None else f"{success:.3f}", *small, named]


def _repair_row(row: dict[str, Any]) -> list[str]:
    pairs = [row["before"], *(row["repairs"][name] for name in _REPAIRS)]
    return [row["trigger"], *(f"{accuracy:.3f}, {success:.3f}" for accuracy, success in pairs)]


def main() -> None:
    """Measure some networks, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("network-inspection"))
    parser.add_argument("--measure", type=int, nargs=2, metavar=("FIRST", "LAST"))
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for number in range(*given.measure) if given.measure else ():
        path = given.folder / f"{number:02}.json"
        if not path.exists():
            path.write_text(json.dumps(measure(number)))
            print(path.read_text(), flush=True)
    if given.write:
        (RESULTS / "inspection.md").write_text(write(given.folder))


if __name__ == "__main__":
    main()
