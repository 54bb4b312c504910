"""Conversion of tables to splits, for all table formats and data frames."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from toadstone.core.arrays import IntArray, Labels, Mask, Matrix
from toadstone.core.checks import did_you_mean, quoted
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.row_names import RowNames
from toadstone.datasets.preparation.column_types import infer_types
from toadstone.datasets.preparation.conversion import (
    ColumnType,
    Origin,
    convert,
    is_bytes,
    is_number,
    is_text,
    plain,
)
from toadstone.datasets.preparation.encoding import TableEncoding, TableValues
from toadstone.datasets.preparation.features import Features, assemble
from toadstone.datasets.preparation.labels import (
    as_labels,
    labels_of_texts,
    listing,
    near_equal,
    number_notes,
    rows_of_classes,
)
from toadstone.datasets.preparation.numerals import MISSING_TEXT
from toadstone.datasets.preparation.row_by_row import RowEncoding, fit_or_encode
from toadstone.datasets.preparation.targets import as_targets
from toadstone.datasets.readers.aside import held_out_rows, rows_to_judge
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import RowAside, Split

LABEL_NAMES = ("label", "labels", "class", "target", "y")
_INDEX = re.compile(r"__index_level_\d+__")
_FEWEST_WORDS = 2
_PLURAL = {"number": "numbers", "date": "dates", "category": "categories", "text": "text"}


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of a source under named columns, before any preparation.

    Parameters
    ----------
    source : str
        Name of the source, for messages.
    columns : pyarrow.Table
    rows : RowNames
    untyped : bool
        True if the format knows texts only, so that whole numbers are told
        from other labels by their texts.
    notes : tuple of str
        Sentences on how the source was read.
    """

    source: str
    columns: Any
    rows: RowNames
    untyped: bool = False
    notes: tuple[str, ...] = ()

    @property
    def origin(self) -> Origin:
        """Source and row names, for messages."""
        return Origin(self.source, self.rows)


@dataclass(frozen=True, eq=False)
class TableReader:
    """Encoding of further rows as those of a split were.

    Parameters
    ----------
    label : str
        The label column.
    encoding : TableEncoding or RowEncoding
    request : Request
    columns : tuple of str
        All columns of the table that was split.
    """

    label: str
    encoding: TableEncoding | RowEncoding
    request: Request
    columns: tuple[str, ...] = ()

    def encode(self, table: Table) -> tuple[Matrix, Labels]:
        """Return features and labels of the rows of another table, those of the requested classes.

        Columns that the first table lacks are left out, and a warning names
        them.

        Raises
        ------
        InvalidData
            If a column is missing, or a value does not fit its kind.
        """
        return self.encode_named(table)[:2]

    def encode_named(self, table: Table) -> tuple[Matrix, Labels, RowNames]:
        """Return what `encode` does, and the names of the rows in their table."""
        table, y, kept = self._labelled(table)
        others = [name for name in table.columns.column_names if name not in (*self.columns, self.label)]
        if others and self.columns:
            what = "a column" if len(others) == 1 else "columns"
            warnings.warn(
                f"{table.source} has {what} that the data lack, left out: {listing([quoted(name) for name in others])}",
                stacklevel=4,
            )
        X = self.encoding.encode(table.columns, table.origin)
        return X[kept], y[kept], _names_at(table.rows, kept)

    def raw(self, table: Table) -> Any:
        """Return the rows of the table itself as an Arrow table, without the label and unprepared.

        Numbers of a format that knows texts only are read as numbers; all
        else stays as it stands.
        """
        table = trimmed(table)
        numbers = {one.name: one for one in self.encoding.types if one.kind == "number" and table.untyped}
        return pa.table(
            {
                name: convert(column, numbers[name], table.origin) if name in numbers else plain(column)
                for name, column in zip(table.columns.column_names, table.columns.columns, strict=True)
                if name != self.label
            }
        )

    def raw_encoded(self, table: Table) -> Any:
        """Return the rows of another table that `encode` returns, as `raw` returns them."""
        _, _, kept = self._labelled(table)
        return self.raw(table).take(pa.array(kept))

    def _as_named(self, table: Table) -> Table:
        """Name rows by the column that names those of the data, where it can be told from them."""
        name = self.request.id
        if name is None or name.strip() not in table.columns.column_names:
            return table
        values = plain(table.columns[name.strip()])
        return table if values.null_count or len(pc.unique(values)) < len(values) else _with_ids(table, self.request)

    def _labelled(self, table: Table) -> tuple[Table, Labels, IntArray]:
        """Return a table with trimmed names, its labels, and the rows of the requested classes."""
        table = self._as_named(trimmed(table))
        if self.label not in table.columns.column_names or table.columns.num_rows == 0:
            got = "no rows" if table.columns.num_rows == 0 else listing(table.columns.column_names)
            raise InvalidData(f"{table.source}: expected rows with a column {quoted(self.label)}, got {got}")
        y, labelled = read_labels(table, self.label, self.request)
        if not labelled.all():
            raise InvalidData(
                f"{table.origin.cell(self.label, int(np.argmin(labelled)))}: expected a label, got nothing"
            )
        return table, y, rows_of_classes(y, self.request.classes, table.origin.column(self.label))


