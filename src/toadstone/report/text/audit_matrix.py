"""The attack-by-defence matrix, arranged for a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from toadstone.records.audit import NO_ATTACK, NO_SANITIZER, AuditRecord, Evaluation

HEAT_STEPS = (0.005, 0.01, 0.02, 0.05, 0.10, 0.20)
"""Excess of the test error over the clean one at which the colour deepens.

The steps are fixed, so equal colours mean equal harm in every report.
"""


@dataclass(frozen=True)
class ErrorCell:
    """One evaluation, and the depth of its colour from 0 to 6."""

    evaluation: Evaluation
    heat: int


@dataclass(frozen=True)
class MatrixRow:
    """One defence against every attack; None where it was not run."""

    sanitizer: str
    cells: tuple[ErrorCell | None, ...]
    is_best: bool


@dataclass(frozen=True)
class ErrorMatrix:
    """Defences as rows, no defence first; attacks as columns, no attack first."""

    attacks: tuple[str, ...]
    rows: tuple[MatrixRow, ...]


@dataclass(frozen=True)
class LargestError:
    """The largest test error that any attack leaves behind these defences."""

    sanitizers: tuple[str, ...]
    test_error: float


def arrange(record: AuditRecord) -> ErrorMatrix:
    """Arrange a record's evaluations in rows and columns."""
    attacks = _ordered((run.attack for run in record.evaluations), NO_ATTACK)
    sanitizers = _ordered((run.sanitizer for run in record.evaluations), NO_SANITIZER)
    runs = {(run.sanitizer, run.attack): run for run in record.evaluations}
    best = best_defence(record)

    def cell(sanitizer: str, attack: str) -> ErrorCell | None:
        run = runs.get((sanitizer, attack))
        return None if run is None else ErrorCell(run, heat_of(run.test_error - record.defender.clean_test_error))

    return ErrorMatrix(
        attacks,
        tuple(
            MatrixRow(
                sanitizer,
                tuple(cell(sanitizer, attack) for attack in attacks),
                best is not None and sanitizer in best.sanitizers,
            )
            for sanitizer in sanitizers
        ),
    )


def best_defence(record: AuditRecord) -> LargestError | None:
    """Find the defences, several on a tie, with the smallest worst test error."""
    worst = _worst_errors(record, lambda name: name != NO_SANITIZER)
    if not worst:
        return None
    least = min(worst.values())
    return LargestError(tuple(name for name, error in worst.items() if error == least), least)


def undefended(record: AuditRecord) -> LargestError | None:
    """Find the largest test error of the attacks when nothing is filtered."""
    worst = _worst_errors(record, lambda name: name == NO_SANITIZER)
    return LargestError((NO_SANITIZER,), worst[NO_SANITIZER]) if worst else None


def _worst_errors(record: AuditRecord, wanted: Callable[[str], bool]) -> dict[str, float]:
    worst: dict[str, float] = {}
    for run in record.evaluations:
        if run.attack != NO_ATTACK and wanted(run.sanitizer):
            worst[run.sanitizer] = max(run.test_error, worst.get(run.sanitizer, 0.0))
    return worst


def _ordered(names: Iterable[str], first: str) -> tuple[str, ...]:
    return tuple(sorted(dict.fromkeys(names), key=lambda name: name != first))


def heat_of(excess: float) -> int:
    """Return the depth of the colour of an excess, from 0 to 6."""
    # A share like 0.05 - 0.03 must not miss its step by a rounding error.
    return sum(excess >= step - 1e-12 for step in HEAT_STEPS)
