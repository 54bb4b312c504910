"""Runs that are killed, interrupted or terminated at many points leave what is right, or nothing."""

from __future__ import annotations

import csv
import importlib.util
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("crash_bench", Path(__file__).with_name("conftest.py"))
bench = sys.modules.setdefault("crash_bench", importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(bench)
pytestmark = pytest.mark.slow
content, orphans, points = bench.content, bench.orphans, bench.points


def finished(made) -> bool:
    """Say whether results are there; if they are, they are the right ones."""
    out = made.folder / "out"
    if not out.exists() or (made.name == "evaluate" and not (out / "matrix.csv").exists()):
        return False
    assert content(out) == made.whole
    return True


def next_run(made) -> None:
    """Run again: unless the first was complete, the result is that of an unbroken run, and nothing else is left."""
    again = made.start()
    _, err = again.communicate(timeout=300)
    if again.returncode == 2:
        assert "which exists" in err
    else:
        assert again.returncode == 0, err
    assert finished(made)
    assert orphans(made.folder) == []
    assert {path.name for path in made.folder.iterdir()} == {"rows.csv", "out"}
    shutil.rmtree(made.folder / "out")


def test_killed(crashing):
    count, killed = points(2, 25), 0
    for number in range(count):
        code, _, err = crashing.stop((number + 0.5) / count, signal.SIGKILL)
        killed += code == -signal.SIGKILL
        assert code in (0, -signal.SIGKILL), err
        assert "Traceback" not in err
        done = finished(crashing)
        # A run that left something is followed by another; all of the few are.
        if done and code == 0:
            shutil.rmtree(crashing.folder / "out")
        else:
            next_run(crashing)
    assert killed >= count // 2
    bench.log(f"| kill -9 | {crashing.name} | {count} | {killed} | {crashing.seconds:.1f} |")


@pytest.mark.parametrize(("number", "right"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
def test_stopped(crashing, number, right):
    count, stopped = points(2, 5), 0
    for point in range(count):
        # From where modules are loaded: before, Python itself has no handler yet.
        code, _, err = crashing.stop(0.2 + 0.75 * (point + 0.5) / count, number, twice=bool(point % 2))
        stopped += code == right
        # While Python itself ends, its handlers are gone: a shell shows the same code, and all results are there.
        assert code in (0, right) or (code == -number and finished(crashing)), err
        assert "Traceback" not in err
        assert "Exception ignored" not in err
        if code == right:
            said = "interrupted; nothing unfinished was left behind"
            assert (said in err) == (right == 130)
        assert orphans(crashing.folder) == []
        if not finished(crashing):
            left = {path.name for path in crashing.folder.iterdir()} - {"rows.csv"}
            assert left <= ({"out"} if crashing.name == "evaluate" else set())
        shutil.rmtree(crashing.folder / "out", ignore_errors=True)
    assert stopped >= count // 2
    bench.log(f"| {number.name} | {crashing.name} | {count} | {stopped} | {crashing.seconds:.1f} |")


def reordered(text: str) -> str:
    head, *rows = text.splitlines(keepends=True)
    return head + "".join(reversed(rows))


CHANGES = {
    "replaced": lambda text: text.replace("0.", "7."),
    "reordered": reordered,
    "truncated": lambda text: text[: len(text) // 2],
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_file_changes_during_the_run(crashing, change):
    if crashing.name not in ("sanitize", "defend"):
        pytest.skip("it writes no rows of the file")
    file = crashing.folder / "rows.csv"
    before = file.read_text()
    changed = CHANGES[change](before)
    count, refused = points(2, 4), 0
    for point in range(count):
        running = crashing.start()
        with suppress(subprocess.TimeoutExpired):
            running.wait((0.1 + 0.9 * point / count) * crashing.seconds)
        file.write_text(changed)
        _, err = running.communicate(timeout=120)
        assert "Traceback" not in err
        assert running.returncode in (0, 2), err
        out = crashing.folder / "out"
        if running.returncode == 0:
            # It read one version, the old or the new, and removed from that version what it says.
            stem = "kept.csv" if crashing.name == "sanitize" else "cleaned.csv"
            table = "removed.csv" if crashing.name == "sanitize" else "removals.csv"
            with (out / table).open(newline="") as stream:
                removed = {int(row["line"]) - 2 for row in csv.DictReader(stream)}
            kept = (out / stem).read_text().splitlines()[1:]
            versions = [text.splitlines()[1:] for text in (before, changed)]
            left = [[row for n, row in enumerate(rows) if n not in removed] for rows in versions]
            assert kept in left
            assert kept != left[0] or content(out) == crashing.whole
            shutil.rmtree(out)
        else:
            refused += 1
            assert not out.exists()
        assert orphans(crashing.folder) == []
        file.write_text(before)
    bench.log(f"| file {change} | {crashing.name} | {count} | {refused} refused | {crashing.seconds:.1f} |")
