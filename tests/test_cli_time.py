"""The command line and time: runs that should end, and thresholds on what is unfinished."""

from __future__ import annotations

import pytest

import toadstone as package
from toadstone.pipeline.harness.clock import Deadline
from toadstone.records.scan import ScanRecord


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "rows.csv"
    rows = [f"{row % 7},{row % 5},{row * row % 11},{'ham' if row % 2 else 'spam'}" for row in range(120)]
    path.write_text("\n".join(["a,b,c,label", *rows]) + "\n")
    return path


def test_a_scan_without_time_is_undecided_and_fails_every_threshold(toadstone, table):
    short = ("scan", table, "--max-seconds", "1e-6")
    run = toadstone(*short)
    assert run.code == 0
    assert "detectors did not run" in " ".join(run.out.split())
    assert "the result is undecided" in " ".join(run.out.split())
    for threshold in (("--fail-if-flagged-above", "1"), ("--fail-if-exceeded",)):
        failed = toadstone(*short, *threshold)
        assert failed.code == 1
        assert "undecided" in failed.err


def test_one_detector_without_time_is_enough_for_an_undecided_gate(toadstone, table, monkeypatch):
    looks = iter([False, False])
    monkeypatch.setattr(Deadline, "passed", property(lambda self: next(looks, self.seconds is not None)))
    command = ("scan", table, "--detectors", "mahalanobis,spectral", "--max-seconds", "100", "--fail-if-exceeded")
    failed = toadstone(*command)
    assert failed.code == 1
    said = " ".join(failed.err.split())
    assert "undecided" in said
    assert "1 of 2 detectors did not run" in said


def test_a_record_of_an_unfinished_scan_is_valid(toadstone, table):
    run = toadstone("scan", table, "--max-seconds", "1e-6", "--json")
    record = ScanRecord.from_json(run.out)
    assert all("--max-seconds" in report.skipped for report in record.detectors.values())


def test_a_defence_without_time_is_refused(toadstone, table):
    run = toadstone("defend", table, "--max-seconds", "1e-6")
    assert run.code == 2
    expected = "expected enough for the verdict, got 1e-06, which were over before it; give more"
    assert run.err == f"toadstone: `--max-seconds`: {expected}\n"


def test_a_defence_that_was_not_measured_is_undecided(toadstone, table, monkeypatch, listing):
    listing(1)
    checked = table.parent / "checked.csv"
    checked.write_text("a,b,c,label\n0.5,1,2,ham\n1.5,1,3,spam\n")
    looks = iter([False])
    monkeypatch.setattr(Deadline, "passed", property(lambda self: next(looks, self.seconds is not None)))
    failed = toadstone("defend", table, "--trusted", checked, "--max-seconds", "5", "--fail-if-removed-above", "0.4")
    assert failed.code == 1
    assert "the accuracy was not measured; the result is undecided: give more seconds, or a model" in failed.err


def test_numeric_targets_have_a_time_too(toadstone, tmp_path, monkeypatch):
    rows = [f"{row},{row % 7},{3 * row + row * row % 5}" for row in range(120)]
    rows[50] = "50,1,9999"
    (tmp_path / "homes.csv").write_text("\n".join(["size,rooms,price", *rows]) + "\n")
    (tmp_path / "checked.csv").write_text("size,rooms,price\n10.5,3,33\n20.5,2,64\n30.5,1,93\n")
    named = (tmp_path / "homes.csv", "--target", "price")
    for command in ("scan", "defend"):
        refused = toadstone(command, *named, "--max-seconds", "1e-6")
        assert (refused.code, refused.err.count("`--max-seconds`: expected enough for the verdict, got 1e-06")) == (
            2,
            1,
        )
    assert toadstone("scan", *named, "--max-seconds", "600").code == 0
    looks = iter([False])
    monkeypatch.setattr(Deadline, "passed", property(lambda self: next(looks, self.seconds is not None)))
    limits = ("--max-seconds", "600", "--fail-if-removed-above", "0.4")
    part = toadstone("defend", *named, "--trusted", tmp_path / "checked.csv", *limits)
    assert part.code == 1
    assert "the errors were not measured; the result is undecided" in part.err
    assert "Unfinished: the 600 seconds" in part.out


def test_an_evaluation_without_time_is_undecided_and_goes_on_later(toadstone, table, tmp_path, monkeypatch):
    command = ("evaluate", table, "--attacks", "random-flip", "--defences", "mahalanobis", "--seeds", "1")
    out = ("--workers", "1", "--out", tmp_path / "out", "--fail-if-missed-by-all")
    assert toadstone(*command, *out, "--max-seconds", "1e-6").code == 2
    limit = iter([False] * 4)
    monkeypatch.setattr(Deadline, "passed", property(lambda self: next(limit, self.seconds is not None)))
    short = toadstone(*command, *out, "--max-seconds", "5")
    assert short.code == 1
    assert "trials did not run; the result is undecided" in " ".join(short.err.split())
    monkeypatch.undo()
    whole = toadstone(*command, *out)
    assert "undecided" not in whole.err
    assert "did not run" not in whole.out


def test_an_audit_without_time_is_refused_in_one_sentence(toadstone, table, tmp_path):
    run = toadstone("audit", table, "--max-seconds", "1e-6", "--out", tmp_path / "out")
    assert run.code == 2
    assert "`--max-seconds`: expected enough for the certificates" in " ".join(run.err.split())
    assert not (tmp_path / "out").exists()


def test_the_limit_must_be_a_positive_number(toadstone, table):
    run = toadstone("scan", table, "--max-seconds", "0")
    assert run.code == 2
    assert "`--max-seconds`: expected a positive number, got 0" in run.err


def test_python_says_what_is_unfinished(table):
    result = package.scan(table, max_seconds=1e-6)
    assert "detectors did not run" in result.unfinished
    assert "Unfinished: the 1e-06 seconds" in str(result)
    assert package.scan(table, detectors="mahalanobis", max_seconds=600).unfinished == ""


def test_without_a_limit_nothing_is_unfinished(table):
    assert package.scan(table, detectors="mahalanobis").unfinished == ""
    assert package.defend(table).unfinished == ""
