"""When a figure counts as reached, and records through JSON."""

import pytest

from toadstone.records.reproduction import Comparison, Interval, Panel, Published, Reproduction, Series


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


def test_a_record_survives_its_json():
    rows = (
        Comparison(
            "error", "share", "higher", Published(0.24, "text", 0.005), 0.25, Interval(0.2, 0.3, "guess"), "n", "r"
        ),
        Comparison("time", "seconds", "lower", None, None),
    )
    panels = (
        Panel("t", "bars", "", "error", "category", "share", (Series("kkt", "ours", ("l2", "slab"), (0.2, 0.3)),)),
        Panel("u", "lines", "x", "loss", "number", "loss", (Series("a", "paper", (1.0, 2.0), (0.5, 0.4)),), "log"),
    )
    record = Reproduction("a", "b", "c", {"d": "e"}, rows, panels, ("note",), {"f": "0" * 64}, 1.5, 3, "cmd", "now")
    assert Reproduction.from_json(record.to_json()) == record
