"""Defend: remove the rows that detectors flag, and measure the cost in accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from toadstone.core.dataset import Dataset
from toadstone.front.inputs import Data, Given, names_of, open_data, reading
from toadstone.front.results import Result
from toadstone.front.run import current_run
from toadstone.pipeline.defend import DefencePlan
from toadstone.pipeline.defend import defend as run_defence
from toadstone.pipeline.layers.named_steps import FILTERS
from toadstone.records.defence import DefenceRecord
from toadstone.report.text.defence_text import defence_lines


class DefenceResult(Result):
    """Kept and removed rows of a defence; its record is a `DefenceRecord`."""

    record: DefenceRecord

    def __init__(self, given: Given, record: DefenceRecord, kept: Dataset) -> None:
        super().__init__(given, record)
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


def defend(
    data: Data,
    *,
    label: str | None = None,
    text: str | None = None,
    weighting: str = "tfidf",
    scale: str = "auto",
    classes: Sequence[str] | None = None,
    test_share: float = 0.2,
    seed: int = 0,
    detectors: str | Sequence[str] | None = None,
    max_removed: float = 0.1,
    trusted: Data | None = None,
) -> DefenceResult:
    """Remove the rows that detectors flag, train on the rest, and measure the cost in accuracy.

    Detectors look one after another at the rows that are left; the most
    suspicious are removed first, up to `max_removed`.

    Parameters
    ----------
    data : path, name, data frame, (X, y), Dataset or Split
        A file, a name that ``toadstone datasets`` lists, a pandas, polars or
        pyarrow data frame, a pair of arrays, or what `load` and `read` return.
    label, text, weighting, scale, classes, test_share
        How data are read, as for `toadstone.read`.
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
    run = current_run("defend")
    request, chosen = reading(label, text, weighting, scale, classes, test_share, seed), names_of(detectors)
    plan = DefencePlan(
        detectors=FILTERS if chosen is None else chosen, max_removed=max_removed, seed=seed, command=run.command
    )
    given = open_data(data, request)
    plan = replace(plan, source=given.source)
    record, kept = run_defence(given.split, plan, trusted=given.trusted(trusted), on_stage=run.watch.announce)
    return DefenceResult(given, record, kept)
