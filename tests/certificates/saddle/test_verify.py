"""The verifier accepts what was certified and refuses everything that differs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.certificates.saddle.certify import pose
from toadstone.certificates.saddle.proof import prove_attack, prove_bound
from toadstone.certificates.saddle.verify import verify
from toadstone.core.budget import Budget
from toadstone.core.certificate import Certificate, NormBall, Ridge
from toadstone.core.dataset import Dataset
from toadstone.core.errors import CertificateRejected
from toadstone.kernels.losses import MARGIN_LOSSES
from toadstone.kernels.sets.membership import violations

HYPOTHESES = (NormBall(1.0), Ridge(0.05))
EPSILON = float(np.finfo(float).eps)


def with_witness(certificate: Certificate, **changes) -> Certificate:
    return replace(certificate, witness=replace(certificate.witness, **changes))


def restated(made, certificate: Certificate) -> Certificate:
    """A forger's best effort: every number recomputed from the altered parts."""
    proof = prove_bound(made.problem, certificate.theta, certificate.multipliers)
    fraction = certificate.budget.fraction
    return replace(
        certificate,
        bound=proof.bound(fraction),
        attack_value=prove_attack(made.problem, certificate.witness, fraction),
        clean_loss=proof.clean_loss,
        poison_loss=proof.poison_loss,
        slack=proof.slack,
    )


def scaled_to(certificate: Certificate, squared_norm: float) -> Certificate:
    """The same model with another norm, and multipliers that fit its length."""
    factor = np.sqrt(squared_norm / (certificate.theta @ certificate.theta))
    return replace(certificate, theta=factor * certificate.theta, multipliers=factor * certificate.multipliers)


def pushed_out(made, certificate: Certificate, violation: float) -> np.ndarray:
    """The attack's points, moved away from the centres until the farthest violates its region by so much."""
    regions = made.problem.regions
    centres = np.stack([region.centre for region in regions])
    offsets, low, high = certificate.witness.points - centres, 1.0, 2.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        rows = centres + middle * offsets
        excess = max(violations(region, row[None, :]).max() for region, row in zip(regions, rows, strict=True))
        low, high = (low, middle) if excess > violation else (middle, high)
    return centres + low * offsets


def refuse(made, certificate: Certificate, match: str = "expected|proves") -> None:
    with pytest.raises(CertificateRejected, match=match) as caught:
        verify(certificate, made.problem)
    assert "\n" not in str(caught.value)


class TestAcceptance:
    @pytest.mark.parametrize("loss", list(MARGIN_LOSSES))
    @pytest.mark.parametrize("domain", ["real", "box", "integer"])
    @pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=str)
    def test_what_was_certified(self, bench, loss, domain, hypothesis):
        made = bench(loss=loss, domain=domain, hypothesis=hypothesis)
        for certificate in made.certify(0.0, 1e-6, 0.03, 0.3, tolerance=1e-3):
            verify(certificate, made.problem)

    @pytest.mark.parametrize("tolerance", [0.9, 0.3])
    @pytest.mark.parametrize("hypothesis", [*HYPOTHESES, NormBall(1e4)], ids=str)
    def test_what_was_certified_in_a_hurry(self, bench, tolerance, hypothesis):
        made = bench(hypothesis=hypothesis)
        for certificate in made.certify(0.03, 0.3, tolerance=tolerance):
            verify(certificate, made.problem)

    def test_what_was_certified_of_rows_far_apart(self, bench):
        made = bench()
        rows = made.data.X + 50.0 * (made.data.y == "spam")[:, None]
        apart = replace(bench(quantile=0.7), data=Dataset(rows, made.data.y))
        certificate = apart.certify(0.0)[0]
        verify(certificate, apart.problem)

    def test_a_worse_model_honestly_stated(self, bench):
        made = bench()
        worse = restated(made, replace(made.certify(0.1)[0], theta=np.zeros(5), multipliers=np.zeros((2, 2))))
        verify(worse, made.problem)
        assert worse.bound == pytest.approx(1.1)

    def test_a_weaker_attack_honestly_stated(self, bench):
        made = bench()
        certificate = made.certify(0.1)[0]
        weaker = with_witness(certificate, clean_duals=0.5 * certificate.witness.clean_duals)
        verify(restated(made, weaker), made.problem)


