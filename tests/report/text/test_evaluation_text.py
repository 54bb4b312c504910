"""An evaluation as lines and as a table, and its record under the schema."""

from __future__ import annotations

import csv
import dataclasses

import pytest

from toadstone.records.evaluation import AttackInfo, DefenceInfo, EvaluationRecord
from toadstone.records.trials import Estimate, MatrixCell
from toadstone.report.files.evaluation_table import write_matrix
from toadstone.report.text.evaluation_grid import abbreviated
from toadstone.report.text.evaluation_text import attack_glance, attack_sentence, evaluation_lines, evaluation_sentences

HIDDEN = chr(0x202E)


def share(mean: float) -> Estimate:
    return Estimate(mean, round(max(0.0, mean - 0.1), 6), round(min(1.0, mean + 0.1), 6), 2)


CELLS = (
    MatrixCell("none", "none", "", test_error=share(0.05)),
    MatrixCell("none", "spectral", "own", false_alarms=share(0.012), retained=share(0.988), test_error=share(0.05)),
    MatrixCell("none", "label-errors", "own", false_alarms=share(0.02), test_error=share(0.06)),
    MatrixCell("flip", "none", "", test_error=share(0.2)),
    MatrixCell("flip", "perfect", "", caught=share(1.0), test_error=share(0.05), verdict="caught"),
    MatrixCell("flip", "spectral", "own", caught=share(0.04), test_error=share(0.19), verdict="missed"),
    MatrixCell("flip", "label-errors", "own", caught=share(0.3), test_error=share(0.1), verdict="partly"),
    MatrixCell("flip", "label-errors", "trusted", caught=share(0.87), test_error=share(0.07), verdict="caught"),
    MatrixCell("patch", "none", "", test_error=share(0.05), success=share(0.9), clean_success=share(0.02)),
    MatrixCell(
        "patch", "spectral", "own", caught=share(0.0), test_error=share(0.05), success=share(0.8), verdict="missed"
    ),
    MatrixCell("patch", "label-errors", "own", skipped=f"no odds {HIDDEN} to ask"),
    MatrixCell("patch", "bounded-loss", "", test_error=share(0.08), success=share(0.4)),
    MatrixCell("adaptive-flip", "label-errors", "own", caught=share(0.1), test_error=share(0.2), verdict="partly"),
)


@pytest.fixture
def record(evaluated) -> EvaluationRecord:
    infos = (
        AttackInfo("none", "the clean rows", "none", "none", False, 0),
        AttackInfo("flip", "labels flipped", "flip", "errors", False, 4),
        AttackInfo("patch", "a square", "add", "trigger", False, 4),
        AttackInfo("adaptive-flip", "knows the detector", "flip", "errors", True, 4),
    )
    defences = (
        DefenceInfo("none", "none", None, False),
        DefenceInfo("perfect", "baseline", None, False),
        DefenceInfo("spectral", "detector", 0.02, False),
        DefenceInfo("label-errors", "detector", 0.02, False),
        DefenceInfo("bounded-loss", "learner", None, False),
    )
    return dataclasses.replace(
        evaluated,
        seeds=(0, 1),
        rows=81,
        trusted_rows=9,
        trusted_origin="All rows given are taken as clean.",
        test_rows=40,
        attacks=infos,
        defences=defences,
        cells=CELLS,
        warnings=(f"3 of 40 test rows {HIDDEN} occur among the training rows, too.",),
    )


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_the_matrix_has_detectors_as_rows_and_shows_verdicts_without_colour(record):
    lines = evaluation_lines(record, None)
    own = lines.index("Thresholds from each class's own scores: poison flagged, in per cent")
    assert lines[own + 1].split() == ["f.a.", "flip", "patc"]
    assert lines[own + 2].split() == ["spectral", "1.2", ".", "."]
    assert lines[own + 3].split() == ["label-errors", "2.0", "30", "-"]
    assert lines[own + 4].strip() == "by an attacker who knows the detector"
    assert lines[own + 5].split() == ["flip"]
    assert lines[own + 7].split() == ["label-errors", "10"]
    trusted = lines.index("Thresholds from trusted rows: poison flagged, in per cent")
    assert lines[trusted + 2].split() == ["label-errors", "-", "[87]", "-"]
    assert "All rows given are taken as clean." in lines
    assert "Columns: f.a. false alarms, flip flip, patc patch." in lines
    assert "Not run: label-errors (1 attack): no odds \\u202e to ask." in lines
    assert not any(HIDDEN in line for line in lines)


