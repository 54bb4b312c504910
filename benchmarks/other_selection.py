"""Other ways to choose medoids by facility location, on dense similarities."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist


def by_numpy(rows: np.ndarray, count: int) -> np.ndarray:
    """Choose by computing every gain anew for every choice."""
    distances = cdist(rows, rows)
    nearest, picks = np.full(len(rows), distances.max()), []
    for _ in range(count):
        gains = np.maximum(nearest[:, None] - distances, 0).sum(axis=0)
        gains[picks] = -1
        picks.append(int(gains.argmax()))
        nearest = np.minimum(nearest, distances[picks[-1]])
    return np.array(picks)


def by_apricot(rows: np.ndarray, count: int) -> np.ndarray:
    """Choose by the lazy greedy algorithm of apricot."""
    from apricot import FacilityLocationSelection

    distances = cdist(rows, rows)
    chooser = FacilityLocationSelection(count, metric="precomputed", optimizer="lazy")
    return np.asarray(chooser.fit(distances.max() - distances).ranking)


def by_submodlib(rows: np.ndarray, count: int) -> np.ndarray:
    """Choose by the lazy greedy algorithm of submodlib, the library of EPIC's authors."""
    from submodlib import FacilityLocationFunction

    distances = cdist(rows, rows)
    similarities = (distances.max() - distances).astype(np.float32)
    function = FacilityLocationFunction(n=len(rows), mode="dense", separate_rep=False, sijs=similarities)
    found = function.maximize(budget=count, optimizer="LazyGreedy", show_progress=False)
    return np.array([pick for pick, _ in found])
