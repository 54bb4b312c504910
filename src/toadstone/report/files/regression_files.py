"""Results of numeric targets as files in a folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from toadstone.core.files import written_aside
from toadstone.records.regression import RegressionDefenceRecord, RegressionScanRecord
from toadstone.report.files.tables import write_target_scores, write_wrong_targets
from toadstone.report.pages.regression_page import render_target_defence, render_target_scan


def write_target_scan(
    record: RegressionScanRecord, scores: Iterable[tuple[str, float, float, float]], folder: Path
) -> None:
    """Write the record of a scan, its page, the listed rows and the scores of all rows into a folder.

    Parameters
    ----------
    record : RegressionScanRecord
    scores : iterable of tuples
        Of every row: its name, its target, the suggested one, and the
        probability that it is wrong.
    folder : Path
    """
    _write_texts(folder, record.to_json(), render_target_scan(record))
    write_wrong_targets(record.rows, record.source, folder / "suspects.csv")
    write_target_scores(scores, record.source, folder / "scores.csv")


def write_target_defence(record: RegressionDefenceRecord, folder: Path) -> None:
    """Write the record of a defence, its page and the removed rows into a folder."""
    _write_texts(folder, record.to_json(), render_target_defence(record))
    write_wrong_targets(record.removals, record.source, folder / "removals.csv")


def _write_texts(folder: Path, record: str, page: str) -> None:
    for name, text in (("record.json", record), ("report.html", page)):
        with written_aside(folder / name) as stream:
            stream.write((text + "\n").encode())
