"""The largest budget below a limit: that of bounds at every number of rows, one after the other."""

import pytest

from toadstone.certificates.saddle.certify import Claim
from toadstone.certificates.saddle.least_budget import certify_budget
from toadstone.certificates.saddle.verify import verify
from toadstone.core.certificate import NormBall

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
