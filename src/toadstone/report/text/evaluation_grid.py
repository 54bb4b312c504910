"""Detectors as rows and attacks as columns of a matrix, and the matrix as lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toadstone.records.audit import NO_ATTACK
from toadstone.records.evaluation import AttackInfo, DefenceInfo, EvaluationRecord
from toadstone.records.trials import MatrixCell, Thresholds

_ADAPTIVE = "adaptive-"
_LETTERS, _CELL, _LONGEST_NAME = 4, 6, 24


@dataclass(frozen=True)
class AttackColumn:
    """An attack, and the same by an attacker who knows the detector; None for one that was not made.

    Parameters
    ----------
    name : str
        Without the prefix of the second.
    plain, adaptive : AttackInfo, optional
    """

    name: str
    plain: AttackInfo | None
    adaptive: AttackInfo | None

    @property
    def goal(self) -> str:
        """Goal of both."""
        info = self.plain or self.adaptive
        return "none" if info is None else info.goal


def attack_columns(record: EvaluationRecord) -> tuple[AttackColumn, ...]:
    """Join each attack with its adaptive version, in the order of the record.

    Parameters
    ----------
    record : EvaluationRecord

    Returns
    -------
    tuple of AttackColumn
        Without the clean rows.
    """
    plain: dict[str, AttackInfo] = {}
    adaptive: dict[str, AttackInfo] = {}
    for info in record.attacks:
        if info.name != NO_ATTACK:
            (adaptive if info.knows_detector else plain)[plain_name(info)] = info
    return tuple(AttackColumn(name, plain.get(name), adaptive.get(name)) for name in plain | adaptive)


def plain_name(info: AttackInfo) -> str:
    """Return the name of an attack; of an adaptive one, that of its plain attack."""
    return info.name.removeprefix(_ADAPTIVE) if info.knows_detector else info.name


@dataclass(frozen=True)
class GridBlock:
    """Detectors with thresholds of one origin against all attacks, plain or adaptive."""

    columns: Sequence[AttackColumn]
    rows: Sequence[DefenceInfo]
    thresholds: Thresholds
    adaptive: bool


def grid_lines(record: EvaluationRecord, block: GridBlock, width: int | None) -> list[str]:
    """Arrange detectors down and attacks across, in as many parts as the width requires."""
    widest = min(_LONGEST_NAME, max(len(info.name) for info in block.rows) + 2)
    names = [NO_ATTACK] * (not block.adaptive)
    attacks = [column.adaptive if block.adaptive else column.plain for column in block.columns]
    names += [attack.name for attack in attacks if attack is not None]
    fitting = len(names) if width is None else max(1, (width - widest - 2) // _CELL)
    lines = []
    for start in range(0, len(names), fitting):
        part = names[start : start + fitting]
        heads = ["f.a." if name == NO_ATTACK else abbreviated(name.removeprefix(_ADAPTIVE)) for name in part]
        lines += ["  " + " " * widest + "".join(f"{head:>{_CELL}}" for head in heads)]
        for info in block.rows:
            cells = [record.cell(name, info.name, block.thresholds) for name in part]
            lines.append(f"  {info.name[:widest]:<{widest}}" + "".join(f"{_shown(cell):>{_CELL}}" for cell in cells))
    return lines


def abbreviated(name: str) -> str:
    """Shorten a catalogue name to at most four characters, for the head of a column.

    Examples
    --------
    >>> [abbreviated(name) for name in ("spectral", "deep-knn", "local-outlier-factor")]
    ['spec', 'de-k', 'lof']
    """
    words = name.split("-")
    if len(words) == 1:
        return name[:_LETTERS]
    if len(words) == 2:
        return f"{words[0][:2]}-{words[1][:1]}"
    return "".join(word[:1] for word in words)[:_LETTERS]


def _shown(cell: MatrixCell | None) -> str:
    if cell is None or (cell.caught is None and cell.false_alarms is None):
        return "-"
    if cell.caught is None and cell.false_alarms is not None:
        return f"{100 * cell.false_alarms.mean:.1f} "
    share = f"{100 * cell.caught.mean:.0f}" if cell.caught is not None else "-"
    return {"caught": f"[{share}]", "partly": f"{share} ", "missed": ". "}.get(cell.verdict, "- ")
