"""Facility location on last-layer gradients, against other libraries, and the overhead of EPIC per epoch.

The gradients are of CIFAR-10's 50,000 training images at a ResNet-8 trained on
them for a few epochs. Each library runs in a process of its own, which measures
its memory, on two threads where it can use them. apricot and submodlib are
compared where they are installed.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from other_selection import by_apricot, by_numpy, by_submodlib
from timing import duration, publish, table

from toadstone.deep.defences.epic_schedule import Schedule
from toadstone.deep.defences.isolated_medoids import drop_isolated
from toadstone.deep.defences.torch_medoids import InParts, device_medoids, exact_medoids
from toadstone.deep.tensors.features import head_gradients, logits
from toadstone.deep.tensors.images import load_images
from toadstone.deep.tensors.networks import resnet8
from toadstone.deep.training.hyperparameters import TrainingConfig
from toadstone.deep.training.loop import train
from toadstone.kernels.facility_location.medoids import (
    greedy_medoids,
    lazy_medoids,
    partitioned_medoids,
    sampled_medoids,
)

EPOCHS, FRACTION, COPIES, NOISE = 2, 0.1, 20, 0.5
Picks = Callable[[np.ndarray, int], np.ndarray]


def greedy(rows: np.ndarray, count: int) -> np.ndarray:
    return greedy_medoids(rows, count).rows


def lazy(rows: np.ndarray, count: int) -> np.ndarray:
    return lazy_medoids(rows, count).rows


def sampled(rows: np.ndarray, count: int) -> np.ndarray:
    return sampled_medoids(rows, count, rng=np.random.default_rng(0)).rows


def parts(rows: np.ndarray, count: int, *, part: int) -> np.ndarray:
    return partitioned_medoids(rows, count, rng=np.random.default_rng(0), part=part).rows


def device(rows: np.ndarray, count: int) -> np.ndarray:
    return device_medoids(torch.from_numpy(rows), count).rows


def measured(choose: Picks, rows: np.ndarray, count: int) -> tuple[float, float, float, np.ndarray] | str:
    """Return wall seconds, seconds of all cores, megabytes and picks; or the reason of a failure."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_alone, (choose, rows, count))


def _alone(choose: Picks, rows: np.ndarray, count: int) -> tuple[float, float, float, np.ndarray] | str:
    try:
        # Compile and import before the clock starts.
        choose(rows[:40], 4)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    before, wall, cpu = _peak(), time.perf_counter(), time.process_time()
    picks = choose(rows, count)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return wall, cpu, _peak() - before, np.asarray(picks)


def _peak() -> float:
    """Return the peak megabytes of this process; getrusage would count the parent's, too."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def cost(rows: np.ndarray, picks: np.ndarray) -> float:
    """Return the mean distance to the nearest medoid."""
    medoids, total = rows[picks].astype(np.float64), 0.0
    for begin in range(0, len(rows), 1000):
        part = rows[begin : begin + 1000].astype(np.float64)
        squares = np.full((len(part), len(medoids)), 0.0)
        for column, other in zip(part.T, medoids.T, strict=True):
            squares += (column[:, None] - other) ** 2
        total += float(np.sqrt(squares.min(axis=1)).sum())
    return total / len(rows)


def compared(rows: np.ndarray, ways: dict[str, Picks]) -> tuple[str, dict[str, float]]:
    """Return a table of ways to choose a tenth of the rows, relative to the first, and the seconds of all cores."""
    count = int(np.ceil(FRACTION * len(rows)))
    lines, used, standard = [], {}, None
    for name, choose in ways.items():
        found = measured(choose, rows, count)
        if isinstance(found, str):
            lines.append([name, found[:80], "", "", "", ""])
            continue
        wall, cpu, megabytes, picks = found
        far = cost(rows, picks)
        standard = (far, set(picks.tolist())) if standard is None else standard
        used[name] = cpu
        same = len(standard[1] & set(picks.tolist())) / count
        lines.append(
            [name, duration(wall), duration(cpu), f"{megabytes:.0f} MB", f"{far / standard[0]:.4f}", f"{same:.1%}"]
        )
        print(lines[-1], flush=True)
    headings = ["way", "wall", "all cores", "memory", "mean distance, ratio", "same medoids"]
    return table(headings, lines), used


Result = TypeVar("Result")


def clocked(work: Callable[[], Result]) -> tuple[Result, float, float]:
    """Return the result of a single run, its wall time and its time of all cores."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def trained() -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor, float]:
    """Return a network after a few epochs, its data, and the seconds of an epoch on one core."""
    images, labels = load_images("cifar10", "train")
    model, config = resnet8(seed=0), TrainingConfig(epochs=EPOCHS, augmentation="flip-crop")
    _, wall, cpu = clocked(lambda: train(model, images, labels, config, seed=0))
    print(f"an epoch takes {wall / EPOCHS:.1f} s, {cpu / EPOCHS:.1f} s of a core", flush=True)
    return model, images, labels, cpu / EPOCHS


