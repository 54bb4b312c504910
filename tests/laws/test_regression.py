"""Laws of attacks on regression and of its defences, over the catalogue."""

from functools import cache

import numpy as np
import pytest
from scipy.sparse import csr_array, issparse

from toadstone.attacks import TargetEnds
from toadstone.catalogue import names, resolve
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset
from toadstone.core.errors import BudgetExceeded
from toadstone.pipeline.regression.targets_check import check_target_poison

ATTACKS = [(name, kind) for name in names("regression-attack") for kind in ("add", "flip")]
BUILDERS = {
    "ridge-poisoning": lambda kind: kind(steps=20),
    "target-ends": lambda kind: kind(),
    "harmful-target-ends": lambda kind: kind(rows="influential"),
}


def spends(name, kind):
    return kind == "add" or resolve("regression-attack", name) is TargetEnds


@pytest.fixture(params=[pair for pair in ATTACKS if spends(*pair)], ids="-".join)
def case(request):
    return request.param


@cache
def scene(seed, *, sparse=False):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 4))
    y = 7 * X[:, 0] - X[:, 1] + rng.normal(size=60)
    return Dataset(csr_array(X) if sparse else X, y)


def poison(case, data, fraction, seed):
    name, kind = case
    attack = BUILDERS[name](resolve("regression-attack", name))
    return attack.poison(data, Budget(fraction, kind), np.random.default_rng(seed))


def dense(X):
    return X.toarray() if issparse(X) else X


def test_every_attack_of_the_catalogue_keeps_these_laws():
    assert set(BUILDERS) == set(names("regression-attack"))


@pytest.mark.parametrize(("seed", "fraction"), [(0, 0.02), (1, 0.1), (2, 0.27), (3, 0.49)])
def test_budget_and_ranges_are_kept(case, seed, fraction):
    budget = Budget(fraction, case[1])
    made = poison(case, scene(seed), fraction, seed)
    check_target_poison(made, scene(seed), budget)
    assert len(made) == budget.count(60)


def test_the_same_seed_gives_the_same_poison_however_rows_are_stored(case):
    one, two, sparse = (poison(case, scene(1, sparse=way), 0.2, 4) for way in (False, False, True))
    assert one.X.tobytes() == two.X.tobytes()
    np.testing.assert_allclose(dense(sparse.X), one.X, atol=1e-9)
    np.testing.assert_allclose(sparse.y, one.y, atol=1e-9)


def test_the_clean_rows_are_left_alone(case):
    data = scene(1)
    before = data.X.copy(), data.y.copy()
    poison(case, data, 0.2, 0)
    np.testing.assert_array_equal(data.X, before[0])
    np.testing.assert_array_equal(data.y, before[1])


def test_the_harness_refuses_what_breaks_the_contract():
    data = scene(0)
    made = TargetEnds().poison(data, Budget(0.2), np.random.default_rng(0))
    with pytest.raises(BudgetExceeded, match="at most 6 rows, got 12"):
        check_target_poison(made, data, Budget(0.1))
    for broken in ({"X": made.X * 9}, {"y": made.y * 9}):
        with pytest.raises(BudgetExceeded, match="within the range of the clean rows"):
            check_target_poison(type(made)(**({"X": made.X, "y": made.y} | broken)), data, Budget(0.2))
    with pytest.raises(BudgetExceeded, match="only added rows"):
        check_target_poison(type(made)(made.X, made.y, np.arange(12)), data, Budget(0.2))
    flipped = TargetEnds().poison(data, Budget(0.2, "flip"), np.random.default_rng(0))
    with pytest.raises(BudgetExceeded, match="features of the rows displaced"):
        check_target_poison(type(made)(flipped.X[::-1], flipped.y, flipped.replaces), data, Budget(0.2, "flip"))


@pytest.mark.parametrize("name", names("regression-defence"))
def test_defences_do_not_depend_on_the_order_or_the_unit_of_targets(name):
    rng = np.random.default_rng(0)
    data = scene(2)
    y = data.y.copy()
    y[:5] = y.max()
    order = rng.permutation(60)
    kind = resolve("regression-defence", name)
    plain, moved, scaled = (
        kind().fit(*rows) for rows in ((data.X, y), (data.X[order], y[order]), (data.X, 1000 * y + 5e4))
    )
    np.testing.assert_allclose(moved.suspicion_, plain.suspicion_[order], rtol=1e-6, atol=1e-9)
    ranked = np.argsort(plain.suspicion_)[-5:]
    assert set(np.argsort(scaled.suspicion_)[-5:]) == set(ranked)
