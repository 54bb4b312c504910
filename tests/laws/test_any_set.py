"""Every attack of the catalogue aims at any intersection of convex filters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toadstone.core.errors import EmptyFeasibleSet
from toadstone.pipeline.harness.catalogue import names, resolve
from toadstone.pipeline.harness.data_summary import expressible
from toadstone.pipeline.harness.filters import CONVEX
from toadstone.pipeline.harness.poison_check import check_poison

FLIPPING = frozenset({"RandomLabelFlip", "TargetedLabelFlip", "ALFAAttack", "GradientAttack"})
"""Classes of attacks that begin with flipped rows, and have nothing to add where none of them is feasible."""

BOUND_TO_A_CERTIFICATE = frozenset({"CollapsedAttack"})
"""Classes of attacks whose points come with the set of a certificate."""


@pytest.mark.parametrize("name", names("attack"))
@pytest.mark.parametrize("filters", [("slab",), ("loss",), CONVEX], ids="+".join)
@pytest.mark.parametrize("domain", ["real", "integer"])
def test_any_intersection_of_convex_filters(name, filters, domain, scene):
    kind = resolve("attack", name).__name__
    if kind in BOUND_TO_A_CERTIFICATE:
        pytest.skip("its set is that of its certificate")
    here = replace(scene(1, domain), filters=filters)
    try:
        made = here.poison(name)
    except EmptyFeasibleSet:
        assert kind in FLIPPING
        assert not here.feasible_set.contains(here.data.X, np.where(here.data.y == "spam", "ham", "spam")).any()
        return
    assert len(made) > 0
    check_poison(made, here.data, here.budget_for(name), expressible(here.data, domain))
    assert not here.stays(name) or here.feasible_set.contains(made.X, made.y).all()
