"""The harness: budgets re-checked, counts that add up, test labels that decide nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.catalogue import names
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import BudgetExceeded, InvalidArgument, UnknownName
from toadstone.datasets import load
from toadstone.datasets.readers.rows import read_poison
from toadstone.kernels.losses import crammer_singer, margin_loss
from toadstone.kernels.sets.sets import fit_domain
from toadstone.learners.multiclass import CrammerSingerClassifier, OnlineHingeClassifier
from toadstone.pipeline.harness.judge import Defence, judge_attacks, merge
from toadstone.pipeline.harness.poison_check import check_poison
from toadstone.sanitizers.sphere import SphereSanitizer

SANITIZERS = names("sanitizer")
REAL = fit_domain(np.zeros((1, 4)), "real")


def flips(split, count: int = 8) -> Poison:
    """Clean rows under the wrong label."""
    rows = np.arange(count)
    return Poison(split.train.X[rows], np.where(split.train.y[rows] == "spam", "ham", "spam"))


def judge(split, poisons=None, sanitizers=SANITIZERS, *, defence=None, budget=None, domain=REAL, **options):
    return judge_attacks(
        split,
        {"flips": flips(split)} if poisons is None else poisons,
        sanitizers,
        defence or Defence(ridge=0.1),
        check=lambda poison: check_poison(poison, split.train, budget or Budget(0.1), domain),
        **options,
    )


class TestBudget:
    def refuse(self, split, poison, match: str, *, budget=None, domain=REAL) -> None:
        with pytest.raises(BudgetExceeded, match=match) as caught:
            judge(split, {"bad": poison}, ["l2"], budget=budget, domain=domain)
        assert "\n" not in str(caught.value)

    def test_too_many_rows(self, small):
        split = small()
        judge(split, {"just right": flips(split, 8)}, [])
        self.refuse(split, flips(split, 9), "expected at most 8 rows, got 9")

    def test_no_row_is_allowed_at_fraction_zero(self, small):
        split = small()
        self.refuse(split, flips(split, 1), "expected at most 0 rows, got 1", budget=Budget(0.0))

    def test_rows_that_displace_others(self, small):
        split = small()
        poison = replace(flips(split, 2), replaces=np.array([3, 4]))
        self.refuse(split, poison, "expected only added rows, got 2")

    @pytest.mark.parametrize("columns", [3, 5])
    def test_other_columns(self, small, columns):
        self.refuse(small(), Poison(np.zeros((2, columns)), ["ham", "spam"]), f"expected 4 columns, got {columns}")

    @pytest.mark.parametrize("label", ["eggs", "hamster", "HAM", ""])
    def test_an_unknown_label(self, small, label):
        self.refuse(small(), Poison(np.zeros((2, 4)), ["ham", label]), "expected labels of the data")

    @pytest.mark.parametrize("labels", [[0, 1.5], [0, 2], [0, 255], ["0", "one"]], ids=str)
    def test_an_unknown_number(self, small, labels):
        split = small()
        numbers = replace(split, train=Dataset(split.train.X, (split.train.y == "spam").astype(int)))
        numbers = replace(numbers, test=Dataset(split.test.X, (split.test.y == "spam").astype(int)))
        self.refuse(numbers, Poison(np.zeros((2, 4)), labels), "expected labels of the data")

    @pytest.mark.parametrize("sparse", [False, True])
    @pytest.mark.parametrize(("value", "kind"), [(1.5, "box"), (-0.25, "box"), (-1.0, "integer"), (99.0, "integer")])
    def test_values_outside_the_domain(self, small, sparse, value, kind):
        split = small(kind=kind)
        X = np.zeros((2, 4))
        X[1, 2] = value
        poison = Poison(csr_array(X) if sparse else X, ["ham", "spam"])
        domain = fit_domain(split.train.X, kind)
        self.refuse(split, poison, f"expected values within the {kind} domain", domain=domain)

    @pytest.mark.parametrize("sparse", [False, True])
    def test_fractions_among_counts(self, small, sparse):
        split = small(kind="integer")
        X = np.array([[0.0, 1.0, 0.0, 1.0], [0.0, 0.5, 0.0, 0.0]])
        poison = Poison(csr_array(X) if sparse else X, ["ham", "spam"])
        self.refuse(split, poison, "expected whole numbers", domain=fit_domain(split.train.X, "integer"))

    def test_every_attack_is_checked_before_any_is_judged(self, small):
        split, steps = small(), []
        with pytest.raises(BudgetExceeded):
            judge(split, {"good": flips(split), "bad": flips(split, 9)}, on_cell=lambda: steps.append(1))
        assert steps == []

    def test_honest_poison_passes(self, small):
        split = small(kind="integer")
        domain = fit_domain(split.train.X, "integer")
        check_poison(Poison(np.floor(split.train.X[:3]), split.train.y[:3]), split.train, Budget(0.1), domain)

    def test_the_name_of_no_attack_is_taken(self, small):
        with pytest.raises(InvalidArgument, match="`poisons`: expected names other than none"):
            judge(small(), {"none": flips(small())})


class TestCells:
    def test_every_attack_and_none_meets_every_sanitizer_and_none(self, small):
        split, steps = small(), []
        cells = judge(split, {"a": flips(split), "b": flips(split, 3)}, on_cell=lambda: steps.append(1))
        expected = [(attack, name) for attack in ("none", "a", "b") for name in ("none", *SANITIZERS)]
        assert [(cell.attack, cell.sanitizer) for cell in cells] == expected
        assert len(steps) == len(cells)

    @pytest.mark.parametrize("contamination", [0.05, 0.2])
    @pytest.mark.parametrize("sparse", [False, True])
    def test_counts_add_up(self, small, contamination, sparse):
        split = small(sparse=sparse)
        cells = judge(split, defence=Defence(contamination=contamination, ridge=0.1))
        for cell in cells:
            assert cell.clean_rows == 80
            assert cell.poison_rows == (0 if cell.attack == "none" else 8)
            assert 0 <= cell.poison_removed <= cell.poison_rows
            assert 0 <= cell.clean_removed <= cell.clean_rows
            y = split.train.y if cell.attack == "none" else np.append(split.train.y, flips(split).y)
            kept = sum(round((1 - contamination) * np.count_nonzero(y == label)) for label in ("ham", "spam"))
            removed = 0 if cell.sanitizer == "none" else len(y) - kept
            assert cell.poison_removed + cell.clean_removed == removed

    def test_a_cell_is_what_the_defender_would_see(self, small):
        split = small()
        defence = Defence(contamination=0.1, ridge=0.3, loss="logistic")
        cell = judge(split, sanitizers=["l2"], defence=defence)[-1]
        X, y, poisoned = merge(split.train, flips(split))
        kept = SphereSanitizer(contamination=0.1).fit(X, y)
        kept.fit_resample(X, y)
        rows = kept.sample_indices_
        model = defence.model().fit(X[rows], y[rows])
        assert cell.test_error == np.mean(model.predict(split.test.X) != split.test.y)
        assert cell.poison_removed == 8 - poisoned[rows].sum()
        margins = np.where(y[rows] == "spam", 1, -1) * model.decision_function(X[rows])
        assert cell.train_loss == pytest.approx(margin_loss("logistic").value(margins).mean(), rel=1e-12)

    @pytest.mark.parametrize(
        ("learner", "kind"), [("crammer-singer", CrammerSingerClassifier), ("online", OnlineHingeClassifier)]
    )
    @pytest.mark.parametrize("classes", [2, 3])
    def test_the_defender_named_is_the_one_retrained(self, small, learner, kind, classes):
        split = small()
        y, told = (np.resize(np.array(["a", "b", "c"])[:classes], len(part)) for part in (split.train, split.test))
        several = replace(split, train=Dataset(split.train.X, y), test=Dataset(split.test.X, told))
        (cell,) = judge(several, {}, [], defence=Defence(ridge=0.1, learner=learner))
        options = {"ridge": 0.1, "tolerance": 1e-6} if learner == "crammer-singer" else {}
        model = kind(**options).fit(split.train.X, y)
        assert cell.test_error == np.mean(model.predict(split.test.X) != told)
        scores = model.decision_function(split.train.X)
        scores = np.column_stack([np.zeros(len(y)), scores]) if classes == 2 else scores
        losses, _ = crammer_singer(scores, np.searchsorted(model.classes_, y))
        assert cell.train_loss == pytest.approx(losses.mean(), rel=1e-12)

    def test_learners_are_known_and_fit_the_loss(self):
        with pytest.raises(UnknownName, match="`learner`: expected one of linear, crammer-singer, online, got magic"):
            Defence(learner="magic")
        with pytest.raises(InvalidArgument, match="`loss`: expected hinge, which online is for, got logistic"):
            Defence(learner="online", loss="logistic")

    def test_the_interval_is_wilsons(self, small):
        # Ten mistakes in a hundred: from 0.0552 to 0.1744 in any textbook.
        X = np.repeat([[-1.0, 0, 0, 0], [1.0, 0, 0, 0]], 50, axis=0)
        y = np.repeat(["ham", "spam"], 50)
        told = y.copy()
        told[:10] = "spam"
        split = replace(small(), train=Dataset(X, y), test=Dataset(X, told))
        (cell,) = judge(split, {}, [])
        assert cell.test_error == 0.1
        assert (round(cell.low, 4), round(cell.high, 4)) == (0.0552, 0.1744)

    def test_no_mistake_still_has_an_interval(self, small):
        split = small()
        X = 10.0 * np.where(split.train.y == "spam", 1, -1)[:, None] + np.zeros((80, 4))
        (cell,) = judge(replace(split, train=Dataset(X, split.train.y), test=Dataset(X, split.train.y)), {}, [])
        assert (cell.test_error, cell.low) == (0.0, 0.0)
        assert cell.high == pytest.approx(3.8415 / (80 + 3.8415), abs=1e-4)

    def test_test_labels_decide_nothing_but_the_error(self, small):
        split = small()
        order = np.random.default_rng(0).permutation(len(split.test))
        permuted = replace(split, test=Dataset(split.test.X, split.test.y[order]))
        blind = {"test_error": 0.0, "low": 0.0, "high": 0.0, "seconds": 0.0}
        one, two = ([replace(cell, **blind) for cell in judge(rows)] for rows in (split, permuted))
        assert one == two
        assert [cell.test_error for cell in judge(split)] != [cell.test_error for cell in judge(permuted)]

    def test_the_same_seed_gives_the_same_cells(self, small):
        one, two = ([replace(cell, seconds=0.0) for cell in judge(small())] for _ in range(2))
        assert one == two

    def test_sanitizers_that_were_fitted_before_spare_time_and_change_nothing(self, small):
        split, defence = small(), Defence(ridge=0.1)
        fitted = {name: defence.sanitizer(name) for name in SANITIZERS}
        for sanitizer in fitted.values():
            sanitizer.fit_resample(split.train.X, split.train.y)
        one, two = (
            [replace(cell, seconds=0.0) for cell in judge(split, defence=defence, **options)]
            for options in ({}, {"fitted": fitted})
        )
        assert one == two

    def test_labels_of_another_type_are_those_of_the_data(self, small):
        split = small()
        y, told = (np.where(part.y == "spam", 1, -1) for part in (split.train, split.test))
        numbers = replace(split, train=Dataset(split.train.X, y), test=Dataset(split.test.X, told))
        rows = flips(split)
        floats = Poison(rows.X, np.where(rows.y == "spam", 1.0, -1.0))
        strings = [replace(cell, seconds=0.0, attack="") for cell in judge(split)]
        cells = [replace(cell, seconds=0.0, attack="") for cell in judge(numbers, {"flips": floats})]
        assert cells == strings

    def test_more_than_two_classes(self, small):
        split = small()
        y, told = (np.resize(np.array(["a", "b", "c"]), len(part)) for part in (split.train, split.test))
        three = replace(split, train=Dataset(split.train.X, y), test=Dataset(split.test.X, told))
        cells = judge(three, {"p": Poison(split.train.X[:3], ["a", "b", "c"])})
        assert len(cells) == 12
        assert all(0 <= cell.test_error <= 1 for cell in cells)

    def test_an_unknown_sanitizer(self, small):
        with pytest.raises(UnknownName, match="did you mean l2"):
            judge(small(), {}, ["l22"])

    def test_clean_rows_and_poison_are_left_alone(self, small):
        split = small()
        poison = flips(split)
        before = split.train.X.copy(), split.train.y.copy(), poison.X.copy()
        judge(split, {"flips": poison})
        for one, other in zip(before, (split.train.X, split.train.y, poison.X), strict=True):
            np.testing.assert_array_equal(one, other)


def test_far_poison_is_removed_and_near_copies_are_not(small):
    # A sanity check of the whole: what no filter could miss, and what none could find.
    split = small(n=200)
    far = Poison(np.full((8, 4), 1e3), np.repeat(["ham", "spam"], 4))
    copies = Poison(split.train.X[20:28], split.train.y[20:28])
    cells = {(cell.attack, cell.sanitizer): cell for cell in judge(split, {"far": far, "copies": copies}, ["l2"])}
    assert cells["far", "l2"].poison_removed == 8
    assert cells["copies", "l2"].poison_removed <= 2
    assert cells["far", "none"].test_error > cells["far", "l2"].test_error


def test_dense_poison_joins_sparse_rows(small):
    split = small(kind="integer", sparse=True)
    X, y, poisoned = merge(split.train, Poison(np.ones((2, 4)), ["ham", "spam"]))
    assert X.format == "csr"
    assert (len(y), poisoned.sum(), poisoned[-2:].all()) == (82, 2, True)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "expected"), [(14, [27.3, 21.7, 32.4, 26.6, 27.0]), (24, [23.3, 22.8, 24.5, 23.3, 23.4])]
)
def test_published_attacks_on_enron(data_dir, number, expected):
    split = load("enron")
    attack = read_poison(data_dir / f"enron_minmax_reference_{number}.npz")
    cells = judge_attacks(
        split,
        {"published": attack},
        SANITIZERS,
        Defence(ridge=0.09, variant="reference"),
        check=lambda poison: check_poison(poison, split.train, Budget(0.03), fit_domain(split.train.X, "real")),
    )
    errors = {cell.sanitizer: 100 * cell.test_error for cell in cells if cell.attack == "published"}
    assert [errors[name] for name in SANITIZERS] == pytest.approx(expected, abs=0.3)
    clean = next(cell for cell in cells if cell.attack == cell.sanitizer == "none")
    assert round(clean.test_error * 1035) == pytest.approx(30, abs=1)
