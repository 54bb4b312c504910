"""Ctrl-C and SIGTERM end a run in 130 and 143 without a traceback, wherever they arrive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import click
import numpy as np
import pytest

from toadstone import signals

SENT = [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
ROOT = {130: KeyboardInterrupt, 143: lambda: SystemExit(143)}


@pytest.fixture(autouse=True)
def heard():
    """Signals reach programs that a test starts, even if its own shell told it to ignore them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    lines = [f"{a:.3f},{b:.3f},{int(a > 0)}" for a, b in rng.normal(size=(200, 2))]
    (tmp_path / "rows.csv").write_text("a,b,label\n" + "\n".join(lines) + "\n")
    return tmp_path


def wrapped(root: BaseException, links: str) -> BaseException:
    """An exception whose chain leads to the root, by causes (c), contexts (x) and groups (g)."""
    error = root
    for link in links:
        outer = BaseExceptionGroup("tasks", [error]) if link == "g" else RuntimeError("wrapped")
        if link == "c":
            outer.__cause__ = error
        if link == "x":
            outer.__context__ = error
        error = outer
    return error


@pytest.mark.parametrize("links", ["", "c", "x", "cc", "xcx", "xxxxxxcc", "g", "gcx", "xg"])
@pytest.mark.parametrize("code", [130, 143])
def test_the_whole_chain_is_looked_at(toadstone, table, monkeypatch, links, code):
    def broken(*_, **__):
        raise wrapped(ROOT[code](), links)

    monkeypatch.setattr("toadstone.front.sanitize.clean_rows", broken)
    outcome = toadstone("sanitize", "rows.csv", "--out", "o")
    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.err.strip() == ("toadstone: interrupted; nothing unfinished was left behind" if code == 130 else "")
    assert [path.name for path in table.iterdir()] == ["rows.csv"]


def test_a_chain_that_bites_its_tail_ends(toadstone, table, monkeypatch):
    error = wrapped(ValueError("ours"), "cx")
    error.__cause__ = error
    assert signals.code_behind(error) is None


@pytest.mark.parametrize("error", [SystemExit(1), RuntimeError("x"), click.ClickException("x")])
def test_other_ends_are_no_signal(error):
    assert signals.code_behind(wrapped(error, "cx")) is None


def run(program: str, *, timeout: float = 60) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=timeout, check=False)


@pytest.mark.parametrize(("sent", "code"), SENT)
@pytest.mark.parametrize("replaced", ["raise ImportError('half initialised') from None", "raise ValueError('x')"])
def test_an_exception_that_knows_nothing_of_the_signal(table, sent, code, replaced):
    program = f"""
import os, sys
import toadstone.front.sanitize as room
from toadstone.__main__ import main

def replaces(*_, **__):
    failed = False
    try:
        os.kill(os.getpid(), {int(sent)})
        sum(range(10**6))
    except BaseException:
        failed = True
    {replaced}

room.clean_rows = replaces
sys.argv = ["toadstone", "sanitize", "rows.csv", "--out", "o"]
main()
"""
    finished = run(program)
    assert finished.returncode == code
    assert "Traceback" not in finished.stderr
    assert [path.name for path in table.iterdir()] == ["rows.csv"]


@pytest.mark.parametrize(("sent", "code"), SENT)
def test_a_destructor_that_swallows_it_prints_nothing(table, sent, code):
    program = f"""
import os, sys, time
import toadstone.front.sanitize as room, toadstone.signals
from toadstone.__main__ import main

class Heavy:
    def __del__(self):
        os.kill(os.getpid(), {int(sent)})
        sum(range(10**6))

def works(*_, **__):
    heavy = Heavy()
    del heavy
    time.sleep(30)

room.clean_rows, toadstone.signals._PATIENCE = works, 0.3
sys.argv = ["toadstone", "sanitize", "rows.csv", "--out", "o"]
main()
"""
    finished = run(program)
    assert finished.returncode == code
    assert finished.stderr.strip() == (
        "toadstone: interrupted; nothing unfinished was left behind" if code == 130 else ""
    )


