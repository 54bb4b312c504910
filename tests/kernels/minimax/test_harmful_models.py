"""The least objective of a harmful model: below every such model, and proved by any dual variables."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE
from toadstone.kernels.minimax.harmful_models import (
    floor_of_error,
    floor_of_loss,
    prove_error_floor,
    prove_loss_floor,
)


def rows(n=60, d=3, seed=0, apart=1.5):
    rng = np.random.default_rng(seed)
    signs = np.where(np.arange(n) % 2 == 0, -1.0, 1.0)
    return rng.normal(size=(n, d)) + apart * signs[:, None] / 2, signs


def some_models(X, signs, ridge, seed=0):
    """Models of every kind: at random, around the best one, and shrunk."""
    rng = np.random.default_rng(seed)
    best = fit_linear(X, signs, loss=HINGE, ridge=ridge, bias="regularized").theta
    for _ in range(1500):
        yield rng.uniform(0, 1.5) * best + rng.choice([0.05, 0.3, 1.0]) * rng.normal(size=len(best))
    # Few rows just beyond the line: what does the harm most cheaply.
    for share in np.linspace(-0.5, 1.5, 300):
        yield share * best


def facts(X, signs, ridge, theta):
    margins = signs * (X @ theta[:-1] + theta[-1])
    loss = HINGE.value(margins).mean()
    return int((margins <= 0).sum()), loss, loss + 0.5 * ridge * theta @ theta


@pytest.mark.parametrize("ridge", [0.003, 0.1])
def test_no_model_does_the_harm_at_less(ridge):
    X, signs = rows()
    floors = [floor_of_error(X, signs, ridge=ridge, wrong=wrong).value for wrong in range(0, 61, 6)]
    assert floors == sorted(floors)
    losses = [floor_of_loss(X, signs, ridge=ridge, loss=loss).value for loss in np.linspace(0, 1.5, 11)]
    assert losses == sorted(losses)
    for theta in some_models(X, signs, ridge):
        wrong, loss, objective = facts(X, signs, ridge, theta)
        assert objective >= floors[wrong // 6] - 1e-12
        assert objective >= losses[min(int(loss / 0.15), 10)] - 1e-12


def test_the_floor_is_at_least_that_of_the_loss_alone_and_of_training_without_poison():
    X, signs = rows()
    fit = fit_linear(X, signs, loss=HINGE, ridge=0.05, bias="regularized")
    least = facts(X, signs, 0.05, fit.theta)[2]
    for wrong in (0, 12, 30, 60):
        found = floor_of_error(X, signs, ridge=0.05, wrong=wrong).value
        assert found >= max(wrong / 60, least) * (1 - 1e-3)
    # Near a margin where both count, it is more than either.
    assert floor_of_error(X, signs, ridge=0.05, wrong=18).value > 1.02 * max(18 / 60, least)


def test_one_row_by_hand():
    # A row at 1 of sign +1: wrong needs a loss of 1, which the zero model has without a penalty.
    X, signs = np.array([[1.0]]), np.array([1.0])
    assert floor_of_error(X, signs, ridge=0.1, wrong=1).value == pytest.approx(1.0, abs=1e-6)
    # The best model has weight and bias 1/2: no loss, penalty 0.1 / 2 * 1 / 2.
    assert floor_of_error(X, signs, ridge=0.1, wrong=0).value == pytest.approx(0.025, rel=1e-3)
    assert floor_of_loss(X, signs, ridge=0.1, loss=0.0).value == pytest.approx(0.025, rel=1e-3)


def test_any_duals_prove_a_bound():
    X, signs = rows(n=20)
    rng = np.random.default_rng(1)
    for theta in some_models(X, signs, 0.1):
        wrong, loss, objective = facts(X, signs, 0.1, theta)
        duals = rng.random(20) ** rng.integers(1, 4)
        assert objective >= prove_error_floor(X, signs, duals, ridge=0.1, wrong=wrong)
        assert objective >= prove_loss_floor(X, signs, duals, ridge=0.1, loss=loss)


def test_storage_does_not_matter():
    X, signs = rows()
    dense, sparse = (floor_of_error(one, signs, ridge=0.05, wrong=12) for one in (X, csr_array(X)))
    assert dense.value == pytest.approx(sparse.value, rel=1e-9)


def test_what_does_not_fit_is_refused():
    X, signs = rows()
    with pytest.raises(InvalidArgument, match="wrong"):
        floor_of_error(X, signs, ridge=0.1, wrong=61)
    with pytest.raises(InvalidArgument, match="ridge"):
        floor_of_error(X, signs, ridge=0.0, wrong=6)
    with pytest.raises(InvalidArgument, match="loss"):
        floor_of_loss(X, signs, ridge=0.1, loss=-1.0)
