"""Certified shift of one round: how far a number of clients can move what a rule makes of the updates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from toadstone.core.arrays import Array, Matrix
from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument, InvalidInput
from toadstone.federated.aggregation.admission import admit
from toadstone.federated.aggregation.before import StaticClipping
from toadstone.federated.aggregation.coordinates import CoordinateMedian, TrimmedMean
from toadstone.federated.aggregation.geometry import Geometry
from toadstone.federated.aggregation.names import parse_rule
from toadstone.federated.aggregation.rule import Chain, Rule
from toadstone.kernels.robust_mean.coordinates import order_statistics, trimmed_mean_range

_EPS = float(np.finfo(np.float64).eps)
_LEAST = float(np.finfo(np.float64).smallest_subnormal)


@dataclass(frozen=True, eq=False)
class RoundShift:
    """A proof about one round.

    If at most `malicious` of the clients are malicious, the aggregate is
    within `bound` of the one that honest updates in their place would have
    given.

    Parameters
    ----------
    rule : str
    clients : int
        Updates that entered.
    malicious : int
        How many of them may be anything: those that the caller named, less the
        refused ones.
    bound : float
        Largest Euclidean distance between the aggregate as it is and as it
        would be if any so many of the updates were replaced by anything.
        Rounded up.
    lower, upper : ndarray of shape (d,)
        Each coordinate of all these aggregates lies between them, and reaches
        them by some replacement, up to rounding, which is outwards.
    """

    rule: str
    clients: int
    malicious: int
    bound: float
    lower: Array
    upper: Array


def certify_round(updates: Matrix | Sequence[Any], rule: str | Rule, *, malicious: int) -> RoundShift:
    """Bound how far a number of clients can move the aggregate of a round, whatever they send.

    A trimmed mean drops b values at either end of n sorted ones. If f <= b of
    them are replaced, it lies between the means of the ranks from b - f + 1 to
    n - b - f, and from b + f + 1 to n - b + f: pushing f values below all
    others moves the window down by f ranks at most. A median is the trimmed
    mean that keeps the one or two values in the middle.

    Parameters
    ----------
    updates : array of shape (n, d), or sequence of n vectors
        As for `aggregate`; malformed ones are refused and counted.
    rule : str or Rule
        ``"median"`` or ``"trimmed-mean"``, if need be behind `StaticClipping`
        with a radius.
    malicious : int
        At least as many as are refused.

    Returns
    -------
    RoundShift

    Raises
    ------
    InvalidArgument
        For other rules: a single update can be all of what Krum returns, and
        mixing, or clipping to the median norm, lets one update reach all rows.
    InvalidInput
        If there are too few clients, or more are refused than `malicious`.

    References
    ----------
    .. [1] Yin, Chen, Ramchandran and Bartlett, "Byzantine-robust distributed
       learning: towards optimal statistical rates", ICML 2018, definitions 1
       and 2; the range of their order statistics is elementary.

    Examples
    --------
    >>> sent = np.array([[1.0], [2.0], [3.0], [4.0], [9.0]])
    >>> found = certify_round(sent, "median", malicious=1)
    >>> found.lower.round(9), found.upper.round(9), round(found.bound, 9)
    (array([2.]), array([4.]), 1.0)
    """
    check_count(0, malicious=malicious)
    chosen, admitted = parse_rule(rule), admit(updates)
    last = _bounded_rule(chosen)
    if admitted.warning(malicious):
        raise InvalidInput(admitted.warning(malicious))
    left = admitted.malicious_left(malicious)
    if admitted.rows is None:
        raise InvalidInput(f"{chosen.spec} needs an update: got none{admitted.behind}")
    geometry = Geometry.of(admitted.rows)
    aggregate = chosen.weigh(geometry, left, admitted.behind).vector
    for step in chosen.before if isinstance(chosen, Chain) else ():
        geometry = geometry.mixed(step.mix(geometry, left).weights)
    lower, upper = _range(geometry, _trim(last, geometry.count, left), left)
    bound = _length_up(np.maximum(upper - aggregate, aggregate - lower))
    return RoundShift(chosen.spec, geometry.count, left, bound, lower, upper)


def _bounded_rule(rule: Rule) -> CoordinateMedian | TrimmedMean:
    last = rule.rule if isinstance(rule, Chain) else rule
    steps = rule.before if isinstance(rule, Chain) else ()
    # The median norm, which a step without a radius clips to, moves with each update.
    clipped = all(isinstance(step, StaticClipping) and step.radius is not None for step in steps)
    if clipped and isinstance(last, CoordinateMedian | TrimmedMean):
        return last
    expected = (
        "median or trimmed-mean, alone or behind StaticClipping(radius=...), for one client can reach all of what "
        "others return"
    )
    raise InvalidArgument("rule", expected, rule.spec)


def _trim(rule: CoordinateMedian | TrimmedMean, count: int, malicious: int) -> int:
    if isinstance(rule, CoordinateMedian):
        return (count - 1) // 2
    return malicious if rule.trim is None else rule.trim


def _range(geometry: Geometry, trim: int, malicious: int) -> tuple[Array, Array]:
    """Return the least and the largest value of each coordinate, rounded outwards."""
    rows, count = geometry.rows, geometry.count
    lower, upper = trimmed_mean_range(rows, trim, malicious)
    first, last = order_statistics(rows, (trim - malicious, count - 1 - trim + malicious))
    # A mean of k numbers errs by less than k + 1 roundings of the largest of them.
    largest = np.maximum(np.abs(first), np.abs(last))
    # The least positive number is one rounding of numbers too small for a relative one.
    slack = np.where(largest > 0, np.maximum((count - 2 * trim + 1) * _EPS * largest, _LEAST), 0.0)
    return lower - slack, upper + slack


def _length_up(widths: Array) -> float:
    """Return a number that is not below the Euclidean length, whatever the rounding of its sum."""
    largest = float(widths.max())
    if not largest:
        return 0.0
    # Squares of numbers below 1e-160 vanish, those of quotients by the largest do not matter where they do.
    length = largest * (float(np.linalg.norm(widths / largest)) * (1.0 + (len(widths) + 8) * _EPS))
    return math.nextafter(length, math.inf)
