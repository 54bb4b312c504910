"""Compression of dense rows: what SciPy makes of them, whatever their layout."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.sparse import csr_array

from toadstone.kernels.linear.compressed import compressed
from toadstone.kernels.linear.fit import Rows
from toadstone.kernels.losses import margin_loss

SHAPES = array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=6)
TABLES = arrays(float, SHAPES, elements=st.sampled_from([0.0, 1.0, -2.0]))


def assert_same(made, expected):
    assert made.shape == expected.shape
    for part in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(made, part), getattr(expected, part))


class TestCompressed:
    @given(TABLES)
    def test_is_what_scipy_makes(self, X):
        assert_same(compressed(X), csr_array(X))

    @pytest.mark.parametrize("way", [np.asfortranarray, np.float32, csr_array, lambda X: X[::2, 1:]])
    def test_any_layout(self, way):
        X = way(np.where(np.random.default_rng(0).random((9, 5)) < 0.5, 0.0, 3.0))
        assert_same(compressed(X), csr_array(X))

    def test_sparse_rows_are_not_copied(self):
        X = csr_array(np.eye(3))
        assert np.shares_memory(compressed(X).data, X.data)


@pytest.mark.parametrize("density", [0.02, 0.5])
def test_the_newton_system_is_the_same_for_dense_and_for_sparse_products(density):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, 60)) * (rng.random((40, 60)) < density)
    signs, costs, duals = rng.choice([-1.0, 1.0], 40), np.full(40, 1 / 40), np.full(40, 0.5)
    scales, factor, theta = rng.random(60), rng.normal(size=(60, 2)), rng.normal(size=61)
    rows = Rows(X, signs, costs, 1.0)
    rows.measure(scales, factor)
    free = np.arange(0, 40, 2)
    system, _ = rows.newton_system(free, theta, duals, 0.3, margin_loss("hinge"))
    metric = np.diag(scales) + factor @ factor.T
    expected = np.outer(signs[free], signs[free]) * (X[free] @ metric @ X[free].T + 1.0) / 0.3
    np.testing.assert_allclose(system, expected, rtol=1e-12, atol=1e-12)
