"""The ridge whose model has a given norm."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE, LOGISTIC, SQUARED_HINGE
from toadstone.learners.norm_ridge import ridge_for_norm

LOSSES = (HINGE, SQUARED_HINGE, LOGISTIC)


def rows(scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    return scale * X, np.where(X[:, 0] + rng.normal(size=60) > 0, 1.0, -1.0)


def squared_norm(X, signs, ridge: float, loss) -> float:
    theta = fit_linear(X, signs, loss=loss, ridge=ridge, tolerance=1e-9).theta
    return float(theta @ theta)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
@pytest.mark.parametrize("squared_radius", [1e-10, 1e-4, 0.01, 0.3])
def test_the_model_has_the_norm(loss, squared_radius):
    X, signs = rows()
    ridge = ridge_for_norm(X, signs, squared_radius, loss=loss)
    # The norm is about as fine as the ridge, and coarser where the model is all but flat.
    assert squared_norm(X, signs, ridge, loss) == pytest.approx(squared_radius, rel=0.1)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_rows_of_any_size(loss, scale):
    X, signs = rows(scale)
    squared_radius = 0.01 / scale**2 if scale > 1 else 0.01
    ridge = ridge_for_norm(X, signs, squared_radius, loss=loss)
    assert squared_norm(X, signs, ridge, loss) == pytest.approx(squared_radius, rel=0.1)


def test_a_ball_that_never_binds_gets_the_smallest_ridge():
    X, signs = rows()
    assert ridge_for_norm(X, signs, 1e6, loss=HINGE) == pytest.approx(1e-6, rel=0.02)


def test_a_larger_ball_needs_no_larger_ridge():
    X, signs = rows()
    ridges = [ridge_for_norm(X, signs, squared_radius, loss=HINGE) for squared_radius in (0.001, 0.01, 0.1, 0.5)]
    assert np.all(np.diff(ridges) < 0)


def test_sparse_rows_need_the_same():
    X, signs = rows()
    assert ridge_for_norm(X, signs, 0.1, loss=HINGE) == ridge_for_norm(csr_array(X), signs, 0.1, loss=HINGE)


@pytest.mark.parametrize("squared_radius", [0.0, -1.0, np.nan])
def test_radii_that_are_not_positive(squared_radius):
    with pytest.raises(InvalidArgument, match="`squared_radius`: expected a positive number"):
        ridge_for_norm(*rows(), squared_radius, loss=HINGE)
