"""Data sets that ship with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

from toadstone.core.errors import InvalidArgument
from toadstone.datasets.catalogue.embedded import read_breast_cancer, read_digits
from toadstone.datasets.readers.request import Request


def test_digits_are_the_pixels_of_the_requested_classes() -> None:
    bunch = load_digits()
    split = read_digits("digits", Request(classes=("7", "1")))
    for part in (split.train, split.test):
        np.testing.assert_array_equal(part.X * 16, bunch.data[part.row_ids])
        np.testing.assert_array_equal(part.y, bunch.target[part.row_ids])
    assert split.train.classes.tolist() == [1, 7]
    assert (split.domain, split.preparation) == ("box", "pixels divided by 16")
    assert read_digits("digits", Request(classes=("1", "7"))).train.y.tolist() == split.train.y.tolist()
    with pytest.raises(InvalidArgument, match=r"`classes`: expected labels among '0', '1'.* \(digits\), got 'x'"):
        read_digits("digits", Request(classes=("1", "x")))


def test_measurements_are_standardised_on_training_rows_and_labels_are_names() -> None:
    bunch = load_breast_cancer()
    split = read_breast_cancer("cells", Request(test_share=0.5, random_state=1))
    raw = bunch.data[split.train.row_ids]
    np.testing.assert_allclose(split.train.X, (raw - raw.mean(axis=0)) / raw.std(axis=0), atol=1e-9)
    np.testing.assert_allclose(split.test.X, (bunch.data[split.test.row_ids] - raw.mean(axis=0)) / raw.std(axis=0))
    assert set(split.train.y.tolist()) == {"malignant", "benign"}
    np.testing.assert_array_equal(split.test.y == "benign", bunch.target[split.test.row_ids] == 1)
    assert split.test_origin == "50 % held out at random, stratified, seed 1"