def split_table(table: Table, name: str, request: Request) -> tuple[Split, TableReader]:
    """Split a table into training and test rows, with the requested labels and features.

    Parameters
    ----------
    table : Table
    name : str
        Of the split.
    request : Request

    Returns
    -------
    split : Split
    reader : TableReader

    Raises
    ------
    InvalidArgument
        If a named column does not exist.
    InvalidData
        If the values cannot be used; the message names column and row.
    """
    table = trimmed(table)
    if table.columns.num_rows == 0:
        raise InvalidData(f"{table.source}: expected rows below the column names, got none")
    label = label_column(table, request)
    table = _with_ids(table, request)
    columns = _chosen_columns(table, label, request)
    y, labelled = read_labels(table, label, request)
    types = _with_lonely_text(infer_types(columns, request, table.origin), columns)
    kept, aside = _rows_to_use(table, label, y, labelled, columns, types, request)
    part = y[kept]
    train, test = held_out_rows(part, request)
    here = Origin(table.source, _names_at(table.rows, kept))
    encoding, X, unscaled = fit_or_encode(columns.take(pa.array(kept)), train, types, request, here)
    features = Features(X[train], X[test], encoding.summary, encoding.names, encoding.domain)
    labels, ids = (part[train], part[test]), (kept[train], kept[test])
    split = assemble(name, features, labels, ids, request.test_origin)
    split = replace(
        split,
        row_names=table.rows,
        raw=TableValues(table.columns, encoding.sources, request, table.origin),
        aside=aside,
        target=label if request.regression else "",
        columns=encoding.columns,
        notes=(*table.notes, *_notes(types, y[labelled], request)),
        unscaled=unscaled,
    )
    return split, TableReader(label, encoding, request, tuple(table.columns.column_names))


def trimmed(table: Table) -> Table:
    """Trim column names, and leave out indexes of data frames and columns without a name.

    An unnamed column is left out if it is empty or holds distinct whole
    numbers, and named in a note; others without a name, and names that occur
    twice, are refused.

    Raises
    ------
    InvalidData
        For such columns.
    """
    names = [name.strip() for name in table.columns.column_names]
    twice = repeated_names([name for name in names if name])
    if twice:
        raise InvalidData(f"{table.source}: expected column names that differ, got {twice}")
    kept, notes = [], list(table.notes)
    for position, name in enumerate(names):
        if _INDEX.fullmatch(name):
            continue
        if name:
            kept.append(position)
            continue
        kind = _unnamed(table.columns.column(position))
        if not kind:
            raise InvalidData(
                f"{table.source}: expected a name for every column, got none for column {position + 1}, which is "
                "neither empty nor an index; name it in the first line"
            )
        notes.append(f"column {position + 1} has no name and is left out: it is {kind}")
    columns = table.columns.select(kept).rename_columns([names[position] for position in kept])
    return replace(table, columns=columns, notes=tuple(notes))


def repeated_names(names: Sequence[str]) -> str:
    """Name the columns that occur more than once, and how often; empty where none does."""
    counts = {name: times for name, times in Counter(names).items() if times > 1}
    return ", ".join(f"{quoted(name)} {'twice' if n == 2 else f'{n} times'}" for name, n in counts.items())


