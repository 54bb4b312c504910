"""What reaches a terminal, a pipe, and nobody."""

import os
import pty
import re
import select
import subprocess
import sys
import termios
import warnings

import click
import pytest

from toadstone.console import complain, in_options, retell, usage_sentence

WORK = """
import sys, time
from toadstone.console import Progress
with Progress("reading", {total}) as progress:
    progress.announce("counting")
    progress.step()
    time.sleep({seconds})
"""


def on_a_terminal(code):
    """What a terminal of 80 columns receives on standard error."""
    reader, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=terminal)
    os.close(terminal)
    received = b""
    while select.select([reader], [], [], 60)[0]:
        try:
            received += os.read(reader, 4096)
        except OSError:
            break
    os.close(reader)
    assert running.wait(timeout=60) == 0
    return received.decode()


def test_progress_shows_after_two_seconds():
    shown = on_a_terminal(WORK.format(total=3, seconds=3.5))
    assert re.search(r"counting, 1 of 3 \|[^|]+\| 00:0[23]", shown)
    assert shown.endswith("\r")


def test_progress_without_a_total_shows_the_time():
    shown = on_a_terminal(WORK.format(total=None, seconds=3))
    assert re.search(r"counting, 00:0[23]", shown)
    assert "|" not in shown


def test_short_work_shows_no_progress():
    assert on_a_terminal(WORK.format(total=3, seconds=0.5)) == ""


def on_a_pipe(code, *arguments):
    """What a pipe receives on standard error, where the first line comes after half a second."""
    hurried = "import toadstone.console\ntoadstone.console._FIRST_LINE = 0.5\n" + code
    run = [sys.executable, "-c", hurried, *arguments]
    return subprocess.run(run, capture_output=True, check=True, text=True).stderr


def test_no_terminal_a_line_now_and_then():
    shown = on_a_pipe(WORK.format(total=3, seconds=2.0)).splitlines()
    assert len(shown) == 2
    assert all(re.fullmatch(r"toadstone: counting, 1 of 3 steps, [0-3] s so far", line) for line in shown)


def test_the_rest_is_estimated_from_steps_since_the_last_line():
    shown = on_a_pipe(
        "import time\nfrom toadstone.console import Progress\nwith Progress('trials', 100) as progress:\n"
        "    for _ in range(5): progress.step()\n    time.sleep(0.7)\n"
        "    for _ in range(5): progress.step()\n    time.sleep(1.0)\n"
    ).splitlines()
    assert re.fullmatch(
        r"toadstone: trials, 5 of 100 steps, [01] s so far, about (9|1\d) s to go at this pace", shown[0]
    )
    assert re.fullmatch(
        r"toadstone: trials, 10 of 100 steps, [12] s so far, about (1[89]|2\d) s to go at this pace", shown[1]
    )


def test_no_terminal_no_progress_of_short_work():
    run = [sys.executable, "-c", WORK.format(total=3, seconds=2.6)]
    assert subprocess.run(run, capture_output=True, check=True).stderr == b""


def test_quiet_shows_no_progress():
    assert on_a_pipe(WORK.format(total=3, seconds=2.0), "--quiet") == ""


def test_quiet_shows_no_notes_but_errors(toadstone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{row % 7},{row % 3},{row % 2}\n" for row in range(60))
    (tmp_path / "rows.csv").write_text("a,b,label\n" + rows)
    command = ("audit", "rows.csv", "--fraction", "0", "--attacks", "none", "--ridge", "0.1", "--json")
    assert "note: the report is" in toadstone(*command).err
    (tmp_path / "audit-rows").rename(tmp_path / "first")
    assert toadstone(*command, "--quiet").err == ""
    assert "exists" in toadstone(*command, "--quiet").err


def test_a_complaint_is_one_line_whatever_the_data_say(capsys):
    complain("x.csv: got 'a\nb\x1b[31m'")
    assert capsys.readouterr().err == "toadstone: x.csv: got 'a b\\x1b[31m'\n"


def test_warnings_are_counted_by_their_place(capsys):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for number in range(3):
            warnings.warn(f"first {number}", UserWarning, stacklevel=1)
        warnings.warn("second", UserWarning, stacklevel=1)
    retell(caught)
    assert capsys.readouterr().err.splitlines() == [
        "toadstone: note: first 0 (and 2 more like it)",
        "toadstone: note: second",
    ]


def test_only_known_arguments_become_options():
    options = {"norm_squared": "--norm-squared"}
    assert in_options("`norm_squared`: expected", options) == "`--norm-squared`: expected"
    assert in_options("`folds`: expected", options) == "`folds`: expected"
    assert in_options("a.csv: got 1; `norm_squared` bounds it", options) == "a.csv: got 1; `--norm-squared` bounds it"


@click.group("tool")
def tool():
    pass


@tool.command("count")
@click.option("--share", type=float)
@click.option("--times", type=int)
@click.option("--kind", type=click.Choice(["a", "b"]))
@click.argument("data")
def count(**_):
    pass


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("count x --share y", "`--share`: expected a number, got 'y'; see `tool count --help`"),
        ("count x --times 1.5", "`--times`: expected a whole number, got '1.5'; see `tool count --help`"),
        ("count x --kind c", "`--kind`: 'c' is not one of 'a', 'b'; see `tool count --help`"),
        ("count", "missing argument 'DATA'; see `tool count --help`"),
    ],
)
def test_usage_in_one_sentence(line, sentence):
    with pytest.raises(click.ClickException) as caught:
        tool.main(line.split(), prog_name="tool", standalone_mode=False)
    assert usage_sentence(caught.value) == sentence
