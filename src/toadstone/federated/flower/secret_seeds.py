"""Seeds that clients cannot compute, for rules that draw."""

from __future__ import annotations

import secrets
from dataclasses import fields, is_dataclass, replace
from typing import Any

from toadstone.federated.aggregation.rule import Chain, Rule


def with_secret_seeds(rule: Rule) -> Rule:
    """Return a rule each of whose seeds is drawn from the system's source of randomness.

    Whoever knows the seed knows which coordinates DnC looks at, which clients
    share a bucket, and FLAME's noise.

    Parameters
    ----------
    rule : Rule

    Returns
    -------
    Rule
        As given if nothing in it is drawn.
    """
    if isinstance(rule, Chain):
        return Chain(tuple(_reseeded(step) for step in rule.before), with_secret_seeds(rule.rule))
    return _reseeded(rule)  # type: ignore[no-any-return]


def _reseeded(part: Any) -> Any:
    if not is_dataclass(part) or all(field.name != "seed" for field in fields(part)):
        return part
    # Rules count their seed up from round to round; half of the range leaves room for that.
    return replace(part, seed=secrets.randbits(31))  # type: ignore[type-var]
