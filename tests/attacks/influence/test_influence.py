"""Influence attacks: budget, sets, best iterates, targets, rounding, repetition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from toadstone.attacks.influence.base import copies_by_class, flipped_rows
from toadstone.attacks.influence.basic_influence import BasicInfluenceAttack
from toadstone.attacks.influence.influence import InfluenceAttack
from toadstone.attacks.influence.iterative_influence import IterativeInfluenceAttack
from toadstone.attacks.influence.projected_ascent import InfluenceSearch, Targets, probe_loss
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument, InvalidData
from toadstone.core.feasible import Domain, ball, slab
from toadstone.datasets import load
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE, LOGISTIC, margin_loss, smooth_hinge
from toadstone.kernels.sets.sets import ConvexSet, fit_domain
from toadstone.pipeline.harness.judge import Defence, judge_attacks
from toadstone.pipeline.harness.poison_check import check_poison
from toadstone.sanitizers.slab import SlabSanitizer
from toadstone.sanitizers.sphere import SphereSanitizer

BUDGET = Budget(0.1)
RIDGE = 0.05


def clean(seed: int = 0, n: int = 120, d: int = 8, *, integer: bool = False) -> Dataset:
    rng = np.random.default_rng(seed)
    spam = rng.random(n) < 0.35
    shift = 1.2 * spam[:, None] * (np.arange(d) < 3)
    X = rng.poisson(0.8 + shift).astype(float) if integer else rng.normal(size=(n, d)) + shift
    return Dataset(X, np.where(spam, "spam", "ham"))


def fitted(X, y) -> ConvexSet:
    sphere, slab = (kind(contamination=0.1).fit(X, y) for kind in (SphereSanitizer, SlabSanitizer))
    return sphere.feasible_set_.intersect(slab.feasible_set_)


def attack(data: Dataset, domain: str = "real", **options) -> InfluenceAttack:
    feasible = fitted(data.X, data.y).within(fit_domain(data.X, domain))
    wanted = {"probe": data, "feasible_set": feasible, "ridge": RIDGE, "max_steps": 20, "integer": domain == "integer"}
    return InfluenceAttack(**{**wanted, **options})


def basic(data: Dataset, domain: str = "real", **options) -> BasicInfluenceAttack:
    made = attack(data, domain)
    return BasicInfluenceAttack(
        **{
            "probe": data,
            "feasible_set": made.feasible_set,
            "ridge": RIDGE,
            "max_steps": 10,
            "integer": made.integer,
            **options,
        }
    )


def iterative(data: Dataset, domain: str = "real", **options) -> IterativeInfluenceAttack:
    limits = fit_domain(data.X, domain)
    return IterativeInfluenceAttack(
        influence=attack(data, domain, **options), refit=lambda X, y: fitted(X, y).within(limits)
    )


def damage(data: Dataset, poison, probe: Dataset | Targets | None = None, loss: str = "smooth_hinge") -> float:
    """The attacker's objective after training on clean rows and poison."""
    signs = np.concatenate([data.signs, np.where(poison.y == data.classes[1], 1.0, -1.0)])
    chosen = margin_loss(loss)
    theta = fit_linear(np.vstack([data.X, poison.X]), signs, loss=chosen, ridge=RIDGE, tolerance=1e-9).theta
    return probe_loss(data if probe is None else probe, data.classes, chosen).value(theta)


ALL = pytest.mark.parametrize("make", [attack, basic, iterative], ids=["influence", "basic", "iterative"])


