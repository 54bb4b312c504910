"""Preparation that a model learns on its own rows, so that rows of other models do not reach it."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy.sparse import csr_array, hstack, issparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline

from toadstone.core.arrays import Array, Matrix
from toadstone.datasets.preparation.encoders import STANDARDISED, treatment_of
from toadstone.datasets.preparation.features import fit_scaling
from toadstone.datasets.split import Split

_NARROW = 1000
"""Columns up to which rows become dense: few models read sparse ones."""


class OwnPreparation(TransformerMixin, BaseEstimator):
    """Numbers scaled as these rows are, and of all other columns those that these rows have values in.

    Parameters
    ----------
    numbers : int
        The first so many columns are numbers.
    scale : {"auto", "standard", "none"}
        "auto" leaves values within [0, 1] and counts as they are.
    counts : bool
        True if numbers may be counts.

    Attributes
    ----------
    mean_, spread_ : ndarray of shape (numbers,)
    kept_ : ndarray of int
        Other columns with a value.
    """

    def __init__(self, *, numbers: int = 0, scale: str = "auto", counts: bool = False) -> None:
        self.numbers = numbers
        self.scale = scale
        self.counts = counts

    def fit(self, X: Matrix, y: Any = None) -> Self:
        """Learn scale and columns from rows."""
        values, others = self._parts(X)
        self.mean_, self.spread_ = np.zeros(self.numbers), np.ones(self.numbers)
        if treatment_of(values, scale=self.scale, counts=self.counts) == STANDARDISED:
            self.mean_, self.spread_ = fit_scaling(values, "numbers")
        self.kept_ = np.unique(others.nonzero()[1])
        return self

    def transform(self, X: Matrix) -> Matrix:
        """Scale numbers, and drop columns without a value; dense where few columns are left."""
        values, others = self._parts(X)
        scaled, kept = (values - self.mean_) / self.spread_, others[:, self.kept_]
        if self.numbers + len(self.kept_) <= _NARROW:
            return np.hstack([scaled, kept.toarray()])
        return csr_array(hstack([csr_array(scaled), kept], format="csr"))

    def _parts(self, X: Matrix) -> tuple[Array, csr_array]:
        numbers = X[:, : self.numbers]
        return np.asarray(numbers.toarray() if issparse(numbers) else numbers), csr_array(X[:, self.numbers :])


def prepared_on_own_rows(estimator: Any, split: Split) -> Any:
    """Put the preparation that the reader left open before a model; the model itself where nothing was left open.

    Parameters
    ----------
    estimator : classifier
    split : Split
    """
    left = split.unscaled
    if left is None:
        return estimator
    own = OwnPreparation(numbers=left.numbers, scale=left.scale, counts=left.counts)
    return Pipeline([("preparation", own), ("model", estimator)])
