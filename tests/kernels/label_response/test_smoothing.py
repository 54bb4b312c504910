"""Smoothed predictions against every noise and every attacker of small problems."""

from functools import reduce
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.label_response.smoothing import divergence_counts, likelihood_counts, smooth_flips

NOISES = st.sampled_from([1e-9, 0.01, 0.05, 0.1, 0.2, 0.3, 0.45, 0.49])


def smoothed_by_force(alpha, noise):
    """Probability of class 1 for every labelling, and the labellings; weights must be whole numbers."""
    labels = np.array(list(product((0, 1), repeat=len(alpha))))
    base = ((2 * labels - 1) @ alpha > 0).astype(float)
    step = np.array([[1 - noise, noise], [noise, 1 - noise]])
    return reduce(np.kron, [step] * len(alpha)) @ base, labels


@st.composite
def problems(draw, most=10):
    n = draw(st.integers(1, most))
    alpha = draw(st.lists(st.integers(-2, 9), min_size=n, max_size=n))
    codes = draw(st.lists(st.sampled_from([0, 1, 1, 1]), min_size=n, max_size=n))
    flipped = draw(st.booleans())
    return np.array(alpha), 1 - np.array(codes) if flipped else np.array(codes)


def proved(problem, noise):
    alpha, codes = problem
    return smooth_flips(alpha[None] * 0.25, codes, noise=noise)


@given(problems(), NOISES)
def test_the_bound_is_below_the_probability(problem, noise):
    found = proved(problem, noise)
    of_one, labels = smoothed_by_force(problem[0], noise)
    exact = of_one[(labels == problem[1]).all(axis=1)][0]
    exact = exact if found.winner[0] == 1 else 1 - exact
    assert 0 <= found.probability[0] <= exact + 1e-12


@given(problems(most=9), NOISES)
def test_no_count_is_above_that_of_every_attacker(problem, noise):
    found = proved(problem, noise)
    of_one, labels = smoothed_by_force(problem[0], noise)
    flips = (labels != problem[1]).sum(axis=1)
    # Within rounding of one half the probabilities are equal, and class 0 wins.
    winners = (of_one > 0.5 + 1e-12).astype(int)
    changed = flips[winners != winners[flips == 0][0]]
    most = changed.min() - 1 if len(changed) else len(labels[0])
    for count in (divergence_counts, likelihood_counts):
        certified = count(found.log_failure, noise=noise, n_rows=len(problem[1]))[0]
        assert certified <= most
        assert certified < 0 or found.winner[0] == winners[flips == 0][0]


def test_some_counts_are_not_zero():
    found = smooth_flips(np.ones((1, 9)), np.ones(9, dtype=int), noise=0.05)
    assert divergence_counts(found.log_failure, noise=0.05, n_rows=9)[0] == 1
    assert likelihood_counts(found.log_failure, noise=0.05, n_rows=9)[0] == 2


@pytest.mark.parametrize("noise", [1e-6, 0.02, 0.1, 0.3, 0.48])
def test_the_bound_is_the_least_over_t(noise):
    rng = np.random.default_rng(3)
    alpha, codes = rng.normal(0.3, 1.0, size=(5, 60)), np.ones(60, dtype=int)
    error = np.array([0.0, 0.1, 0.0, 0.5, 0.0])
    t = np.linspace(0, 60, 60_001)[:, None]
    for weights, known, found in zip(
        alpha, error, smooth_flips(alpha, codes, noise=noise, error=error).log_failure, strict=True
    ):
        leads = weights if weights.sum() > 0 else -weights
        grid = np.log((1 - noise) * np.exp(-t * leads) + noise * np.exp(t * leads)).sum(axis=1) + t[:, 0] * known
        assert found == pytest.approx(min(grid.min(), 0), abs=1e-5)


