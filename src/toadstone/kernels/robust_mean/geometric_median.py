"""The geometric median as a mixture of the rows, with a proof of how near it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import Array, Mask

STEPS = 2_000
"""Most steps; the tolerance that was proved is returned, whether or not it is the one asked for."""

PATIENCE = 100
"""Steps without a smaller gap after which rounding is taken to be what is left."""

MEMORY = 5
"""Steps from which the next is extrapolated."""

ROUNDING = 1e-11
"""Bound on the error of a squared distance, and of an inner product as a share of the size that comes with it."""

FAR = 30.0
"""Distance from a row in the midst, over the median one, up to which inner products follow from the distances."""


@dataclass(frozen=True, eq=False)
class MedianWeights:
    """A point near the geometric median.

    Parameters
    ----------
    weights : ndarray of float64, shape (n,)
        The point is this mixture of the rows.
    gap : float
        Bound on how much larger its sum of distances is than the least one.
    tolerance : float
        The gap over the sum of its `nearest` least distances.
    steps : int
    """

    weights: Array
    gap: float
    tolerance: float
    steps: int


def products_from(squared: Array) -> tuple[Array, Array] | None:
    """Return inner products about a row in the midst, and their sizes, from squared distances.

    Parameters
    ----------
    squared : ndarray of float64, shape (n, n)

    Returns
    -------
    tuple of ndarray, shape (n, n), or None
        None if a row is so far that the others' part of its products is lost.

    Examples
    --------
    >>> points = np.array([0.0, 1.0, 2.0, 4.0])
    >>> products, size = products_from((points[:, None] - points) ** 2)
    >>> products[0].tolist(), size[0].tolist()
    ([1.0, 0.0, -1.0, -3.0], [1.0, 1.0, 1.0, 9.0])
    """
    away = squared[int(np.median(squared, axis=1).argmin())]
    if away.max() > FAR**2 * np.median(away):
        return None
    return (away[:, None] + away - squared) / 2, np.maximum(away[:, None], away)


def geometric_median_weights(
    between: Array, products: Array, size: Array, *, tolerance: float, nearest: int
) -> MedianWeights:
    """Minimise the sum of distances to the rows, to a tolerance that is proved.

    First every row is tried by Vardi and Zhang's condition; otherwise their step
    leaves the row of least sum, and Weiszfeld's follow among mixtures of the
    rows [1]_, extrapolated from the last few (Anderson) wherever that lowers
    the gap.

    The proof: for the sum s of unit vectors from a point z to the rows,
    ``F(z) - F(z*) <= |s| |z - z*|``; and ``|z - z*|`` is at most
    ``2 (r_1 + ... + r_k) / (2k - n)`` for every k above n / 2, with r the
    distances from z in ascending order, because the optimum is not worse than
    z. The gap is related to the distances of the `nearest` rows only, since
    the sum of all has no meaning beside a row at 1e30.

    Parameters
    ----------
    between : ndarray of float64, shape (n, n)
        Distances, not squared.
    products : ndarray of float64, shape (n, n)
        Inner products of the rows about a point in their midst.
    size : ndarray of float64, shape (n, n)
        By which the errors of the products go: at least the lengths of both
        rows, multiplied.
    tolerance : float
        Gap at which to stop, as a share of the sum of the `nearest` distances.
    nearest : int
        n - f.

    Returns
    -------
    MedianWeights

    References
    ----------
    .. [1] Vardi and Zhang, "The multivariate L1-median and associated data depth", PNAS 97 (2000), equation 2.6.

    Examples
    --------
    >>> corners = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0]])
    >>> between = np.linalg.norm(corners[:, None] - corners, axis=2)
    >>> products, size = products_from(between**2)
    >>> found = geometric_median_weights(between, products, size, tolerance=1e-8, nearest=4)
    >>> (found.weights @ corners).round(6).tolist(), found.tolerance < 1e-8
    ([2.0, 2.0], True)
    """
    row, start, stay = _best_row(products, size, between, nearest)
    if row.tolerance <= tolerance:
        return row
    current = _leave(row.weights, between[start], stay)
    best: MedianWeights | None = None
    history: list[tuple[Array, Array]] = []
    for step in range(1, STEPS + 1):
        distances, doubt = _distances(products, size, current)
        pull = _pull(products, size, current, distances, doubt)
        found = _judged(current, pull * _reach(distances), distances, nearest, step)
        if best is None or found.gap <= best.gap:
            best = found
        elif len(history) > 1:
            # The extrapolation led astray: go on from the best point by a plain step.
            history, current = [], best.weights
            distances, _ = _distances(products, size, current)
        if best.tolerance <= tolerance or step - best.steps > PATIENCE:
            break
        inverse = 1.0 / distances
        history = [*history[-MEMORY:], (current, inverse / inverse.sum())]
        current = _extrapolated(products, history)
    return row if best is None or row.gap <= best.gap else best


def _best_row(products: Array, size: Array, between: Array, nearest: int) -> tuple[MedianWeights, int, float]:
    """Return the row nearest to being the optimum, with its gap, and the share that Vardi and Zhang's step leaves."""
    n = len(products)
    bulk = np.diag(size)
    same = between == 0
    inverse = np.divide(1.0, between, out=np.zeros((n, n)), where=~same)
    change = inverse - np.diag(inverse.sum(axis=1))
    pulls = np.sqrt(np.maximum(((change @ products) * change).sum(axis=1), 0.0))
    excess = np.maximum(pulls - same.sum(axis=1), 0.0)
    sums = np.sort(between, axis=1)[:, :nearest].sum(axis=1)
    start = int(np.lexsort((sums, np.round(excess, 9)))[0]) if (excess <= 1e-9).any() else int(sums.argmin())
    # The pull is computed from products, so it can be off by their errors over the distances.
    doubt = ROUNDING * (bulk + bulk[start] + 2 * size[start])
    gap = (float(excess[start]) + float((doubt * inverse[start] ** 2).sum())) * _reach(between[start])
    found = _judged(np.eye(n)[start], gap, between[start], nearest, 0)
    return found, start, min(1.0, int(same[start].sum()) / max(float(pulls[start]), 1.0))


