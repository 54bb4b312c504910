"""The page of an evaluation."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from toadstone.records.trials import Estimate, Trial
from toadstone.report.pages.evaluation_page import ordered_attacks, render_evaluation
from toadstone.report.text.evaluation_grid import attack_columns

FLIP, NOISE, TRIGGER, KNOWING = "random-flip", "noise", "patch", "adaptive-random-flip"
FLAGGED, REACHED, EFFECTS, ALARMS = range(4)


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


def test_attacks_are_columns_and_an_adaptive_one_shares_that_of_its_plain_one(evaluated, page):
    assert [info.name for info in ordered_attacks(evaluated)] == [FLIP, KNOWING, NOISE, TRIGGER]
    assert page.rows(FLAGGED)[0] == ["Detector", "random-flip", "noise", "patch"]
    assert page.rows(REACHED)[0] == ["Defence", "no attack", "random-flip", "noise", "patch"]


def test_an_adaptive_attack_without_its_plain_one_stands_where_it_is(evaluated):
    alone = replace(evaluated, attacks=evaluated.attacks[:1] + evaluated.attacks[2:])
    assert [info.name for info in ordered_attacks(alone)] == [NOISE, TRIGGER, KNOWING]
    assert [(column.name, column.plain) for column in attack_columns(alone)][-1] == (FLIP, None)


def test_a_verdict_is_a_sign_and_a_word_besides_a_colour(page):
    own_head, spectral, deep, trusted_head, _, trusted_deep = page.rows(FLAGGED)[1:]
    assert own_head == ["Detectors, by thresholds from each class’s own scores"]
    assert trusted_head == ["Detectors, by thresholds from trusted rows"]
    assert spectral[:3] == ["spectral", "○ 2 missed 0–12 adaptive ● 60 caught 50–70", "◐ 30 partly 20–40"]
    # What could not be run takes no room beside the plain attack.
    assert deep[1] == "○ 2 missed 0–12"
    assert trusted_deep[1] == "● 87 caught 77–97"
    assert {"v-caught", "v-partly", "v-missed"} <= set(page.classes)


def test_every_defence_has_a_row_with_the_effect_of_each_attack_and_of_none(page):
    rows = page.rows(REACHED)[1:]
    assert [row[0] for row in rows] == [
        "Baselines",
        "no defence",
        "random rows removed",
        "exactly the poison removed",
        "Detectors, by thresholds from each class’s own scores",
        "spectral",
        "deep-knn",
        "Detectors, by thresholds from trusted rows",
        "spectral",
        "deep-knn",
        "Sanitizers, which remove a fixed share of each class",
        "l2",
    ]
    assert rows[1] == ["no defence", "5.0 0–15", "20.0 10–30", "20.0 10–30", "90.0 80–100"]
    assert rows[5][2] == "11.0 1–21 adaptive 13.0 3–23"
    assert rows[11] == ["l2", "–", "12.0 2–22", "12.0 2–22", "90.0 80–100"]
    assert "Not the test error, but triggered rows for patch ." in page.text


def test_the_effect_of_an_attack_with_and_without_defence(page):
    flip, knowing, noise, patch = page.rows(EFFECTS)[1:]
    assert flip == [
        "random-flip",
        "5.0 % 0.0 to 15.0 %",
        "20.0 % 10.0 to 30.0 %",
        "11.0 % 1.0 to 21.0 % spectral by own thresholds",
        "deep-knn",
    ]
    assert patch[1:3] == ["0.40 % 0.0 to 10.4 %", "90.0 % 80.0 to 100.0 %"]
    assert patch[-1] == noise[-1] == "no detector"
    assert (knowing[0], knowing[2], knowing[-1]) == ("random-flip adaptive", "–", "spectral")


def test_the_worst_attack_and_the_best_defence_come_first(evaluated, page_of):
    runs = {("none", "none", ""): (2, 2, 2), (FLIP, "none", ""): (8, 9, 10), (FLIP, "l2", ""): (3, 4, 4)}
    runs |= {(NOISE, "none", ""): (2, 2, 2), (NOISE, "l2", ""): (2, 2, 2)}
    runs |= {(FLIP, "spectral", "own"): (4, 3, 5), (NOISE, "spectral", "own"): (2, 2, 2)}
    trials = tuple(
        Trial(*where, seed, test_rows=50, wrong_rows=wrong)
        for where, row in runs.items()
        for seed, wrong in enumerate(row)
    )
    first = page_of(render_evaluation(replace(evaluated, trials=trials))).rows(0)
    assert first[0] == ["Goal", "Worst attack", "Most helpful defence"]
    assert first[1][0] == "Test error"
    assert first[1][1] == "random-flip : 18.0 % (13.0 to 23.0 %) , without it 4.0 %"
    assert first[1][2].startswith("l2 : 5.7 % (")
    assert first[1][2].endswith("undefended 11.0 %, averaged over 2 attacks within its interval: spectral")


def test_false_alarms_are_compared_with_their_rate(page):
    spectral, deep = page.rows(ALARMS)[1:]
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


def test_all_warnings_are_one_note(evaluated, page_of):
    page = page_of(render_evaluation(replace(evaluated, warnings=("One.", "Two."))))
    assert page.classes.count("caution") == 1
    assert "One. Two. Not run: deep-knn (1 attack): no odds <script>" in page.text


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
    assert not [cell for cell in shown if re.search(r"\d( to |–)\d", cell)]
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
    rows = page_of(render_evaluation(replace(evaluated, cells=tuple(sure)))).rows(ALARMS)
    assert rows[1][2] == "3.0 % 2.5 to 3.5 % above its rate"


def test_runs_that_agree_claim_no_interval(evaluated, page_of):
    agreed = [replace(cell, caught=Estimate(0.0, 0.0, 0.0, 3)) if cell.caught else cell for cell in evaluated.cells]
    rows = page_of(render_evaluation(replace(evaluated, cells=tuple(agreed)))).rows(FLAGGED)
    assert rows[3][1] == "○ 0 missed"
