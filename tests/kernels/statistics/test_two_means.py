"""2-means, against all splits and scikit-learn."""

from itertools import product

import numpy as np
import pytest
from sklearn.cluster import KMeans

from toadstone.detectors.features.activation import _STARTS
from toadstone.kernels.statistics.two_means import two_means


def inertia_of(points, second):
    return sum(((part - part.mean(axis=0)) ** 2).sum() for part in (points[second], points[~second]) if len(part))


@pytest.mark.parametrize("seed", range(8))
def test_no_split_of_few_rows_is_better(seed):
    points = np.random.default_rng(seed).normal(size=(9, 2))
    found = two_means(points, starts=60, most_rows=100, rng=np.random.default_rng(0))
    best = min(inertia_of(points, np.array(split)) for split in product([False, True], repeat=9))
    assert found.inertia == pytest.approx(best)
    assert found.inertia == pytest.approx(inertia_of(points, found.second))
    for side, centre in zip((~found.second, found.second), found.centres, strict=True):
        np.testing.assert_allclose(points[side].mean(axis=0), centre)


@pytest.mark.parametrize("most_rows", [300, 5000])
def test_a_cluster_of_one_row_in_a_hundred_is_found_as_by_scikit_learn(most_rows):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(2000, 6))
    points[:20] += 12.0
    found = two_means(points, starts=60, most_rows=most_rows, rng=rng)
    assert found.inertia <= 1.000001 * KMeans(2, n_init=30, random_state=0).fit(points).inertia_
    small = found.second if found.second.sum() < 1000 else ~found.second
    np.testing.assert_array_equal(np.flatnonzero(small), np.arange(20))


def test_repeated_rows_are_split_where_they_differ():
    points = np.repeat([[0.1], [0.1], [0.7]], 5, axis=0)
    found = two_means(points, starts=5, most_rows=100, rng=np.random.default_rng(0))
    assert sorted(np.bincount(found.second)) == [5, 10]
    assert found.inertia == pytest.approx(0.0, abs=1e-20)


def test_the_starts_of_activation_clustering_find_the_best_of_many_splits():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(600, 15))
    points[:150] *= rng.uniform(0.2, 2.5, (150, 1))
    points[:150, 0] += rng.gamma(2, 2, 150)
    points /= points.std(axis=0)
    best, *found = (
        two_means(points, starts=starts, most_rows=1000, rng=np.random.default_rng(seed)).inertia
        for seed, starts in enumerate([6000, *[_STARTS] * 8])
    )
    # Sixty starts find it in two trials of twenty.
    assert max(found) == pytest.approx(best, rel=1e-9)
