"""Arrays of integers and truth values, such as BatchNorm's counters: the middle value of the clients, never a mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def middle_values(sent: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return the lower median of each entry, which is a value that some client sent.

    Where most clients agree it is what they agree on. Where honest ones differ,
    as counters of batches do, the most frequent value is whatever two
    malicious clients agree on; the median stays between honest values as long
    as these are a majority.

    Parameters
    ----------
    sent : sequence of ndarray
        At least one.

    Returns
    -------
    ndarray
        Of their type.

    Examples
    --------
    >>> middle_values([np.array([count]) for count in (5, 7, 10**9, 10**9, 6)])
    array([7])
    """
    position = (len(sent) - 1) // 2
    middle: NDArray[Any] = np.partition(np.stack(sent), position, axis=0)[position]
    return middle
