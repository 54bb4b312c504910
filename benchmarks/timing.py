"""What every benchmark shares: data, clocks and tables."""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from toadstone.core.dataset import Dataset
from toadstone.datasets.catalogue.load import load, locate

Result = TypeVar("Result")
RESULTS = Path(__file__).parents[1] / "docs" / "results"


def training_rows(name: str) -> Dataset:
    """Real rows from the folder that TOADSTONE_DATA names; ends the program if they are missing."""
    folder = os.environ.get("TOADSTONE_DATA")
    path = locate(name) if folder and Path(folder).is_dir() else None
    if path is None:
        raise SystemExit(f"bench: TOADSTONE_DATA should name a folder that holds {name}, got {folder!r}")
    return load(name).train


def seconds(work: Callable[[], object], *, repeats: int = 3) -> float:
    """The shortest of several runs: the one that other programs disturbed least."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """The result of a single run, and its wall time."""
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def worked(work: Callable[[], Result]) -> tuple[Result, float]:
    """The result of a single run, and its processor time, which other programs hardly disturb."""
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, its first column to the left and the others to the right."""
    rule = ["---", *["---:"] * (len(headings) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [headings, rule, *rows])


def duration(value: float) -> str:
    """Seconds in a unit that needs no exponent."""
    return f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.3g} s"


def publish(name: str, title: str, paragraphs: Sequence[str], packages: Sequence[str]) -> None:
    """Print a result; with ``--write`` also keep it under docs/results."""
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--write", action="store_true", help=f"also write docs/results/{name}.md")
    write = parser.parse_args().write
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    setting = f"One run of `benchmarks/bench_{name}.py` on {platform.machine()}, {os.cpu_count()} cores; {versions}."
    text = "\n\n".join([f"# {title}", *paragraphs, setting]) + "\n"
    print(text)
    if write:
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