@pytest.mark.parametrize(("sent", "code"), SENT)
@pytest.mark.parametrize("module", ["click", "toadstone.commands.audit", "numpy", "scipy.sparse", "numba"])
def test_a_signal_while_modules_are_imported(table, sent, code, module):
    program = f"""
import os, sys

class Sends:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r} and not self.sent:
            self.sent = True
            os.kill(os.getpid(), {int(sent)})
    sent = False

sys.meta_path.insert(0, Sends())
from toadstone.__main__ import main
sys.argv = ["toadstone", "audit", "rows.csv", "--fraction", "0.1", "--out", "o"]
main()
"""
    finished = run(program)
    assert finished.returncode == code
    assert "Traceback" not in finished.stderr
    assert [path.name for path in table.iterdir()] == ["rows.csv"]


@pytest.mark.parametrize(("sent", "code"), SENT)
@pytest.mark.parametrize("place", ["pathlib.Path.rename", "pathlib.Path.replace", "os.write", "csv.writer"])
def test_a_signal_while_results_are_written(table, sent, code, place):
    module, name = place.rsplit(".", 1)
    owner = "pathlib.Path" if "Path" in module else module
    program = f"""
import csv, os, pathlib, sys
from toadstone.__main__ import main
real = {owner}.{name}

def sends(*given, **named):
    found = real(*given, **named)
    if "toadstone.report.files.places" in sys.modules:
        os.kill(os.getpid(), {int(sent)})
    return found

{owner}.{name} = sends
sys.argv = ["toadstone", "sanitize", "rows.csv", "--out", "o"]
main()
"""
    finished = run(program)
    assert "Traceback" not in finished.stderr
    if place == "os.write":
        assert finished.returncode == 0
        return
    assert finished.returncode == code
    # Either the folder was renamed before, and is whole, or nothing is left of it.
    left = {path.name for path in table.iterdir()}
    assert left in ({"rows.csv"}, {"rows.csv", "o"})
    if "o" in left:
        assert {path.name for path in (table / "o").iterdir()} == {"kept.csv", "removed.csv"}


@pytest.mark.parametrize(("sent", "code"), SENT)
def test_a_signal_to_all_processes_twice_while_workers_compute(tmp_path, monkeypatch, sent, code):
    monkeypatch.chdir(tmp_path)
    program = """
import os, sys, time
import toadstone.front.sanitize as room
from toadstone.__main__ import main

def sleeps(mark):
    open(mark, "w").close()
    time.sleep(30)

def works(*_, **__):
    from joblib import Parallel, delayed
    Parallel(n_jobs=2)(delayed(time.sleep)(0.3) for _ in range(2))
    Parallel(n_jobs=2)(delayed(sleeps)(f"mark-{number}") for number in range(4))

room.clean_rows = works
sys.argv = ["toadstone", "sanitize", "digits-1-7", "--out", "o"]
main()
"""
    running = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("mark-*"))) < 2:
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.05)
    for _ in range(2):
        os.killpg(running.pid, sent)
        time.sleep(0.05)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (code, "")
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith("mark")] == []


def test_an_interrupt_within_code_from_a_string_ends_as_any_other(table):
    (table / "program.py").write_text("""
import sys
import toadstone.commands.sanitize as room
from joblib.externals.loky import get_reusable_executor  # it runs code from strings while it loads
from toadstone.__main__ import main

def interrupted(*_, **__):
    exec("import os, signal\\nos.kill(os.getpid(), signal.SIGINT)\\nfor _ in range(10**7): pass")

room.show = interrupted
sys.argv = ["toadstone", "sanitize", "rows.csv"]
main()
""")
    # Only `python -m` looks at what Python remembers of handled interrupts.
    command = [sys.executable, "-m", "program"]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=table, timeout=60, check=False)
    assert finished.returncode == 130, finished.stderr
