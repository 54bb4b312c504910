"""Examination: four kinds of innocent groups, each cleared by the one condition that is there for it."""

import numpy as np
import pytest

from toadstone.detectors.verdict.examination import Candidate, examine
from toadstone.kernels.verdict.evidence import LEAST_LIKE, LEAST_POWER, MOST_P, MOST_PREDICTABLE
from toadstone.kernels.verdict.windows import Window


def examined(centre, size, *, gap=2.0, spread=1.0):
    """Examine rows of label 1 around a centre, which share the values of columns 0 and 1."""
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1], 300)
    X = rng.normal(size=(600, 6)) + gap * codes[:, None]
    rows = np.arange(300, 300 + size)
    X[rows] = centre + spread * rng.normal(size=(size, 6))
    X[rows, :2] = 7.0, -3.0
    candidate = Candidate(1, rows, Window(np.arange(2), np.array([7.0, -3.0]), np.array([7.0, -3.0])))
    return examine(X, codes, candidate, np.arange(6), 0)


def conditions(found):
    evidence = found.evidence
    return (
        evidence.p_value < MOST_P,
        evidence.like >= LEAST_LIKE,
        evidence.power >= LEAST_POWER,
        evidence.predictable <= MOST_PREDICTABLE,
    )


def test_rows_of_the_other_label_are_convicted():
    found = examined(0.0, 20)
    assert found.evidence.convicts
    assert found.looks_like == 0


@pytest.mark.parametrize(
    ("failing", "group"),
    [
        ("p", {"centre": 0.0, "size": 2}),
        ("like", {"centre": 1.15, "size": 40, "spread": 0.5}),
        ("power", {"centre": -1.0, "size": 40, "gap": 0.25, "spread": 0.5}),
        ("predictable", {"centre": -1.5, "size": 20, "spread": 0.3}),
    ],
    ids=["few rows", "a natural cluster between", "a weak table", "a natural look-alike"],
)
def test_one_condition_alone_clears(failing, group):
    held = dict(zip(("p", "like", "power", "predictable"), conditions(examined(**group)), strict=True))
    assert [name for name, holds in held.items() if not holds] == [failing]


def test_without_columns_left_nothing_is_said():
    X, codes = np.zeros((40, 2)), np.repeat([0, 1], 20)
    assert examine(X, codes, Candidate(0, np.arange(5), Window(np.arange(2), X[0], X[0])), np.arange(2), 0) is None
