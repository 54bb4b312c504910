"""Gradient histograms of images as a transformer that learns nothing."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from toadstone.core.arrays import Array, Matrix
from toadstone.core.dataset import as_matrix
from toadstone.core.errors import InvalidData
from toadstone.kernels.patches.gradients import gradient_histograms, upright
from toadstone.learners.features.patches import image_shape_of

_CHUNK = 512


class GradientFeatures(TransformerMixin, BaseEstimator):
    """Histograms of the gradients of an image, stood upright first.

    Each row's features depend on that row alone. So they may be computed once
    for all models of a vote, and certificates against rows that are added or
    removed hold, as they would not with features learned from the rows.

    Parameters
    ----------
    bins : int, default=8
        Directions of a gradient.
    cell : int, default=4
        Pixels along a side of a cell.
    image_shape : tuple of int, optional
        Height, width and, if there are several, channels of an image, whose
        rows are flattened in this order; one may be -1. By default a square of
        one channel. Channels are averaged.

    Attributes
    ----------
    n_features_in_ : int

    Examples
    --------
    >>> images = np.random.default_rng(0).random((3, 784))
    >>> GradientFeatures().fit_transform(images).shape
    (3, 680)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "bins": [Interval(Integral, 1, None, closed="left")],
        "cell": [Interval(Integral, 1, None, closed="left")],
        "image_shape": [tuple, list, None],
    }

    def __init__(self, *, bins: int = 8, cell: int = 4, image_shape: tuple[int, ...] | None = None) -> None:
        self.bins = bins
        self.cell = cell
        self.image_shape = image_shape

    def fit(self, X: Matrix, y: object = None) -> Self:
        """Check the shape of images; nothing else is kept of them.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
            An image in each row.
        y : object
            Ignored.

        Returns
        -------
        GradientFeatures
            The transformer.

        Raises
        ------
        InvalidArgument
            If the columns do not make up an image of the given shape.
        InvalidData
            If a value is negative.
        """
        self._validate_params()
        rows = validate_data(self, X, accept_sparse="csr", dtype=np.float64)
        _check_not_negative(rows)
        self._shape = image_shape_of(self.image_shape, rows.shape[1])
        return self

    def transform(self, X: Matrix) -> Array:
        """Describe images by their gradients.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)

        Returns
        -------
        ndarray of shape (n, bins * (cells + blocks))

        Raises
        ------
        InvalidData
            If a value is negative.
        """
        check_is_fitted(self)
        rows = as_matrix(validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False))
        _check_not_negative(rows)
        found = []
        for start in range(0, rows.shape[0], _CHUNK):
            block = rows[start : start + _CHUNK]
            dense = block.toarray() if issparse(block) else block
            images = upright(dense.reshape(len(dense), *self._shape).mean(axis=3))
            found.append(gradient_histograms(images, bins=self.bins, cell=self.cell))
        return np.concatenate(found)

    def __sklearn_is_fitted__(self) -> bool:
        """Tell scikit-learn that fitting leaves nothing but a shape."""
        return hasattr(self, "_shape")

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that sparse rows are accepted, and negative values are not."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        return tags


def _check_not_negative(rows: Matrix) -> None:
    # Moments of an image are those of a mass. The first words are those that scikit-learn asks for.
    if rows.shape[0] and rows.min() < 0:
        raise InvalidData(f"Negative values in data: expected images without them, got {rows.min()}")
