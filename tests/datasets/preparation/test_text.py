"""Words are learned from training texts only, and digits agree between machines."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import issparse
from sklearn.feature_extraction.text import TfidfVectorizer

from toadstone.core.errors import InvalidData
from toadstone.datasets.preparation.text import encode_texts

TEXTS = ["win cash cash now", "win a prize", "see you now", "you win", "secret secret win", "secret"]
TRAIN, TEST = np.arange(4), np.array([4, 5])


def test_counts_of_words_in_two_training_texts() -> None:
    encoded = encode_texts(TEXTS, TRAIN, TEST, weighting="counts", what="file")
    assert encoded.names == ("now", "win", "you")
    np.testing.assert_array_equal(encoded.train.toarray(), [[1, 1, 0], [0, 1, 0], [1, 0, 1], [0, 1, 1]])
    np.testing.assert_array_equal(encoded.test.toarray(), [[0, 1, 0], [0, 0, 0]])
    assert encoded.domain == "integer"
    assert encoded.preparation == "counts of 3 words found in at least 2 training texts"


def test_tfidf_is_that_of_the_training_texts_to_six_decimals() -> None:
    encoded = encode_texts(TEXTS, TRAIN, TEST, weighting="tfidf", what="file")
    reference = TfidfVectorizer(min_df=2).fit([TEXTS[row] for row in TRAIN])
    for X, rows in ((encoded.train, TRAIN), (encoded.test, TEST)):
        np.testing.assert_allclose(
            X.toarray(), reference.transform([TEXTS[row] for row in rows]).toarray(), atol=5.1e-7
        )
        np.testing.assert_array_equal(X.data, np.round(X.data, 6))
        assert np.all(X.data > 0)
        assert issparse(X)
    assert encoded.domain == "box"
    assert encoded.preparation.startswith("TF-IDF of 3 words found in at least 2 training texts, rounded")


def test_values_that_round_to_zero_are_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toadstone.datasets.preparation.text._DECIMALS", 0)
    encoded = encode_texts(
        ["win " * 9 + "you", "win you", "you win"], np.arange(3), np.array([2]), weighting="tfidf", what="file"
    )
    assert encoded.train.toarray()[0].tolist() == [1, 0]
    assert np.all(encoded.train.data > 0)


def test_texts_without_common_words() -> None:
    with pytest.raises(InvalidData, match="file: expected words that occur in 2 training texts, got none"):
        encode_texts(["alpha", "beta", "gamma"], np.arange(3), np.arange(0), weighting="counts", what="file")
