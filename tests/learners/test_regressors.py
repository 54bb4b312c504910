"""TRIM and SEVER for ridge regression."""

from itertools import combinations

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.utils.estimator_checks import parametrize_with_checks

from toadstone.kernels.linear.trimmed_loss import alternate
from toadstone.kernels.regression.ridge import fit_ridge
from toadstone.learners import SeveredRidge, TrimmedRidge


@pytest.fixture
def spoiled():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 4))
    y = X @ [3.0, -1.0, 0.0, 2.0] + 0.1 * rng.normal(size=120)
    y[:12] = 25 - 5 * X[:12, 0]
    return X, y


@parametrize_with_checks([TrimmedRidge(), SeveredRidge()])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_the_trimmed_loss_never_rises(spoiled):
    X, y = spoiled
    objectives = []
    for rounds in range(1, 8):
        fit = alternate(
            lambda rows: fit_ridge(X[rows], y[rows], 0.1),
            lambda model: model.squared_residuals(X, y),
            np.zeros(120, dtype=int),
            np.arange(60),
            keep=0.9,
            rounds=rounds,
        )
        if len(fit.rows) == 108:
            objectives.append(fit.model.objective(X[fit.rows], y[fit.rows], 0.1))
    assert len(objectives) > 3
    assert np.all(np.diff(objectives) <= 1e-12)


def test_the_kept_rows_are_those_of_least_error_at_their_own_model(spoiled):
    X, y = spoiled
    found = TrimmedRidge(keep=0.9, ridge=0.1).fit(X, y)
    again = fit_ridge(X[found.kept_indices_], y[found.kept_indices_], 0.1)
    np.testing.assert_allclose(again.weights, found.coef_, atol=1e-10)
    order = np.argsort(again.squared_residuals(X, y), kind="stable")
    assert set(order[:108].tolist()) == set(found.kept_indices_.tolist())


@pytest.mark.parametrize("seed", range(4))
def test_of_all_subsets_the_best_is_found(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(11, 2))
    y = X @ [2.0, -1.0] + rng.normal(size=11)
    y[:3] = 12 - 6 * X[:3, 0]
    subsets = [np.array(rows) for rows in combinations(range(11), 8)]
    objectives = [fit_ridge(X[rows], y[rows], 0.01).objective(X[rows], y[rows], 0.01) for rows in subsets]
    found = TrimmedRidge(keep=8 / 11).fit(X, y)
    assert found.objectives_.min() == pytest.approx(min(objectives), abs=1e-12)
    np.testing.assert_array_equal(found.kept_indices_, subsets[int(np.argmin(objectives))])


def test_poison_that_bends_the_model_of_every_large_subset_is_left_out():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 3))
    y = X @ [3.0, -1.0, 2.0] + 0.1 * rng.normal(size=150)
    X[:30] = [6.0, 0.0, 0.0] + 0.1 * rng.normal(size=(30, 3))
    y[:30] = -20.0
    found = TrimmedRidge(keep=0.8).fit(X, y)
    assert found.kept_indices_.tolist() == list(range(30, 150))
    # From all rows the turns settle on the poison.
    assert found.objectives_[0] > 10 * found.objectives_.min()


@pytest.mark.parametrize("learner", [TrimmedRidge(keep=0.9, ridge=0.0), SeveredRidge(fraction=0.2, ridge=0.0)])
def test_planted_rows_are_left_out(spoiled, learner):
    X, y = spoiled
    found = learner.fit(X, y)
    assert found.kept_indices_.min() >= 12
    np.testing.assert_allclose(found.coef_, [3.0, -1.0, 0.0, 2.0], atol=0.05)
    assert found.suspicion_[:12].min() > found.suspicion_[found.kept_indices_].max()


@pytest.mark.parametrize("learner", [TrimmedRidge(keep=0.9), SeveredRidge()])
def test_order_and_storage_of_the_rows_are_irrelevant(spoiled, learner):
    X, y = spoiled
    plain, order = learner.fit(X, y).kept_indices_.copy(), np.random.default_rng(1).permutation(120)
    assert sorted(order[learner.fit(X[order], y[order]).kept_indices_]) == plain.tolist()
    assert learner.fit(csr_array(X), y).kept_indices_.tolist() == plain.tolist()


def test_gradients_that_coincide_cost_no_row():
    X = np.arange(20.0)[:, None]
    assert len(SeveredRidge(ridge=0.0).fit(X, 3 * X[:, 0]).kept_indices_) == 20
