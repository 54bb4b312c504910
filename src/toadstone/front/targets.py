"""Scan, sanitize, defend and attack for numeric targets."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.readers.request import Reading
from toadstone.datasets.readers.rows import write_rows_as_arrays
from toadstone.datasets.split import Split
from toadstone.front.inputs import Data, Given, open_targets, request_of
from toadstone.front.results import Result
from toadstone.front.run import Run
from toadstone.pipeline.harness.clock import UNLIMITED, Deadline
from toadstone.pipeline.harness.row_account import ids_of
from toadstone.pipeline.regression.attack import TargetAttackPlan, attack_targets
from toadstone.pipeline.regression.defend import TargetDefencePlan, defend_targets, late_errors
from toadstone.pipeline.regression.sanitize import clean_targets
from toadstone.pipeline.regression.scan import TargetScan, scan_targets
from toadstone.pipeline.sanitize import Cleaning
from toadstone.records.regression import (
    RegressionAttackRecord,
    RegressionDefenceRecord,
    RegressionScanRecord,
    WrongTarget,
)
from toadstone.report.files.poison_rows import save_rows
from toadstone.report.regression.regression_text import attack_lines, defence_lines, next_step, scan_lines


@dataclass(frozen=True)
class TargetReading:
    """Reading of data with a numeric target, as a front-door function was asked for it.

    Parameters
    ----------
    data : Data
    reading : Reading
    seed : int
    run : Run
    deadline : Deadline
    """

    data: Data
    reading: Reading
    seed: int
    run: Run
    deadline: Deadline = UNLIMITED

    def open(self) -> Given:
        """Read the data."""
        return open_targets(self.data, request_of(self.reading, self.seed))


def with_target(data: Data, target: str | None, reading: Reading) -> Reading | None:
    """Return the options of reading data with a numeric target, or None where labels are classes.

    Raises
    ------
    InvalidArgument
        If both a label and a target are named.
    """
    if target is not None:
        if reading.get("label") not in (None, target):
            raise InvalidArgument("target", "no label beside it", repr(reading.get("label")))
        return cast(Reading, {**reading, "label": target, "regression": True})
    if reading.get("regression") or (isinstance(data, Split) and data.target):
        return reading
    return None


def refuse_options(**options: object) -> None:
    """Refuse options that say nothing about numeric targets.

    Raises
    ------
    InvalidArgument
        If one is given.
    """
    for name, value in options.items():
        if value is not None:
            raise InvalidArgument(name, "nothing for a numeric target", repr(value))


class TargetScanResult(Result):
    """Rows whose numeric target is probably wrong; its record is a `RegressionScanRecord`."""

    record: RegressionScanRecord

    def __init__(self, given: Given, found: TargetScan) -> None:
        super().__init__(given, found.record)
        self._found = found

    def lines(self, width: int | None = None) -> list[str]:
        """Say which targets look wrong, and what the other rows suggest."""
        return scan_lines(self.record, width)

    def chapters(self) -> Mapping[str, Sequence[str]]:
        """Return what to do next."""
        return {"Next": [next_step(self.record).removeprefix("Next: ")]}

    def columns(self) -> tuple[Sequence[int], Mapping[str, Sequence[Any]]]:
        """Give the listed rows, the most suspicious first; their status says whether they are for review only."""
        rows, columns = _columns(self.record.rows)
        status = "listed" if self.record.evidence.supported else "for review"
        return rows, {"status": [status] * len(rows), **columns}

    def write(self, folder: Path) -> None:
        """Write report.html, record.json, suspects.csv and scores.csv."""
        from toadstone.report.files.regression_files import write_target_scan

        data, names = self._found.data, self.given.split.row_names
        rows = zip(ids_of(data).tolist(), data.y.tolist(), self._found.suggested, self._found.scores, strict=True)
        scores = ((names[row], target, float(wanted), float(score)) for row, target, wanted, score in rows)
        write_target_scan(self.record, scores, folder)


class TargetDefenceResult(Result):
    """Kept and removed rows of a defence of numeric targets; its record is a `RegressionDefenceRecord`."""

    record: RegressionDefenceRecord

    def __init__(self, given: Given, record: RegressionDefenceRecord, kept: Dataset, *, unfinished: str = "") -> None:
        super().__init__(given, record, unfinished=unfinished)
        self._kept = kept

    @property
    def kept(self) -> Any:
        """The data without the removed rows: a data frame where one was given, else the pair (X, y) as prepared."""
        return self.given.keep(self._kept)

    def lines(self, width: int | None = None) -> list[str]:
        """Say which rows were removed, and what that brought where it can be known."""
        return defence_lines(self.record, width)

    def columns(self) -> tuple[Sequence[int], Mapping[str, Sequence[Any]]]:
        """Give the removed rows, the most suspicious first."""
        return _columns(self.record.removals)

    def write(self, folder: Path) -> None:
        """Write report.html, record.json, removals.csv and the kept rows."""
        from toadstone.report.files.regression_files import write_target_defence

        write_target_defence(self.record, folder)
        self.given.write_kept(self._kept, folder, stem="cleaned")


class TargetAttackResult(Result):
    """Poison rows of an attack on ridge regression; its record is a `RegressionAttackRecord`."""

    record: RegressionAttackRecord

    def __init__(self, given: Given, record: RegressionAttackRecord, poison: Poison) -> None:
        super().__init__(given, record)
        self.poison = poison

    def lines(self, width: int | None = None) -> list[str]:
        """Say the errors behind each defence."""
        return attack_lines(self.record, width)

    def columns(self) -> tuple[None, Mapping[str, Sequence[Any]]]:
        """Give a row for each defence."""
        names = ("defence", "clean_error", "test_error", "poison_removed", "clean_removed")
        return None, {name: [getattr(one, name) for one in self.record.defences] for name in names}

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> Path:
        """Write the poison rows to a new ``.npz`` archive.

        Parameters
        ----------
        path : path-like
        force : bool
            Replace an older archive.

        Raises
        ------
        InvalidArgument
            If the file exists, or cannot be written.
        """
        return save_rows(self.poison, path, force=force)

    def write(self, folder: Path) -> None:
        """Write poison.npz."""
        write_rows_as_arrays(self.poison.X, self.poison.y, folder / "poison.npz")


def run_scan(asked: TargetReading, trusted: Data | None) -> TargetScanResult:
    """Scan the targets that were asked for."""
    given = asked.open()
    found = scan_targets(
        given.split,
        seed=asked.seed,
        command=asked.run.command,
        source=given.source,
        trusted=given.trusted(trusted),
        deadline=asked.deadline,
        on_stage=asked.run.watch.announce,
    )
    return TargetScanResult(given, found)


def run_defence(asked: TargetReading, plan: TargetDefencePlan, trusted: Data | None) -> TargetDefenceResult:
    """Defend the targets that were asked for."""
    given = asked.open()
    plan = replace(plan, seed=asked.seed, source=given.source, command=asked.run.command)
    record, kept = defend_targets(
        given.split,
        plan,
        trusted=given.trusted(trusted),
        deadline=asked.deadline,
        on_stage=asked.run.watch.announce,
    )
    return TargetDefenceResult(given, record, kept, unfinished=late_errors(record, asked.deadline))


def run_sanitizing(
    asked: TargetReading, *, method: str, remove: float, ridge: float, variant: str
) -> tuple[Given, Cleaning]:
    """Sanitize the targets that were asked for."""
    given = asked.open()
    asked.run.watch.announce(f"sanitizing by {method}")
    found = clean_targets(
        given.split, method=method, remove=remove, ridge=ridge, variant=variant, seed=asked.seed, source=given.source
    )
    return given, found


def run_attack(asked: TargetReading, plan: TargetAttackPlan) -> TargetAttackResult:
    """Attack the targets that were asked for."""
    given = asked.open()
    plan = replace(plan, seed=asked.seed, source=given.source, command=asked.run.command)
    record, poison = attack_targets(given.split, plan, on_stage=asked.run.watch.announce)
    return TargetAttackResult(given, record, poison)


def _columns(rows: Sequence[WrongTarget]) -> tuple[Sequence[int], Mapping[str, Sequence[Any]]]:
    names = ("target", "suggested", "low", "high", "probability", "preview")
    return [row.position for row in rows], {name: [getattr(row, name) for row in rows] for name in names}
