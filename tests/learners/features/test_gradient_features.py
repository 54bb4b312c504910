"""Gradient histograms: of a row alone, for images of any shape."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.patches.gradients import gradient_histograms, upright
from toadstone.learners import GradientFeatures


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16.0, y


@parametrize_with_checks([GradientFeatures(cell=2, image_shape=(1, -1))])
def test_scikit_learn_transformer(estimator, check):
    check(estimator)


def test_a_row_is_described_without_the_others(digits):
    X, _ = digits
    every = GradientFeatures(cell=2).fit_transform(X[:700])
    alone = GradientFeatures(cell=2).fit(X[900:]).transform(X[[690]])
    np.testing.assert_array_equal(alone[0], every[690])
    np.testing.assert_array_equal(GradientFeatures(cell=2).fit_transform(csr_array(X[:700])), every)


def test_few_labels_suffice(digits):
    X, y = digits
    features = GradientFeatures(cell=2).fit_transform(X)
    plain, described = (
        RidgeClassifier(alpha=0.1).fit(rows[:60], y[:60]).score(rows[60:], y[60:]) for rows in (X, features)
    )
    assert described > plain + 0.02


def slanted(slant):
    """A bar that leans by so many pixels a row, a little off the centre."""
    y, x = np.mgrid[:15, :15]
    return np.clip(2 - np.abs(x - 8 - slant * (y - 7)), 0, 1) * ((y > 2) & (y < 12))


@pytest.mark.parametrize("slant", [-0.6, 0.0, 0.4])
def test_a_slanted_bar_is_stood_upright_in_the_middle(slant):
    image = upright(slanted(slant)[None])[0]
    y, x = np.mgrid[:15, :15]
    mean_y, mean_x = ((image * axis).sum() / image.sum() for axis in (y, x))
    assert (mean_y, mean_x) == pytest.approx((7, 7), abs=0.2)
    assert abs((image * (y - mean_y) * (x - mean_x)).sum() / (image * (y - mean_y) ** 2).sum()) < 0.05


def test_an_edge_points_one_way():
    image = np.zeros((1, 8, 8))
    image[0, :, 4:] = 1.0
    cells = gradient_histograms(image, bins=4, cell=4)[0, :16].reshape(4, 2, 2)
    # Brighter to the right is the first of the four directions, in all cells alike.
    assert (cells[0] == cells[0, 0, 0]).all()
    assert cells[0, 0, 0] > 0
    assert not cells[1:].any()


def test_brightness_does_not_matter_and_blank_images_are_zero(digits):
    X, _ = digits
    made = GradientFeatures(cell=3).fit(X)
    np.testing.assert_allclose(made.transform(0.3 * X[:20]), made.transform(X[:20]), atol=1e-12)
    assert not made.transform(np.zeros((2, 64))).any()
    np.testing.assert_allclose(np.linalg.norm(made.transform(X[:20]), axis=1), 1.0)


def test_colours_are_averaged(digits):
    X, _ = digits
    colours = np.repeat(X[:20, :, None], 3, axis=2).reshape(20, -1)
    shaped = GradientFeatures(image_shape=(8, 8, 3)).fit_transform(colours)
    np.testing.assert_allclose(shaped, GradientFeatures().fit_transform(X[:20]), atol=1e-9)


def test_images_that_are_none_are_refused(digits):
    X, _ = digits
    with pytest.raises(InvalidArgument, match=r"`image_shape`: expected .*, got"):
        GradientFeatures(image_shape=(9, 7)).fit(X)
    with pytest.raises(InvalidData, match=r"Negative values in data: expected images without them, got -0\.5"):
        GradientFeatures().fit(X).transform(X[:1] - 0.5)
