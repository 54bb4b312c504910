"""The page of an evaluation."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from toadstone.records.trials import Estimate
from toadstone.report.pages.evaluation_page import ordered_attacks, render_evaluation

FLIP, NOISE, TRIGGER, KNOWING = "random-flip", "noise", "patch", "adaptive-random-flip"


@pytest.fixture
def page(evaluated, page_of):
    return page_of(render_evaluation(evaluated))


def test_foreign_text_stays_text(page):
    assert "alert" in page.text
    assert not {"script", "img"} & set(page.elements)


def test_it_fetches_nothing_and_repeats_itself(evaluated):
    markup = render_evaluation(evaluated)
    assert markup == render_evaluation(evaluated)
    assert not re.search(r"(?:src|href)=\"(?!data:,|#)", markup)


def test_adaptive_attacks_stand_beside_their_plain_ones(evaluated, page):
    assert [info.name for info in ordered_attacks(evaluated)] == [FLIP, KNOWING, NOISE, TRIGGER]
    own = page.rows(1)
    assert [row[0] for row in own[1:]] == ["random-flip", "adaptive random-flip", "noise", "patch"]


def test_an_adaptive_attack_without_its_plain_one_stands_where_it_is(evaluated):
    alone = replace(evaluated, attacks=evaluated.attacks[:1] + evaluated.attacks[2:])
    assert [info.name for info in ordered_attacks(alone)] == [NOISE, TRIGGER, KNOWING]


def test_a_verdict_is_a_sign_and_a_word_besides_a_colour(page):
    own, trusted = page.rows(1), page.rows(2)
    assert own[0] == trusted[0] == ["Attack", "spectral", "deep-knn"]
    flip = dict(zip(own[0], own[1], strict=True)), dict(zip(trusted[0], trusted[1], strict=True))
    assert flip[0]["deep-knn"] == "○ 2.0 % missed 0.0 to 12.0 % AUC 0.75"
    assert flip[1]["deep-knn"] == "● 87.0 % caught 77.0 to 97.0 % AUC 0.75"
    assert own[3][1].startswith("◐ 30.0 % partly")
    assert own[2][1:] == ["● 60.0 % caught 50.0 to 70.0 %", "not run"]
    assert trusted[2][1:] == ["not run", "not run"]
    assert {"v-caught", "v-partly", "v-missed"} <= set(page.classes)


def test_the_effect_of_an_attack_stands_between_the_baselines(page):
    flip, knowing, noise, patch = page.rows(0)[1:]
    assert flip[1:] == [
        "test error",
        "5.0 % 0.0 to 15.0 %",
        "20.0 % 10.0 to 30.0 %",
        "19.0 % 9.0 to 29.0 %",
        "11.0 % 1.0 to 21.0 % spectral",
        "6.0 % 0.0 to 16.0 %",
        "deep-knn",
    ]
    assert patch[1:4] == ["triggered rows", "0.40 % 0.0 to 10.4 %", "90.0 % 80.0 to 100.0 %"]
    assert patch[-1] == noise[-1] == "no detector"
    assert knowing[3:5] == ["–", "–"]
    assert knowing[-1] == "spectral"


def test_false_alarms_are_compared_with_their_rate(page):
    spectral, deep = page.rows(4)[1:]
    assert spectral[:6] == [
        "spectral",
        "2.0 %",
        "0.10 % 0.0 to 10.1 %",
        "+0.12 points",
        "3.0 % 0.0 to 13.0 % above its rate perhaps by chance",
        "+0.12 points",
    ]
    assert "above" not in " ".join(deep)
    assert "Within their false-alarm rate 3 of 4" in page.text


def test_cards_count_plain_and_adaptive_attacks(page):
    assert "Attacks caught 1 of 3" in page.text
    assert "Adaptive attacks caught 1 of 1" in page.text


def test_what_could_not_be_run_is_said(page):
    assert (
        "no odds <script>alert('x')</script>\"><img src=https://evil.example/x onerror=alert(1)> : adaptive-random-flip"
        in page.text
    )


def test_a_single_seed_has_no_intervals(evaluated, page_of):
    bare = [
        replace(
            cell,
            **{
                name: replace(value, low=None, high=None, n=1)
                for name, value in vars(cell).items()
                if isinstance(value, Estimate)
            },
        )
        for cell in evaluated.cells
    ]
    single = page_of(render_evaluation(replace(evaluated, cells=tuple(bare), seeds=(0,))))
    shown = [cell for table in single.tables for row in table[1:] for cell in row]
    assert not [cell for cell in shown if re.search(r"\d to \d", cell)]
    assert not [cell for cell in shown if "interval" in cell]


def test_nothing_but_the_clean_row(evaluated, page_of):
    none = replace(
        evaluated,
        attacks=evaluated.attacks[:1],
        defences=evaluated.defences[:1],
        cells=evaluated.cells[:1],
        warnings=(),
    )
    text = page_of(render_evaluation(none)).text
    assert "Poison flagged" not in text
    assert "Reproduce this run" in text


def test_an_alarm_beyond_chance_differs_from_one_within(evaluated, page_of):
    sure = [
        replace(cell, false_alarms=Estimate(0.03, 0.025, 0.035, 3))
        if cell.attack == "none" and cell.false_alarms
        else cell
        for cell in evaluated.cells
    ]
    rows = page_of(render_evaluation(replace(evaluated, cells=tuple(sure)))).rows(4)
    assert rows[1][2] == "3.0 % 2.5 to 3.5 % above its rate"


def test_runs_that_agree_claim_no_interval(evaluated, page_of):
    agreed = [replace(cell, caught=Estimate(0.0, 0.0, 0.0, 3)) if cell.caught else cell for cell in evaluated.cells]
    own = page_of(render_evaluation(replace(evaluated, cells=tuple(agreed)))).rows(1)
    assert own[1][1] == "○ 0.0 % missed AUC 0.75"
