"""Numbers of arrays that become floats: finite, and whole ones such that a float holds them exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from toadstone.core.errors import InvalidData

EXACT = 2**53
"""Whole numbers up to here are floats exactly."""

LARGEST = 1e100
"""Largest number: sums of squares stay finite."""


def check_numbers(values: NDArray[Any], what: str) -> None:
    """Check that numbers are finite, and that a float holds whole ones exactly.

    Parameters
    ----------
    values : ndarray of shape (n,) or (n, d) or more
    what : str
        Name of the array, for messages.

    Raises
    ------
    InvalidData
        If one is not; the message names its place.
    """
    if values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            bad = ~(np.abs(values.astype(np.float64)) <= LARGEST)
        expected, hint = f"finite numbers up to {LARGEST:g}", "a table (.csv, .parquet) may have missing values"
    elif values.dtype.itemsize == 8:
        # Compared as whole numbers: as a float, 2**53 + 1 would be 2**53.
        bad = (values > EXACT) | (values < -EXACT)
        expected, hint = (
            "whole numbers up to 2**53, which a float holds exactly",
            "divide them, or store them as float64",
        )
    else:
        return
    if bad.any():
        place = tuple(int(position) for position in np.argwhere(bad)[0])
        where = f"row {place[0] + 1}, column {place[1]}" if len(place) > 1 else f"entry {place[0] + 1}"
        raise InvalidData(f"{what}: expected {expected}, got {values[place]} in {where}; {hint}")
