"""Backdoors: whose rows they use, and that the harness's rate is that of the field."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.attacks.backdoors.backdoor import BackdoorAttack, CleanLabelBackdoor
from toadstone.attacks.backdoors.row_trigger import FeatureTrigger
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset
from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument
from toadstone.core.feasible import ball
from toadstone.kernels.sets.sets import ConvexSet

NAMES = np.array(["cat", "cow", "dog"])
TRIGGER = FeatureTrigger(features=(3,), values=(7.0,))


def data(n: int = 30, *, sparse: bool = False) -> Dataset:
    X = np.random.default_rng(5).normal(size=(n, 4))
    X[:, 0] = np.arange(n)
    return Dataset(csr_array(X) if sparse else X, NAMES[np.resize(np.arange(3), n)])


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


class TestDirtyLabel:
    def test_copies_of_other_classes_with_trigger_and_target(self):
        clean = data()
        made = BackdoorAttack(trigger=TRIGGER, target="cow").poison(clean, Budget(0.4), rng())
        rows = made.X[:, 0].astype(int)
        assert len(made) == len(set(rows)) == 12
        assert made.replaces.size == 0
        assert set(made.y) == {"cow"}
        assert "cow" not in clean.y[rows]
        np.testing.assert_array_equal(made.X, TRIGGER.apply(clean.X[rows]))

    def test_only_the_source(self):
        clean = data()
        made = BackdoorAttack(trigger=TRIGGER, target="cow", source="dog").poison(clean, Budget(0.4), rng())
        assert set(clean.y[made.X[:, 0].astype(int)]) == {"dog"}
        assert np.bincount(made.X[:, 0].astype(int)).max() == 2  # twelve rows of ten dogs

    def test_a_feasible_set_judges_the_row_with_its_trigger(self):
        clean, centre = data(), np.zeros(4)
        near = ConvexSet({name: ball(centre, 12.0) for name in NAMES.tolist()})
        made = BackdoorAttack(trigger=TRIGGER, target="cow", feasible_set=near).poison(clean, Budget(0.3), rng())
        assert near.contains(made.X, made.y).all()
        assert near.contains(clean.X, clean.y).sum() > len(made)
        nowhere = ConvexSet({name: ball(centre, 6.9) for name in NAMES.tolist()})
        with pytest.raises(EmptyFeasibleSet):
            BackdoorAttack(trigger=TRIGGER, target="cow", feasible_set=nowhere).poison(clean, Budget(0.3), rng())

    @pytest.mark.parametrize(
        ("target", "source", "name"), [("pig", None, "target"), ("cow", "pig", "source"), ("cow", "cow", "target")]
    )
    def test_labels_that_make_no_sense(self, target, source, name):
        with pytest.raises(InvalidArgument, match=f"`{name}`"):
            BackdoorAttack(trigger=TRIGGER, target=target, source=source).poison(data(), Budget(0.3), rng())


class TestCleanLabel:
    @pytest.mark.parametrize("sparse", [False, True])
    def test_rows_of_the_target_class_in_place(self, sparse):
        clean = data(sparse=sparse)
        made = CleanLabelBackdoor(trigger=TRIGGER, target="dog").poison(clean, Budget(0.2, "perturb"), rng())
        assert len(made) == len(set(made.replaces.tolist())) == 6
        assert set(clean.y[made.replaces]) == set(made.y) == {"dog"}
        assert abs(made.X - TRIGGER.apply(clean.X[made.replaces])).max() == 0

    def test_no_more_than_the_class_has(self):
        made = CleanLabelBackdoor(trigger=TRIGGER, target="dog").poison(data(), Budget(0.49, "perturb"), rng())
        assert len(made) == 10

    def test_refusals(self):
        with pytest.raises(InvalidArgument, match="`target`: expected one of cat, cow, dog, got pig"):
            CleanLabelBackdoor(trigger=TRIGGER, target="pig").poison(data(), Budget(0.2, "perturb"), rng())
        far = ConvexSet({name: ball(np.zeros(4), 1.0) for name in NAMES.tolist()})
        with pytest.raises(EmptyFeasibleSet, match="no row of class dog"):
            CleanLabelBackdoor(trigger=TRIGGER, target="dog", feasible_set=far).poison(
                data(), Budget(0.2, "perturb"), rng()
            )


@pytest.mark.parametrize(
    ("attack", "wrong"),
    [
        (BackdoorAttack, Budget(0.2, "perturb")),
        (BackdoorAttack, Budget(0.2, "flip")),
        (BackdoorAttack, Budget(0.01)),
        (CleanLabelBackdoor, Budget(0.2)),
        (CleanLabelBackdoor, Budget(0.01, "perturb")),
    ],
)
def test_budgets_that_are_not_for_it(attack, wrong):
    with pytest.raises(InvalidArgument, match=r"`budget`: expected (one of kind|a fraction of 30 rows)"):
        attack(trigger=TRIGGER, target="cow").poison(data(), wrong, rng())
