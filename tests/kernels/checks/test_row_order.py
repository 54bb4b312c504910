"""Neighbouring rows of one label against all orders of the same labels."""

from itertools import permutations

import numpy as np
import pytest

from toadstone.kernels.checks.row_order import label_runs


@pytest.mark.parametrize("labels", [(0, 0, 0, 1, 1), (0, 0, 1, 1, 2, 2), (0, 0, 0, 0, 1, 2)])
def test_mean_and_variance_are_those_of_all_orders(labels):
    counts = [sum(a == b for a, b in zip(order[1:], order[:-1], strict=True)) for order in permutations(labels)]
    found = label_runs(np.array(labels))
    assert found.expected == pytest.approx(np.mean(counts))
    # The p-value is that of the normal distribution with this mean and variance.
    deviate = (found.same - 0.5 - np.mean(counts)) / np.std(counts)
    from scipy.stats import norm

    assert found.p_value == pytest.approx(norm.sf(deviate))


def test_a_random_order_is_calm_and_a_sorted_one_is_not():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 600)
    p_values = [label_runs(rng.permutation(codes)).p_value for _ in range(200)]
    assert 0.01 <= np.mean(np.array(p_values) < 0.05) <= 0.1
    assert label_runs(np.sort(codes)).p_value < 1e-30
    burst = rng.permutation(codes)
    burst[100:160] = 2
    assert label_runs(burst).p_value < 1e-4


@pytest.mark.parametrize("codes", [[], [0], [0, 1, 0], [0] * 9])
def test_too_few_rows_or_one_label_tell_nothing(codes):
    assert label_runs(np.array(codes, dtype=np.int64)).p_value == 1.0
