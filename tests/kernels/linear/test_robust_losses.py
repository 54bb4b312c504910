"""Trimmed and bounded losses, SEVER's directions, confident counts and contents of rows."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from toadstone.core.errors import UnknownName
from toadstone.kernels.linear.bounded_loss import BOUNDED_LOSSES, bounded_loss
from toadstone.kernels.linear.trimmed_loss import alternate, least_losses
from toadstone.kernels.statistics.class_probabilities import cross_entropies, slopes
from toadstone.kernels.statistics.confident_learning import calibrated_joint, confident_joint, prune_by_noise_rate
from toadstone.kernels.statistics.row_digests import contents
from toadstone.kernels.statistics.sever import sever, strongest_pull


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), keep=st.sampled_from([0.6, 0.75, 0.9, 1.0]))
def test_no_other_choice_of_rows_has_less_loss(seed, keep):
    rng = np.random.default_rng(seed)
    losses, codes = rng.random(9), rng.integers(0, 3, 9)
    chosen = least_losses(losses, codes, keep)
    halves = {code: (np.sum(codes == code) + 1) // 2 for code in np.unique(codes)}
    assert len(chosen) == max(int(keep * 9 + 1e-9), sum(halves.values()))
    sums = [
        losses[list(rows)].sum()
        for rows in combinations(range(9), len(chosen))
        if all(np.sum(codes[list(rows)] == code) >= half for code, half in halves.items())
    ]
    assert losses[chosen].sum() <= min(sums) + 1e-12


def test_rows_once_left_out_may_return():
    # The mean of all rows is 4; of the six nearest to it 0.33; then the 3 is back and 30 stays out.
    X = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 3.0, 30.0, -3.0])
    fit = alternate(
        lambda rows: X[rows].mean(),
        lambda mean: (X - mean) ** 2,
        np.zeros(8, dtype=int),
        np.array([6, 7]),
        keep=0.75,
        rounds=20,
    )
    assert fit.settled
    assert fit.rows.tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(least_losses(fit.losses, np.zeros(8, dtype=int), 0.75), fit.rows)


@pytest.mark.parametrize("name", BOUNDED_LOSSES)
@pytest.mark.parametrize("cap", [0.5, 1.0, 3.0])
def test_bounded_losses_lie_below_their_tangents_and_the_cap(name, cap):
    loss, margins = bounded_loss(name, cap), np.linspace(-20, 20, 101)
    values, weights = loss.value(margins), loss.weights(margins)
    convex = loss.convex.value(margins)
    assert values.min() >= 0
    assert values.max() <= cap
    tangents = values[:, None] + weights[:, None] * (convex[None, :] - convex[:, None])
    assert (tangents >= values[None, :] - 1e-12).all()


def test_the_sigmoid_loss_is_the_sigmoid_of_minus_the_margin():
    margins = np.linspace(-5, 5, 11)
    np.testing.assert_allclose(bounded_loss("sigmoid").value(margins), 1 / (1 + np.exp(margins)))


def test_an_unknown_bounded_loss():
    with pytest.raises(UnknownName, match="`loss`: expected one of ramp, sigmoid, welsch, got hinge"):
        bounded_loss("hinge")


@pytest.mark.parametrize(("n", "d", "k"), [(5, 3, 1), (40, 7, 3), (60, 30, 2), (30, 200, 1)])
@pytest.mark.parametrize("form", [np.asarray, csr_array])
def test_pulls_are_those_of_the_gradients_written_out(n, d, k, form):
    rng = np.random.default_rng(n)
    X, factors = rng.standard_normal((n, d)), rng.standard_normal((n, k))
    written = (factors[:, :, None] * np.column_stack([X, np.ones(n)])[:, None, :]).reshape(n, -1)
    centred = written - written.mean(axis=0)
    axis = np.linalg.svd(centred, full_matrices=False)[2][0]
    expected = (centred @ axis) ** 2
    pull = strongest_pull(form(X), factors)
    np.testing.assert_allclose(pull.excess(form(X), factors), expected / expected.mean(), rtol=1e-6, atol=1e-8)


def test_gradients_of_the_cross_entropy_by_differences():
    rng = np.random.default_rng(0)
    scores, codes = rng.standard_normal((5, 3)), np.array([0, 1, 2, 2, 0])

    def loss(scores):
        return cross_entropies(np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True), codes)

    table = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    for column in range(3):
        step = 1e-6 * np.eye(3)[column]
        np.testing.assert_allclose(
            (loss(scores + step) - loss(scores - step)) / 2e-6, slopes(table, codes)[:, column], atol=1e-8
        )


def test_each_round_severs_its_share_of_each_class_at_most():
    rng = np.random.default_rng(0)
    X, codes = rng.standard_normal((100, 3)), np.repeat([0, 1], [30, 70])
    factors = rng.standard_normal((100, 1))
    severed = sever(len, lambda model: factors, X, codes, share=0.1, rounds=4)
    assert severed.models == (100, 90, 82, 75)
    assert len(severed.pulls) == 4
    assert sever(len, lambda model: factors, X, codes, share=0.0, rounds=4).kept.all()


def test_perfect_probabilities_have_a_diagonal_joint():
    codes = np.repeat([0, 1, 2], [10, 20, 30])
    joint = confident_joint(np.eye(3)[codes], codes)
    np.testing.assert_array_equal(joint, np.diag([10, 20, 30]))
    np.testing.assert_array_equal(calibrated_joint(joint, codes), joint)
    assert not prune_by_noise_rate(np.eye(3)[codes], codes, calibrated_joint(joint, codes)).any()


def test_a_label_that_is_the_likeliest_class_is_never_pointed_at():
    codes = np.repeat([0, 1], 5)
    table = np.where(np.eye(2)[codes] > 0, 0.6, 0.4)
    assert not prune_by_noise_rate(table, codes, np.array([[2.0, 3.0], [3.0, 2.0]])).any()
    table[0] = [0.3, 0.7]
    assert prune_by_noise_rate(table, codes, np.array([[4.0, 1.0], [3.0, 2.0]])).tolist() == [True] + 9 * [False]


def noisy_probabilities(seed, n=400, k=4):
    rng = np.random.default_rng(seed)
    true = np.concatenate([np.arange(k), rng.integers(0, k, n - k)])
    table = rng.dirichlet(np.ones(k), n) + 1.5 * rng.random((n, 1)) * np.eye(k)[true]
    labels = np.where(rng.random(n) < 0.2, rng.integers(0, k, n), true)
    labels[:k] = np.arange(k)
    return table / table.sum(axis=1, keepdims=True), labels


@pytest.mark.parametrize("seed", range(5))
def test_confident_learning_is_cleanlabs(seed):
    count = pytest.importorskip("cleanlab.count", reason="cleanlab is not installed; it is no dependency")
    pruning = pytest.importorskip("cleanlab.filter")
    table, labels = noisy_probabilities(seed)
    joint = confident_joint(table, labels)
    np.testing.assert_array_equal(joint, count.compute_confident_joint(labels, table, calibrate=False))
    theirs = count.calibrate_confident_joint(joint, labels)
    ours = calibrated_joint(joint, labels)
    np.testing.assert_allclose(ours, theirs, atol=1.0)
    issues = pruning.find_label_issues(labels, table, confident_joint=theirs, filter_by="prune_by_noise_rate")
    np.testing.assert_array_equal(prune_by_noise_rate(table, labels, theirs), issues)


def test_a_label_that_no_row_confidently_bears_is_taken_to_be_right():
    np.testing.assert_array_equal(
        calibrated_joint(np.array([[2, 2], [0, 0]]), np.repeat([0, 1], [8, 3])), [[4.0, 4.0], [0.0, 3.0]]
    )


def test_contents_tell_rows_apart_as_values_do():
    X = np.array([[0.0, 1.0, 2.0], [-0.0, 1.0, 2.0], [1.0, 0.0, 2.0], [0.0, 0.0, 0.0]])
    found = contents(X)
    assert found == contents(csr_array(X))
    assert found[0] == found[1]
    assert len(set(found)) == 3
    stored = csr_array((np.array([2.0, 0.5, 0.5, 0.0]), np.array([2, 1, 1, 0]), np.array([0, 4])), shape=(1, 3))
    assert contents(stored) == found[:1]