class TestStatedNumbers:
    @pytest.mark.parametrize("name", ["bound", "clean_loss", "poison_loss", "slack", "attack_value"])
    @pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=str)
    @pytest.mark.parametrize("change", [-1e-3, -1e-7, 1e-7, 1e-3, np.nan, np.inf, -np.inf])
    def test_a_number_that_the_parts_do_not_prove(self, bench, name, hypothesis, change):
        made = bench(hypothesis=hypothesis)
        certificate = made.certify(0.1)[0]
        refuse(made, replace(certificate, **{name: getattr(certificate, name) + change}), name)

    @pytest.mark.parametrize("fraction", [0.0, 0.05, 0.0999, 0.1001, 0.4])
    def test_another_fraction(self, bench, fraction):
        made = bench()
        certificate = made.certify(0.1)[0]
        refuse(made, replace(certificate, budget=Budget(fraction)))

    @pytest.mark.parametrize("kind", ["flip", "perturb", "anything"])
    def test_another_kind_of_budget(self, bench, kind):
        made = bench()
        refuse(made, replace(made.certify(0.1)[0], budget=Budget(0.1, kind)), "budget_kind")

    @pytest.mark.parametrize(
        "changes",
        [
            {"quantile": 0.6},
            {"quantile": 0.8},
            {"loss": "squared_hinge"},
            {"loss": "smooth_hinge"},
            {"hypothesis": Ridge(0.04)},
            {"hypothesis": Ridge(0.06)},
            {"hypothesis": NormBall(1.0)},
        ],
        ids=str,
    )
    def test_another_setting(self, bench, changes):
        made = bench()
        certificate = made.certify(0.1)[0]
        options = {"quantile": 0.7, "domain": "real", "loss": "hinge", "hypothesis": Ridge(0.05)}
        refuse(bench(**(options | changes)), certificate)


class TestTolerances:
    """A verifier on another machine adds in another order: it may find the ninth digit of a number otherwise."""

    # Not the bound downwards: see TestTheBound.
    @pytest.mark.parametrize(
        ("name", "way"),
        [("bound", 1), *((name, way) for name in ("clean_loss", "poison_loss", "attack_value") for way in (-1, 1))],
    )
    def test_a_number_may_be_off_by_a_billionth_of_itself(self, bench, name, way):
        made = bench()
        certificate = made.certify(0.1)[0]
        number = getattr(certificate, name)
        verify(replace(certificate, **{name: number * (1 + way * 0.9e-9)}), made.problem)
        refuse(made, replace(certificate, **{name: number * (1 + way * 1.1e-9)}), name)

    @pytest.mark.parametrize("way", [-1, 1])
    def test_a_number_near_zero_may_be_off_by_a_billionth_of_a_thousandth(self, bench, way):
        made = bench()
        certificate = made.certify(0.1)[0]
        verify(replace(certificate, slack=certificate.slack + way * 0.9e-12), made.problem)
        refuse(made, replace(certificate, slack=certificate.slack + way * 1.1e-12), "slack")

    @pytest.mark.parametrize(("excess", "within"), [(0.5e-9, True), (2e-9, False)])
    def test_masses_may_exceed_the_fraction_by_a_billionth(self, bench, excess, within):
        made = bench()
        certificate = made.certify(0.1)[0]
        total = certificate.witness.masses.sum()
        masses = certificate.witness.masses * (0.1 * (1 + excess) / total)
        duals = np.minimum(certificate.witness.poison_duals, masses)
        changed = restated(made, with_witness(certificate, masses=masses, poison_duals=duals))
        if within:
            verify(changed, made.problem)
        else:
            refuse(made, changed, "masses: expected no more poison")

    @pytest.mark.parametrize(("excess", "within"), [(0.5e-9, True), (2e-9, False)])
    def test_a_dual_may_exceed_its_mass_by_a_billionth(self, bench, excess, within):
        made = bench()
        certificate = made.certify(0.1)[0]
        duals = certificate.witness.masses * (1 + excess)
        changed = restated(made, with_witness(certificate, poison_duals=duals))
        if within:
            verify(changed, made.problem)
        else:
            refuse(made, changed, "masses: expected no more poison")

    @pytest.mark.parametrize("value", [-1e-15, 1 + 4 * EPSILON])
    def test_clean_duals_have_no_room(self, bench, value):
        made = bench()
        certificate = made.certify(0.1)[0]
        duals = certificate.witness.clean_duals.copy()
        duals[0] = value
        refuse(made, restated(made, with_witness(certificate, clean_duals=duals)), "clean_duals")

    @pytest.mark.parametrize(("violation", "within"), [(0.9e-7, True), (1.1e-7, False)])
    def test_points_may_be_off_by_what_a_projection_leaves(self, bench, violation, within):
        made = bench()
        certificate = made.certify(0.1)[0]
        moved = restated(made, with_witness(certificate, points=pushed_out(made, certificate, violation)))
        if within:
            verify(replace(moved, attack_value=min(moved.attack_value, moved.bound)), made.problem)
        else:
            refuse(made, moved, "points: expected poison within")

    def test_an_attack_never_claims_more_than_the_bound(self, bench):
        # Points a hair outside may prove a little more than any feasible ones can reach.
        made = bench()
        certificate = made.certify(0.1, tolerance=1e-10)[0]
        outside = with_witness(certificate, points=pushed_out(made, certificate, 0.9e-7))
        claimed = restated(made, outside)
        assert claimed.attack_value > claimed.bound * (1 + 2e-9)
        refuse(made, claimed, "attack_value")
        verify(replace(claimed, attack_value=claimed.bound), made.problem)


