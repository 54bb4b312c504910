"""The collapse of much poison to few points: count, place, mass, and the model left as it was."""

from __future__ import annotations

from dataclasses import dataclass

import cvxpy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from toadstone.core.arrays import Array
from toadstone.core.errors import InvalidArgument
from toadstone.core.feasible import ball, slab
from toadstone.datasets import load
from toadstone.kernels.linear.fit import LinearFit, LinearSolver, fit_linear
from toadstone.kernels.losses import HINGE, LOGISTIC, SQUARED_HINGE, MarginLoss, crammer_singer, smooth_hinge
from toadstone.kernels.minimax.collapse import (
    Collapsed,
    collapse,
    collapse_in_full,
    collapse_multiclass,
    collapse_multiclass_in_full,
    rescale_ridge,
)
from toadstone.kernels.rows import stack
from toadstone.kernels.sets.sets import ConvexSet

RIDGE = 0.1
SMOOTH = [SQUARED_HINGE, LOGISTIC, smooth_hinge(0.3)]
LOSSES = pytest.mark.parametrize("loss", [HINGE, *SMOOTH], ids=lambda loss: loss.name)
SEEDS = st.integers(0, 2**16)
TOWARDS = np.array([1.0, 0.5, 0.0, 0.0])


@dataclass(frozen=True)
class Scene:
    """Clean rows, feasible weighted poison, and the model that both make."""

    clean: tuple[Array, Array]
    poison: tuple[Array, Array, Array]
    feasible_set: ConvexSet
    fit: LinearFit
    loss: MarginLoss

    def collapse(self, how=collapse) -> Collapsed:
        slopes = self.fit.duals[len(self.clean[1]) :] if self.loss is HINGE else None
        return how(*self.poison, self.fit.theta, self.loss, slopes=slopes)

    def refit(self, few: Collapsed, ridge: float) -> Array:
        return train(self.clean, (few.points, few.labels, few.weights), self.loss, ridge).theta

    def rescaled(self, few: Collapsed) -> float:
        n = len(self.clean[1])
        return rescale_ridge(RIDGE, before=n + self.poison[2].sum(), after=n + few.mass)


def train(clean, poison, loss: MarginLoss, ridge: float) -> LinearFit:
    X, signs = np.vstack([clean[0], poison[0]]), np.append(clean[1], poison[1])
    weights = np.append(np.ones(len(clean[1])), poison[2])
    return LinearSolver(loss, ridge, tolerance=1e-15, max_sweeps=3000).fit(X, signs, weights=weights)


def scene(seed: int, loss: MarginLoss = HINGE, n: int = 40, m: int = 15) -> Scene:
    rng = np.random.default_rng(seed)
    signs, turned = (np.resize([-1.0, 1.0, -1.0], size) for size in (n, m))
    X = rng.normal(size=(n, 4)) + np.outer(signs, TOWARDS)
    feasible_set = ConvexSet(
        {sign: ball(-sign * TOWARDS, 2.0) for sign in (-1.0, 1.0)},
    ).intersect(ConvexSet({sign: slab(TOWARDS, -2.0, 2.0) for sign in (-1.0, 1.0)}))
    P = feasible_set.project(2 * rng.normal(size=(m, 4)), turned)
    weights = rng.random(m) * rng.integers(0, 3, m)
    weights[:2] = 1.0
    clean, poison = (X, signs), (P, turned, weights)
    return Scene(clean, poison, feasible_set, train(clean, poison, loss, RIDGE), loss)


def pull(points: Array, signs: Array, weights: Array, theta: Array, loss: MarginLoss) -> Array:
    """How hard weighted rows pull a model, by the derivative of a loss without kink."""
    forces = -weights * signs * loss.derivative(signs * (points @ theta[:-1] + theta[-1]))
    return np.append(forces @ points, forces.sum())


