"""The command line on real data (TOADSTONE_DATA)."""

import csv
import json

import jsonschema
import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.report.files.schema import load_schema

pytestmark = [pytest.mark.data, pytest.mark.slow]

PAPER = ("--quantile", 0.7, "--norm-squared", 6)


@pytest.fixture(autouse=True)
def empty_folder(data_dir, tmp_path, monkeypatch):
    monkeypatch.setenv("TOADSTONE_DATA", str(data_dir.resolve()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def messages(data_dir, tmp_path):
    """The training messages of the SMS collection as a table with a column of texts."""
    with np.load(data_dir / "sms.npz", allow_pickle=False) as stored:
        text, ends, labels = stored["text_train"].tobytes(), stored["text_offset_train"], stored["y_train"]
    path = tmp_path / "messages.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["body", "kind"])
        for row, label in enumerate(labels):
            body = text[ends[row] : ends[row + 1]].decode("utf-8", "replace")
            table.writerow([body, "spam" if label > 0 else "ham"])
    return path


def test_enron_known_answer_from_the_command_line(toadstone):
    outcome = toadstone(
        "certify", "enron", *PAPER, "--domain", "real", "--fraction", 0.03, "--tolerance", 1e-5, "--json"
    )
    (certificate,) = json.loads(outcome.out)
    assert 0.32864 - 5e-6 <= certificate["bound"] <= 0.32864 + 2e-5
    assert certificate["attack_value"] <= certificate["bound"]
    assert certificate["conclusive"] is True


def test_enron_audit_with_an_attack_of_others(toadstone, data_dir, empty_folder):
    published = data_dir / "enron_minmax_reference_14.npz"
    outcome = toadstone(
        "audit", "enron", *PAPER, "--fraction", 0.03, "--poison", published, "--out", "r", "--json", "--quiet"
    )
    assert (outcome.code, outcome.err) == (0, "")
    record = json.loads(outcome.out)
    jsonschema.validate(record, load_schema("audit"))
    assert record == json.loads((empty_folder / "r" / "record.json").read_text())
    assert {run["attack"] for run in record["evaluations"]} == {
        *("none", "collapse", "label-flip", "kkt", "kkt-influence"),
        published.stem,
    }
    assert {run["poison_rows"] for run in record["evaluations"]} == {0, 124}
    verified = toadstone("verify", "r/certificate.json", "--data", "enron")
    assert (verified.code, verified.err) == (0, "")
    other = toadstone("verify", "r/certificate.json", "--data", "sms")
    assert (other.code, other.out) == (2, "")


def test_negative_counts_are_no_mails(toadstone, data_dir, empty_folder):
    with np.load(data_dir / "enron_minmax_reference_14.npz", allow_pickle=False) as stored:
        parts = (stored["X_data"].astype(float), stored["X_indices"], stored["X_indptr"])
        rows, labels = csr_array(parts, shape=(len(stored["y"]), 5116)).toarray(), stored["y"]
    rows[0, 0] = -1
    np.savez("mine.npz", X=rows, y=labels)
    options = ("--fraction", 0.03, "--ridge", 0.1, "--poison", "mine.npz", "--out", "r")
    outcome = toadstone("audit", "enron", *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "toadstone: poison: expected values within the integer domain, got some outside\n"
    assert [path.name for path in empty_folder.iterdir()] == ["mine.npz"]


def test_texts_in_a_table(toadstone, messages, empty_folder):
    reading = ("--text", "body", "--label", "kind")
    outcome = toadstone("certify", messages.name, *reading, "--fraction", 0.03, "--ridge", 0.01, "--out", "c")
    assert (outcome.code, outcome.err) == (0, "")
    assert "no allowed attack gets above" in outcome.out.splitlines()[0]
    assert "training rows of" in " ".join(outcome.out.split())
    assert toadstone("verify", "c/certificate-0.03.json", "--data", messages.name, *reading).code == 0
    bare = toadstone("verify", "c/certificate-0.03.json", "--data", messages.name, *reading, "--weighting", "counts")
    assert bare.code == 2
    assert "read them with the same options" in bare.err


def test_kept_messages_are_unaltered(toadstone, messages, empty_folder):
    outcome = toadstone("sanitize", messages.name, "--text", "body", "--label", "kind", "--out", "cleaned", "--json")
    removed = {row["position"] for row in json.loads(outcome.out)["removed"]}
    with messages.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))[1:]
    with (empty_folder / "cleaned" / "kept.csv").open(newline="", encoding="utf-8") as stream:
        kept = list(csv.reader(stream))[1:]
    assert len(removed) + len(kept) == len(rows)
    assert kept == [row for number, row in enumerate(rows) if number not in removed]


def test_two_of_ten_digits_may_be_chosen(toadstone):
    options = ("--fraction", 0.01, "--ridge", 0.1, "--tolerance", 0.01, "--json")
    (certificate,) = json.loads(toadstone("certify", "mnist", "--classes", "4,9", *options).out)
    assert certificate["domain"] == "box"
    assert "training rows are clean" in certificate["assumptions"][0]


def test_gate_on_real_mails(toadstone):
    common = ("enron", "--fraction", 0.03, "--ridge", 0.1, "--tolerance", 0.001)
    assert toadstone("certify", *common, "--fail-if-certified-above", 0.7).code == 0
    failed = toadstone("certify", *common, "--fail-if-certified-above", 0.6, "--json")
    assert failed.code == 1
    assert len(json.loads(failed.out)) == 1
    assert failed.err.startswith("toadstone: gate failed: the certified bound at fraction 0.03 is 0.633")
