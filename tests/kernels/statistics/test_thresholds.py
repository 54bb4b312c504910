"""Thresholds that clean rows seldom exceed."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from toadstone.kernels.statistics.thresholds import (
    beyond_gap,
    careful_share,
    smallest_detectable_share,
    tail_threshold,
    trusted_threshold,
)

LAWS = {
    "exponential": lambda rng, n: rng.exponential(size=n),
    "normal": lambda rng, n: rng.normal(size=n),
    "half normal": lambda rng, n: np.abs(rng.normal(size=n)),
    "chi-square of 1": lambda rng, n: rng.chisquare(1, n),
    "chi-square of 10": lambda rng, n: rng.chisquare(10, n),
    "Student of 5": lambda rng, n: np.abs(rng.standard_t(5, n)),
    "lognormal": lambda rng, n: np.exp(0.75 * rng.normal(size=n)),
}
every_law = pytest.mark.parametrize("law", LAWS)
SIZES = pytest.mark.parametrize(("n", "repeats"), [(200, 100), (1000, 60), (20000, 5)])


@every_law
@SIZES
def test_clean_scores_keep_the_promise(law, n, repeats):
    rng = np.random.default_rng(1)
    samples = [LAWS[law](rng, n) for _ in range(repeats)]
    shares = np.array([np.mean(scores > tail_threshold(scores, 0.02)) for scores in samples])
    assert np.mean(shares <= 0.02) >= 0.95
    assert shares.mean() <= 0.012


@every_law
@pytest.mark.parametrize("n", [1000, 20000])
def test_a_group_far_out_is_flagged(law, n):
    rng = np.random.default_rng(2)
    scores = LAWS[law](rng, n)
    planted = rng.random(round(0.03 * n)) + 4 * np.quantile(scores, 0.999)
    assert (planted > tail_threshold(np.append(scores, planted), 0.02)).mean() >= 0.99


def test_an_exponential_tail_is_extrapolated_to_its_own_quantile():
    scores = -np.log(np.arange(1, 10001) / 10001)
    level = 0.5 * careful_share(10000, 0.02)
    high, slope = np.quantile(scores, 0.9), np.diff(np.quantile(scores, [0.5, 0.9]))[0] / np.log(5)
    widened = 1 + 2 * np.sqrt(8) / np.log(5) / 100
    assert tail_threshold(scores, 0.02) == pytest.approx(high + slope * np.log(0.1 / level) * widened, rel=0.01)


def steps(n: int) -> float:
    """Distance to extrapolate, in steps of half the distance between the outer quantiles."""
    return 2 * np.log(0.1 / (0.5 * careful_share(n, 0.02))) / np.log(5)


def widened(n: int) -> float:
    return 1 + 2 * np.sqrt(8) / np.log(5) / np.sqrt(n)


def test_a_tail_that_is_lighter_counts_as_exponential():
    scores = np.arange(1001) / 1000
    assert tail_threshold(scores, 0.02) == pytest.approx(0.9 + 0.4 / 2 * steps(1001) * widened(1001), rel=1e-12)


def test_a_tail_that_is_very_heavy_grows_by_eight_a_step_at_most():
    # Quantiles of 0, 1 and 21: the second distance is twenty times the first.
    scores = np.repeat([0.0, 1.0, 21.0], [700, 150, 151])
    reach = 20 * 8 * (8 ** steps(1001) - 1) / 7
    assert tail_threshold(scores, 0.02) == pytest.approx(21 + reach * widened(1001), rel=1e-12)


def test_a_least_spread_stands_in_for_a_smaller_one():
    scores = np.arange(1001) / 1e6
    expected = 9e-4 + 0.1 / 2 * steps(1001) * widened(1001)
    assert tail_threshold(scores, 0.02, least_spread=0.1) == pytest.approx(expected, rel=1e-12)


def test_a_pareto_tail_is_extrapolated_along_its_shape():
    scores = (np.arange(1, 100001) / 100001) ** -0.5
    beyond = np.mean(scores > tail_threshold(scores, 0.02))
    assert 0.005 <= beyond <= 0.012


def test_rows_beyond_the_ninth_decile_have_no_influence():
    scores = np.random.default_rng(0).exponential(size=1000)
    moved = np.where(scores > np.quantile(scores, 0.92), 1e9, scores)
    assert tail_threshold(moved, 0.02) == tail_threshold(scores, 0.02)


@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-10, 10))
def test_units_are_irrelevant(scale, shift):
    scores = np.random.default_rng(0).exponential(size=300)
    moved = tail_threshold(scale * scores + shift, 0.02)
    assert moved == pytest.approx(scale * tail_threshold(scores, 0.02) + shift, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("scores", [np.zeros(50), np.full(50, 3.0), np.array([7.0]), np.r_[np.zeros(46), 1, 2, 3, 4.0]])
def test_ties_have_no_threshold(scores):
    assert tail_threshold(scores, 0.02) == np.inf


def test_a_least_spread_stands_in_for_ties():
    assert 0 < tail_threshold(np.zeros(1000), 0.02, least_spread=0.1) < 1


@given(n=st.integers(1, 3000), share=st.sampled_from([0.001, 0.02, 0.1]))
def test_the_careful_share_breaks_the_promise_once_in_twenty(n, share):
    careful = careful_share(n, share)
    assert 0 < careful <= share
    assert binom.sf(np.floor(share * n + 1e-9), n, careful) <= 0.05 + 1e-9


def test_a_careful_share_is_the_largest_that_keeps_the_promise():
    for n, share in [(30, 0.1), (200, 0.02), (3000, 0.001)]:
        allowed = round(share * n)
        assert binom.sf(allowed, n, careful_share(n, share)) == pytest.approx(0.05, rel=1e-9)


def least_count(n: int, share: float) -> int:
    """The fewest flagged rows that chance flags at most once in twenty times, in rational arithmetic."""
    chance, tail = Fraction(share), Fraction(1)
    for count in range(n + 1):
        if tail <= Fraction(1, 20):
            return count
        tail -= comb(n, count) * chance**count * (1 - chance) ** (n - count)
    return n + 1


@pytest.mark.parametrize("share", [0.001, 0.02, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("n", [1, 2, 7, 10, 33, 50, 99, 200])
def test_the_smallest_detectable_count_is_that_of_the_exact_binomial(n, share):
    assert smallest_detectable_share(n, share) == min(least_count(n, share), n) / n


@given(n=st.integers(1, 3000), share=st.sampled_from([0.001, 0.02, 0.1]))
def test_what_is_noticeable_exceeds_what_chance_flags(n, share):
    least = smallest_detectable_share(n, share)
    assert min(share, 1) < least <= 1
    if least < 1:
        assert binom.sf(round(least * n) - 1, n, share) <= 0.05


def test_trusted_rows_give_a_conformal_quantile():
    rng = np.random.default_rng(0)
    beyond = [np.mean(rng.standard_t(1, 1000) > trusted_threshold(rng.standard_t(1, 199), 0.02)) for _ in range(200)]
    assert np.mean(beyond) == pytest.approx(0.02, abs=0.003)


def test_too_few_trusted_rows_give_no_threshold():
    assert trusted_threshold(np.arange(48.0), 0.02) == np.inf
    assert trusted_threshold(np.arange(49.0), 0.02) == 48.0


@pytest.mark.parametrize("share", [0.1, 0.12, 0.25])
@every_law
def test_a_tenth_to_a_quarter_beyond_a_gap_is_found_whole(law, share):
    rng = np.random.default_rng(3)
    scores, planted = LAWS[law](rng, 300), np.arange(300) < round(share * 300)
    scores[planted] = 1e4 * (1 + rng.random(planted.sum()))
    np.testing.assert_array_equal(beyond_gap(scores), planted)


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_fewer_and_more_rows_beyond_a_gap_are_left_alone(share):
    scores = np.random.default_rng(3).exponential(size=300)
    scores[: round(share * 300)] += 1e4
    assert not beyond_gap(scores).any()


@pytest.mark.parametrize("index", [0.39, 1.0, 3.0])
def test_the_gaps_of_a_pareto_tail_are_its_own(index):
    rng = np.random.default_rng(4)
    assert sum(beyond_gap(rng.pareto(index, n)).any() for n in (12, 100, 1000) for _ in range(200)) <= 1


@pytest.mark.parametrize(("scale", "shift"), [(1e-6, 0.0), (1e6, 0.0), (1.0, -3.0)])
def test_gaps_have_no_units(scale, shift):
    scores = np.random.default_rng(5).exponential(size=100)
    scores[:12] += 1e3
    np.testing.assert_array_equal(beyond_gap(scale * scores + shift), np.arange(100) < 12)


@pytest.mark.parametrize("scores", [np.zeros(1), np.zeros(50), np.ones(3), np.repeat([0.0, 1.0], [80, 20])])
def test_gaps_of_ties_and_of_few_scores(scores):
    found = beyond_gap(scores)
    assert found.shape == scores.shape
    np.testing.assert_array_equal(found, (scores == 1.0) & (len(scores) == 100))
