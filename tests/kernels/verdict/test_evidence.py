"""Evidence about a group: its measures, and that each condition is needed."""

from dataclasses import replace

import numpy as np
import pytest

from toadstone.kernels.verdict.evidence import Evidence, area_under_curve, foreign_share, less_than

GUILTY = Evidence(p_value=1e-6, like=0.9, power=0.9, predictable=0.5)


def test_a_mixture_is_as_foreign_as_its_share_of_foreign_rows():
    own, others = np.array([0.9, 0.7]), np.array([0.1, 0.3])
    assert foreign_share(np.array([0.8, 0.2, 0.2, 0.2]), own, others) == pytest.approx(0.75)
    assert foreign_share(np.array([0.5]), others, own) == 0.0


def test_the_area_counts_ties_half():
    assert area_under_curve(np.array([1.0]), np.array([1.0, 0.0])) == 0.75


def test_lower_values_are_significant_and_higher_ones_are_not():
    low, high = np.linspace(0, 0.4, 10), np.linspace(0.5, 1, 30)
    assert less_than(low, high) < 1e-4
    assert less_than(high, low) > 0.99


@pytest.mark.parametrize("innocent", [{"p_value": 0.01}, {"like": 0.6}, {"power": 0.6}, {"predictable": 0.9}])
def test_each_condition_clears_alone(innocent):
    assert GUILTY.convicts
    assert not replace(GUILTY, **innocent).convicts
