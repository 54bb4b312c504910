"""The kind of each column is told from its values, or refused with the option that settles it."""

from __future__ import annotations

import datetime
import decimal

import numpy as np
import pyarrow as pa
import pytest

from toadstone.core.errors import InvalidData
from toadstone.core.row_names import RowNames
from toadstone.datasets.preparation.column_types import infer_types
from toadstone.datasets.preparation.conversion import ColumnType, Origin, convert
from toadstone.datasets.readers.request import Request


def origin(n: int = 1000) -> Origin:
    return Origin("file.csv", RowNames("line", names=np.arange(2, n + 2)))


def read(values: object, name: str = "a", **options: object) -> tuple[ColumnType, list]:
    column = values if isinstance(values, pa.Array) else pa.array(values)
    table = pa.table({name: column})
    (how,) = infer_types(table, Request(**options), origin())  # type: ignore[arg-type]
    return how, [] if how.kind == "left out" else convert(table[name], how, origin()).to_pylist()


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1", "2.5", "-3e2", ".5", "+7", "2."], [1, 2.5, -300, 0.5, 7, 2]),
        ([" 1", "2 ", "\t3"], [1, 2, 3]),
        (["1,5", "-0,25", "3"], [1.5, -0.25, 3]),
        (["1,234.5", "12", "1,234,567"], [1234.5, 12, 1234567]),
        (["1.234,5", "12", "1.234.567"], [1234.5, 12, 1234567]),
        (["1 234,5", "7"], [1234.5, 7]),
        (["1'234", "2'000'000"], [1234, 2000000]),
        (["12 %", "7 %", "0.5 %"], [12, 7, 0.5]),
        (["$5", "$1,200.50"], [5, 1200.5]),
        (["EUR 3", "EUR 4"], [3, 4]),
        (["70 kg", "81 kg"], [70, 81]),
    ],
)
def test_numbers_in_every_notation_are_numbers(texts: list[str], numbers: list[float]) -> None:
    how, values = read(texts)
    assert how.kind == "number"
    assert values == numbers


@pytest.mark.parametrize("mark", ["", " ", "?", "-", "--", "NA", "n/a", "#N/A", "NaN", "null", "None", ".", "*"])
def test_marks_among_numbers_are_missing_values(mark: str) -> None:
    how, values = read([*(str(i) for i in range(30)), mark])
    assert how.kind == "number"
    assert values == [*range(30), None]
    assert (repr(mark) in how.note) == (mark.strip() not in ("", "NA", "NaN")), "marks that few expect are told"


def test_the_comma_is_settled_by_an_option_where_it_can_be_read_in_two_ways() -> None:
    texts = ["1,234", "2,000", "7"]
    with pytest.raises(InvalidData, match=r"^file.csv: column 'a': expected numbers that can be read in one way, got"):
        read(texts)
    assert read(texts, decimal=",")[1] == [1.234, 2.0, 7.0]
    assert read(texts, decimal=".")[1] == [1234, 2000, 7]
    assert read(texts, separator=";")[1] == [1.234, 2.0, 7.0], "a file with semicolons has decimal commas"


@pytest.mark.parametrize(
    ("texts", "days"),
    [
        (["1970-01-02", "1972-02-29", ""], [1, 789, None]),
        (["1970-01-02 12:00", "1970-01-03T06:00:00Z"], [1.5, 2.25]),
        (["31/01/1970", "01/02/1970"], [30, 31]),
        (["1/31/1970", "2/1/1970"], [30, 31]),
        (["2 Jan 1970", "28-feb-1970"], [1, 58]),
        (["January 2, 1970", "Feb 28, 1970"], [1, 58]),
        (["1970-01", "1970-02"], [0, 31]),
        (["06:00", "18:00"], [0.25, 0.75]),
    ],
)
def test_dates_become_days(texts: list[str], days: list[float]) -> None:
    how, values = read(texts)
    assert how.kind == "date"
    assert values == days


