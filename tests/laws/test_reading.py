"""Laws of reading: no row is lost, the same table means the same in every form, clean rows lie in their own domain."""

from __future__ import annotations

import csv
import datetime
import io
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from scipy.sparse import issparse

from toadstone.core.errors import InvalidInput
from toadstone.core.feasible import ball
from toadstone.core.row_names import RowNames
from toadstone.datasets.preparation.column_types import infer_types
from toadstone.datasets.preparation.conversion import Origin
from toadstone.datasets.preparation.encoding import fit_encoding
from toadstone.datasets.readers.formats import delimited
from toadstone.datasets.readers.memory import as_frame, read_frame
from toadstone.datasets.readers.read import open_content, read_source
from toadstone.datasets.readers.request import Request
from toadstone.datasets.readers.tables import Table
from toadstone.datasets.split import Split
from toadstone.kernels.rows import fitting_domain
from toadstone.kernels.sets.sets import ConvexSet, fit_domain

MARKS = {"utf-8": b"", "utf-8-sig": b"", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
ENDS = ("\n", "\r\n", "\r")

# All that has fooled a parser: separators, marks, line ends within values, blanks, other kinds of line ends of Unicode.
_odd = st.text(st.sampled_from("ab1,;\t|\"'\n\r \\#\v\f\x1c\x85\u2028\u00a0é字"), max_size=8)
_plain = st.text(st.sampled_from("ab1-. é字\u2028\x85"), max_size=6)


def quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


@st.composite
def files(draw: st.DrawFn, *, blank_lines: bool = True) -> tuple[bytes, list[list[str]], list[int], str]:
    """A file that is well formed, its rows as meant, the header first, their lines, and the encoding."""
    width, end = draw(st.integers(2, 4)), draw(st.sampled_from(ENDS))
    names = [f"column {j}" for j in range(width - 1)] + ["label"]
    values = draw(st.lists(st.lists(_odd, min_size=width - 1, max_size=width - 1), min_size=10, max_size=14))
    rows = [names, *([*row, str(number % 2)] for number, row in enumerate(values))]
    text, lines, line = "", [], 1
    for row in rows:
        blank = draw(st.integers(0, 2)) if blank_lines and draw(st.booleans()) else 0
        text, line = text + end * blank, line + blank
        lines.append(line)
        # A bare value may hold quotation marks but not begin with one.
        bare = draw(st.booleans()) and not any(set(value) & set(',\n\r"') for value in row)
        record = ",".join(row if bare else map(quoted, row)) + end
        text, line = text + record, line + len(record.replace("\r\n", "\n").replace("\r", "\n").split("\n")) - 1
    if draw(st.booleans()):
        text = text.removesuffix(end)
    encoding = draw(st.sampled_from(sorted(MARKS)))
    return MARKS[encoding] + text.encode(encoding), rows, lines, encoding


REQUEST = Request(label="label", quote="double", separator=",")


class TestRecords:
    """The table as read is compared with what was meant, and with Python's own parser."""

    @settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
    @given(file=files())
    def test_all_are_read_with_their_values_and_lines(self, tmp_path_factory: Any, file: Any) -> None:
        content, rows, lines, encoding = file
        path = write(tmp_path_factory, content)
        table, _ = delimited.table(open_content(path), REQUEST)
        assert [list(row) for row in zip(*table.columns.to_pydict().values(), strict=True)] == rows[1:]
        assert [table.rows.line(row) for row in range(len(rows) - 1)] == lines[1:]
        assert reference(content, encoding) == rows

    @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
    @given(file=files(), block=st.integers(1, 64))
    def test_all_are_read_in_blocks_of_any_size(
        self, tmp_path_factory: Any, monkeypatch: pytest.MonkeyPatch, file: Any, block: int
    ) -> None:
        content, rows, _, _ = file
        monkeypatch.setattr(delimited, "_BLOCK", block)
        table, _ = delimited.table(open_content(write(tmp_path_factory, content)), REQUEST)
        assert [list(row) for row in zip(*table.columns.to_pydict().values(), strict=True)] == rows[1:]

    @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
    @given(file=files(blank_lines=False), data=st.data())
    def test_all_written_are_the_same_bytes_and_some_are_these_rows(
        self, tmp_path_factory: Any, file: Any, data: st.DataObject
    ) -> None:
        content, rows, _, encoding = file
        stored = open_content(write(tmp_path_factory, content))
        n = len(rows) - 1
        assert delimited.write_rows(stored, np.arange(n), REQUEST) == content
        some = sorted(data.draw(st.sets(st.integers(0, n - 1))))
        written = delimited.write_rows(stored, np.array(some, dtype=np.int64), REQUEST)
        assert reference(written, encoding) == [rows[0], *(rows[1 + row] for row in some)]

    @settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
    @given(file=files(), missing=st.sampled_from(["indicate", "drop-rows"]))
    def test_rows_in_are_kept_aside_or_dropped(self, tmp_path_factory: Any, file: Any, missing: str) -> None:
        content, rows, _, _ = file
        columns = {name: "text" for name in rows[0][:1]} | {name: "category" for name in rows[0][1:-1]}
        request = Request(label="label", quote="double", separator=",", types=columns, missing=missing).setting_aside()
        split, refusal = attempted(write(tmp_path_factory, content), request)
        if split is None:
            # Texts that share no character, or too few rows once those with gaps are dropped: nothing is read at all.
            reasons = (
                "words or characters that occur in 2",
                "column 'label': expected",
                "a column that can be encoded",
            )
            assert any(reason in refusal for reason in reasons)
            assert missing == "drop-rows" or "column 'label'" not in refusal
            return
        used = [*split.train.row_ids.tolist(), *split.test.row_ids.tolist(), *(row.position for row in split.aside)]
        assert sorted(used) == list(range(len(rows) - 1))

    @settings(max_examples=300)
    @given(text=st.text(st.sampled_from('ab,"\n\r '), max_size=40))
    @example(text='a,"b" c\n1,2\n')
    @example(text='a,b\n1,"2\n')
    @example(text="a,b\n1\n")
    def test_any_text_is_read_as_python_does_or_refused(self, tmp_path_factory: Any, text: str) -> None:
        """Strict mode is right: both refuse text after a closing mark and marks that are never closed.

        Python takes a line of blanks for a row of one value, as we do, and
        refuses no row for its length: ragged rows are ours to refuse.
        """
        content = text.encode()
        try:
            expected = reference(content, "utf-8")
        except csv.Error:
            expected = None
        table, sentence = parsed(write(tmp_path_factory, content or b"\n"))
        if table is None:
            widths = {len(row) for row in expected or ()}
            assert (
                ("quotation mark" in sentence and expected is None)
                or ("blank lines" in sentence and expected == [])
                or ("values as in" in sentence and len(widths) > 1)
            )
            return
        assert expected is not None
        names, *body = expected
        # R leaves out the name of the first column.
        body = [row[len(row) - len(names) :] for row in body]
        columns = table.columns.select(range(table.columns.num_columns - len(names), table.columns.num_columns))
        assert [name.strip() for name in names] == columns.column_names
        assert [[column[row].as_py() for column in columns.columns] for row in range(table.columns.num_rows)] == body

    @given(rows=st.lists(st.integers(1, 5), min_size=3, max_size=9))
    def test_ragged_rows_are_refused_with_their_line(self, tmp_path_factory: Any, rows: list[int]) -> None:
        assume(set(rows) not in ({3}, {4}))
        content = "\n\n".join(["a,b,label", *(",".join("x" * width) for width in rows)]).encode()
        first = next(row for row, width in enumerate(rows) if width != 3)
        with pytest.raises(InvalidInput, match=f"got {rows[first]} in line {3 + 2 * first}: 'x"):
            delimited.table(open_content(write(tmp_path_factory, content)), REQUEST)

    @pytest.mark.parametrize("at", [0, 3, 11, 30])
    def test_a_nul_byte_is_refused_with_its_line(self, tmp_path_factory: Any, at: int) -> None:
        content = bytearray("a,label\n" + "x,1\n" * 8, "utf-8")
        content[at] = 0
        line = bytes(content[:at]).count(b"\n") + 1
        with pytest.raises(InvalidInput, match=f"got a NUL byte in line {line}: binary data"):
            delimited.table(open_content(write(tmp_path_factory, bytes(content))), REQUEST)


def attempted(path: Path, request: Request) -> tuple[Split | None, str]:
    try:
        return read_source(path, request).split, ""
    except InvalidInput as refusal:
        return None, str(refusal)


def parsed(path: Path) -> tuple[Table | None, str]:
    try:
        return delimited.table(open_content(path), REQUEST)[0], ""
    except InvalidInput as refusal:
        return None, str(refusal)


def write(factory: Any, content: bytes) -> Path:
    path: Path = factory.mktemp("law") / "file.csv"
    path.write_bytes(content)
    return path


def reference(content: bytes, encoding: str) -> list[list[str]]:
    mark = MARKS[encoding]
    text = content.removeprefix(mark).decode(encoding)
    return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]