@pytest.mark.parametrize("width", [40, 80, 100])
def test_lines_fit_the_terminal(record, width):
    names = [f"detector-{number}" for number in range(30)]
    many = [DefenceInfo(name, "detector", 0.02, False) for name in names]
    cells = [MatrixCell("flip", name, "own", caught=share(0.6), verdict="caught") for name in names]
    wide = dataclasses.replace(record, defences=(*record.defences, *many), cells=(*CELLS, *cells))
    lines = [line for block in evaluation_lines(wide, width) for line in block.splitlines()]
    assert max(map(len, lines)) <= width
    assert sum(line.count("[60]") for line in lines) == 30


def test_the_effect_of_an_attack(record):
    flip, patch, knowing = (plain(attack_sentence(record, info)) for info in record.attacks[1:])
    assert flip == (
        "flip: caught by label-errors; missed by spectral; test error 20.0 % (10.0 to 30.0 %) undefended, 5.0 % "
        "on clean rows; 7.0 % (0.0 to 17.0 %) behind the best defence, label-errors by trusted thresholds."
    )
    # Perfect removal is a baseline, not a defence.
    assert patch == (
        "patch: caught by no detector; missed by spectral; success 90.0 % (80.0 to 100.0 %) undefended, 2.0 % "
        "without the attack; 40.0 % (30.0 to 50.0 %) behind the best defence, bounded-loss."
    )
    assert knowing.endswith(
        "test error 20.0 % (10.0 to 30.0 %) behind the best defence, label-errors by own thresholds."
    )


def test_sentences(record):
    answer, setting = map(plain, evaluation_sentences(record))
    assert setting == (
        "3 attacks against 2 detectors and 1 robust learner, 2 seeds: 5 % poison on 81 rows, 9 trusted "
        "rows beside them, 40 test rows."
    )
    assert answer == (
        "2 of 3 attacks got through: no detector flags 50 % or more of the poison of patch and adaptive-flip."
    )
    caught = tuple(dataclasses.replace(cell, verdict="caught") if cell.caught else cell for cell in CELLS)
    assert evaluation_sentences(dataclasses.replace(record, cells=caught))[0] == (
        "No attack got through: each is caught by at least one detector."
    )


def test_a_notebook_shows_a_row_for_each_attack(record):
    table = {name: [plain(cell) for cell in cells] for name, cells in attack_glance(record).items()}
    assert table == {
        "attack": ["flip", "patch", "adaptive-flip"],
        "undefended": ["20.0 % (10.0 to 30.0 %)", "90.0 % (80.0 to 100.0 %)", ""],
        "best_defence": ["label-errors by trusted thresholds", "bounded-loss", "label-errors by own thresholds"],
        "leaves": ["7.0 % (0.0 to 17.0 %)", "40.0 % (30.0 to 50.0 %)", "20.0 % (10.0 to 30.0 %)"],
        "caught_by": ["label-errors", "none", "none"],
    }


def test_several_detectors_that_miss_are_counted(record):
    def sentence(count):
        infos = tuple(DefenceInfo(f"d{place}", "detector", 0.02, False) for place in range(count))
        cells = tuple(MatrixCell("flip", info.name, "own", caught=share(0.0), verdict="missed") for info in infos)
        return attack_sentence(dataclasses.replace(record, defences=infos, cells=cells), record.attacks[1])

    assert "missed by d0." in sentence(1)
    assert "missed by 4." in sentence(4)


def test_heads_of_columns_differ():
    from toadstone.catalogue import names

    heads = [abbreviated(name) for name in names("attack")]
    assert len(set(heads)) == len(heads)
    assert max(map(len, heads)) <= 4


def test_the_table(record, tmp_path):
    write_matrix(record, tmp_path / "matrix.csv")
    rows = list(csv.DictReader((tmp_path / "matrix.csv").read_text().splitlines()))
    assert len(rows) == len(CELLS)
    found = rows[7]
    assert (found["attack"], found["defence"], found["kind"], found["thresholds"], found["verdict"]) == (
        "flip",
        "label-errors",
        "detector",
        "trusted",
        "caught",
    )
    assert (found["caught"], found["caught_low"], found["caught_high"], found["seeds"]) == ("0.87", "0.77", "0.97", "2")
    assert (found["success"], found["success_low"], found["skipped"]) == ("", "", "")
    assert (rows[10]["seeds"], rows[10]["test_error"]) == ("0", "")
