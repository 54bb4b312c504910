"""Trusted rows are named as in their own source, and what does not fit them is said."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from toadstone.core.errors import InvalidArgument
from toadstone.datasets.readers.request import Request
from toadstone.front.inputs import open_data, open_targets

N = 40


@pytest.fixture
def rows():
    """Rows of two numbers with a name and a label."""
    X = np.random.default_rng(0).normal(size=(N, 2)).round(4)
    return [f"r{row},{a},{b},{'ham' if row % 2 else 'spam'}" for row, (a, b) in enumerate(X.tolist())]


@pytest.fixture
def opened(rows, tmp_path, monkeypatch):
    """Return a function that opens these rows, the trusted ones below blank lines and before others in a file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("name,a,b,label\n" + "\n".join(rows) + "\n")

    def given(trusted, *, header="name,a,b,label", **options):
        (tmp_path / "checked.csv").write_text(f"\n\n{header}\n" + "\n".join(trusted) + "\n")
        return open_data("rows.csv", Request(label="label", **options)).trusted("checked.csv")

    return given


FRESH = ("x,7,7,ham", "y,8,8,spam", "z,9,9,spam")


def test_rows_that_are_data_are_named_by_the_lines_of_both_files(opened, rows):
    with pytest.warns(UserWarning, match=r"1 of 4 .* \(the first is line 6, which equals line 7\)"):
        assert len(opened([*FRESH[:2], rows[5], FRESH[2]])) == 3
    with pytest.raises(InvalidArgument, match=r"got 2 of 3 that are \(the first: its line 5 is line 8\)"):
        opened([FRESH[0], rows[6], rows[7]])
    with pytest.raises(InvalidArgument, match="got eggs in its line 6"):
        opened([*FRESH[:2], "w,1,2,eggs"])


def test_rows_are_named_by_the_column_that_names_the_data_where_it_is_there(opened, rows):
    with pytest.raises(InvalidArgument, match=r"the first: its name 'r6' is name 'r6'"):
        opened([FRESH[0], rows[6], rows[7]], id="name")
    twice = [FRESH[0], rows[6], rows[6]]
    with pytest.raises(InvalidArgument, match=r"the first: its line 5 is name 'r6'"):
        opened(twice, id="name")


def test_rows_of_a_frame_are_named_by_its_index(rows):
    frame = pd.DataFrame([row.split(",") for row in rows], columns=["name", "a", "b", "label"])
    frame[["a", "b"]] = frame[["a", "b"]].astype(float)
    given = open_data(frame, Request(label="label"))
    trusted = frame.iloc[[4, 5]].set_axis(["left", "right"])
    with pytest.raises(InvalidArgument, match=r"the first: its index left is index 4"):
        given.trusted(trusted)


def test_targets_are_no_labels(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [f"{row * 1.37:.3f},{row * row}" for row in range(N)]
    (tmp_path / "rows.csv").write_text("a,price\n" + "\n".join(lines) + "\n")
    (tmp_path / "checked.csv").write_text("a,price\n0.5,9999.5\n" + lines[3] + "\n")
    given = open_targets("rows.csv", Request(label="price", regression=True))
    with pytest.raises(InvalidArgument, match=r"got 1 of 2 that are .*its line 3 is line 5"):
        given.trusted("checked.csv")


def test_columns_that_the_data_lack_are_named(opened):
    said = r"checked\.csv has columns that the data lack, left out: 'age', 'note'"
    with pytest.warns(UserWarning, match=said):
        assert len(opened([f"{row},3,ok" for row in FRESH], header="name,a,b,label,age,note")) == 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Columns that the data have, but that are no features, are not new.
        opened(FRESH, drop=("name",))