def noisy_copies(scores: torch.Tensor, labels: torch.Tensor, copies: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return gradients of copies of all rows with noise on their logits."""
    generator = torch.Generator().manual_seed(0)
    many = scores.repeat(copies, 1)
    many += NOISE * torch.randn(many.shape, generator=generator)
    wanted = labels.repeat(copies)
    gradients = many.softmax(dim=1)
    gradients[torch.arange(len(wanted)), wanted] -= 1
    return gradients, wanted


def overhead(epoch: float, gradient_pass: float, selection: float) -> str:
    """Return a table of the time that looks add to full trainings, without the savings of dropped rows."""
    lines = []
    for name, epochs, schedule in RECIPES:
        looks = sum(schedule.due(number) for number in range(epochs))
        shares = [looks * part / (epochs * epoch) for part in (gradient_pass, selection, gradient_pass + selection)]
        lines.append([name, str(looks), *(f"{share:.1%}" for share in shares)])
    return table(["training", "looks", "gradients", "selection", "EPIC's overhead"], lines)


def whole(gradients: torch.Tensor, labels: torch.Tensor) -> tuple[list[list[str]], float]:
    """Measure all classes at once on one thread and on two; return lines and the seconds of one core."""
    lines, used = [], []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found, wall, cpu = clocked(partial(drop_isolated, gradients, labels, FRACTION, choose=exact_medoids))
        used.append(cpu)
        lines.append([f"50,000, exact, threads: {threads}", duration(wall), duration(cpu), f"{len(found.dropped):,}"])
    return lines, used[0]


def million(scores: torch.Tensor, labels: torch.Tensor) -> list[str]:
    gradients, wanted = noisy_copies(scores, labels, COPIES)
    choose = partial(drop_isolated, gradients, wanted, FRACTION, choose=InParts())
    found, wall, cpu = clocked(choose)
    return ["1,000,000, in parts of 5,000, threads: 2", duration(wall), duration(cpu), f"{len(found.dropped):,}"]


def main() -> None:
    torch.set_num_threads(1)
    model, images, labels, epoch = trained()
    gradients, _, gradient_pass = clocked(partial(head_gradients, model, images, labels))
    scores = logits(model, images)
    accuracy = float((scores.argmax(dim=1) == labels).double().mean())
    drop_isolated(gradients[:200], labels[:200], FRACTION)
    lines, selection = whole(gradients, labels)
    lines.append(million(scores, labels))
    own = (labels == 3).nonzero()[:, 0]
    rows = gradients[own].double().numpy()
    ours = {
        "toadstone, exact": greedy,
        "toadstone, lazy": lazy,
        "toadstone, sampled": sampled,
        "toadstone, by torch": device,
    }
    others = {"submodlib, lazy": by_submodlib, "apricot, lazy": by_apricot, "numpy, naive": by_numpy}
    first, used = compared(rows, ours | others)
    large = noisy_copies(scores[own], labels[own], 10)[0].double().numpy()
    second, _ = compared(large, {"exact": greedy, **{f"in parts of {n:,}": partial(parts, part=n) for n in PARTS}})
    exact = used["toadstone, exact"]
    ratios = ", ".join(f"{used[name] / exact:.0f} ({name})" for name in others if name in used)
    tables = [
        f"Gradients `softmax - onehot` at a ResNet-8 (width 16) after {EPOCHS} epochs, training accuracy "
        f"{accuracy:.3f}; one medoid for each ten rows. On one class the others need more time of all cores than the "
        f"exact choice by factors of {ratios}.",
        "## One class of 5,000 rows, 500 medoids\n\n" + first,
        LEGEND,
        "## All ten classes\n\n" + table(["rows", "wall", "all cores", "dropped"], lines),
        f"The million is {COPIES} copies of the 50,000 rows, noise of deviation {NOISE} added to their logits.",
        "## One class of 50,000 rows, 5,000 medoids: parts against exact\n\n" + second,
        "Ten blurred copies of a class. Parts are dealt at random.",
        "## EPIC's overhead\n\n" + overhead(epoch, gradient_pass, selection),
        f"One epoch of training, ResNet-8 on 50,000 images with flips and crops, takes {duration(epoch)} of "
        f"a core; the gradients of all rows {duration(gradient_pass)}, their selection {duration(selection)}. "
        "With a larger network the selection takes as long, and the gradients a forward pass.",
    ]
    publish("epic_selection", "EPIC's selection", tables, ["numpy", "numba", "torch"])


RECIPES = (
    ("40 epochs, every 2nd from 10 to 25", 40, Schedule(warm_up=10, interval=2, last_epoch=25)),
    ("40 epochs, every one from 10", 40, Schedule(warm_up=10)),
    ("80 epochs, every 5th from 20 to 60", 80, Schedule(warm_up=20, interval=5, last_epoch=60)),
    ("200 epochs, every 10th from 30 to 150", 200, Schedule(warm_up=30, interval=10, last_epoch=150)),
)
PARTS = (10000, 5000, 2500)
LEGEND = (
    "“memory”: growth of the process while it chose; “mean distance, ratio”: of all rows to their nearest medoid, "
    "relative to the exact choice, less is better; “same medoids”: as the exact choice. Distances are part of the "
    "time, and so is what apricot compiles at every call. The other libraries, and the naive check in numpy, are given "
    "the largest distance less each distance, dense."
)
