"""`toadstone certify --kind` and `--class-fraction`: what is stated, written, verified and refused."""

from __future__ import annotations

import json

import pytest

QUICK = ("--ridge", 0.3, "--tolerance", 0.01)


def certify(toadstone, *options):
    return toadstone("certify", "breast-cancer", *QUICK, *options)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("kind", ["flip", "replace"])
def test_changed_rows_are_certified_written_and_verified(toadstone, kind):
    made = certify(toadstone, "--kind", kind, "--fraction", 0.01, "--out", "made", "--json")
    assert made.code == 0
    (fields,) = json.loads(made.out)
    assert fields["budget_kind"] == kind
    assert fields["attack_value"] <= fields["bound"] <= fields["clean_bound"] + fields["bound"]
    assert 0 < fields["error_bound"] <= 1
    assert fields["certified_accuracy"] <= fields["unchanged"] <= 1
    assert ("whole_value" in fields) == (kind == "flip")
    verified = toadstone("verify", "made/certificate-0.01.json", "--data", "breast-cancer")
    assert verified.code == 0
    assert {"flip": "flipped labels", "replace": "replaced rows"}[kind] in " ".join(verified.out.split())


def test_the_page_says_what_the_clean_rows_and_test_rows_withstand(toadstone):
    said = " ".join(certify(toadstone, "--kind", "flip", "--fraction", 0.01).out.split())
    assert "flipped labels (4 of 456 rows)" in said
    assert "of the clean rows are then classified wrongly" in said
    assert "keep their prediction" in said
    assert "no filters" in said


def test_limits_of_labels_take_the_place_of_a_fraction(toadstone):
    limits = ("--class-fraction", "benign=0.01", "--class-fraction", "malignant=0.02")
    made = certify(toadstone, *limits, "--out", "made", "--json")
    (fields,) = json.loads(made.out)
    assert fields["by_class"] == {"lower_label": 0.01, "higher_label": 0.02}
    assert any("4 labelled benign and 9 labelled malignant" in sentence for sentence in fields["assumptions"])
    assert toadstone("verify", "made/certificate-0.03.json", "--data", "breast-cancer").code == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--class-fraction", "benign=0.01"), "expected one for each of benign and malignant"),
        (("--class-fraction", "benign=much"), "`--class-fraction`: expected a label, =, and a number"),
        (("--class-fraction", "benign=0.01", "--fraction", 0.1), "expected nothing beside --fraction"),
        (("--kind", "flip", "--fraction", 0.01, "--quantile", 0.9), "`--quantile`: expected nothing for the kind flip"),
        (("--kind", "flip", "--fraction", 0.01, "--domain", "box"), "`--domain`: expected nothing for the kind flip"),
        (("--kind", "flip", "--fraction", 0.01, "--filters", "l2"), "`--filters`: expected nothing for the kind flip"),
        (("--fraction", 0.01, "--filters", "loss"), "`--filters`: expected l2 or slab beside loss"),
        (("--filters", "l2", "--method", "votes"), "`--filters`: expected nothing for the method votes"),
        (("--kind", "flip", "--method", "votes"), "`--kind`: expected nothing for the method votes"),
    ],
    ids=str,
)
def test_what_does_not_go_together_is_refused(toadstone, options, sentence):
    refused = certify(toadstone, *options) if "--method" not in options else toadstone("certify", "digits", *options)
    assert refused.code == 2
    assert sentence in refused.err


def test_flips_of_a_norm_ball_are_refused(toadstone):
    refused = toadstone("certify", "breast-cancer", "--kind", "flip", "--fraction", 0.01, "--norm-squared", 1)
    assert refused.code == 2
    assert "expected a ridge in its place where labels are flipped" in refused.err


def test_the_loss_filter_is_written_verified_and_said(toadstone):
    made = certify(toadstone, "--fraction", 0.03, "--filters", "l2,slab,loss", "--out", "made")
    assert "The loss filter's model is the one stored here" in " ".join(made.out.split())
    assert toadstone("verify", "made/certificate-0.03.json", "--data", "breast-cancer").code == 0
