"""Rules that every page keeps."""

from __future__ import annotations

import re

import pytest

from toadstone.records.attack import AttackRecord
from toadstone.records.audit import AuditRecord
from toadstone.records.defence import DefenceRecord
from toadstone.records.evaluation import EvaluationRecord
from toadstone.records.federated import FederatedRecord
from toadstone.records.guarantees.cost import CostRecord
from toadstone.records.networks.inspection import InspectionRecord
from toadstone.records.regression import RegressionAttackRecord, RegressionDefenceRecord, RegressionScanRecord
from toadstone.records.reproduction import Reproduction
from toadstone.records.scan import ScanRecord
from toadstone.report.cost.cost_text import cost_lines
from toadstone.report.federated.federated_page import render_federation
from toadstone.report.federated.federated_text import federated_lines
from toadstone.report.networks.inspection_page import render_inspection
from toadstone.report.networks.inspection_text import inspection_lines
from toadstone.report.pages.audit_page import render
from toadstone.report.pages.cost_page import render_cost
from toadstone.report.pages.defence_page import render_defence
from toadstone.report.pages.evaluation_page import render_evaluation
from toadstone.report.pages.regression_page import render_target_defence, render_target_scan
from toadstone.report.pages.reproduction_page import render_reproduction
from toadstone.report.pages.scan_page import render_scan
from toadstone.report.regression.regression_text import attack_lines as target_attack_lines
from toadstone.report.regression.regression_text import defence_lines as target_defence_lines
from toadstone.report.regression.regression_text import scan_lines as target_scan_lines
from toadstone.report.text.attack_text import attack_lines
from toadstone.report.text.audit_text import audit_lines
from toadstone.report.text.comparisons import reproduction_lines
from toadstone.report.text.defence_text import defence_lines
from toadstone.report.text.evaluation_text import evaluation_lines
from toadstone.report.text.scan_text import scan_lines

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
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
RIDDLES = re.compile(r"\b(promis\w*|notic\w*|vouch\w*|paid|told)\b", re.IGNORECASE)


@pytest.fixture
def markup(each):
    if type(each) not in PAGES:
        pytest.skip("an attack has no page")
    return PAGES[type(each)](each)


def test_hostile_text_is_shown_and_never_run(each, with_hostile_text, page_of):
    if type(each) not in PAGES:
        pytest.skip("an attack has no page")
    markup = PAGES[type(each)](with_hostile_text(each))
    page = page_of(markup)
    assert "<script>alert('x')</script>" in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert "img" not in page.elements
    assert page.elements.count("script") == (type(each) is AuditRecord)
    assert not CONTROLS.search(markup)


def test_hostile_text_cannot_steer_a_terminal(each, with_hostile_text):
    for width in (80, None):
        text = "\n".join(LINES[type(each)](with_hostile_text(each), width))
        assert "alert" in text
        assert not CONTROLS.search(text)


def test_nothing_is_fetched_and_the_same_record_gives_the_same_bytes(each, markup):
    assert markup == PAGES[type(each)](each)
    assert not re.search(r"(?:src|href)=\"(?!data:,|data:image/png;base64,[A-Za-z0-9+/=]+\"|#)", markup)
    assert "default-src 'none'" in markup
    assert re.search(r"url\(|@import", markup) is None or type(each) in (
        AuditRecord,
        FederatedRecord,
        Reproduction,
    )


def test_identifiers_are_unique_and_labels_point_at_them(markup):
    identifiers = re.findall(r'\bid="([^"]+)"', markup)
    assert len(identifiers) == len(set(identifiers))
    for targets in re.findall(r'(?:aria-labelledby="|href="#)([^"]+)', markup):
        assert set(targets.split()) <= set(identifiers)


def test_every_page_ends_with_the_run(each, markup, page_of):
    text = page_of(markup).text
    header = each.header
    for words in (header.command, *header.digests.values(), *header.versions.values(), f"Seed {header.seed}"):
        assert words in text


def test_plain_words(each, markup, page_of):
    prose = [page_of(markup).text, *LINES[type(each)](each, None)]
    assert [found.group() for text in prose for found in RIDDLES.finditer(text)] == []
