"""One object for budget, domain, feasible set and defence."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.core.budget import Budget
from toadstone.core.dataset import Poison
from toadstone.core.errors import BudgetExceeded, InvalidArgument
from toadstone.pipeline.harness.data_summary import expressible
from toadstone.pipeline.harness.filters import fit_filters
from toadstone.pipeline.harness.judge import Defence
from toadstone.pipeline.harness.threat_model import ThreatModel, expected_quantile, settle_domain


def threat(split, domain="real", filters=("l2", "loss")):
    return ThreatModel(split.train, Budget(0.1), domain, Defence(ridge=0.2), filters, 0.8)


@pytest.mark.parametrize("domain", ["real", "integer"])
def test_the_feasible_set_is_that_of_the_filters(small, domain):
    split = small(kind=domain)
    found = threat(split, domain)
    wanted = fit_filters(split.train, ("l2", "loss"), quantile=0.8, domain=domain, ridge=0.2)
    for label in ("ham", "spam"):
        labels = np.repeat(label, len(split.test))
        inside = wanted.contains(split.test.X, labels)
        assert inside.any()
        assert np.array_equal(found.feasible_set.contains(split.test.X, labels), inside)
    assert found.integer == (domain == "integer")
    assert np.array_equal(found.row_domain.upper, expressible(split.train, domain).upper)


def test_refitted_filters_follow_the_rows_within_the_domain_of_the_clean_ones(small):
    split = small(kind="integer")
    found = threat(split, "integer", ("l2",))
    rows = found.refit(split.train.X, split.train.y)
    same = found.feasible_set
    moved = found.refit(split.train.X + 0.5, split.train.y)
    for label in ("ham", "spam"):
        assert np.allclose(rows.region(label).centre, same.region(label).centre)
        assert np.allclose(moved.region(label).centre, same.region(label).centre + 0.5)
        assert np.array_equal(moved.region(label).upper, same.region(label).upper)


def test_poison_is_checked_against_budget_and_domain(small):
    split = small(kind="integer")
    found = threat(split, "integer")
    nine = split.train.X[:9], split.train.y[:9]
    with pytest.raises(BudgetExceeded, match="expected at most 8 rows, got 9"):
        found.check(Poison(*nine))
    with pytest.raises(BudgetExceeded, match="expected whole numbers, got fractions"):
        found.check(Poison(split.train.X[:1] + 0.5, split.train.y[:1]))
    found.check(Poison(split.train.X[:8], split.train.y[:8]))


def test_an_attacker_plans_for_twice_what_is_removed():
    assert expected_quantile(0.05) == 0.9
    assert expected_quantile(0.4) == 0.5


def test_the_domain_is_asked_for_published_or_seen(small):
    assert settle_domain(small(kind="integer"), "auto") == "integer"
    assert settle_domain(small(kind="integer"), "real") == "real"
    with pytest.raises(InvalidArgument, match="`domain`: expected one of auto, real, box, integer, got cube"):
        settle_domain(small(), "cube")