def _unnamed(column: Any) -> str:
    values = plain(column)
    if pa.types.is_null(values.type) or values.null_count == len(values):
        return "empty"
    if is_text(values.type):
        texts = pc.utf8_trim_whitespace(values)
        if pc.all(pc.equal(texts, "")).as_py():
            return "empty"
        if not pc.all(pc.match_substring_regex(texts, r"^\d{1,18}$")).as_py():
            return ""
    elif not pa.types.is_integer(values.type) or values.null_count:
        return ""
    return "an index" if len(pc.unique(values)) == len(values) else ""


def label_column(table: Table, request: Request) -> str:
    """Return the name of the label column.

    Raises
    ------
    InvalidArgument
        If it does not exist, or is not named and not the only likely one.
    """
    names: list[str] = table.columns.column_names
    if request.label is not None:
        return _existing("label", request.label, table)
    likely = [name for name in names if name.lower() in LABEL_NAMES and name not in request.texts]
    if len(likely) != 1:
        raise InvalidArgument("label", f"the name of the label column of {table.source}: {listing(names)}", "nothing")
    return likely[0]


def read_labels(table: Table, name: str, request: Request) -> tuple[Labels, Mask]:
    """Return the label or the numeric target of each row, and a mask of the rows that have one.

    Raises
    ------
    InvalidData
        If the values are no labels.
    """
    what = table.origin.column(name)
    if request.regression:
        return _read_targets(table, name, request)
    values = plain(table.columns[name])
    present = np.asarray(pc.invert(values.is_null(nan_is_null=True)))
    if pa.types.is_null(values.type):
        raise InvalidData(f"{what}: expected labels, got an empty column")
    if is_bytes(values.type):
        raise InvalidData(f"{what}: expected UTF-8 text, got other bytes")
    if is_text(values.type):
        shown = pc.utf8_trim_whitespace(values)
        present &= ~np.asarray(pc.fill_null(pc.match_substring_regex(shown, MISSING_TEXT), fill_value=True))
        # Blanks around every label, as after a comma, mean nothing unless labels differ by them.
        values = shown if len(pc.unique(shown)) == len(pc.unique(values)) else values
        texts = values.filter(pa.array(present)).to_pylist()
        found = labels_of_texts(texts) if table.untyped else np.array(texts, dtype=np.str_)
    elif pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        raise InvalidData(f"{what}: expected one label a row, got lists: several labels a row cannot be used")
    elif is_number(values.type) or pa.types.is_boolean(values.type):
        given = values.filter(pa.array(present))
        given = given.cast(pa.float64()) if pa.types.is_decimal(given.type) else given
        found = as_labels(given.to_numpy(zero_copy_only=False), what)
    else:
        raise InvalidData(f"{what}: expected whole numbers or text as labels, got values of type {values.type}")
    y = np.zeros(len(values), dtype=found.dtype)
    y[present] = found
    return y, present


def _read_targets(table: Table, name: str, request: Request) -> tuple[Labels, Mask]:
    (how,) = infer_types(table.columns.select([name]), request, table.origin)
    if how.kind != "number" and not is_number(plain(table.columns[name]).type):
        shown = listing([quoted(value) for value in pc.unique(plain(table.columns[name])).to_pylist()[:3]])
        raise InvalidData(f"{table.origin.column(name)}: expected numbers as targets, got {shown}")
    numbers = convert(table.columns[name], replace(how, kind="number"), table.origin)
    present = np.asarray(pc.invert(numbers.is_null(nan_is_null=True)))
    y = np.asarray(pc.fill_null(numbers, 0.0)).astype(np.float64)
    return as_targets(np.where(present, y, 0.0), table.origin.column(name)), present


def _existing(option: str, name: str, table: Table) -> str:
    names = table.columns.column_names
    if name.strip() in names:
        return name.strip()
    hint = did_you_mean(name, names, show=quoted)
    raise InvalidArgument(option, f"a column of {table.source}: {listing(names)}", f"{quoted(name)}{hint}")


def _with_ids(table: Table, request: Request) -> Table:
    if request.id is None:
        return table
    name = _existing("id", request.id, table)
    values = plain(table.columns[name])
    if values.null_count or len(pc.unique(values)) < len(values):
        raise InvalidArgument("id", "a column with a different value in each row", quoted(name))
    return replace(table, rows=RowNames("id", names=[str(value) for value in values.to_pylist()], column=name))


