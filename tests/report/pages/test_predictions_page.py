"""The page of certified predictions: its numbers, its words, and names that mean harm."""

from __future__ import annotations

import dataclasses
import re

import pytest

import toadstone
from toadstone.records.guarantees.pointwise import PointwiseRecord
from toadstone.records.header import Source
from toadstone.report.pages.predictions_page import render_predictions

HOSTILE = "<script>alert('x')</script>{{ 7 * 7 }}\x1b[2J\u202e"


@pytest.fixture(scope="module")
def flips() -> PointwiseRecord:
    return toadstone.certify("digits-1-7", method="label-flips", ridge=[0.1, 0.3]).details


@pytest.fixture(scope="module")
def near() -> PointwiseRecord:
    return toadstone.certify("digits-1-7", method="neighbours", k=31).details


@pytest.fixture(scope="module")
def sources() -> PointwiseRecord:
    import pandas as pd

    X, y = toadstone.load("digits-1-7").train.X, toadstone.load("digits-1-7").train.y
    frame = (
        pd.DataFrame(X[:, 10:20]).add_prefix("pixel ").assign(label=y, site=[f"s{row % 4}" for row in range(len(y))])
    )
    return toadstone.certify(frame, method="votes", group="site").details


def test_the_numbers_of_the_best_setting_are_on_the_page(flips, page_of):
    text = " ".join(page_of(render_predictions(flips)).text.split())
    best = max(flips.summaries, key=lambda one: sum(one.certified_accuracy.values()))
    assert f"half of all withstand {best.median} label flips" in text
    for found in (best.certified_accuracy, best.collective_accuracy, best.attacked_accuracy):
        assert f"{100 * found['0.01']:.1f}" in text
    for words in ("What is promised", "Against whom", "To whom", "Assumed", "Not covered", "pointwise", "collective"):
        assert words in text
    for one in flips.summaries:
        assert f"lambda {one.settings['lambda']:.4g}" in text


def test_what_was_not_computed_is_not_named(near, page_of):
    text = page_of(render_predictions(near)).text
    for words in ("collective", "Attack found", "All rows at once"):
        assert words not in text


def test_few_units_are_counted_one_by_one(sources, page_of):
    text = " ".join(page_of(render_predictions(sources)).text.split())
    assert "cannot be changed by any one site of the 4" in text
    assert "whichever one of the 4 attacks them all; collective" in text


@pytest.mark.parametrize("name", ["flips", "near", "sources"])
def test_nothing_is_fetched_and_identifiers_are_unique(name, request):
    record = request.getfixturevalue(name)
    markup = render_predictions(record)
    assert markup == render_predictions(record)
    assert not re.search(r"(?:src|href)=\"(?!data:,|#)", markup)
    identifiers = re.findall(r'\bid="([^"]+)"', markup)
    assert len(identifiers) == len(set(identifiers))
    for targets in re.findall(r'(?:aria-labelledby="|href="#)([^"]+)', markup):
        assert set(targets.split()) <= set(identifiers)


def test_hostile_names_are_shown_and_never_run(sources, page_of):
    summaries = tuple(dataclasses.replace(one, unit=f"values of {HOSTILE}") for one in sources.summaries)
    record = dataclasses.replace(
        sources, source=Source(HOSTILE, HOSTILE, "line"), adversary=HOSTILE, summaries=summaries, assumptions=(HOSTILE,)
    )
    markup = render_predictions(record)
    page = page_of(markup)
    assert page.elements.count("script") == 0
    assert "<script>alert('x')</script>{{ 7 * 7 }}" in page.text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", markup)


def test_a_record_survives_as_json(flips):
    again = PointwiseRecord.from_json(flips.to_json())
    assert again.summaries[0].collective_accuracy == flips.summaries[0].collective_accuracy
    assert render_predictions(again) == render_predictions(flips)
