"""Schemes that deal rows to voters by a column: whole groups, or periods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import ClassVar, Literal

import numpy as np

from toadstone.core.arrays import IntArray
from toadstone.core.checks import LARGEST_SEED, check_count
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.pointwise import Certified
from toadstone.kernels.votes.collective import most_changed
from toadstone.kernels.votes.dealing import Deal, buckets, check_key, check_voters, digest, group_value
from toadstone.kernels.votes.schemes import Settings
from toadstone.kernels.votes.units import certify_votes
from toadstone.kernels.votes.windows import certify_duration, certify_earliness, most_changed_by_periods

Threat = Literal["duration", "earliness"]
_FARTHEST = 2.0**53
THREATS: tuple[Threat, ...] = ("duration", "earliness")


@dataclass(frozen=True)
class GroupParts:
    """Whole groups of rows, such as sources, annotators or weeks, which are never split.

    Parameters
    ----------
    n_parts : int
        Parts to which groups are dealt by a hash of their values; 0 for a
        voter for each group.
    group : str
        The group in words, in the plural, for certificates.
    key : str
        Of the hash.

    Examples
    --------
    >>> [rows.tolist() for rows in GroupParts().deal([b""] * 4, ["north", "south", "north", "west"]).rows]
    [[0, 2], [1], [3]]
    """

    n_parts: int = 0
    group: str = "groups"
    key: str = ""

    name: ClassVar[str] = "groups"
    method: ClassVar[str] = "votes"
    assumption: ClassVar[str] = (
        "The group of a row is not the attacker's choice: it cannot change rows of groups that it does not control."
    )

    def __post_init__(self) -> None:
        check_count(0, n_parts=self.n_parts)
        check_voters(self.n_voters)
        check_key(self.key)

    @property
    def n_voters(self) -> int:
        """Number of voters; 0 for one a group."""
        return self.n_parts

    @property
    def exact(self) -> bool:
        """Tell that counts are the largest that hold: two groups may be in one part."""
        return self.n_parts == 0

    @property
    def unit(self) -> str:
        """The units of its counts, in words."""
        return self.group

    @property
    def adversary(self) -> str:
        """Powers of the attacker, in one sentence."""
        return f"Adds, removes and changes any number of training rows of the {self.group} that it controls."

    def settings(self) -> Settings:
        """Return the numbers and names from which the scheme can be rebuilt."""
        return {"scheme": self.name, "n_parts": self.n_parts, "group": self.group, "key": self.key}

    def n_units(self, n_rows: int, groups: Sequence[object] | None) -> int:
        """Count the groups."""
        return len(set(_values(groups, n_rows, self.name)))

    def deal(self, contents: Sequence[bytes], groups: Sequence[object] | None) -> Deal:
        """Deal the rows of each group to one voter."""
        values = _values(groups, len(contents), self.name)
        if self.n_parts:
            parts = buckets(values, self.n_parts, self.key)
            return Deal([np.flatnonzero(parts == part) for part in range(self.n_parts)], list(range(self.n_parts)))
        known, codes = np.unique(np.array(values, dtype=object), return_inverse=True)
        # Of its own name, not of its position, which another group would shift.
        seeds = [int.from_bytes(digest(value, self.key)[:4], "big") for value in known]
        return Deal([np.flatnonzero(codes == position) for position in range(len(known))], seeds)

    def certify(self, votes: object, n_classes: int) -> Certified:
        """Count groups: exactly where each has a voter, else never too many."""
        return certify_votes(votes, n_classes=n_classes)

    def most_changed(self, votes: object, n_classes: int, units: int) -> int:
        """Bound the elected classes that so many groups change together."""
        return most_changed(votes, n_classes=n_classes, units=units)


@dataclass(frozen=True)
class Periods:
    """A model for each period, trained on the rows that arrived in it and shortly before [1]_.

    Parameters
    ----------
    span : int
        Successive periods that a model is trained on.
    threat : {"duration", "earliness"}
        Poison in so many successive periods, whenever they were, or in the
        last so many.
    period : str
        The period in words, in the plural, for certificates.

    References
    ----------
    .. [1] Wang and Feizi, "Temporal robustness against data poisoning",
       NeurIPS 2023.

    Examples
    --------
    >>> weeks = Periods(span=2, period="weeks")
    >>> [rows.tolist() for rows in weeks.deal([b""] * 5, [7, 7, 8, 10, 9]).rows]
    [[0, 1, 2], [2, 4], [3, 4]]
    """

    span: int = 1
    threat: Threat = "duration"
    period: str = "periods"

    name: ClassVar[str] = "periods"
    method: ClassVar[str] = "temporal"
    exact: ClassVar[bool] = True
    n_voters: ClassVar[int] = 0
    assumption: ClassVar[str] = (
        "The period of a row is when it arrived, by a clock and a log that the attacker cannot change; it adds rows to "
        "none before the first or after the last."
    )

    def __post_init__(self) -> None:
        check_count(span=self.span)
        if self.threat not in THREATS:
            raise InvalidArgument("threat", f"one of {', '.join(THREATS)}", self.threat)

    @property
    def unit(self) -> str:
        """The units of its counts, in words."""
        return f"{'successive' if self.threat == 'duration' else 'most recent'} {self.period}"

    @property
    def adversary(self) -> str:
        """Powers of the attacker, in one sentence."""
        return f"Adds, removes and changes any number of training rows that arrived in so many {self.unit}."

    def settings(self) -> Settings:
        """Return the numbers and names from which the scheme can be rebuilt."""
        return {"scheme": self.name, "span": self.span, "threat": self.threat, "period": self.period}

    def n_units(self, n_rows: int, groups: Sequence[object] | None) -> int:
        """Count the periods that the voters have seen."""
        return len(self._last_periods(_periods(groups, n_rows))) + self.span - 1

    def deal(self, contents: Sequence[bytes], groups: Sequence[object] | None) -> Deal:
        """Deal the rows of each period to the models that are trained on it, the oldest model first."""
        periods = _periods(groups, len(contents))
        last = self._last_periods(periods)
        rows = [np.flatnonzero((periods > end - self.span) & (periods <= end)) for end in last]
        return Deal(rows, [end % (LARGEST_SEED + 1) for end in last])

    def certify(self, votes: object, n_classes: int) -> Certified:
        """Count periods, exactly."""
        if self.threat == "earliness":
            return certify_earliness(votes, n_classes=n_classes)
        return certify_duration(votes, n_classes=n_classes, span=self.span)

    def most_changed(self, votes: object, n_classes: int, units: int) -> int:
        """Count the elected classes that poison in so many periods changes together, exactly."""
        if self.threat == "earliness":
            # The last periods are the same for every query.
            return int((self.certify(votes, n_classes).count < units).sum())
        return most_changed_by_periods(votes, n_classes=n_classes, periods=units, span=self.span)

    def _last_periods(self, periods: IntArray) -> list[int]:
        """Return the last period of each model. A period without rows counts: the attacker may fill it."""
        first, last = int(periods.min()) + self.span - 1, int(periods.max())
        if last < first:
            raise InvalidArgument("span", f"at most the {last - first + self.span} periods of the rows", self.span)
        check_voters(last - first + 1)
        return list(range(first, last + 1))


def _values(groups: Sequence[object] | None, n_rows: int, name: str) -> list[bytes]:
    return [group_value(group) for group in _one_each(groups, n_rows, f"the scheme of {name}")]


def _periods(groups: Sequence[object] | None, n_rows: int) -> IntArray:
    found = _one_each(groups, n_rows, "the scheme of periods")
    for value in found:
        whole = isinstance(value, Integral) or (isinstance(value, Real) and float(value).is_integer())
        if isinstance(value, bool) or not whole or not -_FARTHEST < float(value) < _FARTHEST:  # type: ignore[arg-type]
            raise InvalidData(f"groups: expected periods as whole numbers that count up with time, got {value!r}")
    return np.array([int(value) for value in found], dtype=np.int64)  # type: ignore[call-overload]


def _one_each(groups: Sequence[object] | None, n_rows: int, reader: str) -> Sequence[object]:
    if groups is None:
        raise InvalidArgument("groups", f"one for each row, for {reader}", "none")
    if len(groups) != n_rows:
        raise InvalidData(f"groups: expected one for each of {n_rows} rows, got {len(groups)}")
    return groups