def _chosen_columns(table: Table, label: str, request: Request) -> Any:
    """Return the columns to encode: those that `columns` names, or all but the label and those that others name."""
    beside = {option: (name,) for option, name in request.beside.items()}
    named: dict[str, Any] = {"text": request.texts, "drop": request.drop, "columns": request.columns} | beside
    for option, names in (named | {"types": request.kinds}).items():
        for name in names or ():
            if _existing(option, name, table) == label:
                raise InvalidArgument(option, "another column than the label's", quoted(name))
    keep = [name for name in table.columns.column_names if name != label]
    if request.columns is not None:
        keep = [name for name in keep if name in (*request.columns, *request.texts)]
    left_out = {*(request.drop or ()), *request.beside.values()}
    return table.columns.select([name for name in keep if name not in left_out])


def _with_lonely_text(types: tuple[ColumnType, ...], columns: Any) -> tuple[ColumnType, ...]:
    """Read columns of different texts as text, those of several words first, where nothing else is left to encode."""
    texts = [one for one in types if one.unlike]
    if not texts or any(one.kind != "left out" for one in types):
        return types
    wordy = [one for one in texts if _words_a_text(columns[one.name]) >= _FEWEST_WORDS]
    chosen = [one.name for one in wordy or texts]
    said = "the only column of words" if len(chosen) == 1 else "nothing else is left to encode"
    return tuple(replace(one, kind="text", note=said, unlike=False) if one.name in chosen else one for one in types)


def _words_a_text(column: Any) -> float:
    return float(pc.mean(pc.count_substring_regex(plain(column), r"\w+")).as_py() or 0.0)


def _rows_to_use(
    table: Table, label: str, y: Labels, labelled: Mask, columns: Any, types: Sequence[ColumnType], request: Request
) -> tuple[IntArray, tuple[RowAside, ...]]:
    """Return the positions of the rows to split, and the rows set aside or dropped."""
    origin, drops = table.origin, request.missing == "drop-rows"
    if request.missing == "refuse" and not labelled.all():
        row = int(np.argmin(labelled))
        raise InvalidData(f"{origin.cell(label, row)}: expected a label, got nothing; `missing` says what to do")
    if not labelled.any():
        shown = listing([quoted(value) for value in pc.unique(plain(table.columns[label])).to_pylist()[:3]])
        raise InvalidData(f"{origin.cell(label, 0)}: expected a label, got no label in any row, only {shown}")
    aside = [RowAside(int(row), "", "no label", drops) for row in np.flatnonzero(~labelled)]
    kept = np.flatnonzero(labelled)
    if request.missing != "indicate":
        gaps = _missing_values(columns, types, origin)
        asked = kept[rows_of_classes(y[kept], request.classes, origin.column(label))]
        for row in (row for row in asked.tolist() if row in gaps):
            if not drops:
                raise InvalidData(
                    f"{origin.cell(gaps[row], row)}: expected a value, got nothing; `missing` with indicate or "
                    "drop-rows reads on"
                )
            aside.append(RowAside(row, str(y[row]), f"no value in column {quoted(gaps[row])}", dropped=True))
        kept = np.setdiff1d(kept, [one.position for one in aside])
    kept, others = rows_to_judge(kept, y, origin.column(label), request)
    return kept, tuple(sorted((*aside, *others), key=lambda one: one.position))


def _missing_values(columns: Any, types: Sequence[ColumnType], origin: Origin) -> dict[int, str]:
    """Return the first column without a value for each row that lacks one."""
    gaps: dict[int, str] = {}
    for one in types:
        if one.kind in ("number", "date", "category"):
            values = convert(columns[one.name], one, origin)
            for row in np.flatnonzero(np.asarray(values.is_null(nan_is_null=True))).tolist():
                gaps.setdefault(row, one.name)
    return gaps


def _names_at(rows: RowNames, positions: IntArray) -> RowNames:
    names = positions + rows.first if rows.names is None else np.asarray(rows.names)[positions]
    return replace(rows, names=names)


def _notes(types: Sequence[ColumnType], y: Labels, request: Request) -> list[str]:
    told = [one for one in types if one.note and one.kind != "left out"]
    notes = [f"column {quoted(one.name)} is read as {_PLURAL[one.kind]}: {one.note}" for one in told]
    return notes if request.regression else notes + near_equal(y) + number_notes(y)
