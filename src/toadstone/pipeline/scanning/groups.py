"""Groups of rows that the verdict found, as findings in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from toadstone.core.arrays import IntArray
from toadstone.pipeline.scanning.source_values import SourceValues
from toadstone.records.scan import Finding, FindingKind

LONGEST_LIST = 200


def group_findings(groups: Sequence[Any], source: SourceValues) -> tuple[Finding, ...]:
    """Describe groups of rows by the names and values of their source.

    Parameters
    ----------
    groups : sequence of RowGroup
    source : SourceValues
    """
    return tuple(_described(group, source) for group in groups)


def _described(group: Any, source: SourceValues) -> Finding:
    words = [column for column in group.columns if source.is_word[column]]
    values = source.shared(group.rows, [column for column in group.columns if not source.is_word[column]])
    literal = " ".join(source.feature(column) for column in words) or None
    looks_like = None if group.looks_like is None else str(group.looks_like)
    if group.kind in ("source", "period"):
        values = {group.kind: (group.kind == "period" and source.period(group.rows)) or group.source}
    return replace(
        finding(group.kind, source, group.rows, _sentence(group, values, literal)),
        label=str(group.label),
        looks_like=looks_like,
        values=values,
        literal=literal,
        p_value=min(float(group.p_value), 1.0),
    )


def finding(kind: FindingKind, source: SourceValues, rows: IntArray, sentence: str) -> Finding:
    """Make a finding about rows, the first 200 of them by name; its other fields are empty.

    Parameters
    ----------
    kind : str
    source : SourceValues
    rows : ndarray of int
    sentence : str
    """
    shown = np.asarray(rows)[:LONGEST_LIST]
    return Finding(
        kind=kind,
        label=None,
        looks_like=None,
        values={},
        literal=None,
        rows=tuple(source.name(int(row)) for row in shown),
        positions=tuple(int(source.ids[row]) for row in shown),
        count=len(rows),
        p_value=None,
        sentence=sentence,
    )


def _sentence(group: Any, values: Mapping[str, str], literal: str | None) -> str:
    n, looks_like = len(group.rows), group.looks_like
    rows = f"{n:,} row{'' if n == 1 else 's'} labelled {group.label}"
    like = "" if looks_like is None else f"look{'s' if n == 1 else ''} like {looks_like}"
    if group.kind == "contradictory duplicates":
        equal = "equals another row" if n == 1 else "equal other rows"
        return f"{rows} {equal} in every column but the label" + (f", which is {looks_like}." if looks_like else ".")
    shared = [f"{column} = {value}" for column, value in values.items()]
    shared += [f"the words {literal!r}" if " " in literal else f"the word {literal!r}"] if literal else []
    what = {
        "near-copies": "are near-copies of one another",
        "source": f"come from {values.get('source')}",
        "period": f"are of {values.get('period')}",
    }.get(group.kind, f"share {_listed(shared)}" if shared else "share rare values")
    chance = "" if group.p_value <= 0 else f" (adjusted p {_p(group.p_value)})"
    return f"{rows} {what}" + (f" and {like}" if like else "") + f"{chance}."


def _p(value: float) -> str:
    return "< 1e-6" if value < 1e-6 else f"= {value:.2g}"


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
