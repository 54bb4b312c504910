"""The duel: each point the worst feasible one, the decoy's limit kept, exactly the rows allowed."""

from __future__ import annotations

import copy

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, issparse

from toadstone.attacks.decoys.minmax import MinMaxAttack
from toadstone.attacks.decoys.rounded import round_copies
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument
from toadstone.core.feasible import ball
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE
from toadstone.kernels.rows import stack
from toadstone.kernels.sets.sets import ConvexSet, fit_domain
from toadstone.sanitizers.slab import SlabSanitizer
from toadstone.sanitizers.sphere import SphereSanitizer

RIDGE = 0.1


def clean(seed: int = 0, n: int = 60, *, labels=("ham", "spam"), integer: bool = True) -> Dataset:
    rng = np.random.default_rng(seed)
    second = rng.random(n) < 0.4
    second[:4] = [True, False, True, False]
    shift = np.outer(second, [1.0, 0.0, 1.0, 0.5, 0.0])
    X = rng.poisson(1.0 + shift).astype(float) if integer else rng.normal(size=(n, 5)) + shift
    return Dataset(X, np.array(labels)[second.astype(int)])


def around(data: Dataset, domain: str = "integer") -> ConvexSet:
    parts = [kind(contamination=0.1).fit(data.X, data.y).feasible_set_ for kind in (SphereSanitizer, SlabSanitizer)]
    return parts[0].intersect(parts[1]).within(fit_domain(data.X, domain))


def decoy_of(data: Dataset) -> np.ndarray:
    """The clean model with its smallest weight turned round."""
    theta = fit_linear(data.X, data.signs, loss=HINGE, ridge=RIDGE, bias="free").theta
    theta[np.abs(theta[:-1]).argmin()] *= -1
    return theta


def attack(data: Dataset, *, integer: bool = True, decoyed: bool = True, **options) -> MinMaxAttack:
    feasible = around(data, "integer" if integer else "real")
    known = {"ridge": RIDGE, "integer": integer, "decoy": decoy_of(data) if decoyed else None, **options}
    return MinMaxAttack(feasible_set=feasible, **known)


def made(data: Dataset, fraction: float = 0.2, *, seed: int = 0, **options) -> Poison:
    return attack(data, **options).poison(data, Budget(fraction), np.random.default_rng(seed))


