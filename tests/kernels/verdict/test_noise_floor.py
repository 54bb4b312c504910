"""The likelihood with a floor: its gradient, its symmetries, and answers that are known."""

import numpy as np
import pytest
from scipy.special import softmax

from toadstone.kernels.verdict.noise_evidence import noise_profile
from toadstone.kernels.verdict.noise_floor import (
    FloorLikelihood,
    FloorModel,
    _ClassFloor,
    _SymmetricFloor,
    fit_at,
    fit_floor,
    logarithms,
)

KINDS = ("none", "symmetric", "class")


def drawn(seed, n=3000, n_classes=3, noise=0.0, sharpness=3.0):
    """Two learners that blur the true odds in different ways, and labels drawn from these odds, some at random."""
    rng = np.random.default_rng(seed)
    logits = sharpness * rng.standard_normal((n, n_classes))
    true = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    wrong = rng.random(n) < noise
    given = np.where(wrong, rng.integers(0, n_classes, n), true)
    blurred = [softmax(0.7 * logits + 0.3 * rng.standard_normal(logits.shape), axis=1), softmax(0.5 * logits, axis=1)]
    return logarithms(blurred), given, given != true


def nobody(codes):
    return np.zeros(len(codes), dtype=bool)


def likelihood_of(tables, codes):
    return FloorLikelihood(tables, codes, nobody(codes))


