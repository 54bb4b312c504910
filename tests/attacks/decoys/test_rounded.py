"""Whole copies of a fractional point: whole, alike where promised, right on average."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.attacks.decoys.rounded import round_copies

POINT = np.array([0.25, 2.0, 0.5, 3.0 - 1e-12, 1.75])
ORDER = np.array([0.3, 1.0, -2.0, 0.0, 1.0])
KINDS = ("systematic", "independent", "reference")


def copies(rounding, *, repeats: int = 3, seed: int = 0):
    return round_copies(POINT, ORDER, repeats=repeats, rounding=rounding, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("rounding", KINDS)
class TestEveryKind:
    def test_floor_or_ceiling(self, rounding):
        for seed in range(20):
            rows = copies(rounding, seed=seed)
            assert rows.shape == (3, 5)
            assert np.all(rows == np.floor(rows))
            assert np.all(np.abs(rows - POINT) < 1)

    def test_nearly_whole_is_whole(self, rounding):
        drawn = np.stack([copies(rounding, seed=seed) for seed in range(50)])
        assert np.unique(drawn[..., 3]).tolist() == [3.0]

    def test_the_mean_is_kept(self, rounding):
        drawn = np.concatenate([copies(rounding, seed=seed) for seed in range(4000)])
        np.testing.assert_allclose(drawn.mean(axis=0), POINT, atol=0.04)

    def test_a_whole_point_is_copied(self, rounding):
        rows = round_copies(
            np.array([1.0, 0.0]), np.ones(2), repeats=2, rounding=rounding, rng=np.random.default_rng(0)
        )
        assert rows.tolist() == [[1.0, 0.0]] * 2


@pytest.mark.parametrize(("rounding", "alike"), [("systematic", True), ("independent", True), ("reference", False)])
def test_true_repeats_but_for_the_reference(rounding, alike):
    found = [np.ptp(copies(rounding, repeats=6, seed=seed), axis=0).max() == 0 for seed in range(10)]
    assert found == [alike] * 10
