"""The bound of differential privacy against mechanisms whose poisoned outcomes are known."""

import math
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.privacy.group_privacy import group_privacy, poisoned_bound, tolerated_rows

SHARES, ROWS = st.floats(0, 1), st.integers(0, 40)
EPSILONS, DELTAS = st.floats(0, 3), st.sampled_from([0.0, 1e-6, 1e-3, 0.1])


def responses(rows, epsilon):
    """Reports of randomized response, one bit a row, and their probabilities."""
    reports = np.array(list(product((0, 1), repeat=len(rows))))
    truths = (reports == rows).sum(axis=1)
    honest = 1 / (1 + math.exp(-epsilon))
    return reports, honest**truths * (1 - honest) ** (len(rows) - truths)


@pytest.mark.parametrize("epsilon", [0.05, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("loss", ["majority", "mean", "drawn"])
def test_randomized_response_never_exceeds_the_bound(epsilon, loss):
    rows = np.array([0, 0, 1, 0, 1])
    reports, before = responses(rows, epsilon)
    drawn = np.random.default_rng(0).random(len(reports))
    costs = {"majority": reports.mean(axis=1) > 0.5, "mean": reports.mean(axis=1), "drawn": drawn}[loss]
    for k in range(len(rows) + 1):
        bound = poisoned_bound(before @ costs, rows=k, privacy_epsilon=epsilon)
        for changed in combinations(range(len(rows)), k):
            poisoned = rows.copy()
            poisoned[list(changed)] ^= 1
            assert responses(poisoned, epsilon)[1] @ costs <= bound + 1e-12


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 3.0])
def test_randomized_response_reaches_the_first_bound(epsilon):
    rows = np.zeros(4, dtype=int)
    reports, before = responses(rows, epsilon)
    all_ones = reports.all(axis=1)
    _, after = responses(1 - rows, epsilon)
    assert group_privacy(4, privacy_epsilon=epsilon)[0] == pytest.approx(
        math.log(after @ all_ones / (before @ all_ones))
    )
    assert after @ all_ones <= poisoned_bound(before @ all_ones, rows=4, privacy_epsilon=epsilon) + 1e-12


def geometric_share(above, count, epsilon):
    """Probability that a count with two-sided geometric noise is at least `above`."""
    small = math.exp(-epsilon)
    return small ** (above - count) / (1 + small) if count < above else 1 - small ** (count - above + 1) / (1 + small)


@pytest.mark.parametrize("epsilon", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("above", [1, 4, 12])
def test_geometric_noise_reaches_the_bound_for_every_number_of_rows(epsilon, above):
    clean = geometric_share(above, 0, epsilon)
    for k in range(25):
        bound = poisoned_bound(clean, rows=k, privacy_epsilon=epsilon)
        assert bound == pytest.approx(geometric_share(above, k, epsilon), rel=1e-10)


@pytest.mark.parametrize("delta", [1e-4, 0.05])
def test_a_mechanism_that_leaks_with_probability_delta(delta):
    epsilon, above = 0.4, 5

    def share(count):
        return (1 - delta) * geometric_share(above, count, epsilon) + delta * (count >= 1)

    bounds = [poisoned_bound(share(0), rows=k, privacy_epsilon=epsilon, privacy_delta=delta) for k in range(20)]
    assert all(share(k) <= bound + 1e-12 for k, bound in enumerate(bounds))


@given(SHARES, ROWS, EPSILONS, DELTAS)
def test_it_is_the_step_repeated(clean, rows, epsilon, delta):
    share = clean
    for _ in range(rows):
        share = min(math.exp(epsilon) * share + delta, 1 - math.exp(-epsilon) * (1 - share - delta), 1.0)
    found = poisoned_bound(clean, rows=rows, privacy_epsilon=epsilon, privacy_delta=delta)
    assert found == pytest.approx(share, rel=1e-9, abs=1e-12)


@given(SHARES, ROWS, EPSILONS, DELTAS)
def test_it_is_never_above_that_of_the_group(clean, rows, epsilon, delta):
    found = poisoned_bound(clean, rows=rows, privacy_epsilon=epsilon, privacy_delta=delta)
    whole, left = group_privacy(rows, privacy_epsilon=epsilon, privacy_delta=delta)
    assert clean - 1e-12 <= found <= min(math.exp(whole) * clean + left, 1.0) * (1 + 1e-9)


@given(SHARES, SHARES, ROWS, EPSILONS, DELTAS)
def test_monotone(one, two, rows, epsilon, delta):
    low, high = sorted((one, two))

    def bound(clean=low, rows=rows, epsilon=epsilon, delta=delta):
        return poisoned_bound(clean, rows=rows, privacy_epsilon=epsilon, privacy_delta=delta)

    most = bound() - 1e-12
    assert most <= min(
        bound(clean=high), bound(rows=rows + 1), bound(epsilon=epsilon + 0.1), bound(delta=0.5 + delta / 2)
    )
    assert bound(rows=0) == low


def test_no_epsilon_adds_up_deltas():
    assert poisoned_bound(0.25, rows=5, privacy_epsilon=0.0, privacy_delta=0.125) == 0.875
    assert poisoned_bound(0.25, rows=9, privacy_epsilon=0.0, privacy_delta=0.125) == 1.0


@pytest.mark.parametrize("delta", [0.0, 1e-5])
def test_nothing_overflows(delta):
    assert poisoned_bound(0.1, rows=10**6, privacy_epsilon=800.0, privacy_delta=delta) == 1.0
    assert group_privacy(10**6, privacy_epsilon=800.0, privacy_delta=delta)[1] == (1.0 if delta else 0.0)


def test_an_event_that_cannot_happen_stays_so():
    assert poisoned_bound(0.0, rows=10**6, privacy_epsilon=800.0) == 0.0
    assert tolerated_rows(0.0, limit=0.1, n_rows=77, privacy_epsilon=800.0) == 77


@given(SHARES, SHARES, EPSILONS, DELTAS)
def test_tolerated_rows_are_the_most(one, two, epsilon, delta):
    clean, limit = sorted((one, two))
    guarantee = {"privacy_epsilon": epsilon, "privacy_delta": delta}
    found = tolerated_rows(clean, limit=limit, n_rows=30, **guarantee)
    assert poisoned_bound(clean, rows=found, **guarantee) <= limit
    assert found == 30 or poisoned_bound(clean, rows=found + 1, **guarantee) > limit


def test_bad_input():
    with pytest.raises(InvalidArgument, match="`clean`: expected a number in"):
        poisoned_bound(1.5, rows=1, privacy_epsilon=1.0)
    with pytest.raises(InvalidArgument, match="`rows`: expected a whole number from 0"):
        poisoned_bound(0.5, rows=-1, privacy_epsilon=1.0)
    with pytest.raises(InvalidArgument, match="`privacy_epsilon`: expected a number that is not negative"):
        group_privacy(1, privacy_epsilon=math.inf)
    with pytest.raises(InvalidArgument, match="`privacy_delta`: expected a number in"):
        group_privacy(1, privacy_epsilon=1.0, privacy_delta=1.5)
    with pytest.raises(InvalidArgument, match=r"`limit`: expected a number from 0\.5 to 1, got 0\.4"):
        tolerated_rows(0.5, limit=0.4, n_rows=10, privacy_epsilon=1.0)
