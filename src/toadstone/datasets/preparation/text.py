"""Encoding of texts as word counts or TF-IDF."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from toadstone.core.arrays import IntArray
from toadstone.core.errors import InvalidData
from toadstone.datasets.preparation.features import Features, count

MIN_TEXTS = 2
_DECIMALS = 6


def encode_texts(texts: Sequence[str], train: IntArray, test: IntArray, *, weighting: str, what: str) -> Features:
    """Encode texts as sparse rows over the words of the training texts.

    Words that occur in fewer than two training texts are left out. TF-IDF
    rows have unit length up to rounding: values are rounded to six decimals,
    because logarithms differ in the last digit between machines and the
    digest of the data must not.

    Parameters
    ----------
    texts : sequence of str
    train, test : ndarray of int
        Positions of the rows to fit on, and of the rows to encode only.
    weighting : {"tfidf", "counts"}
    what : str
        Source of the texts, for error messages.

    Returns
    -------
    Features
        CSR rows; the words are the column names.

    Raises
    ------
    InvalidData
        If no word occurs in two training texts.
    """
    vectorizer: Any = CountVectorizer(min_df=MIN_TEXTS) if weighting == "counts" else TfidfVectorizer(min_df=MIN_TEXTS)
    try:
        X_train = csr_array(vectorizer.fit_transform([texts[row] for row in train]), dtype=np.float64)
    except ValueError:
        raise InvalidData(f"{what}: expected words that occur in {MIN_TEXTS} training texts, got none") from None
    X_test = csr_array(vectorizer.transform([texts[row] for row in test]), dtype=np.float64)
    names = tuple(map(str, vectorizer.get_feature_names_out()))
    words = f"{count(len(names), 'word')} found in at least {MIN_TEXTS} training texts"
    if weighting == "counts":
        return Features(X_train, X_test, f"counts of {words}", names, "integer")
    for X in (X_train, X_test):
        X.data = np.round(X.data, _DECIMALS)
        X.eliminate_zeros()
    return Features(X_train, X_test, f"TF-IDF of {words}, rounded to {_DECIMALS} decimals", names, "box")
