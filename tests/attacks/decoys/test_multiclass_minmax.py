"""Min-max with several classes: each point the worst over all pairs, the decoy's limit kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, issparse

from toadstone.attacks.decoys.multiclass_decoys import OnlineTraining, fit_multiclass_decoy
from toadstone.attacks.decoys.multiclass_minmax import MulticlassMinMaxAttack
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset
from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument, InvalidData
from toadstone.core.feasible import ball, slab
from toadstone.datasets import load
from toadstone.kernels.linear.adagrad import AdaGrad
from toadstone.kernels.linear.crammer_singer import fit_crammer_singer
from toadstone.kernels.linear.online_multiclass import HingeGradient
from toadstone.kernels.rows import stack
from toadstone.kernels.sets.regions import maximize
from toadstone.kernels.sets.sets import ConvexSet, fit_domain
from toadstone.learners.multiclass import CrammerSingerClassifier, OnlineHingeClassifier
from toadstone.sanitizers.sphere import SphereSanitizer
from toadstone.sanitizers.trimming import trim

NAMES = np.array(["ant", "bee", "cow"])


def clean(seed: int = 0, n: int = 60, d: int = 5) -> Dataset:
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % 3
    return Dataset(rng.normal(size=(n, d)) + 1.5 * np.eye(3, d)[codes], NAMES[codes])


def around(data: Dataset) -> ConvexSet:
    return SphereSanitizer(contamination=0.1).fit(data.X, data.y).feasible_set_.within(fit_domain(data.X, "box"))


def decoy_of(data: Dataset) -> np.ndarray:
    """The clean model with one class's weights turned round."""
    theta = fit_crammer_singer(data.X, np.searchsorted(NAMES, data.y), 3, ridge=0.1).theta
    return theta * np.array([[1.0], [-1.0], [1.0]])


def attack(data: Dataset, *, decoyed: bool = True, **options) -> MulticlassMinMaxAttack:
    chosen = {"decoy": decoy_of(data) if decoyed else None, "max_decoy_loss": 0.5, **options}
    return MulticlassMinMaxAttack(feasible_set=around(data), **chosen)


def made(data: Dataset, fraction: float = 0.2, *, seed: int = 0, **options):
    return attack(data, **options).poison(data, Budget(fraction), np.random.default_rng(seed))


