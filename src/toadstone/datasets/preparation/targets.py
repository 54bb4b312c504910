"""Checks of numeric targets."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import Array, Labels
from toadstone.core.errors import InvalidData
from toadstone.datasets.preparation.exact_numbers import LARGEST


def as_targets(values: Labels, what: str) -> Array:
    """Convert targets to float64.

    Parameters
    ----------
    values : ndarray
        Of shape (n,) or (n, 1).
    what : str
        Source of the targets, for error messages.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    InvalidData
        If there are several a row, or they are no finite numbers.

    Examples
    --------
    >>> as_targets(np.array([[1], [2]]), "y")
    array([1., 2.])
    """
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise InvalidData(f"{what}: expected one target a row, got an array of shape {values.shape}; pass one column")
    if values.dtype.kind not in "biuf":
        try:
            values = values.astype(np.float64) if values.dtype.kind == "O" else values
        except (TypeError, ValueError):
            raise InvalidData(f"{what}: expected numbers as targets, got other values") from None
        if values.dtype.kind != "f":
            raise InvalidData(f"{what}: expected numbers as targets, got values of type {values.dtype}")
    targets = values.astype(np.float64)
    bad = ~(np.abs(targets) <= LARGEST)
    if bad.any():
        raise InvalidData(
            f"{what}: expected finite numbers up to {LARGEST:g} as targets, got {targets[bad][0]} at position "
            f"{int(np.argmax(bad))}"
        )
    return targets
