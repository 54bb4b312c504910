"""Trimming by rank, thresholds, reasons and messages."""

import numpy as np
import pytest

from toadstone.core.errors import InvalidData
from toadstone.sanitizers.sphere import SphereSanitizer
from toadstone.sanitizers.trimming import trim


def test_trim_counts_by_pythons_round():
    for n in range(1, 60):
        for share in (0.05, 0.1, 0.25, 0.5):
            kept = trim(np.random.default_rng(n).random(n), np.zeros(n, dtype=int), share)
            assert len(kept) == round((1 - share) * n)


def test_trim_breaks_ties_by_position():
    anomalies = np.array([1.0, 2.0, 2.0, 2.0])
    np.testing.assert_array_equal(trim(anomalies, np.zeros(4, dtype=int), 0.5), [0, 1])


def test_trim_takes_rounding_for_a_tie():
    anomalies = np.array([1.0 + 3e-16, 1.0, 0.5, 0.2])
    np.testing.assert_array_equal(trim(anomalies, np.zeros(4, dtype=int), 0.25), [0, 2, 3])


def test_trim_tells_small_differences_of_small_scores():
    suspicion = 1e-3 * np.array([0.4, 0.1, 0.3, 0.2])
    np.testing.assert_array_equal(trim(suspicion, np.zeros(4, dtype=int), 0.5), [1, 3])


def test_trim_of_equal_scores_keeps_the_first():
    np.testing.assert_array_equal(trim(np.zeros(4), np.zeros(4, dtype=int), 0.5), [0, 1])


def test_trim_never_trades_one_class_for_another():
    anomalies = np.array([9.0, 8.0, 7.0, 6.0, 1.0, 2.0])
    np.testing.assert_array_equal(trim(anomalies, np.array([0, 0, 0, 0, 1, 1]), 0.5), [2, 3, 4])


def test_thresholds_are_interpolated_quantiles():
    X = np.array([[-3.0], [-1.0], [0.0], [1.0], [3.0]])
    sanitizer = SphereSanitizer(contamination=0.1).fit(X)
    assert sanitizer.offset_ == pytest.approx(-np.quantile([3.0, 1.0, 0.0, 1.0, 3.0], 0.9))
    assert sanitizer.feasible_set_.region(0).radius == pytest.approx(3.0)


def test_a_row_on_the_threshold_passes_in_spite_of_rounding():
    # The 0.75 quantile of five distances is the fourth of them, which is that of two rows.
    X = np.array([[-0.3], [-0.1], [0.0], [0.1], [0.3]]) * (1 / 3)
    sanitizer = SphereSanitizer(contamination=0.25).fit(X)
    np.testing.assert_array_equal(sanitizer.predict(X * (1 + 1e-15)), 1)


def test_each_class_loses_its_own_share_with_its_labels():
    X = np.array([[0.0], [1.0], [2.0], [9.0], [0.0], [10.0], [20.0], [90.0]])
    y = np.repeat(["ham", "spam"], 4)
    kept, labels = SphereSanitizer(contamination=0.25).fit_resample(X, y)
    np.testing.assert_array_equal(kept.ravel(), [0.0, 1.0, 2.0, 0.0, 10.0, 20.0])
    np.testing.assert_array_equal(labels, ["ham"] * 3 + ["spam"] * 3)


def test_each_class_has_its_threshold():
    X = np.array([[-1.0], [1.0], [90.0], [110.0]])
    sanitizer = SphereSanitizer().fit(X, ["a", "a", "b", "b"])
    np.testing.assert_allclose(sanitizer.thresholds_, [1.0, 10.0])
    assert not hasattr(sanitizer, "offset_")
    np.testing.assert_array_equal(sanitizer.predict([[5.0], [105.0]], ["a", "b"]), [-1, 1])


def test_without_labels_a_row_counts_as_its_best_class():
    X = np.array([[-1.0], [1.0], [90.0], [110.0]])
    sanitizer = SphereSanitizer().fit(X, ["a", "a", "b", "b"])
    np.testing.assert_allclose(sanitizer.score_samples([[0.5], [96.0]]), [-0.5, -4.0])
    np.testing.assert_allclose(sanitizer.decision_function([[0.5], [96.0]]), [0.5, 6.0])


def test_reasons_name_score_threshold_and_class():
    X = np.array([[0.0], [1.0], [2.0], [9.0]])
    sanitizer = SphereSanitizer(contamination=0.25)
    sanitizer.fit_resample(X, ["ham"] * 4)
    np.testing.assert_array_equal(sanitizer.removed_indices_, [3])
    assert sanitizer.reasons_ == ["distance to the class mean is 6, against a threshold of 3.75 for class ham"]


def test_unknown_label_is_named_with_its_row():
    sanitizer = SphereSanitizer().fit([[0.0], [1.0]], ["ham", "spam"])
    with pytest.raises(InvalidData, match="expected one of ham, spam, got eggs in row 1"):
        sanitizer.score_samples([[0.0], [1.0]], ["ham", "eggs"])


def test_labels_must_match_the_rows():
    sanitizer = SphereSanitizer().fit([[0.0], [1.0]], ["ham", "spam"])
    with pytest.raises(InvalidData, match="one for each of 2 rows"):
        sanitizer.predict([[0.0], [1.0]], ["ham"])


@pytest.mark.parametrize("share", [0.0, 0.6, -0.1, "many"])
def test_contamination_out_of_range(share):
    with pytest.raises(ValueError, match="'contamination' parameter"):
        SphereSanitizer(contamination=share).fit([[0.0], [1.0]])
