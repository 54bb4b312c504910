"""Certificates for labels flipped in place and for rows replaced: above what training does, and tamper-proof."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from toadstone.certificates.files import as_fields, read_certificate, write_certificate
from toadstone.certificates.saddle.certify import Claim
from toadstone.certificates.saddle.changed_rows import error_bound, prove_changes
from toadstone.certificates.saddle.changes import certify_changes
from toadstone.certificates.saddle.verify import verify
from toadstone.core.budget import Budget
from toadstone.core.certificate import NormBall, Ridge
from toadstone.core.errors import CertificateRejected, InvalidArgument
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import margin_loss

CLAIM = Claim("0" * 64, ("The rows are clean.",), ("Nothing else.",))


def certify(made, *budgets, **options):
    timed = certify_changes(made.data, made.feasible_set, budgets, made.setting, CLAIM, **options)
    return [result.certificate for result in timed]


def trained(made, X, signs):
    """The objective of training, and what the model makes of the clean rows."""
    loss, ridge = margin_loss(made.setting.loss), made.setting.hypothesis.strength
    fit = fit_linear(X, signs, loss=loss, ridge=ridge, tolerance=1e-9)
    margins = made.data.signs * (made.data.X @ fit.theta[:-1] + fit.theta[-1])
    clean = float(loss.value(margins).mean()) + ridge / 2 * float(fit.theta @ fit.theta)
    return fit.objective, clean, float(np.mean(margins <= 0))


def check_above(certificate, n, outcome):
    objective, clean, error = outcome
    assert objective <= certificate.bound * (1 + 1e-9)
    assert clean <= certificate.clean_bound * (1 + 1e-9)
    assert error <= error_bound(certificate, n) + 1e-12


@pytest.mark.parametrize(("loss", "ridge"), [("hinge", 0.05), ("logistic", 0.3), ("squared_hinge", 1.0)])
def test_no_flips_do_more(bench, loss, ridge):
    made = bench(n=12, d=2, loss=loss, hypothesis=Ridge(ridge))
    for flips in (1, 2):
        (certificate,) = certify(made, Budget((flips + 0.5) / 12, "flip"))
        for chosen in combinations(range(12), flips):
            signs = made.data.signs.copy()
            signs[list(chosen)] *= -1
            check_above(certificate, 12, trained(made, made.data.X, signs))
        assert certificate.relative_gap <= 1.01e-4


@pytest.mark.parametrize("loss", ["hinge", "logistic"])
def test_no_replaced_rows_do_more(bench, loss):
    made, rng = bench(n=20, d=2, loss=loss), np.random.default_rng(0)
    (certificate,) = certify(made, Budget(0.1, "replace"))
    assert certificate.relative_gap <= 1e-3
    for _ in range(60):
        going = rng.choice(20, 2, replace=False)
        labels = rng.choice(made.data.classes, 2)
        coming = made.feasible_set.project(10 * rng.normal(size=(2, 2)), labels)
        X, signs = made.data.X.copy(), made.data.signs.copy()
        X[going], signs[going] = coming, np.where(labels == made.data.classes[1], 1.0, -1.0)
        check_above(certificate, 20, trained(made, X, signs))


def test_replacing_is_worth_no_more_than_adding(bench):
    made = bench()
    (replaced,) = certify(made, Budget(0.1, "replace"))
    (clean,) = certify(made, Budget(0.0, "replace"))
    assert clean.bound < replaced.bound <= made.certify(0.1)[0].bound * (1 + 1e-4)


def test_without_rows_the_bounds_are_those_of_clean_training(bench):
    made = bench()
    for kind in ("flip", "replace"):
        (certificate,) = certify(made, Budget(0.0, kind))
        clean = trained(made, made.data.X, made.data.signs)[0]
        assert (certificate.bound, certificate.clean_bound) == pytest.approx((clean, clean), rel=1e-3)


def test_bounds_never_fall_as_the_fraction_grows(bench):
    budgets = [Budget(fraction, "flip") for fraction in (0.0, 0.05, 0.1, 0.3)]
    made = certify(bench(), *budgets)
    assert np.all(np.diff([one.bound for one in made]) >= 0)
    assert np.all(np.diff([one.clean_bound for one in made]) >= 0)


def test_limits_of_classes_bound_less_than_their_sum(bench):
    made = bench(n=24, hypothesis=Ridge(0.3))
    both, together = certify(made, Budget.of_classes(0.05, 0.1, "flip")), certify(made, Budget(0.15, "flip"))
    assert both[0].bound <= together[0].bound * (1 + 1e-4)
    proof = prove_changes(made.problem, both[0].theta, both[0].multipliers, flipped=True)
    assert proof.bound((1, 2)) <= proof.bound(3)


def test_a_norm_ball_is_for_replaced_rows_alone(bench):
    made = bench(hypothesis=NormBall(1.0))
    (certificate,) = certify(made, Budget(0.1, "replace"))
    verify(certificate, made.problem)
    with pytest.raises(InvalidArgument, match="norm_squared`: expected a ridge"):
        certify(made, Budget(0.1, "flip"))


@pytest.fixture(scope="module")
def stated(bench):
    """A certificate of each kind, with its problem."""
    made = bench()
    budgets = Budget(0.1, "flip"), Budget.of_classes(0.05, 0.1, "flip"), Budget(0.1, "replace")
    return made, {str(budget): certify(made, budget)[0] for budget in budgets}


def test_what_was_certified_is_verified_also_from_its_file(stated, tmp_path):
    made, certificates = stated
    for certificate in certificates.values():
        write_certificate(certificate, tmp_path / "one.json")
        again = read_certificate(tmp_path / "one.json")
        assert as_fields(again) == as_fields(certificate)
        assert (again.budget, again.clean_bound) == (certificate.budget, certificate.clean_bound)
        assert verify(again, made.problem) == certificate.bound


def refuse(made, certificate, match):
    with pytest.raises(CertificateRejected, match=match):
        verify(certificate, made.problem)


def with_changed(certificate, **parts):
    return replace(certificate, changed=replace(certificate.changed, **parts))


def test_numbers_that_the_models_do_not_prove_are_refused(stated):
    made, certificates = stated
    for one in certificates.values():
        refuse(made, replace(one, bound=one.bound * (1 - 1e-8), attack_value=0.0), "bound")
        refuse(made, with_changed(one, clean_bound=one.clean_bound * (1 - 1e-7)), "clean_bound")
        refuse(made, with_changed(one, clean_bound=float("inf")), "clean_bound")
        refuse(made, with_changed(one, theta=2 * one.changed.theta), "clean_bound")
        refuse(made, replace(one, theta=1.1 * one.theta), "bound")
        refuse(made, replace(one, attack_value=one.attack_value * (1 - 1e-6)), "attack_value")
        for name in ("clean_loss", "poison_loss", "slack"):
            refuse(made, replace(one, **{name: getattr(one, name) + 0.01}), name)
        refuse(made, replace(one, changed=None), "budget_kind")


def test_attacks_beyond_the_budget_are_refused(stated):
    made, certificates = stated
    for one in certificates.values():
        shares, witness = one.changed.shares, one.witness
        refuse(made, with_changed(one, shares=shares * 1.5), "shares")
        refuse(made, with_changed(one, shares=-shares), "shares")
        refuse(made, with_changed(one, shares=shares[1:]), "shares")
        refuse(made, replace(one, witness=replace(witness, clean_duals=witness.clean_duals + 2)), "clean_duals")
        kind = replace(one.budget, kind="replace" if one.budget.kind == "flip" else "flip")
        refuse(made, replace(one, budget=kind), "points|signs|poison_duals|bound|masses")


def test_flips_spread_over_all_rows_count_too(stated):
    made, certificates = stated
    for one in (certificate for certificate in certificates.values() if certificate.budget.kind == "flip"):
        spread = np.full(40, 1.2 * one.budget.count(40) / 40)
        refuse(made, with_changed(one, shares=spread), "shares: expected no more flips")


def test_changed_rows_count_as_wrong_where_the_clean_bound_says_less(stated):
    _, certificates = stated
    for one in certificates.values():
        wide, narrow = (with_changed(replace(one, bound=0.2), clean_bound=bound) for bound in (5.0, 0.25))
        assert error_bound(wide, 40) == pytest.approx(0.2 + one.budget.count(40) / 40)
        assert error_bound(narrow, 40) == 0.25
        assert error_bound(replace(wide, bound=2.0), 40) == 1.0
        logistic = replace(wide, setting=replace(wide.setting, loss="logistic"))
        assert error_bound(logistic, 40) == pytest.approx(0.2 / np.log(2) + one.budget.count(40) / 40)


def test_rows_added_without_taking_any_away_are_refused(stated):
    made, certificates = stated
    (one,) = (certificate for certificate in certificates.values() if certificate.budget.kind == "replace")
    refuse(made, with_changed(one, shares=0 * one.changed.shares), "shares")
    witness = replace(one.witness, masses=1.5 * one.witness.masses)
    refuse(made, replace(one, witness=witness), "masses")
    refuse(made, replace(one, witness=replace(one.witness, points=one.witness.points + 100.0)), "points")


def test_a_smaller_budget_than_was_proved_for_is_no_excuse(stated):
    made, certificates = stated
    for one in certificates.values():
        fraction = replace(one.budget, fraction=one.budget.fraction + 0.1, by_class=None)
        refuse(made, replace(one, budget=fraction), "bound")
