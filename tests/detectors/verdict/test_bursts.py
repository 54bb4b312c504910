"""Bursts: a source with many wrong labels is found, and one that only has other patients, or another rate, is not."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from toadstone.detectors.verdict.bursts import find_bursts, periods, sources_apart


def hospitals(seed, *, swapped=0.0, threshold=0.0, shift=0.0, kept=1.0, n=700):
    """Four hospitals: the first draws the line elsewhere, or admits fewer of label 1; the second swaps labels.

    The third and fourth have other patients.
    """
    rng = np.random.default_rng(seed)
    place = rng.choice(4, n, p=[0.3, 0.25, 0.25, 0.2])
    X = rng.normal(size=(n, 6))
    X[place == 2, 3:5] += shift
    X[place == 3, 1] -= threshold
    risk = 1.6 * X[:, 1] + 1.8 * X[:, 2] + 0.6 * X[:, 0] - 0.6 * X[:, 3] + rng.logistic(0, 0.25, n)
    y = (risk > 0.3 + threshold * (place == 0)).astype(int)
    admitted = (place != 0) | (y == 0) | (rng.random(n) < kept)
    X, y, place = X[admitted], y[admitted], place[admitted]
    inside = np.flatnonzero(place == 1)
    wrong = np.sort(rng.choice(inside, round(swapped * len(inside)), replace=False))
    y[wrong] = 1 - y[wrong]
    return X, y, np.array(["Anna", "Nord", "Sued", "City"], dtype=object)[place], wrong


def bursts(X, y, sources, seed=0):
    return find_bursts(X, y, np.arange(len(y)), sources_apart(sources), seed)


SEEDS = [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_hospital_that_swaps_a_third_is_found_with_few_right_rows(seed):
    X, y, sources, wrong = hospitals(seed, swapped=1 / 3)
    found = bursts(X, y, sources)
    rows = np.concatenate([burst.rows for burst in found])
    assert {sources[row] for row in rows} == {"Nord"}
    assert len(np.intersect1d(rows, wrong)) >= 0.4 * len(wrong)
    assert len(np.intersect1d(rows, wrong)) >= 0.75 * len(rows)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("swapped", [0.8, 1.0])
def test_a_hospital_that_swaps_most_labels_is_found_with_most_of_them(swapped, seed):
    X, y, sources, wrong = hospitals(seed, swapped=swapped)
    found = bursts(X, y, sources)
    assert {burst.label: burst.looks_like for burst in found} == {0: 1, 1: 0}
    rows = np.concatenate([burst.rows for burst in found])
    assert {sources[row] for row in rows} == {"Nord"}
    assert len(np.intersect1d(rows, wrong)) >= 0.75 * len(wrong)
    assert len(np.intersect1d(rows, wrong)) >= 0.9 * len(rows)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("other", [{}, {"shift": 1.0}, {"threshold": 0.5}, {"kept": 0.3, "shift": 1.0}], ids=str)
def test_a_hospital_with_other_patients_or_another_rate_is_innocent(other, seed):
    X, y, sources, _ = hospitals(seed, **other)
    assert bursts(X, y, sources) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_hospital_drawn_at_random_is_innocent(seed):
    X, y = load_breast_cancer(return_X_y=True)
    assert (
        bursts(X, y, np.array(list("ABCD"), dtype=object)[np.random.default_rng(seed).integers(4, size=len(y))]) == []
    )


def test_no_row_is_predicted_by_rows_of_its_period():
    times = np.random.default_rng(0).normal(size=333)
    times[:9] = np.nan
    parts = periods(times)
    assert parts.names
    assert all(np.ptp(parts.fold[rows]) <= parts.reach for rows in parts.rows)
    assert np.abs(parts.fold[:9, None] - parts.fold[9:]).min() > parts.reach
