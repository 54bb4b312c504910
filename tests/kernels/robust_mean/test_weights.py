"""Krum, Bulyan, mixing, clipping, diameters and directions against plain definitions and all subsets."""

from itertools import combinations

import numpy as np
import pytest

from toadstone.kernels.robust_mean.clipping import adaptive_radius, clip_scales, norm_deviations
from toadstone.kernels.robust_mean.directions import (
    cosine_distances,
    first_projections,
    majority_cluster,
    trusted_weights,
)
from toadstone.kernels.robust_mean.krum import bulyan_selection, krum_scores, least
from toadstone.kernels.robust_mean.minimum_diameter import minimum_diameter_subset
from toadstone.kernels.robust_mean.mixing import bucket_weights, buckets, nearest_neighbour_weights


def squared_of(points):
    return np.square(points[:, None] - points).sum(axis=2)


def drawn(seed, n, *, d=3, whole=False):
    points = np.random.default_rng(seed).normal(size=(n, d))
    return np.round(2 * points) if whole else points


def score(squared, pool, row, neighbours):
    return sum(sorted(squared[row, other] for other in pool if other != row)[:neighbours])


@pytest.mark.parametrize("whole", [False, True])
def test_krum_scores_are_sums_over_the_nearest_others(whole):
    squared = squared_of(drawn(0, 9, whole=whole))
    expected = [score(squared, range(9), row, 5) for row in range(9)]
    np.testing.assert_allclose(krum_scores(squared, 5), expected, rtol=1e-14)


def test_rows_of_least_score_with_ties_to_the_first():
    assert least(np.array([2.0, 1.0, 1.0, 1.0]), 2).tolist() == [1, 2]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("whole", [False, True])
def test_bulyan_repeats_krum_on_the_rows_that_are_left(seed, whole):
    f = 1 + seed % 2
    squared = squared_of(drawn(seed, 4 * f + 3 + seed % 3, whole=whole))
    pool, selected = list(range(len(squared))), []
    while len(selected) < len(squared) - 2 * f:
        neighbours = max(1, len(pool) - f - 2)
        best = min(pool, key=lambda row: score(squared, pool, row, neighbours))
        pool.remove(best)
        selected.append(best)
    found, scores = bulyan_selection(squared, f)
    assert found.tolist() == sorted(selected)
    assert np.isfinite(scores).all()


def test_bulyan_beside_rows_at_1e30():
    points = drawn(3, 15)
    points[:3] *= 1e30
    points[1] = points[0]
    found, _ = bulyan_selection(squared_of(points), 3)
    assert len(found) == 9
    assert not {0, 1, 2} & set(found.tolist())


def test_mixing_takes_the_nearest_and_the_row_itself():
    points = drawn(1, 8)
    points[5] = points[2]
    squared, weights = squared_of(points), nearest_neighbour_weights(squared_of(points), 3)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    for row in range(8):
        chosen = np.flatnonzero(weights[row])
        assert row in chosen
        assert len(chosen) == 5
        assert squared[row, chosen].max() <= np.delete(squared[row], chosen).min()


def test_mixing_keeps_the_row_itself_beside_equal_ones():
    weights = nearest_neighbour_weights(np.zeros((4, 4)), 2)
    assert (np.diag(weights) == 0.5).all()


@pytest.mark.parametrize(("n", "size", "counts"), [(9, 3, [3, 3, 3]), (7, 3, [3, 3, 1]), (3, 5, [3]), (4, 1, [1] * 4)])
def test_buckets_hold_every_row_once(n, size, counts):
    bucket = buckets(n, size, np.random.default_rng(0))
    assert np.bincount(bucket).tolist() == counts
    weights = bucket_weights(bucket)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    assert ((weights > 0).sum(axis=0) == 1).all()


def test_buckets_follow_the_seed():
    same = [buckets(20, 2, np.random.default_rng(seed)).tolist() for seed in (0, 0, 1)]
    assert same[0] == same[1] != same[2]


