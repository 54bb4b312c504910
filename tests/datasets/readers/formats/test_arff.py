"""ARFF and KEEL files: read as SciPy reads them where it can, and further; refused by line where they do not fit."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import arff

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.readers.content import Content
from toadstone.datasets.readers.formats.arff import table, write_rows
from toadstone.datasets.readers.read import read, read_source
from toadstone.datasets.readers.request import Request

HEADER = (
    "% made up\n@RELATION 'two words'\n\n@attribute 'a b' numeric\n@attribute kind {x, 'y z', 7}\n"
    "@ATTRIBUTE class {p,q}\n@DATA\n"
)
KEEL = (
    "@relation made\n@attribute At1 real[0.0,1.0]\n@attribute At2 integer [0, 9]\n@attribute Out{pos, neg}\n"
    "@inputs At1, At2\n@outputs Out\n@data\n"
)


def _content(text: str, ending: str = ".arff") -> Content:
    return Content(f"file{ending}", ending, "", text.encode(), "", None)


def _rows(text: str, **options: Any) -> list[dict[str, Any]]:
    return table(_content(text), Request(**options))[0].columns.to_pylist()


def test_values_keep_their_text_and_marks_are_taken_off() -> None:
    text = HEADER + "1.50, x ,p\n% a comment\n\n?,'y z',q\n-2e3,7,'p'\n"
    found, request = table(_content(text), Request())
    assert found.columns.to_pylist() == [
        {"a b": "1.50", "kind": "x", "class": "p"},
        {"a b": None, "kind": "y z", "class": "q"},
        {"a b": "-2e3", "kind": "7", "class": "p"},
    ]
    assert [found.rows.full(row) for row in range(3)] == ["line 8", "line 11", "line 12"]
    assert request.kinds == {"kind": "category"}


def test_texts_with_commas_quotes_and_escapes() -> None:
    text = "@relation t\n@attribute s string\n@attribute d date yyyy-MM-dd\n@attribute y {0,1}\n@data\n"
    text += "'it\\'s, \\n \"so\"',2024-01-02,0\n\"a, 'b'\",?,1\n'?',2024-01-03,1\n"
    found = _rows(text)
    assert [row["s"] for row in found] == ['it\'s, \n "so"', "a, 'b'", "?"]
    assert [row["d"] for row in found] == ["2024-01-02", None, "2024-01-03"]


def test_keel_names_its_label() -> None:
    found, request = table(_content(KEEL + "0.5, 3, pos\n0.25, <null>, neg\n", ".dat"), Request())
    assert request.label == "Out"
    assert found.columns.to_pylist()[1] == {"At1": "0.25", "At2": None, "Out": "neg"}
    assert table(_content(KEEL + "0.5, 3, pos\n", ".dat"), Request(label="At2"))[1].label == "At2"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (HEADER + "1,x,p\n1,x\n", "line 9: expected 3 values, one for each attribute, got 2: '1,x'"),
        (HEADER + "1,x,p\n1,z,p\n", "line 9: expected a level that attribute 'kind' declares, got 'z'"),
        (HEADER + "one,x,p\n", "line 8: expected a number of attribute 'a b', got 'one'"),
        (HEADER + "1,'x,p\n", 'line 8: expected a value, plain or in quotation marks, got "\'x,p"'),
        (HEADER + "1,'x'y,p\n", "line 8: expected a value, plain or in quotation marks"),
        (HEADER + "{0 1, 2 p}\n", "line 8: expected all values of a row, got a sparse row"),
        (HEADER + "1,x,p,{5}\n", "line 8: expected 3 values, one for each attribute, got 4"),
        (HEADER + "1,x,\0\n", "got a NUL byte in line 8"),
        (
            "@relation t\n@attribute a relational\n@data\n",
            "line 2: expected an attribute of type numeric.*'relational'",
        ),
        ("@relation t\n@attribute a\n@data\n", "line 2: expected an attribute of type numeric"),
        ("@relation t\n@attribute\n@data\n", "line 2: expected a name and a type of an attribute"),
        (
            "@relation t\n@attribute a real\n@attribute a real\n@data\n",
            "expected attributes with names that differ, got 'a' t",
        ),
        ("@relation t\n@data\n1\n", "expected attributes with names that differ, got none"),
        ("@relation t\n@attribute a real\n1\n", "line 3: expected @relation, @attribute or @data, got '1'"),
        ("@relation t\n@attribute a real\n", "expected a line @data, got none"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(InvalidData, match=sentence):
        _rows(text, label="class")


def test_header_and_lines_are_written_as_they_stand(tmp_path: Path) -> None:
    body = [f"{row}.50 , {'x' if row % 3 else 'y z'!r}, {'p' if row % 2 else 'q'}\r\n" for row in range(30)]
    text = HEADER.replace("\n", "\r\n") + "% between\r\n" + "".join(body).rstrip("\r\n")
    (tmp_path / "rows.arff").write_bytes(text.encode())
    source = read_source(tmp_path / "rows.arff", Request())
    written = source.write_rows([0, 29], tmp_path, stem="kept").read_bytes().decode()
    assert written == HEADER.replace("\n", "\r\n") + body[0] + body[29].rstrip("\r\n")
    with pytest.raises(InvalidArgument, match="`rows`: expected row numbers below 30, got 30"):
        write_rows(_content(text), np.array([30]), Request())


def test_a_dat_file_is_told_by_its_first_line(tmp_path: Path) -> None:
    (tmp_path / "keel.dat").write_text(
        "% note\n\n" + KEEL + "".join(f"0.{r}, {r % 9}, {'pos' if r % 2 else 'neg'}\n" for r in range(40))
    )
    split = read(tmp_path / "keel.dat")
    assert split.train.classes.tolist() == ["neg", "pos"]
    assert split.row_names.full(0) == "line 10"
    (tmp_path / "table.dat").write_text("a,label\n" + "".join(f"{r / 3},{r % 2}\n" for r in range(40)))
    assert len(read(tmp_path / "table.dat").whole()) == 40


def test_a_long_comment_does_not_hold_up_the_guess(tmp_path: Path) -> None:
    (tmp_path / "rows.dat").write_text("% " * 30_000 + "\n,label\n1,2\n")
    with pytest.raises(InvalidData):
        read(tmp_path / "rows.dat")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(allow_nan=False, allow_infinity=False) | st.none(), st.sampled_from("xyz"), st.booleans()),
        min_size=1,
    ),
    st.sampled_from(["\n", "\r\n", "\n%c\n", "\n\n"]),
)
def test_rows_read_are_those_of_scipy(rows: list[tuple], end: str) -> None:
    header = "@relation r\n@attribute n real\n@attribute k {x,y,z}\n@attribute class {a,b}\n@data\n"
    lines = [f"{'?' if n is None else repr(n)},{k},{'a' if c else 'b'}" for n, k, c in rows]
    text = header + end.join(lines) + "\n"
    reference, _ = arff.loadarff(io.StringIO(text))
    found = _rows(text)
    assert [row["k"].encode() for row in found] == reference["k"].tolist()
    numbers = [np.nan if row["n"] is None else float(row["n"]) for row in found]
    np.testing.assert_array_equal(numbers, reference["n"])
