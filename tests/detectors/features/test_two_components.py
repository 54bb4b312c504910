"""SCAn."""

import numpy as np
import pytest
from clean_generators import CLEAN

from toadstone.detectors import SCAn
from toadstone.kernels.statistics.two_components import two_components


def classes(seed, *, count=2, n=600, d=30):
    """Clean classes that vary alike, three tenths of their rows trusted."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(count), n)
    X = rng.standard_normal((count * n, d)) * np.geomspace(3, 1, d) + 4 * rng.standard_normal((count, d))[y]
    return X, y, rng.random(count * n) < 0.3


def poison(X, y, trusted, share=0.03, shift=6.0):
    planted = np.flatnonzero((y == 0) & ~trusted)[: round(share * np.count_nonzero(y == 0))]
    X[planted, -1] += 0.8 * shift
    X[planted, -2] -= 0.6 * shift
    return planted


@pytest.mark.parametrize("seed", range(3))
def test_a_second_group_is_found(seed):
    X, y, trusted = classes(seed)
    planted = poison(X, y, trusted)
    found = SCAn().fit(X, y, trusted=trusted)
    assert np.isin(planted, found.flagged_indices_).mean() >= 0.8
    assert np.setdiff1d(found.flagged_indices_, planted).size <= 0.02 * len(y)


def test_the_poisoned_one_of_ten_classes_has_the_anomaly_index():
    X, y, trusted = classes(0, count=10, n=300)
    planted = poison(X, y, trusted, share=0.06)
    found = SCAn().fit(X, y, trusted=trusted)
    assert found.anomaly_index_.argmax() == 0
    assert found.anomaly_index_[0] > np.e**2 > found.anomaly_index_[1:].max()
    assert np.isfinite(found.thresholds_).tolist() == [True] + [False] * 9
    assert set(found.flagged_indices_) >= set(planted[:15])
    assert found.false_alarm_rate_ < 0.003


def test_a_natural_group_is_among_the_trusted_rows_and_is_not_flagged():
    X, y, trusted = classes(1)
    natural = np.flatnonzero(y == 0)[::20]
    X[natural, 0] += 40
    found = SCAn().fit(X, y, trusted=trusted)
    assert found.decompositions_[0].groups.likelihood_ratio > 100
    assert np.isin(natural, found.flagged_indices_).mean() <= 0.2
    assert len(found.flagged_indices_) <= 0.02 * len(y)


@pytest.mark.slow
def test_clean_data_keep_the_false_alarm_rate():
    flagged, judged = 0, 0
    for generate in CLEAN.values():
        X, y = generate(600, 0)
        trusted = np.random.default_rng(0).random(600) < 0.4
        flagged += len(SCAn().fit(X, y, trusted=trusted).flagged_indices_)
        judged += np.count_nonzero(~trusted)
    assert flagged <= 0.02 * judged


def test_a_class_of_few_trusted_rows_is_not_judged():
    X, y, trusted = classes(2)
    poison(X, y, trusted)
    trusted[np.flatnonzero(trusted & (y == 0))[40:]] = False
    found = SCAn().fit(X, y, trusted=trusted)
    assert np.isfinite(found.thresholds_).tolist() == [False, True]


def test_the_split_of_two_far_groups_is_that_of_their_means():
    rng = np.random.default_rng(3)
    points = rng.standard_normal((400, 3))
    points[:40] += [10, 0, 0]
    found = two_components(points)
    small = found.shares.argmin()
    np.testing.assert_allclose(found.shares[small], 0.1)
    np.testing.assert_allclose(found.means[small], points[:40].mean(axis=0))
    np.testing.assert_allclose(found.means[1 - small], points[40:].mean(axis=0))
    # 2 (log-likelihood of the mixture - that of one Gaussian), by hand for groups without overlap.
    away, apart = (
        points - points.mean(axis=0),
        points - np.where(np.arange(400)[:, None] < 40, *found.means[[small, 1 - small]]),
    )
    entropy = 40 * np.log(0.1) + 360 * np.log(0.9)
    np.testing.assert_allclose(found.likelihood_ratio, np.sum(away**2) - np.sum(apart**2) + 2 * entropy, rtol=1e-9)


def test_equal_rows_are_one_group():
    found = two_components(np.ones((30, 2)))
    assert found.likelihood_ratio == 0
    assert two_components(np.zeros((30, 0))).shares.tolist() == [1, 0]
