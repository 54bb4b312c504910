"""Principal axes against the singular value decomposition."""

import numpy as np
import pytest
from scipy.sparse import csr_array

import toadstone.kernels.statistics.principal_axes as room
from toadstone.kernels.statistics.principal_axes import principal_axes


def _by_svd(X, rank):
    return np.linalg.svd(X - X.mean(axis=0), full_matrices=False)[2][:rank].T


@pytest.mark.parametrize("shape", [(60, 9), (9, 60), (40, 40)])
@pytest.mark.parametrize("wrap", [np.asarray, csr_array])
@pytest.mark.parametrize("largest_for_lapack", [2000, 5])
def test_agrees_with_the_singular_value_decomposition(shape, wrap, largest_for_lapack, monkeypatch):
    monkeypatch.setattr(room, "_LAPACK", largest_for_lapack)
    X = np.random.default_rng(0).normal(size=shape) * np.linspace(1, 4, shape[1]) + 5
    found = principal_axes(wrap(X), 3)
    np.testing.assert_allclose(found.mean, X.mean(axis=0))
    np.testing.assert_allclose(np.abs(np.sum(found.axes * _by_svd(X, 3), axis=0)), 1, atol=1e-6)
    np.testing.assert_allclose(found.coordinates(wrap(X)), (X - X.mean(axis=0)) @ found.axes, atol=1e-6)


def test_signs_are_settled():
    X = np.random.default_rng(0).normal(size=(30, 5))
    axes, mirrored = principal_axes(X, 2).axes, principal_axes(-X, 2).axes
    np.testing.assert_allclose(mirrored, axes, atol=1e-12)
    assert (axes[np.abs(axes).argmax(axis=0), [0, 1]] > 0).all()


@pytest.mark.parametrize("wrap", [np.asarray, csr_array])
@pytest.mark.parametrize("n", [2, 5])
def test_rows_on_a_line_have_one_axis(wrap, n):
    X = np.zeros((2 * n, 4))
    X[:, 1] = np.repeat([-1.0, 1.0], n)
    np.testing.assert_array_equal(principal_axes(wrap(X), 3).axes, np.eye(4)[:, [1]] * [1.0, 0.0, 0.0])


def test_lanczos_repeats_itself_to_the_bit(monkeypatch):
    monkeypatch.setattr(room, "_LAPACK", 5)
    X = np.random.default_rng(0).normal(size=(40, 30))
    once, again = principal_axes(X, 2), principal_axes(X, 2)
    np.testing.assert_array_equal(once.axes, again.axes)


@pytest.mark.parametrize("X", [np.full((7, 3), 0.1), np.ones((1, 4)), csr_array((5, 3))])
def test_rows_that_do_not_differ_have_no_axes(X):
    found = principal_axes(X, 10)
    np.testing.assert_array_equal(found.axes, 0.0)
    np.testing.assert_allclose(found.coordinates(X), 0.0, atol=1e-12)
