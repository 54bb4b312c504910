"""How much of the KKT attack's error on IMDB is owed to the test rows that it knows: `python benchmarks/imdb_split.py`.

The attack of `toadstone attack imdb --method kkt --select-on test` trains its decoys on relabelled test rows and is
selected on them. Here it gets one half of the test rows, and its poison is judged on both.
"""

from __future__ import annotations

from dataclasses import replace

import toadstone
from toadstone.datasets import load
from toadstone.datasets.split import hold_out
from toadstone.pipeline.attack import QUICK, SLOW
from toadstone.pipeline.harness.judge import Defence, judge

FRACTION, RIDGE, SEED = 0.03, 0.01, 0


def main() -> None:
    """Print the error behind the best of five defences on the half that the attacker knows, and on the other."""
    split = load("imdb")
    known, other = hold_out(split.test, share=0.5, random_state=SEED)
    found = toadstone.attack(
        replace(split, test=known), method="kkt", fraction=FRACTION, select_on="test", seed=SEED, workers=1
    )
    print(f"{found.record.candidate}: {found.record.worst_case:.1%} on the half that it knows")
    cells = judge(split.train, other, found.poison, QUICK + SLOW, Defence(ridge=RIDGE, seed=SEED), name="kkt")
    for cell in cells:
        print(f"behind {cell.sanitizer}: {cell.test_error:.1%} on the other half")
    print(f"best of five: {min(cell.test_error for cell in cells):.1%}")


if __name__ == "__main__":
    main()
