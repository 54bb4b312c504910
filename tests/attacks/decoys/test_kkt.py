"""The KKT attack: decoys reached exactly, bands kept, copies counted, rounding owned up to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from toadstone.attacks.decoys.decoys import fit_clean, fit_decoy
from toadstone.attacks.decoys.kkt import KKTAttack
from toadstone.core.budget import Budget
from toadstone.core.certificate import Ridge, Setting
from toadstone.core.dataset import Dataset
from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument
from toadstone.core.feasible import Region, ball
from toadstone.datasets import load
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE
from toadstone.kernels.sets.membership import violations
from toadstone.kernels.sets.sets import ConvexSet, fit_domain
from toadstone.pipeline.certify import build_feasible_set
from toadstone.pipeline.harness.judge import Defence, merge

RIDGE = 0.05
seeds = st.integers(0, 2**16)


def rows(seed: int, n: int = 90, *, counts: bool = False, sparse: bool = False) -> Dataset:
    rng = np.random.default_rng(seed)
    y = np.resize([0, 1, 0], n)
    shift = np.outer(y, [1.0, 0.0, 1.0, 0.5, 0.0, 0.0])
    X = rng.poisson(1.0 + shift).astype(float) if counts else rng.normal(size=(n, 6)) + shift
    return Dataset(csr_array(X) if sparse else X, np.array(["ham", "spam"])[y])


def around(data: Dataset, radius: float = 6.0) -> ConvexSet:
    mean = np.asarray(data.X.mean(axis=0)).ravel()
    return ConvexSet({label: ball(mean, radius) for label in data.classes})


def attack(data: Dataset, **options) -> KKTAttack:
    """Against a decoy that is easy to want and hard to reach."""
    decoy = fit_decoy(data, data, fit_clean(data, ridge=RIDGE), quantile=0.3, repeats=3, ridge=RIDGE)
    return KKTAttack(decoy.theta, around(data), RIDGE, **options)


def counting(seed: int, **options) -> tuple[Dataset, KKTAttack]:
    data = rows(seed, counts=True)
    made = attack(data, integer=True, **options)
    return data, replace(made, feasible_set=made.feasible_set.within(fit_domain(data.X, "integer")))


def margins(data: Dataset, theta: np.ndarray) -> np.ndarray:
    return data.signs * (data.X @ theta[:-1] + theta[-1])


class TestReachableDecoys:
    @pytest.mark.parametrize("bias", ["free", "regularized"])
    @pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
    def test_the_residual_is_zero_and_retraining_recovers_the_decoy(self, bias, seed):
        clean = rows(seed, 40)
        rng = np.random.default_rng(seed)
        # Poison in the wrong places: what it leads to is a decoy that poison can reach.
        means = np.stack([clean.X[clean.signs > 0].mean(axis=0), clean.X[clean.signs < 0].mean(axis=0)])
        points = 0.5 * means + 0.5 * means[::-1]
        planted = Dataset(
            np.concatenate([clean.X, np.repeat(points, 4, axis=0)]), np.append(clean.y, np.repeat(["ham", "spam"], 4))
        )
        theta = fit_linear(planted.X, planted.signs, loss=HINGE, ridge=RIDGE, bias=bias, tolerance=1e-13).theta
        losses = 1 - margins(planted, theta)
        most = min(losses[:40][clean.y == label].max() for label in clean.classes)
        assert 0 < losses[40:].min() <= losses[40:].max() < most
        made = KKTAttack(theta, around(clean), RIDGE, positive_share=0.5, bias=bias, loss_quantile=1.0)
        found = made.solve(clean, Budget(0.2))
        assert found.counts.tolist() == [4, 4]
        assert found.residual_norm < 1e-5
        poison = made.poison(clean, Budget(0.2), rng)
        X, y, _ = merge(clean, poison)
        again = fit_linear(X, np.where(y == "spam", 1.0, -1.0), loss=HINGE, ridge=RIDGE, bias=bias, tolerance=1e-13)
        np.testing.assert_allclose(again.theta, theta, atol=1e-3)

    def test_a_share_left_open_is_found(self):
        data = rows(3)
        made = attack(data)
        best = made.solve(data, Budget(0.2))
        others = [replace(made, positive_share=share).solve(data, Budget(0.2)) for share in np.linspace(0, 1, 10)]
        assert best.residual_norm <= min(other.residual_norm for other in others) + 1e-3
        assert best.counts.sum() == 18


@given(seeds, st.sampled_from([0.5, 0.8, 1.0]))
@settings(max_examples=15)
def test_support_and_loss_bands_hold(seed, quantile):
    data = rows(seed)
    made = attack(data, loss_quantile=quantile)
    found = made.solve(data, Budget(0.1))
    clean = np.maximum(0.0, 1 - margins(data, made.theta))
    assert made.feasible_set.contains(found.points, found.labels).all()
    for k, sign in enumerate((-1.0, 1.0)):
        loss = 1 - sign * (found.points[k] @ made.theta[:-1] + made.theta[-1])
        assert -1e-6 <= loss <= np.quantile(clean[data.signs == sign], quantile) + 1e-6


@given(seeds, st.integers(1, 4), st.sampled_from(["systematic", "independent"]), st.floats(0.05, 0.4))
@settings(max_examples=15)
def test_rounded_rows_are_counted_and_checked(seed, repeats, rounding, fraction):
    data, made = counting(seed, repeats=repeats, rounding=rounding)
    try:
        found = made.solve(data, Budget(fraction))
    except EmptyFeasibleSet:
        # Few rows may leave no point that passes the filters and is fitted so.
        reject()
    rounded = made.round(found, np.random.default_rng(seed))
    whole = rounded.rows.toarray()
    assert rounded.copies.sum() == found.counts.sum() == Budget(fraction).count(len(data))
    for k, label in enumerate(found.labels):
        own = rounded.labels == label
        assert rounded.copies[own].sum() == found.counts[k]
        assert np.count_nonzero(own) == -(-found.counts[k] // repeats)
        assert np.all(rounded.copies[own][:-1] == repeats)
        assert np.all(np.abs(whole[own] - found.points[k]) < 1)
        outside = violations(found.regions[k], whole[own]).max(axis=1, initial=-1.0) > 1e-8
        np.testing.assert_array_equal(rounded.inside[own], ~outside)
    assert np.all(whole == np.round(whole))
    assert rounded.violating == rounded.copies[~rounded.inside].sum()


def test_the_residual_after_rounding_is_that_of_the_rows():
    data, made = counting(1, on_margin="paper", bias="regularized")
    budget = Budget(0.2)
    found = made.solve(data, budget)
    rounded = made.round(found, np.random.default_rng(0))
    poison = rounded.poison()
    gradient = 1.2 * RIDGE * made.theta
    pulls = [(data.X, data.signs * (margins(data, made.theta) < 0.99))]
    pulls.append((poison.X.toarray(), np.where(poison.y == "spam", 1.0, -1.0)))
    for X, pull in pulls:
        gradient = gradient - np.append(X.T @ pull, pull.sum()) / len(data)
    assert rounded.drift.any()
    assert found.residual_after(rounded) == pytest.approx(np.linalg.norm(gradient), rel=1e-9)


def test_of_several_draws_the_one_that_stays_inside_is_kept():
    data, one = counting(2, draws=1, rounding="independent")
    tight = around(data, 2.5).within(fit_domain(data.X, "integer"))
    one = replace(one, feasible_set=tight)
    many = replace(one, draws=12)
    found = one.solve(data, Budget(0.3))
    alone = [one.round(found, np.random.default_rng(seed)).violating for seed in range(12)]
    assert many.round(found, np.random.default_rng(0)).violating <= np.median(alone)
    assert len(set(alone)) > 1


def test_of_draws_with_as_many_rows_outside_the_one_of_smallest_residual_is_kept():
    data, made = counting(5, draws=12)
    found = made.solve(data, Budget(0.2))
    rng = np.random.default_rng(0)
    draws = [replace(made, draws=1).round(found, rng) for _ in range(12)]
    fewest = min(draw.violating for draw in draws)
    residuals = [found.residual_after(draw) for draw in draws if draw.violating == fewest]
    assert len(set(residuals)) > 1
    kept = made.round(found, np.random.default_rng(0))
    assert (kept.violating, found.residual_after(kept)) == (fewest, min(residuals))


def test_free_margin_rows_can_only_help():
    data = rows(5)
    for share in (0.2, 0.5, 0.9):
        free, paper = (
            attack(data, positive_share=share, on_margin=rule).solve(data, Budget(0.1)) for rule in ("free", "paper")
        )
        assert free.residual_norm <= paper.residual_norm + 1e-6
        assert free.counts.tolist() == paper.counts.tolist() == [9 - round(9 * share), round(9 * share)]


def test_shares_of_the_paper():
    data = rows(6, 400)
    made = attack(data)
    shares = made.paper_shares(data, Budget(0.2), step=0.05)
    pull = np.sum(data.signs[margins(data, made.theta) < 0.99]) / 400
    exact = (0.2 - pull) / 2 / 0.2
    expected = [0, 0.25, 0.5, 0.75, 1]
    assert 0 < exact < 1
    np.testing.assert_allclose(shares, sorted([*expected, exact]))
    # Of all shares, that one leaves nothing in the bias but for whole rows.
    found = replace(made, positive_share=exact, on_margin="paper").solve(data, Budget(0.2))
    assert abs(found.residual[-1]) <= 1 / len(data)


@pytest.mark.parametrize("sparse", [False, True])
def test_rows_are_held_like_the_data(sparse):
    data = rows(7, counts=True, sparse=sparse)
    poison = attack(data, integer=True).poison(data, Budget(0.1), np.random.default_rng(0))
    assert isinstance(poison.X, csr_array) == sparse
    other = rows(7, counts=True, sparse=not sparse)
    again = replace(attack(data), integer=True).poison(other, Budget(0.1), np.random.default_rng(0))
    assert again.y.tolist() == poison.y.tolist()


def test_the_same_seed_gives_the_same_poison():
    data, made = counting(8)
    one, two, other = (made.poison(data, Budget(0.2), np.random.default_rng(seed)).X for seed in (1, 1, 2))
    assert one.tobytes() == two.tobytes()
    assert one.tobytes() != other.tobytes()


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"positive_share": 1.5}, "`positive_share`: expected a number in \\[0, 1\\], got 1.5"),
            ({"loss_quantile": 0.0}, "`loss_quantile`: expected a number in \\(0, 1\\], got 0.0"),
            ({"repeats": 0}, "`repeats`: expected a whole number from 1, got 0"),
            ({"draws": 1.5}, "`draws`: expected a whole number from 1, got 1.5"),
            ({"bias": "none"}, "`bias`: expected free or regularized, got none"),
            ({"on_margin": "half"}, "`on_margin`: expected free or paper, got half"),
            ({"rounding": "up"}, "`rounding`: expected systematic or independent, got up"),
        ],
    )
    def test_options_out_of_range(self, options, message):
        with pytest.raises(InvalidArgument, match=message):
            attack(rows(0), **options)

    def test_other_budgets(self):
        data = rows(0)
        with pytest.raises(InvalidArgument, match="`budget`: expected one for adding rows, got flip"):
            attack(data).poison(data, Budget(0.1, "flip"), np.random.default_rng(0))
        with pytest.raises(InvalidArgument, match="`budget`: expected one that allows a row"):
            attack(data).solve(data, Budget(0.001))

    def test_decoys_of_other_features(self):
        data = rows(0)
        with pytest.raises(InvalidArgument, match="`theta`: expected 7 numbers"):
            replace(attack(data), theta=np.zeros(3)).solve(data, Budget(0.1))

    def test_a_feasible_set_that_no_active_point_shares(self):
        data = rows(0)
        made = attack(data)
        # Far on the right side of the decoy, where the hinge is never active.
        ends = {label: sign * 1e3 * made.theta[:-1] for label, sign in zip(data.classes, (-1.0, 1.0), strict=True)}
        away: dict[object, Region] = {label: ball(end, 1.0) for label, end in ends.items()}
        with pytest.raises(EmptyFeasibleSet, match="contradict"):
            replace(made, feasible_set=ConvexSet(away)).solve(data, Budget(0.1))


@pytest.mark.data
@pytest.mark.slow
def test_enron_passes_its_filters(data_dir):
    split, ridge = load("enron"), 0.09
    train, budget = split.train, Budget(0.03)
    feasible = build_feasible_set(train, Setting(("l2", "slab"), 0.9, "integer", "hinge", Ridge(ridge)))
    decoy = fit_decoy(train, split.test, fit_clean(train, ridge=ridge), quantile=0.4, repeats=8, ridge=ridge)
    made = KKTAttack(decoy.theta, feasible, ridge, positive_share=0.5, integer=True)
    found = made.solve(train, budget)
    assert found.counts.tolist() == [62, 62]
    assert found.residual_norm == pytest.approx(0.0682, abs=5e-4)
    assert found.gap < 0.01 * found.residual_norm
    X, y, _ = merge(train, made.round(found, np.random.default_rng(0)).poison())
    defence, errors = Defence(ridge=ridge), []
    for name in ("l2", "slab", "loss"):
        sanitizer = defence.sanitizer(name)
        model = defence.model().fit(*sanitizer.fit_resample(X, y))
        errors.append(np.mean(model.predict(split.test.X) != split.test.y))
    assert min(errors) > 0.22
