"""Units of certificates in plain words: a hospital, a period, a label; and what each can change alone."""

from __future__ import annotations

import re
from collections.abc import Mapping

from toadstone.records.guarantees.pointwise import PointwiseSummary, UnitAlone
from toadstone.report.text.formats import counted, format_count, format_fraction

_VALUES = "values of "
_PERIODS = re.compile(r"(?:successive|most recent) (?P<periods>periods .+)")
_WORD = re.compile(r"[^\W\d_]+")
_IN_SENTENCE = re.compile(rf"(?:the )?{_VALUES}(?P<column>[^\W\d_]+)(?= )")
_SHOWN = 5
_DEFAULT = re.compile(r"(?:Pipeline\(.*OwnPreparation\(.*)?LinearClassifier\(tolerance=1e-06\)(?:\)\]\))?")


def one_unit(unit: str) -> str:
    """Name one unit, without an article: "hospital", "value of ward no", "period of 7 days by day", "label flip".

    Examples
    --------
    >>> one_unit("values of hospital"), one_unit("values of ward no"), one_unit("most recent periods of 7 days by day")
    ('hospital', 'value of ward no', 'period of 7 days by day')
    """
    if unit.startswith(_VALUES):
        column = unit.removeprefix(_VALUES)
        return column if _WORD.fullmatch(column) else f"value of {column}"
    found = _PERIODS.fullmatch(unit)
    return found["periods"].replace("periods", "period", 1) if found else unit


def many_units(unit: str) -> str:
    """Name units in the plural; those of a column as units, for its name has no plural that is known.

    Examples
    --------
    >>> many_units("values of hospital"), many_units("label flips")
    ('units (one hospital each)', 'label flips')
    """
    return f"units (one {one_unit(unit)} each)" if unit.startswith(_VALUES) else unit


def _each_one(unit: str) -> str:
    return f"units, each one {one_unit(unit)}" if unit.startswith(_VALUES) else unit


def any_one(summary: PointwiseSummary) -> str:
    """Name an attacker that has any one unit: "any one hospital of the 5"."""
    whose = "whatever arrived in " if summary.method == "temporal" else ""
    if summary.n_units == 1:
        return f"{whose}the only {one_unit(summary.unit)}"
    if summary.method == "temporal":
        periods = one_unit(summary.unit).replace("period", "periods", 1)
        return f"{whose}any one of the {format_count(summary.n_units)} {periods}"
    if summary.unit.startswith(_VALUES):
        return f"{whose}any one {one_unit(summary.unit)} of the {format_count(summary.n_units)}"
    return f"any one of the {format_count(summary.n_units)} {summary.unit}"


def share_of_units(summary: PointwiseSummary, key: str, units: int) -> str:
    """Say how many units a share of them is: "1 of the 5 units, each one hospital (1 % of them, rounded up ...)"."""
    whole = units == float(key) * summary.n_units
    rounded = f"{format_fraction(float(key))} of them" + ("" if whole else ", rounded up to whole ones")
    return f"{format_count(units)} of the {format_count(summary.n_units)} {_each_one(summary.unit)} ({rounded})"


def plain_sentence(sentence: str) -> str:
    """Put a sentence about values of a column in plain words.

    Examples
    --------
    >>> plain_sentence("Changes rows of the values of hospital that it controls.")
    'Changes rows of each hospital that it controls.'
    """
    return _IN_SENTENCE.sub(lambda found: f"each {found['column']}", sentence)


def plain_assumption(sentence: str, settings: Mapping[str, str | float | int]) -> str:
    """Put a sentence about the default model in plain words; its options stay in the settings."""
    learner = str(settings.get("learner", ""))
    return sentence.replace(learner, "a linear model") if _DEFAULT.fullmatch(learner) else sentence


def unit_sentences(summary: PointwiseSummary) -> list[str]:
    """Say for a few units what each can change alone, the worst first; empty where units have no names."""
    if not summary.alone:
        return []
    worst = [one for one in summary.alone if one.changes]
    if not worst:
        return [f"No {one_unit(summary.unit)} can change a prediction alone."]
    sentences = [f"{_named(summary, one)}: alone can change {_of(summary, one)}" for one in worst[:_SHOWN]]
    left = len(summary.alone) - len(sentences)
    if left:
        most = max(one.changes for one in summary.alone[len(sentences) :])
        each = f"at most {format_count(most)} each" if most else "none"
        sentences.append(f"{'the other' if left == 1 else f'the {format_count(left)} others'}: {each}")
    return sentences


def _named(summary: PointwiseSummary, one: UnitAlone) -> str:
    start = "from " if summary.method == "temporal" else ""
    return f"{start}{one.unit} ({counted(one.rows, 'row')})"


def _of(summary: PointwiseSummary, one: UnitAlone) -> str:
    return f"{format_count(one.changes)} of {counted(summary.queries, 'prediction')}"


def doubt_sentences(summary: PointwiseSummary) -> list[str]:
    """Say where there are so few periods, or so many without rows, that the figures say little."""
    if summary.method != "temporal":
        return []
    if summary.n_units == 1:
        return ["There is one period only, which has all rows: the figures say little. A shorter --period has more."]
    empty = sum(not one.rows for one in summary.alone)
    if 2 * empty > summary.n_units:
        return [
            f"{format_count(empty)} of the {format_count(summary.n_units)} periods have no training row: the figures "
            "say little. A longer --period has fewer such."
        ]
    return []
