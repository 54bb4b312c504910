"""Influence against retraining without each row."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.influence import leave_one_out
from toadstone.kernels.influence.leave_one_out import (
    SquaredLoss,
    TrainedHead,
    fit_squares,
    influence_on_each,
    influence_on_mean,
)
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE, LOGISTIC, smooth_hinge

RIDGE = 0.05
LOSSES = {"squared": SquaredLoss(), "logistic": LOGISTIC, "smooth hinge": smooth_hinge(0.5)}


def rows(n: int, d: int = 4, seed: int = 0):
    rng = np.random.default_rng(seed)
    signs = np.resize([1.0, -1.0], n)
    X = rng.normal(size=(n, d)) + 0.7 * signs[:, None]
    return X, np.where(rng.random(n) < 0.1, -signs, signs)


def trained(X, signs, name, ridge=RIDGE):
    if name == "squared":
        return TrainedHead(X, signs, fit_squares(X, signs, ridge=ridge), LOSSES[name], ridge)
    theta = fit_linear(X, signs, loss=LOSSES[name], ridge=ridge, tolerance=1e-10).theta
    return TrainedHead(X, signs, theta, LOSSES[name], ridge)


def mean_loss(head, X, signs):
    return head.loss.value(signs * (X @ head.theta[:-1] + head.theta[-1])).mean()


def retrained(X, signs, name, probe):
    """The change of the probe's mean loss, one honest training after another."""
    n, before = len(signs), mean_loss(trained(X, signs, name), *probe)
    found = []
    for row in range(n):
        rest = np.delete(np.arange(n), row)
        # The same penalty of the same sum of losses, of which one is missing.
        found.append(mean_loss(trained(X[rest], signs[rest], name, RIDGE * n / (n - 1)), *probe) - before)
    return np.array(found)


@pytest.mark.parametrize("name", LOSSES)
def test_leave_one_out_retraining(name):
    (X, signs), probe = rows(120), rows(80, seed=1)
    guess, truth = influence_on_mean(trained(X, signs, name), *probe), retrained(X, signs, name, probe)
    assert np.corrcoef(guess, truth)[0, 1] > 0.99
    assert np.abs(guess - truth).max() < 0.2 * np.abs(truth).max()


def test_the_step_of_the_squared_loss_is_exact():
    X, signs = rows(12)
    head, last = trained(X, signs, "squared"), np.append(X[5], 1.0)
    rest = np.delete(np.arange(12), 5)
    table = np.column_stack([X, np.ones(12)])
    step = head.steps[5] * np.linalg.solve(table.T @ table / 12 + RIDGE * np.eye(5), last)
    np.testing.assert_allclose(head.theta + step, trained(X[rest], signs[rest], "squared", RIDGE * 12 / 11).theta)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("sparse", [False, True])
def test_single_rows_add_up_to_their_mean(name, sparse, monkeypatch):
    monkeypatch.setattr(leave_one_out, "_VALUES_AT_ONCE", 200)
    (X, signs), (P, probe_signs) = rows(50), rows(33, seed=1)
    head = trained(csr_array(X) if sparse else X, signs, name)
    blocks = [
        (part, table.copy()) for part, table in influence_on_each(head, csr_array(P) if sparse else P, probe_signs)
    ]
    assert len(blocks) == 9
    assert [part.start for part, _ in blocks] == list(range(0, 33, 4))
    whole = np.vstack([table for _, table in blocks])
    assert whole.shape == (33, 50)
    np.testing.assert_allclose(whole.mean(axis=0), influence_on_mean(head, P, probe_signs), rtol=1e-9, atol=1e-15)
    one = influence_on_mean(head, P[7:8], probe_signs[7:8])
    np.testing.assert_allclose(whole[7], one, rtol=1e-9, atol=1e-15)


def test_without_a_factor_the_products_are_the_same(monkeypatch):
    (X, signs), probe = rows(50), rows(20, seed=1)
    exact = trained(X, signs, "logistic")
    reference = influence_on_mean(exact, *probe)
    monkeypatch.setattr(leave_one_out, "LARGEST_DENSE", 3)
    wide = trained(X, signs, "logistic")
    np.testing.assert_allclose(wide.pull(*probe), exact.pull(*probe), rtol=1e-7)
    # Only the curvature of the row left out is missing.
    assert np.corrcoef(influence_on_mean(wide, *probe), reference)[0, 1] > 0.99
    np.testing.assert_allclose(wide.steps, wide.slopes(X, signs) / 50)
    with pytest.raises(InvalidArgument, match=r"`head`: expected at most 2 columns, got 4"):
        next(influence_on_each(wide, *probe))


def test_refusals():
    X, signs = rows(6)
    with pytest.raises(
        InvalidArgument, match="`loss`: expected one with a second derivative, such as logistic, got hinge"
    ):
        TrainedHead(X, signs, np.zeros(5), HINGE, 0.1)
    with pytest.raises(InvalidArgument, match="`ridge`"):
        TrainedHead(X, signs, np.zeros(5), LOGISTIC, 0.0)
