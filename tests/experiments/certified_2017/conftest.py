"""Settings small enough for a fast test."""

import pytest

from toadstone.experiments.certified_2017.certified_curve import CurveProtocol


@pytest.fixture(scope="session")
def miniature():
    """Three fractions, over real values."""
    return CurveProtocol(squared_radius=0.5, fractions=(0.0, 0.03, 0.3))


@pytest.fixture(scope="session")
def counts():
    """Two fractions, over integer counts."""
    return CurveProtocol(squared_radius=0.5, fractions=(0.0, 0.05), domain="integer")