class TestTheorem:
    @LOSSES
    @given(seed=SEEDS)
    @settings(max_examples=25)
    def test_one_feasible_point_a_label_and_no_more_mass(self, loss, seed):
        here = scene(seed, loss)
        few = here.collapse()
        assert len(few.labels) == len(np.unique(few.labels)) <= 2
        assert here.feasible_set.contains(few.points, few.labels).all()
        assert np.all(few.weights > 0)
        _, signs, weights = here.poison
        for label, weight in zip(few.labels, few.weights, strict=True):
            assert weight <= weights[signs == label].sum() * (1 + 1e-12)

    @given(seed=SEEDS)
    @settings(max_examples=25)
    def test_the_hinge_keeps_its_model_in_the_sum_form(self, seed):
        here = scene(seed)
        few = here.collapse()
        np.testing.assert_allclose(here.refit(few, here.rescaled(few)), here.fit.theta, atol=1e-8)

    @pytest.mark.parametrize("loss", SMOOTH, ids=lambda loss: loss.name)
    @given(seed=SEEDS)
    @settings(max_examples=25)
    def test_other_losses_pull_as_before(self, loss, seed):
        here = scene(seed, loss)
        few, theta = here.collapse(), here.fit.theta
        found = pull(few.points, few.labels, few.weights, theta, loss)
        np.testing.assert_allclose(found, pull(*here.poison, theta, loss), rtol=1e-10, atol=1e-10)

    @LOSSES
    @pytest.mark.parametrize("seed", range(3))
    def test_a_retrained_model_is_the_same(self, loss, seed):
        # Where a loss has no kink, the last digit of the gap leaves more room for the model.
        here = scene(seed, loss)
        few = here.collapse()
        atol = 1e-8 if loss is HINGE else 1e-6
        np.testing.assert_allclose(here.refit(few, here.rescaled(few)), here.fit.theta, atol=atol)

    @LOSSES
    def test_the_mean_loss_would_give_another_model(self, loss):
        here = scene(0, loss)
        few = here.collapse()
        assert few.mass < 0.95 * here.poison[2].sum()
        assert np.abs(here.refit(few, RIDGE) - here.fit.theta).max() > 1e-4

    def test_rows_on_the_kink_count_by_their_duals(self):
        # Both rows have margin 1; the first exerts a quarter of its slope, the second all of it.
        X, theta = np.array([[1.0, 4.0], [1.0, 0.0]]), np.array([1.0, 0.0, 0.0])
        few = collapse(X, np.ones(2), np.array([2.0, 1.0]), theta, HINGE, slopes=np.array([0.25, 1.0]))
        np.testing.assert_allclose(few.points, [[1.0, 4 / 3]])
        np.testing.assert_allclose(few.weights, [1.5])

    def test_labels_that_exert_nothing_leave_no_point(self):
        X, theta = np.array([[3.0], [0.0]]), np.array([1.0, 0.0])
        few = collapse(X, np.array([1.0, -1.0]), np.ones(2), theta, HINGE)
        assert few.labels.tolist() == [-1.0]
        assert few.points.tolist() == [[0.0]]

    def test_nothing_but_fitted_rows_collapses_to_nothing(self):
        few = collapse(np.array([[3.0]]), np.ones(1), np.ones(1), np.array([1.0, 0.0]), HINGE)
        assert few.points.shape == (0, 1)
        assert few.mass == 0

    def test_sparse_rows_collapse_alike(self):
        X, signs, weights = scene(1).poison
        theta = scene(1).fit.theta
        dense, sparse = (collapse(rows, signs, weights, theta, LOGISTIC) for rows in (X, csr_array(X)))
        np.testing.assert_allclose(dense.points, sparse.points, atol=1e-15)
        np.testing.assert_allclose(dense.weights, sparse.weights)


class TestInFull:
    @given(seed=SEEDS)
    @settings(max_examples=25)
    def test_mass_means_and_model_are_kept(self, seed):
        here = scene(seed)
        full = here.collapse(collapse_in_full)
        assert len(full.labels) <= 4
        assert here.feasible_set.contains(full.points, full.labels).all()
        X, signs, weights = here.poison
        for sign in (-1.0, 1.0):
            before, after = signs == sign, full.labels == sign
            np.testing.assert_allclose(full.weights[after].sum(), weights[before].sum())
            np.testing.assert_allclose(full.weights[after] @ full.points[after], weights[before] @ X[before], atol=1e-9)
        np.testing.assert_allclose(here.refit(full, RIDGE), here.fit.theta, atol=1e-8)

    def test_a_loss_without_kink_is_padded_by_rows_without_slope(self):
        X = np.array([[0.0, 0.5], [-1.0, 0.0], [5.0, 5.0], [0.5, 0.5]])
        signs, weights, theta = np.ones(4), np.array([1.0, 2.0, 0.5, 0.0]), np.array([1.0, 1.0, -0.5])
        full = collapse_in_full(X, signs, weights, theta, SQUARED_HINGE)
        assert full.points[1].tolist() == [5.0, 5.0]
        assert full.mass == pytest.approx(weights.sum())
        found = pull(full.points, full.labels, full.weights, theta, SQUARED_HINGE)
        np.testing.assert_allclose(found, pull(X, signs, weights, theta, SQUARED_HINGE))

    def test_no_mass_saved_needs_no_padding(self):
        full = collapse_in_full(np.zeros((2, 1)), np.ones(2), np.ones(2), np.array([1.0, 0.0]), LOGISTIC)
        assert full.weights.tolist() == [2.0]

    def test_where_every_row_exerts_something_there_is_nothing_to_pad_with(self):
        with pytest.raises(InvalidArgument, match="`weights`: expected some on rows without slope"):
            collapse_in_full(np.array([[0.0], [3.0]]), np.ones(2), np.ones(2), np.array([1.0, 0.0]), LOGISTIC)