@ALL
@pytest.mark.parametrize("domain", ["real", "integer"])
class TestEveryVariant:
    def test_all_of_the_budget_in_inverse_class_proportion(self, make, domain):
        data = clean(integer=domain == "integer")
        made = make(data, domain).poison(data, BUDGET, np.random.default_rng(0))
        assert len(made) == 12
        assert np.count_nonzero(made.y == "spam") == round(np.mean(data.y == "ham") * 12)

    def test_the_same_seed_gives_the_same_poison_on_any_number_of_threads(self, make, domain):
        data = clean(1, integer=domain == "integer")
        found = []
        for threads in (1, 2):
            with threadpool_limits(threads):
                found.append(make(data, domain).poison(data, BUDGET, np.random.default_rng(7)))
        assert found[0].X.tobytes() == found[1].X.tobytes()
        assert found[0].y.tolist() == found[1].y.tolist()

    @pytest.mark.parametrize("seed", range(3))
    def test_dense_and_sparse_rows_are_attacked_alike(self, make, domain, seed):
        data = clean(seed, integer=domain == "integer")
        sparse = Dataset(csr_array(data.X), data.y)
        one, two = (make(rows, domain).poison(rows, BUDGET, np.random.default_rng(0)) for rows in (data, sparse))
        assert damage(data, one) == pytest.approx(damage(data, two), rel=1e-4)

    def test_poison_is_worse_than_none(self, make, domain):
        data = clean(3, integer=domain == "integer")
        made = make(data, domain).poison(data, BUDGET, np.random.default_rng(0))
        theta = fit_linear(data.X, data.signs, loss=smooth_hinge(), ridge=RIDGE).theta
        assert damage(data, made) > probe_loss(data, data.classes, smooth_hinge()).value(theta) * 1.03


@pytest.mark.parametrize("make", [attack, basic], ids=["influence", "basic"])
@pytest.mark.parametrize("domain", ["real", "box", "integer"])
@pytest.mark.parametrize("seed", range(2))
def test_rows_stay_inside_a_fixed_set(make, domain, seed):
    data = clean(seed, integer=domain == "integer")
    chosen = make(data, domain)
    made = chosen.poison(data, BUDGET, np.random.default_rng(seed))
    assert chosen.feasible_set.contains(made.X, made.y).all()
    if domain == "integer":
        assert np.all(np.floor(made.X) == made.X)


@pytest.mark.parametrize("loss", ["smooth_hinge", "logistic"])
@pytest.mark.parametrize("seed", range(2))
def test_the_best_iterate_is_never_worse_than_the_start(loss, seed):
    data = clean(seed)
    values = []
    for steps in (0, 10, 60):
        made = attack(data, loss=loss, max_steps=steps, step=0.5).poison(data, BUDGET, np.random.default_rng(seed))
        values.append(damage(data, made, loss=loss))
    assert values[1] >= values[0] - 1e-5
    assert values[2] >= values[1] - 1e-5
    assert values[2] > values[0] * 1.01


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_search_begins_with_the_pair_whose_first_step_gains_most(seed):
    data = clean(seed)
    chosen, counts, rng = attack(data, step=0.02), copies_by_class(data, BUDGET, None), np.random.default_rng(seed)
    pools = [flipped_rows(data, label, chosen.starts, chosen.feasible_set, rng) for label in data.classes.tolist()]
    start = chosen._begin(data, counts, np.random.default_rng(seed))
    gains = []
    for points in np.stack(pools, axis=1):
        directions = start.search.respond(points)[1]
        moved = chosen.feasible_set.project(points + chosen.step * directions, data.classes)
        before, after = (
            damage(data, Poison(np.repeat(rows, counts, axis=0), np.repeat(data.classes, counts)))
            for rows in (points, moved)
        )
        gains.append(after - before)
    assert np.argmax(gains) > 0
    np.testing.assert_array_equal(start.points, np.stack(pools, axis=1)[np.argmax(gains)])


def test_a_step_of_zero_keeps_the_start():
    data = clean(4)
    made = attack(data, step=0.0).poison(data, BUDGET, np.random.default_rng(0))
    distances = np.abs(made.X[:, None, :] - data.X[None, :, :]).max(axis=2)
    assert np.all(distances.min(axis=1) < 1e-9)
    assert np.all(data.y[distances.argmin(axis=1)] != made.y)


class Stalling:
    """Training whose model gets better for the attacker until a given step, then worse."""

    def __init__(self, peak: int) -> None:
        self.peak, self.step = peak, -1

    def __call__(self, points):
        self.step += 1
        return np.array([float(-abs(self.step - self.peak))]), np.ones_like(points)

    def value(self, theta) -> float:
        return float(theta[0])


@pytest.mark.parametrize(("peak", "best", "steps"), [(0, 0, 21), (20, 20, 41), (25, 20, 41), (100, 50, 51)])
def test_the_search_keeps_the_best_and_gives_up_after_two_looks_without_a_better_one(peak, best, steps):
    anywhere = ConvexSet({"spam": ball(np.zeros(1), 1e6)})
    response = Stalling(peak)
    search = InfluenceSearch(response, response, np.array(["spam"]), step=1.0, max_steps=50)
    found = search.run(np.zeros((1, 1)), anywhere)
    assert (found.points.item(), search.steps) == (best, steps)


