"""Workbooks: what the cells hold becomes text, rows keep the numbers of the sheet, and nothing is guessed."""

from __future__ import annotations

import datetime
import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.readers.content import Content
from toadstone.datasets.readers.formats.excel import table, write_rows
from toadstone.datasets.readers.read import read, read_source
from toadstone.datasets.readers.request import Request


def _book(rows: list[list[Any]], title: str = "data") -> Any:
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    for cell in (cell for row in book.active.iter_rows() for cell in row if isinstance(cell.value, str)):
        cell.data_type = "s"
    return book


def _content(book: Any) -> Content:
    stream = io.BytesIO()
    book.save(stream)
    return Content("file.xlsx", ".xlsx", "", stream.getvalue(), "", None)


def _changed(content: Content, member: str, old: bytes, new: bytes) -> Content:
    """Return a workbook with other XML in one part."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content.data)) as source, zipfile.ZipFile(stream, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == member:
                assert old in data
                data = data.replace(old, new)
            target.writestr(name, data)
    return Content("file.xlsx", ".xlsx", "", stream.getvalue(), "", None)


def _rows(content: Content) -> list[dict[str, Any]]:
    return table(content, Request())[0].columns.to_pylist()


def test_values_become_text_and_rows_keep_their_numbers() -> None:
    day, moment = datetime.datetime(2024, 2, 29), datetime.datetime(2024, 2, 29, 12, 30)
    book = _book(
        [[], ["n", "day", "moment", "yes", "text"], [1, day, day, True, "007"], [], [0.1, None, moment, False, "=1"]]
    )
    found, _ = table(_content(book), Request())
    assert found.columns.to_pylist() == [
        {"n": "1", "day": "2024-02-29", "moment": "2024-02-29 00:00:00", "yes": "true", "text": "007"},
        {"n": "0.1", "day": None, "moment": "2024-02-29 12:30:00", "yes": "false", "text": "=1"},
    ]
    assert [found.rows.full(row) for row in range(2)] == ["row 3", "row 5"]


def test_the_first_sheet_with_rows_is_read_and_said() -> None:
    book = _book([], "empty")
    for title in ("data", "more"):
        sheet = book.create_sheet(title)
        for row in (["a"], [title]):
            sheet.append(row)
    found, _ = table(_content(book), Request())
    assert found.columns.to_pylist() == [{"a": "data"}]
    assert found.notes == (
        "rows are named by their number in sheet 'data'",
        "the other sheets are left out: 'empty', 'more'",
    )


def test_formulas_count_with_the_results_that_are_stored() -> None:
    book = _book([["a", "b"], [1, 2], [3, 4]])
    book.active["A3"] = "=A2+1"
    content = _content(book)
    with pytest.raises(InvalidData, match="sheet 'data', cell A3: expected a value, got a formula without its result"):
        table(content, Request())
    member = "xl/worksheets/sheet1.xml"
    stored = _changed(content, member, b"<f>A2+1</f><v />", b"<f>A2+1</f><v>2.5</v>")
    assert _rows(stored) == [{"a": "1", "b": "2"}, {"a": "2.5", "b": "4"}]
    nothing = _changed(content, member, b'<c r="A3"><f>A2+1</f><v />', b'<c r="A3" t="str"><f>A2+1</f><v></v>')
    assert _rows(nothing) == [{"a": "1", "b": "2"}, {"a": None, "b": "4"}]


def test_merged_cells_are_refused() -> None:
    book = _book([["a"], ["x"], [None]])
    book.active.merge_cells("A2:A3")
    with pytest.raises(InvalidData, match="sheet 'data': expected one value in each cell, got merged cells A2:A3"):
        table(_content(book), Request())


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"a,b\n1,2\n", b""])
def test_other_files(data: bytes) -> None:
    with pytest.raises(InvalidData, match=r"expected a complete .xlsx workbook, got one that is damaged"):
        table(Content("file.xlsx", ".xlsx", "", data, "", None), Request())


def test_cut_and_empty_and_old_workbooks() -> None:
    content = _content(_book([["a"], [1]]))
    with pytest.raises(InvalidData, match="damaged"):
        table(Content("file.xlsx", ".xlsx", "", content.data[:-100], "", None), Request())
    with pytest.raises(InvalidData, match="expected a sheet with rows, got empty ones"):
        table(_content(_book([])), Request())
    with pytest.raises(InvalidData, match=r"expected an .xlsx workbook without a password, got an old .xls"):
        table(Content("file.xls", ".xlsx", "", b"\xd0\xcf\x11\xe0" + bytes(99), "", None), Request())


def test_a_stated_size_that_is_a_lie_costs_nothing() -> None:
    content = _content(_book([["a", "b"], [1, 2]]))
    lie = _changed(content, "xl/worksheets/sheet1.xml", b'<dimension ref="A1:B2"', b'<dimension ref="A1:XFD1048576"')
    assert _rows(lie) == [{"a": "1", "b": "2"}]


def test_bombs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toadstone.datasets.readers.content._ROOM", 1 << 16)
    content = _content(_book([["a"], *[[" " * 30_000]] * 200]))
    with pytest.raises(InvalidData, match="once inflated"):
        table(_inflating(content), Request())


def _inflating(content: Content) -> Content:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content.data)) as source,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            target.writestr(name, source.read(name) + b" " * 10_000_000)
    return Content("file.xlsx", ".xlsx", "", stream.getvalue(), "", None)


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    content = _content(_book([["a"], [1]]))
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(InvalidArgument, match=r"it needs openpyxl, which is not installed: pip install '.\[excel\]'"):
        table(content, Request())


def test_kept_rows_have_equal_values(tmp_path: Path) -> None:
    day = datetime.datetime(2024, 1, 1)
    rows = [[row / 8, day + datetime.timedelta(days=row), "=sum" if row % 3 else "007", row % 2] for row in range(40)]
    _book([["x", "when", "word", "label"], *rows]).save(tmp_path / "rows.xlsx")
    source = read_source(tmp_path / "rows.xlsx", Request())
    written = source.write_rows([0, 3, 39], tmp_path, stem="kept")
    kept = [[cell.value for cell in row] for row in openpyxl.load_workbook(written)["data"].iter_rows(min_row=2)]
    assert kept == [rows[0], rows[3], rows[39]]
    assert [cell.data_type for cell in openpyxl.load_workbook(written)["data"]["C"]] == ["s"] * 4
    assert len(read(tmp_path / "rows.xlsx").whole()) == 40
    with pytest.raises(InvalidArgument, match="`rows`: expected row numbers below 40, got 40"):
        source.write_rows([40], tmp_path, stem="none")


def test_no_digit_of_a_kept_number_is_lost() -> None:
    digits = (b"1.3510798882110254E+16", b"0.42857142857142855", b"1234567890123456789")
    content = _content(_book([["a", "b", "c"], [0.5, 0.25, 0.75]]))
    for old, new in zip((b"<v>0.5<", b"<v>0.25<", b"<v>0.75<"), digits, strict=True):
        content = _changed(content, "xl/worksheets/sheet1.xml", old, b"<v>" + new + b"<")
    expected = [{"a": "1.3510798882110254e+16", "b": "0.42857142857142855", "c": "1234567890123456789"}]
    assert _rows(content) == expected
    kept = Content("file.xlsx", ".xlsx", "", write_rows(content, np.array([0]), Request()), "", None)
    assert _rows(kept) == expected


# Made with openpyxl, which writes 16 digits; the test above has more.
_CELLS = (
    st.none()
    | st.integers(-(10**15), 10**15)
    | st.integers(-(10**9), 10**9).map(lambda number: number / 1000)
    | st.booleans()
    | st.text(st.characters(min_codepoint=32, max_codepoint=0x24F), min_size=1, max_size=8)
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(_CELLS, min_size=2, max_size=2), min_size=1, max_size=12), st.data())
def test_rows_read_are_the_rows_that_are_not_empty(rows: list[list[Any]], data: Any) -> None:
    content = _content(_book([["a", "b"], *rows]))
    filled = [row for row in rows if any(cell is not None for cell in row)]
    found = _rows(content)
    expected = [[_shown(cell) for cell in row] for row in filled]
    assert [list(row.values()) for row in found] == expected
    if filled:
        chosen = np.array(sorted(data.draw(st.sets(st.integers(0, len(filled) - 1)))), dtype=int)
        kept = Content("file.xlsx", ".xlsx", "", write_rows(content, chosen, Request()), "", None)
        assert [list(row.values()) for row in _rows(kept)] == [expected[row] for row in chosen.tolist()]


def _shown(cell: Any) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return repr(int(cell)) if isinstance(cell, float) and repr(cell).endswith(".0") else repr(cell)
