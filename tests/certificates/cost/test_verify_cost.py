"""The verifier accepts the certificate of a cost, and refuses all that differs: of the bound, the floor or the harm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toadstone.certificates.cost.verify import prove_floor, verify_cost
from toadstone.certificates.files import read_certificate, write_certificate
from toadstone.certificates.saddle.certify import Claim
from toadstone.certificates.saddle.least_budget import HarmLimit, certify_budget, certify_changed_budget
from toadstone.core.budget import Budget
from toadstone.core.certificate import CostCertificate, NormBall, Ridge
from toadstone.core.errors import CertificateRejected, InvalidData
from toadstone.kernels.minimax.harmful_models import floor_of_error, floor_of_loss
from toadstone.kernels.sets.sets import unlimited

N, RIDGE = 60, 0.05


@pytest.fixture(scope="module")
def made(bench):
    return bench(n=N, quantile=0.5, hypothesis=Ridge(RIDGE))


@pytest.fixture(scope="module", params=["error", "loss"])
def certificate(request, made):
    X, signs = made.data.X, made.data.signs
    if request.param == "error":
        wanted, floor = 0.6, floor_of_error(X, signs, ridge=RIDGE, wrong=36)
    else:
        wanted, floor = 1.4, floor_of_loss(X, signs, ridge=RIDGE, loss=1.4)
    claim = Claim("0" * 64, ("The rows are clean.",), ("Nothing else.",))
    found = certify_budget(made.data, made.feasible_set, made.setting, claim, limit=floor.value)
    assert found.certificate is not None
    return CostCertificate(request.param, wanted, floor.value, floor.duals, found.certificate)


def refuse(made, certificate, match):
    with pytest.raises(CertificateRejected, match=match) as caught:
        verify_cost(certificate, made.problem)
    assert "\n" not in str(caught.value)


def test_what_was_certified_is_accepted_also_from_a_file(made, certificate, tmp_path):
    write_certificate(certificate, tmp_path / "certificate.json")
    read = read_certificate(tmp_path / "certificate.json")
    assert read.rows == certificate.rows > 1
    for one in (certificate, read):
        found = verify_cost(one, made.problem)
        assert found.bound < found.floor
        assert (found.bound, found.floor) == pytest.approx((one.below.bound, one.floor))


def test_less_harm_is_refused_once_the_bound_is_above_its_floor(made, certificate):
    less = replace(certificate, wanted=0.5 * certificate.wanted)
    refuse(made, less, "floor")
    refuse(made, replace(less, floor=prove_floor(less, made.problem)), "expected it above the bound")


def test_another_kind_of_harm_is_refused(made, certificate):
    other = {"error": "loss", "loss": "error"}[certificate.harm]
    refuse(made, replace(certificate, harm=other), "floor|wanted")


@pytest.mark.parametrize("change", [-1e-3, -1e-7, 1e-7, 1e-3, np.nan, np.inf])
def test_a_floor_that_the_duals_do_not_prove_is_refused(made, certificate, change):
    refuse(made, replace(certificate, floor=certificate.floor + change), "floor")


@pytest.mark.parametrize("wanted", [0.0, -0.1, np.nan, np.inf])
def test_a_harm_that_is_none_is_refused(made, certificate, wanted):
    refuse(made, replace(certificate, wanted=wanted), "wanted|floor")


def test_an_error_of_more_than_all_rows_is_refused(made, certificate):
    refuse(made, replace(certificate, harm="error", wanted=1.01), "wanted")


@pytest.mark.parametrize("place", [0, N - 1])
def test_altered_duals_are_refused(made, certificate, place):
    duals = certificate.floor_duals.copy()
    duals[place] = 1.0 if duals[place] < 0.5 else 0.0
    refuse(made, replace(certificate, floor_duals=duals), "floor")
    for bad in (-1e-9, 1 + 1e-9, np.nan):
        duals[place] = bad
        refuse(made, replace(certificate, floor_duals=duals), "floor")
    refuse(made, replace(certificate, floor_duals=np.append(certificate.floor_duals, 0.0)), "floor_duals")


def test_a_worse_proof_of_the_floor_honestly_stated_is_judged_by_what_it_proves(made, certificate):
    worse = replace(certificate, floor_duals=np.zeros(N))
    worse = replace(worse, floor=prove_floor(worse, made.problem))
    assert worse.floor == pytest.approx(certificate.wanted)
    if worse.floor > certificate.below.bound:
        verify_cost(worse, made.problem)
    else:
        refuse(made, worse, "expected it above the bound")


def test_altered_bounds_budgets_and_settings_are_refused(made, certificate):
    below = certificate.below
    for changes in (
        {"bound": below.bound - 1e-4},
        {"budget": Budget(below.budget.fraction - 1 / N)},
        {"theta": 1.01 * below.theta},
        {"setting": replace(below.setting, loss="smooth_hinge")},
        {"setting": replace(below.setting, hypothesis=NormBall(1.0))},
    ):
        refuse(made, replace(certificate, below=replace(below, **changes)), "expected|proves|states|model")


def test_a_stated_number_of_rows_that_is_not_the_budgets_is_refused(certificate, tmp_path, forge_certificate):
    path = tmp_path / "certificate.json"
    write_certificate(certificate, path)
    forge_certificate(path, certified_rows=certificate.rows + 1)
    with pytest.raises(CertificateRejected, match="certified_rows"):
        read_certificate(path)
    forge_certificate(path, certified_rows=certificate.rows, harm="shame")
    with pytest.raises(InvalidData, match="harm"):
        read_certificate(path)


@pytest.fixture(scope="module", params=["flip", "replace"])
def changed(request, bench):
    made = bench(n=N, quantile=0.5, hypothesis=Ridge(1.0))
    if request.param == "flip":
        setting = replace(made.setting, sanitizers=(), quantile=1.0)
        made = replace(made, setting=setting, feasible_set=unlimited(made.data.classes.tolist(), 4))
    floor = floor_of_error(made.data.X, made.data.signs, ridge=1.0, wrong=54)
    claim, harm = Claim("0" * 64, ("The rows are clean.",), ("Nothing else.",)), HarmLimit(floor.value, 54)
    found = certify_changed_budget(made.data, made.feasible_set, made.setting, claim, kind=request.param, harm=harm)
    assert found.certificate is not None
    return made, CostCertificate("error", 0.9, floor.value, floor.duals, found.certificate)


class TestFlippedAndReplacedRows:
    """The bound compared with the floor is that of the clean objective, which grows with what the changed rows lose."""

    def test_what_was_certified_is_accepted_also_from_a_file(self, changed, tmp_path):
        made, certificate = changed
        write_certificate(certificate, tmp_path / "certificate.json")
        for one in (certificate, read_certificate(tmp_path / "certificate.json")):
            found = verify_cost(one, made.problem)
            assert found.bound < found.floor
            assert found.bound == pytest.approx(one.below.changed.clean_bound)

    def test_less_harm_is_refused_once_the_clean_bound_is_above_its_floor(self, changed):
        made, certificate = changed
        less = replace(certificate, wanted=0.5)
        refuse(made, replace(less, floor=prove_floor(less, made.problem)), "expected it above the bound")

    def test_altered_clean_bounds_and_models_are_refused(self, changed):
        made, certificate = changed
        below = certificate.below
        for changes in ({"clean_bound": below.changed.clean_bound - 1e-4}, {"theta": 1.01 * below.changed.theta}):
            altered = replace(below, changed=replace(below.changed, **changes))
            refuse(made, replace(certificate, below=altered), "clean_bound")
        refuse(made, replace(certificate, below=replace(below, changed=None)), "expected")
