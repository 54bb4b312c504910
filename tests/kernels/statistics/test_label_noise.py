"""Shares of wrong labels and temperatures, on disagreements drawn from a known law."""

import numpy as np
import pytest
from scipy.special import expit

from toadstone.kernels.statistics.class_probabilities import contradictions, rivalries
from toadstone.kernels.statistics.label_noise import contradiction_threshold, label_noise, least_share


def disagreements(*, share, temperature=1.0, n=20000, seed=0):
    """Log odds against labels of which a share was flipped, by a model that overstates them by a temperature."""
    rng = np.random.default_rng(seed)
    sureness = rng.exponential(4.0, n)
    wrong = rng.random(n) < share + (1 - 2 * share) * expit(-sureness / temperature)
    return np.where(wrong, sureness, -sureness)


def noise_of(log_odds):
    """The estimate from two classes; every row has the first label."""
    return label_noise(np.column_stack([expit(-log_odds), expit(log_odds)]), np.zeros(len(log_odds), dtype=int))


def threshold_of(log_odds, share):
    table = np.column_stack([expit(-log_odds), expit(log_odds)])
    return contradiction_threshold(log_odds, share, noise_of(log_odds), rivalries(table))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.2])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_both_are_found_again(share, temperature):
    found = noise_of(disagreements(share=share, temperature=temperature))
    assert found.share == pytest.approx(share, rel=0.2, abs=0.007)
    assert found.at_least <= share
    # The grid's next higher temperature that is not much less likely.
    assert temperature * 0.95 <= found.temperature <= temperature * 1.3


def test_the_least_share_is_that_of_the_likelihood_ratio():
    log_odds = disagreements(share=0.05, n=2000)
    found = noise_of(log_odds)
    sureness, wrong = np.abs(log_odds), log_odds > 0

    def likelihood(share):
        """The largest over temperatures, of every row by itself."""
        best = -np.inf
        for temperature in np.geomspace(0.25, 16, 31):
            chance = np.clip(share + (1 - 2 * share) * expit(-sureness / temperature), 1e-12, 1 - 1e-12)
            best = max(best, np.log(chance)[wrong].sum() + np.log1p(-chance)[~wrong].sum())
        return best

    grid = np.concatenate([[0.0], np.geomspace(0.001, 0.4, 40)])
    values = np.array([likelihood(share) for share in grid])
    assert found.share == pytest.approx(grid[values.argmax()])
    likely = grid[values >= values.max() - 5]
    np.testing.assert_allclose(found.at_least, likely[0], rtol=0.15)


class TestThreshold:
    def test_without_wrong_labels_it_is_the_quantile(self):
        log_odds = disagreements(share=0.0)
        threshold = threshold_of(log_odds, 0.05)
        assert threshold == np.quantile(log_odds, 0.95, method="inverted_cdf")
        assert threshold > 0

    def test_a_share_that_may_be_chance_does_not_count_as_proven(self):
        log_odds = disagreements(share=0.05, n=300, seed=13)
        found = noise_of(log_odds)
        assert found.at_least <= 0.04 < found.share
        assert threshold_of(log_odds, 0.04) == np.quantile(log_odds, 0.96, method="inverted_cdf")

    def test_it_may_lie_below_one(self):
        log_odds = disagreements(share=0.2)
        assert noise_of(log_odds).at_least < 0.2
        assert 0 < threshold_of(log_odds, 0.2) < 1
        log_odds = disagreements(share=0.3)
        assert noise_of(log_odds).at_least > 0.2
        assert 0 < threshold_of(log_odds, 0.2) < 1

    def test_it_is_never_negative(self):
        assert threshold_of(np.full(100, -3.0), 0.02) == 0.0

    @pytest.mark.parametrize("temperature", [1.0, 2.0])
    def test_with_wrong_labels_as_many_right_ones_lie_beyond_as_half_the_share(self, temperature):
        log_odds = disagreements(share=0.1, temperature=temperature, n=50000)
        threshold = threshold_of(log_odds, 0.02)
        sureness = np.abs(log_odds)
        beyond = sureness > threshold
        mistaken = expit(-sureness[beyond] / noise_of(log_odds).temperature).sum() / len(log_odds)
        assert mistaken == pytest.approx(0.01, rel=1e-3)
        # Nearly all wrong labels of sure rows are beyond: far more than the share.
        assert np.mean(log_odds > threshold) > 0.03

    def test_it_lies_no_higher_than_the_quantile(self):
        log_odds = np.concatenate([np.full(700, -9.0), np.full(300, 9.0)])
        assert threshold_of(log_odds, 0.4) <= np.quantile(log_odds, 0.6, method="inverted_cdf") + 9
        assert threshold_of(log_odds, 0.02) == 9.0


def test_many_classes_that_overlap_are_no_wrong_labels():
    rng = np.random.default_rng(0)
    table = rng.dirichlet(np.full(8, 0.7), 2000)
    codes = np.array([rng.choice(8, p=chances) for chances in table])
    # A third label is often right though two others are likelier: by pairs that looked like wrong labels.
    assert np.mean(contradictions(table, codes) > 0) > 0.4
    assert label_noise(table, codes).at_least == 0
    wrong = rng.random(2000) < 0.15
    found = label_noise(table, np.where(wrong, rng.integers(0, 8, 2000), codes))
    assert 0 < found.at_least < 0.13
    assert found.share == pytest.approx(0.13, abs=0.04)


def test_what_one_profile_explains_without_wrong_labels_does_not_prove_them():
    proven, explained = np.linspace(-50, 0, 41), np.linspace(-3, -60, 41)
    assert least_share(proven) > 0.1
    assert least_share(np.maximum(proven, explained)) == 0
