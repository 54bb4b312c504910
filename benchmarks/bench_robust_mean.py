"""Robust aggregation of 100 and 1,000 clients: seconds and memory, beside ByzFL's NumPy form and Flower's functions.

Usage: python benchmarks/bench_robust_mean.py [--write] [--byzfl FOLDER] [--flower PYTHON]
       [--sizes NxD ...]

FOLDER holds ByzFL's package where it is not installed; it needs torch. PYTHON is the interpreter of an environment with
Flower. A library that cannot be imported is left out, with a sentence. Each aggregation runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from timing import RESULTS, table

SIZES = ((100, 10_000_000), (100, 1_000_000), (1_000, 100_000))
MALICIOUS = 10
"""One client of so many is malicious: it sends the others' direction backwards, ten times as long."""
WORK = Path(__file__).with_name("robust_mean_work.py")
GIB = 2**30
MOST = 16 * GIB
SHARE = 0.6
"""Of the memory that is free."""
# Bytes that the others allocate for each number of the input, from their code: copies, differences, indices.
BYZFL = {
    "mean": 0,
    "median": 5,
    "trimmed-mean": 5,
    "meamed": 32,
    "krum": 17,
    "multi-krum": 17,
    "geometric-median": 15,
    "centred-clipping": 13,
    "nnm+trimmed-mean": 17,
    "arc+trimmed-mean": 10,
}
FLOWER = {"mean": 0, "median": 9, "trimmed-mean": 9, "krum": 16, "multi-krum": 16, "bulyan": 20}
RULES = (*list(BYZFL)[:6], "bulyan", *list(BYZFL)[6:])
MIXES = "nnm+trimmed-mean"
"""ByzFL copies n - f rows for each of n."""


@dataclass(frozen=True)
class Library:
    """How another library is called, and the bytes it allocates for each number."""

    name: str
    python: str
    rules: dict[str, int]
    folder: tuple[str, ...] = ()

    def allocates(self, rule: str, clients: int, coordinates: int) -> float:
        """Return the bytes that it allocates for a rule."""
        each = self.rules[rule] + (4 * clients if self.name == "byzfl" and rule == MIXES else 0)
        return float(each * clients * coordinates)


