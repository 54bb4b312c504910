"""Patch features as a scikit-learn transformer."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from toadstone.core.errors import InvalidArgument
from toadstone.learners import OneHotRidgeClassifier, PatchFeatures

SMALL = PatchFeatures(n_centroids=24, patch_size=4, grid=2, n_patches=4000)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16.0, y


@parametrize_with_checks([PatchFeatures(n_centroids=3, patch_size=2, n_patches=100, image_shape=(1, -1))])
def test_scikit_learn_transformer(estimator, check):
    check(estimator)


def test_a_linear_model_of_patches_beats_one_of_pixels(digits):
    X, y = digits
    plain = OneHotRidgeClassifier(ridge=0.1).fit(X[:900], y[:900])
    patched = make_pipeline(SMALL, OneHotRidgeClassifier(ridge=0.1)).fit(X[:900], y[:900])
    assert patched.score(X[900:], y[900:]) > plain.score(X[900:], y[900:]) + 0.01


def test_labels_seeds_and_the_order_of_images(digits):
    X, y = digits
    plain = clone(SMALL).fit(X).transform(X[:5])
    np.testing.assert_array_equal(clone(SMALL).fit(X, y).transform(X[:5]), plain)
    np.testing.assert_array_equal(clone(SMALL).fit(X[::-1]).transform(X[:5]), plain)
    np.testing.assert_allclose(clone(SMALL).fit(csr_array(X)).transform(csr_array(X[:5])), plain, atol=1e-12)
    other = clone(SMALL).set_params(random_state=1).fit(X).transform(X[:5])
    assert not np.allclose(other, plain)


def test_features_have_a_mean_square_of_one(digits):
    X, _ = digits
    assert np.mean(clone(SMALL).fit_transform(X) ** 2) == pytest.approx(1.0, abs=0.05)


def test_colours(digits):
    X, _ = digits
    colours = np.repeat(X[:200, :, None], 3, axis=2).reshape(200, -1)
    shaped = clone(SMALL).set_params(image_shape=(8, 8, 3))
    assert shaped.fit_transform(colours).shape == (200, 96)


@pytest.mark.parametrize("shape", [None, (9, 7), (8, 8, 2), (4, 4, 2, 2), (64,)])
def test_columns_must_make_up_images(digits, shape):
    X, _ = digits
    columns = X if shape else X[:, :63]
    with pytest.raises(InvalidArgument, match=r"`image_shape`: expected .*, got"):
        clone(SMALL).set_params(image_shape=shape).fit(columns)
