"""The set that filters leave: what each admits, all of them together, and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.catalogue import names
from toadstone.core.certificate import Ridge, Setting
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.pipeline.certify import FILTERS, build_feasible_set
from toadstone.pipeline.harness.filters import CONVEX, fit_filters
from toadstone.pipeline.harness.judge import Defence


def members(split, filters, **options) -> np.ndarray:
    settings = {"quantile": 0.8, "domain": "real", "ridge": 0.1, **options}
    return fit_filters(split.train, filters, **settings).contains(split.test.X, split.test.y)


def test_they_are_sanitizers_of_the_catalogue():
    assert set(FILTERS) < set(CONVEX) < set(names("sanitizer"))


@pytest.mark.parametrize("name", CONVEX)
def test_each_admits_what_the_sanitizer_of_its_name_does(small, name):
    split = small()
    sanitizer = Defence(contamination=1 - 0.8, ridge=0.1).sanitizer(name).fit(split.train.X, split.train.y)
    expected = sanitizer.feasible_set_.contains(split.test.X, split.test.y)
    assert 0 < expected.sum() < len(expected)
    np.testing.assert_array_equal(members(split, (name,)), expected)


@pytest.mark.parametrize("filters", [("l2", "slab"), ("slab", "loss"), ("loss", "l2"), CONVEX])
def test_together_they_admit_what_all_do(small, filters):
    split = small(seed=3)
    each = np.stack([members(split, (name,)) for name in filters])
    assert not any((each.all(axis=0) == one).all() for one in each)
    np.testing.assert_array_equal(members(split, filters), each.all(axis=0))


def test_the_domain_counts_too(small):
    split = small(kind="integer")
    made = fit_filters(split.train, ["loss"], quantile=0.9, domain="integer")
    top = split.train.X.max(axis=0)
    assert all(np.all(made.region(label).upper <= top) for label in ("ham", "spam"))
    with pytest.raises(InvalidData, match="domain 'integer': expected counts"):
        fit_filters(small().train, ["loss"], quantile=0.9, domain="integer")


def test_a_certificate_is_about_the_same_set(small):
    split = small()
    certified = build_feasible_set(split.train, Setting(FILTERS, 0.8, "box", "hinge", Ridge(0.1)))
    made = fit_filters(split.train, FILTERS, quantile=0.8, domain="box")
    for label in ("ham", "spam"):
        for part in ("lower", "upper", "centre", "radius", "bands", "low", "high"):
            np.testing.assert_array_equal(getattr(certified.region(label), part), getattr(made.region(label), part))


@pytest.mark.parametrize("filters", [(), ("svd",), ("l2", "knn"), ("l2", "l2")])
def test_what_has_no_convex_set_is_refused(small, filters):
    with pytest.raises(InvalidArgument, match="`filters`: expected some of l2, slab, loss, each once"):
        members(small(), filters)


@pytest.mark.parametrize("quantile", [0.4, 1.0])
def test_quantiles_out_of_range(small, quantile):
    with pytest.raises(InvalidArgument, match="`quantile`"):
        members(small(), ("l2",), quantile=quantile)