class TestForgedModels:
    @pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=str)
    @pytest.mark.parametrize("j", range(5))
    @pytest.mark.parametrize("step", [1e-6, -0.1])
    def test_a_theta_that_was_changed(self, bench, hypothesis, j, step):
        made = bench(hypothesis=hypothesis)
        certificate = made.certify(0.1)[0]
        theta = certificate.theta.copy()
        theta[j] += step
        refuse(made, replace(certificate, theta=theta), "theta|bound")

    def test_a_model_outside_the_ball_though_honestly_restated(self, bench):
        made = bench(hypothesis=NormBall(1.0))
        certificate = made.certify(0.1)[0]
        wide = replace(made, setting=replace(made.setting, hypothesis=NormBall(4.0))).certify(0.1)[0]
        outside = replace(certificate, theta=wide.theta, multipliers=wide.multipliers)
        refuse(made, restated(made, outside), "theta: expected a model within the norm ball")

    # The verifier grants nothing beyond the ball. Its own sum of five squares is off by five roundings at most,
    # so that a model sixteen roundings away is surely seen on the right side.
    @pytest.mark.parametrize("excess", [1e-2, 1e-6, 1e-12, 16 * EPSILON])
    @pytest.mark.parametrize("squared_radius", [1.0, 3e-5])
    def test_a_model_barely_outside_the_ball_though_honestly_restated(self, bench, squared_radius, excess):
        made = bench(hypothesis=NormBall(squared_radius))
        certificate = made.certify(0.1)[0]
        refuse(made, restated(made, scaled_to(certificate, (1 + excess) * squared_radius)), "within the norm ball")

    @pytest.mark.parametrize("squared_radius", [1.0, 3e-5])
    def test_a_model_barely_inside_the_ball(self, bench, squared_radius):
        made = bench(hypothesis=NormBall(squared_radius))
        certificate = made.certify(0.1)[0]
        verify(restated(made, scaled_to(certificate, (1 - 16 * EPSILON) * squared_radius)), made.problem)

    @pytest.mark.parametrize("k", range(2))
    @pytest.mark.parametrize("j", range(2))
    def test_multipliers_that_were_changed(self, bench, k, j):
        made = bench()
        certificate = made.certify(0.1)[0]
        multipliers = certificate.multipliers.copy()
        multipliers[k, j] += 0.3
        changed = replace(certificate, multipliers=multipliers)
        # Those of the label that is no threat may change without any loss of proof.
        if prove_bound(made.problem, certificate.theta, multipliers).poison_loss == certificate.poison_loss:
            verify(changed, made.problem)
        else:
            refuse(made, changed, "bound")

    def test_a_negative_multiplier_of_the_radius(self, bench):
        made = bench()
        certificate = made.certify(0.1)[0]
        multipliers = certificate.multipliers * np.array([-1.0, 1.0])
        refuse(made, replace(certificate, multipliers=multipliers), "multipliers: expected the radius's")

    @given(st.integers(0, 2**32 - 1), st.sampled_from(HYPOTHESES), st.floats(-8, 0))
    @settings(deadline=None, max_examples=60)
    def test_any_change_of_theta_is_refused_unless_the_bound_stays(self, bench, seed, hypothesis, exponent):
        made = bench(hypothesis=hypothesis)
        certificate = made.certify(0.1)[0]
        step = 10.0**exponent * np.random.default_rng(seed).normal(size=5)
        forged = replace(certificate, theta=certificate.theta + step)
        proven = prove_bound(made.problem, forged.theta, forged.multipliers).bound(0.1)
        inside = isinstance(hypothesis, Ridge) or forged.theta @ forged.theta <= hypothesis.squared_radius
        if inside and abs(proven - certificate.bound) <= 1e-9 * certificate.bound:
            return
        refuse(made, forged)

    @pytest.mark.parametrize(
        ("name", "shape"), [("theta", (4,)), ("theta", (6,)), ("multipliers", (2, 3)), ("multipliers", (1, 2))]
    )
    def test_arrays_of_another_shape(self, bench, name, shape):
        made = bench()
        refuse(made, replace(made.certify(0.1)[0], **{name: np.zeros(shape)}), f"{name}: expected shape")

    @pytest.mark.parametrize("bound", [1e-6, 0.2, 1e300, np.inf])
    def test_multipliers_that_prove_nothing(self, bench, bound):
        # Any number is as far from infinity as a share of infinity.
        made = bench()
        certificate = made.certify(0.1)[0]
        proof = prove_bound(made.problem, certificate.theta, np.zeros((2, 2)))
        assert proof.bound(0.1) == np.inf
        empty = replace(certificate, multipliers=np.zeros((2, 2)), bound=bound)
        refuse(made, empty, "bound")
        refuse(made, replace(empty, poison_loss=np.inf, slack=np.inf), "bound")

    @pytest.mark.parametrize("label", range(2))
    def test_a_multiplier_of_either_label_that_is_negative(self, bench, label):
        made = bench()
        certificate = made.certify(0.1)[0]
        multipliers = certificate.multipliers.copy()
        multipliers[label, 0] = -1e-300
        refuse(made, replace(certificate, multipliers=multipliers), "multipliers: expected the radius's")

    @pytest.mark.parametrize("value", [1e-300, 1e-9, 1e9, 1e300])
    def test_multipliers_of_absurd_size(self, bench, value):
        made = bench()
        certificate = made.certify(0.1)[0]
        refuse(made, replace(certificate, multipliers=np.full((2, 2), value)))


