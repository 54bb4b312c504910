"""Scan: rank suspicious rows by detectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from toadstone.datasets.readers.request import Reading
from toadstone.front.inputs import Data, names_of, open_data, request_of
from toadstone.front.results import Result
from toadstone.front.run import current_run, front_door
from toadstone.pipeline.harness.clock import Deadline
from toadstone.pipeline.scan import ScanPlan, late_detectors
from toadstone.pipeline.scan import scan as run_scan
from toadstone.records.scan import ScanRecord
from toadstone.report.text.scan_text import scan_lines


class ScanResult(Result):
    """Flagged rows of a scan; its record is a `ScanRecord`."""

    record: ScanRecord

    def lines(self, width: int | None = None) -> list[str]:
        """Say which rows are flagged, why, and by which detectors."""
        return scan_lines(self.record, width)

    def columns(self) -> tuple[Sequence[int], Mapping[str, Sequence[Any]]]:
        """Give the flagged rows, the most suspicious first."""
        rows = self.record.rows
        return [row.position for row in rows], {
            "label": [row.label for row in rows],
            "suspicion": [row.suspicion for row in rows],
            "detectors": [len(row.reasons) for row in rows],
            "reasons": ["; ".join(f"{name}: {reason}" for name, reason in row.reasons.items()) for row in rows],
            "preview": [row.preview for row in rows],
        }

    def plot(self) -> Any:
        """Draw the share that each detector flags beside its false-alarm rate."""
        from toadstone.report.drawings.plots import plot_detectors

        return plot_detectors(self.record)

    def write(self, folder: Path) -> None:
        """Write report.html, record.json, suspects.csv and scan.sarif."""
        from toadstone.report.files.folders import write_scan

        write_scan(self.record, folder)


@front_door
def scan(
    data: Data,
    *,
    seed: int = 0,
    detectors: str | Sequence[str] | None = None,
    false_alarm_rate: float | None = None,
    trusted: Data | None = None,
    max_seconds: float | None = None,
    **reading: Unpack[Reading],
) -> ScanResult:
    """Run detectors over all rows, and rank the rows that they flag.

    No detector knows how much poison there is, or its purpose. Each flags at
    most a stated share of clean rows, and says which share of poison it can
    detect.

    Parameters
    ----------
    data : path, name, data frame, (X, y), Dataset or Split
        A file, a name that ``toadstone datasets`` lists, a pandas, polars or
        pyarrow data frame, a pair of arrays, or what `load` and `read` return.
    seed : int
        Seed of all that is random, from 0.
    detectors : str or sequence of str, optional
        Names of detectors, all by default.
    false_alarm_rate : float, optional
        Share of clean rows that each detector may flag, in (0, 0.1]; its own
        default otherwise.
    trusted : path, data frame, (X, y) or Dataset, optional
        Rows known to be clean, none of them in `data` and of the same kind:
        thresholds come from their scores, and find more.
    max_seconds : float, optional
        Begin nothing new after so many seconds: detectors that have not begun
        are skipped, and `unfinished` of the result says so.
    **reading
        Options of how data are read, those of `toadstone.read`: label, text
        and more.

    Returns
    -------
    ScanResult

    Raises
    ------
    InvalidInput
        If the data or an option cannot be used.

    Examples
    --------
    >>> import toadstone
    >>> result = toadstone.scan("breast-cancer", detectors="spectral")
    >>> result.record.detectors["spectral"].false_alarm_rate
    0.02
    """
    run, deadline = current_run("scan"), Deadline(max_seconds)
    plan = ScanPlan(
        detectors=names_of(detectors) or (), false_alarm_rate=false_alarm_rate, seed=seed, command=run.command
    )
    request = request_of(reading, seed).setting_aside()
    run.watch.expect(len(plan.names))
    given = open_data(data, request)
    plan = replace(plan, source=given.source)
    record = run_scan(
        given.split,
        plan,
        trusted=given.trusted(trusted),
        deadline=deadline,
        on_stage=run.watch.announce,
        on_step=run.watch.step,
    )
    return ScanResult(given, record, unfinished=late_detectors(record, deadline))
