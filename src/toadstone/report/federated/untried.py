"""Sentences for a simulation in which no rule but the mean could be tried, with what could be tried instead."""

from __future__ import annotations

import re

from toadstone.records.federated import FederatedRecord
from toadstone.report.federated.losses import attack_words, over_seeds, points
from toadstone.report.text.formats import counted, listed

_CONDITION = re.compile(r"n >= (\d*)f \+ (\d+)")


def was_tried(record: FederatedRecord, malicious: int) -> bool:
    """Return True if some rule but the mean was run under every attack in every seed."""
    return any(record.worst_cell(info.name, malicious) is not None for info in record.rules[1:])


def untried_sentence(record: FederatedRecord, malicious: int, attacks: str) -> str:
    """Say that no rule but the mean was run, and what the mean lost; a sentence without its beginning."""
    worst = record.worst_cell(record.mean, malicious)
    lost = ""
    if worst is not None and worst.lost is not None:
        much = "nothing" if worst.lost.mean <= 0 else f"{points(worst.lost.mean)} points {attack_words(record, worst)}"
        lost = f"; the mean lost {much}, {over_seeds(record)}"
    return f"no rule but the mean was run under {attacks} in every seed{lost}."


def untried_advice(record: FederatedRecord) -> str:
    """Say why no rule is recommended, and with which rules or how many malicious clients one could be tried."""
    if len(record.rules) == 1:
        return "No rule but the mean was asked for, so none is recommended. Without --rules, a choice of six is tried."
    said = [f"{info.name} ({info.condition})" for info in record.rules[1:]]
    allowed = {info.name: most_malicious(info.condition, record.clients) for info in record.rules[1:]}
    most = max(allowed.values())
    begun = f"No rule but the mean could be tried, so none is recommended. The rules need: {listed(said)}."
    if most >= min(record.malicious):
        return f"{begun} What was not run is told below."
    if most < 1:
        return (
            f"{begun} With {counted(record.clients, 'client')}, none of them does; try median, which needs n >= 2f + 1."
        )
    names = [name for name, number in allowed.items() if number == most]
    return (
        f"{begun} With {counted(record.clients, 'client')}, {listed(names)} can be tried with --malicious {most}; or "
        "try median, which needs n >= 2f + 1."
    )


def most_malicious(condition: str, clients: int) -> int:
    """Return the largest number of malicious clients for which a condition of the form n >= a f + b holds.

    Examples
    --------
    >>> most_malicious("n >= 4f + 3", 20), most_malicious("n >= 2f + 1 and n >= 2f + 3", 20)
    (4, 8)
    """
    found = _CONDITION.findall(condition)
    return min((max(0, (clients - int(offset)) // int(many or 1)) for many, offset in found), default=0)
