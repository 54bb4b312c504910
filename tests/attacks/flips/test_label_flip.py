"""Label flips: how many, which rows, which labels, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, issparse

from toadstone.attacks.flips.label_changes import possible_flips
from toadstone.attacks.flips.label_flip import RandomLabelFlip, TargetedLabelFlip
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset
from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument, UnknownName
from toadstone.core.feasible import ball
from toadstone.datasets import load
from toadstone.kernels.sets.sets import ConvexSet

NAMES = np.array(["cat", "cow", "dog"])
ATTACKS = pytest.mark.parametrize("attack", [RandomLabelFlip, TargetedLabelFlip], ids=lambda kind: kind.__name__)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def data(k: int = 2, n: int = 30, *, sparse: bool = False) -> Dataset:
    codes = np.resize(np.arange(k), n)
    X = rng(5).normal(size=(n, 4)) + 2 * np.eye(4)[codes]
    return Dataset(csr_array(X) if sparse else X, NAMES[codes])


def line() -> Dataset:
    """Points on a line, every class further out than the one before; the model's boundary is at zero."""
    return Dataset(np.array([[-3.0], [-2.0], [-1.0], [1.0], [2.0], [4.0]]), np.repeat(["a", "b"], 3))


def where_from(made, clean: Dataset) -> list[int]:
    """The clean row that each poison row is a copy of."""
    dense = clean.X.toarray() if issparse(clean.X) else clean.X
    rows = made.X.toarray() if issparse(made.X) else made.X
    return [int(np.flatnonzero((dense == row).all(axis=1))[0]) for row in rows]


