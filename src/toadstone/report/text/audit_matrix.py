"""The attack-by-defence matrix, arranged for a table."""

from __future__ import annotations

from collections.abc import Iterable
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
    """One defence against every attack; None where it was not run.

    It is called best only if it surely leaves less than no defence does.
    """

    sanitizer: str
    cells: tuple[ErrorCell | None, ...]
    is_best: bool


@dataclass(frozen=True)
class ErrorMatrix:
    """Defences as rows, no defence first; attacks as columns, no attack first."""

    attacks: tuple[str, ...]
    rows: tuple[MatrixRow, ...]


@dataclass(frozen=True)
class Standing:
    """Defences, none at all among them, by the test error that their worst attack leaves.

    Parameters
    ----------
    best : tuple of str
        Those with the least; several where it is the same.
    worst_cell : Evaluation
        The worst attack behind the first of them.
    alike : tuple of str
        Others whose interval overlaps that of `worst_cell`: these test rows
        do not tell them apart.
    bare : Evaluation or None
        The worst attack without a defence.
    defended : Evaluation or None
        The worst attack behind the best defence that is one.
    """

    best: tuple[str, ...]
    worst_cell: Evaluation
    alike: tuple[str, ...]
    bare: Evaluation | None
    defended: Evaluation | None

    @property
    def none_is_best(self) -> bool:
        """True if no defence leaves less than none at all."""
        return NO_SANITIZER in self.best

    @property
    def helps(self) -> bool:
        """True if a defence leaves less than none, and their intervals do not overlap."""
        return self.bare is not None and not self.none_is_best and NO_SANITIZER not in self.alike


def arrange(record: AuditRecord) -> ErrorMatrix:
    """Arrange a record's evaluations in rows and columns."""
    attacks = _ordered((run.attack for run in record.evaluations), NO_ATTACK)
    sanitizers = _ordered((run.sanitizer for run in record.evaluations), NO_SANITIZER)
    runs = {(run.sanitizer, run.attack): run for run in record.evaluations}
    standing = stand(record)
    badged = standing.best if standing is not None and (standing.helps or standing.bare is None) else ()

    def cell(sanitizer: str, attack: str) -> ErrorCell | None:
        run = runs.get((sanitizer, attack))
        return None if run is None else ErrorCell(run, heat_of(run.test_error - record.defender.clean_test_error))

    return ErrorMatrix(
        attacks,
        tuple(
            MatrixRow(
                sanitizer,
                tuple(cell(sanitizer, attack) for attack in attacks),
                sanitizer in badged,
            )
            for sanitizer in sanitizers
        ),
    )


def stand(record: AuditRecord) -> Standing | None:
    """Order the defences, and none at all, by their worst attack; None where nothing was attacked."""
    worst: dict[str, Evaluation] = {}
    for run in record.evaluations:
        known = worst.get(run.sanitizer)
        if run.attack != NO_ATTACK and (known is None or run.test_error > known.test_error):
            worst[run.sanitizer] = run
    if not worst:
        return None
    least = min(run.test_error for run in worst.values())
    best = tuple(name for name, run in worst.items() if run.test_error == least)
    first = worst[best[0]]
    alike = tuple(name for name, run in worst.items() if name not in best and run.low <= first.high)
    filters = [run for name, run in worst.items() if name != NO_SANITIZER]
    defended = min(filters, key=lambda run: run.test_error, default=None)
    return Standing(best, first, alike, worst.get(NO_SANITIZER), defended)


def _ordered(names: Iterable[str], first: str) -> tuple[str, ...]:
    return tuple(sorted(dict.fromkeys(names), key=lambda name: name != first))


def heat_of(excess: float) -> int:
    """Return the depth of the colour of an excess, from 0 to 6."""
    # A share like 0.05 - 0.03 must not miss its step by a rounding error.
    return sum(excess >= step - 1e-12 for step in HEAT_STEPS)
