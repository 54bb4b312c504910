"""The attack of the online method: rows inside the feasible set, as many as allowed, and drawn anew for each seed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, issparse

from toadstone.attacks.online import OnlineAttack
from toadstone.core.budget import Budget
from toadstone.core.certificate import NormBall
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.losses import HINGE
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.minimax.saddle import solve_saddle
from toadstone.kernels.sets.sets import fit_domain
from toadstone.sanitizers.sphere import SphereSanitizer


def words(*, sparse: bool = False) -> Dataset:
    rng = np.random.default_rng(0)
    y = np.resize(np.array(["ham", "spam"]), 80)
    X = rng.poisson(1.5 + 1.5 * (y == "spam")[:, None] * np.array([1.0, 0, 1, 0, 0, 0]), (80, 6)).astype(float)
    return Dataset(csr_array(X) if sparse else X, y)


def attack(data: Dataset, domain: str, steps: int = 200) -> OnlineAttack:
    X = data.X.toarray() if issparse(data.X) else data.X
    narrow, wide = (SphereSanitizer(contamination=part).fit(X, data.y).feasible_set_ for part in (0.5, 0.2))
    return OnlineAttack(narrow, wide.within(fit_domain(X, domain)), NormBall(1.0), steps, 0.1, domain == "integer")


@pytest.mark.parametrize("domain", ["real", "integer"])
@pytest.mark.parametrize("sparse", [False, True])
def test_rows_are_inside_and_as_many_as_allowed(domain, sparse):
    data = words(sparse=sparse)
    made = attack(data, domain)
    poison = made.poison(data, Budget(0.2), np.random.default_rng(1))
    assert len(poison) == 16
    assert issparse(poison.X) == sparse
    assert made.feasible_set.contains(poison.X, poison.y).all()
    rows = poison.X.toarray() if sparse else poison.X
    assert (np.all(rows == np.round(rows))) == (domain == "integer")
    assert len(np.unique(rows, axis=0)) > 2


def test_it_raises_the_training_loss_of_every_model_in_the_ball():
    data = words()
    made = attack(data, "real")
    poison = made.poison(data, Budget(0.2), np.random.default_rng(1))
    regions = tuple(made.feasible_set.region(label) for label in ("ham", "spam"))
    both = Dataset(np.vstack([data.X, poison.X]), np.concatenate([data.y, poison.y]))
    clean, poisoned = (
        solve_saddle(Problem(rows.X, rows.signs, regions, HINGE, NormBall(1.0)), fraction=0.0) for rows in (data, both)
    )
    assert poisoned.value * len(both) / len(data) > 1.2 * clean.bound


def test_seeds_decide():
    data = words()
    made = attack(data, "integer")
    one, same, other = (made.poison(data, Budget(0.2), np.random.default_rng(seed)).X for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_refusals_and_nothing():
    data = words()
    made = attack(data, "real", steps=5)
    assert len(made.poison(data, Budget(0.0), np.random.default_rng(0))) == 0
    with pytest.raises(InvalidArgument, match="at least 16"):
        made.poison(data, Budget(0.2), np.random.default_rng(0))
    with pytest.raises(InvalidArgument, match="adding rows"):
        made.poison(data, Budget(0.2, "flip"), np.random.default_rng(0))
    with pytest.raises(InvalidArgument, match="steps"):
        attack(data, "real", steps=0)
