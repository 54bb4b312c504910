"""Representations of rows from NumPy files."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.errors import InvalidData
from toadstone.datasets.readers.representation import representation_of

VALUES = np.arange(12.0).reshape(4, 3)


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "rows.npy", VALUES.astype(np.float32))
    np.savez(tmp_path / "rows.npz", VALUES)
    np.savez(tmp_path / "two.npz", a=VALUES, b=VALUES)
    np.save(tmp_path / "cube.npy", VALUES.reshape(4, 3, 1))
    np.save(tmp_path / "texts.npy", VALUES.astype(str))
    np.save(tmp_path / "objects.npy", VALUES.astype(object), allow_pickle=True)
    np.save(tmp_path / "gaps.npy", np.where(VALUES == 5, np.nan, VALUES))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "rows.npy").read_bytes()[:-4])
    (tmp_path / "other.npy").write_bytes(b"no array at all")
    (tmp_path / "rows.csv").write_text("1,2\n")
    return tmp_path


@pytest.mark.parametrize("name", ["rows.npy", "rows.npz"])
def test_a_matrix_is_read_as_it_stands(folder, name):
    found = representation_of(folder / name, 4)
    assert found.dtype == np.float64
    assert np.array_equal(found, VALUES)


def test_matrices_in_memory_are_taken_too():
    assert np.array_equal(representation_of(VALUES, 4), VALUES)
    assert np.array_equal(representation_of(csr_array(VALUES), 4).toarray(), VALUES)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("two.npz", "expected one array, got a, b"),
        ("cube.npy", "expected a matrix of numbers with a row for each of 4 rows, got float64 of shape (4, 3, 1)"),
        ("texts.npy", "expected a matrix of numbers with a row for each of 4 rows, got <U32 of shape (4, 3)"),
        ("objects.npy", "expected numbers, got pickled objects, which are never loaded"),
        ("gaps.npy", "expected finite numbers, got NaN or infinity in row 1"),
        ("cut.npy", "expected a complete .npy file, got one that is damaged or cut"),
        ("other.npy", "expected a complete .npy file, got one that is damaged or of another kind"),
        ("rows.csv", "expected a .npy file, or an .npz file with one array, got .csv"),
        ("missing.npy", "expected a file, got a name that does not exist"),
    ],
)
def test_anything_else_is_refused_in_a_sentence(folder, name, sentence):
    with pytest.raises(InvalidData) as refused:
        representation_of(folder / name, 4)
    assert sentence in str(refused.value)
    assert name in str(refused.value)


def test_other_rows_are_refused(folder):
    with pytest.raises(InvalidData, match="expected a row for each of 5 rows of the data, got 4"):
        representation_of(folder / "rows.npy", 5)
