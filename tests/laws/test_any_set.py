"""Every attack that knows a feasible set takes any intersection of convex filters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toadstone.pipeline.harness.data_summary import expressible
from toadstone.pipeline.harness.filters import CONVEX
from toadstone.pipeline.harness.poison_check import check_poison

FILTERS = pytest.mark.parametrize("filters", [("slab",), ("loss",), CONVEX], ids="+".join)


@FILTERS
def test_any_intersection_of_convex_filters(movable, filters, scene):
    name, domain = movable
    here = replace(scene(1, domain), filters=filters)
    made = here.poison(name)
    assert len(made) > 0
    check_poison(made, here.data, here.budget_for(name), expressible(here.data, domain))
    assert here.feasible_set.contains(made.X, made.y).all()


@FILTERS
def test_rounded_rows_are_near_any_intersection(rounded, filters, scene, distance):
    name, domain = rounded
    here = replace(scene(1, domain), filters=filters)
    made = here.poison(name)
    assert len(made) > 0
    check_poison(made, here.data, here.budget_for(name), expressible(here.data, domain))
    assert distance(here.feasible_set, made) < np.sqrt(here.data.n_features)