@contextmanager
def updates(clients: int, coordinates: int) -> Iterator[Path]:
    """Write float32 updates, the same in every run, part by part; they are deleted afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "updates"
        rows = np.memmap(path, dtype=np.float32, mode="w+", shape=(clients, coordinates))
        common = np.random.default_rng(0).standard_normal(coordinates, dtype=np.float32) * np.float32(1e-3)
        for client in range(clients):
            noise = np.random.default_rng((1, client)).standard_normal(coordinates, dtype=np.float32)
            honest = common + np.float32(1e-3) * noise
            rows[client] = honest if client % MALICIOUS else -10 * honest
        del rows
        yield path


def run(library: Library, rule: str, path: Path, clients: int, coordinates: int) -> dict[str, float] | str:
    """Measure an aggregation; the last line of what went wrong, if it did."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    if library.python != sys.executable:
        environment.pop("PYTHONPATH", None)
    arguments = [library.name, rule, str(path), str(clients), str(coordinates), str(clients // MALICIOUS)]
    done = subprocess.run(
        [library.python, str(WORK), *arguments, *library.folder],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def free() -> int:
    """Bytes that a process may still allocate."""
    with open("/proc/meminfo") as lines:
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))


def fits(library: Library, rule: str, clients: int, coordinates: int) -> bool:
    """Whether the other library can aggregate so many coordinates here."""
    return library.allocates(rule, clients, coordinates) <= min(MOST, SHARE * free())


def cells(found: dict[str, float] | str | None) -> list[str]:
    if not isinstance(found, dict):
        return ["-", "-", "-"]
    return [f"{found['wall']:.3g}", f"{found['processor']:.3g}", f"{found['memory'] / 2**20:.0f}"]


def times(theirs: dict[str, float] | str | None, ours: dict[str, float]) -> list[str]:
    if not isinstance(theirs, dict):
        return ["-", "-"]
    return [f"{theirs[clock] / ours[clock]:.1f}" for clock in ("wall", "processor")]


class Comparison:
    """The rows of one table, and what went wrong."""

    def __init__(self, libraries: Sequence[Library]) -> None:
        self.libraries, self.problems = libraries, list[str]()
        self.ours = Library("toadstone", sys.executable, {})

    def row(self, rule: str, path: Path, clients: int, coordinates: int, *, only: str = "") -> list[str]:
        """Measure a rule with every library that has it and the memory for it."""
        ours = run(self.ours, rule, path, clients, coordinates)
        if isinstance(ours, str):
            raise SystemExit(f"bench: {rule} failed: {ours}")
        row = [rule, f"{coordinates:,}", *cells(ours)]
        for library in self.libraries:
            theirs = None
            if rule in library.rules and only in ("", library.name) and fits(library, rule, clients, coordinates):
                theirs = run(library, rule, path, clients, coordinates)
            if isinstance(theirs, str):
                self.problems.append(f"{library.name}, {rule}, {clients:,} x {coordinates:,}: {theirs}")
            row += [*cells(theirs), *times(theirs, ours)]
        print(" | ".join(row), flush=True)
        return row

    def rows(self, clients: int, coordinates: int, sizes: Sequence[tuple[int, int]]) -> list[list[str]]:
        """Measure all rules, and those that do not fit for another library on fewer coordinates too."""
        with updates(clients, coordinates) as path:
            found = [self.row(rule, path, clients, coordinates) for rule in RULES]
        fewer: dict[int, list[tuple[str, str]]] = {}
        for library in self.libraries:
            for rule in library.rules:
                size = coordinates
                while not fits(library, rule, clients, size):
                    size //= 10
                if size < coordinates and (clients, size) not in sizes:
                    fewer.setdefault(size, []).append((rule, library.name))
        for size, those in fewer.items():
            with updates(clients, size) as path:
                found += [self.row(rule, path, clients, size, only=name) for rule, name in those]
        return found


def available(libraries: Sequence[Library]) -> tuple[list[Library], list[str]]:
    """Libraries that can be imported, and a sentence on each other one."""
    present, sentences = [], []
    with updates(10, 2000) as path:
        for library in libraries:
            found = run(library, "mean", path, 10, 2000)
            if isinstance(found, str):
                sentences.append(f"{library.name} was left out: {found}.")
            else:
                present.append(library)
    return present, sentences


def size(text: str) -> tuple[int, int]:
    clients, coordinates = text.lower().split("x")
    return int(clients), int(coordinates)


def main() -> None:
    parser = argparse.ArgumentParser(description="Robust aggregation beside ByzFL and Flower")
    parser.add_argument("--write", action="store_true", help="also write docs/results/robust_mean.md")
    parser.add_argument("--byzfl", metavar="FOLDER", help="folder of ByzFL's package, if it is not installed")
    parser.add_argument("--flower", metavar="PYTHON", default=sys.executable, help="interpreter with Flower")
    parser.add_argument("--sizes", nargs="+", type=size, default=SIZES, metavar="NxD", help="clients x coordinates")
    options = parser.parse_args()
    folder = (options.byzfl,) if options.byzfl else ()
    libraries, sentences = available(
        [Library("byzfl", sys.executable, BYZFL, folder), Library("flower", options.flower, FLOWER)]
    )
    start, comparison = os.getloadavg()[0], Comparison(libraries)
    headings = ["rule", "coordinates", "s", "CPU s", "MiB"]
    for library in libraries:
        headings += [f"{library.name} s", "CPU s", "MiB", "times", "CPU times"]
    blocks = []
    for clients, coordinates in options.sizes:
        rows = comparison.rows(clients, coordinates, options.sizes)
        blocks.append(f"## {clients:,} clients, {coordinates:,} coordinates\n\n{table(headings, rows)}")
    text = "\n\n".join([*introduction(sentences), *blocks, *closing(comparison, start)]) + "\n"
    print(text)
    if options.write:
        (RESULTS / "robust_mean.md").write_text(text, encoding="utf-8")


def introduction(sentences: list[str]) -> list[str]:
    return [
        "# Robust aggregation: seconds and memory",
        "Float32 updates in a memory map, already in the page cache; one client in ten is malicious. Each "
        "aggregation runs in a process of its own, after a small one that imports and compiles, with the "
        "threads that the library takes by itself. Up to 512 MiB of input the shortest of three runs counts "
        "(of one that takes over two seconds the first), above that a single one. `s` is wall time, `CPU s` "
        "processor time of all threads, `MiB` the most anonymous memory of the process (RssAnon, every 5 ms, "
        "so without pages of the map; Python and the libraries are in it), `times` and `CPU times` the "
        "other's seconds over ours.",
        "Ours is `toadstone.federated.aggregate`, admission of the updates included, in double precision. The "
        "others compute in single precision, except for ByzFL's distances; ByzFL's NumPy form is called as it "
        "is, of Flower the functions of its strategies, without messages. The geometric median is ours to a "
        "proven 1e-6, ByzFL's after three steps. Krum and Bulyan are ours as published, which theirs are not "
        "quite. A dash: the library lacks the rule, or would allocate more than 16 GiB, or three fifths of "
        "the free memory, for it; then it is compared on a tenth of the coordinates, or a hundredth.",
        *sentences,
    ]


def closing(comparison: Comparison, start: float) -> list[str]:
    failed = [f"Failed: {problem}." for problem in comparison.problems]
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba"))
    load = f"load average {start:.1f} at the start and {os.getloadavg()[0]:.1f} at the end"
    return [*failed, f"One run of `benchmarks/bench_robust_mean.py` on {os.cpu_count()} cores, {load}; {packages}."]


if __name__ == "__main__":
    main()
