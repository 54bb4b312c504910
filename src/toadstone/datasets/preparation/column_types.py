"""Kinds of the columns of a table, told from their values and the caller's options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from toadstone.core.checks import plainly, quoted
from toadstone.core.errors import InvalidData
from toadstone.datasets.preparation.conversion import (
    ColumnType,
    Origin,
    is_bytes,
    is_number,
    is_text,
    plain,
    read_texts,
)
from toadstone.datasets.preparation.dates import DateFormat, date_formats, has_date
from toadstone.datasets.preparation.numerals import (
    LEADING_ZERO,
    MISSING,
    MISSING_TEXT,
    Notation,
    has_number,
    may_be_grouped,
    notations,
    plain_numbers,
)
from toadstone.datasets.readers.request import Request

FEW_LEVELS = 20
"""Different texts of a column that are categories, however few rows there are."""

_MOSTLY = 0.5
_FEW_NUMBERS = 10
_RARE = 5
_INDEX_NAMES = ("", "rownames", "row.names", "index", "id", "rowid", "row_id", "unnamed: 0")


def infer_types(table: Any, request: Request, origin: Origin) -> tuple[ColumnType, ...]:
    """Tell the kind of each column of an Arrow table.

    Raises
    ------
    InvalidData
        If a column cannot be told safely; the sentence names column, row,
        text and the option that settles it.
    """
    types = tuple(_infer(table[name].combine_chunks(), name, request, origin) for name in table.column_names)
    commas = request.separator == ";" or any(
        isinstance(one.reader, Notation) and one.reader.decimal == "," for one in types
    )
    if commas and request.decimal is None:
        for one in types:
            _refuse_points_beside_commas(table[one.name], one, origin)
    return types


def _refuse_points_beside_commas(column: Any, one: ColumnType, origin: Origin) -> None:
    """Refuse numbers such as "1.072", where other numbers of the file have decimal commas."""
    plainly_read = one.kind == "number" and (
        one.reader is None or (isinstance(one.reader, Notation) and one.reader.plain)
    )
    if not plainly_read or not is_text(column.type):
        return
    shown = _values(pc.utf8_trim_whitespace(plain(column)), MISSING)
    if may_be_grouped(shown):
        example = shown.filter(pc.match_substring(shown, "."))[0].as_py()
        raise InvalidData(
            f"{origin.column(one.name)}: expected numbers that can be read in one way, got {quoted(example)}; "
            "`decimal` says whether the point is the decimal sign (`.`) or separates thousands (`,`)"
        )


def _infer(column: Any, name: str, request: Request, origin: Origin) -> ColumnType:
    stated = "text" if name in request.texts else request.kinds.get(name)
    kind = column.type
    if stated == "id" or name == request.id:
        return ColumnType(name, "left out", note="it names the rows")
    if pa.types.is_null(kind) or column.null_count == len(column):
        return ColumnType(name, "left out", note="it has no values")
    if not _is_usable(kind):
        held = "bytes" if is_bytes(kind) else f"values of type {kind}"
        raise InvalidData(
            f"{origin.column(name)}: expected numbers, text, dates or categories, got {held}; `drop` leaves it out"
        )
    if stated is not None:
        return _stated(plain(column), name, stated, request, origin)
    if pa.types.is_dictionary(kind) or pa.types.is_boolean(kind):
        return ColumnType(name, "category")
    if is_number(kind):
        return _number(column, name)
    if pa.types.is_temporal(kind):
        return ColumnType(name, "date")
    return _of_texts(pc.utf8_trim_whitespace(plain(column)), name, request, origin)


def _is_usable(kind: Any) -> bool:
    held = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(is_number(held) or is_text(held) or pa.types.is_boolean(held) or pa.types.is_temporal(held))


def _stated(column: Any, name: str, stated: str, request: Request, origin: Origin) -> ColumnType:
    if stated in ("category", "text") or not is_text(column.type):
        return ColumnType(name, stated, lenient=True)
    shown = _values(pc.utf8_trim_whitespace(column), MISSING)
    if not len(shown):
        return ColumnType(name, "left out", note="it has no values")
    reader: Notation | DateFormat
    if stated == "date":
        ways = {way.words: int(way.days(shown).null_count) for way in _date_candidates(request)}
        best = min(ways, key=lambda words: ways[words])
        reader, unread, note = DateFormat(best), ways[best], best
    else:
        notation = _best_notation(shown, request)
        reader, unread, note = notation, int(notation.numbers(shown).null_count), ""
    if unread == len(shown):
        raise InvalidData(f"{origin.column(name)}: expected {stated}s, as `types` says, got {quoted(shown[0].as_py())}")
    said = [part for part in (note, _lost(pc.utf8_trim_whitespace(column), reader, stated, origin)) if part]
    return ColumnType(name, stated, reader, note=", ".join(said), lenient=True)


def _lost(texts: Any, reader: Notation | DateFormat, stated: str, origin: Origin) -> str:
    """Count the values that are no numbers or dates though the caller says so; they will be missing."""
    _, unread = read_texts(texts, reader)
    if not unread.any():
        return ""
    row = int(np.argmax(unread))
    count = int(np.count_nonzero(unread))
    return (
        f"{count:,} of {len(texts):,} values are no {stated}s and are missing, such as "
        f"{quoted(texts[row].as_py())} ({origin.rows.full(row)})"
    )


def _best_notation(texts: Any, request: Request) -> Notation:
    """Return the notation that reads most of the texts, of those that some of them call for."""
    # Sorted, so that the order of rows does not choose.
    ordered = sorted(texts.to_pylist())
    some = ordered[:: max(1, len(ordered) // FEW_LEVELS)]
    candidates = [Notation()] + [found for text in some for found in notations(pa.array([text]), request.decimal)]
    return min(candidates, key=lambda one: int(one.numbers(texts).null_count))


def _date_candidates(request: Request) -> list[DateFormat]:
    order = "month/day/year" if request.dayfirst is False else "day/month/year"
    names = ("year-month-day", order, "day month year", "month day, year", "time of day")
    return [DateFormat(words) for words in names]


def _of_texts(texts: Any, name: str, request: Request, origin: Origin) -> ColumnType:
    quick = None if request.decimal == "," else plain_numbers(texts)
    if quick is not None:
        return _number(quick, name)
    shown = _values(texts, MISSING)
    if not len(shown):
        return ColumnType(name, "left out", note="it has no values")
    if _is_label_of_rows(name) and len(shown) == len(texts):
        return ColumnType(name, "left out", note="an index")
    if pc.any(pc.match_substring_regex(shown, LEADING_ZERO)).as_py() and _is_whole(shown):
        return _of_levels(texts, name, "text, for their leading zeros")
    found = notations(shown, request.decimal)
    if found:
        return _number_of_texts(texts, name, _chosen_notation(found, shown, name, request, origin))
    dates = date_formats(shown)
    if dates:
        return _date_of_texts(dates, texts, name, request, origin)
    _refuse_strays(texts, shown, name, origin)
    return _of_levels(texts, name, "")


def _is_whole(shown: Any) -> bool:
    return bool(pc.all(pc.match_substring_regex(shown, r"^[+-]?\d+$")).as_py())


def _values(texts: Any, missing: str) -> Any:
    """Return the distinct texts that are no marks of missing values."""
    unique = pc.unique(texts).drop_null()
    return unique.filter(pc.invert(pc.match_substring_regex(unique, missing)))


def _chosen_notation(found: list[Notation], shown: Any, name: str, request: Request, origin: Origin) -> Notation:
    if len(found) == 1:
        return found[0]
    if request.separator == ";":
        return next(one for one in found if one.decimal == ",")
    example = shown.filter(pc.match_substring_regex(shown, r"\d,\d"))[0].as_py()
    raise InvalidData(
        f"{origin.column(name)}: expected numbers that can be read in one way, got {quoted(example)}; "
        "`decimal` says whether the comma is the decimal sign (`,`) or separates thousands (`.`)"
    )


def _number_of_texts(texts: Any, name: str, notation: Notation) -> ColumnType:
    numbers = notation.numbers(texts)
    marks = pc.unique(texts.filter(pc.is_null(numbers))).drop_null().to_pylist()
    marks = [mark for mark in marks if mark not in ("", "NA", "NaN", "nan")]
    said = [notation.words] if notation.words else []
    said += [f"{', '.join(map(quoted, marks[:3]))} missing"] if marks else []
    if not said and _is_index(numbers, name):
        return ColumnType(name, "left out", note="an index")
    return ColumnType(name, "number", notation, note=", ".join(said))


def _date_of_texts(dates: list[DateFormat], texts: Any, name: str, request: Request, origin: Origin) -> ColumnType:
    first = {True: "day/month/year", False: "month/day/year", None: ""}[request.dayfirst]
    wanted = [one for one in dates if one.words == first] or dates
    if len(wanted) > 1 and not wanted[0].days(texts).equals(wanted[1].days(texts)):
        example = _values(texts, MISSING)[0].as_py()
        raise InvalidData(
            f"{origin.column(name)}: expected dates that can be read in one way, got {quoted(example)}; "
            "`dayfirst` says that the day comes first, its opposite --monthfirst (dayfirst=False) that the month does"
        )
    return ColumnType(name, "date", wanted[0], note="" if wanted[0].words == "year-month-day" else wanted[0].words)


def _refuse_strays(texts: Any, shown: Any, name: str, origin: Origin) -> None:
    """Refuse numbers of several notations, and columns that are mostly numbers or dates but not all."""
    for what, found in (("number", has_number(shown)), ("date", has_date(shown))):
        fitting = pc.is_in(texts, shown.filter(found))
        present = pc.is_in(texts, shown)
        share = pc.sum(fitting).as_py() / max(1, pc.sum(present).as_py()) if len(texts) else 0.0
        whole = pc.all(found).as_py()
        if share < _MOSTLY or len(shown) <= (_FEW_NUMBERS if whole else FEW_LEVELS):
            continue
        shortly = plainly(name)
        options = f"`types` with {shortly}={what} reads such values as missing, with {shortly}=category as a category"
        if whole:
            first, other = _unlike(shown)
            row = int(np.argmax(np.asarray(pc.equal(texts, other).fill_null(fill_value=False))))
            raise InvalidData(
                f"{origin.cell(name, row)}: expected {what}s in one notation, got {quoted(other)} beside "
                f"{quoted(first)}; {options}"
            )
        row = int(np.argmax(np.asarray(pc.and_not(present, fitting))))
        raise InvalidData(
            f"{origin.cell(name, row)}: expected a {what} as in most rows, got {quoted(texts[row].as_py())}; {options}"
        )


def _unlike(shown: Any) -> list[str]:
    """Return two texts that are not written in one notation."""
    texts = shown.to_pylist()
    other = next((text for text in texts[1:] if not notations(pa.array([texts[0], text]))), texts[-1])
    return [texts[0], other]


def _of_levels(texts: Any, name: str, note: str) -> ColumnType:
    counts = pc.value_counts(texts.filter(pc.invert(pc.match_substring_regex(texts, MISSING_TEXT))))
    levels, often = len(counts), pc.max(pc.struct_field(counts, "counts")).as_py() or 0
    if levels <= FEW_LEVELS and levels < max(2, len(texts)):
        return ColumnType(name, "category", note=note)
    if levels > len(texts) / 2 or often < _RARE:
        return ColumnType(name, "left out", note=f"{levels:,} different texts in {len(texts):,} rows", unlike=True)
    return ColumnType(name, "category", note=note)


def _number(numbers: Any, name: str) -> ColumnType:
    return ColumnType(name, "left out", note="an index") if _is_index(numbers, name) else ColumnType(name, "number")


def _is_label_of_rows(name: str) -> bool:
    lowered = name.strip().lower()
    return lowered in _INDEX_NAMES or lowered.endswith(("_id", " id"))


def _is_index(numbers: Any, name: str) -> bool:
    """Return True for distinct whole numbers in a column without a name, or with that of an index."""
    if not _is_label_of_rows(name):
        return False
    values = pc.cast(numbers, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    whole = bool(np.isfinite(values).all()) and bool(np.all(values == np.floor(values)))
    return whole and len(np.unique(values)) == len(values)
