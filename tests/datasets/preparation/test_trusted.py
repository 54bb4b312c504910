"""Trusted rows are prepared as the data that they belong to, in every format, and never fitted on."""

from __future__ import annotations

import numpy as np
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from scipy.sparse import csr_array, issparse

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets import load
from toadstone.datasets.preparation.trusted import read_trusted
from toadstone.datasets.readers.read import read_file
from toadstone.datasets.readers.request import Request
from toadstone.datasets.readers.rows import write_rows_as_arrays

HEADER = "age,town,label"
ROWS = [f"{20 + row},{'ABC'[row % 3]},{row % 2}" for row in range(20)]


def dense(matrix):
    return matrix.toarray() if issparse(matrix) else matrix


def table(path, rows, header=HEADER):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def parquet(path, rows):
    text = table(path.with_suffix(".csv"), rows)
    pq.write_table(pacsv.read_csv(text), path)
    return path


def svmlight(path, rows):
    path.write_text("".join(f"{row.split(',')[2]} 1:{row.split(',')[0]} 3:{ord(row.split(',')[1])}\n" for row in rows))
    return path


def archive(path, rows):
    cells = [row.split(",") for row in rows]
    X = np.array([[float(age), float(ord(town))] for age, town, _ in cells])
    np.savez(path, X=X, y=np.array([int(label) for *_, label in cells]))
    return path


@pytest.mark.parametrize(
    ("make", "ending", "scale"),
    [
        (table, ".csv", "auto"),
        (parquet, ".parquet", "auto"),
        (svmlight, ".svm", "none"),
        (archive, ".npz", "standard"),
    ],
)
def test_the_same_row_gets_the_same_features(tmp_path, make, ending, scale):
    source = make(tmp_path / f"all{ending}", ROWS)
    request = Request(scale=scale)
    split = read_file(source, request)
    chosen = split.test.row_ids
    trusted = read_trusted(
        str(source), make(tmp_path / f"checked{ending}", [ROWS[row] for row in chosen]), split, request
    )
    assert np.array_equal(dense(trusted.X), dense(split.test.X))
    assert np.array_equal(trusted.y, split.test.y)


def test_texts_are_counted_over_the_words_of_the_data(tmp_path):
    rows = [f"{'cheap pills' if row % 2 else 'dear friend'} number,{row % 2}" for row in range(10)]
    source = table(tmp_path / "mails.csv", rows, "body,label")
    request = Request(text="body", weighting="counts")
    split = read_file(source, request)
    checked = table(tmp_path / "checked.csv", ["cheap unheard number number,0"], "body,label")
    trusted = read_trusted(str(source), checked, split, request)
    counts = dict(zip(split.train.feature_names, dense(trusted.X)[0], strict=True))
    assert counts == {"cheap": 1, "dear": 0, "friend": 0, "number": 2, "pills": 0}


def test_row_numbers_of_a_data_frame_are_left_out(tmp_path):
    numbered = [f"{row},{line}" for row, line in enumerate(ROWS)]
    source, request = table(tmp_path / "all.csv", numbered, f",{HEADER}"), Request()
    split = read_file(source, request)
    chosen = split.test.row_ids
    checked = table(tmp_path / "checked.csv", [numbered[row] for row in chosen], f",{HEADER}")
    assert np.array_equal(dense(read_trusted(str(source), checked, split, request).X), dense(split.test.X))


def test_an_unseen_category_is_all_zero(tmp_path):
    source, request = table(tmp_path / "all.csv", ROWS), Request(scale="none")
    split = read_file(source, request)
    trusted = read_trusted(str(source), table(tmp_path / "checked.csv", ["30,Z,1"]), split, request)
    assert dense(trusted.X).tolist() == [[30.0, 0.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("rows", "header", "sentence"),
    [
        (["30,1"], "age,label", r"checked\.csv: expected the columns of .*all\.csv, got not exactly one column 'town'"),
        ([",B,1"], HEADER, r"checked\.csv: column 'age'.*: expected values, got an empty column"),
        (["old,B,1", "older,B,1"], HEADER, r"checked\.csv: column 'age': expected values of type int64, got string"),
    ],
)
def test_other_columns_are_refused(tmp_path, rows, header, sentence):
    source, request = table(tmp_path / "all.csv", ROWS), Request()
    split = read_file(source, request)
    with pytest.raises(InvalidData, match=sentence):
        read_trusted(str(source), table(tmp_path / "checked.csv", rows, header), split, request)


def test_another_format_is_refused(tmp_path):
    source, request = table(tmp_path / "all.csv", ROWS), Request()
    split = read_file(source, request)
    with pytest.raises(InvalidArgument, match=r"`trusted`: expected a file of the same format as .*all\.csv"):
        read_trusted(str(source), archive(tmp_path / "checked.npz", ROWS), split, request)
    with pytest.raises(InvalidData, match=r"missing\.csv: expected a file, got a name that does not exist"):
        read_trusted(str(source), tmp_path / "missing.csv", split, request)


def test_named_data_take_prepared_rows(tmp_path):
    split = load("digits-1-7")
    write_rows_as_arrays(csr_array(split.test.X[:4] + 1), split.test.y[:4], tmp_path / "rows.npz")
    trusted = read_trusted("digits-1-7", tmp_path / "rows.npz", split, Request())
    assert np.array_equal(trusted.X, split.test.X[:4] + 1)
    write_rows_as_arrays(split.test.X[:4, :9], split.test.y[:4], tmp_path / "narrow.npz")
    with pytest.raises(InvalidData, match=r"narrow\.npz: expected 64 feature columns as in digits-1-7, got 9"):
        read_trusted("digits-1-7", tmp_path / "narrow.npz", split, Request())
