"""Rows of another file are prepared as those of the first, in every format, and never fitted on; files read again."""

from __future__ import annotations

import numpy as np
import pyarrow.csv as pacsv
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from scipy.sparse import csr_array, issparse

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.readers.read import read_source
from toadstone.datasets.readers.request import Request
from toadstone.datasets.readers.rows import write_rows_as_arrays
from toadstone.front.inputs import open_data

HEADER = "age,town,label"
ROWS = [f"{20 + row},{'ABC'[row % 3]},{row % 2}" for row in range(20)]


def dense(matrix):
    return matrix.toarray() if issparse(matrix) else matrix


def table(path, rows, header=HEADER):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def parquet(path, rows):
    pq.write_table(pacsv.read_csv(table(path.with_suffix(".csv"), rows)), path)
    return path


def arrow(path, rows):
    feather.write_feather(pacsv.read_csv(table(path.with_suffix(".csv"), rows)), path)
    return path


def svmlight(path, rows):
    path.write_text("".join(f"{row.split(',')[2]} 1:{row.split(',')[0]} 3:{ord(row.split(',')[1])}\n" for row in rows))
    return path


def archive(path, rows):
    cells = [row.split(",") for row in rows]
    X = np.array([[float(age), float(ord(town))] for age, town, _ in cells])
    np.savez(path, X=X, y=np.array([int(label) for *_, label in cells]))
    return path


FORMATS = [
    (table, ".csv", "auto"),
    (parquet, ".parquet", "auto"),
    (arrow, ".feather", "auto"),
    (svmlight, ".svm", "none"),
    (archive, ".npz", "standard"),
]


@pytest.mark.parametrize(("make", "ending", "scale"), FORMATS)
def test_the_same_row_gets_the_same_features(tmp_path, make, ending, scale):
    file = read_source(make(tmp_path / f"all{ending}", ROWS), Request(scale=scale))
    for part in (file.split.test, file.split.train):
        other = file.encode(make(tmp_path / f"checked{ending}", [ROWS[row] for row in part.row_ids]))
        assert np.array_equal(dense(other.X), dense(part.X))
        assert np.array_equal(other.y, part.y)


@pytest.mark.parametrize(("make", "ending", "scale"), FORMATS)
def test_rows_are_written_from_the_file_that_was_read(tmp_path, make, ending, scale):
    source = make(tmp_path / f"all{ending}", ROWS)
    file = read_source(source, Request(scale=scale))
    assert file.content.data == b"", "the bytes are not held"
    (tmp_path / "out").mkdir()
    written = file.write_rows([1, 2, 5], tmp_path / "out", stem="kept")
    assert written.name == f"kept{ending}"
    assert np.array_equal(file.encode(written).y, [1, 0, 1])
    make(source, ROWS[::-1])
    with pytest.raises(InvalidData, match=r"expected the file that was read at the start, got one that changed during"):
        file.write_rows([1], tmp_path / "out", stem="again")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"kept{ending}"]


def test_tables_of_two_formats_mean_the_same(tmp_path):
    file = read_source(table(tmp_path / "all.csv", ROWS), Request())
    other = file.encode(parquet(tmp_path / "checked.parquet", [ROWS[row] for row in file.split.test.row_ids]))
    assert np.array_equal(other.X, file.split.test.X)
    lines = [ROWS[row].replace(",", ";") for row in file.split.test.row_ids]
    other = file.encode(table(tmp_path / "semicolons.csv", lines, HEADER.replace(",", ";")))
    assert np.array_equal(other.X, file.split.test.X)


def test_a_file_without_an_ending_is_written_as_what_it_is(tmp_path):
    source = parquet(tmp_path / "all.parquet", ROWS).rename(tmp_path / "all")
    written = read_source(source, Request()).write_rows([0, 3], tmp_path, stem="kept")
    assert written.name == "kept.parquet"
    assert pq.read_table(written)["age"].to_pylist() == [20, 23]


