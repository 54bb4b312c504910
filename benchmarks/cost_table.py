"""Rows that an attack needs, certified and found, on the catalogue's sets of two classes, and why data are vulnerable.

Each set is measured by itself (`--measure NAME`) and kept in a folder, so
that the table can be made of what was measured in several goes (`--write`).
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr
from timing import RESULTS, table

import toadstone
from toadstone.core.dataset import Dataset
from toadstone.datasets.split import Split

ASKED = {
    "enron": 0.10,
    "adult": 0.25,
    "breast-cancer": None,
    "digits-1-7": None,
    "sms": None,
    "mnist-1-7": None,
    "imdb": 0.20,
}
"""Error wanted; None for the clean one and five points."""

FAMILY = tuple(f"gaussians-{apart}" for apart in (2, 3, 4, 5, 6))
"""Two classes of normals, so many standard deviations apart."""

N, D, RIDGE, WANTED = 600, 10, 0.01, 0.25
REASONS = ("separability", "width", "share_of_width")


@dataclass(frozen=True)
class Row:
    """One set: both sides, the attack's errors, and three numbers along the clean model."""

    name: str
    n: int
    clean_error: float
    error: float
    certified: int
    attack: int | None
    most: int
    reached: float | None
    test_error: float | None
    separability: float
    width: float
    share_of_width: float
    seconds: float


def gaussians(apart: float) -> Split:
    """Two classes of independent unit normals, their means apart along the first feature."""
    rng = np.random.default_rng(7)
    y = np.arange(2 * N) % 2
    X = rng.normal(size=(2 * N, D))
    X[:, 0] += apart * y
    names = np.where(y == 1, "one", "zero")
    return Split("gaussians", Dataset(X[:N], names[:N]), Dataset(X[N:], names[N:]), "none", "held out")


def measure(name: str) -> Row:
    """Run one set."""
    start = time.process_time()
    if name in ASKED:
        record = toadstone.cost(name, error=ASKED[name], workers=1).record
    else:
        record = toadstone.cost(gaussians(float(name.split("-")[1])), error=WANTED, ridge=RIDGE, workers=1).record
    why, found = record.vulnerability, record.found
    return Row(
        name,
        record.data.n_train,
        record.clean_error,
        record.error,
        record.certified_rows,
        record.attack_rows,
        record.most_rows,
        None if found is None else found.error,
        None if found is None else found.test_error,
        why.separability,
        why.width,
        why.share_of_width,
        time.process_time() - start,
    )


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def of_rows(count: int, n: int) -> str:
    return f"{100 * count / n:.2f} %"


def both_sides(row: Row) -> list[str]:
    found = f"none up to {row.most:,}" if row.attack is None else f"{row.attack:,}"
    if row.reached is None:
        found = "not tried: certified"
    ratio = "" if row.attack is None else f"{row.attack / row.certified:,.0f}"
    errors = [percent(row.clean_error), percent(row.error)]
    after = ["" if error is None else percent(error) for error in (row.reached, row.test_error)]
    return [row.name, f"{row.n:,}", *errors, f"{row.certified:,}", found, ratio, *after, f"{row.seconds:.0f} s"]


def why(row: Row) -> list[str]:
    found = f"more than {of_rows(row.most, row.n)}" if row.attack is None else of_rows(row.attack, row.n)
    reasons = [f"{row.separability:.2f}", f"{row.width:.1f}", percent(row.share_of_width)]
    return [row.name, *reasons, of_rows(row.certified, row.n), found]


def correlations(rows: list[Row]) -> list[list[str]]:
    """Rank the shares of rows by each number; what was not found counts as more than all that was."""
    found = [1.0 if row.attack is None else row.attack / row.n for row in rows]
    certified = [row.certified / row.n for row in rows]
    return [
        [
            reason.replace("_", " "),
            *(
                f"{spearmanr([getattr(row, reason) for row in rows], side).statistic:+.2f}"
                for side in (certified, found)
            ),
        ]
        for reason in REASONS
    ]


def paragraphs(rows: dict[str, Row]) -> list[str]:
    real = [rows[name] for name in ASKED if name in rows]
    family = [rows[name] for name in FAMILY if name in rows]
    sides = (
        "set",
        "rows",
        "clean error",
        "error wanted",
        "certified",
        "found",
        "ratio",
        "error then",
        "test error",
        "CPU",
    )
    reasons = ("set", "separability", "width", "share of width", "certified", "found")
    return [
        "Fewer added rows than *certified* cannot bring the error of a linear model (hinge loss, ridge by "
        "cross-validation) on its clean training rows to the error wanted; so many as *found* do. The true number lies "
        "between. CPU seconds of one process, certificate and search together.",
        table(sides, [both_sides(row) for row in real]),
        "Where only one row is certified, the clean model's mean loss, at most one a row, is as large as the error "
        "wanted or nearly so: the proof goes through the loss, and a correct row near the line loses as well.",
        "## Why data are vulnerable",
        "Separability: distance of the class means along the clean model, in standard deviations within the classes. "
        "Width: of the feasible rows along it, in the same unit. Share: the first over the second.",
        table(reasons, [why(row) for row in real]),
        "Spearman's rank correlation with the share of rows, certified and found, over these "
        f"{len(real)} sets, which ask for different errors: a hint and no test.",
        table(("number", "certified", "found"), correlations(real)),
        f"Classes of normals in {D} dimensions, {N} rows, ridge {RIDGE}, error wanted {percent(WANTED)}: only the "
        "distance of the means changes.",
        table(reasons, [why(row) for row in family]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kept", type=Path, default=Path("cost_rows"), help="folder of what was measured")
    parser.add_argument("--measure", nargs="+", default=[], metavar="NAME", help="sets to measure")
    parser.add_argument("--write", action="store_true", help="write docs/results/cost.md")
    asked = parser.parse_args()
    asked.kept.mkdir(parents=True, exist_ok=True)
    for name in asked.measure:
        row = measure(name)
        (asked.kept / f"{name}.json").write_text(json.dumps(asdict(row)), encoding="utf-8")
        print(row, flush=True)
    rows = {path.stem: Row(**json.loads(path.read_text("utf-8"))) for path in sorted(asked.kept.glob("*.json"))}
    made = f"Runs of `benchmarks/cost_table.py --measure NAME` for each set on {platform.machine()}, then `--write`."
    text = "\n\n".join(["# Rows that an attack needs", *paragraphs(rows), made]) + "\n"
    if asked.write:
        (RESULTS / "cost.md").write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
