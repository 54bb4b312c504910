"""Processor time of a small scan beside processes that keep every core busy, against the same scan alone.

Threads that wait for each other spin, and on a busy machine they wait long: without a bound on threads this ratio
was 4 to 10 on two cores. The scan runs as a user would start it, with no bound from outside.

Usage: python benchmarks/busy_machine.py

It ends with exit code 1 where the ratio is above 1.5.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from toadstone.pipeline.harness.threads import available_cores

MOST = 1.5
_ROWS, _COLUMNS, _REPEATS = 1000, 20, 3
_BUSY = "while True: pass"
_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_WAIT_POLICY", "OPENBLAS_THREAD_TIMEOUT")


def processor_time(command: list[str]) -> float:
    """Seconds of processor time, user and system, of one run without limits from outside."""
    environment = {name: value for name, value in os.environ.items() if name not in _LIMITS}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def busy_cores(stack: ExitStack) -> None:
    """Keep every core busy until the stack ends."""
    for _ in range(available_cores()):
        burner = subprocess.Popen([sys.executable, "-c", _BUSY])
        stack.callback(burner.wait)
        stack.callback(burner.kill)


def two_classes(path: Path) -> None:
    """Write a table of two classes whose means differ."""
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b"], _ROWS // 2)
    X = rng.normal(size=(_ROWS, _COLUMNS)) + 0.5 * (y == "b")[:, None]
    lines = [",".join([*(f"x{column}" for column in range(_COLUMNS)), "label"])]
    lines += [",".join([*(f"{value:.6g}" for value in row), label]) for row, label in zip(X, y, strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def compare() -> tuple[float, float]:
    """Processor time alone and beside busy processes, the median of several runs in turn."""
    alone: list[float] = []
    beside: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "rows.csv"
        two_classes(table)
        scan = [sys.executable, "-m", "toadstone", "scan", str(table), "--json"]
        processor_time(scan)  # compiles kernels where that has not been done
        for _ in range(_REPEATS):
            alone.append(processor_time(scan))
            with ExitStack() as stack:
                busy_cores(stack)
                beside.append(processor_time(scan))
    return float(np.median(alone)), float(np.median(beside))


if __name__ == "__main__":
    alone, beside = compare()
    cores = available_cores()
    print(
        f"scan of {_ROWS} rows, {_COLUMNS} columns, {cores} cores: {alone:.2f} s of processor time alone, "
        f"{beside:.2f} s beside {cores} busy processes, {beside / alone:.2f} times as much"
    )
    sys.exit(int(beside / alone > MOST))
