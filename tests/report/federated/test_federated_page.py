"""The page of a federated simulation."""

from __future__ import annotations

from dataclasses import replace

import pytest
from federated_records import made_federation

from toadstone.core.errors import InvalidArgument
from toadstone.pipeline.federation.cells import federated_cells
from toadstone.records.federated import CertifiedClients
from toadstone.report.drawings.canvas import NARROW
from toadstone.report.federated.curves import _apart, draw_curves
from toadstone.report.federated.federated_page import render_federation


def test_the_matrix_has_accuracy_change_and_trigger(page_of):
    page = page_of(render_federation(made_federation((5,))))
    heads, bare, ipm, _, backdoor = page.rows(0)
    assert heads == ["Attack", "mean", "krum", "nnm + trimmed-mean", "bulyan"]
    assert bare == ["no attack", "89.8 +0.0", "78.6 −11.3", "89.3 −0.5", "–"]
    assert ipm[1] == "12.3 −77.5"
    assert backdoor[1:3] == ["83.6 −6.3 trigger 100", "77.3 −12.5 trigger 3"]
    assert {"heat-0", "heat-6"} <= set(page.classes)


def test_a_cell_says_its_interval_and_its_course():
    markup = render_federation(made_federation())
    said = "worst round of the second half 82.6 %; mean over the rounds 67.2 %".replace(" %", "\N{NO-BREAK SPACE}%")
    assert f'title="89.3\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}90.3\N{NO-BREAK SPACE}%; {said}"' in markup


def test_rules_that_filter_have_a_table_of_their_own(page_of):
    page = page_of(render_federation(made_federation()))
    assert page.rows(1) == [
        ["Attack", "krum"],
        ["ipm", "75 · 95"],
        ["alie", "75 · 95"],
        ["model-replacement", "75 · 95"],
    ]


def test_a_certificate_gets_a_table(page_of):
    assert "cannot change, whatever they send" not in render_federation(made_federation())
    record = replace(made_federation(), certified=(CertifiedClients(1, 0.9, 0.85), CertifiedClients(2, 0.7, 0.68)))
    page = page_of(render_federation(record))
    assert page.rows(2)[1:] == [["1", "90.0 %", "85.0 %"], ["2", "70.0 %", "68.0 %"]]


def test_every_number_of_clients_has_its_own_matrix_and_curves():
    markup = render_federation(made_federation((2, 5)))
    for number in (2, 5):
        assert f'id="matrix-{number}"' in markup
        assert f"chart-curves-{number}-wide" in markup
        assert f"chart-curves-{number}-narrow" in markup


def test_cells_and_cards_no_better_than_one_class_are_marked(page_of):
    record = replace(made_federation((5,)), majority=0.8)
    markup = render_federation(record)
    assert [row[1] for row in page_of(markup).rows(0)[1:3]] == ["89.8 +0.0", "12.3* −77.5"]
    assert "An asterisk marks an accuracy no higher than" in markup
    assert markup.count("no more than the share of the largest class, 80.0") == 1
    assert "Best rule" in markup
    assert "largest class" not in render_federation(made_federation((5,)))
    unlearned = render_federation(replace(record, majority=0.9))
    assert "Best rule" not in unlearned
    assert "whose worst attack costs least" not in unlearned


def test_of_many_curves_the_lowest_are_named_where_there_is_room():
    record = made_federation()
    names = [f"rule-{place:02}" for place in range(12)]
    krum = [trial for trial in record.trials if trial.rule == "krum"]
    trials = (
        *record.trials,
        *(
            replace(trial, rule=name, accuracy=(*trial.accuracy[:-1], 0.5 + 0.02 * place))
            for trial in krum
            for place, name in enumerate(names)
        ),
    )
    rules = (*record.rules, *(replace(record.rules[1], name=name) for name in names))
    drawn = draw_curves(replace(record, rules=rules, trials=trials, cells=federated_cells(trials)), 4)
    assert drawn.count(">nnm+trimmed-mean</text>") == drawn.count(">mean</text>") == 4
    assert drawn.count(">rule-00</text>") >= 3
    assert ">rule-01</text>" not in drawn
    assert drawn.count(">rule-") <= 4 * 4


def test_curves_name_every_rule_in_every_panel():
    drawn = draw_curves(made_federation((5,)), 5, canvas=NARROW)
    # Four panels of three rules that ran; once more in the spoken description.
    assert drawn.count(">nnm+trimmed-mean</text>") == 4
    assert ">bulyan</text>" not in drawn
    assert "alie, after the last round: krum" in drawn
    record = made_federation((5,))
    with pytest.raises(InvalidArgument, match="at least one cell that was run"):
        draw_curves(replace(record, cells=record.cells[3:4]), 5)


def test_labels_move_apart_by_no_more_than_they_must():
    assert _apart([0.1, 0.9], 0.2) == [0.1, 0.9]
    assert _apart([0.5, 0.5, 0.5], 0.1) == [pytest.approx(0.4), pytest.approx(0.5), pytest.approx(0.6)]
    assert _apart([0.9, 0.1, 0.88], 0.1) == [pytest.approx(0.94), 0.1, pytest.approx(0.84)]