class TestTargets:
    def targets(self, data: Dataset) -> Targets:
        rows = np.flatnonzero(data.y == "spam")[:3]
        return Targets(Dataset(data.X[rows], np.full(3, "ham")))

    @pytest.mark.parametrize(("loss", "seed"), [("smooth_hinge", 6), ("logistic", 5), ("logistic", 6)])
    def test_chosen_rows_move_to_the_wanted_label(self, loss, seed):
        data = clean(seed)
        wanted = self.targets(data)
        made = attack(data, probe=wanted, loss=loss).poison(data, Budget(0.3), np.random.default_rng(0))
        signs = np.concatenate([data.signs, np.where(made.y == "spam", 1.0, -1.0)])
        before = fit_linear(data.X, data.signs, loss=HINGE, ridge=RIDGE).theta
        after = fit_linear(np.vstack([data.X, made.X]), signs, loss=HINGE, ridge=RIDGE).theta
        change = wanted.rows.X @ (after - before)[:-1] + (after - before)[-1]
        assert change.mean() < -0.3

    def test_labels_must_be_those_of_the_data(self):
        data = clean(5)
        with pytest.raises(InvalidData, match="probe: expected labels of the training rows, got eggs"):
            attack(data, probe=Dataset(data.X[:1], ["eggs"])).poison(data, BUDGET, np.random.default_rng(0))


class TestBalance:
    @pytest.mark.parametrize(("share", "spam"), [(0.0, 0), (0.25, 3), (1.0, 12)])
    def test_shares_asked_for(self, share, spam):
        data = clean(6)
        made = attack(data, positive_share=share, max_steps=10).poison(data, BUDGET, np.random.default_rng(0))
        assert (len(made), np.count_nonzero(made.y == "spam")) == (12, spam)


@pytest.mark.parametrize(("repeats", "distinct"), [(1, (3, 9)), (3, (1, 3)), (20, (1, 1))])
def test_rounded_rows_repeat_as_asked(repeats, distinct):
    data = clean(7, d=30, integer=True)
    made = attack(data, "integer", repeats=repeats, positive_share=0.75).poison(data, BUDGET, np.random.default_rng(0))
    for label, most in zip(("ham", "spam"), distinct, strict=True):
        assert len(np.unique(made.X[made.y == label], axis=0)) <= most
    assert np.count_nonzero(made.y == "spam") == 9


class TestIterative:
    def test_a_set_that_does_not_move_makes_no_difference(self):
        data = clean(8)
        plain = attack(data)
        moving = IterativeInfluenceAttack(influence=plain, refit=lambda X, y: plain.feasible_set)
        one, two = (which.poison(data, BUDGET, np.random.default_rng(0)) for which in (plain, moving))
        np.testing.assert_array_equal(one.X, two.X)

    @pytest.mark.parametrize("steps", [1, 2, 7])
    def test_the_set_is_fitted_on_all_rows_before_each_round(self, steps):
        data, seen = clean(8), []
        plain = attack(data, max_steps=14)

        def refit(X, y):
            seen.append((X.shape, y.shape))
            return plain.feasible_set

        IterativeInfluenceAttack(influence=plain, refit=refit, steps_per_round=steps).poison(
            data, BUDGET, np.random.default_rng(0)
        )
        assert set(seen) == {((132, 8), (132,))}
        assert len(seen) == -(-15 // steps)

    @pytest.mark.parametrize("seed", range(2))
    def test_the_best_of_all_rounds_is_kept(self, seed):
        data = clean(seed)
        values = [
            damage(data, iterative(data, max_steps=most, step=2.0).poison(data, BUDGET, np.random.default_rng(seed)))
            for most in (0, 10, 30)
        ]
        assert values[0] - 1e-5 <= values[1] <= values[2] + 1e-5

    def test_following_the_filters_goes_farther(self):
        data, budget = clean(9), Budget(0.4)
        moving = iterative(data, max_steps=100, step=1.0)
        fixed = replace(moving.influence)
        values = [damage(data, which.poison(data, budget, np.random.default_rng(0))) for which in (fixed, moving)]
        assert values[1] > 1.1 * values[0]


class TestRefusals:
    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("positive_share", 1.5),
            ("step", -1.0),
            ("max_steps", -1),
            ("repeats", 0),
            ("starts", 0),
            ("loss", "hinge"),
            ("loss", "squared_hinge"),
        ],
    )
    def test_options_out_of_range(self, option, value):
        with pytest.raises(InvalidArgument, match=f"`{option}`: expected"):
            attack(clean(), **{option: value})

    def test_rounds_of_no_step(self):
        data = clean()
        with pytest.raises(InvalidArgument, match="`steps_per_round`"):
            IterativeInfluenceAttack(influence=attack(data), refit=fitted, steps_per_round=0)

    @ALL
    @pytest.mark.parametrize("budget", [Budget(0.1, "flip"), Budget(0.1, "perturb"), Budget(0.0)])
    def test_budgets_that_add_nothing(self, make, budget):
        data = clean()
        with pytest.raises(InvalidArgument, match="`budget`: expected"):
            make(data).poison(data, budget, np.random.default_rng(0))

    @ALL
    def test_a_set_without_a_point(self, make):
        data = clean()
        far = ConvexSet({label: slab(np.eye(8)[0], 50.0, 51.0) for label in data.classes.tolist()})
        near = ConvexSet({label: ball(np.zeros(8), 1.0) for label in data.classes.tolist()})
        with pytest.raises(EmptyFeasibleSet):
            within(make(data), near.intersect(far)).poison(data, BUDGET, np.random.default_rng(0))


