"""Certificates of several classes, for several budgets at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toadstone.certificates.multiclass.proof import prove_multiclass_attack, prove_multiclass_bound
from toadstone.certificates.multiclass.verify import verify_multiclass
from toadstone.certificates.saddle.certify import Claim, certify_saddle
from toadstone.core.budget import Budget
from toadstone.core.certificate import NormBall, Ridge
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.linear.crammer_singer import fit_crammer_singer
from toadstone.kernels.sets.sets import ConvexSet

GRID = (0.0, 0.01, 0.1, 0.3)
DOMAINS = ("real", "box", "integer")


@pytest.mark.parametrize("domain", DOMAINS)
def test_bound_and_attack_meet_and_are_what_the_parts_prove(several, domain):
    made = several(domain=domain)
    for certificate in made.certify(*GRID, tolerance=1e-4):
        fraction = certificate.budget.fraction
        proof = prove_multiclass_bound(made.problem, certificate.theta, certificate.multipliers)
        assert certificate.bound == proof.bound(fraction)
        assert (certificate.clean_loss, certificate.poison_loss) == (proof.clean_loss, proof.poison_loss)
        reached = prove_multiclass_attack(made.problem, certificate.witness, fraction)
        assert certificate.attack_value == min(reached, certificate.bound)
        assert 0 <= certificate.relative_gap <= 1.01e-4
        verify_multiclass(certificate, made.problem)


@pytest.mark.parametrize("tolerance", [0.3, 1e-4])
@pytest.mark.parametrize("seed", range(2))
def test_bounds_never_fall_as_the_fraction_grows(several, tolerance, seed):
    bounds = [made.bound for made in several(seed=seed).certify(0.0, 1e-9, 1e-3, 0.01, 0.1, tolerance=tolerance)]
    assert np.all(np.diff(bounds) >= 0)


def test_results_come_in_the_order_asked_and_progress_is_told_once_a_fraction(several):
    asked, steps = (0.1, 0.0, 0.1), []
    results = several().certify(*asked, on_certified=lambda: steps.append(1))
    assert tuple(result.budget.fraction for result in results) == asked
    assert results[0].bound == results[2].bound
    assert len(steps) == 2


@pytest.mark.parametrize("domain", DOMAINS)
def test_two_classes_have_the_bound_of_their_own_certificate_at_half_the_ridge(several, domain):
    made = several(domain=domain, k=2, ridge=0.1)
    (certificate,) = made.certify(0.1, tolerance=1e-6)
    setting = replace(made.setting, hypothesis=Ridge(0.05))
    (other,) = certify_saddle(made.data, made.feasible_set, [Budget(0.1)], setting, Claim("", (), ()), tolerance=1e-6)
    assert certificate.bound == pytest.approx(other.certificate.bound, rel=3e-6)
    assert certificate.attack_value == pytest.approx(other.certificate.attack_value, rel=3e-6)


def test_the_attack_as_weighted_rows_trains_a_model_of_that_value(several):
    made = several()
    (certificate,) = made.certify(0.2, tolerance=1e-6)
    witness, n = certificate.witness, len(made.data)
    X = np.vstack([made.data.X, witness.points])
    classes = np.append(made.problem.classes, witness.labels)
    weights = np.append(np.ones(n), n * witness.masses)
    fit = fit_crammer_singer(X, classes, 3, ridge=0.05, weights=weights, tolerance=1e-8)
    assert 1.2 * fit.objective == pytest.approx(certificate.attack_value, rel=1e-5)
    # Weak duality: the witness never claims more than training on it gives.
    assert certificate.attack_value <= 1.2 * fit.objective


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"loss": "logistic"}, "`loss`: expected hinge for 3 classes, got logistic"),
        ({"hypothesis": NormBall(2.0)}, "`norm_squared`: expected a ridge in its place for 3 classes, got 2"),
    ],
)
def test_settings_for_two_classes_are_refused(several, changes, sentence):
    made = several()
    with pytest.raises(InvalidArgument, match=sentence):
        replace(made, setting=replace(made.setting, **changes)).certify(0.1)


def test_a_set_without_one_of_the_classes_is_refused(several):
    made = several()
    part = ConvexSet({label: made.feasible_set.region(label) for label in ("eggs", "ham")})
    with pytest.raises(InvalidData, match="label: expected one of"):
        replace(made, feasible_set=part).certify(0.1)
