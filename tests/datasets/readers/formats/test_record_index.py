"""Records of delimited text: where each begins and ends, on which line, and how many values it has."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toadstone.datasets.readers.formats.record_index import index_records


def records(text: str, separator: str = ",", *, quoted: bool = True) -> list[str]:
    content = text.encode()
    found = index_records(content, separator, quoted=quoted)
    pairs = zip(found.starts.tolist(), found.ends.tolist(), strict=True)
    return [content[start:end].decode() for start, end in pairs]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('1,5"" disk\n2,x\n', ['1,5"" disk\n', "2,x\n"]),
        ('1,5" disk\n2,x', ['1,5" disk\n', "2,x"]),
        ('1,"open\n2,x\n', ['1,"open\n2,x\n']),
        ('1,"a ""b""\nc"\n\n2,x\n', ['1,"a ""b""\nc"\n', "2,x\n"]),
        ("1,x\r\n2,x\r3,x\n\r4,x", ["1,x\r\n", "2,x\r", "3,x\n", "4,x"]),
        ("\n\r\n\r1,x", ["1,x"]),
        ("1,x\v2\f3\x1c4\x85\u2028\n", ["1,x\v2\f3\x1c4\x85\u2028\n"]),
        ("", []),
    ],
    ids=["two quotes in a bare value", "no end", "never closed", "blank line", "line ends", "blank", "others", "empty"],
)
def test_records_end_where_no_quote_is_open(text: str, expected: list[str]) -> None:
    assert records(text) == expected


def test_quotes_without_meaning() -> None:
    assert records('1,"open\n2,"x"y\n', quoted=False) == ['1,"open\n', '2,"x"y\n']


@pytest.mark.parametrize(
    ("text", "stray", "opened"),
    [
        ('a,b\n1,"x"\n', None, None),
        ('a,b\n1,"x" y\n2,"\n', 2, 3),
        ('a,b\n1,"x\n\ny" z\n', 2, None),
        ('a,b\n1,x\n\n"2,x\n3,x\n', None, 4),
        ('a,b\n1,"x""', None, 2),
        ('a,b\n1,"x"', None, None),
        ('a,b\n1, "x"y\n', None, None),
    ],
)
def test_faulty_quotes_are_told_by_the_line_where_they_open(text: str, stray: int | None, opened: int | None) -> None:
    found = index_records(text.encode(), ",", quoted=True)
    assert (found.stray_quote, found.open_quote) == (stray, opened)


def test_records_whose_lines_look_like_rows() -> None:
    found = index_records(b'a,b\n"x,1\ny",2\n"x\ny",2\n1,2\n', ",", quoted=True)
    assert found.spans.tolist() == [1, 2, 2, 1]
    assert found.values.tolist() == [2, 2, 2, 2]
    assert found.row_like.tolist() == [False, True, False, False]


_value = st.text(alphabet='ab",\n\r ', max_size=6)


@given(st.lists(st.lists(_value, min_size=2, max_size=3), min_size=1, max_size=6))
def test_records_are_those_of_the_standard_parser(table: list[list[str]]) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows(table)
    text = buffer.getvalue()
    found = records(text)
    assert "".join(found) == text
    assert [next(csv.reader(io.StringIO(record, newline=""))) for record in found] == table
    index = index_records(text.encode(), ",", quoted=True)
    assert index.values.tolist() == [len(row) for row in table]
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert index.spans.sum() == len(lines) - 1
    assert all(lines[line - 1].startswith('"') for line in index.lines.tolist())
