"""Figure 5: fixed and refitted feasible sets."""

import dataclasses

import numpy as np
import pytest

from toadstone.core.budget import Budget
from toadstone.datasets import sha256
from toadstone.experiments.conditions import Conditions
from toadstone.experiments.stronger_2022 import (
    fig5,
)
from toadstone.experiments.stronger_2022.protocols.attack_errors import (
    FIVE,
)
from toadstone.pipeline.harness.filters import fit_filters
from toadstone.pipeline.harness.judge import Defence, judge

ONE, SIX = (
    fig5.AscentSettings(ridge=0.01, fraction=0.3, share=0.5, step=5.0, longest=0.2, rounds=rounds) for rounds in (1, 6)
)


@pytest.fixture(scope="module")
def ascents(digits):
    """Both kinds of sets on digits."""
    return {kind: fig5.make(digits, SIX, kind, Conditions()) for kind in (fig5.FIXED, fig5.REFITTED)}


def test_a_fixed_set_holds_the_poison_and_a_refitted_one_lets_it_out(digits, ascents):
    fixed = fit_filters(digits.train, ("l2", "slab"), quantile=0.9, domain="real")
    assert fixed.contains(ascents[fig5.FIXED].X, ascents[fig5.FIXED].y).all()
    assert not fixed.contains(ascents[fig5.REFITTED].X, ascents[fig5.REFITTED].y).all()
    assert all(len(poison) == Budget(0.3).count(len(digits.train)) for poison in ascents.values())


def test_steps_are_no_longer_than_asked(digits):
    short = (dataclasses.replace(settings, longest=1e-6) for settings in (ONE, SIX))
    one, six = (fig5.make(digits, settings, fig5.FIXED, Conditions()).X for settings in short)
    far = fig5.make(digits, SIX, fig5.FIXED, Conditions()).X
    assert 0 < np.linalg.norm(six - one, axis=1).max() <= 11.01e-6
    assert np.linalg.norm(far - one, axis=1).max() > 0.2


def test_whole_counts_stay_whole_where_the_set_moves(words):
    settings = fig5.AscentSettings(ridge=0.05, fraction=0.05, share=0.5, step=0.1, rounds=3)
    made = fig5.make(words, settings, fig5.REFITTED, Conditions())
    assert np.array_equal(made.X, np.round(made.X))


def test_increases_are_those_of_the_attacks(figures, cells):
    measured = fig5.measure((cells,), (ONE,), Conditions())
    found = figures(measured)
    clean = found["breast-cancer: clean test error"]
    assert clean > 0
    for kind in (fig5.FIXED, fig5.REFITTED):
        poison = fig5.make(cells, ONE, kind, Conditions())
        judged = judge(cells.train, cells.test, poison, FIVE, Defence(ridge=0.01), name=kind)
        increase = min(cell.test_error for cell in judged) - clean
        assert found[f"breast-cancer, {kind}: increase of the test error"] == increase
    assert measured.data == {"breast-cancer": sha256(cells.train)}


@pytest.mark.data
@pytest.mark.slow
def test_a_set_that_follows_the_poison_lets_it_grow(figures, data_dir):
    found = figures(fig5.run(Conditions()))
    assert found["mnist-1-7, fixed set: increase of the test error"] <= 0.025
    assert found["mnist-1-7, refitted set: increase of the test error"] >= 0.075
    gained = (found[f"enron, {kind}: increase of the test error"] for kind in (fig5.REFITTED, fig5.FIXED))
    assert next(gained) - next(gained) >= 0.015
