"""The adaptive attack: against defences that it knows, it does better than what it starts from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array, issparse

from toadstone.attacks.decoys.decoys import GRIDS, fit_clean, fit_decoy
from toadstone.attacks.decoys.kkt import KKTAttack
from toadstone.attacks.influence.multi_defence import KKTInfluenceAttack
from toadstone.core.budget import Budget
from toadstone.core.certificate import Ridge, Setting
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets import load
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE
from toadstone.pipeline.certify import FILTERS, build_feasible_set
from toadstone.pipeline.harness.judge import Defence, judge, keep
from toadstone.sanitizers.sphere import SphereSanitizer

RIDGE, BUDGET = 0.05, Budget(0.1)


def keep_all(X, y):
    return np.arange(len(y))


def keep_near(X, y):
    sanitizer = SphereSanitizer(contamination=0.1)
    sanitizer.fit_resample(X, y)
    return sanitizer.sample_indices_


def rows(seed: int, n: int = 120, *, counts: bool = False) -> Dataset:
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(n) < 0.45, "spam", "ham")
    means = 1.0 + np.outer(y == "spam", [1.5, 0.8, 0.0, 0.5, 0.0, 0.3])
    X = rng.poisson(means).astype(float) if counts else rng.normal(size=means.shape) + means
    return Dataset(csr_array(X) if counts else X, y)


def make(data: Dataset, probe: Dataset, **options) -> KKTInfluenceAttack:
    clean = fit_clean(data, ridge=RIDGE)
    decoy = fit_decoy(data, probe, clean, quantile=0.3, repeats=3, ridge=RIDGE)
    domain = "integer" if issparse(data.X) else "real"
    inside = build_feasible_set(data, Setting(FILTERS, 0.9, domain, "hinge", Ridge(RIDGE)))
    start = KKTAttack(theta=decoy.theta, feasible_set=inside, ridge=RIDGE, integer=domain == "integer")
    return KKTInfluenceAttack(start=start, probe=probe, filters=(keep_all, keep_near), **options)


def least_error(data, probe, poison) -> float:
    """What the better of two defences leaves."""
    X = np.vstack([part.toarray() if issparse(part) else part for part in (data.X, poison.X)])
    y = np.concatenate([data.y, poison.y])
    errors = []
    for keep_rows in (keep_all, keep_near):
        kept = keep_rows(X, y)
        theta = fit_linear(X[kept], np.where(y[kept] == "spam", 1.0, -1.0), loss=HINGE, ridge=RIDGE).theta
        scores = probe.X @ theta[:-1] + theta[-1]
        errors.append(np.mean(np.where(scores > 0, "spam", "ham") != probe.y))
    return float(min(errors))


@pytest.mark.parametrize("counts", [False, True], ids=["real", "counts"])
def test_it_does_more_harm_than_the_attack_it_starts_from(counts):
    gains = []
    for seed in range(4):
        data, probe = rows(seed, counts=counts), rows(seed + 50, 200, counts=counts)
        attack = make(data, probe, max_steps=40, refresh=10)
        adapted, started = (one.poison(data, BUDGET, np.random.default_rng(0)) for one in (attack, attack.start))
        gains.append(least_error(data, probe, adapted) - least_error(data, probe, started))
        assert len(adapted) == len(started) == 12
    assert min(gains) >= 0
    assert np.mean(gains) > 0.02


def test_without_a_step_it_is_the_attack_it_starts_from():
    data, probe = rows(0), rows(50, 200)
    attack = make(data, probe, max_steps=0)
    adapted, started = (one.poison(data, BUDGET, np.random.default_rng(0)) for one in (attack, attack.start))
    np.testing.assert_array_equal(adapted.X, started.X)


def test_what_counts_is_the_error_behind_the_best_defence():
    data, probe = rows(1), rows(51, 200)
    theta = fit_clean(data, ridge=RIDGE).theta
    certain = np.abs(probe.X @ theta[:-1] + theta[-1]) > 0.4
    right = (probe.X @ theta[:-1] + theta[-1] > 0) == (probe.y == "spam")
    attack = replace(make(data, probe, max_steps=20, refresh=5), probe=probe.take(np.flatnonzero(certain & right)))
    start, alone, both = (
        one.poison(data, Budget(0.3), np.random.default_rng(0)).X
        for one in (
            attack.start,
            replace(attack, filters=(keep_all,)),
            # A defence that removes all poison errs nowhere on this probe, so nothing beats the first iterate.
            replace(attack, filters=(keep_all, lambda X, y: np.arange(len(data)))),
        )
    )
    assert not np.array_equal(alone, start)
    np.testing.assert_array_equal(both, start)


def test_a_budget_of_no_rows_buys_none():
    data, probe = rows(0), rows(50, 200)
    assert len(make(data, probe).poison(data, Budget(0.001), np.random.default_rng(0))) == 0


def test_a_label_without_copies_has_no_say():
    data, probe = rows(0), rows(50, 200)
    attack = make(data, probe, max_steps=20, refresh=10)
    only = replace(attack, start=replace(attack.start, positive_share=1.0))
    assert set(only.poison(data, BUDGET, np.random.default_rng(0)).y) == {"spam"}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"filters": ()}, "`filters`: expected at least one, got none"),
        ({"width": 0.0}, "`width`: expected a positive number, got 0"),
        ({"step": -1.0}, "`step`: expected a positive number, got -1"),
        ({"max_steps": 1.5}, "`max_steps`: expected a whole number from 0, got 1.5"),
        ({"refresh": 0}, "`refresh`: expected a whole number from 1, got 0"),
    ],
)
def test_options_out_of_range(wrong, sentence):
    data = rows(0)
    with pytest.raises(InvalidArgument, match=sentence):
        replace(make(data, data), **wrong)


def test_a_probe_of_other_labels_is_refused():
    data = rows(0)
    attack = replace(make(data, data), probe=Dataset(data.X, np.where(data.y == "ham", "eggs", "spam")))
    with pytest.raises(InvalidData, match="probe: expected labels of the training rows, got eggs"):
        attack.poison(data, BUDGET, np.random.default_rng(0))


@pytest.mark.data
@pytest.mark.parametrize(("knows", "floor"), [("test", 0.30), ("train", 0.19)])
def test_on_enron_every_defence_is_left_with_many_errors(data_dir, knows, floor):
    split = load("enron")
    probe = split.test if knows == "test" else split.train
    clean = fit_clean(split.train, ridge=0.09)
    quantile, repeats = (0.45, 5) if knows == "test" else (0.2, 8)
    assert (quantile, repeats) in GRIDS["enron"].pairs
    decoy = fit_decoy(split.train, probe, clean, quantile=quantile, repeats=repeats, ridge=0.09)
    inside = build_feasible_set(split.train, Setting(FILTERS, 0.9, "integer", "hinge", Ridge(0.09)))
    start = KKTAttack(theta=decoy.theta, feasible_set=inside, ridge=0.09, positive_share=0.5, integer=True)
    defence = Defence(ridge=0.09)

    def filtered(name):
        return lambda X, y: keep(name, X, y, defence)

    filters = tuple(filtered(name) for name in ("loss", "slab", "l2"))
    attack = KKTInfluenceAttack(start=start, probe=probe, filters=filters)
    poison = attack.poison(split.train, Budget(0.03), np.random.default_rng(0))
    cells = judge(split.train, split.test, poison, ("l2", "slab", "loss", "svd", "knn"), defence, name="adaptive")
    assert min(cell.test_error for cell in cells) >= floor
