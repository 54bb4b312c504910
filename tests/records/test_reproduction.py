"""The standing of a figure beside the paper's."""

import pytest

from toadstone.records.reproduction import Comparison, Published


def compared(ours, aim="higher", value=0.24, accuracy=0.005, relation="is"):
    return Comparison("error", "share", aim, Published(value, "text", accuracy, relation), ours)


@pytest.mark.parametrize(
    ("ours", "aim", "standing"),
    [
        (0.235, "higher", "reached"),
        (0.245, "lower", "reached"),
        (0.2349, "higher", "missed"),
        (0.2349, "lower", "exceeded"),
        (0.2451, "higher", "exceeded"),
        (0.2451, "lower", "missed"),
        (0.2451, "equal", "differs"),
        (0.2349, "equal", "differs"),
        (None, "higher", "not measured"),
    ],
)
def test_the_accuracy_of_the_paper_decides(ours, aim, standing):
    assert compared(ours, aim).standing == standing


@pytest.mark.parametrize(
    ("ours", "relation", "standing"),
    [(0.01, "at most", "reached"), (0.25, "at most", "differs"), (0.9, "at least", "reached")],
)
def test_limits_hold_or_not(ours, relation, standing):
    assert compared(ours, "equal", relation=relation).standing == standing


def test_without_a_figure_of_the_paper_there_is_nothing_to_reach():
    row = Comparison("error", "share", "higher", None, 0.3)
    assert (row.standing, row.difference) == ("not in the text", None)
