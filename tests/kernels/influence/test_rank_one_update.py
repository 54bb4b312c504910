"""Rank-one updates against honest retraining."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.influence.rank_one_update import Candidates, SmallRidge, inner, squared_norms


def problem(b=20, n=9, q=15, d=6, k=3):
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape) for shape in ((b, d), (b, k), (n, d), (n, k), (q, d), (q, k))]


def trained(X, targets, penalty):
    table = np.column_stack([X, np.ones(len(X))])
    return np.linalg.solve(table.T @ table + penalty * np.eye(table.shape[1]), table.T @ targets)


def error(theta, X, targets):
    return ((np.column_stack([X, np.ones(len(X))]) @ theta - targets) ** 2).sum() / len(X)


@pytest.mark.parametrize("penalty", [0.01, 3.0])
@pytest.mark.parametrize("d", [2, 40])
def test_every_row_costs_what_retraining_says(penalty, d):
    B, tB, X, tX, Q, tQ = problem(d=d)
    before = error(trained(B, tB, penalty), Q, tQ)
    truth = [
        error(trained(np.vstack([B, x]), np.vstack([tB, t]), penalty), Q, tQ) - before
        for x, t in zip(X, tX, strict=True)
    ]
    known, targets = np.vstack([Q, B]), np.vstack([tQ, tB])
    model = SmallRidge(inner(known, known), targets, np.arange(15, 35), np.arange(15), penalty=penalty)
    assert model.error == pytest.approx(before)
    for rows in (X, csr_array(X)):
        costs = model.cost_of_each(Candidates(inner(known, rows), squared_norms(rows), tX))
        np.testing.assert_allclose(costs, truth, rtol=1e-7, atol=1e-9)


def test_no_penalty_is_refused():
    with pytest.raises(InvalidArgument, match=r"`penalty`: expected a positive number, got 0.0"):
        SmallRidge(np.ones((2, 2)), np.ones((2, 1)), np.array([0]), np.array([1]), penalty=0.0)
