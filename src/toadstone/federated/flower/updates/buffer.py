"""Rows of all clients of a round: in memory, or in a file where they would take much of it."""

from __future__ import annotations

import math
import tempfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

IN_MEMORY = 2**30
"""Bytes of rows that are still held in memory."""


def new_rows(clients: int, width: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return zeros of shape (clients, width), mapped from a file without a name if they exceed `IN_MEMORY`.

    The file is in the folder for temporary files (``TMPDIR``) and is gone with
    the array.

    Parameters
    ----------
    clients, width : int
    dtype : dtype

    Returns
    -------
    ndarray
    """
    if math.prod((clients, width)) * dtype.itemsize <= IN_MEMORY:
        return np.zeros((clients, width), dtype)
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype=dtype, mode="w+", shape=(clients, width))
