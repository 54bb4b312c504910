"""Secure aggregation within groups, robust aggregation over their means: which group sizes allow both."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import IntArray
from toadstone.core.checks import check_count, check_seed
from toadstone.core.errors import InvalidArgument
from toadstone.federated.aggregation.names import parse_rule
from toadstone.federated.aggregation.rule import Rule


@dataclass(frozen=True)
class GroupPlan:
    """The largest group whose secure sums a robust rule can still aggregate.

    Parameters
    ----------
    clients, malicious : int
    rule : str
    size : int
        Clients of each group, at least; a client's update is hidden among
        so many.
    groups : int
        Group means that the rule sees. At most `malicious` of them are
        spoiled.
    condition : str
        What the rule needs of groups and spoiled ones.
    """

    clients: int
    malicious: int
    rule: str
    size: int
    groups: int
    condition: str

    def __str__(self) -> str:
        return (
            f"{self.rule}: {self.groups} groups of {self.size} clients or more, of which {self.malicious} malicious "
            f"clients spoil at most {self.malicious} ({self.condition})"
        )

    def draw(self, clients: Sequence[object], *, round: int, seed: int = 0) -> list[IntArray]:
        """Draw the groups of a round, anew in each, so that no client stays with a malicious one.

        Parameters
        ----------
        clients : sequence
            Those that take part, no fewer than planned for.
        round : int
        seed : int

        Returns
        -------
        list of ndarray of int
            Positions of the clients of each group; those left over join the
            first groups.

        Examples
        --------
        >>> [len(group) for group in plan_groups(20, 1).draw(range(20), round=1)]
        [7, 7, 6]
        """
        check_count(0, round=round)
        check_seed(seed)
        if len(clients) < self.clients:
            raise InvalidArgument("clients", f"the {self.clients} of the plan", len(clients))
        order = np.random.default_rng([seed, round]).permutation(len(clients))
        return [np.sort(order[start :: self.groups]) for start in range(self.groups)]


def plan_groups(clients: int, malicious: int, *, rule: str | Rule = "median", privacy_floor: int = 1) -> GroupPlan:
    """Find the largest groups within which clients can aggregate secretly while a rule withstands malicious ones.

    Secure aggregation shows the server the sum of a group and nothing of its
    clients; no rule can act within a group. So the rule acts on the means of
    the groups. Each malicious client spoils one group at most, and the rule
    must withstand as many spoiled means as there are malicious clients.

    Parameters
    ----------
    clients : int
        That take part in a round.
    malicious : int
    rule : str or Rule
        As for `aggregate`.
    privacy_floor : int
        Fewest clients among whom an update has to be hidden.

    Returns
    -------
    GroupPlan

    Raises
    ------
    InvalidArgument
        If no group size allows both. It says what the floor allows, or how
        many malicious clients groups of any size withstand.

    Examples
    --------
    >>> print(plan_groups(100, 5))
    median: 11 groups of 9 clients or more, of which 5 malicious clients spoil at most 5 (n >= 2f + 1)
    >>> print(plan_groups(100, 5, rule="bulyan").size)
    4
    >>> plan_groups(100, 5, privacy_floor=20)
    Traceback (most recent call last):
    toadstone.core.errors.InvalidArgument: `privacy_floor`: expected at most 9 for median with 5 malicious of ...
    """
    check_count(clients=clients, privacy_floor=privacy_floor)
    check_count(0, malicious=malicious)
    chosen = parse_rule(rule)
    size = _largest(chosen, clients, malicious)
    if not size:
        raise InvalidArgument(*_too_many(clients, malicious, chosen))
    if size < privacy_floor:
        raise InvalidArgument("privacy_floor", *_refusal(clients, malicious, chosen, size, privacy_floor))
    # The n of the condition is the number of groups, or of what buckets leave of them.
    condition = f"{chosen.condition} after bucketing" if "bucketing" in chosen.spec.split("+") else chosen.condition
    return GroupPlan(clients, malicious, chosen.spec, size, clients // size, condition)


def _largest(rule: Rule, clients: int, malicious: int) -> int:
    """Return the largest size of groups whose number is enough for the rule; 0 without one."""
    return next((size for size in range(clients, 0, -1) if rule.withstands(clients // size, malicious)), 0)


def _most(rule: Rule, numbers: set[int], fewer: int) -> int | None:
    """Return how many malicious clients, fewer than so many, the rule withstands with some number of groups."""
    first = bisect_left(range(fewer), 1, key=lambda count: int(not any(rule.withstands(n, count) for n in numbers)))
    return first - 1 if first else None


def _too_many(clients: int, malicious: int, rule: Rule) -> tuple[str, str, object]:
    allowed = _most(rule, {clients // size for size in range(1, clients + 1)}, malicious)
    if allowed is None:
        return "clients", f"enough for {rule.spec} without a malicious one ({rule.condition})", clients
    if not allowed:
        return "malicious", f"0 for {rule.spec} with {clients} clients, which withstands none", malicious
    return "malicious", f"at most {allowed} for {rule.spec} with {clients} clients", malicious


def _refusal(clients: int, malicious: int, rule: Rule, size: int, floor: int) -> tuple[str, str]:
    groups = clients // floor
    allowed = _most(rule, {groups}, malicious) if groups else None
    instead = "no group at all" if not groups else "none" if not allowed else f"{allowed} malicious ones"
    return f"at most {size} for {rule.spec} with {malicious} malicious of {clients} clients", (
        f"{floor}, which allows {instead}"
    )
