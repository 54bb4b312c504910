"""Runs of the command that are stopped at chosen points of their own time."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

COMMANDS = {
    "sanitize": ("--method", "knn"),
    "defend": (),
    "audit": ("--fraction", "0.05", "--ridge", "0.1", "--attacks", "label-flip", "--workers", "1"),
    "evaluate": ("--attacks", "random-flip,noise", "--defences", "mahalanobis,l2", "--seeds", "2", "--workers", "1"),
}
ORPHAN = (".part", ".old", ".lock")
_VARYING = {"created", "seconds", "peak_memory_mb", "command", "threads", "cpu_seconds", "timings"}


@pytest.fixture(autouse=True)
def heard():
    """Interrupts reach programs that a test starts, even if its own shell told it to ignore them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def points(few: int, many: int) -> int:
    """How often a run is stopped: a few times, or by `make crash` many."""
    return many if os.environ.get("TOADSTONE_CRASH") == "all" else few


def log(row: str) -> None:
    """Add a row to the table that `make crash` keeps."""
    if "TOADSTONE_CRASH_LOG" in os.environ:
        with open(os.environ["TOADSTONE_CRASH_LOG"], "a", encoding="utf-8") as table:
            table.write(f"{row}\n")


def steady(part):
    """A record without times, places and the like."""
    if isinstance(part, dict):
        return {key: steady(value) for key, value in part.items() if key not in _VARYING}
    return [steady(value) for value in part] if isinstance(part, list) else part


def content(folder: Path) -> dict[str, object]:
    """What a folder of results says, but for times, pages and the order of a journal."""
    found: dict[str, object] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".json":
            found[path.name] = steady(json.loads(path.read_text()))
        elif path.suffix == ".csv" and path.name != "matrix.csv":
            found[path.name] = path.read_bytes()
        else:
            found[path.name] = path.stat().st_size > 0
    found.get("certificate.json", {}).pop("arrays_sha256", None)  # type: ignore[attr-defined]
    found.get("certificate.json", {}).pop("sha256", None)  # type: ignore[attr-defined]
    return found


def orphans(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob(".*") if path.suffix in ORPHAN)


@dataclass
class Bench:
    """A folder with data, and a command over them with the result and the time of an unbroken run."""

    folder: Path
    name: str
    options: tuple[str, ...]
    seconds: float = 0.0
    whole: dict[str, object] = field(default_factory=dict)

    def start(self, out: str = "out", data: str = "rows.csv") -> subprocess.Popen[str]:
        line = [sys.executable, "-m", "toadstone", self.name, data, *self.options, "--out", out]
        return subprocess.Popen(
            line, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def measure(self) -> None:
        for _ in range(2):
            # The first may compile; the second is measured.
            shutil.rmtree(self.folder / "out", ignore_errors=True)
            begin = time.monotonic()
            running = self.start()
            _, err = running.communicate(timeout=300)
            assert running.returncode == 0, err
            self.seconds = time.monotonic() - begin
        self.whole = content(self.folder / "out")
        shutil.rmtree(self.folder / "out")

    def stop(self, point: float, number: signal.Signals, twice: bool = False) -> tuple[int, str, str]:
        """Send a signal at a share of the run's time."""
        running = self.start()
        time.sleep(point * self.seconds)
        for _ in range(1 + twice):
            try:
                os.killpg(running.pid, number)
            except ProcessLookupError:
                break
        out, err = running.communicate(timeout=120)
        return running.returncode, out, err


@pytest.fixture(scope="module", params=COMMANDS)
def crashing(request, tmp_path_factory) -> Bench:
    folder = tmp_path_factory.mktemp(request.param)
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 60)
    X = rng.normal(size=(120, 4)) + y[:, None]
    rows = "".join(",".join(f"{v:.4f}" for v in row) + f",{label}\n" for row, label in zip(X.tolist(), y, strict=True))
    (folder / "rows.csv").write_text("a,b,c,d,label\n" + rows)
    made = Bench(folder, request.param, COMMANDS[request.param])
    made.measure()
    return made
