"""Confident learning against counts made by hand."""

import numpy as np
import pytest

from toadstone.kernels.statistics.confident_learning import (
    calibrated_joint,
    confident_joint,
    prune_by_noise_rate,
    usual_confidences,
)

# A model sure of class 0 (0.95 twice, once mistaken: 0.75 on average) and unsure of class 1 (0.583 on average).
CODES = np.array([0, 0, 0, 1, 1, 1])
TABLE = np.array([[0.95, 0.05], [0.95, 0.05], [0.35, 0.65], [0.4, 0.6], [0.4, 0.6], [0.45, 0.55]])


def test_each_class_has_a_confidence_of_its_own():
    np.testing.assert_allclose(usual_confidences(TABLE, CODES), [2.25 / 3, 1.75 / 3])


def test_thresholds_are_those_of_the_classes_not_of_all_rows():
    # Of all rows the mean is 0.667: it would count neither the third row's 0.65 nor any row of class 1.
    np.testing.assert_array_equal(confident_joint(TABLE, CODES), [[2, 1], [0, 2]])
    pooled = np.mean(TABLE[np.arange(6), CODES])
    assert TABLE[2, 1] < pooled
    assert (TABLE[3:, 1] < pooled).all()


def test_of_several_confident_classes_the_likeliest_counts():
    table = np.array([[0.4, 0.35, 0.25], [0.3, 0.4, 0.3], [0.3, 0.35, 0.35], [0.32, 0.34, 0.34]])
    codes = np.array([0, 1, 2, 2])
    # The last row reaches none of 0.4, 0.4 and 0.345; its rival reaches its own class's.
    np.testing.assert_array_equal(confident_joint(table, codes), [[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    # With 0.3 for class 0 all rows reach that; the greater of two confident probabilities decides.
    table[0] = [0.3, 0.45, 0.25]
    np.testing.assert_array_equal(confident_joint(table, codes), [[0, 1, 0], [0, 1, 0], [1, 0, 1]])


def test_a_row_exactly_at_the_threshold_is_counted_whatever_rounding_did():
    table, codes = np.full((10, 2), [0.9, 0.1]), np.array([0] * 9 + [1])
    # The mean of nine equal probabilities comes out a little larger than each of them.
    assert usual_confidences(table, codes)[0] > 0.9
    np.testing.assert_array_equal(confident_joint(table, codes), [[9, 0], [1, 0]])


def test_counts_are_scaled_to_the_numbers_of_rows():
    joint = np.array([[3, 1], [0, 0]])
    # Nothing is known of class 1: its labels are taken to be right.
    np.testing.assert_allclose(calibrated_joint(joint, np.array([0] * 8 + [1] * 5)), [[6, 2], [0, 5]])


def test_a_single_counted_row_decides_for_its_label():
    joint = np.array([[0, 1], [0, 4]])
    np.testing.assert_allclose(calibrated_joint(joint, np.array([0] * 3 + [1] * 4)), [[0, 3], [0, 4]])


class TestPruning:
    codes = np.array([0, 0, 0, 0, 1, 1])
    table = np.array([[0.9, 0.1], [0.3, 0.7], [0.4, 0.6], [0.2, 0.8], [0.1, 0.9], [0.55, 0.45]])

    @pytest.mark.parametrize(
        ("expected", "rows"),
        [(0.4, []), (0.6, [3]), (1.0, [3]), (2.4, [1, 3]), (3.0, [1, 2, 3]), (9.0, [1, 2, 3])],
    )
    def test_as_many_as_expected_those_first_whose_other_class_leads_most(self, expected, rows):
        joint = np.array([[4.0 - expected, expected], [0.0, 2.0]])
        np.testing.assert_array_equal(np.flatnonzero(prune_by_noise_rate(self.table, self.codes, joint)), rows)

    def test_each_label_has_its_own_number(self):
        joint = np.array([[3.0, 1.0], [1.0, 1.0]])
        np.testing.assert_array_equal(np.flatnonzero(prune_by_noise_rate(self.table, self.codes, joint)), [3, 5])

    def test_the_margin_counts_not_the_probability(self):
        table = np.array([[0.1, 0.5, 0.4], [0.42, 0.55, 0.03], [0.9, 0.1, 0.0]])
        joint = np.array([[2.0, 1.0, 0.0], [0, 0, 0], [0, 0, 0]])
        # The second row is likelier to be of class 1, the first has the wider margin.
        np.testing.assert_array_equal(np.flatnonzero(prune_by_noise_rate(table, np.zeros(3, int), joint)), [0])

    def test_ties_go_together(self):
        table = np.array([[0.3, 0.7], [0.3, 0.7], [0.8, 0.2]])
        joint = np.array([[2.0, 1.0], [0.0, 0.0]])
        np.testing.assert_array_equal(np.flatnonzero(prune_by_noise_rate(table, np.zeros(3, int), joint)), [0, 1])
