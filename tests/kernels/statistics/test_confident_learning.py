"""Confident learning on tables small enough to count by hand."""

import numpy as np
import pytest

from toadstone.kernels.statistics.confident_learning import (
    calibrated_joint,
    confident_joint,
    prune_by_noise_rate,
    usual_confidences,
)

TABLE = np.array([[0.9, 0.1], [0.7, 0.3], [0.55, 0.45], [0.42, 0.58], [0.7, 0.3], [0.1, 0.9]])
CODES = np.array([0, 0, 0, 1, 1, 1])


def test_each_class_has_its_own_confidence():
    np.testing.assert_allclose(usual_confidences(TABLE, CODES), [0.65 + 0.2 / 3, 0.89 / 1.5])


def test_a_row_counts_where_it_is_as_confident_as_the_rows_of_that_label():
    # The confidences are 0.717 and 0.593: rows 1, 2, 3 and 4 reach neither, though row 4 is surely of the first class.
    assert confident_joint(TABLE, CODES).tolist() == [[1, 0], [0, 1]]
    # At 0.7 the fifth row reaches the first class's confidence and counts against its label.
    surer = TABLE.copy()
    surer[0] = [0.85, 0.15]
    assert confident_joint(surer, CODES).tolist() == [[2, 0], [1, 1]]


def test_counts_are_scaled_to_the_labels():
    joint = calibrated_joint(np.array([[3, 1], [0, 0]]), np.repeat([0, 1], [8, 5]))
    np.testing.assert_allclose(joint, [[6, 2], [0, 5]])


@pytest.mark.parametrize(("expected", "pruned"), [(0.0, []), (1.0, [4]), (2.0, [4]), (3.0, [4])])
def test_as_many_as_expected_are_pruned_but_none_that_agrees_with_its_label(expected, pruned):
    joint = np.array([[3.0, 0.0], [expected, 3.0 - expected]])
    assert np.flatnonzero(prune_by_noise_rate(TABLE, CODES, joint)).tolist() == pruned


def test_ties_are_pruned_together():
    table = np.array([[0.3, 0.7], [0.3, 0.7], [0.4, 0.6], [0.2, 0.8]])
    codes = np.array([0, 0, 0, 1])
    assert np.flatnonzero(prune_by_noise_rate(table, codes, np.array([[2.0, 1.0], [0.0, 1.0]]))).tolist() == [0, 1]
