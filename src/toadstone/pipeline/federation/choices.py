"""Attacks and rules of a simulation, by the names that a caller gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from toadstone.catalogue import entry, names, resolve, unknown
from toadstone.core.errors import InvalidArgument
from toadstone.federated.aggregation.names import parse_rule
from toadstone.federated.attacks.trigger import BackdoorTrigger
from toadstone.records.audit import NO_ATTACK
from toadstone.records.federated import MEAN, ClientAttackInfo, ClientGoal, RuleInfo

DEFAULT_ATTACKS = (
    "sign-flip",
    "label-flip",
    "alie",
    "ipm",
    "mimic",
    "min-max",
    "model-replacement",
    "garbage",
)
DEFAULT_RULES = (
    "median",
    "trimmed-mean",
    "krum",
    "geometric-median",
    "nnm+trimmed-mean",
    "nnm+geometric-median",
)
ROOTED = "fltrust"
"""The rule that needs rows of the server's own."""

_ANY_TRIGGER = BackdoorTrigger(features=(0,), values=(1.0,))

ALL = "all"
"""Stands for every attack, or every rule by itself and those of the default choice."""


@dataclass(frozen=True, eq=False)
class ChosenAttack:
    """An attack, and its class.

    Parameters
    ----------
    info : ClientAttackInfo
    kind : type
    """

    info: ClientAttackInfo
    kind: Callable[..., Any]


@dataclass(frozen=True, eq=False)
class ChosenRule:
    """A rule, and the object that aggregates.

    Parameters
    ----------
    info : RuleInfo
    rule : object
    """

    info: RuleInfo
    rule: Any


def choose_attacks(asked: Sequence[str] | None) -> tuple[ChosenAttack, ...]:
    """Find attacks of malicious clients by name; a default choice for None.

    Parameters
    ----------
    asked : sequence of str, optional
        Names, or "all"; "none" is left out, for it is always run.

    Raises
    ------
    UnknownName
        If there is no such attack.
    InvalidArgument
        If no attack is left.
    """
    known = names("client-attack")
    chosen: list[str] = []
    for name in DEFAULT_ATTACKS if asked is None else asked:
        if name not in (*known, NO_ATTACK, ALL):
            raise unknown("attacks", [ALL, *known], name)
        chosen += known if name == ALL else [name]
    found = [name for name in dict.fromkeys(chosen) if name != NO_ATTACK]
    if not found:
        raise InvalidArgument("attacks", "at least one attack besides none", NO_ATTACK)
    return tuple(_attack(name) for name in found)


def choose_rules(asked: Sequence[str] | None) -> tuple[ChosenRule, ...]:
    """Read rules by their names, the mean before all; a default choice for None.

    Parameters
    ----------
    asked : sequence of str, optional
        Such as "nnm+trimmed-mean", or "all" for every rule by itself and those of the default choice.

    Raises
    ------
    UnknownName
        If there is no such rule or pre-aggregation.
    """
    chosen: list[str] = [MEAN]
    for name in DEFAULT_RULES if asked is None else asked:
        chosen += (*names("aggregation-rule"), *DEFAULT_RULES) if name == ALL else [name]
    return tuple(_rule(name) for name in dict.fromkeys(chosen))


def _attack(name: str) -> ChosenAttack:
    found, kind = entry("client-attack", name), resolve("client-attack", name)
    goal: ClientGoal = "trigger" if found.goal == "trigger" else "errors"
    made = kind(trigger=_ANY_TRIGGER) if goal == "trigger" else kind()
    return ChosenAttack(ClientAttackInfo(name, _phrase(found.sentence), goal, made.knowledge), kind)


def _rule(name: str) -> ChosenRule:
    *before, last = (part.strip() for part in name.split("+"))
    parts = [*(("pre-aggregation", part) for part in before), ("aggregation-rule", last)]
    for kind, part in parts:
        if part not in names(kind):
            raise unknown("rules", names(kind), part)
    rule = parse_rule(name)
    said = ", then ".join(_phrase(entry(kind, part).sentence) for kind, part in parts)
    return ChosenRule(RuleInfo(rule.spec, said, rule.condition, needs_root=last == ROOTED), rule)


def _phrase(sentence: str) -> str:
    """Write a sentence of the catalogue so that others may follow it."""
    return f"{sentence[:1].lower()}{sentence[1:]}".rstrip(".")
