"""Rows that are encoded one by one: no other row shows in them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import issparse

from toadstone.certificates.pointwise.label_free import check_label_free
from toadstone.core.errors import InvalidData
from toadstone.core.row_names import RowNames
from toadstone.datasets.preparation.column_types import infer_types
from toadstone.datasets.preparation.conversion import ColumnType, Origin
from toadstone.datasets.preparation.encoding import fit_encoding, typed
from toadstone.datasets.preparation.row_by_row import HASHED, RowEncoding, fit_or_encode
from toadstone.datasets.readers.request import Request
from toadstone.kernels.statistics.row_digests import contents

ORIGIN = Origin("file.csv", RowNames("row"))
COLUMNS = {
    "age": [31.0, 64.0, 25.5, 47.0, 52.0],
    "seen": ["2024-03-01", "2024-04-02", "2024-03-09", "2024-05-01", "2024-06-11"],
    "ward": ["a", "b", "a", "b", "a"],
    "note": ["cough and fever", "fever", "no cough", "cough cough", "well"],
}
KINDS = {"age": "number", "seen": "date", "ward": "category", "note": "text"}
ADDED = {"age": 1e9, "seen": None, "ward": "quarantine", "note": "cough secret secret"}


def encoded(columns, *, row_by_row=True, names=tuple(KINDS), **options):
    table = pa.table({name: columns[name] for name in names})
    request = Request(types={name: KINDS[name] for name in names}, row_by_row=row_by_row, **options)
    types = infer_types(table, request, ORIGIN)
    return fit_or_encode(table, np.arange(table.num_rows), types, request, ORIGIN)


@pytest.mark.parametrize("names", [("age",), ("age", "seen"), ("age", "ward"), ("note",), tuple(KINDS)], ids=str)
@pytest.mark.parametrize("weighting", ["tfidf", "counts"])
def test_an_added_row_changes_no_other_row(names, weighting):
    more = {name: [*COLUMNS[name], ADDED[name]] for name in COLUMNS}
    before = contents(encoded(COLUMNS, names=names, weighting=weighting)[1])
    after = contents(encoded(more, names=names, weighting=weighting)[1])
    assert after[:5] == before
    # Where everything is fitted to all rows, scale, levels and words change with it.
    fitted = [contents(encoded(rows, names=names, row_by_row=False)[1]) for rows in (COLUMNS, more)]
    assert fitted[1][:5] != fitted[0]


def test_numbers_come_first_and_marks_of_missing_ones_last():
    encoding, X, unscaled = encoded({**COLUMNS, "age": [31.0, None, 25.5, 47.0, 52.0]}, names=("age", "seen"))
    assert not issparse(X)
    np.testing.assert_array_equal(X[:, 0], [31.0, 0.0, 25.5, 47.0, 52.0])
    np.testing.assert_array_equal(X[:, 2:], [[0, 0], [1, 0], [0, 0], [0, 0], [0, 0]])
    assert (unscaled.numbers, unscaled.scale, unscaled.counts) == (2, "auto", False)
    assert encoding.sources == ["age", "seen", "age", "seen"]
    assert encoding.summary == "row by row: 2 numbers as given"


def test_levels_and_words_are_hashed_by_their_column():
    encoding, X, _ = encoded(COLUMNS)
    assert X.shape == (5, 2 + HASHED + 2)
    assert len(encoding.sources) == X.shape[1]
    assert encoding.summary == "row by row: 2 numbers as given, 1 category and 1 text hashed"
    wards = encoded(COLUMNS, names=("ward",))[1]
    assert wards.nnz == 5
    assert len(np.unique(wards.nonzero()[1])) == 2
    words = encoded(COLUMNS, names=("note",))[1]
    np.testing.assert_allclose(np.sqrt(words.multiply(words).sum(axis=1)), 1.0, atol=1e-5)
    counts = encoded(COLUMNS, names=("note",), weighting="counts")[1]
    assert counts[[3]].data.tolist() == [2.0]


def test_a_script_without_blanks_is_cut_into_characters():
    X = encoded({"note": ["今天天气很好", "fine weather"]}, names=("note",), weighting="counts")[1]
    assert X[[0]].sum() == 6 + 5 + 4
    assert X[[1]].sum() == 2


def test_nothing_to_encode_is_refused():
    with pytest.raises(InvalidData, match="expected a column that can be encoded"):
        RowEncoding((ColumnType("id", "left out", note="an index"),)).encode(pa.table({"id": [1, 2]}), ORIGIN)


@pytest.mark.parametrize("missing", [False, True])
def test_no_preparation_of_tables_looks_at_labels(missing):
    """Label-flip certificates fit it to all rows, whose labels may be changed."""
    rng = np.random.default_rng(0)
    columns = {name: [values[row] for row in rng.integers(0, 5, 60)] for name, values in COLUMNS.items()}
    if missing:
        columns = {name: [None, *values[1:]] for name, values in columns.items()}
    table, request = pa.table(columns), Request(types=KINDS)
    types = infer_types(table, request, ORIGIN)
    encoding, _ = fit_encoding(table, np.arange(60), types, scale="auto", weighting="tfidf", origin=ORIGIN)
    check_label_free(encoding.transformer, typed(table, types, ORIGIN), rng.integers(0, 2, 60))
