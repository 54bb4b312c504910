"""Judge results against thresholds; a result that is in doubt never passes."""

from __future__ import annotations

import math
from enum import Enum

from toadstone.core.errors import InvalidArgument
from toadstone.records.defence import AccuracyChange


class GateOutcome(Enum):
    """Outcome of a result against a threshold; only `KEPT` passes."""

    KEPT = "kept"
    EXCEEDED = "exceeded"
    UNDECIDED = "undecided"


def check_limit(name: str, limit: float | None, *, most: float = math.inf) -> None:
    """Check that a threshold is a usable number.

    Parameters
    ----------
    name : str
        Of the option.
    limit : float, optional
        None where no threshold is asked for.
    most : float
        Largest value that makes sense.

    Raises
    ------
    InvalidArgument
        If the threshold is NaN, infinite, negative, or above `most`.

    Examples
    --------
    >>> check_limit("fail_if_error_above", 0.1, most=1.0)
    """
    if limit is None or (math.isfinite(limit) and 0 <= limit <= most):
        return
    wanted = f"a number from 0 to {most:g}" if math.isfinite(most) else "a finite number of at least 0"
    raise InvalidArgument(name, wanted, limit)


def rows_allowed(name: str, limit: str | float | None, n: int) -> int | None:
    """Turn a limit on rows into a number of rows: a whole number counts them, one with a point is a share.

    Parameters
    ----------
    name : str
        Of the option.
    limit : str or float, optional
        "3" or 3 for three rows, "0.01" or 0.01 for one row of a hundred.
    n : int
        All rows.

    Raises
    ------
    InvalidArgument
        If it is neither.

    Examples
    --------
    >>> rows_allowed("fail_if_rows_above", "3", 500), rows_allowed("fail_if_rows_above", "0.01", 500)
    (3, 5)
    """
    if limit is None:
        return None
    text = str(limit).strip()
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise InvalidArgument(name, "a whole number of rows, or a share of them from 0.0 to 1.0", limit)
    return math.floor(share * n)


def judge_count(count: int, limit: int) -> GateOutcome:
    """Judge a number of things that were counted.

    Examples
    --------
    >>> judge_count(3, 2)
    <GateOutcome.EXCEEDED: 'exceeded'>
    """
    return GateOutcome.KEPT if count <= limit else GateOutcome.EXCEEDED


def judge_cost(certified: int, attack: int | None, limit: int) -> GateOutcome:
    """Judge a number of rows that an attacker needs, which is to be at least a limit.

    Parameters
    ----------
    certified : int
        Fewer rows cannot do the harm.
    attack : int or None
        So many rows suffice; None where no attack was found.
    limit : int

    Examples
    --------
    >>> judge_cost(120, 300, 100), judge_cost(120, 300, 200), judge_cost(120, 300, 400)
    (<GateOutcome.KEPT: 'kept'>, <GateOutcome.UNDECIDED: 'undecided'>, <GateOutcome.EXCEEDED: 'exceeded'>)
    """
    if certified >= limit:
        return GateOutcome.KEPT
    return GateOutcome.EXCEEDED if attack is not None and attack < limit else GateOutcome.UNDECIDED


def judge_bound(bound: float, attack_value: float, limit: float, *, conclusive: bool) -> GateOutcome:
    """Judge a certified bound.

    A bound within the limit is proved and passes, however the search ended.
    One above it from a search that stopped early leaves open whether the
    truth is above, unless the attack itself is.

    Parameters
    ----------
    bound, attack_value : float
        The truth lies between the two.
    limit : float
    conclusive : bool
        True if bound and attack met.

    Examples
    --------
    >>> judge_bound(0.31, 0.25, 0.3, conclusive=False)
    <GateOutcome.UNDECIDED: 'undecided'>
    """
    if bound <= limit:
        return GateOutcome.KEPT
    return GateOutcome.EXCEEDED if conclusive or attack_value > limit else GateOutcome.UNDECIDED


def judge_error(interval: tuple[float, float], limit: float, *, conclusive: bool) -> GateOutcome:
    """Judge a test error measured under attack.

    The attack is the one that a search found. Where the search stopped early
    a stronger one may exist, so that an error within the limit decides
    nothing.

    Parameters
    ----------
    interval : tuple of float
        95 % interval of the error, a share of all rows such as the test rows.
    limit : float
    conclusive : bool
        Whether the search for the attack ended.

    Returns
    -------
    GateOutcome
        Undecided where the interval includes the limit and more.

    Examples
    --------
    >>> judge_error((0.01, 0.06), 0.05, conclusive=True)
    <GateOutcome.UNDECIDED: 'undecided'>
    """
    low, high = interval
    if high <= limit:
        return GateOutcome.KEPT if conclusive else GateOutcome.UNDECIDED
    return GateOutcome.UNDECIDED if low <= limit else GateOutcome.EXCEEDED


def judge_drop(change: AccuracyChange | None, limit: float) -> GateOutcome:
    """Judge the cost of a defence in accuracy.

    Parameters
    ----------
    change : AccuracyChange or None
        On rows that no attacker could reach; None where there are none.
    limit : float
        Largest drop allowed, a share of the rows.

    Returns
    -------
    GateOutcome
        Undecided where the interval of the drop includes the limit.
    """
    if change is None:
        return GateOutcome.UNDECIDED
    if change.drop_high <= limit:
        return GateOutcome.KEPT
    return GateOutcome.EXCEEDED if change.drop_low > limit else GateOutcome.UNDECIDED


def judge_share(share: float, limit: float) -> GateOutcome:
    """Judge a share of rows that was counted, not estimated.

    Examples
    --------
    >>> judge_share(0.02, 0.02)
    <GateOutcome.KEPT: 'kept'>
    """
    return GateOutcome.KEPT if share <= limit else GateOutcome.EXCEEDED
