"""Patches against their definitions, one by one."""

import numpy as np
import pytest

from toadstone.core.errors import InvalidData
from toadstone.kernels.patches.centroids import draw_patches, fit_whitening, k_means
from toadstone.kernels.patches.pooling import PatchCode


def images(n=9, *, height=6, width=5, channels=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, height, width, channels))


def code(grid=2, k=4):
    rng = np.random.default_rng(1)
    whitening, white = fit_whitening(draw_patches(images(), (3, 2), 200, rng))
    return PatchCode((3, 2), whitening, k_means(white, k, rng), grid)


def closeness(coder, patch):
    """The triangle code of one patch, by the letter."""
    flat = np.moveaxis(patch, -1, 0).ravel()
    contrast = (flat - flat.mean()) / np.sqrt(flat.var() + coder.whitening.contrast)
    white = coder.whitening.matrix @ (contrast - coder.whitening.mean)
    apart = np.linalg.norm(coder.centroids - white, axis=1)
    return np.maximum(apart.mean() - apart, 0.0)


def test_encoding_by_the_letter():
    coder, pictures = code(), images(3, seed=2)
    # 4 x 4 places; fields of 2 x 2.
    expected = np.zeros((3, 2, 2, 4))
    for image in range(3):
        for row in range(4):
            for column in range(4):
                patch = pictures[image, row : row + 3, column : column + 2]
                expected[image, row // 2, column // 2] += closeness(coder, patch) / 4
    np.testing.assert_allclose(coder.encode(pictures), expected.reshape(3, -1), atol=1e-12)


def test_blocks_of_images_do_not_matter(monkeypatch):
    coder, pictures = code(), images(9, seed=2)
    whole = coder.encode(pictures)
    monkeypatch.setattr("toadstone.kernels.patches.pooling._BLOCK", 1)
    np.testing.assert_allclose(coder.encode(pictures), whole, atol=1e-13)


@pytest.mark.parametrize(("grid", "fields"), [(1, 1), (3, 9), (9, 16)])
def test_a_grid_is_no_finer_than_the_places(grid, fields):
    assert code(grid).encode(images(2)).shape == (2, fields * 4)


def test_contrast_and_brightness_hardly_matter():
    coder, pictures = code(), 100 * images(4)
    np.testing.assert_allclose(coder.encode(3 * pictures + 700), coder.encode(pictures), rtol=1e-2, atol=1e-3)


def test_blank_patches_are_left_out_of_the_whitening():
    patches = np.random.default_rng(0).normal(size=(50, 20))
    _, white = fit_whitening(np.vstack([patches, np.full((10, 20), 0.3)]))
    assert len(white) == 50
    with pytest.raises(InvalidData, match="not all blank"):
        fit_whitening(np.ones((5, 4)))


def test_k_means_finds_clusters_and_fills_empty_ones():
    rng = np.random.default_rng(3)
    centres = np.array([[0.0, 0.0], [50.0, 0.0], [0.0, 50.0]])
    points = centres[np.arange(300) % 3] + rng.normal(size=(300, 2))
    found = k_means(points, 30, rng)
    nearest = np.linalg.norm(found[:, None] - points[None], axis=-1).argmin(axis=0)
    assert len(np.unique(nearest)) >= 27
    # No point is far from its centroid: all three clusters have some.
    assert np.linalg.norm(points - found[nearest], axis=1).max() < 4
    assert k_means(points[:5], 30, rng).shape == (5, 2)


def test_equal_points_share_a_centroid():
    found = k_means(np.ones((20, 3)), 4, np.random.default_rng(0))
    np.testing.assert_array_equal(found, 1.0)