N = 40


def columns_of(seed: int) -> dict[str, list]:
    """Columns of every kind, with gaps."""
    rng = np.random.default_rng(seed)
    gaps = rng.random((N, 3)) < 0.2
    words = np.array(["free", "cash", "dear", "friend", "call", "now"])
    start = datetime.date(2024, 1, 1)
    return {
        "number": [None if gap else float(value) for gap, value in zip(gaps[:, 0], rng.normal(size=N), strict=True)],
        "whole": rng.integers(-5, 99, N).tolist(),
        "count": rng.integers(0, 4, N).tolist(),
        "share": [round(value, 3) for value in rng.random(N).tolist()],
        "level": [None if gap else f"k{i % 3}" for i, gap in enumerate(gaps[:, 1].tolist())],
        "many": [f"m{i % 70 if i % 2 else 0}" for i in rng.permutation(N).tolist()],
        "day": [None if gap else start + datetime.timedelta(int(i)) for i, gap in enumerate(gaps[:, 2].tolist())],
        "body": [" ".join(rng.choice(words, 4)) if i % 9 else "" for i in range(N)],
        "label": [("ham", "spam")[i % 2] for i in range(N)],
    }


ENCODINGS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "numbers with gaps": (("number", "whole"), {}),
    "numbers as given": (("number", "whole"), {"scale": "none"}),
    "shares": (("share",), {}),
    "counts": (("count",), {}),
    "dates": (("day",), {}),
    "dates beside numbers": (("day", "number"), {"scale": "none"}),
    "categories": (("level",), {}),
    "levels pooled": (("level", "many"), {"types": {"many": "category"}}),
    "words weighted": (("body",), {"text": "body"}),
    "words counted": (("body",), {"text": "body", "weighting": "counts"}),
    "words beside counts": (("body", "count"), {"text": "body", "weighting": "counts"}),
    "words beside all": (("body", "number", "day", "level", "share"), {"text": "body"}),
    "a mixture": (("number", "share", "level", "day", "count"), {}),
    "counts and categories": (("count", "level"), {"scale": "none"}),
}


