"""A crash is a crash: exit code 3, one sentence, the traceback in a file, nothing half-written, no gate passed."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

COMMANDS = {
    "cost": ("toadstone.front.cost.run_cost", ("rows.csv", "--error", "0.4")),
    "audit": ("toadstone.front.audit.run_audit", ("rows.csv", "--fraction", "0.1", "--ridge", "0.1")),
    "attack": ("toadstone.front.attack.run_attack", ("rows.csv", "--method", "label-flip")),
    "certify": ("toadstone.front.certify.certify_split", ("rows.csv", "--fraction", "0.1")),
    "scan": ("toadstone.front.scan.run_scan", ("rows.csv", "--fail-if-exceeded", "--fail-if-flagged-above", "1")),
    "defend": ("toadstone.front.defend.run_defence", ("rows.csv", "--fail-if-removed-above", "1")),
    "sanitize": ("toadstone.front.sanitize.clean_rows", ("rows.csv",)),
    "evaluate": ("toadstone.front.evaluate.run_evaluation", ("rows.csv", "--attacks", "random-flip")),
    "federate": ("toadstone.front.federate.run_federation_matrix", ("rows.csv", "--clients", "8")),
    "inspect": ("toadstone.front.networks.inspect.current_run", ("models:make", "--images", "rows.csv")),
    "reproduce": ("toadstone.experiments.run.reproduce", ("p17-dogfish",)),
}
WITHOUT_OUT = {
    "verify": ("toadstone.front.certify.read_certificate", ("c.json", "--data", "rows.csv")),
    "datasets": ("toadstone.commands.datasets.columns", ()),
}


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 40)
    X = rng.uniform(0, 1, size=(80, 3)) + 0.5 * y[:, None]
    lines = [f"{a},{b},{c},{label}" for (a, b, c), label in zip(X.tolist(), y, strict=True)]
    (tmp_path / "rows.csv").write_text("a,b,c,label\n" + "\n".join(lines) + "\n")
    return tmp_path


def crash(*_, **__):
    raise ZeroDivisionError("a fault of ours\nin two lines")


def test_every_command_is_here():
    from toadstone.cli import toadstone_command

    assert set(toadstone_command.commands) == {*COMMANDS, *WITHOUT_OUT}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_crash_ends_the_run_and_leaves_the_traceback_beside_out(toadstone, table, monkeypatch, name):
    target, options = COMMANDS[name]
    monkeypatch.setattr(target, crash)
    outcome = toadstone(name, *options, "--out", "found")
    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err.startswith("toadstone: internal failure, which is no fault of your data: ZeroDivisionError: ")
    assert outcome.err.endswith("the traceback is in found.failure.log\n")
    log = (table / "found.failure.log").read_text()
    assert log.startswith("Traceback (most recent call last):")
    assert log.rstrip().endswith("in two lines")
    left = {path.name for path in table.iterdir()} - {"rows.csv", "found.failure.log"}
    # The trials that such a run had finished are kept, for the same command goes on from them.
    assert left == ({"found"} if name in ("evaluate", "federate") else set())


@pytest.mark.parametrize("name", [*COMMANDS, *WITHOUT_OUT])
def test_debug_prints_the_traceback(toadstone, table, monkeypatch, name):
    target, options = (COMMANDS | WITHOUT_OUT)[name]
    monkeypatch.setattr(target, crash)
    outcome = toadstone(name, *options, "--debug")
    assert (outcome.code, outcome.out) == (3, "")
    assert "Traceback (most recent call last):" in outcome.err
    assert [path.name for path in table.iterdir() if path.suffix == ".log"] == []


@pytest.mark.parametrize("name", WITHOUT_OUT)
def test_without_out_the_sentence_names_debug(toadstone, table, monkeypatch, name):
    target, options = WITHOUT_OUT[name]
    monkeypatch.setattr(target, crash)
    outcome = toadstone(name, *options)
    assert outcome.code == 3
    assert outcome.err.endswith("--debug prints the traceback\n")


def test_an_older_log_is_kept(toadstone, table, monkeypatch):
    monkeypatch.setattr("toadstone.front.sanitize.clean_rows", crash)
    (table / "found.failure.log").write_text("mine")
    assert toadstone("sanitize", "rows.csv", "--out", "found").code == 3
    assert (table / "found.failure.log").read_text() == "mine"
    assert (table / "found.failure-2.log").read_text().startswith("Traceback")


@pytest.mark.parametrize("error", [RuntimeError, ValueError, TypeError, np.linalg.LinAlgError])
def test_a_detector_that_crashes_is_not_skipped(toadstone, table, monkeypatch, error):
    def broken(*_, **__):
        raise error("shapes (3,) and (4,) not aligned")

    monkeypatch.setattr("toadstone.detectors.features.spectral.SpectralSignatures.fit", broken)
    outcome = toadstone("scan", "rows.csv", "--detectors", "spectral,mahalanobis", "--fail-if-exceeded")
    assert (outcome.code, outcome.out) == (3, "")
    assert error.__name__ in outcome.err


def test_a_detector_that_refuses_the_data_leaves_gates_undecided(toadstone, table, monkeypatch):
    from toadstone.core.errors import InvalidData

    def refuses(*_, **__):
        raise InvalidData("features: expected images, got a table")

    monkeypatch.setattr("toadstone.detectors.features.spectral.SpectralSignatures.fit", refuses)
    for gate in (("--fail-if-exceeded",), ("--fail-if-flagged-above", 1)):
        outcome = toadstone("scan", "rows.csv", "--detectors", "spectral,mahalanobis", *gate)
        assert outcome.code == 1
        said = " ".join(outcome.err.split())
        assert "gate undecided, which fails: spectral did not run: features: expected images, got a table" in said


def test_a_detector_that_the_user_named_and_that_lacks_trusted_rows_leaves_the_gate_undecided(toadstone, table):
    outcome = toadstone("scan", "rows.csv", "--detectors", "roni,mahalanobis", "--fail-if-flagged-above", 1)
    assert outcome.code == 1
    assert "roni did not run" in outcome.err


def test_a_reader_that_stops_is_no_exceeded_threshold(table):
    command = f"{sys.executable} -m toadstone scan rows.csv --detectors mahalanobis | true; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (141, "")
