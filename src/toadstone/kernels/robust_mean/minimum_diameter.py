"""The subset of rows of least diameter, exactly."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import Array, IntArray, Mask


def minimum_diameter_subset(squared: Array, keep: int) -> tuple[IntArray, float]:
    """Return the subset of a size whose diameter is least, the first of several in the order of rows [1]_.

    The diameter is one of the distances. For each that the search by halves
    tries, the rows to leave out must touch every pair that is farther apart:
    a cover of at most n - keep rows, found by branching over the two ends of a
    pair, at most ``2 ** (n - keep)`` branches.

    Parameters
    ----------
    squared : ndarray of float64, shape (n, n)
        Squared distances.
    keep : int
        Size of the subset, n - f.

    Returns
    -------
    subset : ndarray of int, shape (keep,)
    diameter : float
        Its square.

    References
    ----------
    .. [1] El Mhamdi, Guerraoui, Guirguis, Hoang and Rouault, "Genuinely distributed Byzantine machine learning", PODC
       2020 (minimum-diameter averaging).

    Examples
    --------
    >>> points = np.array([0.0, 5.0, 1.0, 6.0, 2.0])
    >>> minimum_diameter_subset((points[:, None] - points) ** 2, 3)
    (array([0, 2, 4]), 4.0)
    """
    n = len(squared)
    drop = n - keep
    tries = np.unique(squared[np.triu_indices(n, 1)]) if n > 1 else np.zeros(1)
    low, high = 0, len(tries) - 1
    nobody = np.zeros(n, dtype=bool)
    while low < high:
        middle = (low + high) // 2
        if _coverable(squared > tries[middle], nobody, drop):
            high = middle
        else:
            low = middle + 1
    return _first(squared > tries[low], drop), float(tries[low])


def _coverable(conflicts: Mask, gone: Mask, drop: int) -> bool:
    """Return True if at most `drop` more rows touch every conflict among those that are not gone."""
    stay = ~gone
    degrees = (conflicts & stay).sum(axis=1) * stay
    worst = int(degrees.argmax())
    if degrees[worst] == 0:
        return True
    # Rows of at most `drop` conflicts each, so `drop` of them touch at most that many times `drop`.
    if drop == 0 or degrees.sum() > 2 * drop * degrees[worst]:
        return False
    without = gone.copy()
    without[worst] = True
    if _coverable(conflicts, without, drop - 1):
        return True
    partners = conflicts[worst] & stay
    return int(degrees[worst]) <= drop and _coverable(conflicts, gone | partners, drop - int(degrees[worst]))


def _first(conflicts: Mask, drop: int) -> IntArray:
    """Return the first subset without conflicts, keeping each row in turn where that is possible."""
    n = len(conflicts)
    gone = np.zeros(n, dtype=bool)
    kept = np.zeros(n, dtype=bool)
    for row in range(n):
        if gone[row]:
            continue
        partners = gone | conflicts[row]
        if (partners & kept).any() or int(partners.sum()) > drop:
            possible = False
        else:
            possible = _coverable(conflicts, partners, drop - int(partners.sum()))
        if possible:
            gone, kept[row] = partners, True
        else:
            gone[row] = True
        if int(kept.sum()) == n - drop:
            break
    return np.flatnonzero(kept).astype(np.int64)