class TestForgedAttacks:
    def forged(self, bench, **changes):
        made = bench(hypothesis=changes.pop("hypothesis", Ridge(0.05)), loss=changes.pop("loss", "hinge"))
        certificate = made.certify(0.1)[0]
        return made, certificate, with_witness(certificate, **changes)

    @pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=str)
    @pytest.mark.parametrize("name", ["points", "clean_duals", "poison_duals"])
    def test_an_array_that_was_changed(self, bench, hypothesis, name):
        made = bench(hypothesis=hypothesis)
        certificate = made.certify(0.1)[0]
        array = getattr(certificate.witness, name)
        refuse(made, with_witness(certificate, **{name: array * 0.9}), "attack_value|points")

    @pytest.mark.parametrize("loss", ["hinge", "squared_hinge", "logistic"])
    def test_points_outside_the_feasible_set_though_honestly_restated(self, bench, loss):
        made = bench(loss=loss)
        certificate = made.certify(0.1)[0]
        centre = np.stack([region.centre for region in made.problem.regions])
        outside = centre + 2 * (certificate.witness.points - centre)
        refuse(made, restated(made, with_witness(certificate, points=outside)), "points: expected poison within")

    @pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
    def test_a_far_point_that_pretends_to_weigh_nothing(self, bench, loss):
        # Its dual alone could make the pull of all rows vanish.
        made = bench(loss=loss)
        certificate = made.certify(0.1)[0]
        witness = certificate.witness
        points = np.vstack([witness.points, np.full(4, 1e15)])
        forged = with_witness(
            certificate,
            points=points,
            signs=np.append(witness.signs, 1.0),
            masses=np.append(witness.masses, 0.0),
            poison_duals=np.append(witness.poison_duals, 1e-15),
        )
        refuse(made, restated(made, forged), "poison_duals: expected none without mass")

    @pytest.mark.parametrize("signs", [[-1.0, 5.0], [-5.0, 1.0], [0.0, 1.0], [-1.0, 1.5]], ids=str)
    def test_labels_that_weigh_more_than_one(self, bench, signs):
        made = bench()
        certificate = made.certify(0.1)[0]
        refuse(made, restated(made, with_witness(certificate, signs=np.array(signs))), "signs: expected -1 or")

    def test_a_label_that_was_swapped(self, bench):
        made = bench()
        certificate = made.certify(0.1)[0]
        refuse(made, restated(made, with_witness(certificate, signs=-certificate.witness.signs)), "points")

    def test_more_mass_than_the_fraction(self, bench):
        made = bench()
        certificate = made.certify(0.1)[0]
        forged = with_witness(
            certificate, masses=1.01 * certificate.witness.masses, poison_duals=1.01 * certificate.witness.poison_duals
        )
        refuse(made, restated(made, forged), "masses: expected no more poison")

    def test_a_dual_beyond_its_mass(self, bench):
        made = bench()
        certificate = made.certify(0.1)[0]
        forged = with_witness(certificate, poison_duals=1.01 * certificate.witness.masses + 1e-4)
        refuse(made, restated(made, forged), "masses: expected no more poison")

    @pytest.mark.parametrize("name", ["masses", "poison_duals"])
    def test_negative_weights(self, bench, name):
        made = bench()
        certificate = made.certify(0.1)[0]
        negative = getattr(certificate.witness, name) - 0.2
        refuse(made, restated(made, with_witness(certificate, **{name: negative})), "masses: expected none negative")

    @pytest.mark.parametrize("value", [-1e-6, 1.000001])
    def test_clean_duals_beyond_their_bounds(self, bench, value):
        made = bench()
        certificate = made.certify(0.1)[0]
        duals = certificate.witness.clean_duals.copy()
        duals[0] = value
        refuse(
            made, restated(made, with_witness(certificate, clean_duals=duals)), "clean_duals: expected values within"
        )

    def test_duals_that_are_split_unlike_the_masses(self, bench):
        # For a curved loss an attack is worth less when one point bears another's dual.
        made = bench(loss="squared_hinge", seed=5)
        certificate = made.certify(0.1)[0]
        assert certificate.witness.masses.min() > 0.01
        masses = certificate.witness.masses[::-1].copy()
        refuse(made, with_witness(certificate, masses=masses), "attack_value")

    @pytest.mark.parametrize(
        ("name", "shape"),
        [("points", (2, 5)), ("points", (3, 4)), ("masses", (3,)), ("clean_duals", (39,)), ("poison_duals", (1,))],
    )
    def test_arrays_of_another_shape(self, bench, name, shape):
        made = bench()
        refuse(made, with_witness(made.certify(0.1)[0], **{name: np.zeros(shape)}), "expected shape")