def test_the_order_of_day_and_month_is_never_guessed() -> None:
    texts = ["03/04/1970", "05/06/1970"]
    with pytest.raises(
        InvalidData, match=r"got '0[35]/0[46]/1970'; `dayfirst` says that the day comes first, its opposite"
    ):
        read(texts)
    assert read(texts, dayfirst=True)[1] == [92, 155]
    assert read(texts, dayfirst=False)[1] == [62, 125]
    assert read(["13/04/1970", "05/06/1970"], dayfirst=False)[1] == [102, 155], "13 is no month"


def test_dates_that_do_not_exist_are_no_dates() -> None:
    assert read(["2024-02-30", "2024-02-28"] * 20)[0].kind == "category"


@pytest.mark.parametrize(
    ("values", "kind", "converted"),
    [
        ([1, 2, None], "number", [1, 2, None]),
        (pa.array([1, 2], pa.uint8()), "number", [1, 2]),
        (pa.array([decimal.Decimal("0.25"), None]), "number", [0.25, None]),
        ([1.5, float("nan")], "number", [1.5, None]),
        (pa.array([1.5, 2], pa.float16()), "number", [1.5, 2]),
        ([True, False, None], "category", ["True", "False", None]),
        (pa.array(["x", "y", None]).dictionary_encode(), "category", ["x", "y", None]),
        (pa.array([3, 5]).dictionary_encode(), "category", ["3", "5"]),
        (pa.array(["u", "v", "u"], pa.large_string()), "category", ["u", "v", "u"]),
        (["u", " u", "NA"] * 5, "category", ["u", "u", None] * 5),
        ([datetime.date(1970, 1, 3), None], "date", [2, None]),
        ([datetime.datetime(1970, 1, 3, 12), None], "date", [2.5, None]),
        ([datetime.time(6)], "date", [0.25]),
        ([datetime.timedelta(days=2)], "date", [2]),
    ],
    ids=str,
)
def test_typed_columns_keep_their_meaning(values: object, kind: str, converted: list) -> None:
    how, found = read(values)
    assert how.kind == kind
    assert found == converted


def test_leading_zeros_are_kept_as_text() -> None:
    how, values = read(["007", "7", "08"] * 10)
    assert (how.kind, how.note) == ("category", "text, for their leading zeros")
    assert values[:3] == ["007", "7", "08"]


@pytest.mark.parametrize(
    ("name", "values", "note"),
    [
        ("a", pa.nulls(3), "it has no values"),
        ("a", ["", " ", "NA"], "it has no values"),
        ("rownames", list(range(30)), "an index"),
        ("id", [str(i * 7) for i in range(30)], "an index"),
        ("patient_id", list(range(30)), "an index"),
        ("a", [f"text {i}" for i in range(30)], "30 different texts in 30 rows"),
    ],
)
def test_columns_without_information_are_left_out_and_said(name: str, values: object, note: str) -> None:
    how, _ = read(values, name)
    assert (how.kind, how.note) == ("left out", note)


