"""Burn-in of the min-max attack: rows that it adds first and drops in the end."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from toadstone.core.errors import InvalidArgument, UnknownName

PAPER: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "enron": (1.0, 0.10),
        "dogfish": (1.0, 0.10),
        "imdb": (1.0, 0.02),
        "mnist-1-7": (0.33, 0.02),
        "mnist": (0.33, 0.015),
    }
)
"""Smallest burn-in, and smallest fraction of all added rows including burn-in, of each data set."""


def paper_burn_in(name: str, fraction: float) -> float:
    """Return the burn-in of the paper's code for a data set, as a multiple of the attack's rows.

    Parameters
    ----------
    name : str
        Name of the data set.
    fraction : float
        Poison rows for each clean row.

    Returns
    -------
    float

    Raises
    ------
    UnknownName
        If the paper does not use the data set.
    InvalidArgument
        If `fraction` is not positive.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022.

    Examples
    --------
    >>> round(paper_burn_in("enron", 0.03), 3)
    2.333
    """
    if name not in PAPER:
        raise UnknownName(f"`name`: expected one of {', '.join(PAPER)}, got {name}")
    if not fraction > 0:
        raise InvalidArgument("fraction", "a positive number", fraction)
    least, together = PAPER[name]
    return max(least, together / fraction - 1)
