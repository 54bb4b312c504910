"""An audit in lines."""

import dataclasses
import re

import pytest

from toadstone.records.audit import CostPoint
from toadstone.report.pages.audit_page import render
from toadstone.report.text.audit_text import audit_lines, cautions, headline_sentences, next_sentences

READING = "Features: word counts as stored. Rows are numbered from 1, in the order of the file."


def test_audit_at_80_columns(record):
    text = "\n".join(audit_lines(record, 80))
    assert max(map(len, text.splitlines())) <= 80
    assert "0.3287" in text
    rows = re.findall(r"^  (\w[\w ]*?) +([\d.-]+) +([\d.-]+)( +best)?$", text, flags=re.MULTILINE)
    assert [row[0] for row in rows] == ["no defence", "sphere", "slab", "loss", "subspace", "neighbours"]
    assert [row[0] for row in rows if row[3]] == ["slab"]
    assert [row[1] for row in rows] == ["8.2", "7.7", "5.1", "6.9", "8.0", "6.0"]


def test_audit_says_what_the_headline_does_not_mean(record):
    (point,) = (point for point in record.curve if point.fraction == record.threat.fraction)
    vague = dataclasses.replace(record, curve=(dataclasses.replace(point, bound=1.2, conclusive=False),))
    text = "\n".join(audit_lines(vague, None))
    assert "Not conclusive: " in text
    assert "The bound rules nothing out: " in text


@pytest.mark.parametrize(
    ("point", "said"),
    [
        (
            CostPoint(0.066, 12, 30, "kkt"),
            "Fewer than 12 added rows cannot raise the error of a linear model on the "
            "clean training rows to 6.6\xa0%; 30 can.",
        ),
        (CostPoint(0.066, 12, None, ""), "to 6.6\xa0%; no attack tried here can."),
        (
            CostPoint(0.066, 1, 30, "kkt"),
            "30 added rows can raise the error of a linear model on the clean training rows "
            "to 6.6\xa0%; it is certified to take one row, not more.",
        ),
        (CostPoint(0.066, 1, None, ""), "No attack tried here can raise"),
    ],
)
def test_the_rows_that_an_error_takes_are_in_the_headline(record, point, said, page_of):
    costs = (point, CostPoint(0.2, 60, None, ""))
    with_costs = dataclasses.replace(record, cost=costs)
    assert said in " ".join(headline_sentences(with_costs))
    tables = [[[cell.strip() for cell in row] for row in table] for table in page_of(render(with_costs)).tables]
    assert ["20.0\xa0%", "60", "none", ""] in [row for table in tables for row in table]
    assert "added rows" not in " ".join(headline_sentences(record))


def test_hostile_names_cannot_steer_the_terminal(hostile):
    attack = "\x1b[2J" + "x" * 90
    renamed = tuple(dataclasses.replace(run, attack=attack) for run in hostile.evaluations if run.attack != "none")
    text = "\n".join(audit_lines(dataclasses.replace(hostile, evaluations=renamed), 80))
    assert "xxx…" in text
    assert not set(text) & {"\x1b", "\x00", "\u202e"}


def test_suspicious_rows_come_after_the_matrix_and_the_others_are_counted(record):
    lines = audit_lines(record, None)
    start = lines.index("Most suspicious training rows")
    first = record.suspects[0]
    assert lines[start + 1] == (
        f"  row {first.row}, {first.label}: removed by {len(first.removed_by)} of 5 defences; {first.preview}"
    )
    assert lines[start + 9 : start + 12] == ["  and 12 more", "", "Next"]
    assert lines[-2:] == ["", READING]
    few = audit_lines(dataclasses.replace(record, suspects=record.suspects[:8]), None)
    assert few[few.index("Next") - 2].startswith("  row")
    assert "Most suspicious training rows" not in audit_lines(dataclasses.replace(record, suspects=()), None)


def told(record, table, **changes):
    """The headline after the bound, and what to do next, for a matrix of test errors with intervals of 2 points."""
    model = record.evaluations[0]
    cells = tuple(
        dataclasses.replace(
            model, attack=attack, sanitizer=name, test_error=error, low=max(error - 0.02, 0), high=error + 0.02
        )
        for attack, row in table.items()
        for name, error in row.items()
    )
    changed = dataclasses.replace(record, evaluations=cells, **changes)
    sentences = [sentence.replace("\N{NO-BREAK SPACE}", " ") for sentence in headline_sentences(changed)]
    return sentences[1 if changed.no_certificate else 2 :], next_sentences(changed)


def test_no_defence_is_named_where_none_is_better(record):
    sentences, following = told(record, {"a": {"none": 0.018, "l2": 0.035, "slab": 0.035, "verdict": 0.05}})
    assert sentences == [
        "No defence leaves less than none: without any, the attack leaves a test error of 1.8 % (0.0 to 3.8 %), "
        "against 2.9 % on clean data.",
        "The best of the defences, l2, leaves 3.5 % (1.5 to 5.6 %); their intervals overlap.",
    ]
    assert following[0].startswith("Do not count on a filter here")
    sentences, _ = told(record, {"a": {"none": 0.018, "l2": 0.018, "verdict": 0.018}})
    assert sentences[1] == "L2 and verdict leave the same."


def test_a_tie_with_no_defence_is_stated(record):
    sentences, following = told(record, {"a": {"none": 0.05, "l2": 0.03, "slab": 0.08}})
    assert sentences[0].startswith("After the best of two defences (l2), the attack leaves a test error of 3.0 %")
    assert sentences[1] == (
        "The interval overlaps that of no defence: 1,035 test rows do not tell whether any of them helps."
    )
    assert following[0].startswith("Do not count on a filter here")


def test_ties_among_defences_that_help_are_stated(record):
    sentences, following = told(record, {"a": {"none": 0.2, "l2": 0.03, "slab": 0.05, "loss": 0.1}})
    assert sentences[1] == "Slab leaves as little within the intervals."
    assert following[0] == ("Train behind l2, which surely leaves less than none: toadstone sanitize --method l2.")
    _, following = told(record, {"a": {"none": 0.2, "verdict": 0.03, "slab": 0.05}})
    assert following[0].startswith("Train on what toadstone defend keeps")


def test_three_classes_have_no_bound_and_say_so(record):
    reason = "No bound is certified: there are 3 classes."
    bare = dataclasses.replace(record, curve=(), no_certificate=reason)
    lines = audit_lines(bare, None)
    assert lines[0] == reason
    assert not any("cannot exceed" in line for line in lines)
    assert not any("poison.npz" in line for line in lines)


def test_the_bound_is_not_for_a_model_of_ones_own(record):
    own = dataclasses.replace(record, defender=dataclasses.replace(record.defender, learner="models:make"))
    assert dict(cautions(own))["The bound is not for your model"].startswith("It holds for linear models")
    assert "The bound is not for your model" not in dict(cautions(record))
    assert not any("--model" in sentence for sentence in next_sentences(own))