@pytest.mark.parametrize(
    ("name", "values"), [("a", list(range(30))), ("id", [1, 1, 2]), ("id", [0.5, 1, 2]), ("id", [1, None, 2])]
)
def test_other_whole_numbers_are_no_index(name: str, values: list) -> None:
    assert read(values, name)[0].kind == "number"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            [f"{i}.5" for i in range(30)] + ["2,5"],
            r"column 'a', line 32: expected numbers in one notation, got '2,5' beside '0.5'",
        ),
        ([str(i) for i in range(40)] + ["<5"], r"column 'a', line 42: .*got '<5' beside '0'; `types` with a=number"),
        ([str(i) for i in range(40)] + ["oops"], r"column 'a', line 42: expected a number as in most rows, got 'oops'"),
        (
            [f"2024-01-{i % 28 + 1:02}" for i in range(40)] + ["spring"],
            "column 'a', line 42: expected a date as in most rows",
        ),
        ([1.0, float("-inf"), 2.0], r"column 'a', line 3: expected a finite number, got -inf; `types` with a=number"),
        (["1", "1e999"], r"column 'a', line 3: expected a finite number, got 1e999"),
        (["1", "1e300"], r"column 'a', line 3: expected a number up to 1e\+100, got 1e300"),
        ([1, 2**53 + 1], r"column 'a', line 3: expected a number that a float holds exactly, got 9007199254740993"),
        (
            pa.array([2**64 - 1], pa.uint64()),
            r"column 'a', line 2: expected a number that a float holds exactly, got 18446744073709551615",
        ),
        (["9007199254740993", "1"], r"column 'a', line 2: expected a number that a float holds exactly, got 9007"),
        ([[1], [2]], r"column 'a': expected numbers, text, dates or categories, got values of type list.*; `drop`"),
        ([b"x", b"\xff"], "column 'a': expected numbers, text, dates or categories, got bytes; `drop` leaves it out"),
    ],
)
def test_what_cannot_be_typed_safely_is_refused_with_the_way_out(values: object, sentence: str) -> None:
    with pytest.raises(InvalidData, match=f"^file.csv: ({sentence})") as refusal:
        read(values)
    assert "`" in str(refusal.value), "an option is named"
    assert "\n" not in str(refusal.value)


class TestStatedKinds:
    def test_values_that_do_not_fit_are_missing(self) -> None:
        texts = ["1", "2,5", "oops", "<5"]
        assert read(texts, types={"a": "number"})[1] == [1, 2.5, None, None]
        assert read(["1970-01-02", "soon"], types={"a": "date"})[1] == [1, None]
        assert read([1.0, float("inf"), 1e200], types={"a": "number"})[1] == [1, None, None]

    def test_numbers_can_be_categories_and_texts(self) -> None:
        how, values = read([1, 2, None], types={"a": "category"})
        assert (how.kind, values) == ("category", ["1", "2", None])
        how, values = read([1, 2, None], text="a")
        assert (how.kind, values) == ("text", ["1", "2", ""])
        how, values = read(pa.array(["x", None]).dictionary_encode(), text="a")
        assert (how.kind, values) == ("text", ["x", ""])

    def test_an_identifier_is_left_out(self) -> None:
        assert read(["x", "x"], types={"a": "id"})[0].note == "it names the rows"

    @pytest.mark.parametrize("kind", ["number", "date"])
    def test_a_kind_that_no_value_has(self, kind: str) -> None:
        with pytest.raises(InvalidData, match=f"^file.csv: column 'a': expected {kind}s, as `types` says, got 'x'"):
            read(["x", "y"], types={"a": kind})

    @pytest.mark.parametrize("kind", ["number", "date"])
    def test_marks_alone_are_no_values(self, kind: str) -> None:
        assert read(["?", "-", ""], types={"a": kind})[0] == ColumnType("a", "left out", note="it has no values")

    @pytest.mark.parametrize("kind", ["number", "date", "category", "text"])
    @pytest.mark.parametrize("values", [[[1], [2]], [b"x", b"\xff"], [{"b": 1}]], ids=str)
    def test_values_without_a_text_have_no_kind(self, kind: str, values: list) -> None:
        with pytest.raises(InvalidData, match=r"^file.csv: column 'a': expected numbers, text, dates or categories"):
            read(values, types={"a": kind})

    def test_a_number_is_no_date(self) -> None:
        with pytest.raises(InvalidData, match=r"^file.csv: column 'a': expected dates, got values of type double"):
            read([1.5], types={"a": "date"})


def test_conversion_refuses_what_the_first_table_did_not_have() -> None:
    how, _ = read(["1", "2"])
    with pytest.raises(
        InvalidData, match=r"^file.csv: column 'a', line 3: expected a number as in the other rows, got"
    ):
        convert(pa.array(["1", "x"]), how, origin())


def test_few_levels_are_categories_whatever_their_number() -> None:
    assert read(["red", "green", "blue"] * 2)[0].kind == "category"
    assert read([f"level {i % 40}" for i in range(400)])[0].kind == "category"
    assert read([f"level {i % 300}" for i in range(400)])[0].kind == "left out"
