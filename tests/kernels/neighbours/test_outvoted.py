"""Outvoted rows around each row, and labels whose errors go one way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from toadstone.kernels.neighbours.outvoted import asymmetric_labels, outvoted_neighbours

SEEDS = st.integers(0, 10_000)


def drawn(seed, n=30, k=7, classes=4):
    rng = np.random.default_rng(seed)
    near = np.array([rng.choice(np.delete(np.arange(n), row), k, replace=False) for row in range(n)])
    return near, rng.integers(0, classes, n)


@given(seed=SEEDS)
def test_outvoted_around_is_counted_among_rows_of_the_same_label(seed):
    near, codes = drawn(seed)
    outvoted = np.random.default_rng(seed + 1).random(len(codes)) < 0.4
    counted = [sum(outvoted[other] and codes[other] == codes[row] for other in near[row]) for row in range(len(codes))]
    assert outvoted_neighbours(near, codes, outvoted).tolist() == counted


@given(arrivals=st.integers(0, 60), departures=st.integers(0, 60))
def test_the_p_value_is_that_of_a_one_sided_binomial_test(arrivals, departures):
    # All arrivals at label 1 come from 0, and all departures go to 2.
    codes = np.repeat([1, 0], [arrivals, departures])
    likely = np.repeat([0, 1], [arrivals, departures])
    chance, innocent = asymmetric_labels(codes, likely, n_classes=3)
    if arrivals + departures:
        wanted = binomtest(arrivals, arrivals + departures, alternative="greater").pvalue
        assert chance[1] == pytest.approx(wanted)
    assert chance[2] == 1
    if arrivals:
        assert innocent[1] == pytest.approx(min(departures / arrivals, 1))


def test_exchange_in_both_directions_is_no_asymmetry():
    codes, likely = np.repeat([0, 1], 200), np.repeat([1, 0], 200)
    chance, innocent = asymmetric_labels(codes, likely, n_classes=2)
    assert chance.min() > 0.4
    assert innocent.tolist() == [1, 1]
