"""Groups whose labels change a prediction alone, against every relabelling and the certified counts."""

from __future__ import annotations

import itertools

import numpy as np

from toadstone.kernels.label_response.flips import certify_flips, changed_by_one_group

GROUPS = np.array([0, 0, 1, 2, 2, 1])
CODES = np.array([0, 1, 0, 2, 0, 1])
ALPHA = np.random.default_rng(0).integers(-6, 12, size=(60, 6)) / 4.0


def elected(alpha, codes):
    return int(np.argmax([alpha[codes == label].sum() for label in range(3)]))


def breaks(alpha, group):
    rows = np.flatnonzero(group == GROUPS)
    for labels in itertools.product(range(3), repeat=len(rows)):
        changed = CODES.copy()
        changed[rows] = labels
        if elected(alpha, changed) != elected(alpha, CODES):
            return True
    return False


def test_every_relabelling_of_a_group_is_covered():
    found = changed_by_one_group(ALPHA, CODES, n_classes=3, groups=GROUPS)
    assert found.tolist() == [[breaks(alpha, group) for group in range(3)] for alpha in ALPHA]
    assert 0 < found.mean() < 1


def test_one_group_suffices_exactly_where_the_count_is_zero():
    error = np.full(len(ALPHA), 0.3)
    found = changed_by_one_group(ALPHA, CODES, n_classes=3, groups=GROUPS, error=error)
    counts = certify_flips(ALPHA, CODES, n_classes=3, groups=GROUPS, error=error).count
    np.testing.assert_array_equal(found.any(axis=1), counts == 0)
