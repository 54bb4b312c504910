"""An attack in lines."""

from __future__ import annotations

from dataclasses import replace

from toadstone.report.text.attack_text import attack_lines, attack_sentence


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_the_effect_behind_the_best_defence_comes_first(attacked):
    aimless = replace(attacked, targets=None)
    assert plain(attack_sentence(aimless)) == (
        "The KKT attack adds 124 rows (6 distinct) to 4,137 clean ones. Behind the best defence the test error is "
        "still 5.1 %, against 2.9 % on clean data without any."
    )
    assert attack_lines(aimless, None)[0] == attack_sentence(aimless)
    assert attack_sentence(replace(aimless, method="new-one")).startswith("The new-one attack adds")


def test_targets_have_a_sentence_and_a_column_of_their_own(attacked):
    lines = [plain(line) for line in attack_lines(attacked, None)]
    assert lines[0].endswith(
        "Behind the best defence 50.0 % of the targets (2) are still misclassified, against 0.0 % on clean data "
        "without any."
    )
    assert lines[2] == "Error, % of all test rows, then of the targets"
    assert lines[3].split() == ["no", "defence", "8.2", "50.0"]
    assert lines[5].split() == ["slab", "5.1", "100.0", "removes", "118", "of", "124"]
    plainly = [plain(line) for line in attack_lines(replace(attacked, targets=None), None)]
    assert plainly[2] == "Test error, %"
    assert plainly[3].split() == ["no", "defence", "8.2"]


def test_the_method_comes_last(attacked):
    *_, defender, tried, split = map(plain, attack_lines(attacked, None))
    assert defender == (
        "The defender trains a linear model, with more than two classes one against the rest; ridge 0.09, published."
    )
    assert tried == (
        "Best of 24 tried: decoy loss at the 0.25 quantile, half of the rows in each class. No other test label was "
        "used."
    )
    assert split == "Selected on one half of the test rows with 5.3 %, it leaves 4.9 % on the other."
    assert "Selected" not in attack_lines(replace(attacked, split_test=None), None)[-1]


def test_lines_fit_the_terminal(attacked):
    assert max(len(line) for text in attack_lines(attacked, 80) for line in text.splitlines()) <= 80
