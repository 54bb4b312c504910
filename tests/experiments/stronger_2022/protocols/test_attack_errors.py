"""Attacks of the protocol know what they are told, and rows and bars agree."""

import dataclasses

from toadstone.experiments.conditions import Conditions
from toadstone.experiments.stronger_2022.protocols.attack_errors import (
    BEST_DEFENCE,
    AttackProtocol,
    attack_all,
    best_defence,
    defence_panel,
)
from toadstone.experiments.stronger_2022.protocols.chosen_attacks import (
    rows_by_defence,
)

QUICK = AttackProtocol(methods=("label-flip", "alfa"), fraction=0.05, ridge=0.01)


def test_what_is_asked_of_the_attack_is_passed_on(cells):
    protocol = dataclasses.replace(QUICK, methods=("label-flip",), select_on="train")
    record = attack_all(cells, protocol, Conditions(seed=5))["label-flip"]
    assert (record.selected_on, record.header.seed, record.threat.fraction) == ("train", 5, 0.05)


def test_rows_and_bars_say_the_same(three):
    cells = three["kkt"].cells
    rows = {row.what: row.ours for row in rows_by_defence("KKT", cells, {}, "")}
    panel = defence_panel("errors", {"KKT": cells}, {})
    (bars,) = panel.series
    assert {f"KKT: test error behind {place}": value for place, value in zip(bars.x, bars.y, strict=True)} == rows
    assert (
        rows[f"KKT: test error behind {BEST_DEFENCE}"]
        == min(cell.test_error for cell in cells)
        == best_defence(cells).test_error
    )
