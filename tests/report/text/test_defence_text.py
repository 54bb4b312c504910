"""A defence in sentences and lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from toadstone.records.audit import Removal
from toadstone.records.defence import RelabelledRow, RemovedRow, WeighedRow
from toadstone.records.header import Source
from toadstone.report.text.defence_text import (
    NOT_MEASURED,
    change_in_words,
    defence_lines,
    defence_sentences,
    limit_in_words,
    model_sentence,
    next_sentences,
    removal_lines,
)


def plain(record):
    return [sentence.replace("\N{NO-BREAK SPACE}", " ") for sentence in defence_sentences(record)]


@pytest.fixture
def calm(defended):
    """The record without hostile text in its sentences."""
    noise = replace(defended.noise, sentence="the data prefer 4 % wrong labels to none, 12 to 1")
    return replace(defended, noise=noise)


def test_what_was_done_comes_first_and_then_what_it_cost(calm):
    assert plain(calm) == [
        "1 of 200 rows got another label; 2 of 200 rows were removed (1.0 %): 1 in 1 group and 1 for their labels; 198 "
        "are left.",
        "By the verdict’s own estimate, about 0.3 of them are innocent.",
        "1 listed row stays, because at most 2 may be removed.",
        "In the other rows, the data prefer 4 % wrong labels to none, 12 to 1.",
        "3 rows may have a wrong label and stayed as they are, because these data cannot tell wrong labels from "
        "overlap.",
        "On the 100 trusted rows, which the model was not trained on, accuracy is 90.00 % (82.6 to 94.5 %) without the "
        "defence and 91.00 % (83.8 to 95.2 %) with it: 1.00 points higher (95 % interval of the change -4.10 to "
        "+6.00), which chance alone may account for.",
        "On the 50 rows of the published test set, which decided nothing, accuracy is 92.00 % (81.0 to 96.8 %) without "
        "the defence and 96.00 % (86.5 to 98.9 %) with it: 4.00 points higher (95 % interval of the change +1.00 to "
        "+13.70).",
    ]


def test_without_independent_rows_nothing_is_claimed(defended):
    alone = replace(defended, trusted_rows=0, measurements=(), learner="", learner_origin="")
    assert plain(alone)[-1] == NOT_MEASURED
    text = " ".join(defence_lines(alone, None))
    assert "gain" not in text
    assert "higher" not in text
    assert model_sentence(alone) == ""
    assert any("--trusted" in sentence for sentence in next_sentences(alone))


def test_every_row_is_accounted_for_after_the_answer(defended):
    label = defended.removals[0].label
    assert defence_lines(defended, None)[1:4] == [
        f"2 rows are kept without being judged (class too small; '{label[:23]}…': 2 rows): lines 3, 11.",
        "1 row was dropped as asked (missing value; 'a': 1 row): line 7.",
        "203 rows read = 200 kept + 2 removed + 1 dropped.",
    ]


def test_each_action_has_its_own_words(calm):
    removed = replace(calm, action="remove", relabelled=())
    assert plain(removed)[0].startswith("2 of 200 rows were removed (1.0 %)")
    none = replace(removed, kept=200, removals=(), stays=(), groups=())
    assert plain(none)[:2] == ["None of 200 rows was removed.", "The data prefer 4 % wrong labels to none, 12 to 1."]
    one = replace(removed, kept=199, removals=calm.removals[:1])
    assert plain(one)[0] == "1 of 200 rows was removed (0.50 %): 1 in 1 group; 199 are left."
    light = (WeighedRow("9", 7, "a", 0.013, "looks like b (99 %)", {"x": "1"}),)
    weighed = replace(none, action="weight", weighed=40, weight_lost=12.25, light=light, expected_innocents=2.0)
    assert plain(weighed)[:2] == [
        "1 of 200 rows weighs less than half of a row; all rows together lost 12.2 rows’ worth, and none was removed.",
        "By the verdict’s own estimate, 2.0 rows’ worth of this was taken from innocent rows.",
    ]
    lines = defence_lines(weighed, None)
    place = lines.index("Rows of the lowest weight")
    assert lines[place + 1 : place + 3] == ["  line 9, a: weight 0.01, looks like b (99 %)", "    x 1"]
    assert plain(replace(weighed, weighed=0))[0].startswith("All of 200 rows keep their full weight")


@pytest.mark.parametrize(
    ("drop", "said"),
    [
        ((0.02, -0.01, 0.05), "2.00 points lower (95 % interval of the change -5.00 to +1.00), which chance"),
        ((0.03, 0.01, 0.05), "3.00 points lower (95 % interval of the change -5.00 to -1.00)"),
        ((-0.02, -0.05, 0.01), "2.00 points higher (95 % interval of the change -1.00 to +5.00), which chance"),
        ((0.0, -0.01, 0.01), "the same (95 % interval of the change -1.00 to +1.00)"),
    ],
)
def test_a_change_says_no_more_than_its_interval(defended, drop, said):
    change = replace(defended.measurements[0].change, drop=drop[0], drop_low=drop[1], drop_high=drop[2])
    words = change_in_words(change).replace("\N{NO-BREAK SPACE}", " ")
    assert words.startswith(said)
    assert ("chance" in words) == ("chance" in said)


def test_limits_and_models_in_words(defended):
    assert limit_in_words(replace(defended, max_removed=None)) == "no limit"
    assert limit_in_words(defended).replace("\N{NO-BREAK SPACE}", " ") == "1 % of the rows"
    assert model_sentence(replace(defended, learner="models:make", learner_origin="your model")) == (
        "models:make; your model"
    )


@pytest.mark.parametrize("width", [80, 120])
def test_lines_fit_the_terminal(defended, width):
    lines = [line for text in defence_lines(defended, width) for line in text.splitlines()]
    assert max(map(len, lines)) <= width


def test_groups_come_before_rows_and_the_next_steps_after_them(defended):
    lines = defence_lines(defended, None)
    places = [lines.index(title) for title in ("Groups", "Removed rows", "Relabelled rows", "Next")]
    assert places == sorted(places)
    assert "  line 5, =cmd(): " + defended.removals[1].reason in lines
    bare = defence_lines(replace(defended, removals=(), relabelled=(), groups=()), None)
    assert not {"Groups", "Removed rows", "Relabelled rows"} & set(bare)


def test_rows_show_their_values_and_a_new_label_is_told_once(calm):
    removed = RemovedRow("5", 3, "a", "label", 0.75, "looks like b (75 %)", {"age": "44", "job": "clerk"})
    relabelled = RelabelledRow("12", 10, "a", "b", 0.93, "looks like b (93 %)", {"age": "45"})
    text = defence_lines(replace(calm, removals=(removed,), relabelled=(relabelled,)), None)
    lines = [line.replace("\N{NO-BREAK SPACE}", " ") for line in text]
    place = lines.index("Removed rows")
    assert lines[place + 1 : place + 3] == ["  line 5, a: looks like b (75 %)", "    age 44, job clerk"]
    place = lines.index("Relabelled rows")
    assert lines[place + 1 : place + 3] == ["  line 12, a: becomes b (93.0 % sure)", "    age 45"]


def test_removals_are_cut_short():
    removals = [Removal(str(row), row, "spam\x1b[2J", 1.0, "far away\x1b") for row in range(1012)]
    lines = removal_lines(Source("rows"), removals, None)
    assert len(lines) == 9
    assert lines[0] == r"  row 0, spam\x1b[2J: far away\x1b"
    assert lines[-1] == "  and 1,004 more"
    assert len(removal_lines(Source("rows"), removals[:8], None)) == 8
