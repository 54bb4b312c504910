"""The command line as a user meets it: results, gates, JSON, help, interruption."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
import warnings

import click
import jsonschema
import numpy as np
import pytest

import toadstone as package
from toadstone.cli import toadstone_command
from toadstone.pipeline.certify import CertifiedSplit
from toadstone.pipeline.sanitize import clean_rows
from toadstone.report.files.schema import load_schema

FIELDS = {"bound", "attack_value", "gap", "fraction", "assumptions"}
AUDITED = {
    "report.html",
    "record.json",
    "certificate.json",
    "certificate.npz",
    "suspects.csv",
    "poison.npz",
}


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Two overlapping classes as a table, in an otherwise empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 30)
    X = rng.normal(size=(60, 3)) + 1.2 * y[:, None]
    with open("rows.csv", "w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["a", "b", "c", "label"])
        table.writerows([*row, "spam" if label else "ham"] for row, label in zip(X.tolist(), y, strict=True))
    return tmp_path / "rows.csv"


def entries(folder):
    return {path.name for path in folder.iterdir()}


def spawn(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "toadstone", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def test_audit_writes_a_whole_folder(toadstone, table):
    outcome = toadstone("audit", "rows.csv", "--fraction", 0.1, "--ridge", 0.1, "--out", "report", "--quiet")
    assert (outcome.code, outcome.err) == (0, "")
    assert entries(table.parent) == {"rows.csv", "report"}
    assert entries(table.parent / "report") == AUDITED
    assert outcome.out.rstrip().endswith("Report: report/report.html")
    record = json.loads((table.parent / "report" / "record.json").read_text())
    jsonschema.validate(record, load_schema("audit"))
    assert record["header"]["command"] == "toadstone audit rows.csv --fraction 0.1 --ridge 0.1 --out report --quiet"
    certificate = json.loads((table.parent / "report" / "certificate.json").read_text())
    assert certificate.keys() >= FIELDS
    assert certificate["fraction"] == 0.1


def test_audit_names_its_folder_and_says_so(toadstone, table):
    outcome = toadstone("audit", "rows.csv", "--fraction", 0.1, "--ridge", 0.1, "--attacks", "none", "--json")
    assert outcome.code == 0
    jsonschema.validate(json.loads(outcome.out), load_schema("audit"))
    assert outcome.err == "toadstone: note: the report is audit-rows/report.html\n"
    assert entries(table.parent / "audit-rows") == AUDITED


def test_audit_matrix_has_every_defence(toadstone, table):
    outcome = toadstone("audit", "rows.csv", "--fraction", 0.1, "--ridge", 0.1)
    figures = dict(re.findall(r"^  ([\w ]+?)\s+([\d.]+(?: +[\d.]+){4})", outcome.out, flags=re.MULTILINE))
    assert list(figures) == ["no defence", "l2", "slab", "loss", "svd", "knn", "verdict"]
    record = json.loads((table.parent / "audit-rows" / "record.json").read_text())
    bare = [100 * run["test_error"] for run in record["evaluations"] if run["sanitizer"] == "none"]
    assert [float(figure) for figure in figures["no defence"].split()] == pytest.approx(bare, abs=0.05)


@pytest.mark.parametrize("fraction", [0, 0.001])
def test_audit_without_any_poison_row(toadstone, table, fraction):
    outcome = toadstone("audit", "rows.csv", "--fraction", fraction, "--ridge", 0.1, "--out", "r")
    assert outcome.code == 0
    assert entries(table.parent / "r") == AUDITED - {"poison.npz"}


def test_certify_prints_a_list(toadstone, table):
    outcome = toadstone("certify", "rows.csv", "--fraction", 0.1, "--fraction", 0.01, "--ridge", 0.1, "--json")
    certificates = json.loads(outcome.out)
    assert (outcome.code, outcome.err) == (0, "")
    assert [certificate["fraction"] for certificate in certificates] == [0.1, 0.01]
    assert all(certificate.keys() >= FIELDS for certificate in certificates)
    assert all(certificate["attack_value"] <= certificate["bound"] for certificate in certificates)


def test_shown_bounds_are_rounded_up_and_attacks_down(toadstone, table):
    options = ("certify", "rows.csv", "--fraction", 0.013, "--fraction", 0.1, "--ridge", 0.1, "--tolerance", 0.01)
    stated = json.loads(toadstone(*options, "--json").out)
    shown = re.findall(r"^ +([\d.]+) +\d+ +([\d.]+) +([\d.]+)$", toadstone(*options).out, flags=re.MULTILINE)
    assert len(shown) == 2
    for (fraction, attack, bound), certificate in zip(shown, stated, strict=True):
        assert float(fraction) == certificate["fraction"]
        assert float(attack) <= certificate["attack_value"] < float(attack) + 1e-4
        assert float(bound) - 1e-4 < certificate["bound"] <= float(bound)


def test_certificates_on_disk_verify(toadstone, table):
    options = ("--fraction", 0.1, "--fraction", 0.1000000001, "--norm-squared", 4, "--out", "certificates")
    outcome = toadstone("certify", "rows.csv", *options)
    assert outcome.code == 0
    assert "Written to certificates." in outcome.out
    found = sorted((table.parent / "certificates").glob("*.json"))
    assert [path.name for path in found] == ["certificate-0.1.json", "certificate-0.1000000001.json"]
    for path in found:
        assert toadstone("verify", path, "--data", "rows.csv").out.startswith("Verified: at fraction 0.1")
    verified = json.loads(toadstone("verify", found[0], "--data", "rows.csv", "--json").out)
    assert verified["verified"] is True
    assert verified.keys() >= FIELDS


def test_counts_are_never_standardized_where_counts_are_expected(toadstone, table):
    rng = np.random.default_rng(1)
    rows = "".join(f"{a},{b},{a % 2}\n" for a, b in rng.integers(1, 9, (60, 2)))
    (table.parent / "counts.csv").write_text("a,b,y\n" + rows)
    options = ("--fraction", 0.1, "--ridge", 0.1, "--domain", "integer", "--out", "c")
    assert toadstone("certify", "counts.csv", *options).code == 0
    assert toadstone("verify", "c/certificate-0.1.json", "--data", "counts.csv").code == 0


def test_sanitize_writes_kept_and_removed_rows(toadstone, table):
    lines = table.read_text().splitlines()
    lines[7] = "90,90,90,ham"
    table.write_text("\n".join(lines) + "\n")
    outcome = toadstone("sanitize", "rows.csv", "--out", "cleaned", "--remove", 0.04)
    assert (outcome.code, outcome.err) == (0, "")
    with open("cleaned/removed.csv", newline="") as stream:
        removed = list(csv.DictReader(stream))
    assert removed[0]["line"] == "8"
    assert removed[0]["label"] == "ham"
    kept = (table.parent / "cleaned" / "kept.csv").read_text().splitlines()
    gone = {int(row["line"]) for row in removed}
    assert kept == [line for number, line in enumerate(lines, start=1) if number not in gone]


def test_sanitize_tells_the_first_removals_and_counts_the_others(toadstone, table):
    outcome = toadstone("sanitize", "digits-1-7")
    told = json.loads(toadstone("sanitize", "digits-1-7", "--json").out)
    lines = outcome.out.splitlines()
    assert lines[0] == f"l2 removes {len(told['removed'])} of {told['rows']} rows (0.05 of each class)."
    assert lines[1] == f"{told['rows']} rows read = {told['kept']} kept + {len(told['removed'])} removed."
    assert lines[3].startswith(f"  row {told['removed'][0]['row']}, ")
    assert lines[11] == f"  and {len(told['removed']) - 8} more"
    assert lines[-1] == "Features: pixels divided by 16. Rows are numbered from 1, in the order of the file."
    assert entries(table.parent) == {"rows.csv"}


def test_datasets_lists_the_catalogue(toadstone):
    listed = json.loads(toadstone("datasets", "--json").out)
    lines = toadstone("datasets").out.splitlines()
    assert [line.split()[0] for line in lines] == [entry["name"] for entry in listed]


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_certified_gate(toadstone, table, as_json):
    options = ("--fraction", 0.1, "--fraction", 0.01, "--ridge", 0.1, *as_json)
    bounds = [row["bound"] for row in json.loads(toadstone("certify", "rows.csv", *options[:6], "--json").out)]
    kept = toadstone("certify", "rows.csv", *options, "--fail-if-certified-above", max(bounds))
    assert (kept.code, kept.err) == (0, "")
    between = sum(bounds) / 2
    failed = toadstone("certify", "rows.csv", *options, "--fail-if-certified-above", between, "--out", "still-written")
    assert failed.code == 1
    assert len(failed.err.splitlines()) == 1
    assert failed.err.startswith("toadstone: gate failed: the certified bound at fraction 0.1 is ")
    assert entries(table.parent / "still-written") >= {"certificate-0.1.json", "certificate-0.01.json"}
    assert not as_json or len(json.loads(failed.out)) == 2


@pytest.mark.parametrize("as_json", [(), pytest.param(("--json",), marks=pytest.mark.slow)])
def test_error_gate(toadstone, table, as_json):
    def audited(folder, limit):
        options = ("--fraction", 0.1, "--ridge", 0.1, "--attacks", "label-flip", "--out", folder, *as_json)
        return toadstone("audit", "rows.csv", *options, "--fail-if-error-above", limit)

    failed = audited("tight", 0)
    assert entries(table.parent / "tight") == AUDITED
    record = json.loads((table.parent / "tight" / "record.json").read_text())
    attacked = [run for run in record["evaluations"] if run["attack"] != "none"]
    worst = [
        max((run for run in attacked if run["sanitizer"] == name), key=lambda run: run["test_error"])
        for name in {run["sanitizer"] for run in attacked}
    ]
    best = min(worst, key=lambda run: run["test_error"])
    assert audited("exact", best["high"]).code == 0
    undecided = audited("inside", best["high"] - 1e-9)
    assert undecided.code == 1
    assert "toadstone: gate undecided, which fails: the best defence leaves a test error of " in undecided.err
    assert f"(95 % interval {best['low']:.4g} to {best['high']:.4g})" in undecided.err
    assert undecided.err.endswith("more test rows would tell\n")
    assert (failed.code, best["low"] > 0) == (1, True)
    assert "toadstone: gate failed: the best defence leaves a test error of " in failed.err
    assert not as_json or json.loads(failed.out)["threat"]["rows"] == 4


def test_an_inconclusive_result_never_passes(toadstone, table, monkeypatch):
    monkeypatch.setattr(CertifiedSplit, "conclusive", lambda *_: False)
    common = ("--fraction", 0.1, "--ridge", 0.1, "--tolerance", 0.5)
    (row,) = json.loads(toadstone("certify", "rows.csv", *common, "--json").out)
    assert row["attack_value"] < row["bound"]

    def gated(limit):
        return toadstone("certify", "rows.csv", *common, "--fail-if-certified-above", limit)

    assert gated(row["bound"]).code == 0
    undecided = gated((row["bound"] + row["attack_value"]) / 2)
    assert undecided.code == 1
    assert "undecided" in undecided.err
    exceeded = gated(row["attack_value"] * 0.99)
    assert exceeded.code == 1
    assert "undecided" not in exceeded.err
    audited = toadstone("audit", "rows.csv", *common, "--fail-if-error-above", 1)
    assert audited.code == 1
    assert "undecided" in audited.err
    assert "Not conclusive" in audited.out


@pytest.mark.filterwarnings("default")
def test_each_kind_of_warning_becomes_one_sentence(toadstone, table, monkeypatch):
    def warn_and_clean(*arguments, **options):
        for gap in range(3):
            warnings.warn(f"stopped at a gap of {gap}", UserWarning, stacklevel=1)
        return clean_rows(*arguments, **options)

    monkeypatch.setattr("toadstone.front.sanitize.clean_rows", warn_and_clean)
    outcome = toadstone("sanitize", "rows.csv")
    assert outcome.code == 0
    assert outcome.err == "toadstone: note: stopped at a gap of 0 (and 2 more like it)\n"


@pytest.mark.parametrize("name", [None, *sorted(toadstone_command.commands)])
def test_help_teaches_within_80_columns(toadstone, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "80")
    text = toadstone(*([name] if name else []), "--help").out
    assert max(map(len, text.splitlines())) <= 80
    assert re.search(r"^ +toadstone ", text, flags=re.MULTILINE)
    if name:
        assert text.index("Examples:") > text.index("Options:")
        params = toadstone_command.commands[name].params
        assert [param.name for param in params if isinstance(param, click.Option) and not param.help] == []


def test_a_bare_call_shows_the_help(toadstone):
    assert toadstone().out == toadstone("--help").out


def test_version(toadstone):
    assert toadstone("--version").out == f"toadstone {package.__version__}\n"


def test_help_is_quick():
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        assert spawn("--help").returncode == 0
        times.append(time.perf_counter() - begin)
    assert min(times) < 0.5


def test_help_needs_no_arrays():
    code = "import sys, toadstone.cli; print(*{'numpy', 'scipy', 'tqdm'} & sys.modules.keys())"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == []


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_closed_streams(toadstone, table, monkeypatch, closed):
    monkeypatch.setattr(sys, closed, None)
    assert toadstone("certify", "rows.csv", "--fraction", 0.1, "--ridge", 1).code == 0
    assert toadstone("certify", "rows.csv", "--fraction", 0.7).code == 2


def test_terminals_without_unicode(table):
    options = ("--fraction", "0.1", "--ridge", "1", "--attacks", "none", "--out", "out")
    outcome = spawn("audit", "rows.csv", *options, env=os.environ | {"PYTHONIOENCODING": "latin-1"}, encoding="latin-1")
    assert outcome.returncode == 0
    assert r"an attacker\u2019s control" in outcome.stdout


def test_module_and_script_agree():
    assert spawn("datasets", "--json").returncode == 0
    assert spawn("certify", "nonsense", "--fraction", "0.1").returncode == 2


def test_an_interrupt_inside_a_compiled_kernel(toadstone, table, monkeypatch):
    def broken(*_, **__):
        raise SystemError("returned a result with an exception set") from cause

    monkeypatch.setattr("toadstone.front.certify.certify_split", broken)
    cause = KeyboardInterrupt()
    outcome = toadstone("certify", "rows.csv", "--fraction", 0.1)
    assert (outcome.code, outcome.err) == (130, "toadstone: interrupted; nothing unfinished was left behind\n")
    cause = None
    outcome = toadstone("certify", "rows.csv", "--fraction", 0.1)
    assert outcome.code == 3
    assert "SystemError: returned a result with an exception set" in outcome.err


@pytest.fixture
def heard():
    """Interrupts reach programs that a test starts, even if its own shell told it to ignore them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize(("sent", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_an_interrupt_that_somebody_swallows_is_raised_again(table, sent, code):
    program = f"""
import os, signal, sys, time
import toadstone.cli, toadstone.signals, toadstone.front.certify as room

def deaf(*_, **__):
    try:
        os.kill(os.getpid(), signal.{sent})
        time.sleep(1)
    except BaseException:
        pass
    time.sleep(60)

room.certify_split, toadstone.signals._PATIENCE = deaf, 0.5
sys.argv = ["toadstone", "certify", "rows.csv", "--fraction", "0.1"]
toadstone.cli.main()
"""
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=40, check=False)
    assert finished.returncode == code


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interruption_leaves_nothing(table, sent, code):
    table.write_text("a,label\n" + "".join(f"{number % 7},{number % 2}\n" for number in range(400_000)))
    options = ("audit", "rows.csv", "--fraction", "0.1", "--tolerance", "1e-9", "--out", "a/b")
    running = subprocess.Popen(
        [sys.executable, "-m", "toadstone", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (table.parent / "a").exists():
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.02)
    for _ in range(2):
        running.send_signal(sent)
        time.sleep(0.05)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (code, "")
    assert err.strip() == ("toadstone: interrupted; nothing unfinished was left behind" if code == 130 else "")
    assert entries(table.parent) == {"rows.csv"}
