"""The stochastic descent of the multi-class hinge, and its gradient."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.linear.adagrad import AdaGrad
from toadstone.kernels.linear.online_multiclass import HingeGradient, descend_crammer_singer
from toadstone.kernels.losses import crammer_singer


def rows(seed: int = 0, n: int = 40, d: int = 5, k: int = 4):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, k, n)
    X = rng.normal(size=(n, d)) * (rng.random((n, d)) < 0.7)
    X[:, 0] += codes
    return X, codes, rng.normal(size=(d + 1, k))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("sparse", [False, True])
def test_the_gradient_is_that_of_the_loss(seed, sparse):
    X, codes, theta = rows(seed)
    losses, pulls = crammer_singer(X @ theta[:-1] + theta[-1], codes)
    loss, gradient = HingeGradient(csr_array(X) if sparse else X, codes).at(theta)
    np.testing.assert_allclose(loss, losses.mean())
    np.testing.assert_allclose(gradient, np.column_stack([X, np.ones(len(X))]).T @ pulls / len(X), atol=1e-14)


def test_the_gradient_agrees_with_differences():
    X, codes, theta = rows()
    hinge = HingeGradient(X, codes)
    gradient = hinge.at(theta)[1]
    for index in [(0, 1), (3, 2), (5, 0)]:
        step = np.zeros_like(theta)
        step[index] = 1e-7
        difference = (hinge.at(theta + step)[0] - hinge.at(theta - step)[0]) / 2e-7
        assert gradient[index] == pytest.approx(difference, abs=1e-6)


def test_chosen_rows_alone_count():
    X, codes, theta = rows()
    chosen = np.array([3, 3, 7])
    some = HingeGradient(X, codes).at(theta, chosen)
    alone = HingeGradient(X[chosen], codes[chosen]).at(theta)
    assert some[0] == pytest.approx(alone[0])
    np.testing.assert_allclose(some[1], alone[1])


def test_one_batch_is_one_step_of_adagrad():
    X, codes, _ = rows()
    theta = descend_crammer_singer(
        X, codes, 4, rng=np.random.default_rng(0), epochs=1, batch=40, descent=AdaGrad(0.5, 0.1)
    )
    gradient = HingeGradient(X, codes).at(np.zeros((6, 4)))[1].T
    np.testing.assert_allclose(theta, -0.5 * gradient / np.sqrt(0.1 + gradient**2))


def test_copies_are_repeated_rows():
    X, codes, _ = rows()
    copies = np.arange(len(X)) % 3
    repeated = np.repeat(np.arange(len(X)), copies)
    counted = descend_crammer_singer(X, codes, 4, copies=copies, rng=np.random.default_rng(1), batch=7)
    plain = descend_crammer_singer(X[repeated], codes[repeated], 4, rng=np.random.default_rng(1), batch=7)
    np.testing.assert_allclose(counted, plain)


def test_each_epoch_visits_every_row():
    # Rows of their own feature each: only those visited leave a trace.
    codes = np.arange(12) % 3
    theta = descend_crammer_singer(np.eye(12), codes, 3, rng=np.random.default_rng(0), epochs=1, batch=5)
    assert np.all(theta[codes, np.arange(12)] > 0)


def test_the_order_is_the_seeds():
    X, codes, _ = rows()
    one, two, other = (
        descend_crammer_singer(X, codes, 4, rng=np.random.default_rng(seed), batch=7) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_separable_rows_are_learnt():
    X, codes = np.eye(4)[np.arange(80) % 4], np.arange(80) % 4
    theta = descend_crammer_singer(X, codes, 4, rng=np.random.default_rng(0), descent=AdaGrad(0.5, 1e-4))
    np.testing.assert_array_equal((X @ theta[:, :-1].T + theta[:, -1]).argmax(axis=1), codes)


@pytest.mark.parametrize("option", ["epochs", "batch"])
def test_counts_are_positive(option):
    X, codes, _ = rows()
    with pytest.raises(InvalidArgument, match=f"`{option}`: expected a whole number from 1"):
        descend_crammer_singer(X, codes, 4, rng=np.random.default_rng(0), **{option: 0})
