"""Suspicious and removed rows as tables for a spreadsheet."""

from __future__ import annotations

import csv
import io
import itertools
import os
import re
from collections.abc import Iterable, Mapping, Sequence

from toadstone.core.arrays import Array
from toadstone.core.files import written_aside
from toadstone.records.audit import Removal, Suspect
from toadstone.records.defence import RelabelledRow, RemovedRow
from toadstone.records.header import Source
from toadstone.records.regression import WrongTarget
from toadstone.records.row_scores import RowScores
from toadstone.records.scan import ScanRecord
from toadstone.report.text.formats import visible

# Spreadsheets run text that starts like this as a formula (OWASP, "CSV injection"); a plain number is harmless.
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
_SCORE_DECIMALS = 6
_FORMULA_STARTS = ("=", "+", "-", "@", "\N{FULLWIDTH EQUALS SIGN}", "\uff0b", "\uff0d", "\uff20")


def write_suspects(suspects: Iterable[Suspect], source: Source, path: str | os.PathLike[str]) -> None:
    r"""Write suspects to a UTF-8 CSV file, whole or not at all.

    Columns are the name of the row under ``line``, ``row``, ``index`` or the
    name of the column that identifies rows; then ``label, suspicion,
    removed_by``, one ``rank_NAME`` a sanitizer and ``preview``. Text that a
    spreadsheet would run as a formula gets a leading apostrophe; a plain
    number such as a label -1 stays. What hides, reorders or breaks lines is
    written as an escape such as ``\x1b``.

    Parameters
    ----------
    suspects : iterable of Suspect
    source : Source
        Of the rows; it says how they are named.
    path : path-like
        Replaced if it exists.

    Raises
    ------
    OSError
        If the file cannot be written; nothing is left behind.
    """
    rows = tuple(suspects)
    rankers = tuple(dict.fromkeys(name for suspect in rows for name in suspect.ranks))
    header = ("label", "suspicion", "removed_by", *(f"rank_{name}" for name in rankers), "preview")
    _write_table(path, _titled(source, header), (_cells(suspect, rankers) for suspect in rows))


def write_removals(removals: Iterable[Removal], source: Source, path: str | os.PathLike[str]) -> None:
    """Write name, ``label, score, reason`` of removed rows to a UTF-8 CSV file; otherwise as `write_suspects`."""
    cells = ((removal.row, removal.label, removal.score, removal.reason) for removal in removals)
    _write_table(path, _titled(source, ("label", "score", "reason")), cells)


def write_removed_rows(removals: Iterable[RemovedRow], source: Source, path: str | os.PathLike[str]) -> None:
    """Write name, ``label, step, suspicion, reason, values`` of removed rows; otherwise as `write_suspects`."""
    cells = ((row.row, row.label, row.step, row.suspicion, row.reason, _joined(row.values)) for row in removals)
    _write_table(path, _titled(source, ("label", "step", "suspicion", "reason", "values")), cells)


def write_relabelled_rows(rows: Iterable[RelabelledRow], source: Source, path: str | os.PathLike[str]) -> None:
    """Write name, ``label, new_label, probability, reason, values`` of rows; otherwise as `write_suspects`."""
    cells = ((row.row, row.label, row.new_label, row.probability, row.reason, _joined(row.values)) for row in rows)
    _write_table(path, _titled(source, ("label", "new_label", "probability", "reason", "values")), cells)


def write_listed_rows(record: ScanRecord, path: str | os.PathLike[str]) -> None:
    """Write the rows that a scan lists to a UTF-8 CSV file; otherwise as `write_suspects`.

    Columns are the name of the row, ``label, suggested_label, probability,
    score, group, reasons, also_flagged_by, values``.
    """
    header = ("label", "suggested_label", "probability", "score", "group", "reasons", "also_flagged_by", "values")
    cells = (
        (
            row.row,
            row.label,
            row.suggested_label or "",
            "" if row.probability is None else row.probability,
            row.score,
            "" if row.group is None else row.group,
            "; ".join(row.reasons),
            "; ".join(f"{name}: {reason}" for name, reason in row.also_flagged_by.items()),
            _joined(row.values),
        )
        for row in record.rows
    )
    _write_table(path, _titled(record.source, header), cells)


