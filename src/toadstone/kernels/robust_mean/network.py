"""Sorting networks: comparisons whose order depends on no value, so that many coordinates are sorted at once."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


@functools.lru_cache(maxsize=256)
def comparators(count: int, first: int, last: int) -> NDArray[np.int32]:
    """Return the comparisons that put the ranks from `first` to below `last` of `count` values in their places.

    Parameters
    ----------
    count : int
    first, last : int
        Ranks, counted from zero.

    Returns
    -------
    ndarray of shape (c, 2)
        In their order: the smaller value goes to the first place, the larger to the second.

    Notes
    -----
    Batcher's merging of odd and even places (1968), for the next power of two, without the places from `count` on,
    which would hold values larger than all, and without comparisons that no wanted rank depends on.

    Examples
    --------
    >>> comparators(3, 0, 3).tolist()
    [[0, 1], [0, 2], [1, 2]]
    >>> len(comparators(100, 0, 100)), len(comparators(100, 49, 51))
    (1104, 898)
    """
    wanted, kept = set(range(first, last)), []
    for low, high in reversed(list(_merges(1 << (count - 1).bit_length()))):
        if high < count and (low in wanted or high in wanted):
            wanted |= {low, high}
            kept.append((low, high))
    return np.array(kept[::-1], dtype=np.int32).reshape(-1, 2)


def _merges(size: int, start: int = 0) -> Iterator[tuple[int, int]]:
    """Yield the comparisons for `size` places, a power of two: each half is sorted whole, while it is in the cache."""
    if size == 1:
        return
    half = size // 2
    yield from _merges(half, start)
    yield from _merges(half, start + half)
    step = half
    while step >= 1:
        for first in range(step % half, size - step, 2 * step):
            for low in range(first, min(first + step, size - step)):
                yield start + low, start + low + step
        step //= 2