class TestOtherData:
    def test_one_value_that_was_changed(self, bench):
        made = bench()
        certificate = made.certify(0.1)[0]
        X = made.data.X.copy()
        X[certificate.witness.clean_duals.argmax(), 0] += 1e-4
        with pytest.raises(CertificateRejected):
            verify(certificate, pose(Dataset(X, made.data.y), made.feasible_set, made.setting))

    def test_one_label_that_was_changed(self, bench):
        made = bench()
        certificate = made.certify(0.1)[0]
        y = made.data.y.copy()
        y[5] = "ham" if y[5] == "spam" else "spam"
        with pytest.raises(CertificateRejected):
            verify(certificate, pose(Dataset(made.data.X, y), made.feasible_set, made.setting))

    @pytest.mark.parametrize("options", [{"n": 41}, {"d": 5}, {"seed": 1}], ids=str)
    def test_other_rows(self, bench, options):
        certificate = bench().certify(0.1)[0]
        refuse(bench(**options), certificate)


class TestTheBound:
    """What is stated may be larger than what is proven, by the tolerance; never smaller, but for rounding."""

    @pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=str)
    def test_the_recomputed_bound_is_returned(self, bench, hypothesis):
        made = bench(hypothesis=hypothesis)
        certificate = made.certify(0.1)[0]
        assert verify(certificate, made.problem) == certificate.bound

    @pytest.mark.parametrize("share", [1e-3, 1e-9, 9e-10, 1e-11, 1e-12])
    @pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=str)
    def test_a_bound_that_is_too_small_by_little(self, bench, hypothesis, share):
        made = bench(hypothesis=hypothesis)
        certificate = made.certify(0.1)[0]
        low = certificate.bound * (1 - share)
        refuse(made, replace(certificate, bound=low, attack_value=min(certificate.attack_value, low)), "bound|attack")

    @pytest.mark.parametrize("share", [0.0, 1e-12, 1e-10])
    def test_a_bound_that_is_too_large_by_little(self, bench, share):
        made = bench()
        certificate = made.certify(0.1)[0]
        verify(replace(certificate, bound=certificate.bound * (1 + share)), made.problem)

    def test_a_bound_that_another_machine_rounds(self, bench):
        made = bench()
        certificate = made.certify(0.1)[0]
        verify(replace(certificate, bound=certificate.bound - certificate.slack), made.problem)

    def test_a_bound_below_the_stated_attack(self, bench):
        made = bench()
        certificate = made.certify(0.1)[0]
        refuse(made, replace(certificate, attack_value=np.nextafter(certificate.bound, 1)), "attack_value: ")

    def test_a_bound_below_the_proven_attack(self, bench, monkeypatch):
        made = bench()
        certificate = made.certify(0.1)[0]
        too_much = certificate.bound * (1 + 1e-5)
        monkeypatch.setattr("toadstone.certificates.saddle.verify.prove_attack", lambda *_: too_much)
        refuse(made, replace(certificate, attack_value=certificate.bound), "bound: the attack proves")


