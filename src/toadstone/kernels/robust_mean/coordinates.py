"""Means of the middle of each coordinate: median, trimmed mean, the mean near the median, and what they may become."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from toadstone.core.arrays import Array, IntArray
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.robust_mean.network import comparators
from toadstone.kernels.robust_mean.parallel import in_order, parts
from toadstone.kernels.robust_mean.rows import Rows, canonical, contiguous, readable, width_of

_SINGLE, _DOUBLE = 128, 64
"""Coordinates that are sorted at once, in each precision: their values of a hundred rows just fit the nearest cache."""
_TOGETHER = 8


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
    median: Array = _window_means(rows, (first,), n - 2 * first)[0]
    return median


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
    mean: Array = _window_means(rows, (trim,), n - 2 * trim)[0]
    return mean


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

    def near(part: _Part) -> None:
        out = result[part.columns]
        _near(part.source, part.among, part.share, part.start, network, part.buffer(), keep, out)

    _for_parts(rows, near)
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


def order_statistics(rows: Rows, ranks: Sequence[int]) -> Array:
    """Return the values of some ranks of each coordinate, the smallest being rank 0.

    Parameters
    ----------
    rows : Rows
        n rows.
    ranks : sequence of int
        From 0 to n - 1, ascending.

    Returns
    -------
    ndarray of shape (ranks, d)

    Examples
    --------
    >>> import numpy as np
    >>> order_statistics(Rows(np.array([[4.0], [1.0], [3.0]])), (0, 2)).tolist()
    [[1.0], [4.0]]
    """
    return _window_means(rows, tuple(ranks), 1)


def _check_trim(n: int, trim: int) -> None:
    if not 0 <= 2 * trim < n:
        raise InvalidArgument("trim", f"less than half of {n} rows", trim)


@dataclass(frozen=True, eq=False)
class _Part:
    """Some coordinates of the rows, as compiled loops read them: shares of rows of a table."""

    source: NDArray[Any]
    among: IntArray
    share: Array
    start: int
    columns: slice
    kind: type[np.floating[Any]]

    def buffer(self) -> NDArray[Any]:
        """Return room for the values to be sorted, in the precision that their order needs."""
        return np.zeros((len(self.among), _SINGLE if self.kind is np.float32 else _DOUBLE), self.kind)


def _window_means(rows: Rows, starts: tuple[int, ...], size: int) -> Array:
    """Return the means of the ranks from each start on, `size` of them: one row for each start."""
    n, d = rows.shape
    network, results = comparators(n, min(starts), max(starts) + size), np.empty((len(starts), d))
    windows = np.array([(start, start + size) for start in starts])

    def means(part: _Part) -> None:
        out = results[:, part.columns]
        _means(part.source, part.among, part.share, part.start, network, part.buffer(), windows, out)

    _for_parts(rows, means)
    return results


def _for_parts(rows: Rows, task: Callable[[_Part], None]) -> None:
    """Call `task` with the rows, part by part of their coordinates."""
    base, mixed = rows.base, canonical(rows) if rows.mix is not None else None
    among = np.arange(len(base)) if rows.among is None else rows.among
    share: Array = np.ones(len(among))
    kind: type[np.floating[Any]] = np.float32 if base.dtype.itemsize <= 4 else np.float64
    if mixed is not None:
        among, share, kind = mixed.place, np.ones(len(mixed.place)), np.float64
        single = mixed.single_rows()
        if single is not None:
            (among, share), mixed = single, None

    def part(columns: slice) -> None:
        source, start = contiguous(base, columns) if mixed is None else (mixed.block(base, columns), 0)
        task(_Part(source, among, share, start, columns, kind))

    together = _TOGETHER if mixed is None and readable(base) else 1
    for _ in in_order(part, parts(rows.shape[1], width_of(max(rows.given, rows.shape[0])) * together)):
        pass


@njit(cache=True, nogil=True)
def _sort(source, among, share, start, network, values, width):  # type: ignore[no-untyped-def]
    """Copy some coordinates of the rows, and sort each of them as far as the network does."""
    for i in range(len(among)):
        row, weight, copy = source[among[i], start : start + width], share[i], values[i]
        for j in range(width):
            copy[j] = weight * row[j]
    for c in range(network.shape[0]):
        low, high = values[network[c, 0]], values[network[c, 1]]
        # Loops of constant length, which are unrolled whole.
        if len(low) == _SINGLE:
            for j in range(_SINGLE):
                a, b = low[j], high[j]
                low[j] = a if a < b else b
                high[j] = a if a > b else b
        else:
            for j in range(_DOUBLE):
                a, b = low[j], high[j]
                low[j] = a if a < b else b
                high[j] = a if a > b else b


@njit(cache=True, nogil=True)
def _means(source, among, share, start, network, values, windows, out):  # type: ignore[no-untyped-def]
    lanes = values.shape[1]
    total = np.empty(lanes)
    for begin in range(0, out.shape[1], lanes):
        width = min(lanes, out.shape[1] - begin)
        _sort(source, among, share, start + begin, network, values, width)
        for w in range(len(windows)):
            # Starting from zero also makes a negative zero positive, whose sign would tell the clients' order.
            total[:] = 0.0
            for rank in range(windows[w, 0], windows[w, 1]):
                row = values[rank]
                for j in range(lanes):
                    total[j] += row[j]
            for j in range(width):
                out[w, begin + j] = total[j] / (windows[w, 1] - windows[w, 0])


@njit(cache=True, nogil=True)
def _near(source, among, share, start, network, values, keep, out):  # type: ignore[no-untyped-def]
    n, lanes = len(among), values.shape[1]
    middle = np.empty(lanes)
    # Ranks as floats, so that comparisons and sums go through the same registers.
    first, total = np.empty(lanes), np.empty(lanes)
    for begin in range(0, len(out), lanes):
        width = min(lanes, len(out) - begin)
        _sort(source, among, share, start + begin, network, values, width)
        for j in range(lanes):
            middle[j] = (np.float64(values[(n - 1) // 2, j]) + np.float64(values[n // 2, j])) / 2.0
            first[j], total[j] = 0.0, 0.0
        # The window moves up as long as the value that would enter is nearer than the one that would leave.
        for rank in range(n - keep):
            leave, enter = values[rank], values[rank + keep]
            for j in range(lanes):
                first[j] += 1.0 if middle[j] - leave[j] > enter[j] - middle[j] else 0.0
        for rank in range(n):
            row, place = values[rank], np.float64(rank)
            for j in range(lanes):
                total[j] += row[j] if first[j] <= place and place < first[j] + keep else 0.0
        for j in range(width):
            out[begin + j] = total[j] / keep
