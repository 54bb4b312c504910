"""Certificates for several budgets at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toadstone.certificates.files import read_certificate, write_certificate
from toadstone.certificates.saddle.certify import Claim, certify_saddle
from toadstone.certificates.saddle.proof import prove_attack, prove_bound
from toadstone.certificates.saddle.verify import verify
from toadstone.core.budget import Budget
from toadstone.core.certificate import NormBall, Ridge
from toadstone.core.dataset import Dataset
from toadstone.core.errors import CertificateRejected, InvalidData
from toadstone.kernels.losses import MARGIN_LOSSES
from toadstone.kernels.sets.sets import ConvexSet

GRID = (0.0, 0.01, 0.1, 0.3)
CLAIM = Claim("0" * 64, ("The rows are clean.",), ("Nothing else.",))


@pytest.mark.parametrize("loss", list(MARGIN_LOSSES))
@pytest.mark.parametrize("hypothesis", [NormBall(1.0), NormBall(1e3), Ridge(0.05)], ids=str)
def test_bound_and_attack_meet(bench, loss, hypothesis):
    made = bench(loss=loss, hypothesis=hypothesis)
    for certificate in made.certify(*GRID, tolerance=1e-4):
        assert certificate.attack_value <= certificate.bound
        assert certificate.relative_gap <= 1.01e-4


@pytest.mark.parametrize("domain", ["real", "box", "integer"])
def test_what_is_stated_is_what_is_proven(bench, domain):
    made = bench(domain=domain)
    for certificate in made.certify(*GRID):
        proof = prove_bound(made.problem, certificate.theta, certificate.multipliers)
        fraction = certificate.budget.fraction
        assert certificate.bound == proof.bound(fraction)
        assert (certificate.clean_loss, certificate.poison_loss) == (proof.clean_loss, proof.poison_loss)
        assert certificate.attack_value == min(
            prove_attack(made.problem, certificate.witness, fraction), certificate.bound
        )
        assert certificate.gap == certificate.bound - certificate.attack_value


@pytest.mark.parametrize("tolerance", [0.3, 1e-2, 1e-5])
@pytest.mark.parametrize("hypothesis", [NormBall(2.0), Ridge(0.05)], ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_bounds_never_fall_as_the_fraction_grows(bench, tolerance, hypothesis, seed):
    # A loose tolerance leaves the clean optimum itself loose.
    made = bench(seed=seed, hypothesis=hypothesis)
    bounds = [result.bound for result in made.certify(0.0, 1e-9, 1e-3, 0.01, 0.1, tolerance=tolerance)]
    assert np.all(np.diff(bounds) >= 0)


def test_a_model_found_for_one_fraction_serves_the_others(bench):
    # Alone, a loose tolerance stops at once; together, the better models help.
    made = bench(hypothesis=NormBall(2.0), n=80)
    together = made.certify(*GRID, tolerance=0.2)
    for fraction, certificate in zip(GRID, together, strict=True):
        for other in together:
            assert certificate.bound <= prove_bound(made.problem, other.theta, other.multipliers).bound(fraction)


def test_results_come_in_the_order_asked(bench):
    asked = (0.1, 0.0, 0.3, 0.1)
    results = bench().certify(*asked)
    assert tuple(result.budget.fraction for result in results) == asked
    assert results[0].bound == results[3].bound


def test_progress_is_told_once_a_distinct_fraction(bench):
    steps = []
    bench().certify(0.1, 0.2, 0.1, on_certified=lambda: steps.append(1))
    assert len(steps) == 2


@pytest.mark.parametrize("squared_radius", [1e-6, 0.3, 1.0, 6.0, 1e4])
@pytest.mark.parametrize("d", [1, 7, 400])
def test_models_stay_within_the_ball_to_the_last_digit(bench, squared_radius, d):
    for certificate in bench(hypothesis=NormBall(squared_radius), d=d).certify(0.05, tolerance=0.05):
        assert certificate.theta @ certificate.theta <= squared_radius


def test_no_budget_no_certificate(bench):
    assert bench().certify() == []


@pytest.mark.parametrize(("others", "found"), [(["eggs"], 3), ([], 1)])
def test_other_numbers_of_classes_are_refused(bench, others, found):
    made = bench()
    y = np.array([*others, *["ham"] * (len(made.data) - len(others))])
    y[-1] = "spam" if others else "ham"
    with pytest.raises(InvalidData, match=f"labels: expected two classes, got {found}"):
        replace(made, data=Dataset(made.data.X, y)).certify(0.1)


def test_a_set_without_one_of_the_classes_is_refused(bench):
    made = bench()
    half = ConvexSet({"ham": made.feasible_set.region("ham")})
    with pytest.raises(InvalidData, match="label: expected one of ham, got spam"):
        replace(made, feasible_set=half).certify(0.1)


def test_the_penalty_is_part_of_the_unit(bench):
    ridge, ball = (bench(hypothesis=kind).certify(0.1)[0] for kind in (Ridge(0.05), NormBall(1.0)))
    assert ridge.unit == "hinge loss for each clean row, penalty included"
    assert ball.unit == "hinge loss for each clean row"


class TestLimitsOfClasses:
    """Added rows with a limit for each label."""

    BUDGETS = (Budget.of_classes(0.1, 0.02), Budget(0.12), Budget.of_classes(0.02, 0.1))

    @pytest.mark.parametrize("domain", ["real", "integer"])
    def test_they_bound_no_more_than_their_sum_and_are_verified(self, bench, domain):
        made = bench(domain=domain)
        timed = certify_saddle(made.data, made.feasible_set, self.BUDGETS, made.setting, CLAIM)
        one, total, other = (result.certificate for result in timed)
        assert one.budget.by_class == (0.1, 0.02)
        assert max(one.bound, other.bound) <= total.bound * (1 + 1e-5)
        for certificate in (one, total, other):
            assert certificate.relative_gap <= 1.01e-5
            assert verify(certificate, made.problem) == certificate.bound

    def test_poison_beyond_the_limit_of_a_label_is_refused(self, bench):
        made = bench()
        (one,) = (result.certificate for result in self.made(made))
        swapped = replace(one, budget=Budget.of_classes(0.02, 0.1))
        with pytest.raises(CertificateRejected, match=r"bound|masses|poison"):
            verify(swapped, made.problem)
        moved = replace(one.witness, masses=one.witness.masses[::-1].copy())
        with pytest.raises(CertificateRejected, match="masses"):
            verify(replace(one, witness=moved), made.problem)

    def test_files_keep_them(self, bench, tmp_path):
        made = bench()
        (one,) = (result.certificate for result in self.made(made))
        write_certificate(one, tmp_path / "one.json")
        again = read_certificate(tmp_path / "one.json")
        assert again.budget == one.budget
        assert verify(again, made.problem) == one.bound

    def made(self, made):
        return certify_saddle(made.data, made.feasible_set, self.BUDGETS[:1], made.setting, CLAIM)
