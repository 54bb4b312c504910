"""The matrix and the curves of a federated simulation as tables for a spreadsheet."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence

from toadstone.core.files import written_aside
from toadstone.records.federated import FederatedCell, FederatedRecord
from toadstone.records.trials import Estimate
from toadstone.report.files.tables import safe_cells

_ESTIMATES = ("accuracy", "lost", "lost_to_attack", "worst", "area")
_NUMBERS = (
    "refused",
    "malicious_filtered",
    "honest_filtered",
    "unchanged_rounds",
    "heterogeneity",
    "kappa",
)


def write_federated_matrix(record: FederatedRecord, path: str | os.PathLike[str]) -> None:
    """Write one row for each cell to a UTF-8 CSV file, whole or not at all.

    Columns are ``malicious, attack, rule``, then for each estimate its mean
    and the ends ``_low`` and ``_high`` of its interval, empty where there is
    none, then ``success`` with its ends and the rows that it is of, the
    shares of messages, and ``seeds, seconds, skipped``.
    """
    measured = [f"{name}{end}" for name in (*_ESTIMATES, "success") for end in ("", "_low", "_high")]
    heads = ["malicious", "attack", "rule", *measured, "success_rows", *_NUMBERS, "seeds", "seconds", "skipped"]
    _write(path, heads, map(_matrix_row, record.cells))


def write_federated_curves(record: FederatedRecord, path: str | os.PathLike[str]) -> None:
    """Write the accuracy after each measured round of each trial to a UTF-8 CSV file, whole or not at all.

    Columns are ``malicious, attack, rule, seed, round, accuracy``.
    """
    rows = (
        [trial.malicious, trial.attack, trial.rule, trial.seed, at, _number(accuracy)]
        for trial in record.trials
        if trial.accuracy
        for at, accuracy in zip(record.rounds_at, trial.accuracy, strict=True)
    )
    _write(path, ["malicious", "attack", "rule", "seed", "round", "accuracy"], rows)


def _matrix_row(cell: FederatedCell) -> list[object]:
    figures = [text for name in _ESTIMATES for text in _ends(getattr(cell, name))]
    found = cell.success
    success = [""] * 4 if found is None else [*map(_number, (found.share, found.low, found.high)), found.total]
    numbers = [_number(getattr(cell, name)) for name in _NUMBERS]
    seeds = 0 if cell.accuracy is None else cell.accuracy.n
    head = [cell.malicious, cell.attack, cell.rule]
    return [*head, *figures, *success, *numbers, seeds, f"{cell.seconds:.3f}", cell.skipped]


def _write(path: str | os.PathLike[str], heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(heads)
    for row in rows:
        writer.writerow(safe_cells(row))
    with written_aside(path) as stream:
        stream.write(table.getvalue().encode())


def _ends(estimate: Estimate | None) -> tuple[str, str, str]:
    if estimate is None:
        return "", "", ""
    return _number(estimate.mean), _number(estimate.low), _number(estimate.high)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