def hinges(theta: np.ndarray, X: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """One plus the best wrong score less the right one."""
    scores, rows = X @ theta[:, :-1].T + theta[:, -1], np.arange(len(codes))
    right = scores[rows, codes]
    scores[rows, codes] = -np.inf
    return 1 + scores.max(axis=1) - right


@settings(max_examples=10)
@given(st.integers(0, 1000), st.floats(0.05, 0.45), st.integers(1, 5), st.floats(0.0, 1.0))
def test_exactly_the_rows_allowed_all_feasible_and_fitted_by_the_decoy(seed, fraction, repeats, burn_in):
    data = clean(seed)
    poison = made(data, fraction, repeats=repeats, burn_in=burn_in)
    assert len(poison) == Budget(fraction).count(len(data))
    assert around(data).contains(poison.X, poison.y).all()
    assert hinges(decoy_of(data), poison.X, np.searchsorted(NAMES, poison.y)).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("decoyed", [False, True])
def test_each_move_is_the_worst_of_all_pairs(seed, decoyed):
    data = clean(seed)
    chosen = attack(data, decoyed=decoyed, batch=10**6)
    regions, hinge = chosen._regions(data.classes), HingeGradient(data.X, np.searchsorted(NAMES, data.y))
    theta, descent = np.zeros((6, 3)), AdaGrad(chosen.step, chosen.accumulator)
    for move in chosen.moves(data, Budget(0.2), np.random.default_rng(seed)):
        losses = {
            (label, rival): 1
            + theta[-1, rival]
            - theta[-1, label]
            + maximize(regions[label], theta[:-1, rival] - theta[:-1, label]).value
            for label in range(3)
            for rival in range(3)
            if rival != label
        }
        assert move.loss == pytest.approx(max(losses.values()), abs=1e-8)
        # One random rival a label, as in the paper's program, finds no more.
        sampled = [losses[label, (label + 1 + int(np.random.default_rng(label).integers(2))) % 3] for label in range(3)]
        assert move.loss >= max(sampled) - 1e-8
        _, gradient = hinge.at(theta)
        if move.loss > 0:
            gradient[:, move.rival] += 0.2 * np.append(move.point, 1.0)
            gradient[:, move.label] -= 0.2 * np.append(move.point, 1.0)
        descent.move(theta, gradient)


def test_the_last_moves_count():
    data = clean()
    moves = list(attack(data, burn_in=1.0, repeats=2).moves(data, Budget(0.2), np.random.default_rng(5)))
    poison = made(data, burn_in=1.0, repeats=2, seed=5)
    assert len(moves) == 12
    np.testing.assert_array_equal(poison.X, np.repeat([move.point for move in moves[6:]], 2, axis=0))
    assert poison.y.tolist() == [NAMES[move.label] for move in moves[6:] for _ in range(2)]


def test_the_decoy_makes_a_difference():
    data = clean()
    without = made(data, decoyed=False)
    assert hinges(decoy_of(data), without.X, np.searchsorted(NAMES, without.y)).max() > 1.0


def test_a_label_without_feasible_points_is_left_out():
    data = clean()
    narrow = ConvexSet(
        {
            "ant": slab(np.eye(5)[0], 50.0, 60.0),
            **{name: slab(np.zeros(5), -1.0, 1.0) for name in ("bee", "cow")},
        }
    )
    feasible = around(data).intersect(narrow)
    poison = MulticlassMinMaxAttack(feasible_set=feasible).poison(data, Budget(0.2), np.random.default_rng(0))
    assert set(poison.y) == {"bee", "cow"}


def test_no_label_with_feasible_points_is_told():
    data = clean()
    with pytest.raises(EmptyFeasibleSet):
        made(data, max_decoy_loss=-1e4)


def test_sparse_rows_get_sparse_poison():
    data = clean()
    sparse = attack(data).poison(Dataset(csr_array(data.X), data.y), Budget(0.2), np.random.default_rng(0))
    assert issparse(sparse.X)
    np.testing.assert_array_equal(sparse.X.toarray(), made(data).X)


def test_the_same_seed_gives_the_same_poison():
    data = clean()
    one, two, other = (made(data, seed=seed, batch=20) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.X, two.X)
    assert not np.array_equal(one.X, other.X)


@pytest.mark.parametrize("sparse", [False, True])
def test_whole_numbers_are_rounded_without_bias(sparse):
    data = clean()
    counts = Dataset(np.floor(3 * np.abs(data.X)), data.y)
    allowed = SphereSanitizer(contamination=0.1).fit(counts.X, counts.y).feasible_set_
    allowed = allowed.within(fit_domain(counts.X, "integer"))
    chosen = MulticlassMinMaxAttack(feasible_set=allowed, repeats=1, burn_in=0, start=decoy_of(counts), integer=True)
    given, one = Dataset(csr_array(counts.X), counts.y) if sparse else counts, Budget(1 / 60)
    (point,) = replace(chosen, integer=False).poison(counts, one, np.random.default_rng(0)).X
    assert np.abs(point - np.round(point)).max() > 0.01
    made = [chosen.poison(given, one, np.random.default_rng(seed)).X for seed in range(200)]
    rows = np.vstack([row.toarray() if sparse else row for row in made])
    np.testing.assert_array_equal(rows, np.round(rows))
    assert np.abs(rows - point).max() < 1
    np.testing.assert_allclose(rows.mean(axis=0), point, atol=0.15)


def test_two_classes_will_do():
    data = clean()
    two = data.take(np.flatnonzero(data.y != "cow"))
    unit = ConvexSet({name: ball(np.zeros(5), 1.0) for name in ("ant", "bee")})
    poison = MulticlassMinMaxAttack(feasible_set=unit).poison(two, Budget(0.2), np.random.default_rng(0))
    assert len(poison) == 8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"step": 0.0}, "`step`: expected a positive number"),
        ({"accumulator": np.inf}, "`accumulator`: expected a positive number"),
        ({"burn_in": -0.1}, "`burn_in`: expected a number that is not negative"),
        ({"max_decoy_loss": np.nan}, "`max_decoy_loss`: expected a finite number"),
        ({"repeats": 0}, "`repeats`: expected a whole number from 1"),
        ({"batch": 1.5}, "`batch`: expected a whole number from 1"),
        ({"decoy": np.zeros((3, 5))}, r"`decoy`: expected an array of shape \(3, 6\)"),
        ({"start": np.zeros((2, 6))}, r"`start`: expected an array of shape \(3, 6\)"),
    ],
)
def test_options_out_of_range(options, message):
    data = clean()
    with pytest.raises(InvalidArgument, match=message):
        made(data, **options)


@pytest.mark.parametrize(
    ("budget", "message"), [(Budget(0.1, "flip"), "one of kind add"), (Budget(0.0), "at least one")]
)
def test_budgets_that_cannot_be_spent(budget, message):
    data = clean()
    with pytest.raises(InvalidArgument, match=message):
        attack(data).poison(data, budget, np.random.default_rng(0))


def test_a_single_class_is_refused():
    data = clean()
    with pytest.raises(InvalidData, match="at least two classes"):
        attack(data).poison(data.take(np.flatnonzero(data.y == "ant")), Budget(0.2), np.random.default_rng(0))


@pytest.mark.data
@pytest.mark.slow
def test_mnist_through_the_filters(data_dir):
    """At 3 %: 14 % with the paper's defender, 14.5 % with the exact solver; clean 7.4 and 7.1 %."""
    split = load("mnist")
    train, training = Dataset(csr_array(split.train.X), split.train.y), OnlineTraining()
    clean_model = training(train.X, train.y, 10, np.ones(len(train), dtype=np.int64))
    decoy = fit_multiclass_decoy(train, split.test, clean_model, training, quantile=0.2, repeats=60).theta
    ball_and_box = SphereSanitizer(contamination=0.05).fit(train.X, train.y).feasible_set_
    chosen = MulticlassMinMaxAttack(feasible_set=ball_and_box.within(fit_domain(train.X, "box")), decoy=decoy)
    poison = chosen.poison(train, Budget(0.03), np.random.default_rng(0))
    X, y = stack([train.X, poison.X]), np.append(train.y, poison.y)
    sphere = SphereSanitizer()
    sphere.fit_resample(X, y)
    for learner, least in (
        (OnlineHingeClassifier(), 0.14),
        (CrammerSingerClassifier(ridge=1e-3, tolerance=1e-2), 0.145),
    ):
        learner.fit(X, y)
        fitted = trim(hinges(np.column_stack([learner.coef_, learner.intercept_]), X, y), y, 0.05)
        for kept in (sphere.sample_indices_, fitted):
            assert 1 - learner.fit(X[kept], y[kept]).score(split.test.X, split.test.y) >= least
