"""Transformers from columns of a table to features, for scikit-learn's ColumnTransformer.

Each takes an Arrow table of its columns, as `column_types.convert` makes them:
float64 for numbers and dates, text for categories and texts, null where a
value is missing.
"""

from __future__ import annotations

import re
from typing import Any, Self

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack, issparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.preprocessing import OneHotEncoder

from toadstone.core.arrays import Array, Matrix
from toadstone.core.errors import InvalidData
from toadstone.datasets.preparation.features import fit_scaling

MISSING_LEVEL = "(missing)"
STANDARDISED = "standardised"
FEWEST_TEXTS = 2
"""Training texts that a word must occur in."""

DECIMALS = 6
"""Of weights of words, see `TextColumn`."""

_FEWEST_ROWS = 5
_MANY_LEVELS = 50
_SPARSE_COLUMNS, _SPARSE_DENSITY = 1000, 0.1
_WITHOUT_WORDS = 0.2
_KNOWN_WORDS = 0.5
_CHARACTERS = (1, 3)
_LETTER = re.compile(r"[^\W\d_]")
# Thai, Lao, Burmese, Khmer, Japanese and Chinese.
_NO_BLANKS = re.compile(
    "[\u0e01-\u0edf\u1000-\u109f\u1780-\u17d3\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]"
)


_WORDS_OF = CountVectorizer(analyzer="word").build_analyzer()
_CHARACTERS_OF = CountVectorizer(analyzer="char", ngram_range=_CHARACTERS).build_analyzer()


class NumberColumns(TransformerMixin, BaseEstimator):
    """Numbers: the median in place of missing ones, a 0/1 column that marks them, and scaling.

    Parameters
    ----------
    scale : {"auto", "standard", "none"}
        "auto" leaves values within [0, 1] and counts as they are. Numbers are
        counts if all are whole and non-negative and each column has a zero.
    counts : bool
        True if numbers may be counts: there is no other kind of column.

    Attributes
    ----------
    names_ : list of str
    medians_ : ndarray of shape (d,)
    marked_ : ndarray of int
        Columns with a missing value among the training rows.
    treatment_ : str
        Description in words.
    mean_, spread_ : ndarray of shape (d,)
    """

    def __init__(self, *, scale: str = "auto", counts: bool = True) -> None:
        self.scale = scale
        self.counts = counts

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn medians, marked columns and scaling from training rows."""
        values = number_table(X)
        missing = np.isnan(values)
        self.names_ = list(X.column_names)
        self.medians_ = np.array([_median(column) for column in values.T])
        self.marked_ = np.flatnonzero(missing.any(axis=0))
        filled = np.where(missing, self.medians_, values)
        self.treatment_ = treatment_of(filled, scale=self.scale, counts=self.counts)
        if self.treatment_ == STANDARDISED:
            self.mean_, self.spread_ = fit_scaling(filled, "numbers")
        else:
            self.mean_, self.spread_ = np.zeros(len(self.names_)), np.ones(len(self.names_))
        return self

    def transform(self, X: Any) -> Array:
        """Fill in, scale and mark."""
        values = number_table(X)
        missing = np.isnan(values)
        values = np.where(missing, self.medians_, values)
        if self.treatment_ == STANDARDISED:
            values = (values - self.mean_) / self.spread_
        return np.hstack([values, missing[:, self.marked_].astype(np.float64)])

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Name the features: the columns, then the marks."""
        marks = [f"{self.names_[column]}={MISSING_LEVEL}" for column in self.marked_]
        return np.array([*self.names_, *marks], dtype=object)


