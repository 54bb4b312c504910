"""What a terminal and a pipe show."""

import dataclasses
import re
from types import SimpleNamespace

import numpy as np
import pytest

from toadstone.core.budget import Budget
from toadstone.core.certificate import Certificate, NormBall, Ridge, Setting, Witness
from toadstone.core.dataset import Dataset
from toadstone.records.audit import Removal
from toadstone.report.text.audit_text import audit_lines, certificate_lines, flow, removal_lines, verified_sentence


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
    return SimpleNamespace(name="mails.csv", train=Dataset(rng.normal(size=(1200, 3)), np.arange(1200) % 2))


def test_flow_fits_and_loses_nothing():
    text = "a certificate is never rounded down, whatever the width of the terminal may be"
    for width in (20, 40, 80):
        lines = flow(text, width, indent=4).split("\n")
        assert max(map(len, lines)) <= width
        assert all(line.startswith("    ") for line in lines[1:])
        assert " ".join(line.strip() for line in lines) == text
    assert flow(text, None) == text


def test_flow_keeps_numbers_and_their_units_together():
    assert "3\N{NO-BREAK SPACE}%" in flow("x" * 17 + " 3\N{NO-BREAK SPACE}% of rows", 20)


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
    assert text.startswith("mails.csv: 1,200 training rows of 3 features, 0 against 1\n")
    assert "Setting: ridge 0.01 (as asked); filters l2 and slab at quantile 0.95; domain box." in text
    assert text.endswith("Assumed:\n  - The rows are clean.\nNot promised:\n  - Anything about trees.")
    assert "onclusive" not in text
    ball = "\n".join(certificate_lines([certificate(hypothesis=NormBall(6))], [True], split, "as asked", None))
    assert "Setting: squared norm at most 6 (as asked)" in ball


def test_an_inconclusive_row_is_marked(split):
    lines = certificate_lines([certificate(), certificate(0.1)], [False, True], split, "as asked", 80)
    assert lines[3].endswith("   not conclusive")
    assert lines[4].endswith("0.045444")
    assert any(line.startswith("Not conclusive: ") for line in lines)
    assert max(len(line) for text in lines for line in text.split("\n")) <= 80


def test_verified_sentence():
    assert verified_sentence(certificate()) == (
        "Verified: at fraction 0.03 no allowed attack gets above 0.04545 (hinge loss for each clean row, penalty "
        "included); the stored attack reaches 0.04543."
    )


def test_audit_at_80_columns(record):
    text = "\n".join(audit_lines(record, 80))
    assert max(map(len, text.splitlines())) <= 80
    assert "0.3287" in text
    rows = re.findall(r"^  (\w[\w ]*?) +([\d.-]+) +([\d.-]+)( +best)?$", text, flags=re.MULTILINE)
    assert [row[0] for row in rows] == ["no defence", "sphere", "slab", "loss", "subspace", "neighbours"]
    assert [row[0] for row in rows if row[3]] == ["slab"]
    assert [row[1] for row in rows] == ["8.2", "7.7", "5.1", "6.9", "8.0", "6.0"]


def test_audit_says_what_the_headline_does_not_mean(record):
    (point,) = (point for point in record.curve if point.fraction == record.threat.fraction)
    vague = dataclasses.replace(record, curve=(dataclasses.replace(point, bound=1.2, conclusive=False),))
    text = "\n".join(audit_lines(vague, None))
    assert "Not conclusive: " in text
    assert "The bound rules nothing out: " in text


def test_hostile_names_cannot_steer_the_terminal(hostile):
    attack = "\x1b[2J" + "x" * 90
    renamed = tuple(dataclasses.replace(run, attack=attack) for run in hostile.evaluations if run.attack != "none")
    text = "\n".join(audit_lines(dataclasses.replace(hostile, evaluations=renamed), 80))
    assert "xxx…" in text
    assert not set(text) & {"\x1b", "\x00", "\u202e"}


def test_removals_are_cut_short():
    removals = [Removal(row, "spam\x1b[2J", 1.0, "far away") for row in range(1012)]
    lines = removal_lines(removals, None)
    assert len(lines) == 11
    assert lines[0] == "  row 0, spam\N{REPLACEMENT CHARACTER}[2J: far away"
    assert lines[-1] == "  and 1,002 more"
    assert len(removal_lines(removals[:10], None)) == 10
