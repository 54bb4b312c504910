"""The gradient attack: each step as defined, never worse than where it began, inside at all times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from toadstone.attacks.flips.gradient_flips import GradientAttack
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset
from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument, InvalidData
from toadstone.core.feasible import ball
from toadstone.datasets import load
from toadstone.kernels.linear.fit import LinearFit, fit_linear
from toadstone.kernels.losses import HINGE
from toadstone.kernels.rows import stack
from toadstone.kernels.sets.sets import ConvexSet, fit_domain

RIDGE = 0.1
CENTRES = {"ham": np.ones(3), "spam": np.array([3.0, 2.0, 1.0])}


def data(seed: int = 0, n: int = 40, *, sparse: bool = False) -> Dataset:
    y = np.where(np.arange(n) % 5 < 2, "spam", "ham")
    X = np.random.default_rng(seed).poisson([CENTRES[label] for label in y]).astype(float)
    return Dataset(csr_array(X) if sparse else X, y)


def balls(radius: float = 2.5) -> ConvexSet:
    return ConvexSet({label: ball(centre, radius) for label, centre in CENTRES.items()})


def model(clean: Dataset, made) -> LinearFit:
    signs = np.where(np.append(clean.y, made.y) == clean.classes[1], 1.0, -1.0)
    return fit_linear(stack([clean.X, made.X]), signs, loss=HINGE, ridge=RIDGE, tolerance=1e-10)


def clean_loss(clean: Dataset, made) -> float:
    theta = model(clean, made).theta
    return float(HINGE.value(clean.signs * (clean.X @ theta[:-1] + theta[-1])).mean())


def attack(clean: Dataset, fraction: float = 0.2, seed: int = 0, feasible_set: ConvexSet | None = None, **options):
    settled = {"ridge": RIDGE, "step": 0.05, "max_steps": 60, "check_every": 5} | options
    found = GradientAttack(feasible_set=feasible_set or balls(), **settled)
    return found.poison(clean, Budget(fraction), np.random.default_rng(seed))


def beginning(clean: Dataset, **options):
    """The random flips that an attack begins with: what is left of it where no step is worth while."""
    return attack(clean, step=1e-12, max_steps=1, check_every=1, **options)


@given(seed=st.integers(0, 2**16), fraction=st.floats(0.05, 0.49))
@settings(max_examples=10)
def test_rows_begin_as_flips_half_of_each_label(seed, fraction):
    clean, count = data(seed), Budget(fraction).count(40)
    made = beginning(clean, fraction=fraction, seed=seed, feasible_set=balls(50.0))
    assert len(made) == count
    assert abs(np.count_nonzero(made.y == "ham") - count / 2) < 1
    for row, label in zip(made.X.round(6), made.y, strict=True):
        assert np.any((row == clean.X).all(axis=1) & (clean.y != label))


@given(seed=st.integers(0, 2**16))
@settings(max_examples=8)
def test_the_clean_loss_never_falls_below_where_it_began(seed):
    clean = data(seed)
    assert clean_loss(clean, attack(clean, seed=seed)) >= clean_loss(clean, beginning(clean, seed=seed)) - 1e-5


def test_the_clean_loss_rises():
    clean = data()
    assert clean_loss(clean, attack(clean)) > 1.05 * clean_loss(clean, beginning(clean))


def test_a_step_follows_the_gradient_over_the_ridge():
    clean, wide = data(11), balls(50.0)
    before = beginning(clean, feasible_set=wide)
    after = attack(clean, feasible_set=wide, step=1e-3, max_steps=1, check_every=1)
    # Rows on the kink of the hinge have the slope that their dual variable tells.
    slopes, signs = model(clean, before).duals, np.where(before.y == "spam", 1.0, -1.0)
    gradient = -(clean.signs * slopes[:40]) @ clean.X / 40
    wanted = before.X + 1e-3 / RIDGE * np.outer(signs * slopes[40:], gradient)
    # A row that is fitted well exerts nothing, and stays.
    assert {0.0, 1.0} <= set(slopes[40:])
    np.testing.assert_allclose(after.X, wanted, atol=1e-5)
    assert np.abs(after.X - before.X).max() > 1e-3


def test_rows_are_feasible():
    made = attack(data(), feasible_set=balls(1.5))
    assert balls(1.5).contains(made.X, made.y).all()
    assert not balls(1.4).contains(made.X, made.y).all()


class Counter:
    """A feasible set that counts projections."""

    def __init__(self, inner: ConvexSet) -> None:
        self.inner, self.steps = inner, 0

    def contains(self, X, y):
        return self.inner.contains(X, y)

    def project(self, X, y):
        self.steps += 1
        return self.inner.project(X, y)


@pytest.mark.parametrize(("patience", "check_every", "steps"), [(1, 5, 5), (3, 5, 15), (3, 2, 6), (99, 1, 60)])
def test_it_stops_when_nothing_improves(patience, check_every, steps):
    counter = Counter(balls(50.0))
    attack(data(), feasible_set=counter, step=1e-200, patience=patience, check_every=check_every)
    assert counter.steps in (steps, steps + 1)


def test_a_label_without_feasible_flips_leaves_the_budget_to_the_other():
    lone = ConvexSet({"ham": ball(CENTRES["ham"], 4.0), "spam": ball(np.full(3, 90.0), 1.0)})
    assert set(attack(data(), feasible_set=lone).y) == {"ham"}


class TestWholeNumbers:
    @given(seed=st.integers(0, 2**16))
    @settings(max_examples=8)
    def test_rows_are_whole_and_feasible(self, seed):
        clean = data(seed)
        home = balls().within(fit_domain(clean.X, "integer"))
        made = attack(clean, seed=seed, feasible_set=home, integer=True)
        assert np.all(np.round(made.X) == made.X)
        assert home.contains(made.X, made.y).all()

    def test_a_row_with_no_feasible_rounding_is_left_where_it_began(self):
        # Within these balls the centres are the only whole points.
        lone, clean = balls(0.9), data(10)
        rows = Dataset(np.vstack([clean.X, *CENTRES.values()]), [*clean.y, "spam", "ham"])
        plain, whole = (attack(rows, feasible_set=lone, step=0.3, integer=way) for way in (False, True))
        assert np.abs(plain.X - [CENTRES[label] for label in plain.y]).max() > 0.5
        np.testing.assert_array_equal(whole.X, [CENTRES[label] for label in whole.y])

    def test_the_rounding_is_close_to_the_row(self):
        plain, whole = (attack(data(), feasible_set=balls(9.0), integer=way) for way in (False, True))
        assert np.all(np.abs(plain.X - whole.X) < 1)
        assert np.any(plain.X != whole.X)


def test_the_same_seed_gives_the_same_poison_and_another_seed_another():
    one, two, three = (attack(data(), seed=seed).X for seed in (1, 1, 2))
    assert one.tobytes() == two.tobytes()
    assert not np.array_equal(one, three)


def test_sparse_rows_are_attacked_alike():
    dense, sparse = (attack(data(sparse=way)) for way in (False, True))
    np.testing.assert_allclose(dense.X, sparse.X, atol=1e-8)


class TestRefusals:
    @pytest.mark.parametrize("budget", [Budget(0.2, "flip"), Budget(0.01)], ids=str)
    def test_budget(self, budget):
        with pytest.raises(InvalidArgument, match="`budget`: expected one for adding at least one row to 40"):
            GradientAttack(feasible_set=balls()).poison(data(), budget, np.random.default_rng(0))

    @pytest.mark.parametrize("name", ["ridge", "step", "max_steps", "check_every", "patience", "tolerance"])
    def test_numbers(self, name):
        with pytest.raises(InvalidArgument, match=f"`{name}`: expected a positive number, got 0"):
            GradientAttack(feasible_set=balls(), **{name: 0})

    def test_three_classes(self):
        with pytest.raises(InvalidData, match="expected two classes, got 3"):
            attack(Dataset(np.ones((40, 3)), np.resize(["a", "b", "c"], 40)))

    def test_no_feasible_flip(self):
        nowhere = ConvexSet({label: ball(np.full(3, 50.0), 1.0) for label in CENTRES})
        with pytest.raises(EmptyFeasibleSet):
            attack(data(), feasible_set=nowhere)


@pytest.mark.data
def test_mnist(data_dir):
    train = load("mnist-1-7").train.take(np.arange(2000))
    home = ConvexSet({label: ball(train.X[train.y == label].mean(axis=0), 8.0) for label in train.classes.tolist()})
    home = home.within(fit_domain(train.X, "box"))
    made = attack(train, 0.03, feasible_set=home, step=0.01, max_steps=10)
    assert home.contains(made.X, made.y).all()
    assert made.X.min() >= 0
    assert made.X.max() <= 1
    assert clean_loss(train, made) > clean_loss(train, beginning(train, fraction=0.03, feasible_set=home))