def test_texts_are_counted_over_the_words_of_the_data(tmp_path):
    rows = [f"{'cheap pills' if row % 2 else 'dear friend'} number,{row % 2}" for row in range(10)]
    file = read_source(table(tmp_path / "mails.csv", rows, "body,label"), Request(text="body", weighting="counts"))
    other = file.encode(table(tmp_path / "checked.csv", ["cheap unheard number number,0"], "body,label"))
    counts = dict(zip(file.split.train.feature_names, dense(other.X)[0], strict=True))
    assert counts == {"cheap": 1, "dear": 0, "friend": 0, "number": 2, "pills": 0}


def test_row_numbers_of_a_data_frame_are_left_out(tmp_path):
    numbered = [f"{row},{line}" for row, line in enumerate(ROWS)]
    file = read_source(table(tmp_path / "all.csv", numbered, f",{HEADER}"), Request())
    chosen = file.split.test.row_ids
    checked = table(tmp_path / "checked.csv", [numbered[row] for row in chosen], f",{HEADER}")
    assert np.array_equal(dense(file.encode(checked).X), dense(file.split.test.X))


def test_an_unseen_category_is_all_zero(tmp_path):
    file = read_source(table(tmp_path / "all.csv", ROWS), Request(scale="none"))
    other = file.encode(table(tmp_path / "checked.csv", ["30,Z,1"]))
    assert dense(other.X).tolist() == [[30.0, 0.0, 0.0, 0.0]]


def test_a_missing_value_is_the_median_of_the_first_file(tmp_path):
    file = read_source(table(tmp_path / "all.csv", ROWS), Request(scale="none"))
    other = file.encode(table(tmp_path / "checked.csv", ["?,A,1", ",A,1"]))
    assert np.array_equal(other.X[:, 0], [np.median(20 + file.split.train.row_ids)] * 2)


@pytest.mark.parametrize(
    ("rows", "header", "sentence"),
    [
        (["30,1"], "age,label", r"checked\.csv: expected a column 'town', got age, label"),
        (["old,B,1"], HEADER, r"checked\.csv: column 'age', line 2: expected a number as in the other rows, got 'old'"),
        (["30,B,"], HEADER, r"checked\.csv: column 'label', line 2: expected a label, got nothing"),
    ],
)
def test_other_columns_are_refused(tmp_path, rows, header, sentence):
    file = read_source(table(tmp_path / "all.csv", ROWS), Request())
    with pytest.raises(InvalidData, match=sentence):
        file.encode(table(tmp_path / "checked.csv", rows, header))


def test_other_shapes_are_refused(tmp_path):
    lines = read_source(svmlight(tmp_path / "all.svm", ROWS), Request())
    (tmp_path / "wide.svm").write_text("1 1:1 9:1\n")
    with pytest.raises(InvalidData, match=r"wide\.svm: expected columns up to 3, got column 9"):
        lines.encode(tmp_path / "wide.svm")
    arrays = read_source(archive(tmp_path / "all.npz", ROWS), Request())
    np.savez(tmp_path / "wide.npz", X=np.ones((2, 3)), y=[0, 1])
    with pytest.raises(InvalidData, match=r"wide\.npz: expected rows of shape \(2,\), got \(3,\)"):
        arrays.encode(tmp_path / "wide.npz")


def test_another_format_is_refused(tmp_path):
    file = read_source(table(tmp_path / "all.csv", ROWS), Request())
    with pytest.raises(InvalidArgument, match=r"`trusted`: expected a file of the same format as .*all\.csv"):
        file.encode(archive(tmp_path / "checked.npz", ROWS))
    with pytest.raises(InvalidData, match=r"missing\.csv: expected a file, got a name that does not exist"):
        file.encode(tmp_path / "missing.csv")


def test_named_data_take_prepared_rows(tmp_path):
    given = open_data("digits-1-7", Request())
    test = given.split.test
    write_rows_as_arrays(csr_array(test.X[:4] + 1), test.y[:4], tmp_path / "rows.npz")
    assert np.array_equal(given.trusted(tmp_path / "rows.npz").X, test.X[:4] + 1)
    write_rows_as_arrays(test.X[:4, :9], test.y[:4], tmp_path / "narrow.npz")
    with pytest.raises(InvalidData, match=r"narrow\.npz: expected 64 feature columns as in digits-1-7, got 9"):
        given.trusted(tmp_path / "narrow.npz")
