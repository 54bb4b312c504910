"""Results of ByzFL 0.0.11 where it is right, and where it is not.

The numbers come from running its rules, or from its documentation. Some documented results are wrong: Krum and
Multi-Krum for 3 clients and f = 1 are outside of their condition, and the geometric median is three smoothed steps from
the origin.
"""

import numpy as np
import pytest

from toadstone.core.errors import InvalidInput
from toadstone.federated import (
    AdaptiveClipping,
    CentredClipping,
    Chain,
    CoordinateMedian,
    GeometricMedian,
    Krum,
    MeaMed,
    Mean,
    MinimumDiameter,
    MultiKrum,
    NearestNeighbourMixing,
    StaticClipping,
    TrimmedMean,
    aggregate,
)
from toadstone.kernels.robust_mean.clipping import adaptive_radius

DOCUMENTED = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
UPDATES = np.array(
    [[3, 1, -2], [2, 2, -1], [4, 0, -3], [1, 1, -1], [3, 3, -2], [2, 0, -4], [5, 1, -1], [40, -30, 20], [-25, 35, 30]],
    dtype=np.float64,
)
SEVENTHS = [20 / 7, 8 / 7, -2.0]


@pytest.mark.parametrize(
    ("rule", "malicious", "expected"),
    [
        (Mean(), 0, [4.0, 5.0, 6.0]),
        (CoordinateMedian(), 1, [4.0, 5.0, 6.0]),
        (TrimmedMean(), 1, [4.0, 5.0, 6.0]),
        (MeaMed(), 1, [2.5, 3.5, 4.5]),
        (MinimumDiameter(), 1, [2.5, 3.5, 4.5]),
        (CentredClipping(radius=100.0), 1, [4.0, 5.0, 6.0]),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_documented_results(rule, malicious, expected):
    assert rule(DOCUMENTED, malicious).tolist() == expected
    assert rule(list(DOCUMENTED), malicious).tolist() == expected


@pytest.mark.parametrize(
    ("step", "malicious", "expected"),
    [
        (NearestNeighbourMixing(), 1, [[2.5, 3.5, 4.5], [2.5, 3.5, 4.5], [5.5, 6.5, 7.5]]),
        (
            StaticClipping(radius=2.0),
            0,
            [
                [0.53452248, 1.06904497, 1.60356745],
                [0.91168461, 1.13960576, 1.36752692],
                [1.00514142, 1.14873305, 1.29232469],
            ],
        ),
        (AdaptiveClipping(), 1, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [4.41004009, 5.04004582, 5.67005155]]),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_documented_results_before_a_rule(step, malicious, expected):
    np.testing.assert_allclose(step(DOCUMENTED, malicious), expected, rtol=1e-8)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (CoordinateMedian(), [3.0, 1.0, -1.0]),
        (TrimmedMean(), [2.8, 1.0, -1.4]),
        (Krum(neighbours=6), [3.0, 1.0, -2.0]),
        (MultiKrum(keep=7, neighbours=6), SEVENTHS),
        (MinimumDiameter(), SEVENTHS),
        (MeaMed(), SEVENTHS),
        (CentredClipping(radius=2.0, steps=3), [2.5082318248, 1.1301151549, -1.3694500514]),
        (GeometricMedian(tolerance=1e-12), [2.9605622401, 1.0932195314, -1.8550471037]),
        (Chain((NearestNeighbourMixing(),), Krum(neighbours=6)), SEVENTHS),
        (
            Chain((AdaptiveClipping(), NearestNeighbourMixing()), TrimmedMean()),
            [2.8301788919, 1.1374643498, -1.9946072069],
        ),
    ],
    ids=lambda value: getattr(value, "spec", None),
)
def test_results_on_nine_clients(rule, expected):
    """Its geometric median with 3,000 steps; its Krum counts one neighbour more, and its Multi-Krum keeps n - f."""
    np.testing.assert_allclose(rule(UPDATES, 2), expected, rtol=1e-7)


def test_adaptive_clipping_of_nine_clients():
    clipped = AdaptiveClipping()(UPDATES, 2)
    np.testing.assert_array_equal(clipped[:6], UPDATES[:6])
    np.testing.assert_allclose(clipped[6], [4.8112522432, 0.9622504486, -0.9622504486], rtol=1e-9)
    np.testing.assert_allclose(clipped[8], [-2.3836564731, 3.3371190624, 2.8603877677], rtol=1e-9)


def test_mixing_of_nine_clients():
    mixed = NearestNeighbourMixing()(UPDATES, 2)
    np.testing.assert_allclose(mixed[:7], np.tile(SEVENTHS, (7, 1)), rtol=1e-12)
    np.testing.assert_allclose(mixed[7], [8.1428571429, -3.5714285714, 1.1428571429], rtol=1e-9)


def test_trap_krum_outside_of_its_condition():
    """ByzFL documents [1, 2, 3] for these three clients, whichever of them is malicious."""
    for rule in ("krum", "multi-krum"):
        with pytest.raises(InvalidInput, match=r"needs n >= 2f \+ 3: got n = 3, f = 1$"):
            aggregate(DOCUMENTED, rule, malicious=1)


def test_trap_three_steps_are_no_geometric_median():
    """ByzFL documents [3.788, 4.788, 5.788]; the least sum of distances is at the client in the middle."""
    np.testing.assert_allclose(aggregate(DOCUMENTED, "geometric-median", malicious=1), [4.0, 5.0, 6.0], rtol=1e-9)


def test_trap_three_clients_of_fifteen_that_are_not_finite():
    """ByzFL's median, geometric median, Krum, centred clipping and MeaMed return NaN."""
    updates = 1.0 + 0.1 * np.random.default_rng(0).normal(size=(15, 20))
    updates[:3] = [[np.nan], [np.inf], [-np.inf]]
    for rule in ("median", "geometric-median", "krum", "centred-clipping", "meamed"):
        np.testing.assert_array_equal(aggregate(updates, rule, malicious=3), aggregate(updates[3:], rule, malicious=0))


def test_trap_a_product_that_falls_short_of_a_whole_number():
    """2 (33 / 242) (242 - 33) is 57, and 56.99999999999999 in floating point, as ByzFL's ARC computes it."""
    norms = np.arange(1.0, 243.0)
    assert int(2 * 33 / 242 * (242 - 33)) == 56
    assert adaptive_radius(norms, 33) == 242 - 57
