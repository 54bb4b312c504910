"""A federated simulation as lines and as tables."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest
from federated_records import made_federation

from toadstone.report.federated.federated_files import write_federated_curves, write_federated_matrix
from toadstone.report.federated.federated_text import federated_glance, federated_lines, filtered_sentences
from toadstone.report.federated.plots import plot_federation


@pytest.mark.parametrize("width", [80, 120])
def test_lines_fit_the_terminal(width):
    for record in (made_federation(), made_federation((2, 5))):
        text = "\n".join(federated_lines(record, width))
        code = "strategy = toadstone.federated.robust"
        assert max(len(line) for line in text.splitlines() if code not in line) <= width


def test_the_answer_is_first_the_code_next_and_the_setting_last():
    lines = federated_lines(made_federation(), None)
    assert lines[0].startswith("With 4 of 20 clients malicious, nnm+trimmed-mean kept")
    assert lines[3].strip().startswith("strategy = toadstone.federated.robust(")
    assert lines.index("Who got no weight, over all attacks") > lines.index("") > 0
    assert lines[-1].startswith("Features: ")


def test_attacks_are_rows_and_rules_columns():
    lines = federated_lines(made_federation((5,)), None)
    head = next(place for place, line in enumerate(lines) if line.split()[:2] == ["mean", "krum"])
    assert lines[head].split() == ["mean", "krum", "nnm+trimmed-mean", "bulyan"]
    assert lines[head + 1].split() == ["no", "attack", "89.8", "+0.0", "78.6", "-11.3", "89.3", "-0.5", "-"]
    assert lines[head + 2].split()[:3] == ["ipm", "12.3", "-77.5"]


def test_a_narrow_terminal_breaks_the_matrix_into_parts():
    lines = federated_lines(made_federation(), 50)
    assert sum(line.split()[:2] == ["no", "attack"] for line in lines) == 2
    assert any(line.split() == ["nnm+"] for line in lines)


def test_who_was_filtered_and_refused_is_said():
    said = [sentence.replace("\N{NO-BREAK SPACE}", " ") for sentence in filtered_sentences(made_federation())]
    assert said == [
        "krum: 75.0 % of the malicious messages, 95.0 % of the honest.",
        "krum: 5.0 % of the rounds aggregated nothing and changed no model.",
        "Nobody: mean, nnm+trimmed-mean and bulyan.",
        "Refused before any rule, as malformed or not finite: alie (up to 5.0 % of all messages).",
    ]


def test_the_glance_has_a_row_for_each_rule():
    table = federated_glance(made_federation((5,)))
    assert table["rule"] == ["mean", "krum", "nnm+trimmed-mean", "bulyan"]
    assert table["worst_attack"] == ["ipm", "alie", "alie", ""]
    assert table["points_lost"] == ["77.5", "38.8", "2.5", ""]


def test_tables_have_every_cell_and_every_round(tmp_path):
    record = made_federation((5,))
    write_federated_matrix(record, tmp_path / "matrix.csv")
    write_federated_curves(record, tmp_path / "curves.csv")
    matrix = list(csv.DictReader((tmp_path / "matrix.csv").read_text().splitlines()))
    assert len(matrix) == len(record.cells)
    for row, cell in zip(matrix, record.cells, strict=True):
        assert (row["attack"], row["rule"], row["malicious"]) == (cell.attack, cell.rule, "5")
        assert (row["accuracy"] == "") == (cell.accuracy is None)
        assert row["skipped"] == cell.skipped
    triggered = next(row for row in matrix if (row["attack"], row["rule"]) == ("model-replacement", "krum"))
    assert (triggered["success"], triggered["success_rows"]) == ("0.03", "300")
    curves = list(csv.DictReader((tmp_path / "curves.csv").read_text().splitlines()))
    ran = [trial for trial in record.trials if not trial.skipped]
    assert len(curves) == len(ran) * len(record.rounds_at)
    assert float(curves[4]["accuracy"]) == pytest.approx(ran[0].accuracy[-1], abs=1e-6)


def test_the_plot_is_a_matrix_of_attacks_and_rules():
    axes = plot_federation(made_federation((2, 5))).axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["mean", "krum", "nnm+trimmed-mean", "bulyan"]
    assert [text.get_text() for text in axes.get_yticklabels()][::4] == ["no attack, 2", "no attack, 5"]


def test_the_key_says_how_to_read_and_what_held_means():
    text = "\n".join(federated_lines(replace(made_federation(), majority=0.5), None))
    assert "Losses are rounded up, gains down. Figures are means over 3 seeds;" in text
    assert "A rule held if its worst attack cost at most 3 points on average over the seeds." in text
    assert "*: no more than the share of the largest class (50.0\N{NO-BREAK SPACE}%)." in text
    assert " *27.8  -62.0 " in text
    assert "*" not in "\n".join(federated_lines(made_federation(), None))
