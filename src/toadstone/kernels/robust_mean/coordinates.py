"""Means of the middle of each coordinate: median, trimmed mean, the mean near the median, and what they may become."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from toadstone.core.arrays import Array
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.robust_mean.network import comparators
from toadstone.kernels.robust_mean.parallel import in_order, parts
from toadstone.kernels.robust_mean.rows import Rows, canonical, width_of

_LANES = 64
"""Coordinates that are sorted at once: their values of a hundred rows fit the nearest cache."""


def coordinate_median(rows: Rows) -> Array:
    """Return the median of each coordinate.

    Parameters
    ----------
    rows : Rows
        n rows of d coordinates.

    Returns
    -------
    ndarray of shape (d,)
        The middle value, or the mean of the two in the middle.

    Examples
    --------
    >>> import numpy as np
    >>> coordinate_median(Rows(np.array([[1.0, 9.0], [2.0, 7.0], [1e30, 8.0]]))).tolist()
    [2.0, 8.0]
    """
    n = rows.shape[0]
    first = (n - 1) // 2
    return _window_means(rows, (first,), n - 2 * first)[0]


def trimmed_mean(rows: Rows, trim: int) -> Array:
    """Return the mean of each coordinate without its `trim` smallest and `trim` largest values.

    Parameters
    ----------
    rows : Rows
    trim : int
        Less than half the rows.

    Returns
    -------
    ndarray of shape (d,)

    Raises
    ------
    InvalidArgument
        If nothing would be left.

    Examples
    --------
    >>> import numpy as np
    >>> trimmed_mean(Rows(np.array([[1.0], [2.0], [4.0], [1e30]])), 1).tolist()
    [3.0]
    """
    n = rows.shape[0]
    _check_trim(n, trim)
    return _window_means(rows, (trim,), n - 2 * trim)[0]


def mean_near_median(rows: Rows, keep: int) -> Array:
    """Return the mean of the `keep` values of each coordinate that are nearest to its median.

    Parameters
    ----------
    rows : Rows
    keep : int
        From 1 to the number of rows.

    Returns
    -------
    ndarray of shape (d,)
        Of two values equally near, the smaller is kept.

    Raises
    ------
    InvalidArgument
        If `keep` is out of its range.

    Notes
    -----
    MeaMed of Xie, Koyejo and Gupta, "Generalized Byzantine-tolerant SGD", 2018, and the second phase of Bulyan. The
    values kept lie beside each other once a coordinate is sorted.

    Examples
    --------
    >>> import numpy as np
    >>> mean_near_median(Rows(np.array([[0.0], [4.0], [5.0], [7.0], [1e30]])), 3).tolist()
    [5.333333333333333]
    """
    n, d = rows.shape
    if not 1 <= keep <= n:
        raise InvalidArgument("keep", f"a whole number from 1 to {n}", keep)
    network, result = comparators(n, 0, n), np.empty(d)
    _for_blocks(rows, lambda block, columns: _near(block, network, keep, result[columns]))
    return result


def trimmed_mean_range(rows: Rows, trim: int, malicious: int) -> tuple[Array, Array]:
    """Return the least and the largest trimmed mean that any `malicious` of the rows can bring about.

    Parameters
    ----------
    rows : Rows
        n rows.
    trim : int
        At least `malicious`, and less than half the rows.
    malicious : int

    Returns
    -------
    lowest, highest : ndarray of shape (d,)
        Each is reached, coordinate by coordinate: by replacing the `malicious` largest values by minus infinity,
        or the smallest by infinity.

    Raises
    ------
    InvalidArgument
        If `trim` is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> low, high = trimmed_mean_range(Rows(np.array([[1.0], [2.0], [3.0], [4.0], [5.0]])), 1, 1)
    >>> low.tolist(), high.tolist()
    ([2.0], [4.0])
    """
    n = rows.shape[0]
    _check_trim(n, trim)
    if not 0 <= malicious <= trim:
        raise InvalidArgument("malicious", f"a whole number from 0 to {trim}, the values trimmed at an end", malicious)
    lowest, highest = _window_means(rows, (trim - malicious, trim + malicious), n - 2 * trim)
    return lowest, highest


def coordinate_median_range(rows: Rows, malicious: int) -> tuple[Array, Array]:
    """Return the least and the largest coordinate median that any `malicious` of the rows can bring about.

    Parameters
    ----------
    rows : Rows
        n rows.
    malicious : int
        Less than half the rows.

    Returns
    -------
    lowest, highest : ndarray of shape (d,)

    Raises
    ------
    InvalidArgument
        If half the rows or more are malicious.

    Examples
    --------
    >>> import numpy as np
    >>> low, high = coordinate_median_range(Rows(np.array([[1.0], [2.0], [3.0], [4.0], [5.0]])), 1)
    >>> low.tolist(), high.tolist()
    ([2.0], [4.0])
    """
    n = rows.shape[0]
    if not 0 <= 2 * malicious < n:
        raise InvalidArgument("malicious", f"less than half of {n} rows", malicious)
    return trimmed_mean_range(rows, (n - 1) // 2, malicious)


def _check_trim(n: int, trim: int) -> None:
    if not 0 <= 2 * trim < n:
        raise InvalidArgument("trim", f"less than half of {n} rows", trim)


def _window_means(rows: Rows, starts: tuple[int, ...], size: int) -> list[Array]:
    """Return the means of the ranks from each start on, `size` of them: one array for each start."""
    n, d = rows.shape
    network = comparators(n, min(starts), max(starts) + size)
    results = [np.empty(d) for _ in starts]

    def sorted_means(block: NDArray[Any], columns: slice) -> None:
        out = np.empty((len(starts), block.shape[1]))
        _means(block, network, np.array(starts), size, out)
        for result, values in zip(results, out, strict=True):
            result[columns] = values

    _for_blocks(rows, sorted_means)
    return results


def _for_blocks(rows: Rows, task: Callable[[NDArray[Any], slice], None]) -> None:
    """Call `task` with copies of all rows in blocks of coordinates, in the precision that their order needs."""
    here, base = canonical(rows) if rows.mix is not None else None, rows.base
    kind = np.float32 if base.dtype.itemsize <= 4 else np.float64

    def part(columns: slice) -> None:
        if here is None:
            among = slice(None) if rows.among is None else rows.among
            block = np.array(base[among, columns], dtype=kind, order="C")
        else:
            block = here.block(base, columns)[here.place]
        task(block, columns)

    for _ in in_order(part, parts(rows.shape[1], width_of(max(rows.given, rows.shape[0])))):
        pass


@njit(cache=True, nogil=True)
def _sort(block, start, network, values):  # type: ignore[no-untyped-def]
    """Copy some coordinates of the block, and sort each of them as far as the network does."""
    width = min(_LANES, block.shape[1] - start)
    for i in range(block.shape[0]):
        for j in range(width):
            values[i, j] = block[i, start + j]
    for c in range(network.shape[0]):
        low, high = values[network[c, 0]], values[network[c, 1]]
        for j in range(_LANES):
            a, b = low[j], high[j]
            low[j] = a if a < b else b
            high[j] = b if a < b else a
    return width


@njit(cache=True, nogil=True)
def _means(block, network, starts, size, out):  # type: ignore[no-untyped-def]
    values, total = np.zeros((block.shape[0], _LANES), block.dtype), np.empty(_LANES)
    for start in range(0, block.shape[1], _LANES):
        width = _sort(block, start, network, values)
        for w in range(len(starts)):
            # Starting from zero also makes a negative zero positive, whose sign would tell the clients' order.
            total[:] = 0.0
            for rank in range(starts[w], starts[w] + size):
                row = values[rank]
                for j in range(_LANES):
                    total[j] += row[j]
            for j in range(width):
                out[w, start + j] = total[j] / size


@njit(cache=True, nogil=True)
def _near(block, network, keep, out):  # type: ignore[no-untyped-def]
    n = block.shape[0]
    values, middle = np.zeros((n, _LANES), block.dtype), np.empty(_LANES)
    first, total = np.empty(_LANES, np.int64), np.empty(_LANES)
    for start in range(0, block.shape[1], _LANES):
        width = _sort(block, start, network, values)
        for j in range(_LANES):
            middle[j] = (np.float64(values[(n - 1) // 2, j]) + np.float64(values[n // 2, j])) / 2.0
            first[j], total[j] = 0, 0.0
        # The window moves up as long as the value that would enter is nearer than the one that would leave.
        for rank in range(n - keep):
            for j in range(_LANES):
                leave, enter = middle[j] - values[rank, j], values[rank + keep, j] - middle[j]
                first[j] += 1 if leave > enter else 0
        for rank in range(n):
            for j in range(_LANES):
                inside = first[j] <= rank and rank < first[j] + keep
                total[j] += values[rank, j] if inside else 0.0
        for j in range(width):
            out[start + j] = total[j] / keep
