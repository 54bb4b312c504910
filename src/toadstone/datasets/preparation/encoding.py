"""Encoding of tables: one fitted ColumnTransformer turns any rows of the same columns into features."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.compose import ColumnTransformer

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.checks import plainly, quoted
from toadstone.core.errors import InvalidData
from toadstone.core.row_names import RowNames
from toadstone.datasets.preparation.column_types import infer_types
from toadstone.datasets.preparation.conversion import ColumnType, Origin, convert
from toadstone.datasets.preparation.encoders import CategoryColumns, NumberColumns, TextColumn
from toadstone.datasets.preparation.features import count
from toadstone.datasets.preparation.labels import listing
from toadstone.datasets.readers.request import Request
from toadstone.records.header import ColumnSummary

_NUMBERS, _DATES, _CATEGORIES = "numbers", "dates", "categories"
_ENCODED = ("number", "date", "category", "text")
_SHOWN, _SHOWN_TEXT = 80, 240
_COLUMNS_SHOWN = 6


@dataclass(frozen=True, eq=False)
class TableEncoding:
    """Kinds of the columns of a table, and the transformer fitted to its training rows.

    Parameters
    ----------
    types : tuple of ColumnType
        Of each column but the label, in the order of the table.
    transformer : ColumnTransformer
        Of typed tables, see `typed`.
    """

    types: tuple[ColumnType, ...]
    transformer: ColumnTransformer

    def encode(self, table: Any, origin: Origin) -> Matrix:
        """Turn the rows of a table with the same columns into features.

        Raises
        ------
        InvalidData
            If a column is missing, or a value does not fit its kind.
        """
        return _transformed(self.transformer, typed(table, self.types, origin))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features."""
        steps = (step for _, step, _ in self.transformer.transformers_)
        return tuple(str(name) for step in steps for name in step.get_feature_names_out())

    @property
    def sources(self) -> list[str]:
        """Column of the table that each feature comes from."""
        found: list[str] = []
        for name, step, columns in self.transformer.transformers_:
            if name == _CATEGORIES:
                for column, encoder in zip(step.names_, step.encoders_, strict=True):
                    found += [column] * len(encoder.get_feature_names_out())
            elif isinstance(step, NumberColumns):
                found += [*step.names_, *(step.names_[column] for column in step.marked_)]
            else:
                found += list(columns) * len(step.get_feature_names_out())
        return found

    @property
    def domain(self) -> str | None:
        """Domain of the features where the encoding determines it: counts of words, or their TF-IDF."""
        steps = [step for _, step, _ in self.transformer.transformers_]
        if all(isinstance(step, TextColumn) for step in steps):
            return "integer" if steps[0].weighting == "counts" else "box"
        return None

    @property
    def summary(self) -> str:
        """One line: "7 numbers standardised, 2 categories one-hot (11 columns); left out: id (an index)"."""
        parts = [part for name, step, columns in self.transformer.transformers_ for part in _said(name, step, columns)]
        left_out = [
            f"{plainly(one.name) or 'a column without a name'} ({one.note})" for one in self.types if _is_left_out(one)
        ]
        return ", ".join(parts) + (f"; left out: {', '.join(left_out)}" if left_out else "")

    @property
    def columns(self) -> tuple[ColumnSummary, ...]:
        """Way of each column to its features."""
        features, fitted = Counter(self.sources), self._fitted()
        return tuple(
            ColumnSummary(one.name, one.kind, features[one.name], one.note, fitted.get(one.name, {}))
            for one in self.types
        )

    def _fitted(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for name, step, _ in self.transformer.transformers_:
            if isinstance(step, NumberColumns):
                for j, column in enumerate(step.names_):
                    found[column] = {
                        "median": float(step.medians_[j]),
                        "mean": float(step.mean_[j]),
                        "deviation": float(step.spread_[j]),
                    }
            elif name == _CATEGORIES:
                for column, encoder in zip(step.names_, step.encoders_, strict=True):
                    found[column] = {"levels": [str(level) for level in encoder.categories_[0]]}
            else:
                words = list(map(str, step.get_feature_names_out()))
                digest = hashlib.sha256("\n".join(words).encode()).hexdigest()
                found[step.name_] = {"words": len(words), "unit": step.unit_, "sha256": digest}
        return found


@dataclass(frozen=True, eq=False)
class TableValues:
    """Values of a table as they stand in the source; see `toadstone.datasets.split.RawValues`.

    Parameters
    ----------
    table : pyarrow.Table
        All columns, those among them that are no features.
    sources : sequence of str
        Column that each feature comes from.
    request, origin : Request and Origin, optional
        How the caller wants columns to be read, and the words for messages.
    """

    table: Any
    sources: Sequence[str]
    request: Request = field(default_factory=Request)
    origin: Origin = field(default_factory=lambda: Origin("table", RowNames()))

    def describe(self, position: int, features: Sequence[int]) -> str:
        """Name the values behind the given features of a row, each column once."""
        columns = list(dict.fromkeys(self.sources[feature] for feature in features))[:_COLUMNS_SHOWN]
        return ", ".join(f"{column or 'column'} {_shown(self.table[column][position].as_py())}" for column in columns)

    def column(self, feature: int) -> str:
        """Name the column that a feature comes from."""
        return self.sources[feature]

    def values(self, positions: Sequence[int], feature: int) -> list[str]:
        """Show the values of some rows in the column that a feature comes from."""
        taken = self.table[self.sources[feature]].take(pa.array(positions, pa.int64()))
        return [_shown(value, _SHOWN_TEXT) for value in taken.to_pylist()]

    def cells(self, column: str) -> list[Any] | None:
        """Return all values of a column of the table; None where it has no such column."""
        found: list[Any] | None = self.table[column].to_pylist() if column in self.table.column_names else None
        return found

    def days(self, column: str) -> Array | None:
        """Read a column of dates as features are read, as days, not a number where missing; None for other columns.

        Raises
        ------
        InvalidData
            If the dates can be read in several ways; the sentence names the option.
        """
        if column not in self.table.column_names:
            return None
        (how,) = infer_types(self.table.select([column]), self.request, self.origin)
        if how.kind != "date":
            return None
        found = pc.fill_null(convert(self.table[column], how, self.origin), float("nan"))
        return np.asarray(found, dtype=np.float64)


def fit_encoding(
    table: Any, train: IntArray, types: tuple[ColumnType, ...], *, scale: str, weighting: str, origin: Origin
) -> tuple[TableEncoding, Matrix]:
    """Fit an encoding to the training rows of a table.

    Parameters
    ----------
    table : pyarrow.Table
        Raw columns.
    train : ndarray of int
        Positions of the training rows.
    types : tuple of ColumnType
    scale : {"auto", "standard", "none"}
    weighting : {"tfidf", "counts"}
    origin : Origin

    Returns
    -------
    encoding : TableEncoding
    X : ndarray or CSR of shape (n, d)
        Features of all rows of the table.

    Raises
    ------
    InvalidData
        If no column is left, or a value does not fit its kind.
    """
    check_encodable(types, origin)
    by_kind = {kind: [one.name for one in types if one.kind == kind] for kind in _ENCODED}
    alone = not (by_kind["category"] or by_kind["text"] or by_kind["date"])
    steps: list[tuple[str, Any, list[str]]] = [
        (_NUMBERS, NumberColumns(scale=scale, counts=alone), by_kind["number"]),
        (_DATES, NumberColumns(scale="none" if scale == "none" else "standard"), by_kind["date"]),
        (_CATEGORIES, CategoryColumns(), by_kind["category"]),
        *(
            (f"text {name}", TextColumn(weighting=weighting, what=origin.column(name)), [name])
            for name in by_kind["text"]
        ),
    ]
    # Texts are sparse, and stay so beside dense numbers.
    transformer = ColumnTransformer([step for step in steps if step[2]], sparse_threshold=1.0)
    rows = typed(table, types, origin)
    transformer.fit(rows.take(pa.array(train)))
    return TableEncoding(types, transformer), _transformed(transformer, rows)


def check_encodable(types: Sequence[ColumnType], origin: Origin) -> None:
    """Check that some column can be encoded.

    Raises
    ------
    InvalidData
        If none can.
    """
    if not any(one.kind in _ENCODED for one in types):
        left_out = ", ".join(f"{quoted(one.name)} ({one.note})" for one in types[:_COLUMNS_SHOWN])
        raise InvalidData(
            f"{origin.source}: expected a column that can be encoded, got {left_out or 'the label alone'}; "
            "`text` names a column of texts"
        )


def typed(table: Any, types: Sequence[ColumnType], origin: Origin) -> Any:
    """Convert the columns of an Arrow table to their kinds; columns that are left out leave.

    Raises
    ------
    InvalidData
        If a column is missing, or a value does not fit.
    """
    used = [one for one in types if not _is_left_out(one)]
    present = set(table.column_names)
    missing = [one.name for one in used if one.name not in present]
    if missing:
        raise InvalidData(f"{origin.source}: expected a column {quoted(missing[0])}, got {listing(table.column_names)}")
    return pa.table({one.name: convert(table[one.name], one, origin) for one in used})


def _transformed(transformer: ColumnTransformer, rows: Any) -> Matrix:
    X: Matrix = transformer.transform(rows)
    return X if isinstance(X, np.ndarray) else X.tocsr()


def _said(name: str, step: Any, columns: Sequence[str]) -> list[str]:
    if name == _CATEGORIES:
        width = len(step.get_feature_names_out())
        return [f"{count(len(columns), 'category', 'categories')} one-hot ({count(width, 'column')})"]
    if isinstance(step, NumberColumns):
        noun = "number" if name == _NUMBERS else "date"
        marks = f" ({count(len(step.marked_), 'column')} of missing values)" if len(step.marked_) else ""
        return [f"{count(len(columns), noun)} {step.treatment_}{marks}"]
    weights = "counts" if step.weighting == "counts" else "TF-IDF"
    features = count(len(step.get_feature_names_out()), step.unit_)
    rounded = "" if step.weighting == "counts" else ", rounded to 6 decimals"
    without = f", {count(step.without_, 'text')} without any" if step.without_ else ""
    return [f"{weights} of {features} found in at least 2 training texts{rounded}{without}"]


def _is_left_out(column: ColumnType) -> bool:
    return column.kind == "left out"


def _shown(value: Any, longest: int = _SHOWN) -> str:
    if value is None or not str(value).strip():
        return "(missing)"
    text = f"{value:.10g}" if isinstance(value, float) else str(value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
