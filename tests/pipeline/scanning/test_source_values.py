"""Columns and values as the source has them."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets import read
from toadstone.datasets.catalogue.load import open_requested
from toadstone.datasets.readers.request import Request
from toadstone.pipeline.scanning.source_values import SourceValues, source_values, sources_of, times_of

HEADER = "body,colour,size,desk,day,label"


def lines(n=60):
    return [
        f"{'free money' if row % 2 else 'the report'} number {row % 7},{('red', 'blue', 'green')[row % 3]},"
        f"{row % 5}.50,desk {row % 4},2024-03-{row % 28 + 1:02},{'spam' if row % 2 else 'ham'}"
        for row in range(n)
    ]


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mails.csv").write_text("\n".join([HEADER, *lines()]) + "\n")
    return "mails.csv"


def opened(table, **options):
    return open_requested(table, Request(label="label", text="body", **options)).split


def valued(split) -> SourceValues:
    return source_values(split, split.whole())


def features(source, column):
    return [j for j in range(source.data.n_features) if source.column(j) == column]


def test_a_category_is_one_column_and_each_word_is_its_own(table):
    source = valued(opened(table, group="desk", time="day"))
    colours = features(source, "colour")
    assert len(colours) == 3
    assert len(set(source.column_of[colours])) == 1
    words = np.flatnonzero(source.is_word)
    assert {"free", "money", "report"} <= {source.column(int(word)) for word in words}
    assert len(set(source.column_of[words])) == len(words)
    assert len(set(source.column_of)) == len(words) + 2


def test_values_are_those_of_the_file(table):
    source = valued(opened(table, group="desk", time="day"))
    colour, size, word = (
        features(source, "colour")[0],
        features(source, "size")[0],
        int(np.flatnonzero(source.is_word)[0]),
    )
    shown = source.shown(4, [colour, size, word])
    assert shown == {"colour": "blue", "size": "4.50", "body": "the report number 4"}
    assert source.shared(np.array([0, 3, 6]), [colour, size]) == {"colour": "red", "size": "0.50 to 3.50"}
    assert source.shared(np.arange(6), [colour]) == {"colour": "blue, green, red"}
    assert source.name(4) == "6"


def test_arrays_have_their_own_columns():
    X, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    from toadstone.datasets.readers.memory import read_arrays

    split, _ = read_arrays(X, y, Request())
    source = valued(split)
    assert source.column_of.tolist() == [0, 1, 2]
    assert source.shown(5, [2]) == {"column 2": f"{X[5, 2]:.6g}"}


def test_sources_and_times_are_read_and_are_no_features(table):
    split = opened(table, group="desk", time="day")
    data = split.whole()
    assert {column.name for column in split.columns} == {"body", "colour", "size"}
    assert sources_of(split, data, "desk").tolist()[:5] == ["desk 0", "desk 1", "desk 2", "desk 3", "desk 0"]
    assert np.diff(times_of(split, data, "day")[:3]).tolist() == [86400.0, 86400.0]
    assert times_of(split, data, "size")[:3].tolist() == [0.5, 1.5, 2.5]


def test_what_is_not_said_is_not_known(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = lines()
    rows[3] = rows[3].replace("desk 3", "").replace("2024-03-04", "")
    (tmp_path / "mails.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    split = opened("mails.csv", group="desk", time="day")
    data = split.whole()
    assert sources_of(split, data, "desk")[3] is None
    assert np.flatnonzero(np.isnan(times_of(split, data, "day"))).tolist() == [3]
    source = source_values(split, data, "day")
    assert source.period(np.array([8, 3, 4])) == "2024-03-05 to 2024-03-09"
    assert valued(split).period(np.array([8])) == ""


def test_columns_that_do_not_serve_are_refused_in_a_sentence(table):
    split = opened(table)
    data = split.whole()
    with pytest.raises(InvalidArgument, match="`time`: expected a column of numbers or of dates such as 2024-03-01"):
        times_of(split, data, "colour")
    with pytest.raises(InvalidArgument, match=r"`group`: expected a column of a table, and mails\.csv has none of"):
        sources_of(split, data, "hospital")
    with pytest.raises(InvalidArgument, match=r"`group`: expected a column of mails\.csv: body, colour"):
        opened(table, group="hospital")


def test_dates_of_a_frame_are_times(table):
    class Days:
        def cells(self, column):
            return [date(2024, 1, 1), date(2024, 1, 3)]

        def days(self, column):
            return None

    from dataclasses import replace

    split = read(table, label="label", text="body")
    data = split.whole().take(np.array([0, 1]))
    assert np.diff(times_of(replace(split, raw=Days()), data, "day")).tolist() == [2 * 86400.0]


def dated(tmp_path, monkeypatch, days, **options):
    monkeypatch.chdir(tmp_path)
    rows = [row.replace(f"2024-03-{n % 28 + 1:02}", days[n % len(days)]) for n, row in enumerate(lines())]
    (tmp_path / "mails.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    split = opened("mails.csv", time="day", **options)
    return split, split.whole()


@pytest.mark.parametrize(
    ("days", "options", "apart"),
    [
        (("03/02/2024", "04/02/2024", "13/02/2024"), {}, 1),
        (("03/02/2024", "04/02/2024", "02/13/2024"), {}, 31),
        (("03/02/2024", "04/02/2024"), {"dayfirst": True}, 1),
        (("03/02/2024", "04/02/2024"), {"dayfirst": False}, 31),
        (("03/02/2024", "04/02/2024"), {"types": {"day": "date"}}, 1),
        (("3 Feb 2024", "4 Feb 2024"), {}, 1),
    ],
)
def test_times_are_read_as_dates_among_the_features_are(tmp_path, monkeypatch, days, options, apart):
    split, data = dated(tmp_path, monkeypatch, days, **options)
    times = times_of(split, data, "day")
    assert (times[1] - times[0]) / 86400 == apart
    assert source_values(split, data, "day").period(np.array([1, 0])) == f"{days[0]} to {days[1]}"


def test_times_that_can_be_read_in_two_ways_name_the_option(tmp_path, monkeypatch):
    split, data = dated(tmp_path, monkeypatch, ("03/02/2024", "04/02/2024"))
    with pytest.raises(InvalidData, match=r"column 'day': expected dates that can be read in one way.*--monthfirst"):
        times_of(split, data, "day")