def _distances(products: Array, size: Array, weights: Array) -> tuple[Array, Array]:
    """Return the distances from a mixture of the rows to each row, and the rounding errors of their squares."""
    crossed = products @ weights
    bulk = size @ np.abs(weights)
    squared = np.diag(products) - 2 * crossed + weights @ crossed
    doubt = ROUNDING * (np.diag(size) + 2 * bulk + np.abs(weights) @ bulk) + np.finfo(np.float64).tiny
    return np.sqrt(np.maximum(squared, doubt)), doubt


def _pull(products: Array, size: Array, weights: Array, distances: Array, doubt: Array) -> float:
    """Return a bound on the norm of the sum of unit vectors to the rows."""
    inverse = 1.0 / distances
    change = inverse - inverse.sum() * weights
    squared = float(change @ products @ change) + ROUNDING * len(weights) * float(
        np.abs(change) @ size @ np.abs(change)
    )
    return float(np.sqrt(max(squared, 0.0))) + float((doubt * inverse**2).sum())


def _leave(weights: Array, distances: Array, stay: float) -> Array:
    """Return Vardi and Zhang's step away from a row: to the others' mean, but for a share that stays."""
    inverse = np.divide(1.0, distances, out=np.zeros(len(weights)), where=distances > 0)
    return np.asarray((1.0 - stay) * inverse / inverse.sum() + stay * weights, dtype=np.float64)


def _extrapolated(products: Array, history: list[tuple[Array, Array]]) -> Array:
    """Return the mixture of the last steps whose residual is least in the space of the rows."""
    stepped = np.array([after for _, after in history])
    if len(history) == 1:
        return np.asarray(stepped[0], dtype=np.float64)
    residuals = np.array([after - before for before, after in history])
    turns = np.diff(residuals, axis=0)
    gram = turns @ products @ turns.T
    scale = np.sqrt(np.maximum(np.diag(gram), np.finfo(np.float64).tiny))
    right = turns @ (products @ residuals[-1]) / scale
    shares = np.linalg.lstsq(gram / scale[:, None] / scale, right, rcond=1e-12)[0] / scale
    mixed = stepped[-1] - shares @ np.diff(stepped, axis=0)
    return np.asarray(mixed / mixed.sum(), dtype=np.float64)


def _reach(distances: Array) -> float:
    """Return a bound on the distance to the geometric median."""
    n = len(distances)
    counts = np.arange(1, n + 1)
    majority: Mask = 2 * counts > n
    return float((2 * np.cumsum(np.sort(distances))[majority] / (2 * counts[majority] - n)).min())


def _judged(weights: Array, gap: float, distances: Array, nearest: int, steps: int) -> MedianWeights:
    total = float(np.sort(distances)[:nearest].sum())
    return MedianWeights(weights, gap, gap / total if total > 0 else 0.0, steps)
