"""Columns that say who rows are from and when, and a note where nothing can be learned from them."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.datasets.readers.memory import as_frame, read_frame
from toadstone.datasets.readers.request import Request
from toadstone.pipeline.defend import DefencePlan, defend
from toadstone.pipeline.scan import ScanPlan, scan
from toadstone.pipeline.scanning.circumstances import circumstances_of

pd = pytest.importorskip("pandas")
N = 60


def opened(who=None, when=None):
    rng = np.random.default_rng(0)
    y = np.arange(N) % 2
    columns = {"x": rng.normal(size=N) + 3.0 * y, "z": rng.normal(size=N), "label": y}
    columns |= {name: values for name, values in (("who", who), ("when", when)) if values is not None}
    given = {name: name if name in columns else None for name in ("who", "when")}
    split, _ = read_frame(
        as_frame(pd.DataFrame(columns)), Request(label="label", group=given["who"], time=given["when"])
    )
    return split, given["who"], given["when"]


def notes(who=None, when=None):
    split, group, time = opened(who, when)
    return circumstances_of(split, split.whole(), group, time).notes


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ([f"p{row}" for row in range(N)], "none of its 60 values stands in 5 rows or more"),
        ([f"p{row // 4}" for row in range(N)], "none of its 15 values stands in 5 rows or more"),
        (["all"] * N, "it has one value only, 'all'"),
        ([None] * N, "it has no value in any row"),
        ([f"p{row // 5}" for row in range(N)], ""),
    ],
)
def test_a_column_that_compares_no_sources_is_named(who, why):
    assert notes(who=who) == ((f"nothing can be learned of sources from column 'who': {why}",) if why else ())


@pytest.mark.parametrize(
    ("when", "why"),
    [
        (["2024-03-01"] * N, "it has the same time in every row that has one"),
        ([7.0] * 10 + [None] * (N - 10), "it has the same time in every row that has one"),
        ([None] * N, "it has no time in any row"),
        (list(range(N)), ""),
    ],
)
def test_a_column_that_compares_no_periods_is_named(when, why):
    assert notes(when=when) == ((f"nothing can be learned of periods from column 'when': {why}",) if why else ())


def test_the_record_says_so():
    split, group, _ = opened(["one"] * N)
    said = "nothing can be learned of sources from column 'who': it has one value only, 'one'"
    assert said in scan(split, ScanPlan(detectors=("none",), group=group))[0].data.notes
    assert said in defend(split, DefencePlan(group=group)).record.data.notes
