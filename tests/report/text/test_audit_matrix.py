import dataclasses

import pytest

from toadstone.report.text.audit_matrix import arrange, best_defence, undefended


def errors(record, table):
    """A record whose matrix is {attack: {sanitizer: test error}}."""
    model = record.evaluations[0]
    return dataclasses.replace(
        record,
        evaluations=tuple(
            dataclasses.replace(model, attack=attack, sanitizer=sanitizer, test_error=error)
            for attack, cells in table.items()
            for sanitizer, error in cells.items()
        ),
    )


def test_the_best_defence_is_judged_by_its_worst_attack(record):
    record = errors(record, {"a": {"none": 0.3, "x": 0.01, "y": 0.10}, "b": {"none": 0.1, "x": 0.20, "y": 0.11}})
    assert best_defence(record).sanitizers == ("y",)
    assert best_defence(record).test_error == 0.11
    assert undefended(record).test_error == 0.3


def test_no_attack_counts_neither_for_nor_against_a_defence(record):
    record = errors(record, {"none": {"none": 0.4, "x": 0.9, "y": 0.0}, "a": {"x": 0.2, "y": 0.3}})
    assert best_defence(record).sanitizers == ("x",)
    assert undefended(record) is None


def test_defences_that_tie_are_all_named(record):
    record = errors(record, {"a": {"x": 0.2, "y": 0.2, "z": 0.3}})
    assert best_defence(record).sanitizers == ("x", "y")
    assert [row.is_best for row in arrange(record).rows] == [True, True, False]


def test_nothing_evaluated_has_no_best(record):
    record = errors(record, {})
    assert best_defence(record) is None
    assert undefended(record) is None
    assert arrange(record).rows == ()


def test_no_defence_and_no_attack_come_first_and_gaps_stay_open(record):
    matrix = arrange(errors(record, {"a": {"x": 0.2, "none": 0.3}, "none": {"none": 0.1}}))
    assert matrix.attacks == ("none", "a")
    assert [row.sanitizer for row in matrix.rows] == ["none", "x"]
    assert matrix.rows[1].cells[0] is None
    assert matrix.rows[1].cells[1].evaluation.test_error == 0.2


@pytest.mark.parametrize(
    ("excess", "heat"),
    [(-0.02, 0), (0.0, 0), (0.0049, 0), (0.005, 1), (0.01, 2), (0.02, 3), (0.05, 4), (0.1, 5), (0.2, 6)],
)
def test_colour_deepens_at_fixed_steps_above_the_clean_error(record, excess, heat):
    record = dataclasses.replace(record, defender=dataclasses.replace(record.defender, clean_test_error=0.03))
    assert arrange(errors(record, {"a": {"x": 0.03 + excess}})).rows[0].cells[0].heat == heat
