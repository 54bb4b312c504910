"""The list of a scan, of a made-up verdict whose every answer is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from toadstone.core.dataset import Dataset
from toadstone.core.row_names import RowNames
from toadstone.detectors.verdict.row_groups import RowGroup
from toadstone.pipeline.scanning.groups import group_findings
from toadstone.pipeline.scanning.listing import Listing
from toadstone.pipeline.scanning.source_values import SourceValues


@dataclass
class Answers:
    """What a fitted verdict says of twelve rows and two trusted ones after them."""

    def __post_init__(self):
        n = 14
        self.wrong_probability_ = np.zeros(n)
        self.wrong_probability_[[2, 5, 8]] = 0.9, 0.7, 0.45
        self.group_ = np.full(n, -1)
        self.group_[[10, 11]] = 0
        self.score_ = self.wrong_probability_.copy()
        self.score_[[10, 11]] = 0.95
        self.flagged_indices_ = np.array([10, 11, 2, 5])
        self.review_indices_ = np.array([8])
        self.reasons_ = ["shares c1 = 9"] * 2 + ["labelled a, looks like b (88 %)", "labelled a, looks like b (66 %)"]
        self.suggested_ = np.array(["b"] * 6 + ["a"] * 8)
        self.suggestion_probability_ = np.full(n, 0.66)
        self.suggestion_probability_[2] = 0.88
        self.groups_ = (group(np.array([10, 11])),)


def group(rows, kind="shared values", **changes):
    facts = {"label": "b", "looks_like": "a", "columns": (1,), "lows": (9.0,), "highs": (9.0,), "p_value": 1e-9}
    return RowGroup(kind, rows, **facts | {"probability": 0.95} | changes)


class Detector:
    """Flags rows 2 and 5, the latter first of its class."""

    suspicion_ = np.r_[np.zeros(5), 3.0, np.zeros(6)]
    flagged_indices_ = np.array([2, 5])
    reasons_ = ("far", "farther")


@pytest.fixture
def source():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, 3))
    X[6:, 0] += 8.0
    X[[10, 11], 1] = 9.0
    data = Dataset(X, np.repeat(["a", "b"], 6), ("c0", "c1", "c2"))
    return SourceValues(data, RowNames("line", first=2), None, np.arange(3), np.zeros(3, dtype=bool))


@pytest.fixture
def listing(source):
    return Listing(source, Answers(), {"loud": Detector()})


def test_rows_come_in_the_order_of_the_verdict_with_its_words(listing):
    rows = listing.rows()
    assert [row.row for row in rows] == ["12", "13", "4", "7"]
    assert [row.score for row in rows] == [0.95, 0.95, 0.9, 0.7]
    assert [row.group for row in rows] == [0, 0, None, None]
    assert (rows[2].label, rows[2].suggested_label, rows[2].probability) == ("a", "b", 0.88)
    assert rows[2].reasons[0] == "labelled a, looks like b (88 %)"
    assert rows[2].also_flagged_by == {"loud": "far"}


def test_rows_of_a_group_show_what_it_shares(listing):
    assert listing.rows()[0].values == {"c1": "9"}
    assert listing.rows()[0].reasons == ("shares c1 = 9",)


def test_rows_to_review_and_rows_worth_checking(listing):
    count, review = listing.review()
    assert (count, [row.row for row in review]) == (1, ["10"])
    assert listing.worth_checking() == ("10", "7")


def test_scores_are_those_of_all_rows_without_trusted_ones(listing):
    scores = listing.scores()
    assert len(scores.rows) == len(scores.score) == len(scores.suggested) == 12
    assert np.flatnonzero(scores.listed).tolist() == [2, 5, 10, 11]
    assert scores.group[[9, 10]].tolist() == [-1, 0]
    assert scores.flagged_by[5] == ("loud",)


def test_without_a_verdict_the_detectors_list(source):
    listing = Listing(source, None, {"loud": Detector()})
    assert listing.listed.tolist() == [5, 2]
    assert listing.scores().wrong_probability is None
    row = listing.rows()[0]
    assert (row.suggested_label, row.group, row.reasons) == (None, None, ())
    assert listing.first_of("loud", 1) == ("7",)
    assert (listing.review(), listing.worth_checking()) == ((0, ()), ())


def test_nothing_at_all(source):
    listing = Listing(source, None, {})
    assert (listing.rows(), listing.suspicion.tolist()) == ((), [0.0] * 12)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (group(np.array([10, 11])), "2 rows labelled b share c1 = 9 and look like a (adjusted p < 1e-6)."),
        (
            group(np.array([10]), "contradictory duplicates", columns=(), p_value=0.0),
            "1 row labelled b equals another row in every column but the label, which is a.",
        ),
        (
            group(np.array([10, 11]), "near-copies", columns=(), p_value=0.02, looks_like=None),
            "2 rows labelled b are near-copies of one another (adjusted p = 0.02).",
        ),
        (
            group(np.array([10, 11]), "period", columns=(), source="3 to 9"),
            "2 rows labelled b are of 3 to 9 and look like a (adjusted p < 1e-6).",
        ),
        (
            group(np.array([10, 11]), "source", columns=(), source="desk 3"),
            "2 rows labelled b come from desk 3 and look like a (adjusted p < 1e-6).",
        ),
    ],
)
def test_groups_in_words(source, made, sentence):
    (found,) = group_findings((made,), source)
    assert found.sentence == sentence
    assert (found.count, found.label, found.is_group) == (len(made.rows), "b", True)
    assert found.positions == tuple(made.rows.tolist())


def test_words_that_rows_share_are_a_literal(source):
    words = SourceValues(source.data, source.names, None, source.column_of, np.array([False, True, True]))
    (found,) = group_findings((group(np.array([10, 11]), columns=(0, 1, 2)),), words)
    assert found.literal == "c1 c2"
    assert list(found.values) == ["c0"]
    assert "and the words 'c1 c2'" in found.sentence
