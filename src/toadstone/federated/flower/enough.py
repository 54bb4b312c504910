"""Check of the number of clients that a rule needs, before any of them trains."""

from __future__ import annotations

from toadstone.federated.aggregation.conditions import check_condition
from toadstone.federated.aggregation.rule import Chain, PreAggregation, Rule


def check_enough(rule: Rule, *, clients: int, malicious: int, behind: str = "") -> None:
    """Check the condition of each part of a rule.

    Parameters
    ----------
    rule : Rule
    clients : int
        Updates that it sees: of clients, or means of groups.
    malicious : int
    behind : str
        End of the sentence.

    Raises
    ------
    InvalidInput

    Examples
    --------
    >>> from toadstone.federated import parse_rule
    >>> check_enough(parse_rule("bucketing+median"), clients=8, malicious=2)
    Traceback (most recent call last):
    toadstone.core.errors.InvalidInput: Coordinate median needs n >= 2f + 1: got n = 4, f = 2 after bucketing of 8
    """
    rows, made = clients, ""
    for part in _parts(rule):
        check_condition(part.name, clients=rows, malicious=malicious, behind=made + behind)
        left = part.outputs(rows) if isinstance(part, PreAggregation) else rows
        if left < rows:
            made, rows = f" after {part.name} of {clients}", left


def _parts(rule: Rule) -> list[PreAggregation | Rule]:
    return [*rule.before, *_parts(rule.rule)] if isinstance(rule, Chain) else [rule]
