"""Distance that changed rows can move a trained model, and the loss of the rows that it no longer sees.

Let f be the clean objective, and g what is trained on after some rows were
changed. A ridge makes g curve, so that its minimizer, at a distance t from any
model, has ``g <= g(model) - ridge / 2 * t**2``. What f exceeds g by is the
loss of the changed rows, whose margins have moved by at most t times their
norms. The distance at which both together allow most bounds f.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_CELLS, _FINER = 100, 20


def largest_drift(growth: Callable[[float], float], *, ridge: float, farthest: float) -> float:
    """Bound the largest ``growth(t) - ridge / 2 * t**2`` for t in [0, farthest] from above.

    Parameters
    ----------
    growth : callable
        Never falls with t.
    ridge : float
        Not negative.
    farthest : float

    Returns
    -------
    float
        Too large by the growth within a two-thousandth of the interval at
        most; not by less than zero, but for rounding.

    Examples
    --------
    >>> 0.125 <= largest_drift(lambda t: 0.5 * t, ridge=1.0, farthest=2.0) < 0.126
    True
    """
    if farthest == 0:
        return growth(0.0)
    edges = np.linspace(0.0, farthest, _CELLS + 1)
    grown = np.array([growth(float(edge)) for edge in edges])
    penalties = 0.5 * ridge * edges**2
    reached, above = float((grown - penalties).max()), grown[1:] - penalties[:-1]
    best = reached
    for cell in range(_CELLS):
        # A cell whose bound is no more than what is reached anywhere cannot hold the largest value.
        if above[cell] > reached:
            finer = np.linspace(edges[cell], edges[cell + 1], _FINER + 1)
            ahead = np.array([growth(float(edge)) for edge in finer[1:]])
            best = max(best, float((ahead - 0.5 * ridge * finer[:-1] ** 2).max()))
    return best
