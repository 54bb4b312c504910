"""The matrix of an evaluation as a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
import os

from toadstone.core.files import written_aside
from toadstone.records.evaluation import EvaluationRecord
from toadstone.records.trials import Estimate, MatrixCell
from toadstone.report.files.tables import safe_cells

_ESTIMATES = (
    "caught",
    "false_alarms",
    "retained",
    "auroc",
    "average_precision",
    "test_error",
    "error_rise",
    "success",
    "clean_success",
    "accuracy_cost",
)


def write_matrix(record: EvaluationRecord, path: str | os.PathLike[str]) -> None:
    """Write one row for each cell to a UTF-8 CSV file, whole or not at all.

    Columns are ``attack, defence, kind, thresholds, verdict``, then for each
    estimate its mean and the ends ``_low`` and ``_high`` of its interval,
    empty where there is none, then ``seeds, seconds, skipped``.

    Parameters
    ----------
    record : EvaluationRecord
    path : path-like
        Replaced if it exists.
    """
    kinds = {info.name: info.kind for info in record.defences}
    measured = [f"{name}{end}" for name in _ESTIMATES for end in ("", "_low", "_high")]
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["attack", "defence", "kind", "thresholds", "verdict", *measured, "seeds", "seconds", "skipped"])
    for cell in record.cells:
        figures = [value for name in _ESTIMATES for value in _ends(getattr(cell, name))]
        head = [cell.attack, cell.defence, kinds[cell.defence], cell.thresholds, cell.verdict]
        writer.writerow(safe_cells([*head, *figures, _seeds(cell), f"{cell.seconds:.3f}", cell.skipped]))
    with written_aside(path) as stream:
        stream.write(table.getvalue().encode())


def _ends(estimate: Estimate | None) -> tuple[str, str, str]:
    if estimate is None:
        return "", "", ""
    low, high = ("" if end is None else f"{end:.6g}" for end in (estimate.low, estimate.high))
    return f"{estimate.mean:.6g}", low, high


def _seeds(cell: MatrixCell) -> int:
    return 0 if cell.test_error is None else cell.test_error.n