@pytest.mark.parametrize("make", [attack, basic], ids=["influence", "basic"])
@pytest.mark.parametrize("domain", ["real", "integer"])
def test_where_no_flipped_row_is_inside_the_search_begins_nearest_to_one(make, domain):
    data = clean(integer=domain == "integer")
    far = ConvexSet({label: ball(np.full(8, 50.0), 3.0) for label in data.classes.tolist()})
    far = far.within(Domain(domain, np.zeros(8), np.full(8, 99.0), domain == "integer"))
    made = within(make(data, domain), far).poison(data, BUDGET, np.random.default_rng(0))
    assert len(made) == 12
    assert far.contains(made.X, made.y).all()


def test_where_nothing_whole_is_inside_there_is_no_attack():
    data = clean(integer=True)
    between = ConvexSet({label: slab(np.eye(8)[0], 0.3, 0.7) for label in data.classes.tolist()})
    with pytest.raises(EmptyFeasibleSet, match="no row of whole numbers was found"):
        within(attack(data, "integer"), between).poison(data, BUDGET, np.random.default_rng(0))


def within(chosen, feasible_set: ConvexSet):
    """The same attack within another set."""
    if isinstance(chosen, IterativeInfluenceAttack):
        return replace(chosen, influence=replace(chosen.influence, feasible_set=feasible_set))
    return replace(chosen, feasible_set=feasible_set)


def test_probe_weights():
    data = clean()
    probe = probe_loss(data, data.classes, LOGISTIC)
    assert probe.weights.sum() == pytest.approx(1.0)
    assert probe_loss(Targets(data), data.classes, LOGISTIC).weights.sum() == pytest.approx(-1.0)


@pytest.fixture(scope="module")
def enron(data_dir):
    """Enron, and where its poison may lie as in the paper."""
    split = load("enron")
    domain = fit_domain(split.train.X, "integer")
    return split, fitted(split.train.X, split.train.y).within(domain), domain


@pytest.mark.data
@pytest.mark.slow
class TestEnron:
    def poison(self, enron, probe):
        split, feasible, domain = enron
        chosen = InfluenceAttack(probe=probe, feasible_set=feasible, ridge=0.09, step=0.5, max_steps=60, integer=True)
        made = chosen.poison(split.train, Budget(0.03), np.random.default_rng(0))
        assert feasible.contains(made.X, made.y).all()
        check_poison(made, split.train, Budget(0.03), domain)
        return made

    @pytest.mark.parametrize(("known", "floor"), [("test", 0.17), ("train", 0.109)])
    def test_error_despite_filters(self, enron, known, floor):
        split, _, domain = enron
        made = self.poison(enron, getattr(split, known))
        cells = judge_attacks(
            split,
            {"influence": made},
            ["l2", "slab", "loss"],
            Defence(ridge=0.09),
            check=lambda poison: check_poison(poison, split.train, Budget(0.03), domain),
        )
        errors = [cell.test_error for cell in cells if cell.attack == "influence"]
        assert min(errors) >= floor