@ATTACKS
@pytest.mark.parametrize("k", [2, 3])
class TestBoth:
    @given(fraction=st.floats(0.04, 0.49), kind=st.sampled_from(["add", "flip"]))
    @settings(max_examples=15)
    def test_the_budget_is_spent_on_different_rows_under_other_labels(self, attack, k, fraction, kind):
        clean, budget = data(k), Budget(fraction, kind)
        made = attack().poison(clean, budget, rng())
        rows = where_from(made, clean)
        assert len(made) == len(set(rows)) == budget.count(30)
        assert np.all(made.y != clean.y[rows])
        assert set(made.y) <= set(clean.classes)
        assert made.replaces.tolist() == (rows if kind == "flip" else [])

    def test_source_and_target(self, attack, k):
        made = attack(source="cow", target="cat").poison(data(k), Budget(0.2), rng())
        assert set(made.y) == {"cat"}
        assert set(data(k).y[where_from(made, data(k))]) == {"cow"}

    def test_added_rows_repeat_once_all_are_used(self, attack, k):
        clean = data(k)
        few = np.flatnonzero(clean.y == "cow")
        made = attack(source="cow").poison(clean, Budget(0.49), rng())
        wanted = np.full(len(few), 14 // len(few))
        found = np.bincount(where_from(made, clean), minlength=30)[few]
        assert found.sum() == 14
        assert np.all((found == wanted) | (found == wanted + 1))

    def test_flips_end_with_the_rows(self, attack, k):
        labels = np.where(np.arange(30) < 3, "dog", "cat")
        labels[10:20] = "cow"
        made = attack(source="dog").poison(Dataset(data(k).X, labels), Budget(0.3, "flip"), rng())
        assert sorted(made.replaces.tolist()) == [0, 1, 2]

    def test_only_rows_that_pass_under_their_new_label(self, attack, k):
        clean = data(k)
        home = ConvexSet({label: ball(2 * np.eye(4)[0], 2.5) for label in NAMES})
        made = attack(feasible_set=home).poison(clean, Budget(0.2), rng())
        assert home.contains(made.X, made.y).all()
        assert len(made) == 6

    def test_a_label_that_the_set_does_not_know_is_not_given(self, attack, k):
        made = attack(feasible_set=ConvexSet({"cat": ball(np.zeros(4), 99.0)})).poison(data(k), Budget(0.2), rng())
        assert set(made.y) == {"cat"}

    def test_no_row_that_passes(self, attack, k):
        nowhere = ConvexSet({label: ball(np.full(4, 50.0), 1.0) for label in NAMES})
        with pytest.raises(EmptyFeasibleSet, match="no row may be given another label"):
            attack(feasible_set=nowhere).poison(data(k), Budget(0.2), rng())

    def test_sparse_rows_stay_sparse_and_are_used_alike(self, attack, k):
        dense, sparse = (attack().poison(data(k, sparse=way), Budget(0.3), rng()) for way in (False, True))
        assert issparse(sparse.X)
        np.testing.assert_array_equal(dense.X, sparse.X.toarray())
        assert dense.y.tolist() == sparse.y.tolist()

    def test_refusals(self, attack, k):
        with pytest.raises(InvalidArgument, match="`budget`: expected one for adding or flipping rows, got perturb"):
            attack().poison(data(k), Budget(0.2, "perturb"), rng())
        with pytest.raises(InvalidArgument, match="`budget`: expected a fraction of 30 rows that is at least one row"):
            attack().poison(data(k), Budget(0.03), rng())
        with pytest.raises(InvalidArgument, match=r"`source`: expected one of cat, cow.*, got hen"):
            attack(source="hen").poison(data(k), Budget(0.2), rng())
        with pytest.raises(InvalidArgument, match=r"`target`: expected one of cat, cow.*, got hen"):
            attack(target="hen").poison(data(k), Budget(0.2), rng())
        with pytest.raises(InvalidArgument, match="`target`: expected a label other than cat, got cat"):
            attack(source="cat", target="cat").poison(data(k), Budget(0.2), rng())


class TestRandom:
    def test_the_same_seed_gives_the_same_rows_and_another_seed_others(self):
        one, two, three = (RandomLabelFlip().poison(data(3), Budget(0.3), rng(seed)) for seed in (1, 1, 2))
        assert (one.X == two.X).all()
        assert (one.y == two.y).all()
        assert not (one.X == three.X).all()

    def test_rows_and_labels_are_evenly_drawn(self):
        clean = data(3)
        hits, labels = np.zeros(30), []
        for seed in range(300):
            made = RandomLabelFlip().poison(clean, Budget(0.2), rng(seed))
            rows = where_from(made, clean)
            hits[rows] += 1
            labels += [new for new, row in zip(made.y, rows, strict=True) if clean.y[row] == "cat"]
        # 300 draws of 6 in 30 rows: 60 hits each, with a standard deviation of 7.
        assert np.all(np.abs(hits - 60) < 35)
        assert 0.4 < np.mean(np.array(labels) == "cow") < 0.6


class TestTargeted:
    @pytest.mark.parametrize(
        ("margins", "fraction", "rows"),
        [("largest", 0.34, [4.0, -3.0]), ("smallest", 0.34, [1.0, -1.0]), ("largest", 0.17, [4.0])],
    )
    def test_the_rows_farthest_from_the_boundary_or_nearest(self, margins, fraction, rows):
        made = TargetedLabelFlip(margins=margins).poison(line(), Budget(fraction), rng())
        assert sorted(made.X.ravel().tolist()) == sorted(rows)

    def test_the_label_is_the_one_of_the_extreme_margin(self):
        # Along one axis, the outer classes are each other's farthest and the middle one is both's nearest.
        X = np.repeat([[-4.0, 0.0], [0.0, 2.0], [4.0, 0.0]], 4, axis=0) + 0.1 * rng(1).normal(size=(12, 2))
        clean = Dataset(X, np.repeat(NAMES, 4))
        far = TargetedLabelFlip(source="cat").poison(clean, Budget(0.1), rng())
        near = TargetedLabelFlip(source="cat", margins="smallest").poison(clean, Budget(0.1), rng())
        assert far.y.tolist() == ["dog"]
        assert near.y.tolist() == ["cow"]

    def test_nothing_is_left_to_chance(self):
        one, two = (TargetedLabelFlip().poison(data(3), Budget(0.3), rng(seed)) for seed in (1, 2))
        assert (one.X == two.X).all()

    def test_refusals(self):
        with pytest.raises(InvalidArgument, match="`margins`: expected largest or smallest, got big"):
            TargetedLabelFlip(margins="big")
        with pytest.raises(InvalidArgument, match="`ridge`: expected a positive number, got 0"):
            TargetedLabelFlip(ridge=0)
        with pytest.raises(UnknownName, match="`loss`"):
            TargetedLabelFlip(loss="hing")


def test_flips_of_other_rows_than_the_training_rows():
    pool = Dataset(np.zeros((2, 1)), ["dog", "cat"])
    assert possible_flips(pool, NAMES).tolist() == [[True, True, False], [False, True, True]]


@pytest.mark.data
def test_flips_on_enron(data_dir):
    train = load("enron").train
    made = RandomLabelFlip().poison(train, Budget(0.03), rng())
    assert (len(made), issparse(made.X)) == (124, True)
    sure = TargetedLabelFlip(ridge=0.09).poison(train, Budget(0.03), rng())
    assert len(sure) == 124
