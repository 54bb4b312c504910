"""JSON: one object a line, or an array of objects; a key is a column.

Numbers keep their literal text, so that no digit is lost. A key that an object
lacks, and null, are missing values. Values that are objects or lists are no
table and refused, unless their column is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from toadstone.core.arrays import IntArray
from toadstone.core.errors import InvalidData
from toadstone.core.row_names import RowNames
from toadstone.datasets.readers.changes import WEIGHT, Changes
from toadstone.datasets.readers.content import Content, inflation_limit, too_large
from toadstone.datasets.readers.files import check_rows
from toadstone.datasets.readers.formats.plain_text import decode, joined, lines
from toadstone.datasets.readers.request import Request
from toadstone.datasets.readers.tables import LABEL_NAMES, Table

_BLANKS = " \t\r\n"
_CELL = 8


class _DuplicateKeyError(ValueError):
    """A key that occurs twice in one object."""


def _record(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _DuplicateKeyError(next(key for key in keys if keys.count(key) > 1))
    return found


_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_record)


def table(content: Content, request: Request) -> tuple[Table, Request]:
    """Read all values as text, under the keys in the order of their first appearance.

    Raises
    ------
    InvalidArgument
        If an option is for delimited text.
    InvalidData
        If a record is broken, is no object, holds a key twice or nested
        values; the message names its line or number.
    """
    replace(request, encoding=None).refuse_notation("a JSON file")
    text = decode(content, request.encoding).text.decode()
    rows, records = _read(text, content)
    return Table(content.name, _columns(records, rows, content, request), rows, untyped=True), request


def write_rows(content: Content, rows: IntArray, request: Request) -> bytes:
    """Return the given records, character for character, in file order.

    Raises
    ------
    InvalidArgument
        If a row does not exist.
    """
    decoded = decode(content, request.encoding)
    text = decoded.text.decode()
    if _is_array(text, content):
        spans = [span for span, _ in _array(text, content)]
        check_rows(rows, len(spans))
        return decoded.encoded(_kept_objects(text, spans, rows, [text[slice(*span)] for span in spans]).encode())
    whole = [line.whole.encode() for line in lines(text) if line.text]
    check_rows(rows, len(whole))
    return decoded.encoded(joined([whole[row] for row in rows.tolist()]))


def write_changed(content: Content, rows: IntArray, request: Request, label: str, changes: Changes) -> bytes:
    """Return what `write_rows` does, with other values of the label, and the weights as a last key of each record.

    Raises
    ------
    InvalidArgument
        If a row does not exist, or there is a key for the weights already.
    """
    decoded = decode(content, request.encoding)
    text = decoded.text.decode()
    records = _read(text, content)[1]
    changes.check_names(list({key for record in records for key in record}))
    check_rows(rows, len(records))
    array = _is_array(text, content)
    spans = [span for span, _ in _array(text, content)] if array else []
    whole = [text[slice(*span)] for span in spans] if array else [line.whole for line in lines(text) if line.text]
    made, weights = dict(enumerate(whole)), changes.weights(rows)
    for number, (row, other) in enumerate(zip(rows.tolist(), changes.labels_from(rows), strict=True)):
        if row != other:
            (begin, end), taken = _value_span(whole[row], label), slice(*_value_span(whole[other], label))
            made[row] = whole[row][:begin] + whole[other][taken] + whole[row][end:]
        if weights is not None:
            end = made[row].rindex("}")
            made[row] = f'{made[row][:end].rstrip(_BLANKS)}, "{WEIGHT}": {weights[number]!r}{made[row][end:]}'
    if array:
        return decoded.encoded(_kept_objects(text, spans, rows, made).encode())
    return decoded.encoded(joined([made[row].encode() for row in rows.tolist()]))


def _value_span(record: str, key: str) -> tuple[int, int]:
    """Return where the value of a key begins and ends in the text of an object that has it."""
    position, name = record.index("{"), None
    begin = end = position
    while name != key:
        name, position = _DECODER.raw_decode(record, _after_blanks(record, position + 1))
        name = name.strip()
        begin = _after_blanks(record, _after_blanks(record, position) + 1)
        end = _DECODER.raw_decode(record, begin)[1]
        position = _after_blanks(record, end)
    return begin, end


def _kept_objects(
    text: str, spans: list[tuple[int, int]], rows: IntArray, objects: Sequence[str] | Mapping[int, str]
) -> str:
    if not spans:
        return text
    between = text[spans[0][1] : spans[1][0]] if len(spans) > 1 else ","
    kept = between.join(objects[row] for row in rows.tolist())
    return text[: spans[0][0]] + kept + text[spans[-1][1] :]


def _is_array(text: str, content: Content) -> bool:
    return content.ending not in (".jsonl", ".ndjson") and text.lstrip(_BLANKS).startswith("[")


def _read(text: str, content: Content) -> tuple[RowNames, list[dict[str, Any]]]:
    if _is_array(text, content):
        return RowNames("row"), [record for _, record in _array(text, content)]
    rows = [line for line in lines(text) if line.text]
    names = RowNames("line", names=np.array([line.number for line in rows], dtype=np.int64))
    records = []
    for position, line in enumerate(rows):
        record, end = _parsed(line.text, 0, f"{content.name}, {names.full(position)}")
        if line.text[end:]:
            raise InvalidData(
                f"{content.name}, {names.full(position)}: expected one object a line, got {line.text[end:][:40]!r} "
                "after it"
            )
        records.append(record)
    return names, records


def _array(text: str, content: Content) -> Iterator[tuple[tuple[int, int], dict[str, Any]]]:
    """Yield the place of each object of an array, and the object."""
    position = _after_blanks(text, _after_blanks(text, 0) + 1)
    number = 1
    closed = text[position : position + 1] == "]"
    while not closed:
        record, end = _parsed(text, position, f"{content.name}, row {number}")
        yield (position, end), record
        position = _after_blanks(text, end)
        mark = text[position : position + 1]
        if mark not in (",", "]") or not mark:
            got = repr(text[position : position + 40]) if mark else "the end of the file"
            raise InvalidData(f"{content.name}: expected a comma or the end of the array after row {number}, got {got}")
        closed, number = mark == "]", number + 1
        position = position if closed else _after_blanks(text, position + 1)
    rest = text[position + 1 :].strip(_BLANKS)
    if rest:
        raise InvalidData(f"{content.name}: expected nothing after the array, got {rest[:40]!r}")


def _after_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position] in _BLANKS:
        position += 1
    return position


def _parsed(text: str, position: int, what: str) -> tuple[dict[str, Any], int]:
    """Return the object at a position, and where it ends."""
    shown = repr(text[position : position + 40].split("\n")[0])
    try:
        record, end = _DECODER.raw_decode(text, position)
    except _DuplicateKeyError as error:
        raise InvalidData(f"{what}: expected keys that differ, got {error.args[0]!r} twice") from None
    except RecursionError:
        raise InvalidData(f"{what}: expected plain values, got values nested hundreds of times") from None
    except ValueError as error:
        place = f" in line {error.lineno}" if isinstance(error, json.JSONDecodeError) and position else ""
        reason = str(error).partition(":")[0].lower()
        raise InvalidData(f"{what}: expected a JSON object, got {shown}{place}: {reason}") from None
    if not isinstance(record, dict):
        raise InvalidData(f'{what}: expected an object such as {{"label": 1, "x": 2.5}}, got {shown}')
    return record, end


def _columns(records: list[dict[str, Any]], rows: RowNames, content: Content, request: Request) -> Any:
    columns: dict[str, list[str | None]] = {}
    limit = inflation_limit(len(content.data))
    for position, record in enumerate(records):
        for key, value in record.items():
            column = columns.setdefault(key, [])
            column.extend([None] * (position - len(column)))
            column.append(_text(value, key, f"{content.name}: column {key!r}, {rows.full(position)}", request))
        # Each record may bring a key of its own: the table would be their square.
        if len(columns) * len(records) * _CELL > limit:
            raise InvalidData(too_large(content.name, limit))
    if records and not columns:
        raise InvalidData(f"{content.name}: expected objects with keys, got empty ones")
    for column in columns.values():
        column.extend([None] * (len(records) - len(column)))
    arrays = [_arrow(column, key, rows, content) for key, column in columns.items()]
    return pa.Table.from_arrays(arrays, names=list(columns))


def _text(value: Any, key: str, what: str, request: Request) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if _is_left_out(key.strip(), request):
        return None
    several = isinstance(value, list)
    kind = "a list" if several else "an object"
    if several and (key.strip() == request.label or (request.label is None and key.strip().lower() in LABEL_NAMES)):
        raise InvalidData(f"{what}: expected one label a row, got a list: several labels a row cannot be used")
    raise InvalidData(f"{what}: expected a number, a text, true, false or null, got {kind}; `drop` leaves it out")


def _is_left_out(key: str, request: Request) -> bool:
    if key == request.label:
        return False
    return key in (request.drop or ()) or (
        request.columns is not None and key not in (*request.columns, *request.texts, request.id)
    )


def _arrow(column: list[str | None], key: str, rows: RowNames, content: Content) -> Any:
    try:
        key.encode()
        array = pa.array(column, pa.string())
    except UnicodeEncodeError:
        bad = next((row for row, text in enumerate(column) if text is not None and _is_broken(text)), 0)
        raise InvalidData(
            f"{content.name}: column {key!r}, {rows.full(bad)}: expected text, got half of a surrogate pair"
        ) from None
    except (pa.ArrowException, OverflowError):
        raise InvalidData(too_large(content.name, inflation_limit(len(content.data)))) from None
    for row, text in enumerate(column):
        # NumPy cuts trailing NUL characters off, and two labels would become one.
        if text is not None and "\0" in text:
            raise InvalidData(f"{content.name}: column {key!r}, {rows.full(row)}: expected text, got a NUL character")
    return array


def _is_broken(text: str) -> bool:
    return any("\ud800" <= mark <= "\udfff" for mark in text)
