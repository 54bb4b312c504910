"""A group of rows that do not belong to their label, and what gave it away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from toadstone.core.arrays import IntArray


@dataclass(frozen=True, eq=False)
class RowGroup:
    """Rows of one label that belong together and do not belong to it.

    Parameters
    ----------
    kind : str
        "shared values", "near-copies", "contradictory duplicates", "source"
        or "period".
    rows : ndarray of int
        Positions, ascending.
    label : object
        The label that they carry.
    looks_like : object
        The label that their other columns suggest; None where unknown.
    columns : tuple of int
        Features that they share; empty for copies.
    lows, highs : tuple of float
        Range of each of these features that the group was found by.
    p_value : float
        Adjusted for the groups examined; 0 where provable.
    probability : float
        That a row of the group does not belong to its label.
    source : str
        The source or the period, where the kind is one of these.

    Examples
    --------
    >>> import numpy as np
    >>> group = RowGroup("near-copies", np.array([3, 8]), "ham", "spam", (), (), (), 1e-9, 0.95)
    >>> len(group.rows), group.looks_like
    (2, 'spam')
    """

    kind: str
    rows: IntArray
    label: Any
    looks_like: Any
    columns: tuple[int, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    p_value: float
    probability: float
    source: str = ""
