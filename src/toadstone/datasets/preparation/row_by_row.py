"""Encoding of tables row by row: what becomes of a row depends on no other row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array, hstack
from sklearn.feature_extraction import FeatureHasher
from sklearn.preprocessing import normalize

from toadstone.core.arrays import IntArray, Matrix
from toadstone.datasets.preparation.conversion import ColumnType, Origin
from toadstone.datasets.preparation.encoders import DECIMALS, MISSING_LEVEL, number_table, row_tokens
from toadstone.datasets.preparation.encoding import TableEncoding, check_encodable, fit_encoding, typed
from toadstone.datasets.preparation.features import count
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import Unscaled
from toadstone.records.header import ColumnSummary

HASHED = 2**18
"""Columns to which categories and words are dealt by a hash, so that no list of them has to be learned."""


@dataclass(frozen=True, eq=False)
class RowEncoding:
    """Kinds of the columns of a table, of which each row is encoded by itself.

    Numbers stand as they are and a missing one is zero, with a column that
    marks it. Categories and words are dealt to columns by a hash. Nothing is
    fitted, so that an added row changes no other row.

    Parameters
    ----------
    types : tuple of ColumnType
        Of each column but the label, in the order of the table.
    weighting : {"tfidf", "counts"}
        Words as weights of a text of length one, without the share of texts
        that have them, which other rows would decide; or their counts.
    """

    types: tuple[ColumnType, ...]
    weighting: str = "tfidf"
    names: None = None
    """Of the features: hashed columns have none."""
    domain: None = None

    def encode(self, table: Any, origin: Origin) -> Matrix:
        """Turn the rows of a table with the same columns into features: numbers, hashed columns, marks.

        Raises
        ------
        InvalidData
            If there is nothing to encode, a column is missing, or a value does not fit its kind.
        """
        check_encodable(self.types, origin)
        rows = typed(table, self.types, origin)
        values = number_table(rows.select(self.numbers))
        marks = np.isnan(values)
        filled = np.where(marks, 0.0, values)
        if not self._of("category", "text"):
            return np.hstack([filled, marks.astype(np.float64)])
        # Marks come last, and hashed columns have a fixed number: no column moves because another row has a value.
        blocks = [csr_array(filled), *self._hashed(rows), csr_array(marks.astype(np.float64))]
        return csr_array(hstack(blocks, format="csr"))

    @property
    def numbers(self) -> list[str]:
        """Columns of numbers and of dates, which are the first features."""
        return [*self._of("number"), *self._of("date")]

    @property
    def sources(self) -> list[str]:
        """Column of the table that each feature comes from; hashed columns come from several."""
        hashed = [""] * HASHED if self._of("category", "text") else []
        return [*self.numbers, *hashed, *self.numbers]

    @property
    def summary(self) -> str:
        """One line: "row by row: 7 numbers as given, 2 categories and 1 text hashed"."""
        parts = [f"{count(len(self.numbers), 'number')} as given"] if self.numbers else []
        hashed = {"category": ("category", "categories"), "text": ("text", "texts")}
        named = [count(len(self._of(kind)), *nouns) for kind, nouns in hashed.items() if self._of(kind)]
        return "row by row: " + ", ".join([*parts, *([f"{' and '.join(named)} hashed"] if named else [])])

    @property
    def columns(self) -> tuple[ColumnSummary, ...]:
        """Way of each column to its features."""
        features = {"number": 2, "date": 2, "category": HASHED, "text": HASHED, "left out": 0}
        return tuple(ColumnSummary(one.name, one.kind, features[one.kind], one.note, {}) for one in self.types)

    def _of(self, *kinds: str) -> list[str]:
        return [one.name for one in self.types if one.kind in kinds]

    def _hashed(self, rows: Any) -> Iterator[csr_array]:
        hasher = FeatureHasher(HASHED, input_type="string", alternate_sign=False)
        found = csr_array((rows.num_rows, HASHED))
        for name in self._of("category"):
            levels = [MISSING_LEVEL if level is None else level for level in rows[name].to_pylist()]
            found = found + csr_array(hasher.transform([f"{name}={level}"] for level in levels))
        for name in self._of("text"):
            tokens = ([f"{name}={token}" for token in row_tokens(text)] for text in rows[name].to_pylist())
            words = csr_array(hasher.transform(tokens))
            if self.weighting == "tfidf":
                words = csr_array(normalize(words))
                words.data = np.round(words.data, DECIMALS)
            found = found + words
        yield csr_array(found)


def fit_or_encode(
    table: Any, train: IntArray, types: tuple[ColumnType, ...], request: Request, origin: Origin
) -> tuple[TableEncoding | RowEncoding, Matrix, Unscaled | None]:
    """Encode the rows of a table, fitted to its training rows or each by itself, as the request says.

    Parameters
    ----------
    table : pyarrow.Table
        Raw columns.
    train : ndarray of int
        Positions of the training rows.
    types : tuple of ColumnType
    request : Request
    origin : Origin

    Returns
    -------
    encoding : TableEncoding or RowEncoding
    X : ndarray or CSR of shape (n, d)
    unscaled : Unscaled or None
        None where the scale was fitted.

    Raises
    ------
    InvalidData
        If no column is left, or a value does not fit its kind.
    """
    if not request.row_by_row:
        fitted = fit_encoding(table, train, types, scale=request.scale, weighting=request.weighting, origin=origin)
        return *fitted, None
    encoding = RowEncoding(types, request.weighting)
    alone = all(one.kind in ("number", "left out") for one in types)
    return encoding, encoding.encode(table, origin), Unscaled(len(encoding.numbers), request.scale, alone)
