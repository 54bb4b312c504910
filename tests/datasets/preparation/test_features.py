"""Scaling is exact, so that every machine finds the same digits."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.preparation.features import (
    ArrayValues,
    Features,
    assemble,
    count,
    fit_rows,
    fit_scaling,
    pixels,
)


def test_mean_is_correctly_rounded_whatever_the_order() -> None:
    X = np.random.default_rng(0).normal(size=(501, 2)) * 10.0 ** np.arange(-8, 8)[np.arange(501) % 16, None]
    mean, spread = fit_scaling(X, "file")
    for column in range(2):
        exact = sum(map(Fraction, X[:, column].tolist()))
        assert mean[column] == pytest.approx(float(exact / 501), rel=2.3e-16)
    again = fit_scaling(X[np.random.default_rng(1).permutation(501)], "file")
    np.testing.assert_array_equal((mean, spread), again)
    np.testing.assert_allclose(spread, X.std(axis=0), rtol=1e-12)


def test_constant_columns_become_zero_not_nan() -> None:
    X = np.c_[np.full(3, 0.1), [1.0, 2.0, 3.0]]
    scaling = fit_rows(X, "standard", "file")
    scaled = scaling.apply(X)
    np.testing.assert_allclose(scaled[:, 0], 0, atol=1e-15)
    np.testing.assert_allclose(scaled.std(axis=0)[1], 1)
    assert scaling.preparation == "2 numbers standardised"


def test_numbers_too_large_to_square() -> None:
    with pytest.raises(InvalidData, match=r"file: expected numbers up to 1e\+100, got 1e\+300"):
        fit_scaling(np.array([[1e300], [0.0]]), "file")


def test_test_rows_are_scaled_by_the_training_rows() -> None:
    scaling = fit_rows(np.array([[1.0], [3.0]]), "standard", "file")
    assert scaling.apply(np.array([[7.0], [-1.0], [2.0]])).ravel().tolist() == [5.0, -3.0, 0.0]


@pytest.mark.parametrize(("wild", "left_out"), [(1e3, True), (-1e3, True), (100.0, False), (-100.0, False)])
def test_a_value_is_left_out_if_it_makes_the_deviation_tenfold(wild: float, *, left_out: bool) -> None:
    X = np.random.default_rng(0).normal(size=(400, 1))
    X[7] = wild
    spread = fit_scaling(X, "file")[1]
    assert (spread[0] < 2) == left_out
    assert left_out or spread[0] == pytest.approx(X.std())


def test_a_single_wild_value_does_not_set_the_scale() -> None:
    X = np.random.default_rng(0).normal(size=(400, 2))
    usual = fit_scaling(X, "file")
    X[7, 0] = 1e6
    mean, spread = fit_scaling(X, "file")
    np.testing.assert_allclose(mean, usual[0], atol=0.02)
    np.testing.assert_allclose(spread, usual[1], rtol=0.1)
    assert spread[1] == usual[1][1]


def test_rare_values_keep_their_deviation() -> None:
    X = np.zeros((1000, 2))
    X[:3, 0], X[:60, 1] = 1.0, 5.0
    np.testing.assert_allclose(fit_scaling(X, "file")[1], X.std(axis=0))


@pytest.mark.parametrize("part", [0, 1])
def test_numbers_too_large_for_anything_are_refused_however_they_come(part: int) -> None:
    rows = [np.ones((3, 2)), np.ones((2, 2))]
    rows[part][0, 1] = -1e160
    with pytest.raises(InvalidData, match=r"file: expected numbers up to 1e\+100, got 1e\+160"):
        assemble(
            "file",
            Features(*rows, "as given"),
            (np.array([0, 1, 1]), np.array([0, 1])),
            (np.arange(3), np.arange(3, 5)),
            "held out",
        )


@pytest.mark.parametrize(
    ("X", "sentence"),
    [
        ([[0.0, 3.0]], "counts as given"),
        ([[0.0, 0.5]], "values within [0, 1] as given"),
        ([[0.0, -0.5]], "numbers as given"),
    ],
)
def test_matrices_are_left_alone(X: list, sentence: str) -> None:
    rows = np.array(X)
    prepared = fit_rows(rows, "auto", "file")
    assert prepared.preparation == sentence
    np.testing.assert_array_equal(prepared.apply(rows), rows)


def test_sparse_rows_are_never_filled() -> None:
    X = csr_array(np.eye(3))
    with pytest.raises(InvalidArgument, match="`scale`: expected 'auto' or 'none' for the sparse rows of file"):
        fit_rows(X, "standard", "file")
    assert fit_rows(X, "auto", "file").apply(X) is X


def test_pixels() -> None:
    images = np.array([[[0, 255], [51, 102]]], dtype=np.uint8)
    np.testing.assert_allclose(pixels(images), [[0, 1, 0.2, 0.4]])
    scaling = fit_rows(images, "auto", "file")
    np.testing.assert_allclose(scaling.apply(images), [[0, 1, 0.2, 0.4]])
    assert (scaling.domain, scaling.preparation) == ("box", "pixels divided by 255")
    two = np.concatenate([images, 255 - images])
    np.testing.assert_allclose(fit_rows(two, "standard", "file").apply(two), [[-1, 1, -1, -1], [1, -1, 1, 1]])


def test_values_are_shown_under_their_names() -> None:
    dense = ArrayValues(np.array([[1.5, 2.0], [3.0, 4.0]]), ("age", "dose"))
    assert dense.describe(1, [1, 0]) == "dose 4, age 3"
    assert ArrayValues(csr_array([[0.0, 7.0]])).describe(0, [1]) == "column 1 7"


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (0, "at least one feature column"),
        (10_000_001, "at most 1,048,576 columns for 0 stored entries, got 10,000,001"),
        (2**20 + 1, "at most 1,048,576 columns for 0 stored entries, got 1,048,577; declare a smaller width"),
    ],
)
def test_impossible_widths(columns: int, sentence: str) -> None:
    X, y, ids = csr_array((2, columns)), np.array([0, 1]), np.arange(2)
    with pytest.raises(InvalidData, match=f"file: expected {sentence}"):
        assemble("file", Features(X, X, ""), (y, y), (ids, ids), "")


def test_plurals() -> None:
    assert [count(1, "number"), count(12345, "number"), count(2, "category", "categories")] == [
        "1 number",
        "12,345 numbers",
        "2 categories",
    ]
