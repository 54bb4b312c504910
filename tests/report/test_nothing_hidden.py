"""No writer of results lets through what hides, reorders or breaks lines, wherever in the data it stands."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import unicodedata
import xml.dom.minidom

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toadstone.console import complain
from toadstone.records.attack import AttackRecord
from toadstone.records.audit import AuditRecord, Removal
from toadstone.records.defence import DefenceRecord
from toadstone.records.evaluation import EvaluationRecord
from toadstone.records.federated import FederatedRecord
from toadstone.records.guarantees.cost import CostRecord
from toadstone.records.header import Source
from toadstone.records.networks.inspection import InspectionRecord
from toadstone.records.regression import RegressionAttackRecord, RegressionDefenceRecord, RegressionScanRecord
from toadstone.records.reproduction import Reproduction
from toadstone.records.scan import ScanRecord
from toadstone.report.cost.cost_text import cost_lines
from toadstone.report.federated.federated_page import render_federation
from toadstone.report.federated.federated_text import federated_lines
from toadstone.report.files.evaluation_table import write_matrix
from toadstone.report.files.sarif import to_sarif
from toadstone.report.files.tables import (
    write_listed_rows,
    write_removals,
    write_removed_rows,
    write_scores,
    write_suspects,
)
from toadstone.report.networks.inspection_page import render_inspection
from toadstone.report.networks.inspection_text import inspection_lines
from toadstone.report.pages.audit_page import render
from toadstone.report.pages.cost_page import render_cost
from toadstone.report.pages.defence_page import render_defence
from toadstone.report.pages.evaluation_page import render_evaluation
from toadstone.report.pages.fragment import render_fragment
from toadstone.report.pages.regression_page import render_target_defence, render_target_scan
from toadstone.report.pages.reproduction_page import render_reproduction
from toadstone.report.pages.scan_page import render_scan
from toadstone.report.regression.regression_text import attack_lines as target_attack_lines
from toadstone.report.regression.regression_text import defence_lines as target_defence_lines
from toadstone.report.regression.regression_text import scan_lines as target_scan_lines
from toadstone.report.text.attack_text import attack_lines
from toadstone.report.text.audit_text import audit_lines
from toadstone.report.text.comparisons import reproduction_lines
from toadstone.report.text.defence_text import defence_lines, removal_lines
from toadstone.report.text.evaluation_text import evaluation_lines
from toadstone.report.text.scan_text import scan_lines

LINES = {
    AuditRecord: audit_lines,
    AttackRecord: attack_lines,
    CostRecord: cost_lines,
    ScanRecord: scan_lines,
    DefenceRecord: defence_lines,
    EvaluationRecord: evaluation_lines,
    FederatedRecord: federated_lines,
    InspectionRecord: inspection_lines,
    RegressionScanRecord: target_scan_lines,
    RegressionDefenceRecord: target_defence_lines,
    RegressionAttackRecord: target_attack_lines,
    Reproduction: reproduction_lines,
}
PAGES = {
    AuditRecord: render,
    CostRecord: render_cost,
    ScanRecord: render_scan,
    DefenceRecord: render_defence,
    EvaluationRecord: render_evaluation,
    FederatedRecord: render_federation,
    InspectionRecord: render_inspection,
    RegressionScanRecord: render_target_scan,
    RegressionDefenceRecord: render_target_defence,
    Reproduction: render_reproduction,
}
MARK = "FORGED"
SOURCE = Source("rows.csv", "rows.csv", "line")
STEERING = (
    "\n", "\r", "\r\n", "\t", "\x1b[2J", "\x00", "\x7f", "\x85", "\x9b31m", "\u2028", "\u202e", "\u2066", "\u200b",
    "\u200d", "\ufeff", "\u061c", "\U000e0041", "\ud800", "\x1c", "\x0b", "\x0c", "\xad", "=", "+", "-", "@",
)  # fmt: skip
BREAKS = st.sampled_from(STEERING)
EVIL = st.lists(BREAKS, min_size=1, max_size=4).map(lambda parts: "".join(parts) + MARK)
FEW = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
FIXED = {"record", "schema_version", "created", "digests", "fingerprint", "domain", "kind", "goal", "layer"} | {
    "thresholds", "verdict", "unit", "aim", "versions", "hypothesis", "loss", "numbering", "knowledge",
}  # fmt: skip


def spoilt(value, evil):
    """The same record with something before every free text."""
    if dataclasses.is_dataclass(value):
        fields = {f.name for f in dataclasses.fields(value) if f.name not in FIXED and "Literal" not in str(f.type)}
        # Rows that are lines have numbers for names; any text can name them where a column does.
        named = {"numbering": "id"} if isinstance(value, Source) else {}
        return dataclasses.replace(value, **{name: spoilt(getattr(value, name), evil) for name in fields}, **named)
    if isinstance(value, tuple):
        return tuple(spoilt(item, evil) for item in value)
    if isinstance(value, dict):
        return {f"{evil}{name}": spoilt(item, evil) for name, item in value.items()}
    return f"{evil}{value}" if isinstance(value, str) and value else value


def hidden(text: str, allowed: str = "") -> set[str]:
    return {
        character
        for character in set(text) - set(allowed)
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    }


def check_lines(text: str) -> None:
    assert hidden(text, "\n") == set()
    assert not any(line.lstrip().startswith(MARK) for line in text.split("\n"))


@given(evil=EVIL)
@pytest.mark.parametrize("width", [None, 60])
@FEW
def test_lines_of_a_terminal(each, width, evil):
    # Names are spoken with blanks in place of hyphens.
    evil = evil.replace("-", "=")
    before = "\n".join(LINES[type(each)](each, width)).count("\n")
    text = "\n".join(LINES[type(each)](spoilt(each, evil), width))
    check_lines(text)
    if width is None:
        # Long names may fold a table, but no foreign line break adds a line.
        assert text.count("\n") == before


@given(evil=EVIL)
@FEW
def test_removed_rows_of_a_sanitizer(evil):
    for width in (None, 40):
        check_lines("\n".join(removal_lines(SOURCE, [Removal(evil, 1, evil, 0.5, evil)], width)))


@given(evil=EVIL)
@FEW
def test_pages(each, evil):
    if type(each) in PAGES:
        assert hidden(PAGES[type(each)](spoilt(each, evil)), "\n\t") == set()


@given(evil=EVIL)
@FEW
def test_fragments_of_notebooks(evil):
    markup = render_fragment(evil, [evil], {evil: [evil, 1.0]})
    assert hidden(markup, "\n") == set()
    xml.dom.minidom.parseString(markup)


@given(evil=EVIL)
@FEW
def test_sarif(scanned, evil):
    def texts(part):
        if isinstance(part, dict):
            return [text for key, value in part.items() for text in (key, *texts(value))]
        if isinstance(part, list):
            return [text for value in part for text in texts(value)]
        return [part] if isinstance(part, str) else []

    found = texts(json.loads(to_sarif(spoilt(scanned, evil))))
    assert any(MARK in text for text in found)
    assert hidden("".join(found)) == set()


@given(evil=EVIL)
@FEW
def test_tables(record, scanned, scores, defended, evaluated, tmp_path, evil):
    path = tmp_path / "table.csv"
    removals = [Removal("3", 2, evil, -0.5, evil), Removal("4", 3, "-1", -1.0, "+2")]
    writers = {
        "suspects": lambda: write_suspects(spoilt(record, evil).suspects, spoilt(record, evil).source, path),
        "listed": lambda: write_listed_rows(spoilt(scanned, evil), path),
        "scores": lambda: write_scores(dataclasses.replace(scores, rows=[evil] * 4, labels=[evil] * 4), SOURCE, path),
        "removed": lambda: write_removed_rows(spoilt(defended, evil).removals, SOURCE, path),
        "removals": lambda: write_removals(removals, SOURCE, path),
        "matrix": lambda: write_matrix(spoilt(evaluated, evil), path),
    }
    for name, write in writers.items():
        write()
        text = path.read_bytes().decode()
        assert hidden(text, "\n") == set(), name
        rows = list(csv.reader(io.StringIO(text, newline="")))
        assert len(rows) == text.count("\n"), name
        for cell in (cell for row in rows for cell in row):
            number = re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", cell)
            assert number or not cell.startswith(("=", "+", "-", "@")), (name, cell)
    assert rows != []


def test_numbers_remain_numbers(tmp_path):
    write_removals([Removal("4", 3, "-1", -1.5e-7, "+2")], SOURCE, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().splitlines()[1] == "4,-1,-1.5e-07,+2"


@given(evil=EVIL)
@FEW
def test_sentences_of_errors_and_notes(capsys, evil):
    complain(f"{evil}: expected a label, got {evil}")
    said = capsys.readouterr().err
    check_lines(said)
    assert said.count("\n") == 1


@pytest.mark.parametrize("evil", ["\x1b[2J", "\n" + MARK, "\u202e", "\u200b", "\x85", "\udc80"])
def test_the_command_line_itself(toadstone, tmp_path, monkeypatch, evil):
    monkeypatch.chdir(tmp_path)
    table = tmp_path / "rows.csv"
    for line in (
        (f"sc{evil}",),
        ("scan", f"--op{evil}"),
        ("scan", f"file{evil}.csv"),
        ("scan", "rows.csv", "--label", evil),
        ("scan", "rows.csv", "--detectors", evil),
        ("scan", "rows.csv", "--scale", evil),
        ("verify", f"x{evil}.json", "--data", "rows.csv"),
    ):
        label = "label" if "\n" in evil or "\udc80" in evil else f"la{evil}"
        table.write_bytes(
            f"a,{label}\n1,x\n2,y{evil.replace(chr(10), '').replace(chr(0xDC80), '')}\n".encode(
                "utf-8", "surrogatepass"
            )
        )
        outcome = toadstone(*line)
        assert outcome.code in (2, 3)
        assert outcome.code == 2, outcome.err
        check_lines(outcome.err + outcome.out)


def test_the_names_of_results(toadstone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = toadstone("scan", "breast-cancer", "--detectors", "spectral", "--out", "o\x1b[2J\u202e")
    assert outcome.code == 0
    assert outcome.out.endswith("Report: o\\x1b[2J\\u202e/report.html\n")
    assert hidden(outcome.out, "\n") == set()
