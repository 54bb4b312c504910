"""The search for the fewest rows: what it tries next, and what becomes of rows outside the feasible set."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from toadstone.attacks.decoys.minmax import MinMaxAttack
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.feasible import ball
from toadstone.kernels.sets.sets import ConvexSet
from toadstone.pipeline.attack_search.search import Candidate
from toadstone.pipeline.costing import candidates
from toadstone.pipeline.costing.candidates import FewMoves
from toadstone.pipeline.costing.harm import Harm, train_on
from toadstone.pipeline.costing.search import CostSearch, _feasible
from toadstone.pipeline.harness.judge import Defence

FEASIBLE = ConvexSet({"ham": ball(np.zeros(1), 2.0), "spam": ball(np.full(1, 3.0), 2.0)})
ROWS = Dataset(np.array([[0.0], [1.0], [3.0], [4.0]] * 50), ["ham", "ham", "spam", "spam"] * 50)
DEFENCE = Defence(ridge=0.01)


@dataclass(frozen=True)
class Spam:
    """So many copies of one row, for fewer rows than `enough` of one that does nothing."""

    enough: int

    def poison(self, data, budget, rng):
        rows = budget.count(len(data))
        at = 5.0 if rows < self.enough else 1.0
        return Poison(np.full((rows, 1), at), np.full(rows, "spam"))


def search(*attacks, error=0.2):
    listed = [Candidate(str(index), attack) for index, attack in enumerate(attacks)]
    before = train_on(ROWS, None, DEFENCE)[1]
    return CostSearch(listed, ROWS, FEASIBLE, DEFENCE, Harm(error), before, "add")


def test_the_fewest_rows_of_any_attack_are_found():
    # Spam at 1 makes rows of ham there wrong, once there are about as many.
    alone, _ = search(Spam(1)).run(1, 90)
    assert alone.done
    assert not train_on(ROWS, Spam(1).poison(ROWS, Budget((alone.rows - 2) / 200), None), DEFENCE)[1].error >= 0.2
    for order in ((Spam(80), Spam(1)), (Spam(1), Spam(80))):
        found, _ = search(*order).run(1, 90)
        assert found.rows == alone.rows
    late, _ = search(Spam(80)).run(1, 90)
    # Within two per cent.
    assert 80 <= late.rows <= 81


def test_what_no_attack_reaches_is_told_with_the_most_rows():
    found, tried = search(Spam(1), error=0.9).run(3, 40)
    assert not found.done
    assert found.rows <= 40
    assert tried > 1


def test_copies_of_feasible_rows_take_the_place_of_those_outside():
    poison = Poison(np.array([[9.0], [1.0], [2.0], [3.0], [9.0], [9.0]]), np.array(["ham"] * 3 + ["spam"] * 3))
    made = _feasible(poison, FEASIBLE)
    assert made.X.ravel().tolist() == [1.0, 1.0, 2.0, 3.0, 3.0, 3.0]
    assert made.y.tolist() == poison.y.tolist()
    replaced = Poison(poison.X, poison.y, np.arange(6))
    assert _feasible(replaced, FEASIBLE).replaces.tolist() == [0, 1, 2, 3, 4, 5]
    gone = Poison(np.array([[9.0], [3.0]]), np.array(["ham", "spam"]), np.array([4, 5]))
    assert (_feasible(gone, FEASIBLE).X.tolist(), _feasible(gone, FEASIBLE).replaces.tolist()) == ([[3.0]], [5])
    assert _feasible(poison, None) is poison


@pytest.mark.parametrize("most", [6, 40])
def test_a_limit_of_moves_changes_no_number_of_rows(monkeypatch, most):
    monkeypatch.setattr(candidates, "_MOST_MOVES", most)
    attack, rng = MinMaxAttack(feasible_set=FEASIBLE, ridge=0.1), np.random.default_rng(0)
    made = FewMoves(attack).poison(ROWS, Budget(0.1), rng)
    assert len(made) == 20
    copies = {6: 7, 40: 2}[most]
    expected = replace(attack, repeats=copies).poison(ROWS, Budget(0.1), np.random.default_rng(0))
    np.testing.assert_array_equal(made.X, expected.X)
