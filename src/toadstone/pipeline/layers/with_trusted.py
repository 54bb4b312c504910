"""Trusted rows beside those that detectors score."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import IntArray, Labels, Mask, Matrix
from toadstone.core.dataset import Dataset
from toadstone.kernels.rows import stack


def beside(X: Matrix, y: Labels, trusted: Dataset | None) -> tuple[Matrix, Labels, IntArray | None]:
    """Return rows with trusted ones after them, and the places of these.

    Parameters
    ----------
    X, y : ndarray or CSR of shape (n, d), ndarray of shape (n,)
    trusted : Dataset or None
    """
    if trusted is None:
        return X, y, None
    return stack([X, trusted.X]), np.concatenate([y, trusted.y]), np.arange(len(y), len(y) + len(trusted))


def thresholds_in_words(calibrated: Mask) -> str:
    """Say where a detector's thresholds come from, given which classes had enough trusted rows.

    Examples
    --------
    >>> thresholds_in_words(np.array([True, False, True]))
    'trusted rows for 2 of 3 classes, own scores for the others'
    """
    if calibrated.all():
        return "trusted rows"
    if not calibrated.any():
        return "own scores"
    return f"trusted rows for {np.count_nonzero(calibrated)} of {len(calibrated)} classes, own scores for the others"