def least_before(flips, noise):
    """Fill one half of the probability after the flips with the outcomes that were least likely before."""
    outcomes = np.array(list(product((0, 1), repeat=flips))).sum(axis=1)
    before = noise**outcomes * (1 - noise) ** (flips - outcomes)
    after = (1 - noise) ** outcomes * noise ** (flips - outcomes)
    left, total = 0.5, 0.0
    for place in np.argsort(-outcomes, kind="stable"):
        taken = min(1.0, left / after[place])
        left, total = left - taken * after[place], total + taken * before[place]
    return total


@pytest.mark.parametrize("noise", [0.01, 0.1, 0.3, 0.45])
@pytest.mark.parametrize("flips", range(1, 9))
def test_the_likelihood_count_turns_where_one_half_can_be_filled(noise, flips):
    border = np.log(least_before(flips, noise))
    counts = likelihood_counts(border + np.array([-1e-7, 1e-7]), noise=noise, n_rows=50)
    np.testing.assert_array_equal(counts, [flips, flips - 1])


@given(st.floats(-2000, 0), NOISES)
def test_the_likelihood_count_is_never_the_smaller(log_failure, noise):
    failure = np.array([log_failure])
    one, two = (count(failure, noise=noise, n_rows=300)[0] for count in (divergence_counts, likelihood_counts))
    assert one <= two


def test_the_order_of_rows_and_the_scale_are_irrelevant():
    rng = np.random.default_rng(8)
    alpha, codes = rng.normal(size=(20, 300)), rng.integers(0, 2, 300)
    order = rng.permutation(300)
    found = smooth_flips(alpha, codes, noise=0.2)
    for other in (
        smooth_flips(alpha[:, order], codes[order], noise=0.2),
        smooth_flips(alpha * 2.0**-900, codes, noise=0.2),
    ):
        np.testing.assert_array_equal(found.winner, other.winner)
        np.testing.assert_array_equal(found.log_failure, other.log_failure)


def test_names_of_classes_change_places():
    rng = np.random.default_rng(9)
    alpha, codes = rng.normal(size=(20, 40)), rng.integers(0, 2, 40)
    one, two = smooth_flips(alpha, codes, noise=0.1), smooth_flips(alpha, 1 - codes, noise=0.1)
    np.testing.assert_array_equal(one.winner, 1 - two.winner)
    np.testing.assert_allclose(one.log_failure, two.log_failure, rtol=1e-12)


def test_a_tie_and_no_weight_prove_nothing():
    found = smooth_flips(np.array([[1.0, 1.0], [0.0, 0.0]]), np.array([0, 1]), noise=0.1)
    np.testing.assert_array_equal(found.log_failure, [0, 0])
    np.testing.assert_array_equal(divergence_counts(found.log_failure, noise=0.1, n_rows=2), [-1, -1])
    np.testing.assert_array_equal(likelihood_counts(found.log_failure, noise=0.1, n_rows=2), [-1, -1])


def test_an_error_as_large_as_the_lead_proves_nothing():
    alpha, codes = np.array([[1.0, 1.0, 1.0]]), np.array([1, 1, 1])
    assert smooth_flips(alpha, codes, noise=0.1, error=np.array([2.4])).log_failure[0] == 0
    assert smooth_flips(alpha, codes, noise=0.1, error=np.array([0.1])).log_failure[0] < 0


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"noise": 0.5}, "`noise`: expected a number in"),
        ({"noise": 0.0}, "`noise`: expected a number in"),
        ({"codes": np.array([0, 2])}, "`codes`: expected classes from 0 to 1"),
        ({"codes": np.array([0, 1, 1])}, "`alpha`: expected a row of 3 weights"),
        ({"alpha": np.array([[np.nan, 1.0]])}, "`alpha`: expected finite weights"),
        ({"error": np.array([-1.0])}, "`error`: expected a number not negative"),
    ],
)
def test_bad_input(changed, words):
    given = {"alpha": np.ones((1, 2)), "codes": np.array([0, 1]), "noise": 0.1} | changed
    with pytest.raises(InvalidArgument, match=words):
        smooth_flips(given.pop("alpha"), given.pop("codes"), **given)
