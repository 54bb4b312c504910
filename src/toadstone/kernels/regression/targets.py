"""Numeric targets that can be judged."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import Array
from toadstone.core.errors import InvalidData

FEWEST_ROWS = 20
"""Rows below which targets are not judged."""


def check_targets(y: Array, what: str) -> None:
    """Check that targets can be judged.

    Parameters
    ----------
    y : ndarray of shape (n,)
    what : str
        Source of the targets, for error messages.

    Raises
    ------
    InvalidData
        If there are fewer than 20, or all are equal.

    Examples
    --------
    >>> check_targets(np.ones(30), "prices")
    Traceback (most recent call last):
    toadstone.core.errors.InvalidData: prices: expected targets that differ, got only 1
    """
    if len(y) < FEWEST_ROWS:
        raise InvalidData(f"{what}: expected at least {FEWEST_ROWS} rows with a target, got {len(y)}")
    if np.ptp(y) == 0:
        raise InvalidData(f"{what}: expected targets that differ, got only {y[0]:g}")
