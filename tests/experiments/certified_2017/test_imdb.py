"""IMDB: a bound over real values beside an attack with counts."""

import dataclasses

import numpy as np
import pytest

from toadstone.experiments.certified_2017 import imdb as p17_imdb
from toadstone.experiments.certified_2017.imdb import OnlineSettings
from toadstone.experiments.conditions import Conditions
from toadstone.kernels.rows import squared_distances

MOST = "5\N{NO-BREAK SPACE}%"
QUICK = OnlineSettings(sphere=0.3, slab=0.65, steps=60, step_size=0.05)


@pytest.fixture(scope="module")
def measured(counts, words):
    return p17_imdb.measure(words, dataclasses.replace(counts, domain="real"), Conditions(), QUICK)


def test_an_attack_within_the_filters_stays_below_both_bounds_it_is_for(measured, figures):
    found = figures(measured)
    clean, attacked = (
        found["loss of all rows under attack at 0\N{NO-BREAK SPACE}%"],
        found[f"loss of all rows under attack at {MOST}"],
    )
    assert clean < attacked <= found[f"certified bound at {MOST}"]
    assert found[f"bound within the attack's filters at {MOST}"] < found[f"certified bound at {MOST}"]
    assert f"test error under flipped labels at {MOST}" in found


def test_panels_show_what_was_measured(measured, figures):
    losses, errors = measured.panels
    assert (losses.unit, errors.unit) == ("loss", "share")
    ours = next(one for one in errors.series if one.source == "ours")
    assert ours.y[-1] == figures(measured)[f"test error at {MOST}"]


def test_the_attack_plans_within_quantiles_of_the_clean_rows(words):
    train = words.train
    planned = OnlineSettings(sphere=0.25, slab=0.6).planned(train)
    for label in train.classes.tolist():
        region, rows = planned.region(label), train.X[train.y == label]
        assert np.mean(squared_distances(rows, region.centre) <= region.radius**2) == pytest.approx(0.25, abs=0.05)
        assert len(region.low) == 1
