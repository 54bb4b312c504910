"""The largest budget below a limit: that of bounds at every number of rows, one after the other."""

import pytest

from toadstone.certificates.saddle.certify import Claim
from toadstone.certificates.saddle.changes import certify_changes
from toadstone.certificates.saddle.least_budget import (
    HarmLimit,
    SearchEffort,
    certify_budget,
    certify_changed_budget,
)
from toadstone.certificates.saddle.verify import verify
from toadstone.core.budget import Budget
from toadstone.core.certificate import NormBall, Ridge

CLAIM = Claim("0" * 64, ("The rows are clean.",), ("Nothing else.",))


def certified(made, limit, **options):
    return certify_budget(made.data, made.feasible_set, made.setting, CLAIM, limit=limit, **options)


@pytest.mark.parametrize("hypothesis", [None, NormBall(1.0)])
def test_rows_are_those_of_a_search_through_all_budgets(bench, hypothesis):
    made = bench(n=60, hypothesis=hypothesis)
    fractions = [rows / 60 for rows in range(30)]
    bounds = [certificate.bound for certificate in made.certify(*fractions, tolerance=1e-7)]
    for limit in (bounds[1] * 0.999, bounds[3] * 1.001, bounds[9] * 1.001, bounds[20] * 0.999):
        wanted = max((rows for rows, bound in enumerate(bounds) if bound < limit), default=0)
        assert certified(made, limit, tolerance=1e-7).rows == wanted


def test_the_certificate_is_verified_and_below_the_limit(bench):
    made = bench(n=60)
    (limit,) = (certificate.bound for certificate in made.certify(10.5 / 60))
    found = certified(made, limit)
    assert found.rows == 10
    assert found.certificate.bound < limit
    assert found.certificate.budget.count(60) == 10
    verify(found.certificate, made.problem)


def test_a_limit_out_of_reach_certifies_half_the_rows_and_one_below_all_bounds_none(bench):
    made = bench(n=60)
    # Every row wrong costs a model of no weights a loss of one.
    assert certified(made, 10.0).rows == 29
    nothing = certified(made, 0.01)
    assert (nothing.rows, nothing.certificate) == (0, None)


def test_progress_is_reported(bench):
    steps = []
    certified(bench(n=60), 0.5, on_certified=lambda: steps.append(1))
    assert steps


class TestChangedRows:
    """Flipped and replaced rows: ruled out by the clean objective, or by the wrong rows that are left."""

    @pytest.mark.parametrize(("kind", "harm"), [("flip", HarmLimit(1.0)), ("replace", HarmLimit(0.0, wrong=28))])
    @pytest.mark.slow
    def test_rows_are_those_of_a_search_through_all_budgets(self, bench, kind, harm):
        made = bench(n=30, hypothesis=Ridge(0.5))
        found = changed(made, kind, harm)
        assert 0 < found.rows < 14
        held = {rows: ruled_out(made, kind, harm, rows) for rows in (found.rows, found.rows + 1)}
        assert held == {found.rows: True, found.rows + 1: False}

    def test_the_certificate_is_verified(self, bench):
        made = bench(n=30, hypothesis=Ridge(0.5))
        found = changed(made, "flip", HarmLimit(1.0))
        assert found.certificate.budget.count(30) == found.rows
        assert found.certificate.clean_bound < 1.0 <= found.bound_beyond
        verify(found.certificate, made.problem)

    def test_a_limit_below_clean_training_certifies_nothing(self, bench):
        nothing = changed(bench(n=50), "flip", HarmLimit(0.01, wrong=1))
        assert (nothing.rows, nothing.certificate) == (0, None)

    def test_a_harm_out_of_reach_is_certified_for_half_the_rows(self, bench):
        assert changed(bench(n=20, hypothesis=Ridge(0.5)), "flip", HarmLimit(1e6)).rows == 9


def changed(made, kind, harm):
    effort = SearchEffort(tolerance=1e-5)
    return certify_changed_budget(
        made.data, made.feasible_set, made.setting, CLAIM, kind=kind, harm=harm, effort=effort
    )


def ruled_out(made, kind, harm, rows):
    n = len(made.data)
    (found,) = certify_changes(
        made.data, made.feasible_set, [Budget(rows / n, kind)], made.setting, CLAIM, tolerance=1e-5
    )
    one = found.certificate
    return harm.ruled_out(one.bound, one.clean_bound, changed=rows, n=n)
