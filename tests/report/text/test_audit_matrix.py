import dataclasses

import pytest

from toadstone.report.text.audit_matrix import arrange, stand


def errors(record, table, *, spread=0.02):
    """A record whose matrix is {attack: {sanitizer: test error}}, each with an interval of so much to both sides."""
    model = record.evaluations[0]
    return dataclasses.replace(
        record,
        evaluations=tuple(
            dataclasses.replace(
                model, attack=attack, sanitizer=name, test_error=error, low=max(error - spread, 0), high=error + spread
            )
            for attack, cells in table.items()
            for name, error in cells.items()
        ),
    )


def badges(record):
    return [row.sanitizer for row in arrange(record).rows if row.is_best]


def test_the_best_defence_is_judged_by_its_worst_attack(record):
    record = errors(record, {"a": {"none": 0.3, "x": 0.01, "y": 0.10}, "b": {"none": 0.1, "x": 0.20, "y": 0.11}})
    standing = stand(record)
    assert standing.best == ("y",)
    assert (standing.worst_cell.attack, standing.worst_cell.test_error) == ("b", 0.11)
    assert standing.bare.test_error == 0.3
    assert standing.helps
    assert badges(record) == ["y"]


def test_no_attack_counts_neither_for_nor_against_a_defence(record):
    standing = stand(errors(record, {"none": {"none": 0.4, "x": 0.9, "y": 0.0}, "a": {"x": 0.2, "y": 0.3}}))
    assert standing.best == ("x",)
    assert standing.bare is None


def test_defences_that_tie_are_all_named(record):
    record = errors(record, {"a": {"none": 0.5, "x": 0.2, "y": 0.2, "z": 0.23, "w": 0.3}})
    assert stand(record).best == ("x", "y")
    assert stand(record).alike == ("z",)
    assert badges(record) == ["x", "y"]


def test_no_defence_is_a_candidate_and_nothing_is_called_best_that_may_be_no_better(record):
    worse = errors(record, {"a": {"none": 0.018, "x": 0.035, "y": 0.035}})
    assert stand(worse).best == ("none",)
    assert stand(worse).none_is_best
    assert stand(worse).defended.test_error == 0.035
    assert badges(worse) == []
    within = errors(record, {"a": {"none": 0.05, "x": 0.03}})
    assert stand(within).best == ("x",)
    assert not stand(within).helps
    assert badges(within) == []
    apart = errors(record, {"a": {"none": 0.08, "x": 0.03}})
    assert stand(apart).helps
    assert badges(apart) == ["x"]


def test_nothing_evaluated_has_no_best(record):
    record = errors(record, {})
    assert stand(record) is None
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
