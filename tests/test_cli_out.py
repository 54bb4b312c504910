"""Whatever happens to `--out`: two runs at once, an older result, a full disk, a folder that is none."""

from __future__ import annotations

import resource
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest

COMMANDS = {
    "audit": ("--fraction", "0.1", "--ridge", "0.1", "--attacks", "none", "--tolerance", "0.1"),
    "certify": ("--fraction", "0.1", "--ridge", "0.1", "--tolerance", "0.1"),
    "scan": ("--detectors", "spectral"),
    "defend": (),
    "sanitize": (),
    "evaluate": ("--attacks", "random-flip", "--defences", "label-errors,l2", "--seeds", "1", "--workers", "1"),
    "federate": (
        *("--clients", "8", "--malicious", "2", "--attacks", "ipm", "--rules", "median", "--seeds", "1"),
        *("--rounds", "3", "--split", "iid", "--workers", "1"),
    ),
    "attack": ("--method", "label-flip", "--ridge", "0.1", "--workers", "1"),
}
GO_ON = ("evaluate", "federate")
"""Commands whose folder holds finished trials, from which the same command goes on."""


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 40)
    X = rng.uniform(0, 1, size=(80, 3)) + 0.5 * y[:, None]
    lines = [f"{a},{b},{c},{label}" for (a, b, c), label in zip(X.tolist(), y, strict=True)]
    (tmp_path / "rows.csv").write_text("a,b,c,label\n" + "\n".join(lines) + "\n")
    return tmp_path


def entries(folder):
    return {path.name for path in folder.iterdir()}


def fingerprint(path):
    """The names and the inode of a result, to know it again."""
    return path.stat().st_ino, sorted(entries(path)) if path.is_dir() else None


@pytest.mark.parametrize("name", COMMANDS)
def test_force_replaces_an_older_result_and_nothing_else_does(toadstone, table, name):
    options = (name, "rows.csv", *COMMANDS[name], "--out", "found")
    assert toadstone(*options).code == 0
    first = fingerprint(table / "found")
    again = toadstone(*options)
    if name in GO_ON:
        assert again.code == 0
    else:
        assert (again.code, again.out) == (2, "")
        assert "--force replaces" in again.err
    assert fingerprint(table / "found") == first
    assert toadstone(*options, "--force").code == 0
    second = fingerprint(table / "found")
    assert second[0] != first[0]
    assert second[1] == first[1]
    assert entries(table) == {"rows.csv", "found"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_refused_run_keeps_the_older_result(toadstone, table, name):
    assert toadstone(name, "rows.csv", *COMMANDS[name], "--out", "found").code == 0
    first = fingerprint(table / "found")
    (table / "bad.csv").write_text("a,label\n1,0\nx,1\n")
    outcome = toadstone(name, "bad.csv", *COMMANDS[name], "--out", "found", "--force")
    assert outcome.code == 2
    assert "column 'a'" in outcome.err or "bad.csv" in outcome.err
    assert fingerprint(table / "found") == first
    assert entries(table) == {"rows.csv", "bad.csv", "found"}


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("audit",)])
def test_force_without_out_has_nothing_to_replace(toadstone, table, name):
    outcome = toadstone(name, "rows.csv", *COMMANDS[name], "--force")
    assert (outcome.code, outcome.err) == (2, "toadstone: `--force`: expected --out beside it, got none\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_force_never_replaces_what_is_read_or_what_others_wrote(toadstone, table, name):
    archive = name == "attack"
    out = "rows.csv" if archive else "mine"
    if not archive:
        (table / "mine").mkdir()
        (table / "mine" / "kept.csv").write_bytes((table / "rows.csv").read_bytes())
    data = "rows.csv" if archive else "mine/kept.csv"
    outcome = toadstone(name, data, *COMMANDS[name], "--out", out, "--force")
    assert outcome.code == 2
    assert "a place without files that this run reads" in outcome.err
    (table / "notes").mkdir()
    (table / "notes" / "mine.txt").write_text("mine")
    outcome = toadstone(name, "rows.csv", *COMMANDS[name], "--out", "notes", "--force")
    assert outcome.code == 2
    assert "results to replace" in outcome.err or "poison rows to replace" in outcome.err
    assert (table / "notes" / "mine.txt").read_text() == "mine"


def test_attack_replaces_archives_only(toadstone, table):
    (table / "text.npz").write_text("mine")
    outcome = toadstone("attack", "rows.csv", *COMMANDS["attack"], "--out", "text.npz", "--force")
    assert (outcome.code, (table / "text.npz").read_text()) == (2, "mine")


HOLD = (
    "import sys; from toadstone.core.claims import claimed\nwith claimed('found'): print(flush=True); sys.stdin.read()"
)


@pytest.mark.parametrize("force", [(), ("--force",)])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_second_run_is_refused_at_the_start(toadstone, table, monkeypatch, name, force):
    from toadstone.front import inputs

    def read(*_, **__):
        raise AssertionError("it began to read")

    monkeypatch.setattr(inputs, "open_requested", read)
    first = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    first.stdout.readline()
    outcome = toadstone(name, "rows.csv", *COMMANDS[name], "--out", "found", *force)
    assert (outcome.code, outcome.out) == (2, "")
    expected = "toadstone: `--out`: expected a name that no other run writes to, got found, to which one is writing\n"
    assert outcome.err == expected
    first.communicate("")
    assert entries(table) == {"rows.csv"}


@contextmanager
def files_of_at_most(size):
    """A limit on the size of files: a full disk that needs no mount."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["new", "force"])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_names_out_and_leaves_what_was_there(toadstone, table, name, force):
    options = [name, "rows.csv", *COMMANDS[name], "--out", "found"]
    # Compiled code is cached on disk, for which there must be room: that is not what this test is about.
    assert toadstone(*options).code == 0
    before = fingerprint(table / "found")
    if not force:
        (table / "found").rename(table / "elsewhere")
    with files_of_at_most(100):
        outcome = toadstone(*options, *force)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == ("toadstone: `--out`: expected a disk with room for the results, got found: file too large\n")
    if name in GO_ON:
        # Its journal stays, for the same command goes on from it.
        assert entries(table / "found") == {"trials.jsonl"}
    else:
        assert entries(table) == {"rows.csv", "found" if force else "elsewhere"}
        assert not force or fingerprint(table / "found") == before


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_in_place_of_the_folder_names_out(toadstone, table, name):
    outcome = toadstone(name, "rows.csv", *COMMANDS[name], "--out", "rows.csv/found")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("toadstone: `--out`: expected a ")
    assert outcome.err.endswith("can be created, got rows.csv/found: not a directory\n")


def test_evaluate_goes_on_without_force_and_begins_anew_with_it(toadstone, table):
    options = ("evaluate", "rows.csv", *COMMANDS["evaluate"], "--out", "found")
    assert toadstone(*options).code == 0
    trials = (table / "found" / "trials.jsonl").read_bytes()
    (table / "found" / "trials.jsonl").write_bytes(b"".join(trials.splitlines(keepends=True)[:3]))
    assert toadstone(*options).code == 0
    assert {*(table / "found" / "trials.jsonl").read_bytes().splitlines()[:3]} <= {*trials.splitlines()}
    other = ("evaluate", "rows.csv", *COMMANDS["evaluate"], "--fraction", "0.2", "--out", "found")
    assert "which holds another" in toadstone(*other).err
    assert toadstone(*other, "--force").code == 0
    assert (table / "found" / "trials.jsonl").read_bytes() != trials
