"""A defence in sentences and lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from toadstone.records.audit import Removal
from toadstone.records.header import Source
from toadstone.report.text.defence_text import change_in_words, defence_lines, defence_sentences, removal_lines


def plain(record):
    return [sentence.replace("\N{NO-BREAK SPACE}", " ") for sentence in defence_sentences(record)]


def test_removals_and_their_cost_come_first(defended):
    assert plain(defended) == [
        "2 of 200 rows were removed (1.0 %); 198 are left.",
        "On the 100 trusted rows accuracy is 90.00 % (82.6 to 94.5 %) without the defence and 91.00 % (83.8 to 95.2 %) "
        "with it: a gain of 1.00 points (95 % interval -4.10 to 6.00).",
        "On the published test set, which decided nothing, the error is 8.0 % before and 4.0 % after: a gain of 4.00 "
        "points (95 % interval -4.20 to 13.70).",
        "More rows were flagged than may be removed: at most 1 % of them, and never a whole class.",
    ]


def test_every_row_is_accounted_for_after_the_answer(defended):
    label = defended.removals[0].label
    assert defence_lines(defended, None)[1:4] == [
        f"2 rows are kept without being judged (class too small; '{label[:23]}…': 2 rows): lines 3, 11.",
        "1 row was dropped as asked (missing value; 'a': 1 row): line 7.",
        "203 rows read = 200 kept + 2 removed + 1 dropped.",
    ]


def test_without_trusted_rows_nothing_is_validated(defended):
    alone = plain(replace(defended, trusted_rows=0, test_change=None, steps=defended.steps[2:]))
    assert len(alone) == 3
    assert alone[1].startswith("Out of fold, on the kept rows, accuracy is 90.00 %")
    assert alone[2].startswith("Nothing was validated, because no trusted rows were given")


def test_none_and_one_removed_row_have_their_own_words(defended):
    assert plain(replace(defended, kept=200))[0] == "None of 200 rows was removed."
    assert plain(replace(defended, kept=199))[0] == "1 of 200 rows was removed (0.50 %); 199 are left."


def test_a_loss_and_a_gain_keep_the_ends_of_their_interval(defended):
    change = replace(defended.accuracy_change, drop=0.02, drop_low=-0.01, drop_high=0.05)
    assert change_in_words(change).replace("\N{NO-BREAK SPACE}", " ") == (
        "a loss of 2.00 points (95 % interval -1.00 to 5.00)"
    )
    change = replace(change, drop=-0.02, drop_low=-0.05, drop_high=0.01)
    assert change_in_words(change).replace("\N{NO-BREAK SPACE}", " ") == (
        "a gain of 2.00 points (95 % interval -1.00 to 5.00)"
    )


@pytest.mark.parametrize("width", [80, 120])
def test_lines_fit_the_terminal(defended, width):
    lines = [line for text in defence_lines(defended, width) for line in text.splitlines()]
    assert max(map(len, lines)) <= width
    assert any("skipped: a class of one row" in line for line in lines)
    assert any(line.split()[:3] == ["spectral", "-", "-"] for line in lines)
    assert any("2.00" in line and "mahalanobis" in line for line in lines)


def test_rows_stand_before_the_table_of_steps(defended):
    lines = defence_lines(defended, None)
    assert lines.index("Removed rows") < lines.index("  line 5, =cmd(): " + defended.removals[1].reason)
    assert lines.index("Removed rows") < next(place for place, line in enumerate(lines) if "so far" in line)
    assert "Removed rows" not in defence_lines(replace(defended, removals=()), None)


def test_removals_are_cut_short():
    removals = [Removal(str(row), row, "spam\x1b[2J", 1.0, "far away\x1b") for row in range(1012)]
    lines = removal_lines(Source("rows"), removals, None)
    assert len(lines) == 9
    assert lines[0] == r"  row 0, spam\x1b[2J: far away\x1b"
    assert lines[-1] == "  and 1,004 more"
    assert len(removal_lines(Source("rows"), removals[:8], None)) == 8