@dataclass(frozen=True)
class ManyClasses:
    """Clean rows and poison of three classes, and the model of their summed losses with what proves it."""

    clean: tuple[Array, Array]
    poison: tuple[Array, Array, Array]

    def train(self, X: Array, codes: Array, weights: Array) -> tuple[Array, Array]:
        """Weights and bias of each class, and the multipliers of the rows given."""
        X, codes = np.vstack([self.clean[0], X]), np.append(self.clean[1], codes)
        weights = np.append(np.ones(len(self.clean[1])), weights)
        thetas, slack = cvxpy.Variable((3, X.shape[1] + 1)), cvxpy.Variable(len(codes), nonneg=True)
        scores = np.column_stack([X, np.ones(len(X))]) @ thetas.T
        own = cvxpy.sum(cvxpy.multiply(scores, np.eye(3)[codes]), axis=1)
        wrong = [np.flatnonzero(codes != j) for j in range(3)]
        limits = [slack[rows] >= 1 + scores[rows, j] - own[rows] for j, rows in enumerate(wrong)]
        goal = cvxpy.Minimize(weights @ slack + 2.0 * cvxpy.sum_squares(thetas))
        cvxpy.Problem(goal, limits).solve(solver="CLARABEL", tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)
        multipliers = np.zeros((len(codes), 3))
        for j, (rows, limit) in enumerate(zip(wrong, limits, strict=True)):
            multipliers[rows, j] = np.maximum(limit.dual_value / weights[rows], 0.0)
        return thetas.value, multipliers[len(self.clean[1]) :]


def many_classes(seed: int) -> ManyClasses:
    rng = np.random.default_rng(seed)
    codes, wrong = np.resize(np.arange(3), 30), np.resize(np.arange(3), 24)
    X = rng.normal(size=(30, 3)) + 2 * np.eye(3)[codes]
    P = rng.normal(size=(24, 3)) + np.eye(3)[(wrong + rng.integers(1, 3, 24)) % 3]
    return ManyClasses((X, codes), (P, wrong, 0.2 + rng.random(24)))