def chosen(name: str, seed: int) -> tuple[dict[str, list], Request]:
    names, options = ENCODINGS[name]
    columns = columns_of(seed)
    return {name: columns[name] for name in (*names, "label")}, Request(label="label", **options)


def dense(X: Any) -> np.ndarray:
    return X.toarray() if issparse(X) else np.asarray(X)


@pytest.mark.parametrize("name", ENCODINGS)
class TestEncodings:
    @pytest.mark.parametrize("seed", range(3))
    def test_every_clean_row_lies_in_its_own_domain(self, name: str, seed: int) -> None:
        columns, request = chosen(name, seed)
        split, _ = read_frame(as_frame(pa.table(columns)), request)
        X, y = split.train.X, split.train.y
        domain = fit_domain(X, split.domain or fitting_domain(X))
        region = ConvexSet({label: ball(np.zeros(X.shape[1]), np.inf) for label in np.unique(y)}).within(domain)
        assert region.contains(X, y).all()
        values = dense(X)
        assert np.all((values >= domain.lower) & (values <= domain.upper))
        if domain.integer:
            np.testing.assert_array_equal(values, np.floor(values))
        if split.domain is not None:
            # Where the source determines the domain, rows that come later lie in it too.
            assert fitting_domain(split.test.X) in ({"integer": ("integer", "box"), "box": ("box",)}[split.domain])

    def test_a_file_in_any_format_and_a_data_frame_mean_the_same(self, name: str, tmp_path: Path) -> None:
        columns, request = chosen(name, 0)
        expected, _ = read_frame(as_frame(pa.table(columns)), request)
        table = pa.table(columns)
        as_csv(tmp_path / "rows.csv", columns)
        pq.write_table(table, tmp_path / "rows.parquet")
        feather.write_feather(table, tmp_path / "rows.feather")
        others = {ending: read_source(tmp_path / f"rows{ending}", request).split for ending in FORMATS}
        for frame in (polars.DataFrame(columns), table.to_pandas()):
            others[type(frame).__module__], _ = read_frame(as_frame(frame), request)
        for source, split in others.items():
            for ours, theirs in ((split.train, expected.train), (split.test, expected.test)):
                np.testing.assert_array_equal(dense(ours.X), dense(theirs.X), err_msg=source)
                np.testing.assert_array_equal(ours.y, theirs.y)
                assert ours.feature_names == theirs.feature_names
            assert (split.preparation, split.domain) == (expected.preparation, expected.domain), source

    def test_permuted_rows_have_permuted_features(self, name: str) -> None:
        columns, request = chosen(name, 1)
        del columns["label"]
        order = np.random.default_rng(2).permutation(N)
        train = np.arange(0, N, 2)
        table = pa.table(columns)
        place = np.argsort(order)
        X, names = encoded(table, train, request)
        again, same = encoded(table.take(pa.array(order)), np.sort(place[train]), request)
        assert same == names
        np.testing.assert_array_equal(dense(again), dense(X)[order])

    @pytest.mark.parametrize("ending", [".csv", ".parquet"])
    def test_a_file_as_its_own_trusted_rows_has_the_same_features(self, name: str, ending: str, tmp_path: Path) -> None:
        columns, request = chosen(name, 2)
        as_csv(tmp_path / "rows.csv", columns)
        pq.write_table(pa.table(columns), tmp_path / "rows.parquet")
        file = read_source(tmp_path / f"rows{ending}", request)
        whole, again = file.split.whole(), file.encode(tmp_path / f"rows{ending}")
        np.testing.assert_array_equal(dense(again.X), dense(whole.X))
        np.testing.assert_array_equal(again.y, whole.y)


FORMATS = (".csv", ".parquet", ".feather")


def as_csv(path: Path, columns: dict[str, list]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        shown = (["" if value is None else value for value in one] for one in columns.values())
        writer.writerows(zip(*shown, strict=True))


def encoded(table: pa.Table, train: np.ndarray, request: Request) -> tuple[Any, tuple[str, ...]]:
    origin = Origin("table", RowNames())
    types = infer_types(table, request, origin)
    encoding, X = fit_encoding(table, train, types, scale=request.scale, weighting=request.weighting, origin=origin)
    return X, encoding.names


def test_rows_of_a_text_file_are_named_by_the_line_that_holds_them(tmp_path: Path) -> None:
    rows = [f'"{row}\n{row}",{row},{row % 2}\n' if row % 3 else f"{row},{row},{row % 2}" for row in range(30)]
    text = "\n".join(["a,b,label", *rows])
    (tmp_path / "rows.csv").write_text(text)
    split = read_source(tmp_path / "rows.csv", Request()).split
    shown = text.split("\n")
    found = [split.row_names.line(row) for row in range(30)]
    assert all(one < other for one, other in pairwise(found))
    for row, line in enumerate(found):
        assert shown[line - 1].strip('"').split(",")[0] == str(row)
