"""Features of images from k-means of their patches, as a transformer."""

from __future__ import annotations

from hashlib import blake2b
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.dataset import as_matrix
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.patches.centroids import draw_patches, fit_whitening, k_means
from toadstone.kernels.patches.pooling import PatchCode
from toadstone.kernels.statistics.row_digests import contents
from toadstone.learners.linear_scores import draw_seed

_CHUNK, _SCALED = 256, 1000
"""Images encoded at a time, and images from which the scale is taken."""


class PatchFeatures(TransformerMixin, BaseEstimator):
    """Features of images that no label shapes: closeness of their patches to centroids of all patches.

    Patches are drawn at random, normalised and whitened, and grouped by
    k-means. An image is then described, for each field of a grid, by how close
    its patches come to each centroid [1]_. Since labels do not enter, a model
    that is linear in the labels keeps its exact label-flip certificate.

    Parameters
    ----------
    n_centroids : int, default=256
    patch_size : int, default=7
        Pixels along a side; at most those of the image.
    grid : int, default=3
        Fields in each direction.
    n_patches : int, default=100000
        Patches to draw for k-means.
    image_shape : tuple of int, optional
        Height, width and, if there are several, channels of an image, whose
        rows are flattened in this order; one may be -1. By default a square of
        one channel.
    random_state : int, RandomState or None, default=0
        Seed of the patches and of the first centroids.

    Attributes
    ----------
    code_ : PatchCode
    scale_ : float
        Root of the mean square of the features of 1,000 training images,
        by which features are divided.
    n_features_in_ : int

    References
    ----------
    .. [1] Coates, Lee and Ng, "An analysis of single-layer networks in
       unsupervised feature learning", AISTATS 2011.

    Examples
    --------
    >>> images = np.random.default_rng(0).random((30, 64))
    >>> PatchFeatures(n_centroids=5, patch_size=3, grid=2).fit_transform(images).shape
    (30, 20)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_centroids": [Interval(Integral, 1, None, closed="left")],
        "patch_size": [Interval(Integral, 1, None, closed="left")],
        "grid": [Interval(Integral, 1, None, closed="left")],
        "n_patches": [Interval(Integral, 1, None, closed="left")],
        "image_shape": [tuple, list, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        n_centroids: int = 256,
        patch_size: int = 7,
        grid: int = 3,
        n_patches: int = 100_000,
        image_shape: tuple[int, ...] | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.n_centroids = n_centroids
        self.patch_size = patch_size
        self.grid = grid
        self.n_patches = n_patches
        self.image_shape = image_shape
        self.random_state = random_state

    def fit(self, X: Matrix, y: object = None) -> Self:
        """Find the centroids of patches of images.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
            An image in each row.
        y : object
            Ignored.

        Returns
        -------
        PatchFeatures
            The fitted transformer.

        Raises
        ------
        InvalidArgument
            If the columns do not make up an image of the given shape.
        InvalidData
            If all images are blank.
        """
        self._validate_params()
        rows = as_matrix(validate_data(self, X, accept_sparse="csr", dtype=np.float64))
        self._shape = image_shape_of(self.image_shape, rows.shape[1])
        rng = np.random.default_rng(draw_seed(self.random_state))
        size = (min(self.patch_size, self._shape[0]), min(self.patch_size, self._shape[1]))
        # Images are drawn in the order of their contents, so that the caller's order is irrelevant.
        order = _content_order(rows)
        chosen = order[np.sort(rng.permutation(len(order))[: self.n_patches])]
        whitening, white = fit_whitening(draw_patches(self._images(rows[chosen]), size, self.n_patches, rng))
        self.code_ = PatchCode(size, whitening, k_means(white, self.n_centroids, rng), self.grid)
        sample = self.code_.encode(self._images(rows[chosen[:_SCALED]]))
        self.scale_ = float(np.sqrt(np.mean(sample**2))) or 1.0
        return self

    def transform(self, X: Matrix) -> Array:
        """Describe images by the closeness of their patches to the centroids.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)

        Returns
        -------
        ndarray of shape (n, grid * grid * n_centroids)
        """
        check_is_fitted(self)
        rows = as_matrix(validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False))
        fields = self.code_.encode(self._images(rows[:1])).shape[1]
        out = np.empty((rows.shape[0], fields))
        for start in range(0, rows.shape[0], _CHUNK):
            images = self._images(rows[start : start + _CHUNK])
            np.divide(self.code_.encode(images), self.scale_, out=out[start : start + _CHUNK])
        return out

    def _images(self, rows: Matrix) -> Array:
        dense = rows.toarray() if issparse(rows) else rows
        return np.asarray(dense.reshape(len(dense), *self._shape))

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that sparse rows are accepted."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def image_shape_of(given: tuple[int, ...] | None, columns: int) -> tuple[int, int, int]:
    """Return height, width and channels of images of so many values."""
    if columns == 1:
        raise InvalidData("images: expected several values in each row, got 1 feature(s)")
    side = int(np.sqrt(columns) + 0.5)
    shape = (side, side) if given is None else tuple(given)
    try:
        whole = np.empty(columns, dtype=bool).reshape(shape if len(shape) == 3 else (*shape, 1)).shape
    except (ValueError, TypeError):
        expected = "the height and width, or height, width and channels, of images"
        raise InvalidArgument("image_shape", f"{expected} of {columns} values", given) from None
    if len(whole) != 3:
        raise InvalidArgument("image_shape", "two or three numbers", given)
    return whole


def _content_order(rows: Matrix) -> IntArray:
    keys = [blake2b(content, digest_size=8).digest() for content in contents(rows)]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)
