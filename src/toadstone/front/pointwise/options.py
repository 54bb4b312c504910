"""Options of certificates of single predictions, and the plan that they make for a method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast, get_args

from toadstone.core.errors import InvalidArgument
from toadstone.datasets.readers.request import Request
from toadstone.front.inputs import Data, Given
from toadstone.kernels.neighbours.counts import CHANGES
from toadstone.kernels.votes.elections import Election
from toadstone.pipeline.certification.label_flips import FlipPlan
from toadstone.pipeline.certification.neighbours import NeighbourPlan, trusted_scale
from toadstone.pipeline.certification.periods import PeriodPlan
from toadstone.pipeline.certification.votes import VotePlan, Voters
from toadstone.pipeline.harness.own_model import load_model

Plan = FlipPlan | NeighbourPlan | VotePlan | PeriodPlan

METHODS = ("saddle", "label-flips", "votes", "neighbours", "temporal")
_OWN = {
    "label-flips": ("ridge", "group", "partitions", "target_range"),
    "votes": ("partitions", "spread", "repeats", "estimator", "group", "election"),
    "neighbours": ("k", "change", "trusted"),
    "temporal": ("time", "period", "span", "repeats", "estimator"),
}
_N = TypeVar("_N", int, float)


@dataclass(frozen=True)
class PointwiseOptions:
    """Options as the caller gave them; empty where none was given."""

    ridge: tuple[float, ...] = ()
    group: str | None = None
    k: tuple[int, ...] = ()
    change: str | None = None
    partitions: tuple[int, ...] = ()
    spread: int | None = None
    repeats: int | None = None
    estimator: Any = None
    time: str | None = None
    period: float | None = None
    span: int | None = None
    trusted: Data | None = None
    election: str | None = None
    target_range: tuple[float, float] | None = None

    def refuse_but(self, method: str, *own: str) -> None:
        """Refuse options that a method does not have.

        Raises
        ------
        InvalidArgument
            If one is given; it names the methods that have it.
        """
        for name, value in vars(self).items():
            if name not in own and value is not None and not (isinstance(value, tuple) and not value):
                others = " or ".join(other for other, names in _OWN.items() if name in names)
                raise InvalidArgument(name, f"nothing for the method {method}; it is for {others}", value)


def plan_of(method: str, options: PointwiseOptions, *, norm_squared: float | None) -> Plan:
    """Make the plan of a method.

    Raises
    ------
    InvalidArgument
        If the method is unknown, or an option is not for it.
    """
    if method not in _OWN:
        raise InvalidArgument("method", f"one of {', '.join(METHODS)}", method)
    options.refuse_but(method, *_OWN[method])
    if norm_squared is not None:
        raise InvalidArgument("norm_squared", f"nothing for the method {method}; it is for saddle", norm_squared)
    if method == "label-flips":
        return FlipPlan(options.ridge, options.group, options.partitions)
    if method == "neighbours":
        change = next((one for one in CHANGES if one == (options.change or "modify")), None)
        if change is None:
            raise InvalidArgument("change", f"one of {', '.join(CHANGES)}", options.change)
        return NeighbourPlan(options.k, change)
    voters = Voters(
        estimator=None if options.estimator is None else load_model(options.estimator, option="estimator"),
        repeats=1 if options.repeats is None else options.repeats,
        election=_election_of(options.election),
    )
    if method == "temporal":
        if options.time is None or options.period is None:
            missing = "time" if options.time is None else "period"
            expected = "a column of dates or numbers" if missing == "time" else "days, or units of a column of numbers"
            raise InvalidArgument(missing, f"{expected} for the method temporal", "none")
        return PeriodPlan(options.time, options.period, span=1 if options.span is None else options.span, voters=voters)
    spread = 1 if options.spread is None else options.spread
    return VotePlan(options.partitions, spread=spread, group=options.group, voters=voters)


def _election_of(name: str | None) -> Election:
    found = next((one for one in get_args(Election) if one == (name or "majority")), None)
    if found is None:
        raise InvalidArgument("election", f"one of {', '.join(get_args(Election))}", name)
    return cast(Election, found)


def request_for(method: str, request: Request, *, group: str | None, time: str | None) -> Request:
    """Return how the data of a method are read.

    Where rows may be added, each is encoded by itself, for whatever is fitted
    to all of them reaches all that is certified. Changed labels reach no row.
    """
    return replace(request, group=group, time=time, row_by_row=method != "label-flips")


def with_trusted_scale(plan: Plan, given: Given, trusted: Data | None) -> Plan:
    """Add to a plan of neighbours the scale of trusted rows; return other plans as they are.

    Raises
    ------
    InvalidArgument
        If a scale is asked for and no row is trusted, or there is nothing to scale.
    """
    if not isinstance(plan, NeighbourPlan):
        return plan
    rows = given.trusted(trusted)
    if rows is not None:
        return replace(plan, scale=trusted_scale(given.split, rows))
    if given.request.scale == "standard":
        expected = "trusted rows beside it: a scale of the training rows would depend on those that an attacker changes"
        raise InvalidArgument("scale", expected, "standard alone")
    return plan


def numbers_of(given: _N | Sequence[_N] | None) -> tuple[_N, ...]:
    """Return one number or several as a tuple, an empty one for none.

    Examples
    --------
    >>> numbers_of(3), numbers_of([0.1, 0.3]), numbers_of(None)
    ((3,), (0.1, 0.3), ())
    """
    if given is None:
        return ()
    return (given,) if isinstance(given, int | float) else tuple(given)
