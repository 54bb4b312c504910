"""The two-point theorem on data sets: few points inside the set, the same model, the mass as promised."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.attacks.few_points import FewPoints, collapse_poison, collapse_poison_in_full
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.feasible import ball
from toadstone.kernels.linear.crammer_singer import fit_crammer_singer
from toadstone.kernels.linear.fit import LinearSolver
from toadstone.kernels.losses import margin_loss
from toadstone.kernels.sets.sets import ConvexSet

RIDGE = 0.1
CLASSES = {2: np.array(["ham", "spam"]), 3: np.array(["a", "b", "c"])}


def scene(seed: int, k: int = 2, *, sparse: bool = False) -> tuple[Dataset, Poison, ConvexSet]:
    """Clean rows about one corner a class, and poison on the way to the next class's, within balls."""
    rng = np.random.default_rng(seed)
    codes, wrong = np.resize(np.arange(k), 20 * k), np.resize(np.arange(k), 15)
    corners = 2 * np.eye(4)[:k]
    between = (corners + np.roll(corners, -1, axis=0)) / 2
    balls = {label: ball(between[code], 2.5) for code, label in enumerate(CLASSES[k].tolist())}
    inside = ConvexSet(balls)
    X = rng.normal(size=(20 * k, 4)) + corners[codes]
    P = inside.project(between[wrong] + 2 * rng.normal(size=(15, 4)), CLASSES[k][wrong])
    kind = csr_array if sparse else np.asarray
    return Dataset(kind(X), CLASSES[k][codes]), Poison(kind(P), CLASSES[k][wrong]), inside


def trained(data: Dataset, found: FewPoints | Poison, ridge: float, loss: str = "hinge") -> np.ndarray:
    """The defender's model on clean rows and whatever stands for the poison."""
    few = isinstance(found, FewPoints)
    rows, labels = (found.points, found.labels) if few else (found.X, found.y)
    X, codes = np.vstack([data.X, rows]), np.searchsorted(data.classes, np.append(data.y, labels))
    weights = np.append(np.ones(len(data)), found.weights if few else np.ones(len(found)))
    if len(data.classes) > 2:
        return fit_crammer_singer(X, codes, len(data.classes), ridge=ridge, weights=weights, tolerance=1e-13).theta
    solver = LinearSolver(margin_loss(loss), ridge, tolerance=1e-15, max_sweeps=3000)
    return solver.fit(X, np.where(codes == 1, 1.0, -1.0), weights=weights).theta


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("seed", range(3))
class TestTheorem:
    def test_few_points_inside_the_set_and_less_mass(self, k, seed):
        data, poison, inside = scene(seed, k)
        few, full = collapse_poison(data, poison, ridge=RIDGE), collapse_poison_in_full(data, poison, ridge=RIDGE)
        assert len(few.labels) <= k * (k - 1)
        assert len(few.labels) < len(full.labels) <= (4 if k == 2 else k * k)
        assert few.mass < 0.99 * len(poison)
        assert full.mass == pytest.approx(len(poison))
        for found in (few, full):
            assert inside.contains(found.points, found.labels).all()
            assert np.all(found.weights > 0)

    def test_the_defender_learns_the_same_model(self, k, seed):
        data, poison, _ = scene(seed, k)
        before, atol = trained(data, poison, RIDGE), 1e-8 if k == 2 else 1e-6
        for how in (collapse_poison, collapse_poison_in_full):
            found = how(data, poison, ridge=RIDGE)
            np.testing.assert_allclose(trained(data, found, found.ridge), before, atol=atol)

    def test_the_mean_loss_with_the_ridge_of_before_gives_another(self, k, seed):
        data, poison, _ = scene(seed, k)
        few = collapse_poison(data, poison, ridge=RIDGE)
        assert few.ridge > RIDGE
        assert np.abs(trained(data, few, RIDGE) - trained(data, poison, RIDGE)).max() > 1e-4
        assert collapse_poison_in_full(data, poison, ridge=RIDGE).ridge == RIDGE


@pytest.mark.parametrize("loss", ["smooth_hinge", "squared_hinge", "logistic"])
def test_other_losses(loss):
    data, poison, inside = scene(0)
    few = collapse_poison(data, poison, ridge=RIDGE, loss=loss)
    assert len(few.labels) == 2
    assert inside.contains(few.points, few.labels).all()
    np.testing.assert_allclose(trained(data, few, few.ridge, loss), trained(data, poison, RIDGE, loss), atol=1e-6)


@pytest.mark.parametrize("k", [2, 3])
def test_sparse_rows_collapse_alike(k):
    dense, sparse = (collapse_poison(*scene(1, k, sparse=way)[:2], ridge=RIDGE) for way in (False, True))
    np.testing.assert_allclose(dense.points, sparse.points, atol=1e-5)
    np.testing.assert_allclose(dense.weights, sparse.weights, atol=1e-5)


class TestRefusals:
    def test_poison_of_other_data(self):
        data, poison, _ = scene(0)
        with pytest.raises(InvalidData, match="poison: expected 4 columns, got 3"):
            collapse_poison(data, Poison(poison.X[:, :3], poison.y), ridge=RIDGE)
        with pytest.raises(InvalidData, match="poison: expected labels of the data, got eggs"):
            collapse_poison(data, Poison(poison.X[:1], ["eggs"]), ridge=RIDGE)

    def test_poison_that_displaces_rows(self):
        data, poison, _ = scene(0)
        with pytest.raises(InvalidArgument, match="`poison`: expected added rows only, got 1"):
            collapse_poison(data, Poison(poison.X[:1], poison.y[:1], np.array([2])), ridge=RIDGE)

    def test_a_margin_loss_for_several_classes(self):
        with pytest.raises(InvalidArgument, match="`loss`: expected hinge for 3 classes, got logistic"):
            collapse_poison(*scene(0, 3)[:2], ridge=RIDGE, loss="logistic")
