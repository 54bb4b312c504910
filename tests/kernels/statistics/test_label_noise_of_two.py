"""Pools of two models, of which one may be useless."""

import numpy as np
import pytest

from toadstone.kernels.statistics.label_noise import pool_chances


@pytest.fixture
def drawn():
    """Chances of three classes, and labels drawn from them."""
    rng = np.random.default_rng(0)
    table = rng.dirichlet(np.full(3, 0.3), 600)
    return table, np.array([rng.choice(3, p=chances) for chances in table])


def test_a_useless_model_gets_no_weight_and_does_not_fit(drawn):
    table, codes = drawn
    flat = np.full_like(table, 1 / 3)
    pooled = pool_chances(flat, table, codes)
    assert not pooled.fits
    assert pooled.added < 1
    assert pooled.gain > 100
    swapped = pool_chances(table, flat, codes)
    assert swapped.fits
    np.testing.assert_allclose(swapped.noise.chances, pooled.noise.chances, atol=0.1)


def test_a_model_as_good_as_the_other_fits(drawn):
    table, codes = drawn
    assert pool_chances(table, table, codes).fits
    # Overconfidence counts against neither, for each is calibrated.
    sharper = table**3 / (table**3).sum(axis=1, keepdims=True)
    assert pool_chances(sharper, table, codes).fits


def test_a_model_that_adds_to_the_other_fits(drawn):
    _, codes = drawn
    first, second = (np.full((600, 3), 1 / 3) for _ in range(2))
    first[:300], second[300:] = 0.1, 0.1
    first[np.arange(300), codes[:300]] = 0.8
    second[np.arange(300, 600), codes[300:]] = 0.8
    pooled = pool_chances(first, second, codes)
    assert pooled.fits
    assert min(pooled.gain, pooled.added) > 50


def test_wrong_labels_that_either_explains_are_not_proven(drawn):
    table, codes = drawn
    wrong = np.random.default_rng(1).random(600) < 0.15
    flipped = np.where(wrong, (codes + np.random.default_rng(2).integers(1, 3, 600)) % 3, codes)
    assert pool_chances(table, table, flipped).noise.at_least > 0.01
    knows = np.full_like(table, 0.05)
    knows[np.arange(600), flipped] = 0.9
    assert pool_chances(table, knows, flipped).noise.at_least == 0