def _joined(values: Mapping[str, str]) -> str:
    return ", ".join(f"{column} {value}" for column, value in values.items())


def write_scores(scores: RowScores, source: Source, path: str | os.PathLike[str]) -> None:
    """Write what a scan says of every row to a UTF-8 CSV file; otherwise as `write_suspects`.

    Columns are the name of the row, ``label, listed, score,
    wrong_probability, suggested_label, suggestion_probability, group,
    flagged_by``. Those of a verdict are empty without one.
    """
    header = ("label", "listed", "score", "wrong_probability", "suggested_label", "suggestion_probability")
    blank = itertools.repeat("")
    columns = (
        scores.rows,
        scores.labels,
        scores.listed.astype(int).tolist(),
        _rounded(scores.score),
        blank if scores.wrong_probability is None else _rounded(scores.wrong_probability),
        blank if scores.suggested is None else scores.suggested,
        blank if scores.suggestion_probability is None else _rounded(scores.suggestion_probability),
        ("" if group < 0 else group for group in scores.group.tolist()),
        (";".join(names) for names in scores.flagged_by),
    )
    _write_table(path, _titled(source, (*header, "group", "flagged_by")), zip(*columns, strict=False))


def _rounded(values: Array) -> Iterable[float]:
    return (round(value, _SCORE_DECIMALS) for value in values.tolist())


def write_wrong_targets(rows: Iterable[WrongTarget], source: Source, path: str | os.PathLike[str]) -> None:
    """Write name, ``target, suggested, low, high, probability, preview`` of rows; otherwise as `write_suspects`."""
    header = _titled(source, ("target", "suggested", "low", "high", "probability", "preview"))
    cells = ((one.row, one.target, one.suggested, one.low, one.high, one.probability, one.preview) for one in rows)
    _write_table(path, header, cells)


def write_target_scores(
    scores: Iterable[tuple[str, float, float, float]], source: Source, path: str | os.PathLike[str]
) -> None:
    """Write name, ``target, suggested, probability`` of all rows; otherwise as `write_suspects`."""
    _write_table(path, _titled(source, ("target", "suggested", "probability")), scores)


def write_predicted_rows(
    names: Sequence[str], columns: Mapping[str, Sequence[object]], source: Source, path: str | os.PathLike[str]
) -> None:
    """Write test rows by name, with columns about them, to a UTF-8 CSV file; otherwise as `write_suspects`."""
    _write_table(path, _titled(source, tuple(columns)), zip(names, *columns.values(), strict=True))


def _titled(source: Source, others: tuple[str, ...]) -> tuple[str, ...]:
    # A column that identifies rows may have the name of one of ours.
    return ("row" if source.title in others else source.title, *others)


def _write_table(path: str | os.PathLike[str], header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    with written_aside(path) as stream, io.TextIOWrapper(stream, "utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(safe_cells(header))
        table.writerows(safe_cells(row) for row in rows)


def _cells(suspect: Suspect, rankers: tuple[str, ...]) -> tuple[object, ...]:
    return (
        suspect.row,
        suspect.label,
        suspect.suspicion,
        ";".join(suspect.removed_by),
        *(suspect.ranks.get(name, "") for name in rankers),
        suspect.preview,
    )


def safe_cells(cells: Iterable[object]) -> tuple[object, ...]:
    """Make texts safe to open in a spreadsheet and to show on a terminal; numbers stay."""
    return tuple(_defused(cell) if isinstance(cell, str) else cell for cell in cells)


def _defused(text: str) -> str:
    text = visible(text)
    if text.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text
