"""Sorting networks: comparisons whose order depends on no value, so that many coordinates are sorted at once."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


@functools.lru_cache(maxsize=64)
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
    for low, high in reversed(list(_merges(count))):
        if low in wanted or high in wanted:
            wanted |= {low, high}
            kept.append((low, high))
    return np.array(kept[::-1], dtype=np.int32).reshape(-1, 2)


def _merges(count: int) -> Iterator[tuple[int, int]]:
    size = 1
    while size < count:
        step = size
        while step >= 1:
            for start in range(step % size, count - step, 2 * step):
                for low in range(start, min(start + step, count - step)):
                    if low // (2 * size) == (low + step) // (2 * size):
                        yield low, low + step
            step //= 2
        size *= 2