class TestManyClasses:
    @pytest.mark.parametrize("seed", range(4))
    def test_a_retrained_model_is_the_same(self, seed):
        here = many_classes(seed)
        X, codes, weights = here.poison
        thetas, multipliers = here.train(*here.poison)
        multipliers /= np.maximum(multipliers.sum(axis=1, keepdims=True), 1.0)
        few = collapse_multiclass(X, codes, weights, thetas, multipliers=multipliers)
        assert len(few.labels) <= 6
        assert few.mass <= weights.sum() * (1 + 1e-9)
        again, _ = here.train(few.points, few.labels, few.weights)
        np.testing.assert_allclose(again, thetas, atol=1e-6)

    @pytest.mark.parametrize("seed", range(2))
    def test_in_full_mass_and_means_are_kept_and_what_pads_costs_nothing(self, seed):
        here = many_classes(seed)
        X, codes, weights = here.poison
        thetas, multipliers = here.train(*here.poison)
        multipliers /= np.maximum(multipliers.sum(axis=1, keepdims=True), 1.0)
        few, full = (
            how(X, codes, weights, thetas, multipliers=multipliers)
            for how in (collapse_multiclass, collapse_multiclass_in_full)
        )
        assert len(few.labels) < len(full.labels) <= 9
        for label in range(3):
            before, after = codes == label, full.labels == label
            np.testing.assert_allclose(full.weights[after].sum(), weights[before].sum())
            np.testing.assert_allclose(full.weights[after] @ full.points[after], weights[before] @ X[before])
        losses = [
            found.weights
            @ crammer_singer(np.column_stack([found.points, np.ones(len(found.labels))]) @ thetas.T, found.labels)[0]
            for found in (few, full)
        ]
        assert losses[0] == pytest.approx(losses[1], abs=1e-6)

    @given(seed=SEEDS)
    @settings(max_examples=25)
    def test_without_ties_the_gradient_is_kept_and_the_points_are_means(self, seed):
        X, codes, weights = many_classes(seed).poison
        thetas = np.random.default_rng(seed).normal(size=(3, 4))
        few = collapse_multiclass(X, codes, weights, thetas)
        assert len(few.labels) <= 6
        assert few.mass <= weights.sum() * (1 + 1e-12)
        sides = []
        for points, labels, masses in [(X, codes, weights), (few.points, few.labels, few.weights)]:
            extended = np.column_stack([points, np.ones(len(points))])
            _, gradient = crammer_singer(extended @ thetas.T, labels)
            sides.append((masses[:, None] * gradient).T @ extended)
        np.testing.assert_allclose(sides[0], sides[1], atol=1e-10)
        for label in range(3):
            points = few.points[few.labels == label]
            own = X[codes == label]
            assert np.all((points >= own.min(axis=0) - 1e-12) & (points <= own.max(axis=0) + 1e-12))

    @pytest.mark.parametrize("multipliers", [[[0.0, -0.1]], [[0.0, 1.1]], [[0.1, 0.5]]], ids=str)
    def test_impossible_multipliers_are_refused(self, multipliers):
        with pytest.raises(InvalidArgument, match="`multipliers`"):
            collapse_multiclass(
                np.ones((1, 1)), np.array([0]), np.ones(1), np.ones((2, 2)), multipliers=np.array(multipliers)
            )


@pytest.mark.data
def test_a_published_attack_of_124_rows_is_two_points(data_dir):
    train = load("enron").train
    with np.load(data_dir / "enron_minmax_reference_14.npz", allow_pickle=False) as archive:
        parts = archive["X_data"].astype(float), archive["X_indices"], archive["X_indptr"]
        X, signs = csr_array(parts, shape=tuple(archive["X_shape"])), archive["y"].astype(float)

    def fit(points, labels, weights, ridge) -> LinearFit:
        rows, costs = stack([train.X, csr_array(points)]), np.append(np.ones(len(train)), weights)
        labels = np.append(train.signs, labels)
        return fit_linear(rows, labels, loss=HINGE, ridge=ridge, weights=costs, tolerance=1e-13)

    before = fit(X, signs, np.ones(124), 0.09)
    settled = {"slopes": before.duals[len(train) :]}
    few, full = (how(X, signs, np.ones(124), before.theta, HINGE, **settled) for how in (collapse, collapse_in_full))
    ridge = rescale_ridge(0.09, before=len(train) + 124, after=len(train) + few.mass)
    assert (len(few.labels), len(full.labels)) == (2, 4)
    assert few.mass == pytest.approx(118.72, abs=0.01)
    assert full.mass == pytest.approx(124)
    for found, penalty in ((few, ridge), (full, 0.09)):
        after = fit(found.points, found.labels, found.weights, penalty)
        np.testing.assert_allclose(after.theta, before.theta, atol=1e-8)
    assert np.abs(fit(few.points, few.labels, few.weights, 0.09).theta - before.theta).max() > 1e-4


class TestRefusals:
    X, theta = np.ones((2, 1)), np.array([1.0, 0.0])

    @pytest.mark.parametrize("weights", [[1.0, -1.0], [1.0, np.nan], [1.0]], ids=str)
    @pytest.mark.parametrize("how", [collapse, collapse_in_full])
    def test_weights(self, how, weights):
        with pytest.raises(InvalidArgument, match="`weights`"):
            how(self.X, np.ones(2), np.array(weights), self.theta, HINGE)

    @pytest.mark.parametrize("slopes", [[0.5, -0.1], [0.5, 1.1], [0.5], [0.5, np.nan]], ids=str)
    def test_slopes(self, slopes):
        with pytest.raises(InvalidArgument, match=r"`slopes`: expected one a row, in \[0, 1.0\]"):
            collapse(self.X, np.ones(2), np.ones(2), self.theta, HINGE, slopes=np.array(slopes))

    def test_slopes_where_there_is_no_kink(self):
        with pytest.raises(InvalidArgument, match="`slopes`: expected none, since the logistic loss has no kink"):
            collapse(self.X, np.ones(2), np.ones(2), self.theta, LOGISTIC, slopes=np.ones(2))
