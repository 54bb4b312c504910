"""Options of the readers are checked on construction."""

from __future__ import annotations

from typing import Any

import pytest

from toadstone.core.errors import InvalidArgument
from toadstone.datasets.readers.request import Request


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"scale": "minmax"}, r"`scale`: expected one of \('auto', 'standard', 'none'\), got 'minmax'"),
        ({"weighting": "bm25"}, r"`weighting`: expected one of \('tfidf', 'counts'\), got 'bm25'"),
        ({"test_share": 1.0}, r"`test_share`: expected a number in \(0, 1\), got 1.0"),
        ({"test_share": 0.0}, r"`test_share`: expected a number in \(0, 1\), got 0.0"),
        ({"test_share": float("nan")}, r"`test_share`: expected a number in \(0, 1\), got nan"),
        ({"missing": "mean"}, r"`missing`: expected one of \('indicate', 'refuse', 'drop-rows'\), got 'mean'"),
        ({"quote": "'"}, r"""`quote`: expected one of \('auto', 'double', 'none'\), got "'\""""),
        ({"decimal": ";"}, r"`decimal`: expected '.' or ',', got ';'"),
        ({"separator": ""}, "`separator`: expected one ASCII character, or 'tab', got ''"),
        ({"separator": "::"}, "`separator`: expected one ASCII character, or 'tab', got '::'"),
        ({"separator": "§"}, "`separator`: expected one ASCII character, or 'tab', got '§'"),
        ({"separator": '"'}, "`separator`: expected one ASCII character, or 'tab'"),
        ({"separator": "\n"}, "`separator`: expected one ASCII character, or 'tab'"),
        ({"encoding": "utf-99"}, "`encoding`: expected the name of an encoding, such as 'latin-1', got 'utf-99'"),
        ({"types": "a=int"}, r"`types`: expected COLUMN=KIND, where KIND is one of number, .*, got a=int"),
        ({"types": "a"}, r"`types`: expected COLUMN=KIND"),
        ({"types": {"a": "float"}}, r"`types`: expected COLUMN=KIND, .*got a=float"),
        ({"drop": "a", "columns": "b"}, "`drop`: expected either this or `columns`, not both, got a"),
        ({"classes": "01"}, r"`classes`: expected at least two different labels, got \('01',\)"),
        ({"classes": ("1", "1")}, r"`classes`: expected at least two different labels, got \('1', '1'\)"),
    ],
)
def test_options_out_of_range(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidArgument, match=f"^{sentence}"):
        Request(**options)


def test_classes_become_text() -> None:
    assert Request(classes=[7, 1]).classes == ("7", "1")  # type: ignore[list-item]


def test_the_hold_out_is_described() -> None:
    assert Request(test_share=0.25, random_state=9).test_origin == "25 % held out at random, stratified, seed 9"


def test_lists_may_be_written_with_commas() -> None:
    request = Request(text="a, b", drop=["c,d"], types="x=number, y = z=text")
    assert request.texts == ("a", "b")
    assert request.drop == ("c,d",)
    assert request.kinds == {"x": "number", "y = z": "text"}
    assert Request(text="", drop=" , ").drop is None


@pytest.mark.parametrize(("name", "sign"), [("tab", "\t"), ("\\t", "\t"), ("space", " "), (";", ";")])
def test_separators_have_names(name: str, sign: str) -> None:
    assert Request(separator=name).separator == sign


@pytest.mark.parametrize("options", [{"separator": ";"}, {"encoding": "latin-1"}, {"quote": "none"}])
def test_notation_is_refused_for_other_formats(options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(InvalidArgument, match=f"^`{name}`: expected nothing for a file, which is no delimited text"):
        Request(**options).refuse_notation("a file")


@pytest.mark.parametrize("option", ["label", "text", "drop", "columns", "id"])
def test_columns_are_refused_for_data_without_names(option: str) -> None:
    request = Request(**{option: "y"})
    with pytest.raises(
        InvalidArgument, match=f"^`{option}`: expected nothing for an archive, which has no named columns, got "
    ):
        request.refuse_columns("an archive")
    Request().refuse_columns("an archive")