class TestNoMultiplier:
    """Bands may cancel a direction in rounded numbers only, and leave it without end in a region without bounds."""

    def problem(self, made, *, bounded: bool):
        normal = np.array([0.1, 0.2, 0.3, 0.7])
        limit = np.full(4, 9.0 if bounded else np.inf)
        regions = tuple(
            replace(region, lower=-limit, upper=limit, centre=np.zeros(4), radius=np.inf,
                    bands=normal[None, :], low=np.array([-1.0]), high=np.array([1.0]))
            for region in made.problem.regions
        )  # fmt: skip
        return replace(made.problem, regions=regions), normal

    @pytest.mark.parametrize("bounded", [True, False])
    def test_a_direction_that_the_bands_cancel(self, bench, bounded):
        made = bench()
        problem, normal = self.problem(made, bounded=bounded)
        theta = np.append(0.3 * normal, 0.0)
        multipliers = np.array([[0.0, 0.3], [0.0, -0.3]])
        proof = prove_bound(problem, theta, multipliers)
        assert np.isfinite(proof.bound(0.1)) == bounded
        certificate = replace(
            made.certify(0.1)[0],
            theta=theta, multipliers=multipliers, bound=1.5, clean_loss=proof.clean_loss,
            poison_loss=proof.poison_loss, slack=proof.slack,
        )  # fmt: skip
        with pytest.raises(CertificateRejected, match="bound"):
            verify(certificate, problem)

    def test_a_direction_that_is_zero_needs_none(self, bench):
        problem, _ = self.problem(bench(), bounded=False)
        assert np.isfinite(prove_bound(problem, np.zeros(5), np.zeros((2, 2))).bound(0.1))
