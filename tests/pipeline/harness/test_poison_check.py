"""The contract of poison: which rows it may displace, and how closely it keeps to a domain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.attacks.flips.label_flip import RandomLabelFlip, TargetedLabelFlip
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import BudgetExceeded
from toadstone.core.feasible import Domain
from toadstone.kernels.sets.sets import fit_domain
from toadstone.pipeline.harness.judge import Defence, judge_attacks, merge
from toadstone.pipeline.harness.poison_check import check_poison

FLIP, PERTURB = Budget(0.1, "flip"), Budget(0.1, "perturb")
ROWS = np.array([5, 2, 11])


def other(y) -> np.ndarray:
    return np.where(y == "spam", "ham", "spam")


def flipped(data: Dataset, rows=ROWS) -> Poison:
    return Poison(data.X[rows], other(data.y[rows]), rows)


def moved(data: Dataset, rows=ROWS) -> Poison:
    return Poison(data.X[rows] + 1.0, data.y[rows], rows)


def check(poison: Poison, data: Dataset, budget: Budget, domain: Domain | None = None) -> None:
    check_poison(poison, data, budget, domain or fit_domain(data.X, "real"))


class TestDisplacedRows:
    @pytest.mark.parametrize("sparse", [False, True])
    def test_what_each_kind_of_budget_pays_for(self, small, sparse):
        data = small(kind="integer", sparse=sparse).train
        check(flipped(data), data, FLIP)
        if not sparse:
            check(moved(data), data, PERTURB)
        check(Poison(data.X[ROWS], data.y[ROWS]), data, Budget(0.1))

    @pytest.mark.parametrize(
        ("change", "match"),
        [
            ({"replaces": None}, "expected 3 displaced rows, one for each, got 0"),
            ({"replaces": ROWS[:2]}, "expected 3 displaced rows, one for each, got 2"),
            ({"replaces": np.array([5, 2, 2])}, "expected to displace different rows below 80"),
            ({"replaces": np.array([5, 2, 80])}, "expected to displace different rows below 80"),
            ({"replaces": np.array([5, 2, -1])}, "expected to displace different rows below 80"),
        ],
    )
    @pytest.mark.parametrize(("make", "budget"), [(flipped, FLIP), (moved, PERTURB)])
    def test_each_row_displaces_one(self, small, change, match, make, budget):
        data = small().train
        with pytest.raises(BudgetExceeded, match=match):
            check(replace(make(data), **change), data, budget)

    @pytest.mark.parametrize("sparse", [False, True])
    def test_a_flip_changes_labels_only(self, small, sparse):
        data = small(kind="integer", sparse=sparse).train
        X = np.array(data.X[ROWS].toarray() if sparse else data.X[ROWS])
        X[1, 2] += 1.0
        with pytest.raises(BudgetExceeded, match="expected the features of the rows displaced"):
            check(Poison(csr_array(X) if sparse else X, other(data.y[ROWS]), ROWS), data, FLIP)
        with pytest.raises(BudgetExceeded, match="expected other labels for all rows, got 3 unchanged"):
            check(Poison(data.X[ROWS], data.y[ROWS], ROWS), data, FLIP)

    def test_a_perturbation_keeps_labels(self, small):
        data = small().train
        y = np.append(data.y[ROWS[:2]], other(data.y[ROWS[2:]]))
        with pytest.raises(BudgetExceeded, match="expected the labels of the rows displaced, got 1 others"):
            check(Poison(data.X[ROWS], y, ROWS), data, PERTURB)

    @pytest.mark.parametrize("attack", [RandomLabelFlip(), TargetedLabelFlip(ridge=0.1)])
    @pytest.mark.parametrize("sparse", [False, True])
    def test_attacks_by_flips_keep_it(self, small, attack, sparse):
        data = small(sparse=sparse).train
        check(attack.poison(data, FLIP, np.random.default_rng(0)), data, FLIP)


class TestInPlace:
    @pytest.mark.parametrize("sparse", [False, True])
    def test_poison_takes_the_places_of_the_rows_it_displaces(self, small, sparse):
        data = small(kind="integer", sparse=sparse).train
        X, y, poisoned = merge(data, flipped(data))
        assert np.flatnonzero(poisoned).tolist() == sorted(ROWS)
        assert y[ROWS].tolist() == other(data.y[ROWS]).tolist()
        np.testing.assert_array_equal(np.delete(y, ROWS), np.delete(data.y, ROWS))
        assert abs(X - data.X).max() == 0

    def test_features_move_with_their_rows(self, small):
        data = small().train
        X, y, _ = merge(data, moved(data))
        assert y.tolist() == data.y.tolist()
        np.testing.assert_array_equal(np.flatnonzero((X != data.X).any(axis=1)), np.sort(ROWS))
        np.testing.assert_array_equal(X[ROWS], data.X[ROWS] + 1.0)

    def test_the_harness_judges_them(self, small):
        split = small()
        poison = TargetedLabelFlip(ridge=0.1).poison(split.train, FLIP, np.random.default_rng(0))
        domain = fit_domain(split.train.X, "real")
        cells = judge_attacks(
            split,
            {"flips": poison},
            ["l2"],
            Defence(ridge=0.1),
            check=lambda poison: check_poison(poison, split.train, FLIP, domain),
        )
        bare = next(cell for cell in cells if (cell.attack, cell.sanitizer) == ("flips", "none"))
        assert (bare.poison_rows, bare.clean_rows) == (8, 72)
        relabelled = split.train.y.copy()
        relabelled[poison.replaces] = poison.y
        model = Defence(ridge=0.1).model().fit(split.train.X, relabelled)
        assert bare.test_error == np.mean(model.predict(split.test.X) != split.test.y)
        with pytest.raises(BudgetExceeded, match="expected only added rows, got 8"):
            judge_attacks(
                split,
                {"flips": poison},
                [],
                Defence(),
                check=lambda poison: check_poison(poison, split.train, Budget(0.1), domain),
            )


class TestDomain:
    @pytest.mark.parametrize(
        ("width", "excess", "passes"), [(1e6, 1e-3, True), (1e6, 0.1, False), (1e-4, 1e-10, False)]
    )
    def test_it_is_kept_relative_to_its_width(self, small, width, excess, passes):
        data = small().train
        box = Domain("box", np.zeros(4), np.full(4, width))
        poison = Poison(np.full((1, 4), width + excess), ["spam"])
        if passes:
            check(poison, data, Budget(0.1), box)
        else:
            with pytest.raises(BudgetExceeded, match="expected values within the box domain"):
                check(poison, data, Budget(0.1), box)
