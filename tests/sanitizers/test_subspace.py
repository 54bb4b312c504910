"""The subspace that both variants keep, against a plain singular value decomposition."""

import numpy as np
import pytest
from scipy.sparse import random_array

from toadstone.sanitizers.subspace import SubspaceSanitizer


def _distances(X, axes):
    return np.linalg.norm(X - X @ axes @ axes.T, axis=1)


def _rank(X):
    squares = np.linalg.svd(X, compute_uv=False) ** 2
    return int(np.argmax(np.cumsum(squares) > 0.95 * squares.sum())) + 1


def test_paper_variant_keeps_the_fewest_vectors():
    X = np.random.default_rng(0).standard_normal((50, 12)) * 0.6 ** np.arange(12)
    right = np.linalg.svd(X)[2]
    sanitizer = SubspaceSanitizer().fit(X)
    np.testing.assert_allclose(sanitizer.suspicion_, _distances(X, right[: _rank(X)].T))


def test_reference_variant_drops_one_and_adds_the_means():
    X = np.random.default_rng(0).standard_normal((50, 12)) * 0.6 ** np.arange(12)
    y = np.arange(50) % 2
    right = np.linalg.svd(X)[2]
    means = np.array([X[y == 0].mean(axis=0), X[y == 1].mean(axis=0)])
    axes, _ = np.linalg.qr(np.vstack([right[: _rank(X) - 1], means]).T)
    sanitizer = SubspaceSanitizer(variant="reference").fit(X, y)
    np.testing.assert_allclose(sanitizer.suspicion_, _distances(X, axes))


@pytest.mark.parametrize("variant", ["paper", "reference"])
def test_rows_in_the_span_score_zero(variant):
    rng = np.random.default_rng(0)
    inside = 1e4 * rng.standard_normal((40, 2)) @ rng.standard_normal((2, 8))
    X = np.vstack([inside, rng.standard_normal((3, 8))])
    sanitizer = SubspaceSanitizer(energy=1 - 1e-6, variant=variant).fit(X)
    new = sanitizer.score_samples((1e3 * rng.standard_normal((5, sanitizer.axes_.shape[1]))) @ sanitizer.axes_.T)
    np.testing.assert_array_equal(new, 0.0)


def test_a_flat_spectrum_still_leaves_a_direction():
    X = np.vstack([np.eye(3), -np.eye(3), 2 * np.eye(3)])
    assert SubspaceSanitizer().fit(X).suspicion_.max() > 0


def test_beyond_lapack_size_the_start_does_not_matter():
    X = random_array((1300, 1500), density=0.02, rng=np.random.default_rng(0), format="csr")
    X = X * (0.97 ** np.arange(1500))
    scores = [SubspaceSanitizer(random_state=seed).fit(X) for seed in (0, 1)]
    assert scores[0].residual_ < 1e-9
    np.testing.assert_allclose(scores[0].suspicion_, scores[1].suspicion_, rtol=1e-6)
