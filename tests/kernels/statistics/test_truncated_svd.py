"""Leading singular vectors against a full singular value decomposition."""

import numpy as np
import pytest
from scipy.sparse import csr_array, random_array, vstack

from toadstone.kernels.statistics.truncated_svd import leading_subspace


def decaying(shape, rank, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((shape[0], rank)) @ (
        np.logspace(0, -3, rank)[:, None] * rng.standard_normal((rank, shape[1]))
    )


@pytest.mark.parametrize("shape", [(60, 20), (20, 60), (1500, 1100), (1100, 1500)])
@pytest.mark.parametrize("rank", [1, 12])
def test_matches_the_decomposition(shape, rank):
    X = decaying(shape, rank)
    _, values, right = np.linalg.svd(X, full_matrices=False)
    wanted = int(np.argmax(np.cumsum(values**2) > 0.95 * np.sum(values**2))) + 1
    found = leading_subspace(X, energy=0.95, max_rank=15, rng=np.random.default_rng(1))
    np.testing.assert_allclose(found.energies, values[:wanted] ** 2, rtol=1e-9)
    np.testing.assert_allclose(np.abs(np.sum(found.axes * right[:wanted].T, axis=0)), 1.0, rtol=1e-9)
    assert found.captured > 0.95
    assert found.residual < 1e-9


def test_sparse_lanczos_orthonormal_and_exact():
    X = random_array((1400, 1700), density=0.01, rng=np.random.default_rng(0), format="csr") * 0.98 ** np.arange(1700)
    found = leading_subspace(X, energy=0.9, max_rank=1000, rng=np.random.default_rng(1))
    k = len(found.energies)
    np.testing.assert_allclose(found.axes.T @ found.axes, np.eye(k), atol=1e-9)
    exact = np.linalg.svd(X.toarray(), compute_uv=False) ** 2
    np.testing.assert_allclose(found.energies, exact[:k], rtol=1e-9)
    assert exact[: k - 1].sum() <= 0.9 * exact.sum() < exact[:k].sum()


def test_a_flat_spectrum_goes_to_lapack():
    X = np.random.default_rng(0).standard_normal((1100, 1050))
    found = leading_subspace(X, energy=0.95, max_rank=1049, rng=np.random.default_rng(1))
    exact = np.linalg.svd(X, compute_uv=False) ** 2
    np.testing.assert_allclose(found.energies, exact[: len(found.energies)], rtol=1e-8)


@pytest.mark.parametrize("rank_cap", [0, 1, 3])
def test_the_cap_on_the_rank_holds(rank_cap):
    X = np.random.default_rng(0).standard_normal((30, 10))
    found = leading_subspace(X, energy=0.95, max_rank=rank_cap, rng=np.random.default_rng(1))
    assert found.axes.shape == (10, rank_cap)


def test_zeros_have_no_subspace():
    found = leading_subspace(np.zeros((5, 3)), energy=0.95, max_rank=3, rng=np.random.default_rng(1))
    assert found.axes.shape == (3, 0)
    assert found.captured == 1.0


@pytest.mark.parametrize(("rank", "grades"), [(20, 0), (200, 5)])
def test_beyond_lapack_low_rank_and_graded_rows_converge(rank, grades):
    rng = np.random.default_rng(0)
    block = random_array((rank, 6500), density=0.05, rng=rng).toarray() * np.logspace(0, -grades, rank)[:, None]
    X = vstack([csr_array(block), csr_array((7000 - rank, 6500))], format="csr")
    found = leading_subspace(X, energy=1 - 1e-8, max_rank=1000, rng=np.random.default_rng(1))
    exact = np.linalg.svd(block, compute_uv=False) ** 2
    assert found.residual < 1e-9
    np.testing.assert_allclose(found.energies, exact[: len(found.energies)], rtol=1e-6)
    np.testing.assert_allclose(found.axes.T @ found.axes, np.eye(len(found.energies)), atol=1e-9)
