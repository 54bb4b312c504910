"""Two matrices of an evaluation: poison flagged and effect reached, defences as rows and attacks as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toadstone.records.audit import NO_ATTACK
from toadstone.records.evaluation import NO_DEFENCE, AttackInfo, DefenceInfo, EvaluationRecord
from toadstone.records.trials import Estimate, MatrixCell, Thresholds
from toadstone.report.text.audit_matrix import heat_of
from toadstone.report.text.evaluation_grid import AttackColumn

MANY = 12
"""Columns from which on a matrix is set narrowly, without intervals."""

_THRESHOLD_WORDS: dict[Thresholds, str] = {
    "own": "Detectors, by thresholds from each class’s own scores",
    "trusted": "Detectors, by thresholds from trusted rows",
    "": "Detectors without thresholds",
}
_KIND_WORDS = {
    "sanitizer": "Sanitizers, which remove a fixed share of each class",
    "learner": "Robust learners, which remove nothing",
}
_BASELINE_WORDS = {
    NO_DEFENCE: "no defence",
    "random": "random rows removed",
    "perfect": "exactly the poison removed",
}


@dataclass(frozen=True)
class Pair:
    """A defence against an attack, and against the same attack that knows it; None where it was not run."""

    plain: MatrixCell | None
    adaptive: MatrixCell | None
    plain_heat: int = 0
    adaptive_heat: int = 0


@dataclass(frozen=True)
class DefenceRow:
    """A defence against every attack, and the clean rows behind it."""

    name: str
    clean: MatrixCell | None
    pairs: tuple[Pair, ...]
    clean_heat: int = 0


@dataclass(frozen=True)
class RowGroup:
    """Rows under one heading."""

    title: str
    rows: tuple[DefenceRow, ...]


def flagged_groups(record: EvaluationRecord, columns: Sequence[AttackColumn]) -> tuple[RowGroup, ...]:
    """Arrange the detectors, by the origin of their thresholds, for the shares of the poison that they flag."""
    detectors = record.columns("detector")
    origins = dict.fromkeys(thresholds for _, thresholds in detectors)
    return tuple(
        RowGroup(
            _THRESHOLD_WORDS[origin],
            tuple(_row(record, info, origin, columns) for info, thresholds in detectors if thresholds == origin),
        )
        for origin in origins
    )


def effect_groups(record: EvaluationRecord, columns: Sequence[AttackColumn]) -> tuple[RowGroup, ...]:
    """Arrange all defences for what each attack reaches behind them, the baselines first."""
    groups: dict[str, list[DefenceRow]] = {}
    for info, thresholds in record.columns():
        title = _THRESHOLD_WORDS[thresholds] if info.kind == "detector" else _KIND_WORDS.get(info.kind, "Baselines")
        groups.setdefault(title, []).append(_row(record, info, thresholds, columns))
    return tuple(RowGroup(title, tuple(rows)) for title, rows in groups.items())


def effect_of(cell: MatrixCell | None) -> Estimate | None:
    """Return the effect of an attack in a cell; None where it was not run."""
    return None if cell is None else cell.effect


def _row(
    record: EvaluationRecord, info: DefenceInfo, thresholds: Thresholds, columns: Sequence[AttackColumn]
) -> DefenceRow:
    def found(attack: AttackInfo | None) -> tuple[MatrixCell | None, int]:
        cell = None if attack is None else record.cell(attack.name, info.name, thresholds)
        return cell, _heat(record, cell)

    pairs = []
    for column in columns:
        (plain, plain_heat), (adaptive, adaptive_heat) = found(column.plain), found(column.adaptive)
        pairs.append(Pair(plain, adaptive, plain_heat, adaptive_heat))
    clean = record.cell(NO_ATTACK, info.name, thresholds)
    return DefenceRow(_BASELINE_WORDS.get(info.name, info.name), clean, tuple(pairs), _heat(record, clean))


def _heat(record: EvaluationRecord, cell: MatrixCell | None) -> int:
    """Return the depth of the colour: the effect above that on the model of the clean rows."""
    bare = record.cell(NO_ATTACK, NO_DEFENCE)
    base = cell.clean_success if cell is not None and cell.success is not None else effect_of(bare)
    effect = effect_of(cell)
    return 0 if effect is None or base is None else heat_of(effect.mean - base.mean)
