"""Rules by name, and the table of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from toadstone.catalogue.lookup import entry, names, resolve, unknown
from toadstone.core.errors import InvalidArgument
from toadstone.federated.aggregation.conditions import CONDITIONS
from toadstone.federated.aggregation.rule import Chain, PreAggregation, Rule


def parse_rule(rule: str | Rule) -> Rule:
    """Return the rule of a name, or the object that was given.

    Parameters
    ----------
    rule : str or Rule
        Names of pre-aggregations and of one rule behind them, joined by ``+``.

    Raises
    ------
    UnknownName
        If there is no such rule, or pre-aggregation.
    InvalidArgument
        If the rule is missing, or does not stand last.

    Examples
    --------
    >>> parse_rule("arc+nnm+krum").spec
    'arc+nnm+krum'
    >>> parse_rule("crum")
    Traceback (most recent call last):
    toadstone.core.errors.UnknownName: `rule`: expected one of mean, ..., got crum; did you mean krum?
    >>> parse_rule("nnm")
    Traceback (most recent call last):
    toadstone.core.errors.InvalidArgument: `rule`: expected a rule behind nnm, as in nnm+trimmed-mean, got nnm alone
    """
    if isinstance(rule, Rule):
        return rule
    if not isinstance(rule, str):
        raise InvalidArgument("rule", "a name such as nnm+trimmed-mean, or a Rule", type(rule).__name__)
    parts = [part.strip() for part in rule.split("+")]
    _check_order(rule, parts)
    *before, last = parts
    found: Rule = _built("aggregation-rule", last)
    steps: list[PreAggregation] = [_built("pre-aggregation", step) for step in before]
    return Chain(tuple(steps), found) if steps else found


def _check_order(rule: str, parts: list[str]) -> None:
    """Refuse texts whose parts are known, but not in their place, and texts without a part."""
    steps, known = names("pre-aggregation"), names("aggregation-rule")
    *before, last = parts
    if not any(parts):
        raise InvalidArgument("rule", "a name such as nnm+trimmed-mean", "none")
    if "" in before:
        raise InvalidArgument("rule", "names joined by single signs +, as in nnm+trimmed-mean", rule)
    if not last or last in steps:
        if early := [part for part in before if part in known]:
            rest = [part for part in parts if part and part not in known]
            expected = "+".join([*rest, early[0]])
            raise InvalidArgument("rule", f"the rule to stand last, as in {expected}", rule)
        step = last or before[-1]
        if step not in steps:
            raise unknown("rule", known, step)
        raise InvalidArgument(
            "rule", f"a rule behind {step}, as in {step}+trimmed-mean", rule if len(parts) > 1 else f"{rule} alone"
        )
    if any(part in known for part in before):
        raise InvalidArgument("rule", "one rule, behind pre-aggregations if need be, as in nnm+trimmed-mean", rule)


def _built(kind: str, name: str) -> Any:
    known = names(kind)
    if name not in known:
        raise unknown("rule", known, name)
    return resolve(kind, name)()


@dataclass(frozen=True)
class RuleEntry:
    """One line of the table of rules.

    Parameters
    ----------
    name, kind, condition, sentence, paper : str
    """

    name: str
    kind: str
    condition: str
    sentence: str
    paper: str


@dataclass(frozen=True, repr=False)
class RuleTable:
    """The rules and pre-aggregations, readable when printed.

    Parameters
    ----------
    entries : tuple of RuleEntry
    """

    entries: tuple[RuleEntry, ...]

    def __iter__(self) -> Iterator[RuleEntry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __repr__(self) -> str:
        columns = [(one.name, one.condition, one.sentence, one.paper) for one in self]
        widths = [max(len(row[k]) for row in columns) for k in range(2)]
        lines = []
        for kind in dict.fromkeys(one.kind for one in self):
            lines.append(f"{kind}s:")
            for one in (one for one in self if one.kind == kind):
                lines.append(f"  {one.name:{widths[0]}}  {one.condition:{widths[1]}}  {one.sentence} [{one.paper}]")
        return "\n".join(lines)


def rules() -> RuleTable:
    """Return all rules and pre-aggregations with their conditions and papers.

    Returns
    -------
    RuleTable
        n is the number of clients, f that of the malicious ones.

    Examples
    --------
    >>> table = rules()
    >>> next(one.condition for one in table if one.name == "krum")
    'n >= 2f + 3'
    >>> print(table)
    aggregation-rules:
      mean              n >= 1 and f = 0 ...
    """
    listed = []
    for kind in ("aggregation-rule", "pre-aggregation"):
        for name in names(kind):
            paper = resolve(kind, name).paper
            listed.append(RuleEntry(name, kind, CONDITIONS[name].text, entry(kind, name).sentence, paper))
    return RuleTable(tuple(listed))
