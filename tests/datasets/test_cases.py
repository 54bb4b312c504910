"""Inputs that people complained about: each kind in several variants, with what is right.

The kinds are those of the issue: K1 stray quotation marks, K3 numbers in
another notation, K4 types of a file and of trusted rows, K5 rare classes, K6
missing values, dates and identifiers, K7 scripts without blanks, K8 blanks
and leading zeros, K9 columns without a name, K12 messages, K14 whole numbers
past int64 and declared widths.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import toadstone
from toadstone.core.errors import InvalidData, InvalidInput
from toadstone.datasets.readers.read import SourceFile, read_source
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import Split

N = 120


@pytest.fixture
def written(tmp_path: Path):
    """Write lines of a table, by default as rows.csv."""

    def write(header: str, rows: Sequence[str], name: str = "rows.csv", end: str = "\n") -> Path:
        path = tmp_path / name
        path.write_bytes((end.join([header, *rows]) + end).encode())
        return path

    return write


def read(path: Path, **options: Any) -> Split:
    return source(path, **options).split


def source(path: Path, **options: Any) -> SourceFile:
    return read_source(path, Request(**options).setting_aside())


def counted(split: Split) -> int:
    return len(split.train) + len(split.test) + len(split.aside)


def kinds(split: Split) -> dict[str, str]:
    return {column.name: column.kind for column in split.columns}


def measured(seed: int = 0) -> list[str]:
    """Rows of width, depth, region and label."""
    rng = np.random.default_rng(seed)
    return [
        f"{50 + 9 * x:.2f},{2 + y:.3f},{('north', 'east', 'south')[row % 3]},{('bad', 'good')[row % 2]}"
        for row, (x, y) in enumerate(rng.normal(size=(N, 2)))
    ]


HEADER = "width,depth,region,label"


class TestK1StrayQuotationMarks:
    """No row is lost: records read = records in the file, or a refusal with the line where the quote opens."""

    WORDS = ("well money free delta click", "report project beta invoice", "offer money gamma gamma")

    def rows(self, strays: dict[int, str], separator: str = "\t") -> list[str]:
        texts = [strays.get(row, "{}").format(self.WORDS[row % 3]) for row in range(N)]
        return [f"{('spam', 'ham')[row % 2]}{separator}{text}" for row, text in enumerate(texts)]

    @pytest.mark.parametrize("separator", ["\t", ";", "|"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize(
        ("strays", "line"),
        [
            ({0: '"{}'}, 2),
            ({3: '"{}', 41: '"{}'}, 5),
            ({5: '"{}', 6: '{}"'}, 7),
            ({7: '"{}" he said'}, 9),
            ({N - 1: '"{}'}, N + 1),
        ],
    )
    def test_are_refused_or_read_literally(self, written, separator: str, end: str, strays: dict, line: int) -> None:
        path = written(f"label{separator}text", self.rows(strays, separator), "raw.tsv", end)
        try:
            split = read(path, text="text")
        except InvalidData as refusal:
            sentence = str(refusal)
            assert f"line {line}" in sentence or f"line {line + 0} " in sentence
            assert "`quote` with none reads quotation marks as plain characters" in sentence
        else:
            assert counted(split) == N
        literally = read(path, text="text", quote="none")
        assert counted(literally) == N

    def test_kept_and_removed_rows_are_all_rows(self, written, tmp_path: Path) -> None:
        rows = self.rows({3: '"{}', 41: '"{}', 90: '{}"', 100: 'the "{}"'})
        path = written("label\ttext", rows, "raw.tsv")
        cleaned = toadstone.sanitize(path, text="text", quote="none")
        removed = len(cleaned.to_frame())
        kept = (cleaned.save(tmp_path / "out") / "kept.tsv").read_text().splitlines()
        assert removed > 0
        assert len(kept) - 1 + removed == N
        assert set(kept[1:]) <= set(rows)

    def test_marks_that_pair_within_a_line_are_no_stray_ones(self, written) -> None:
        split = read(written("label\ttext", self.rows({3: '"{}"', 7: 'he "{}"'}), "raw.tsv"), text="text")
        assert counted(split) == N


class TestK3NumbersInAnotherNotation:
    """Numbers in every notation are one number column; what was done is said; never one-hot."""

    @pytest.mark.parametrize(
        ("style", "said"),
        [
            ("{:.1f}", ""),
            ('"{:.1f}"', ""),
            ("{:.1f} %", "without '%'"),
            ("${:.2f}", "without '$'"),
            ("{:.1f} mg", "without 'mg'"),
            ("{:.1f}kg", "without 'kg'"),
            (" {:.1f} ", ""),
            ("{:+.3e}", ""),
        ],
    )
    def test_is_read(self, written, style: str, said: str) -> None:
        doses = 2 + np.arange(N) % 53 / 2
        rows = [f"{20 + row % 50},{style.format(dose)},{('ill', 'well')[row % 2]}" for row, dose in enumerate(doses)]
        split = read(written("age,dose,label", rows), scale="none")
        assert kinds(split)["dose"] == "number"
        np.testing.assert_allclose(split.train.X[:, 1], doses[split.train.row_ids])
        assert split.notes == ((f"column 'dose' is read as numbers: {said}",) if said else ())

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    def test_decimal_commas(self, written, separator: str) -> None:
        doses = [f"{2 + row % 53 / 2:.1f}".replace(".", ",") for row in range(N)]
        mark = '"' if separator == "," else ""
        rows = [separator.join([str(row), f"{mark}{dose}{mark}", "ab"[row % 2]]) for row, dose in enumerate(doses)]
        split = read(written(separator.join(["age", "dose", "label"]), rows), scale="none")
        np.testing.assert_allclose(split.train.X[:, 1], 2 + split.train.row_ids % 53 / 2)
        assert "column 'dose' is read as numbers: decimal comma" in split.notes

    def test_european_tables(self, written) -> None:
        rows = [line.replace(",", ";").replace(".", ",") for line in measured()]
        english, european = read(written(HEADER, measured())), read(written(HEADER.replace(",", ";"), rows, "euro.csv"))
        np.testing.assert_array_equal(european.train.X, english.train.X)
        assert european.notes[0] == "columns are separated by semicolons"

    @pytest.mark.parametrize("thousands", [",", ".", " ", "'", "\u00a0"])
    def test_thousands(self, written, thousands: str) -> None:
        values = 1000 * (1 + np.arange(N)) ** 2 + 7
        texts = [f"{value:,}".replace(",", thousands) for value in values.tolist()]
        rows = [f"{row};{text};{'ab'[row % 2]}" for row, text in enumerate(texts)]
        split = read(written("a;b;label", rows), scale="none")
        np.testing.assert_array_equal(split.train.X[:, 1], values[split.train.row_ids])

    @pytest.mark.parametrize("mark", ["", "?", "-", "NA", "n/a", "null", "None", "unknown"])
    @pytest.mark.parametrize("share", [0.01, 0.16, 0.6])
    def test_marks_of_missing_values_never_make_a_category(self, written, mark: str, share: float) -> None:
        missing = np.random.default_rng(1).random(N) < share
        rows = [f"{mark if missing[row] else row * 7 % 97},{row},{'ab'[row % 2]}" for row in range(N)]
        split = read(written("a,b,label", rows), scale="none")
        assert kinds(split) == {"a": "number", "b": "number"}
        assert split.train.n_features == 2 + missing[split.train.row_ids].any()
        if missing[split.train.row_ids].any():
            np.testing.assert_array_equal(split.train.X[:, 2], missing[split.train.row_ids])

    @pytest.mark.parametrize(
        ("odd", "line"), [("<5", 52), ("12 or so", 52), ("3/4", 52), ("1.2.3", 52), ("#REF!", 52), ("½", 52)]
    )
    def test_what_is_no_number_is_refused_with_column_row_text_and_option(self, written, odd: str, line: int) -> None:
        rows = [f"{odd if row == line - 2 else row * 7 % 97},{row},{'ab'[row % 2]}" for row in range(N)]
        path = written("a,b,label", rows)
        with pytest.raises(InvalidData, match=r"rows\.csv: column 'a'.*expected (a number|numbers)") as told:
            read(path)
        assert repr(odd) in str(told.value)
        assert "`types` with a=number" in str(told.value)
        split = read(path, types="a=number", scale="none")
        assert kinds(split)["a"] == "number"
        assert kinds(read(path, types={"a": "category"}))["a"] == "category"


class TestK4TypesOfTheDataHoldForTrustedRows:
    def coded(self, codes: str, seed: int) -> list[str]:
        rng = np.random.default_rng(seed)
        return [f"{x:.3f},{codes[row % len(codes)]},{'pq'[row % 2]}" for row, x in enumerate(rng.normal(size=N))]

    @pytest.mark.parametrize(("codes", "trusted"), [("A12B", "012"), ("A12B", "12"), ("12A", "AB"), ("AB", "9")])
    def test_a_category_of_digits_stays_a_category(self, written, codes: str, trusted: str) -> None:
        file = source(written("x,code,label", self.coded(codes, 0)))
        other = file.encode(written("x,code,label", self.coded(trusted, 1), "trusted.csv"))
        assert other.X.shape == (N, file.split.train.n_features)
        names = list(file.split.train.feature_names)
        for level in set(codes) & set(trusted):
            expected = [trusted[row % len(trusted)] == level for row in range(N)]
            np.testing.assert_array_equal(other.X[:, names.index(f"code={level}")], expected)

    @pytest.mark.parametrize("bodies", [["4711", "4711 0815"], ["4711"], ["4711", ""], ["1.5", "call now"]])
    def test_a_text_of_digits_stays_a_text(self, written, bodies: list[str]) -> None:
        texts = ["4711 0815", "call 112 now"]
        file = source(written("text,label", [f"{texts[row % 2]},{row % 2}" for row in range(N)]), text="text")
        rows = [f"{bodies[row % len(bodies)]},{row % 2}" for row in range(N)]
        assert len(file.encode(written("text,label", rows, "trusted.csv"))) == N

    def test_whole_numbers_and_dictionaries_are_texts_where_text_names_them(self, written, tmp_path: Path) -> None:
        texts = [("333", "111")[row % 2] for row in range(N)]
        labels = [("well", "ill")[row % 2] for row in range(N)]
        expected = read(written("text,label", [f"{a},{b}" for a, b in zip(texts, labels, strict=True)]), text="text")
        assert expected.preparation.startswith("TF-IDF of 2 words")
        plain = pa.array(texts)
        for column in (plain, plain.dictionary_encode(), plain.cast(pa.large_string()), plain.cast(pa.int64())):
            pq.write_table(pa.table({"text": column, "label": labels}), tmp_path / "rows.parquet")
            found = read(tmp_path / "rows.parquet", text="text")
            np.testing.assert_array_equal(found.train.X.toarray(), expected.train.X.toarray())


class TestK5RareClasses:
    @pytest.mark.parametrize("rare", [{"rare": 1}, {"rare": 4}, {"rare one": 1, "other": 2}, {" ": 1, "rare": 1}])
    def test_are_listed_and_kept_by_those_who_can_do_without(self, written, rare: dict[str, int]) -> None:
        labels = [label for label, times in rare.items() for _ in range(times)]
        rows = measured()
        for row, label in enumerate(labels):
            rows[row] = f"{rows[row].rsplit(',', 1)[0]},{label}"
        path = written(HEADER, rows)
        split = read(path)
        assert [(one.position, one.label.strip(), one.dropped) for one in split.aside] == [
            (row, label.strip(), False) for row, label in enumerate(labels)
        ]
        assert counted(split) == N
        with pytest.raises(InvalidData, match="expected at least 5 rows of each class") as told:
            toadstone.read(path)
        assert all(repr(label) in str(told.value) for label in rare if label.strip())
        assert "`classes` keeps those that it names" in str(told.value)

    @pytest.mark.parametrize("command", ["scan", "sanitize", "defend"])
    def test_do_not_stop_a_command(self, written, command: str) -> None:
        rows = measured()
        rows[0] = rows[0].replace("bad", "rare")
        options = {"detectors": "mahalanobis,label-errors"} if command == "scan" else {}
        result = getattr(toadstone, command)(written(HEADER, rows), label="label", **options)
        assert "rare" not in list(result.to_frame()["label"])

    def test_labels_that_are_numbers_are_no_rare_classes(self, written) -> None:
        rows = [f"{line.rsplit(',', 1)[0]},{row}.5" for row, line in enumerate(measured())]
        with pytest.raises(
            InvalidData, match=r"it looks like a regression target, which `regression` reads|at least 5 rows"
        ):
            read(written(HEADER, rows))


class TestK6MissingValuesDatesIdentifiers:
    @pytest.mark.parametrize("column", [0, 1, 2])
    @pytest.mark.parametrize("mark", ["", "NA", " "])
    def test_one_missing_value_is_no_reason_to_refuse(self, written, column: int, mark: str) -> None:
        rows = [line.split(",") for line in measured()]
        rows[40][column] = mark
        path = written(HEADER, [",".join(row) for row in rows])
        assert counted(read(path)) == N
        dropped = read(path, missing="drop-rows")
        assert [(one.position, one.dropped) for one in dropped.aside] == [(40, True)]
        with pytest.raises(InvalidData, match=f"column '{HEADER.split(',')[column]}', line 42: expected a value"):
            read(path, missing="refuse")

    @pytest.mark.parametrize(
        "style",
        ["2024-01-{:02}", "2024-01-{:02} 10:30:00", "2024-01-{:02}T10:30Z", "{}/1/2024", "{} Jan 2024", "Jan {}, 2024"],
    )
    def test_dates_are_read(self, written, style: str) -> None:
        days = np.arange(N) % 28 + 1
        rows = [f'{line},"{style.format(day)}"' for line, day in zip(measured(), days, strict=True)]
        split = read(written(f"{HEADER},when", rows), scale="none")
        assert kinds(split)["when"] == "date"
        when = split.train.X[:, list(split.train.feature_names).index("when")]
        np.testing.assert_allclose(when - when.min(), days[split.train.row_ids] - days[split.train.row_ids].min())

    @pytest.mark.parametrize("style", ["C{:05}", "user-{}@example.org", "{:032x}", "{:05}"])
    def test_identifiers_are_left_out_and_name_rows_on_request(self, written, style: str) -> None:
        rows = [f"{style.format(row * 77)},{line}" for row, line in enumerate(measured())]
        path = written(f"customer,{HEADER}", rows)
        split = read(path)
        assert kinds(split)["customer"] == "left out"
        assert "left out: customer (" in split.preparation
        assert read(path, id="customer").row_names.full(3) == f"customer '{style.format(231)}'"

    def test_tables_of_r(self, written) -> None:
        people = [f'"Passenger {row:04}, Ms. N.",{line}' for row, line in enumerate(measured())]
        assert kinds(read(written(f"rownames,{HEADER}", people)))["rownames"] == "left out"
        numbered = [f"{row + 1},{line}" for row, line in enumerate(measured())]
        assert kinds(read(written(f"rownames,{HEADER}", numbered)))["rownames"] == "left out"
        assert kinds(read(written(HEADER, numbered)))["width"] == "number"

    @pytest.mark.parametrize("label", ["", "NA", "nan", " "])
    def test_labels_that_are_all_missing(self, written, label: str) -> None:
        rows = [f"{line.rsplit(',', 1)[0]},{label}" for line in measured()]
        with pytest.raises(
            InvalidData, match=rf"rows\.csv: column 'label', line 2: .*got no label in any row, only '{label}'"
        ):
            read(written(HEADER, rows))


class TestK7ScriptsWithoutBlanks:
    LETTERS: ClassVar = {
        "Chinese": ("费点奖免击金", "告今天目议会报"),
        "Japanese": ("かきくけこさ", "なにぬねのはひ"),
        "Thai": ("กขคงจฉ", "ทธนบปผฝ"),
    }

    @pytest.mark.parametrize("script", LETTERS)
    @pytest.mark.parametrize("form", ["{}", "{}，{}。谢谢", "{}。{}"])
    def test_are_read_by_their_characters(self, written, script: str, form: str) -> None:
        rng = np.random.default_rng(0)
        letters = self.LETTERS[script]
        parts = [["".join(rng.choice(list(letters[row % 2]), 7)) for _ in range(2)] for row in range(N)]
        rows = [f"{form.format(*part)},{('spam', 'ham')[row % 2]}" for row, part in enumerate(parts)]
        split = read(written("text,label", rows), text="text")
        assert "character n-grams" in split.preparation
        assert "without any" not in split.preparation
        assert np.all(np.diff(split.train.X.indptr) > 3)

    def test_words_between_blanks_stay_words(self, written) -> None:
        rows = [f"{('免费 点击 奖金', '今天 会议 报告')[row % 2]},{row % 2}" for row in range(N)]
        assert "TF-IDF of 6 words" in read(written("text,label", rows), text="text").preparation

    def test_the_share_of_texts_without_a_word_is_said(self, written) -> None:
        rows = [f"{'free cash' if row % 9 else f'unheard{row}'},{row % 2}" for row in range(N)]
        split = read(written("text,label", rows), text="text")
        without = int(np.count_nonzero(np.diff(split.train.X.indptr) == 0))
        assert f"{without} texts without any" in split.preparation


class TestK8BlanksAndLeadingZeros:
    @pytest.mark.parametrize("blank", [" ", "  ", "\u00a0"])
    def test_names_are_trimmed(self, written, blank: str) -> None:
        rows = [line.replace(",", f",{blank}") for line in measured()]
        spaced, plain = read(written(HEADER.replace(",", f",{blank}"), rows)), read(written(HEADER, measured()))
        assert spaced.train.feature_names == plain.train.feature_names
        np.testing.assert_array_equal(spaced.train.X, plain.train.X)

    @pytest.mark.parametrize("twin", ["bad ", " bad", "Bad", "BAD", "bad\u200b", "bad\u00a0"])
    def test_labels_that_nearly_agree_are_warned_of(self, written, twin: str) -> None:
        rows = measured()
        rows[:20] = [row.replace("bad", twin) for row in rows[:20]]
        split = read(written(HEADER, rows))
        (note,) = split.notes
        assert note.startswith("the labels ")
        assert repr("bad") in note
        assert repr(twin) in note

    @pytest.mark.parametrize("codes", [("7", "007"), ("007", "042"), ("01", "1"), ("00", "0")])
    def test_leading_zeros_are_kept(self, written, codes: tuple[str, str]) -> None:
        as_label = [f"{row},{codes[row % 2]}" for row in range(N)]
        assert read(written("x,label", as_label)).train.classes.tolist() == sorted(codes)
        as_column = [f"{row},{codes[row // 2 % 2]},{row % 2}" for row in range(N)]
        split = read(written("x,code,label", as_column))
        assert set(split.train.feature_names) == {"x", *(f"code={code}" for code in codes)}


class TestK9ColumnsWithoutAName:
    @pytest.mark.parametrize("name", ["", " ", '""'])
    @pytest.mark.parametrize(
        ("values", "kind"),
        [
            ([str(row) for row in range(N)], "an index"),
            ([str(row + 1) for row in range(N)], "an index"),
            ([str(row * 113 % 997) for row in range(N)], "an index"),
            ([""] * N, "empty"),
            ([" "] * N, "empty"),
        ],
    )
    @pytest.mark.parametrize("last", [False, True])
    def test_are_left_out_and_said(self, written, name: str, values: list[str], kind: str, last: bool) -> None:
        header, pairs = (f"{HEADER},{name}", "{1},{0}") if last else (f"{name},{HEADER}", "{0},{1}")
        rows = [pairs.format(value, line) for value, line in zip(values, measured(), strict=True)]
        split, plain = read(written(header, rows)), read(written(HEADER, measured(), "plain.csv"))
        np.testing.assert_array_equal(split.train.X, plain.train.X)
        assert split.notes == (f"column {5 if last else 1} has no name and is left out: it is {kind}",)

    @pytest.mark.parametrize("value", ["{}.5", "x{}", "{}e1"])
    def test_that_hold_something_else_are_refused(self, written, value: str) -> None:
        rows = [f"{value.format(row)},{line}" for row, line in enumerate(measured())]
        with pytest.raises(InvalidData, match="expected a name for every column, got none for column 1"):
            read(written(f",{HEADER}", rows))


class TestK12Messages:
    """They name what is in the file, with column and row."""

    @pytest.mark.parametrize("huge", ["1e300", "-1.7e308", "1e101", "1e999"])
    def test_numbers_that_are_too_large(self, written, huge: str) -> None:
        rows = [f"{line},{huge if row == 4 else row * 1e9}" for row, line in enumerate(measured())]
        path = written(f"{HEADER},big", rows)
        with pytest.raises(InvalidData, match=r"rows\.csv: column 'big', line 6: expected a .*number") as told:
            read(path)
        assert "`types` with big=number" in str(told.value)
        assert f"{float(huge):g}"[:4] in str(told.value) or huge in str(told.value)
        assert counted(read(path, types="big=number")) == N

    @pytest.mark.parametrize("labels", ["1,3", "1,2,3", "0,"])
    @pytest.mark.parametrize("row", [0, 17])
    def test_several_labels_a_row_are_refused_as_such(self, tmp_path: Path, labels: str, row: int) -> None:
        lines = [f"{labels if number == row else number % 2} 1:2.5 2:1\n" for number in range(N)]
        (tmp_path / "multi.svm").write_text("".join(lines))
        with pytest.raises(InvalidData, match=f"got '{labels}' in line {row + 1}: several labels a row cannot be used"):
            read(tmp_path / "multi.svm")

    @pytest.mark.parametrize("y", [np.eye(2)[np.arange(N) % 2], np.ones((N, 3), dtype=int)])
    def test_one_hot_labels_are_refused_as_such(self, tmp_path: Path, y: np.ndarray) -> None:
        np.savez(tmp_path / "multi.npz", X=np.ones((N, 2)), y=y)
        with pytest.raises(InvalidData, match=r"multi\.npz: y: expected one label a row, .*several labels a row"):
            read(tmp_path / "multi.npz")

    def test_lists_of_labels_are_refused_as_such(self, tmp_path: Path) -> None:
        pq.write_table(pa.table({"a": np.arange(N), "label": [[0, 1]] * N}), tmp_path / "multi.parquet")
        with pytest.raises(InvalidData, match=r"column 'label': expected one label a row, got lists: several labels"):
            read(tmp_path / "multi.parquet")


BIG = 2**64 - 1


class TestK14WholeNumbersAndWidths:
    @pytest.mark.parametrize("classes", [(BIG, 5), (BIG, BIG - 1), (2**63, 0), (2**63 - 1, 0)])
    def test_labels_past_int64_are_kept(self, tmp_path: Path, classes: tuple[int, int]) -> None:
        y = np.array(classes, dtype=np.uint64)[np.arange(N) % 2]
        X = np.random.default_rng(0).normal(size=(N, 2))
        expected = sorted(str(label) for label in classes)
        np.savez(tmp_path / "rows.npz", X=X, y=y)
        pq.write_table(pa.table({"a": X[:, 0], "label": y}), tmp_path / "rows.parquet")
        (tmp_path / "rows.csv").write_text(
            "a,label\n" + "".join(f"{x},{label}\n" for x, label in zip(X[:, 0], y, strict=True))
        )
        for ending in ("npz", "parquet", "csv"):
            assert sorted(map(str, read(tmp_path / f"rows.{ending}").train.classes.tolist())) == expected

    @pytest.mark.parametrize("value", [BIG, 2**53 + 1, -(2**53) - 1, 2**62 + 1])
    def test_numbers_that_no_float_holds_are_refused_with_their_row(self, tmp_path: Path, value: int) -> None:
        kind = np.uint64 if value > 2**63 else np.int64
        X = np.arange(2 * N, dtype=kind).reshape(N, 2)
        X[7, 1] = value
        np.savez(tmp_path / "rows.npz", X=X, y=np.arange(N) % 2)
        with pytest.raises(InvalidData, match=rf"X: expected whole numbers up to 2\*\*53, .*got {value} in row 8, col"):
            read(tmp_path / "rows.npz")
        table = pa.table({"a": X[:, 0], "b": X[:, 1], "label": np.arange(N) % 2})
        pq.write_table(table, tmp_path / "rows.parquet")
        with pytest.raises(
            InvalidData, match=f"column 'b', row 8: expected a number that a float holds exactly, got {value}"
        ):
            read(tmp_path / "rows.parquet")
        (tmp_path / "rows.csv").write_text(
            "a,b,label\n" + "".join(f"{a},{b},{row % 2}\n" for row, (a, b) in enumerate(X.tolist()))
        )
        with pytest.raises(
            InvalidData, match=f"column 'b', line 9: expected a number that a float holds exactly, got {value}"
        ):
            read(tmp_path / "rows.csv")

    @pytest.mark.parametrize("width", [BIG, 2**63, 2**62, 2**31, 10**7, 2**20 + 1])
    def test_declared_widths_are_bounded_by_the_data(self, tmp_path: Path, width: int) -> None:
        rng = np.random.default_rng(0)
        parts = {"X_data": rng.random(2 * N), "X_indices": np.tile([0, 2], N), "X_indptr": np.arange(0, 2 * N + 1, 2)}
        shape = np.array([N, width], dtype=np.uint64)
        np.savez(tmp_path / "rows.npz", **parts, X_shape=shape, y=np.arange(N) % 2)
        start = time.process_time()
        with pytest.raises(
            InvalidData,
            match=rf"rows\.npz: X_shape: expected at most 1,048,576 columns for 240 stored .*, got {width:,};",
        ):
            read(tmp_path / "rows.npz")
        assert time.process_time() - start < 2

    @pytest.mark.parametrize("column", [2**31 - 1, 10**7 - 1, 2 * 10**6])
    def test_column_numbers_are_bounded_by_the_data(self, tmp_path: Path, column: int) -> None:
        lines = [f"{row % 2} 1:2.5{f' {column}:1' if row == 9 else ''}\n" for row in range(N)]
        (tmp_path / "rows.svm").write_text("".join(lines))
        with pytest.raises(InvalidInput, match=r"rows\.svm: .* expected at most 1,048,576 columns for 121 stored"):
            read(tmp_path / "rows.svm")

    @pytest.mark.parametrize("rows", [2**63, BIG, N + 1])
    def test_declared_heights_are_those_of_the_data(self, tmp_path: Path, rows: int) -> None:
        parts = {"X_data": np.ones(N), "X_indices": np.zeros(N, dtype=int), "X_indptr": np.arange(N + 1)}
        np.savez(tmp_path / "rows.npz", **parts, X_shape=np.array([rows, 4], dtype=np.uint64), y=np.arange(N) % 2)
        with pytest.raises(InvalidData, match=f"X_indptr: expected {rows + 1} entries for {rows} rows, got {N + 1}"):
            read(tmp_path / "rows.npz")


class TestReadInOneWayOnly:
    """What a stranger found: numbers and dates that can be read in two ways, and values that a stated kind loses."""

    def test_points_beside_decimal_commas_are_refused(self, tmp_path):
        rows = "".join(f"{1000 + i:,};{i},5;{i % 2}\n".replace(",", ".", 1) for i in range(1, 60))
        path = tmp_path / "amounts.csv"
        path.write_text("menge;preis;label\n" + rows)
        with pytest.raises(InvalidData, match=r"column 'menge': expected numbers that can be read in one way"):
            read(path)
        assert read(path, decimal=",").columns[0].fitted["median"] > 1000

    def test_trusted_numbers_with_a_point_are_no_thousands_of_data_that_have_none(self, tmp_path):
        data, trusted = tmp_path / "data.csv", tmp_path / "trusted.csv"
        data.write_text("v;label\n" + "".join(f"{40 + i % 17},{i % 10};{i % 2}\n" for i in range(60)))
        trusted.write_text("v;label\n" + "".join(f"{40 + i % 17}.{100 + i};{i % 2}\n" for i in range(20)))
        source = read_source(data, Request())
        with pytest.raises(
            InvalidData, match=r"column 'v', line 2: expected a number as in the other rows, got '40.100'"
        ):
            source.encode(trusted)

    def test_values_that_a_stated_kind_loses_are_counted(self, tmp_path):
        path = tmp_path / "file.csv"
        path.write_text("v,label\n" + "".join(f"{i if i % 4 else '(5)'},{i % 2}\n" for i in range(80)))
        split = read(path, types="v=number")
        assert "20 of 80 values are no numbers and are missing, such as '(5)' (line 2)" in " ".join(split.notes)

    @pytest.mark.parametrize(("minus", "group"), [("\N{MINUS SIGN}", "\N{RIGHT SINGLE QUOTATION MARK}"), ("-", "'")])
    def test_signs_of_typesetters(self, tmp_path, minus, group):
        path = tmp_path / "file.csv"
        path.write_text("v,label\n" + "".join(f"{minus}7{group}{100 + i}.5,{i % 2}\n" for i in range(60)))
        column = read(path).columns[0]
        assert (column.kind, column.fitted["median"] < -7100) == ("number", True)

    def test_a_line_that_names_the_separator_is_followed_and_kept(self, tmp_path):
        path = tmp_path / "file.csv"
        path.write_text("sep=;\na;label\n" + "".join(f"{i}.5;{i % 2}\n" for i in range(60)))
        source = read_source(path, Request())
        assert (source.split.row_names[0], source.split.train.feature_names) == ("3", ("a",))
        written = source.write_rows([0, 5], tmp_path, stem="kept")
        assert written.read_text() == "sep=;\na;label\n0.5;0\n5.5;1\n"