@pytest.mark.parametrize("trusting", [False, True])
def test_the_gradient_is_that_of_finite_differences(trusting):
    tables, codes, _ = drawn(0, n=60, noise=0.2)
    known = np.arange(60) % 4 == 0 if trusting else nobody(codes)
    likelihood = FloorLikelihood(tables, codes, known)
    at = np.array([0.4, 0.9, 0.2, -0.5, 0.1, 0.02, 0.07, 0.03])
    parts = [2, 5]

    def loss(values):
        return likelihood.value_and_gradient(*np.split(values, parts))[0]

    _, *slopes = likelihood.value_and_gradient(*np.split(at, parts))
    steps = 1e-6 * np.eye(len(at))
    expected = [(loss(at + step) - loss(at - step)) / 2e-6 for step in steps]
    np.testing.assert_allclose(np.concatenate(slopes), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("floor", [_SymmetricFloor(4), _ClassFloor(4)], ids=["symmetric", "class"])
def test_slopes_of_floors_are_those_of_finite_differences(floor):
    rng = np.random.default_rng(1)
    free = np.abs(rng.normal(0.2, 0.1, len(floor.start)))
    direction = rng.standard_normal(4)
    steps = 1e-6 * np.eye(len(free))
    expected = [direction @ (floor.of(free + step) - floor.of(free - step)) / 2e-6 for step in steps]
    np.testing.assert_allclose(floor.slope(free, direction), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_the_fit_is_where_the_gradient_vanishes(kind):
    tables, codes, _ = drawn(2, noise=0.1)
    model = fit_floor(likelihood_of(tables, codes), kind=kind)
    _, by_weights, by_offsets, _ = FloorLikelihood(tables, codes, nobody(codes)).value_and_gradient(
        model.weights, model.offsets, model.floor
    )
    assert np.abs(by_weights).max() < 0.5
    assert np.abs(by_offsets).max() < 0.5


@pytest.mark.parametrize("seed", range(3))
def test_a_known_share_of_wrong_labels_is_found(seed):
    tables, codes, wrong = drawn(seed, noise=0.15, sharpness=6.0)
    profile = noise_profile(tables, codes, nobody(codes))
    assert profile.log_ratio > 10
    # A third of the labels drawn at random are right by chance: 10 % are wrong.
    true, arriving = profile.judged(tables, codes)
    assert arriving.sum() == pytest.approx(0.1, abs=0.015)
    low, high = (total * 2 / 3 for total in profile.totals)
    assert low < wrong.mean() < high
    assert high - low < 0.05
    suspected = 1 - true[np.arange(len(codes)), codes]
    assert suspected.sum() == pytest.approx(wrong.sum(), rel=0.15)
    listed = suspected > 0.5
    # The probabilities say how many of the list are innocent.
    assert (1 - suspected[listed]).sum() == pytest.approx((listed & ~wrong).sum(), abs=0.04 * listed.sum())


@pytest.mark.parametrize("seed", range(3))
def test_sharp_classes_exclude_wrong_labels(seed):
    tables, codes, _ = drawn(seed, sharpness=6.0)
    profile = noise_profile(tables, codes, nobody(codes))
    assert profile.log_ratio < -3
    assert profile.totals[0] == 0
    assert profile.totals[1] < 0.02


def test_labels_without_learners_say_nothing_of_noise():
    codes = np.random.default_rng(0).integers(0, 2, 500)
    profile = noise_profile(logarithms([np.full((500, 2), 0.5)]), codes, nobody(codes))
    assert profile.log_ratio == pytest.approx(0.0, abs=0.1)
    assert profile.totals == (0.0, 0.45)


def test_the_mean_likelihood_is_that_of_a_fine_grid():
    tables, codes, _ = drawn(8, n=400, noise=0.05)
    profile = noise_profile(tables, codes, nobody(codes))
    none = profile.none
    totals = np.linspace(0, 0.45, 181)
    gains = np.array([none.loss - fit_at(likelihood_of(tables, codes), total, near=none).loss for total in totals])
    fine = np.log(np.trapezoid(np.exp(gains), totals) / 0.45)
    symmetric = np.log1p(-profile.class_share) + profile.log_ratio
    assert symmetric == pytest.approx(fine, abs=0.03)
    assert profile.masses.sum() == pytest.approx(1.0)


def test_labels_that_arrive_in_one_class_are_told_from_those_that_arrive_in_all():
    tables, codes, _ = drawn(3, sharpness=6.0)
    moved = (codes == 1) & (np.arange(len(codes)) % 5 == 0)
    given = np.where(moved, 0, codes)
    profile = noise_profile(tables, given, nobody(codes))
    assert profile.class_share > 0.99
    arriving = profile.judged(tables, given)[1]
    assert arriving[0] > 5 * arriving[1:].sum()


@pytest.mark.parametrize("kind", KINDS)
def test_classes_may_be_numbered_in_any_order(kind):
    tables, codes, _ = drawn(4, noise=0.1)
    new = np.array([2, 0, 1])
    renumbered = np.empty_like(tables)
    renumbered[:, :, new] = tables
    one, other = (
        fit_floor(likelihood_of(tables, codes), kind=kind),
        fit_floor(likelihood_of(renumbered, new[codes]), kind=kind),
    )
    np.testing.assert_allclose(other.floor[new], one.floor, atol=1e-4)
    given = one.given_labels(one.true_probabilities(tables), codes)
    again = other.given_labels(other.true_probabilities(renumbered), new[codes])
    np.testing.assert_allclose(again[:, new], given, atol=2e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_may_come_in_any_order(kind):
    tables, codes, _ = drawn(5, noise=0.1)
    order = np.random.default_rng(0).permutation(len(codes))
    one, other = (
        fit_floor(likelihood_of(tables, codes), kind=kind),
        fit_floor(likelihood_of(tables[:, order], codes[order]), kind=kind),
    )
    np.testing.assert_allclose(other.floor, one.floor, atol=1e-4)
    assert other.loss == pytest.approx(one.loss, abs=1e-4)


def test_probabilities_given_a_label_are_those_of_bayes():
    model = FloorModel(np.ones(1), np.zeros(2), np.array([0.1, 0.05]), 0.0, "class")
    tables = logarithms([np.array([[0.9, 0.1], [0.9, 0.1]])])
    true = model.true_probabilities(tables)
    given = model.given_labels(true, np.array([1, 0]))
    # Label 1 arrives with probability 0.05 + 0.85 * 0.1, of which 0.05 * 0.9 from rows of label 0.
    np.testing.assert_allclose(given[0], [0.045 / 0.135, 1 - 0.045 / 0.135])
    np.testing.assert_allclose(given.sum(axis=1), 1.0)


def test_trusted_rows_tell_overlap_from_wrong_labels():
    # One uninformative learner and a class that overlaps: without trusted rows nothing separates the two.
    rng = np.random.default_rng(6)
    side = rng.integers(0, 2, 4000)
    tables = logarithms([np.where(side[:, None] == np.arange(2), 0.85, 0.15)])
    overlapping = np.where(rng.random(4000) < 0.15, 1 - side, side)
    known = rng.random(4000) < 0.3
    noisy = np.where(known, side, overlapping)
    as_overlap = noise_profile(tables, overlapping, known)
    as_noise = noise_profile(tables, noisy, known)
    undecided = noise_profile(tables, overlapping, nobody(known))
    assert as_overlap.log_ratio < -1
    assert as_noise.log_ratio > 50
    assert abs(undecided.log_ratio) < 1
    assert as_noise.judged(tables, noisy)[1].sum() == pytest.approx(0.15, abs=0.02)


@pytest.mark.slow
def test_five_hundred_labels():
    tables, codes, wrong = drawn(7, n=4000, n_classes=500, noise=0.1, sharpness=8.0)
    model = fit_floor(likelihood_of(tables, codes), kind="symmetric")
    given = model.given_labels(model.true_probabilities(tables), codes)
    flagged = given[np.arange(len(codes)), codes] < 0.5
    assert (flagged & wrong).sum() > 0.8 * wrong.sum()
    assert (flagged & ~wrong).sum() < 0.03 * len(codes)