class CategoryColumns(TransformerMixin, BaseEstimator):
    """Categories: one column a level; rare levels of columns with many share one, and so do levels unseen in training.

    Attributes
    ----------
    names_ : list of str
    encoders_ : list of OneHotEncoder
        One for each column.
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the levels from training rows."""
        self.names_ = list(X.column_names)
        self.encoders_ = [_one_hot(_levels(X[name])) for name in self.names_]
        width = sum(len(encoder.get_feature_names_out()) for encoder in self.encoders_)
        self._sparse = width > _SPARSE_COLUMNS and len(self.names_) < _SPARSE_DENSITY * width
        return self

    def transform(self, X: Any) -> Matrix:
        """Encode rows; a level that did not occur in training is all zero where none was pooled."""
        pairs = zip(self.names_, self.encoders_, strict=True)
        blocks = [encoder.transform(_levels(X[name])) for name, encoder in pairs]
        if self._sparse:
            return csr_array(hstack(blocks, format="csr"))
        return np.hstack([block.toarray() for block in blocks])

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Name the features: column=level."""
        names = [
            f"{name}={'(rare)' if level == 'infrequent_sklearn' else level}"
            for name, encoder in zip(self.names_, self.encoders_, strict=True)
            for level in _level_names(encoder)
        ]
        return np.array(names, dtype=object)


class TextColumn(TransformerMixin, BaseEstimator):
    """Texts of one column, as weights of words or, where words are rarely shared, of character n-grams.

    Words that occur in fewer than two training texts are left out. If more
    than a fifth of the training texts would have no word, or in a script that
    is written without blanks fewer than half of the words are known,
    sequences of one to three characters take the place of words. TF-IDF rows
    have unit length up to rounding: values are rounded to six decimals,
    because logarithms differ in the last digit between machines and the
    digest of the data must not.

    Parameters
    ----------
    weighting : {"tfidf", "counts"}
    what : str
        Source of the texts, for error messages.

    Attributes
    ----------
    unit_ : {"word", "character n-gram"}
    without_ : int
        Training texts without a feature, empty ones included.
    """

    def __init__(self, *, weighting: str = "tfidf", what: str = "texts") -> None:
        self.weighting = weighting
        self.what = what

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the words from training rows."""
        self.name_ = X.column_names[0]
        texts = _texts(X)
        filled = sum(1 for text in texts if text.strip())
        self.vectorizer_, self.unit_, without = self._vectorizer("word"), "word", len(texts)
        try:
            without = _empty_rows(self.vectorizer_.fit_transform(texts))
        except ValueError:
            # The library found no word that two texts share.
            self.vectorizer_ = None
        if without - (len(texts) - filled) > _WITHOUT_WORDS * filled or not self._shares_words(texts):
            self.vectorizer_, self.unit_ = self._vectorizer("char"), "character n-gram"
            try:
                without = _empty_rows(self.vectorizer_.fit_transform(texts))
            except ValueError:
                raise InvalidData(
                    f"{self.what}: expected words or characters that occur in {FEWEST_TEXTS} training texts, got none"
                ) from None
        self.without_ = without
        return self

    def transform(self, X: Any) -> Matrix:
        """Encode texts; those without a known word are all zero."""
        rows = csr_array(self.vectorizer_.transform(_texts(X)), dtype=np.float64)
        if self.weighting == "tfidf":
            rows.data = np.round(rows.data, DECIMALS)
            rows.eliminate_zeros()
        return rows

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Name the features: the words."""
        names: NDArray[Any] = self.vectorizer_.get_feature_names_out()
        return names

    def _shares_words(self, texts: list[str]) -> bool:
        """Return False where no word is shared, or few words of a script without blanks."""
        if self.vectorizer_ is None:
            return False
        if not _without_blanks(texts):
            return True
        words = [word for text in texts for word in self.vectorizer_.build_analyzer()(text)]
        known = sum(word in self.vectorizer_.vocabulary_ for word in words)
        return known >= _KNOWN_WORDS * len(words)

    def _vectorizer(self, analyzer: str) -> Any:
        make = CountVectorizer if self.weighting == "counts" else TfidfVectorizer
        ngrams = (1, 1) if analyzer == "word" else _CHARACTERS
        return make(min_df=FEWEST_TEXTS, analyzer=analyzer, ngram_range=ngrams)


def number_table(table: Any) -> Array:
    """Return the columns of an Arrow table of numbers, NaN where one is missing, shape (n, d)."""
    columns = [table[name].to_numpy() for name in table.column_names]
    return np.column_stack(columns).astype(np.float64) if columns else np.empty((table.num_rows, 0))


def row_tokens(text: str) -> list[str]:
    """Return the words of a text, or its sequences of characters where the script has no blanks; no other text counts.

    Examples
    --------
    >>> row_tokens("Win a prize, win"), row_tokens("")
    (['win', 'prize', 'win'], [])
    """
    return list((_CHARACTERS_OF if _without_blanks([text]) else _WORDS_OF)(text))


def treatment_of(values: Array, *, scale: str, counts: bool) -> str:
    """Say in words what `scale` makes of columns of numbers: see `NumberColumns`."""
    if scale == "standard" or values.size == 0:
        return STANDARDISED if scale == "standard" else "as given"
    lowest = values.min(axis=0)
    if scale == "none" or (lowest.min() >= 0 and values.max() <= 1):
        return "as given"
    counted = counts and bool(np.all(lowest == 0)) and bool(np.all(values == np.floor(values)))
    return "taken for counts, as given" if counted else STANDARDISED


def _without_blanks(texts: list[str]) -> bool:
    """Tell that most letters are of a script that is written without blanks."""
    letters, others = (sum(len(found.findall(text)) for text in texts) for found in (_LETTER, _NO_BLANKS))
    return bool(others > letters / 2)


def _median(column: Array) -> float:
    present = column[~np.isnan(column)]
    return float(np.median(present)) if len(present) else 0.0


def _levels(column: Any) -> NDArray[Any]:
    texts = pc.fill_null(column.combine_chunks(), MISSING_LEVEL)
    return np.asarray(texts.to_numpy(zero_copy_only=False), dtype=object)[:, None]


def _one_hot(levels: NDArray[Any]) -> OneHotEncoder:
    many = len(set(levels[:, 0])) > _MANY_LEVELS
    return OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=_FEWEST_ROWS if many else None, dtype=np.float64
    ).fit(levels)


def _level_names(encoder: OneHotEncoder) -> list[str]:
    # The library puts the column's own name, which it calls x0, before each level.
    return [name.removeprefix("x0_") for name in encoder.get_feature_names_out()]


def _texts(table: Any) -> list[str]:
    texts: list[str] = table[table.column_names[0]].to_pylist()
    return texts


def _empty_rows(X: Any) -> int:
    counts = np.diff(X.indptr) if issparse(X) else np.count_nonzero(X, axis=1)
    return int(np.count_nonzero(counts == 0))