@pytest.mark.parametrize("seed", range(8))
def test_the_least_diameter_of_all_subsets(seed):
    n, keep = 6 + seed % 4, 4 + seed % 2
    squared = squared_of(drawn(seed, n, whole=bool(seed % 2)))
    diameters = {subset: squared[np.ix_(subset, subset)].max() for subset in combinations(range(n), keep)}
    subset, diameter = minimum_diameter_subset(squared, keep)
    assert diameter == min(diameters.values())
    # Of several the first in the order of rows.
    assert tuple(subset.tolist()) == min(one for one, value in diameters.items() if value == diameter)


def test_the_least_diameter_of_many_rows_and_of_equal_ones():
    points = drawn(9, 24)
    points[:11] += 50.0 * drawn(10, 11)
    subset, diameter = minimum_diameter_subset(squared_of(points), 13)
    assert squared_of(points)[np.ix_(subset, subset)].max() == diameter
    assert set(subset.tolist()) == set(range(11, 24))
    assert minimum_diameter_subset(np.zeros((24, 24)), 13)[0].tolist() == list(range(13))
    assert minimum_diameter_subset(np.zeros((1, 1)), 1)[0].tolist() == [0]


def test_clip_scales_meet_the_radius():
    norms = np.array([0.0, 0.5, 2.0, 1e30])
    np.testing.assert_allclose(clip_scales(norms, 1.0) * norms, [0.0, 0.5, 1.0, 1.0])


@pytest.mark.parametrize(("n", "f", "clipped"), [(10, 0, 0), (10, 1, 1), (10, 3, 4), (9, 4, 4), (3, 1, 1)])
def test_adaptive_clipping_counts(n, f, clipped):
    norms = np.random.default_rng(0).permutation(n) + 1.0
    radius = adaptive_radius(norms, f)
    assert (norms > radius).sum() == clipped
    assert radius in norms


def test_norms_that_are_equal_leave_room_for_rounding():
    distances, allowed = norm_deviations(np.array([1.0, 1.0, 1.0, 1.0 + 1e-7, 5.0]), deviations=3.0, floor=1e-3)
    assert (distances <= allowed).tolist() == [True, True, True, True, False]


def test_trust_is_the_positive_cosine_at_the_norm_of_the_root():
    rows, root = drawn(2, 6), np.array([3.0, 0.0, 4.0])
    rows[0] = 0.0
    norms = np.linalg.norm(rows, axis=1)
    coefficients, cosines = trusted_weights(rows @ root, norms, 5.0)
    trust = np.maximum(cosines, 0)
    expected = sum(t * 5.0 / norm * row for t, norm, row in zip(trust, norms, rows, strict=True) if norm) / trust.sum()
    np.testing.assert_allclose(coefficients @ rows, expected, rtol=1e-12)
    assert cosines[0] == coefficients[0] == 0.0


def test_projections_are_those_of_a_singular_value_decomposition():
    points = drawn(4, 9, d=5)
    centred = points - points.mean(axis=0)
    direction = np.linalg.svd(centred)[2][0]
    np.testing.assert_allclose(first_projections(squared_of(points)), np.square(centred @ direction), atol=1e-12)


def test_the_cluster_of_the_majority():
    angles = np.array([0.0, 0.02, 0.01, 0.03, 0.015, 1.5, 1.52, 3.0])
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.arange(1.0, 9.0)[:, None]
    distances = cosine_distances(points @ points.T)
    np.testing.assert_allclose(distances[0, 7], 1 - np.cos(3.0))
    inside = majority_cluster(distances)
    assert not inside[5:].any()
    assert inside.sum() >= 4


@pytest.mark.parametrize("n", [1, 2, 5])
def test_rows_in_one_direction_are_one_cluster(n):
    assert majority_cluster(np.zeros((n, n))).all()
