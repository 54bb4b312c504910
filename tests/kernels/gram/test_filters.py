"""Filters around moved means: thresholds, means of all rows, and the inflated spheres that hold all poison."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.gram.filters import DataDependentFilters, fit_filters


def rows(seed=0, n=40, d=8):
    rng = np.random.default_rng(seed)
    signs = np.where(np.arange(n) % 5 < 2, 1.0, -1.0)
    return rng.normal(size=(n, d)) + 1.2 * (signs[:, None] > 0), signs


def test_thresholds_are_quantiles_of_each_class():
    X, signs = rows()
    found = fit_filters(X, signs, quantile=0.6)
    for k, sign in enumerate((-1, 1)):
        own = X[signs == sign]
        line = found.means[1] - found.means[0]
        along = np.abs((own - own.mean(axis=0)) @ line) / np.linalg.norm(line)
        assert found.radii[k] == pytest.approx(np.quantile(np.linalg.norm(own - own.mean(axis=0), axis=1), 0.6))
        assert found.widths[k] == pytest.approx(np.quantile(along, 0.6))
        assert found.shares[k] == pytest.approx(len(own) / len(X))


def test_only_the_first_rows_of_each_class_give_thresholds():
    X, signs = rows()
    some = np.concatenate([np.flatnonzero(signs == sign)[:5] for sign in (-1, 1)])
    found = fit_filters(X, signs, quantile=0.6, first=5)
    own = X[some[:5]]
    assert found.radii[0] == pytest.approx(np.quantile(np.linalg.norm(own - found.means[0], axis=1), 0.6))
    assert np.allclose(found.means, fit_filters(X, signs, quantile=0.6).means)


def test_storage_does_not_matter():
    X, signs = rows()
    dense, sparse = fit_filters(X, signs, quantile=0.6), fit_filters(csr_array(X), signs, quantile=0.6)
    assert np.allclose(dense.radii, sparse.radii, rtol=1e-12)
    assert np.array_equal(dense.kept(X, signs, dense.means), sparse.kept(csr_array(X), signs, sparse.means))


def test_means_and_excess_are_those_of_clean_rows_and_copies_together():
    X, signs = rows()
    filters = fit_filters(X, signs, quantile=0.6)
    atoms, counts = np.random.default_rng(1).normal(size=(4, 8)), np.array([3, 1, 2, 4])
    everything = np.vstack([X, np.repeat(atoms, counts, axis=0)])
    labels = np.append(signs, np.repeat([1.0, 1.0, -1.0, -1.0], counts))
    means = np.stack([everything[labels == sign].mean(axis=0) for sign in (-1, 1)])
    assert np.allclose(filters.centres(atoms, counts / 40), means)
    line = (means[1] - means[0]) / np.linalg.norm(means[1] - means[0])
    worst = max(
        max(
            np.linalg.norm(atom - means[k]) - filters.radii[k],
            abs((atom - means[k]) @ line) - filters.widths[k],
        )
        for atom, k in zip(atoms, (1, 1, 0, 0), strict=True)
    )
    assert filters.excess(atoms, counts / 40) == pytest.approx(worst)


def test_kept_rows_pass_both_filters():
    X, signs = rows()
    filters = fit_filters(X, signs, quantile=0.6)
    kept = filters.kept(X, signs, filters.means)
    own = filters.means[(signs > 0).astype(int)]
    line = (filters.means[1] - filters.means[0]) / np.linalg.norm(filters.means[1] - filters.means[0])
    limits = filters.radii[(signs > 0).astype(int)], filters.widths[(signs > 0).astype(int)]
    expected = (np.linalg.norm(X - own, axis=1) <= limits[0]) & (np.abs((X - own) @ line) <= limits[1])
    assert np.array_equal(kept, expected)
    assert 0 < kept.sum() < len(X)


@pytest.mark.parametrize("seed", range(6))
def test_poison_that_passes_lies_within_the_inflated_spheres(seed):
    """Any numbers of rows at any places, shrunk towards the means until all pass the sphere around the new mean."""
    X, signs = rows(seed)
    filters = fit_filters(X, signs, quantile=0.6)
    rng, fraction = np.random.default_rng(seed), 0.3
    regions, nearest = filters.inflated(fraction), np.inf
    for k in (0, 1):
        for count in (1, 3, 12):
            poison = filters.means[k] + rng.normal(size=8) * 9 + rng.normal(size=(count, 8)) * rng.random()
            share, mass = filters.shares[k], count / 40
            new = (share * filters.means[k] + mass * poison.mean(axis=0)) / (share + mass)
            scale = filters.radii[k] / np.linalg.norm(poison - new, axis=1).max()
            away = scale * np.linalg.norm(poison - filters.means[k], axis=1).max()
            assert away <= regions[k].radius
            nearest = min(nearest, regions[k].radius - away)
    # Poison of the whole fraction at nearly one place comes close: no smaller sphere would do.
    lone = filters.radii[1] * (1 + fraction / filters.shares[1])
    assert regions[1].radius == pytest.approx(lone, rel=1e-9)
    assert regions[1].radius >= lone


def test_what_cannot_be_a_filter_is_refused():
    X, _ = rows()
    with pytest.raises(InvalidData, match="two classes"):
        fit_filters(X, np.ones(40), quantile=0.6)
    with pytest.raises(InvalidData, match="expected two that differ"):
        DataDependentFilters(np.zeros((2, 3)), np.full(2, 0.5), np.ones(2), np.ones(2))
    with pytest.raises(InvalidArgument, match="widths"):
        DataDependentFilters(np.eye(2), np.full(2, 0.5), np.ones(2), np.array([1.0, 0.0]))
