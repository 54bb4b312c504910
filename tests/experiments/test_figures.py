"""Figures in words, and Wilson's interval."""

import pytest

from toadstone.experiments.figures import percent, sizes, wilson


@pytest.mark.parametrize(("fraction", "words"), [(0.03, "3"), (0.005, "0.5"), (0.3, "30"), (0.0, "0"), (1.0, "100")])
def test_fractions_are_percentages_without_rounding_noise(fraction, words):
    assert percent(fraction) == f"{words}\N{NO-BREAK SPACE}%"


def test_the_interval_is_wilsons():
    """Wilson's formula, written out."""
    wrong, tested, z = 10, 100, 1.959963984540054
    centre = (wrong + z**2 / 2) / (tested + z**2)
    half = z / (tested + z**2) * (wrong * (tested - wrong) / tested + z**2 / 4) ** 0.5
    interval = wilson(wrong, tested)
    assert (interval.low, interval.high) == pytest.approx((centre - half, centre + half))
    assert "Wilson" in interval.meaning


def test_sizes(digits):
    assert sizes(digits) == "digits-1-7: 289 training rows, 72 test rows, 64 features"
