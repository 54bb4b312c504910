"""ARFF, and the .dat files of KEEL: a header of attributes, then one row a line.

SciPy's reader knows neither texts nor KEEL's lines, and does not keep the
digits of numbers. Here every value stays text; the header tells which columns
are categories, and is checked against the rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from toadstone.core.arrays import IntArray
from toadstone.core.checks import quoted
from toadstone.core.errors import InvalidData
from toadstone.core.row_names import RowNames
from toadstone.datasets.readers.changes import WEIGHT, Changes
from toadstone.datasets.readers.content import Content
from toadstone.datasets.readers.files import check_rows
from toadstone.datasets.readers.formats.plain_text import Decoded, Line, decode, joined, lines
from toadstone.datasets.readers.request import Request
from toadstone.datasets.readers.tables import Table, label_column

_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_VALUE = re.compile(rf"[ \t]*(?:({_QUOTED})|([^,'\"][^,]*|))[ \t]*(,|\Z)")
_ATTRIBUTE = re.compile(rf"({_QUOTED}|[^\s{{\[]+)\s*(.*)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:inf|infinity)|nan", re.IGNORECASE)
_NUMERIC = ("numeric", "real", "integer", "float", "double", "int")
_OTHERS = ("string", "date")
_MISSING = ("?", "<null>")
_ROLES = ("@input", "@inputs", "@output", "@outputs")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True)
class _Attribute:
    """A column: its name, and its levels if it is nominal; `numeric` if its values have to be numbers."""

    name: str
    levels: frozenset[str] | None
    numeric: bool


@dataclass(frozen=True)
class _Parts:
    """Attributes and output names of a header, the lines up to ``@data``, and the lines of rows."""

    attributes: tuple[_Attribute, ...]
    outputs: tuple[str, ...]
    header: str
    rows: tuple[Line, ...]
    decoded: Decoded


def table(content: Content, request: Request) -> tuple[Table, Request]:
    """Read all values as text; rows are named by their lines.

    Returns
    -------
    table : Table
    request : Request
        With nominal columns as categories, and KEEL's output as the label,
        where the caller does not say otherwise.

    Raises
    ------
    InvalidArgument
        If an option is for delimited text.
    InvalidData
        If the header is broken, or a row does not fit it; the message names
        the line.
    """
    replace(request, encoding=None).refuse_notation("an ARFF file")
    parts = _parts(content, request)
    values = [_values(line, parts.attributes, content.name) for line in parts.rows]
    columns = [pa.array(column, pa.string()) for column in zip(*values, strict=True)]
    names = [attribute.name for attribute in parts.attributes]
    columns = columns or [pa.array([], pa.string()) for _ in names]
    rows = RowNames("line", names=np.array([line.number for line in parts.rows], dtype=np.int64))
    found = Table(content.name, pa.Table.from_arrays(columns, names=names), rows, untyped=True)
    if request.label is None and len(parts.outputs) == 1:
        request = replace(request, label=parts.outputs[0])
    return found, _with_categories(found, parts.attributes, request)


def write_rows(content: Content, rows: IntArray, request: Request) -> bytes:
    """Return the header and the lines of the given rows, character for character, in file order.

    Raises
    ------
    InvalidArgument
        If a row does not exist.
    """
    parts = _parts(content, request)
    check_rows(rows, len(parts.rows))
    header, chosen = parts.header.encode(), joined([parts.rows[row].whole.encode() for row in rows.tolist()])
    return parts.decoded.encoded(joined([header, chosen]) if chosen else header)


def write_changed(content: Content, rows: IntArray, request: Request, label: str, changes: Changes) -> bytes:
    """Return what `write_rows` does, with other values of the label, and the weights as a last attribute.

    Raises
    ------
    InvalidArgument
        If a row does not exist, or there is an attribute for the weights already.
    """
    parts = _parts(content, request)
    check_rows(rows, len(parts.rows))
    names = [attribute.name for attribute in parts.attributes]
    changes.check_names(names)
    place, whole = names.index(label), [line.whole for line in parts.rows]
    made, weights, header = [whole[row] for row in rows.tolist()], changes.weights(rows), parts.header
    for number, (row, other) in enumerate(zip(rows.tolist(), changes.labels_from(rows), strict=True)):
        if row != other:
            (begin, end), taken = _value_span(whole[row], place), slice(*_value_span(whole[other], place))
            made[number] = whole[row][:begin] + whole[other][taken] + whole[row][end:]
    if weights is not None:
        made = [_with_value(line, repr(weight)) for line, weight in zip(made, weights, strict=True)]
        *above, data = [line.whole for line in lines(header)]
        line_end = above[-1][len(above[-1].rstrip("\r\n")) :]
        header = "".join([*above, f"@attribute {WEIGHT} numeric{line_end}", data])
    chosen = joined([line.encode() for line in made])
    return parts.decoded.encoded(joined([header.encode(), chosen]) if chosen else header.encode())


def _value_span(line: str, place: int) -> tuple[int, int]:
    """Return where a value of a row begins and ends, its quotation marks included."""
    position, span = len(line) - len(line.lstrip(" \t")), (0, 0)
    end = len(line.rstrip(" \t\r\n"))
    for _ in range(place + 1):
        match = _VALUE.match(line, position, end)
        if match is None:
            raise RuntimeError("a row that was read has fewer values than before")
        begin, last = match.span(1 if match[1] else 2)
        span, position = (begin, begin + len(line[begin:last].rstrip(" \t"))), match.end()
    return span


def _with_value(line: str, value: str) -> str:
    end = len(line.rstrip(" \t\r\n"))
    return f"{line[:end]},{value}{line[end:]}"


def _with_categories(table: Table, attributes: Sequence[_Attribute], request: Request) -> Request:
    label = label_column(table, request)
    nominal = {one.name: "category" for one in attributes if one.levels is not None and one.name != label}
    taken = (*request.texts, *(request.drop or ()), request.id)
    if request.columns is not None:
        nominal = {name: kind for name, kind in nominal.items() if name in request.columns}
    return replace(request, types={name: kind for name, kind in nominal.items() if name not in taken} | request.kinds)


def _parts(content: Content, request: Request) -> _Parts:
    decoded = decode(content, request.encoding)
    all_lines = lines(decoded.text.decode())
    attributes: list[_Attribute] = []
    outputs: tuple[str, ...] = ()
    for position, line in enumerate(all_lines):
        keyword, _, rest = line.text.partition(" ") if " " in line.text else line.text.partition("\t")
        keyword = keyword.lower()
        if not keyword or keyword.startswith("%") or keyword == "@relation":
            continue
        if keyword == "@data":
            header = "".join(one.whole for one in all_lines[: position + 1])
            rows = tuple(one for one in all_lines[position + 1 :] if one.text and not one.text.startswith("%"))
            _check_names(attributes, content.name)
            return _Parts(tuple(attributes), outputs, header, rows, decoded)
        if keyword == "@attribute":
            attributes.append(_attribute(rest.strip(), line, content.name))
        elif keyword in _ROLES:
            outputs = tuple(name.strip() for name in rest.split(",")) if keyword.startswith("@output") else outputs
        else:
            raise InvalidData(
                f"{content.name}, line {line.number}: expected @relation, @attribute or @data, got {line.text[:40]!r}"
            )
    raise InvalidData(f"{content.name}: expected a line @data, got none")


def _check_names(attributes: Sequence[_Attribute], source: str) -> None:
    times = Counter(attribute.name for attribute in attributes)
    repeated = [name for name, count in times.items() if count > 1]
    if repeated or not times:
        got = f"{repeated[0]!r} twice" if repeated else "none"
        raise InvalidData(f"{source}: expected attributes with names that differ, got {got}")


def _attribute(text: str, line: Line, source: str) -> _Attribute:
    what = f"{source}, line {line.number}"
    match = _ATTRIBUTE.fullmatch(text)
    name, kind = (_unquoted(match[1]).strip(), match[2].strip()) if match else ("", "")
    if not name:
        raise InvalidData(f"{what}: expected a name and a type of an attribute, got {line.text[:40]!r}")
    if kind.startswith("{") and kind.endswith("}"):
        levels = _split(kind[1:-1], f"{what}: attribute {name!r}")
        return _Attribute(name, frozenset(value for value in levels if value is not None), numeric=False)
    word = re.split(r"[\s\[]", kind.lower(), maxsplit=1)[0]
    if word not in (*_NUMERIC, *_OTHERS):
        raise InvalidData(
            f"{what}: expected an attribute of type numeric, nominal {{a, b}}, string or date, got {kind[:40]!r}"
        )
    return _Attribute(name, None, numeric=word in _NUMERIC)


def _values(line: Line, attributes: Sequence[_Attribute], source: str) -> list[str | None]:
    what = f"{source}, line {line.number}"
    if line.text.startswith("{"):
        raise InvalidData(
            f"{what}: expected all values of a row, got a sparse row, {line.text[:40]!r}; write it as SVMlight or CSV"
        )
    values = _split(line.text, what)
    if len(values) != len(attributes):
        raise InvalidData(
            f"{what}: expected {len(attributes)} values, one for each attribute, got {len(values)}: {line.text[:40]!r}"
        )
    for value, attribute in zip(values, attributes, strict=True):
        if value is None:
            continue
        if attribute.levels is not None and value not in attribute.levels:
            raise InvalidData(
                f"{what}: expected a level that attribute {quoted(attribute.name)} declares, got {quoted(value)}"
            )
        if attribute.numeric and not _NUMBER.fullmatch(value):
            raise InvalidData(f"{what}: expected a number of attribute {quoted(attribute.name)}, got {quoted(value)}")
    return values


def _split(text: str, what: str) -> list[str | None]:
    """Return the values between commas, without quotation marks; None for a missing one."""
    values: list[str | None] = []
    position, more = 0, True
    while more:
        match = _VALUE.match(text, position)
        if match is None:
            raise InvalidData(f"{what}: expected a value, plain or in quotation marks, got {text[position:][:40]!r}")
        quoted, plain, mark = match.groups()
        values.append(_unquoted(quoted) if quoted else None if plain.strip() in _MISSING else plain.strip())
        position, more = match.end(), mark == ","
    return values


def _unquoted(text: str) -> str:
    if text[:1] not in ("'", '"'):
        return text
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), text[1:-1])
