"""JSON lines and arrays of objects: as many records as the file has, digit for digit, and copied as they stand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.readers.content import Content
from toadstone.datasets.readers.formats.json_records import table, write_rows
from toadstone.datasets.readers.read import read, read_source
from toadstone.datasets.readers.request import Request


def _content(data: bytes | str, ending: str = ".jsonl") -> Content:
    return Content(f"file{ending}", ending, "", data.encode() if isinstance(data, str) else data, "", None)


def _rows(data: bytes | str, ending: str = ".jsonl", **options: Any) -> list[dict[str, Any]]:
    return table(_content(data, ending), Request(**options))[0].columns.to_pylist()


def test_values_keep_their_literal_text() -> None:
    text = '{"a": 1e400, "b": 18446744073709551617, "c": 0.10, "d": true, "e": null, "f": "07"}\n{"b": -0, "g": ""}\n'
    first, second = _rows(text)
    assert first == {
        "a": "1e400",
        "b": "18446744073709551617",
        "c": "0.10",
        "d": "true",
        "e": None,
        "f": "07",
        "g": None,
    }
    assert second == {"a": None, "b": "-0", "c": None, "d": None, "e": None, "f": None, "g": ""}
    assert list(first) == list("abcdefg")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_blank_lines_and_byte_order_mark(end: str, mark: bytes) -> None:
    lines = ["", '{"a": 1}', "  ", '{"a": "x\\r\\n\u2028y"}', ""]
    found, _ = table(_content(mark + end.join(lines).encode()), Request())
    assert found.columns.to_pylist() == [{"a": "1"}, {"a": "x\r\n\u2028y"}]
    assert [found.rows.full(row) for row in range(2)] == ["line 2", "line 4"]


def test_other_encodings() -> None:
    text = '{"a": "é"}\n{"a": "b"}\n'
    assert [row["a"] for row in _rows(text.encode("utf-16"))] == ["é", "b"]
    assert [row["a"] for row in _rows(text.encode("latin-1"), encoding="latin-1")] == ["é", "b"]
    content = _content(text.encode("utf-16"))
    assert write_rows(content, np.array([0]), Request()) == '{"a": "é"}\n'.encode("utf-16")


@pytest.mark.parametrize(
    ("data", "ending", "sentence"),
    [
        ('{"a": 1}\n{"a": 1, "a": 2}', ".jsonl", r"line 2: expected keys that differ, got 'a' twice"),
        ('{"a": 1}\n{"a": {"b": 2}}', ".jsonl", r"column 'a', line 2: expected a number, .* got an object; `drop`"),
        ('{"a": 1}\n{"a": [2]}', ".jsonl", r"column 'a', line 2: expected a number, .* got a list; `drop`"),
        ('{"label": ["x", "y"]}', ".jsonl", r"column 'label', line 1: expected one label a row, .* several labels"),
        ('{"a": 1}\n\n{"a": 1', ".jsonl", r"line 3: expected a JSON object, got '\{\"a\": 1'"),
        ('{"a": 1} {"a": 2}\n', ".jsonl", r"line 1: expected one object a line, got ' \{\"a\": 2\}' after it"),
        ('{"a": 1}\n[1, 2]', ".jsonl", r"line 2: expected an object such as .* got '\[1, 2\]'"),
        ('{"a": 1}\n3', ".jsonl", r"line 2: expected an object such as .* got '3'"),
        ('{"a": 1}\n{"a": "x\0y"}', ".jsonl", r"got a NUL byte in line 2"),
        ('{"a": 1}\n{"a": "x\\u0000"}', ".jsonl", r"column 'a', line 2: expected text, got a NUL character"),
        ('{"a": 1}\n{"a": "\\ud800"}', ".jsonl", r"column 'a', line 2: expected text, got half of a surrogate pair"),
        ('{"\\ud800": 1}', ".jsonl", r"expected text, got half of a surrogate pair"),
        (b'{"a": 1}\n{"a": "\xe9"}', ".jsonl", r"expected UTF-8 text, got the byte 0xe9 in line 2; `encoding`"),
        ("{}\n{}", ".jsonl", r"expected objects with keys, got empty ones"),
        ('{"a": ' + "[" * 100_000, ".jsonl", r"line 1: expected plain values, got values nested hundreds of times"),
        ('[{"a": 1},\n {"a": 1, "a": 2}]', ".json", r"row 2: expected keys that differ, got 'a' twice"),
        ('[{"a": 1},\n {"a": [1]}]', ".json", r"column 'a', row 2: expected a number"),
        ('[{"a": 1},\n {"a": 1},]', ".json", r"row 3: expected a JSON object, got '\]' in line 2"),
        ('[{"a": 1}\n {"a": 1}]', ".json", r"expected a comma or the end of the array after row 1, got '\{"),
        ('[{"a": 1},\n {"a": 1}', ".json", r"after row 2, got the end of the file"),
        ('[{"a": 1}] x', ".json", r"expected nothing after the array, got 'x'"),
        ('[{"a": 1}, 2]', ".json", r"row 2: expected an object"),
        ("[" * 100_000, ".json", r"row 1: expected plain values, got values nested hundreds of times"),
        ('{"a": [1],\n "b": [2]}', ".json", r"line 1: expected a JSON object"),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(data: bytes | str, ending: str, sentence: str) -> None:
    with pytest.raises(InvalidData, match=sentence):
        _rows(data, ending)


def test_nested_columns_can_be_left_out() -> None:
    text = '{"a": 1, "meta": {"deep": [1]}, "label": 0}\n'
    assert _rows(text, drop="meta") == [{"a": "1", "meta": None, "label": "0"}]
    assert _rows(text, columns="a") == [{"a": "1", "meta": None, "label": "0"}]
    with pytest.raises(InvalidData, match="column 'meta', line 1"):
        _rows(text, columns="a,meta")


def test_as_many_keys_as_records_do_not_take_the_square_of_the_memory() -> None:
    text = "\n".join(json.dumps({f"k{row}": 1}) for row in range(20_000))
    with pytest.raises(InvalidData, match="once inflated"):
        _rows(text)


def test_options_of_delimited_text_do_not_apply() -> None:
    with pytest.raises(InvalidArgument, match="`separator`: expected nothing for a JSON file"):
        _rows('{"a": 1}', separator=";")


def test_kept_objects_of_an_array_stand_as_they_stood() -> None:
    text = '\ufeff [\n  {"a": 1.50,  "b": "]},{"},\n  {"a":\n 2},\n  {"a": 3e0}\n]\n'
    content = _content(text, ".json")
    kept = write_rows(content, np.array([0, 2]), Request()).decode()
    assert kept == '\ufeff [\n  {"a": 1.50,  "b": "]},{"},\n  {"a": 3e0}\n]\n'
    assert write_rows(content, np.arange(3), Request()).decode() == text
    assert json.loads(write_rows(content, np.array([], dtype=int), Request()).decode("utf-8-sig")) == []
    with pytest.raises(InvalidArgument, match="`rows`: expected row numbers below 3, got 3"):
        write_rows(content, np.array([3]), Request())


def test_a_file_is_split_and_written(tmp_path: Path) -> None:
    lines = [json.dumps({"x": row / 7, "word": "a" if row % 3 else "b", "label": row % 2}) for row in range(40)]
    for name, text in (("rows.jsonl", "\n".join(lines)), ("rows.json", "[" + ", ".join(lines) + "]")):
        (tmp_path / name).write_text(text)
        source = read_source(tmp_path / name, Request())
        assert (len(source.split.train), len(source.split.test)) == (32, 8)
        assert source.split.train.classes.tolist() == [0, 1]
        written = source.write_rows([1, 39], tmp_path, stem=f"kept-{name}")
        assert json.loads(lines[39]) in _rows_of(written)
        assert len(read(tmp_path / name).whole()) == 40


def _rows_of(path: Path) -> list[Any]:
    text = path.read_text()
    return json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]


_VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8)
_RECORDS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "c", ","]), _VALUES | _TEXTS, min_size=1), min_size=1)


@settings(max_examples=150, deadline=None)
@given(_RECORDS, st.booleans(), st.sampled_from(["\n", "\r\n", "\n\n"]), st.data())
def test_records_read_are_the_records_of_the_file(records: list[dict], ascii_only: bool, end: str, data: Any) -> None:
    lines = [json.dumps(record, ensure_ascii=ascii_only) for record in records]
    expected = [
        {key: value if value is None or isinstance(value, str) else json.dumps(value) for key, value in record.items()}
        for record in records
    ]
    rows = np.array(sorted(data.draw(st.sets(st.integers(0, len(records) - 1), min_size=1))))
    for text, ending in ((end.join(lines), ".jsonl"), ("[" + f",{end}".join(lines) + "]", ".json")):
        content = _content(text, ending)
        found = _rows(text, ending)
        assert [{key: row[key] for key in record} for row, record in zip(found, records, strict=True)] == expected
        kept = _rows(write_rows(content, rows, Request()), ending)
        assert [{k: v for k, v in row.items() if v is not None} for row in kept] == [
            {k: v for k, v in found[row].items() if v is not None} for row in rows.tolist()
        ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-be"])
def test_rows_are_written_in_the_bytes_that_the_file_has(tmp_path: Path, encoding: str) -> None:
    text = "\ufeff" + "".join(f'{{"a": {i}, "label": "{"é" if i % 2 else "b"}"}}\r\n' for i in range(20))
    path = tmp_path / "rows.jsonl"
    path.write_bytes(text.encode(encoding))
    written = read_source(path, Request()).write_rows(range(20), tmp_path, stem="kept")
    assert written.read_bytes() == path.read_bytes()
