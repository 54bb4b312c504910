"""Intervals of numeric predictions: no choice of targets leaves them, and one reaches their ends."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

import toadstone
from toadstone.core.errors import InvalidInput

N = 60


def homes():
    rng = np.random.default_rng(0)
    size = rng.uniform(40, 200, N).round()
    price = 2.1 * size + 20 * rng.normal(size=N) + 50
    agents = rng.choice(["one", "two", "three", "four"], N)
    return pd.DataFrame({"size": size, "rooms": rng.integers(1, 6, N), "agent": agents, "price": price.round()})


ASKED = {"label": "price", "regression": True, "ridge": 0.05, "method": "label-flips"}


@pytest.fixture(scope="module")
def alone():
    return toadstone.certify(homes().drop(columns="agent"), **ASKED, fraction=[0.05, 0.2])


def retrained(split, targets, ridge):
    return Ridge(alpha=ridge * len(split.train)).fit(split.train.X, targets).predict(split.test.X)


def test_the_ends_are_reached_and_never_passed(alone):
    split, (found,) = alone.given.split, alone.summaries
    clean = retrained(split, split.train.y, 0.05)
    np.testing.assert_allclose([row.prediction for row in found.rows], clean)
    units = int(np.ceil(0.2 * len(split.train) - 1e-9))
    low, high = (np.array([getattr(row, end)["0.2"] for row in found.rows]) for end in ("low", "high"))
    rng = np.random.default_rng(1)
    for _ in range(20):
        targets = split.train.y.copy()
        rows = rng.permutation(len(targets))[:units]
        targets[rows] = rng.choice([found.allowed_low, found.allowed_high], units)
        after = retrained(split, targets, 0.05)
        assert ((low - 1e-9 <= after) & (after <= high + 1e-9)).all()
    # The weight of a row is what one unit of its target does; the best rows reach the upper end of the first query.
    each = [retrained(split, split.train.y + (np.arange(len(split.train)) == row), 0.05)[0] for row in range(48)]
    weights = np.array(each) - clean[0]
    ends = np.where(weights > 0, found.allowed_high, found.allowed_low)
    best = np.argsort(-weights * (ends - split.train.y))[:units]
    targets = split.train.y.copy()
    targets[best] = ends[best]
    assert retrained(split, targets, 0.05)[0] == pytest.approx(high[0], rel=1e-6)


def test_what_is_stated_follows_from_the_rows(alone):
    (found,) = alone.summaries
    moved = [max(row.prediction - row.low["0.05"], row.high["0.05"] - row.prediction) for row in found.rows]
    assert found.largest_change["0.05"] == max(moved)
    assert np.mean(np.array(moved) <= found.median_change["0.05"]) >= 0.5
    assert found.median_change["0.05"] < found.median_change["0.2"]
    assert (found.n_train, found.n_units, found.queries) == (48, 48, 12)
    errors = [row.prediction - row.target for row in found.rows]
    assert found.error == pytest.approx(np.sqrt(np.mean(np.square(errors))))
    assert "whoever sets 5" in " ".join("\n".join(alone.lines()).split())


def test_one_agent_sets_all_targets_of_its_rows():
    result = toadstone.certify(homes(), **ASKED, group="agent", target_range=(0, 600))
    (found,), split = result.summaries, result.given.split
    assert (found.n_units, list(found.median_change)) == (4, ["1", "2", "3"])
    agents = homes()["agent"].to_numpy()[split.train.row_ids]
    for agent in np.unique(agents):
        for value in (0.0, 600.0):
            after = retrained(split, np.where(agents == agent, value, split.train.y), 0.05)
            for row, prediction in zip(found.rows, after, strict=True):
                assert row.low["1"] - 1e-9 <= prediction <= row.high["1"] + 1e-9
    assert "any one agent of the 4" in " ".join("\n".join(result.lines()).split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "votes"}, "`ridge`: expected nothing for the method votes"),
        ({"method": "votes", "ridge": None}, "`regression`: expected the method label-flips"),
        ({"partitions": 3}, "`regression`: expected the method label-flips, without partitions"),
        (
            {"target_range": (3.0, 1.0)},
            "`target_range`: expected the finite ends of a range, .*, got 3 and 1",
        ),
        ({"group": "town"}, "`group`: expected a column of"),
        (
            {"regression": False, "label": "agent", "target_range": (0.0, 1.0)},
            "`target_range`: expected nothing",
        ),
        ({"method": "saddle", "fraction": 0.1}, "one of scan, sanitize, defend and attack for a numeric target"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(InvalidInput, match=message):
        toadstone.certify(homes(), **{**ASKED, **options})
