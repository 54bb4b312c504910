"""Defend: remove the rows that detectors flag, and measure the cost in accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from toadstone.core.dataset import Dataset
from toadstone.datasets.readers.request import Reading
from toadstone.front.inputs import Data, Given, names_of, open_data, request_of
from toadstone.front.results import Result
from toadstone.front.run import current_run, front_door
from toadstone.pipeline.defend import DefencePlan, late_filters
from toadstone.pipeline.defend import defend as run_defence
from toadstone.pipeline.harness.clock import Deadline
from toadstone.pipeline.layers.named_steps import FILTERS
from toadstone.records.defence import DefenceRecord
from toadstone.report.text.defence_text import defence_lines


class DefenceResult(Result):
    """Kept and removed rows of a defence; its record is a `DefenceRecord`."""

    record: DefenceRecord

    def __init__(self, given: Given, record: DefenceRecord, kept: Dataset, *, unfinished: str = "") -> None:
        super().__init__(given, record, unfinished=unfinished)
        self._kept = kept

    @property
    def kept(self) -> Any:
        """The data without the removed rows: a data frame where one was given, else the pair (X, y) as prepared."""
        return self.given.keep(self._kept)

    def lines(self, width: int | None = None) -> list[str]:
        """Say what was removed, by which step, and at which cost in accuracy."""
        return defence_lines(self.record, width)

    def columns(self) -> tuple[Sequence[int], Mapping[str, Sequence[Any]]]:
        """Give the removed rows, in the order of their removal."""
        removed = self.record.removals
        return [row.position for row in removed], {
            "label": [row.label for row in removed],
            "step": [row.step for row in removed],
            "suspicion": [row.suspicion for row in removed],
            "reason": [row.reason for row in removed],
        }

    def plot(self) -> Any:
        """Draw the accuracy after each step over the share of rows removed."""
        from toadstone.report.drawings.plots import plot_steps

        return plot_steps(self.record)

    def write(self, folder: Path) -> None:
        """Write report.html, record.json, removals.csv and the kept rows."""
        from toadstone.report.files.folders import write_defence

        write_defence(self.record, folder)
        self.given.write_kept(self._kept, folder, stem="cleaned")


@front_door
def defend(
    data: Data,
    *,
    seed: int = 0,
    detectors: str | Sequence[str] | None = None,
    max_removed: float = 0.1,
    trusted: Data | None = None,
    max_seconds: float | None = None,
    **reading: Unpack[Reading],
) -> DefenceResult:
    """Remove the rows that detectors flag, train on the rest, and measure the cost in accuracy.

    Detectors look one after another at the rows that are left; the most
    suspicious are removed first, up to `max_removed`.

    Parameters
    ----------
    data : path, name, data frame, (X, y), Dataset or Split
        A file, a name that ``toadstone datasets`` lists, a pandas, polars or
        pyarrow data frame, a pair of arrays, or what `load` and `read` return.
    seed : int
        Seed of all that is random, from 0.
    detectors : str or sequence of str, optional
        Detectors and sanitizers that filter, in this order; mahalanobis and
        label-errors by default.
    max_removed : float
        Share of the rows that may be removed in all, in [0, 0.5).
    trusted : path, data frame, (X, y) or Dataset, optional
        Rows known to be clean, none of them in `data` and of the same kind,
        for thresholds and for validation.
    max_seconds : float, optional
        Begin nothing new after so many seconds: filters that have not begun
        are skipped, and `unfinished` of the result says so.
    **reading
        Options of how data are read, those of `toadstone.read`: label, text
        and more.

    Returns
    -------
    DefenceResult

    Raises
    ------
    InvalidInput
        If the data or an option cannot be used.

    Examples
    --------
    >>> import toadstone
    >>> result = toadstone.defend("breast-cancer", detectors="mahalanobis", max_removed=0.05)
    >>> result.record.removed <= 0.05 * result.record.rows
    True
    """
    run, deadline = current_run("defend"), Deadline(max_seconds)
    request, chosen = request_of(reading, seed).setting_aside(), names_of(detectors)
    plan = DefencePlan(
        detectors=FILTERS if chosen is None else chosen, max_removed=max_removed, seed=seed, command=run.command
    )
    given = open_data(data, request)
    plan = replace(plan, source=given.source)
    record, kept = run_defence(
        given.split, plan, trusted=given.trusted(trusted), deadline=deadline, on_stage=run.watch.announce
    )
    return DefenceResult(given, record, kept, unfinished=late_filters(record, deadline))