class TestMoves:
    @pytest.mark.parametrize("integer", [True, False])
    @pytest.mark.parametrize("limit", [0.25, 0.0, -0.2])
    def test_points_are_feasible_and_within_the_limit_at_the_decoy(self, integer, limit):
        data = clean(integer=integer)
        duel = attack(data, integer=integer, max_decoy_loss=limit)
        moves = list(duel.moves(data, Budget(0.2), np.random.default_rng(0)))
        losses = [1 - move.sign * (move.worst.point @ duel.decoy[:-1] + duel.decoy[-1]) for move in moves]
        assert max(losses) <= limit + 1e-7
        assert max(losses) >= limit - 1e-6
        assert all(duel.feasible_set.contains(move.worst.point[None], [move.label])[0] for move in moves)

    @pytest.mark.parametrize("decoyed", [True, False])
    def test_each_point_is_the_worst_of_both_classes(self, decoyed):
        data = clean(1, integer=False)
        duel = attack(data, integer=False, decoyed=decoyed)
        moves = list(duel.moves(data, Budget(0.1), np.random.default_rng(0)))
        for move in moves[:: len(moves) // 4]:
            optima = [_generic_optimum(duel, move.theta, label, sign) for label, sign in (("ham", -1), ("spam", 1))]
            assert move.loss == pytest.approx(max(optima), abs=1e-5)
            assert move.label == ("ham", "spam")[int(np.argmax(optima))]

    def test_without_a_decoy_the_limit_is_irrelevant(self):
        data = clean(2)
        one, two = (made(data, decoyed=False, max_decoy_loss=limit) for limit in (0.25, -9.0))
        np.testing.assert_array_equal(one.X, two.X)

    def test_the_first_model_is_the_clean_one_without_its_bias(self):
        data = clean(3)
        first = next(attack(data).moves(data, Budget(0.1), np.random.default_rng(0))).theta
        optimum = fit_linear(data.X, data.signs, loss=HINGE, ridge=RIDGE, bias="free").theta
        np.testing.assert_array_equal(first, np.append(optimum[:-1], 0.0))

    def test_the_first_model_can_be_given(self):
        data, start = clean(3), np.arange(6.0)
        first = next(attack(data, start=start).moves(data, Budget(0.1), np.random.default_rng(0))).theta
        np.testing.assert_array_equal(first, start)

    @pytest.mark.parametrize(("burn_in", "repeats", "expected"), [(0.0, 1, 12), (1.0, 2, 12), (2.5, 5, 9), (0.3, 4, 4)])
    def test_burn_in_is_a_multiple_of_the_rows(self, burn_in, repeats, expected):
        data = clean()
        moves = attack(data, burn_in=burn_in, repeats=repeats).moves(data, Budget(0.2), np.random.default_rng(0))
        assert len(list(moves)) == expected

    def test_the_model_learns_from_the_rounded_rows(self):
        data = clean(4)
        moves = list(attack(data).moves(data, Budget(0.2), np.random.default_rng(0)))
        first, second = moves[:2]
        margins = data.signs * (data.X @ first.theta[:-1] + first.theta[-1])
        pull = ((margins < 1) * data.signs) @ np.column_stack([data.X, np.ones(len(data))]) / len(data)
        gradient = RIDGE * np.append(first.theta[:-1], 0.0) - pull
        gradient -= 0.2 * first.sign * np.append(first.rows[-1], 1.0)
        np.testing.assert_allclose(second.theta, first.theta - 0.03 * gradient / np.sqrt(1 + gradient**2), atol=1e-12)

    def test_a_label_that_no_point_may_carry_is_left_out(self):
        data = clean(5)
        free = made(data, decoyed=False)
        # At this decoy every ham row has a loss of 3, and every spam row none.
        decoy = np.append(np.zeros(5), 2.0)
        bound = made(data, decoy=decoy)
        assert "ham" in free.y
        assert set(bound.y) == {"spam"}

    def test_rows_that_rounding_takes_outside_are_told(self):
        data = clean(6)
        moves = list(attack(data, rounding="reference").moves(data, Budget(0.4), np.random.default_rng(0)))
        decoy = decoy_of(data)
        told = 0
        for move in moves:
            inside = attack(data).feasible_set.contains(move.rows, [move.label] * 2)
            inside &= 1 - move.sign * (move.rows @ decoy[:-1] + decoy[-1]) <= 0.25 + 1e-8
            assert inside.all() == (move.violation <= 1e-8)
            told += move.violation > 1e-8
        assert 0 < told < len(moves)


class TestRows:
    @given(
        st.integers(0, 2**16), st.floats(0.02, 0.49), st.integers(1, 5), st.sampled_from(["systematic", "reference"])
    )
    @settings(max_examples=15)
    def test_exactly_as_many_as_allowed(self, seed, fraction, repeats, rounding):
        data = clean(seed)
        poison = made(data, fraction, repeats=repeats, rounding=rounding, burn_in=0.5)
        assert len(poison) == Budget(fraction).count(len(data))
        assert np.all(np.floor(poison.X) == poison.X)

    @pytest.mark.parametrize(("repeats", "rounding"), [(2, "systematic"), (3, "independent")])
    def test_repeats_are_true_copies_and_only_the_first_may_lack_some(self, repeats, rounding):
        data = clean(7)
        rows = made(data, 0.2, repeats=repeats, rounding=rounding, burn_in=1.0)
        odd = made(data, 0.19, repeats=repeats, rounding=rounding, burn_in=1.0)
        for poison in (rows, odd):
            moves = [np.append(row, label == "spam") for row, label in zip(poison.X, poison.y, strict=True)]
            blocks = np.array(moves)[len(moves) % repeats :].reshape(-1, repeats, 6)
            assert np.ptp(blocks, axis=1).max() == 0
        assert (len(rows), len(odd)) == (12, 11)

    def test_they_are_what_the_last_moves_added(self):
        data = clean(8)
        # With steps so long the worst label changes from move to move.
        poison = made(data, 0.15, seed=5, step=0.3)
        moves = list(attack(data, step=0.3).moves(data, Budget(0.15), np.random.default_rng(5)))
        rows, labels = np.concatenate([move.rows for move in moves]), np.repeat([move.label for move in moves], 2)
        np.testing.assert_array_equal(poison.X, rows[-9:])
        assert poison.y.tolist() == labels[-9:].tolist() != labels[-10:-1].tolist()

    @pytest.mark.parametrize("decoyed", [True, False])
    def test_rounding_balances_coordinates_as_the_decoy_weighs_them_or_else_the_model(self, decoyed):
        data, wished = clean(3), np.array([1.0, -2.0, 0.5, 3.0, -1.0, 0.0])
        # Points on a sphere have many fractions to balance; those of the integer domain have few.
        balls = ConvexSet({label: ball(np.full(5, 2.3), 1.9) for label in ("ham", "spam")})
        known = {"decoy": wished if decoyed else None, "max_decoy_loss": 1e3, "integer": True}
        chosen = MinMaxAttack(feasible_set=balls, ridge=RIDGE, **known)
        rng, different = np.random.default_rng(0), 0
        for move in chosen.moves(data, Budget(0.2), np.random.default_rng(0)):
            orders = (wished, move.theta) if decoyed else (move.theta, wished)
            expected, other = (
                round_copies(move.worst.point, order[:-1], repeats=2, rounding="systematic", rng=generator)
                for order, generator in zip(orders, (rng, copy.deepcopy(rng)), strict=True)
            )
            np.testing.assert_array_equal(move.rows, expected)
            different += np.any(expected != other)
        assert different

    def test_copies_of_the_reference_differ(self):
        data = clean(9)
        rows = made(data, 0.4, rounding="reference").X.reshape(-1, 2, 5)
        assert np.ptp(rows, axis=1).max() > 0

    def test_real_rows_are_inside_the_set(self):
        data = clean(10, integer=False)
        duel = attack(data, integer=False)
        poison = duel.poison(data, Budget(0.3), np.random.default_rng(0))
        assert duel.feasible_set.contains(poison.X, poison.y).all()

    def test_the_same_seed_gives_the_same_poison_and_another_another(self):
        data = clean(11)
        one, two, other = (made(data, 0.4, seed=seed) for seed in (3, 3, 4))
        assert one.X.tobytes() == two.X.tobytes()
        assert one.X.tobytes() != other.X.tobytes()

    def test_sparse_rows_make_sparse_poison_of_the_same_values(self):
        data = clean(12)
        dense, sparse = made(data), made(Dataset(csr_array(data.X), data.y))
        assert issparse(sparse.X)
        np.testing.assert_array_equal(sparse.X.toarray(), dense.X)
        assert sparse.y.tolist() == dense.y.tolist()

    @pytest.mark.parametrize("labels", [(0, 1), (-1.0, 1.0), (False, True)], ids=str)
    def test_labels_are_those_of_the_data(self, labels):
        poison = made(clean(13, labels=labels))
        assert poison.y.dtype == np.array(labels).dtype
        assert poison.y.tolist() == [labels[label == "spam"] for label in made(clean(13)).y]

    def test_it_hurts_more_than_clean_rows_do(self):
        data = clean(14, n=200)
        poison = made(data, 0.3, decoyed=False)
        X, y = stack([data.X, poison.X]), np.concatenate([data.y, poison.y])
        signs = np.where(y == "spam", 1.0, -1.0)
        theta = fit_linear(X, signs, loss=HINGE, ridge=RIDGE).theta
        own = fit_linear(data.X, data.signs, loss=HINGE, ridge=RIDGE).theta
        wrong, before = (np.mean(data.signs * (data.X @ t[:-1] + t[-1]) <= 0) for t in (theta, own))
        assert wrong > before + 0.05


class TestRefusals:
    @pytest.mark.parametrize(
        ("option", "value", "words"),
        [
            ("ridge", 0.0, "a positive number"),
            ("step", -1.0, "a positive number"),
            ("accumulator", np.inf, "a positive number"),
            ("burn_in", -0.1, "a number that is not negative"),
            ("max_decoy_loss", np.nan, "a finite number"),
            ("repeats", 1.5, "a whole number from 1"),
            ("rounding", "up", "one of systematic, independent, reference"),
        ],
    )
    def test_options_out_of_range(self, option, value, words):
        with pytest.raises(InvalidArgument, match=f"`{option}`: expected {words}, got "):
            attack(clean(), **{option: value})

    @pytest.mark.parametrize("kind", ["flip", "perturb"])
    def test_budgets_for_other_attacks(self, kind):
        with pytest.raises(InvalidArgument, match="`budget`: expected one of kind add"):
            attack(clean()).poison(clean(), Budget(0.2, kind), np.random.default_rng(0))

    def test_budgets_of_no_row(self):
        with pytest.raises(InvalidArgument, match="`budget`: expected a fraction of 60 rows that is at least one row"):
            made(clean(), 0.01)

    @pytest.mark.parametrize("name", ["decoy", "start"])
    def test_models_of_other_data(self, name):
        with pytest.raises(InvalidArgument, match=f"`{name}`: expected 5 weights and a bias"):
            made(clean(), **{name: np.ones(5)})

    def test_a_decoy_that_no_point_fits(self):
        data = clean()
        decoy, far = np.append(np.ones(5), 0.0), ConvexSet({label: ball(np.zeros(5), 0.1) for label in ("ham", "spam")})
        hopeless = MinMaxAttack(feasible_set=far, ridge=RIDGE, decoy=decoy)
        with pytest.raises(EmptyFeasibleSet, match="whose loss at the decoy is within the limit"):
            hopeless.poison(data, Budget(0.2), np.random.default_rng(0))


def _generic_optimum(duel: MinMaxAttack, theta, label: str, sign: int) -> float:
    region = duel.feasible_set.region(label)
    x = cp.Variable(5)
    limits = [cp.norm(x - region.centre) <= region.radius]
    limits += [region.bands @ x >= region.low, region.bands @ x <= region.high]
    if duel.decoy is not None:
        limits.append(1 - sign * (duel.decoy[:-1] @ x + duel.decoy[-1]) <= duel.max_decoy_loss)
    problem = cp.Problem(cp.Maximize(1 - sign * (theta[:-1] @ x + theta[-1])), limits)
    problem.solve(solver=cp.CLARABEL)
    return float(problem.value)
