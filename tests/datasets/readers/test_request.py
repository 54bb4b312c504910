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


@pytest.mark.parametrize("option", ["label", "text"])
def test_columns_are_refused_for_data_without_names(option: str) -> None:
    request = Request(**{option: "y"})
    with pytest.raises(
        InvalidArgument, match=f"^`{option}`: expected nothing for an archive, which has no named columns, got 'y'"
    ):
        request.refuse_columns("an archive")
    Request().refuse_columns("an archive")
