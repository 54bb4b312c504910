"""Write images with poison into folders, scan them by the command, and count what it lists.

    python benchmarks/image_folders.py cifar10 pneumonia > log.md

CIFAR-10: test images, which the published ResNet-20 has not seen, scanned with it (``--represent``). Pneumonia:
training images, scanned in pixels. Needs Pillow, PyTorch and TOADSTONE_DATA.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from toadstone.attacks.backdoors.image_shape import ImageShape
from toadstone.attacks.backdoors.trigger import PatchTrigger
from toadstone.deep import LabelConsistentBackdoor, load_images
from toadstone.deep.trials.transfer_setting import published_body

FIRST, COUNT, LABEL = 5000, 3000, 3
"""Images 0 to 2,999 chose the constants; these are others."""
WEIGHTS = Path(os.environ["TOADSTONE_DATA"]) / "cifar10_resnet20.npz"
MODULE = """from toadstone.deep.tensors.networks import CIFAR10_DEVIATION, CIFAR10_MEAN, Normalise, ResNet


def body():
    return ResNet((3, 3, 3), normalise=Normalise(CIFAR10_MEAN, CIFAR10_DEVIATION))
"""


def squared(part):
    """The images with a white square."""
    changed = part.clone()
    changed[..., -3:, -3:] = 255
    return changed


def poisons(images, labels, label, body, rng):
    """Name, images, labels and poisoned rows of each kind of poison."""
    others = np.flatnonzero(labels.numpy() != label)
    n = len(labels)

    def relabelled(change, count):
        rows = rng.choice(others, count, replace=False)
        changed, named = images.clone(), labels.clone()
        changed[rows], named[rows] = change(changed[rows]), label
        return changed, named, rows

    noise = torch.from_numpy(rng.integers(0, 256, tuple(images.shape[1:]))).float()
    yield "none", images, labels, np.empty(0, int)
    for share in (0.01, 0.03):
        made = relabelled(squared, round(share * n))
        yield f"square of 3 x 3, {100 * share:g} %", *made
    yield (
        "noise blended in at .2, 3 %",
        *relabelled(lambda part: (0.8 * part.float() + 0.2 * noise).round().to(torch.uint8), round(0.03 * n)),
    )
    if body is not None:
        own = np.flatnonzero(labels.numpy() == label)
        rows = np.sort(rng.choice(own, round(0.01 * n), replace=False))
        changed = images.clone()
        trigger = PatchTrigger(shape=ImageShape(height=32, width=32, channels=3, layout="CHW"), size=3)
        made = LabelConsistentBackdoor(trigger=trigger).craft([body], "linear", images[rows], labels[rows])
        changed[rows] = made
        yield "label-consistent with the square, 1 %", changed, labels, rows


def write(folder, images, labels):
    for row, (picture, label) in enumerate(zip(images, labels.tolist(), strict=True)):
        place = folder / f"class-{label}"
        place.mkdir(parents=True, exist_ok=True)
        shown = picture.permute(1, 2, 0).numpy()
        Image.fromarray(shown if shown.shape[2] == 3 else shown[:, :, 0]).save(place / f"{row:05}.png")


def scanned(folder, *options):
    """Rows listed by the command, by their number, and seconds."""
    command = [sys.executable, "-m", "toadstone", "scan", "pictures", "--detectors", "none", "--json", *options]
    begin = time.perf_counter()
    shown = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE)
    record = json.loads(shown.stdout)
    return {int(Path(row["row"]).stem) for row in record["rows"]}, record, time.perf_counter() - begin


def report(name, images, labels, rng, options, body):
    for what, changed, named, rows in poisons(images, labels, LABEL if name == "cifar10" else 1, body, rng):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            write(folder / "pictures", changed, named)
            (folder / "models.py").write_text(MODULE)
            listed, record, seconds = scanned(folder, *options)
        found = len(listed & set(rows.tolist()))
        counts = f"{found} of {len(rows)} | {len(listed) - found} | {record['expected_innocents']:.0f}"
        print(f"| {name} | {what} | {counts} | {seconds:.0f} |", flush=True)


def main():
    print("| images | poison | found | clean rows listed | expected | seconds |\n|---|---|--:|--:|--:|--:|", flush=True)
    if "cifar10" in sys.argv:
        images, labels = load_images("cifar10", "test")
        part = slice(FIRST, FIRST + COUNT)
        options = ["--represent", f"models:body@{WEIGHTS}"]
        report("cifar10", images[part], labels[part], np.random.default_rng(1), options, published_body(WEIGHTS))
    if "pneumonia" in sys.argv:
        images, labels = load_images("pneumonia", "train")
        report("pneumonia", images, labels, np.random.default_rng(1), [], None)


if __name__ == "__main__":
    main()
