"""Certificates in lines."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from toadstone.core.budget import Budget
from toadstone.core.certificate import Certificate, NormBall, Ridge, Setting, Witness
from toadstone.core.dataset import Dataset
from toadstone.report.certificates.certificate_text import certificate_lines, verified_sentence


def certificate(fraction=0.03, bound=0.04544300001, attack_value=0.04543999999, hypothesis=None):
    nothing = np.zeros(0)
    return Certificate(
        bound=bound,
        attack_value=attack_value,
        clean_loss=0.01,
        poison_loss=0.2,
        unit="hinge loss for each clean row, penalty included",
        budget=Budget(fraction),
        setting=Setting(("l2", "slab"), 0.95, "box", "hinge", hypothesis or Ridge(0.01)),
        theta=nothing,
        multipliers=nothing,
        witness=Witness(nothing, nothing, nothing, nothing, nothing),
        data_sha256="0" * 64,
        assumptions=("The rows are clean.",),
        not_promised=("Anything about trees.",),
        slack=0.0,
    )


@pytest.fixture
def split():
    rng = np.random.default_rng(0)
    return SimpleNamespace(
        name="mails.csv",
        train=Dataset(rng.normal(size=(1200, 3)), np.arange(1200) % 2),
        preparation="3 numbers standardised",
        columns=(),
        notes=("separator ';', as in most lines",),
    )


@pytest.mark.parametrize(
    ("bound", "attack", "shown"),
    [
        (0.04544300001, 0.04543999999, ("0.045439", "0.045444")),
        (0.3286400000000001, 0.32863999, ("0.32863", "0.32865")),
        (1.00000001, 0.99999999, ("0.99999", "1.0001")),
    ],
)
def test_bounds_round_up_and_attacks_down(split, bound, attack, shown):
    text = "\n".join(certificate_lines([certificate(bound=bound, attack_value=attack)], [True], split, "given", None))
    assert re.search(r"^ +0\.03 +36 +([\d.]+) +([\d.]+)$", text, flags=re.MULTILINE).groups() == shown


def test_certificates_say_what_they_rest_on(split):
    text = "\n".join(certificate_lines([certificate()], [True], split, "as asked", None))
    assert "Data: mails.csv, 1,200 training rows of 3 features, 0 against 1." in text
    assert "Setting: ridge 0.01 (as asked); filters l2 and slab at quantile 0.95; domain box." in text
    assert text.endswith("Assumed:\n  - The rows are clean.\nNot covered:\n  - Anything about trees.")
    assert "onclusive" not in text
    ball = "\n".join(certificate_lines([certificate(hypothesis=NormBall(6))], [True], split, "as asked", None))
    assert "Setting: squared norm at most 6 (as asked)" in ball


def test_an_inconclusive_row_is_marked(split):
    lines = certificate_lines([certificate(), certificate(0.1)], [False, True], split, "as asked", 80)
    marked, unmarked = (line for line in lines if re.match(r" +0\.\d+ ", line))
    assert marked.endswith("   not conclusive")
    assert unmarked.endswith("0.045444")
    assert any(line.startswith("Not conclusive: ") for line in lines)
    assert max(len(line) for text in lines for line in text.split("\n")) <= 80


def test_verified_sentence():
    assert verified_sentence(certificate(), 0.045440001) == (
        "Verified: at fraction 0.03 no allowed attack gets above 0.04545 (hinge loss for each clean row, penalty "
        "included); the stored attack reaches 0.04543. Recomputed from the data, the bound is 0.04544001; the "
        "certificate states 0.04544301."
    )


def test_the_bound_comes_first(split):
    lines = certificate_lines([certificate(0.01), certificate()], [True, True], split, "as asked", None)
    assert lines[0].replace("\N{NO-BREAK SPACE}", " ") == (
        "With 3 % poison (36 rows for 1,200 clean ones), no allowed attack gets above 0.045444; a concrete attack "
        "reaches 0.045439."
    )


def test_a_certificate_of_before_says_who_wrote_it():
    old = replace(certificate(), digest_label="another")
    assert verified_sentence(old, 0.0454).endswith(" It was written by another, as this project was called before.")
