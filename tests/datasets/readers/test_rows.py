"""Bare rows on disk: written plainly, and never trusted when read."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.errors import InvalidData
from toadstone.datasets.readers.rows import read_poison, write_rows_as_arrays

SPARSE = np.array([[0.0, 0.0, 0.0, 2.5, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0]])
PARTS = {
    "X_data": np.array([2.5, 1.0]),
    "X_indices": np.array([3, 1]),
    "X_indptr": np.array([0, 1, 2, 2]),
    "X_shape": np.array([3, 5]),
    "y": np.array([1, -1, 1]),
}


def dense(X) -> np.ndarray:
    return X.toarray() if hasattr(X, "toarray") else X


@pytest.mark.parametrize("labels", [[1, -1, 1], [0.5, 1.0, 0.5], ["ham", "spam", "ham"], [True, False, True]], ids=str)
@pytest.mark.parametrize("make", [np.asarray, csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("shift", [0, 1])
def test_what_is_read_is_what_was_written(tmp_path, make, shift, labels):
    X = make(SPARSE + shift)
    write_rows_as_arrays(X, np.array(labels), tmp_path / "rows.npz")
    again = read_poison(tmp_path / "rows.npz")
    np.testing.assert_array_equal(dense(again.X), dense(X))
    assert again.y.tolist() == labels


@pytest.mark.parametrize(
    ("X", "arrays"),
    [(SPARSE, {"X_data", "X_indices", "X_indptr", "X_shape", "y"}), (1 + SPARSE, {"X", "y"})],
    ids=["few entries", "many entries"],
)
def test_the_archive_holds_these_arrays_and_no_other(tmp_path, X, arrays):
    write_rows_as_arrays(X, np.zeros(3), tmp_path / "rows.npz")
    with np.load(tmp_path / "rows.npz", allow_pickle=False) as stored:
        assert set(stored.files) == arrays
    assert [path.name for path in tmp_path.iterdir()] == ["rows.npz"]


def test_no_name_is_added_and_an_older_file_is_replaced(tmp_path):
    (tmp_path / "rows").write_text("older")
    write_rows_as_arrays(SPARSE, np.zeros(3), tmp_path / "rows")
    assert len(read_poison(tmp_path / "rows")) == 3


class TestFilesOfOthers:
    def refuse(self, tmp_path, arrays: dict, match: str) -> None:
        np.savez(tmp_path / "bad.npz", **arrays)
        with pytest.raises(InvalidData, match=match) as caught:
            read_poison(tmp_path / "bad.npz")
        assert str(tmp_path / "bad.npz") in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_the_parts_of_a_sparse_matrix(self, tmp_path):
        np.savez(tmp_path / "good.npz", **PARTS)
        np.testing.assert_array_equal(read_poison(tmp_path / "good.npz").X.toarray(), SPARSE)

    def test_whole_numbers_of_one_byte(self, tmp_path):
        np.savez(tmp_path / "good.npz", X=np.array([[0, 255]], dtype=np.uint8), y=[1])
        assert read_poison(tmp_path / "good.npz").X.tolist() == [[0.0, 255.0]]

    @pytest.mark.parametrize(
        "changes",
        [
            {"X_indices": np.array([3, 99_999_999])},
            {"X_indices": np.array([3, -9999])},
            {"X_indices": np.array([3, 5])},
            {"X_indices": np.array([3.0, 1.0])},
            {"X_indptr": np.array([0, 99, 2, 2])},
            {"X_indptr": np.array([0, 1, 2])},
            {"X_indptr": np.array([1, 1, 2, 2])},
            {"X_indptr": np.array([0, 1, 2, 9])},
            {"X_shape": np.array([3])},
            {"X_shape": np.array([3, -5])},
            {"X_shape": np.array([3.0, 5.0])},
            {"X_shape": np.array([4, 5])},
            {"X_data": np.array([2.5])},
            {"X_data": np.array([2.5, np.nan])},
            {"X_data": np.array(["2.5", "1"])},
            {"X_data": np.array([2.5, 1.0]) * 1j},
        ],
        ids=str,
    )
    def test_parts_that_contradict_each_other_never_reach_compiled_code(self, tmp_path, changes):
        # SciPy does not look at indices: out of range they would corrupt memory.
        self.refuse(tmp_path, PARTS | changes, "expected")

    @pytest.mark.parametrize("missing", list(PARTS))
    def test_a_missing_part(self, tmp_path, missing):
        self.refuse(tmp_path, {name: part for name, part in PARTS.items() if name != missing}, "expected")

    @pytest.mark.parametrize(
        ("X", "y"),
        [
            (np.ones((2, 2)), np.ones(3)),
            (np.ones((2, 2)), np.ones((2, 1))),
            (np.ones(2), np.ones(2)),
            (np.ones((2, 2, 2)), np.ones(2)),
            (np.ones((0, 2)), np.ones(0)),
            (np.ones((2, 0)), np.ones(2)),
            (np.array([[np.nan, 1.0]]), np.ones(1)),
            (np.array([[1.0, np.inf]]), np.ones(1)),
            (np.array([["1", "2"]]), np.ones(1)),
            (np.array([[1j, 2.0]]), np.ones(1)),
        ],
        ids=lambda part: f"{part.dtype}{part.shape}",
    )
    def test_rows_that_are_none(self, tmp_path, X, y):
        self.refuse(tmp_path, {"X": X, "y": y}, "expected")

    def test_pickled_objects_are_never_loaded(self, tmp_path):
        class Trap:
            def __reduce__(self):
                return (tmp_path.joinpath("sprung").touch, ())

        for name in ("X", "y"):
            arrays = {"X": np.ones((1, 2)), "y": np.ones(1)} | {name: np.array([Trap()], dtype=object)}
            np.savez(tmp_path / "bad.npz", **arrays)
            with pytest.raises(InvalidData, match="pickled objects, which are never loaded"):
                read_poison(tmp_path / "bad.npz")
        assert not (tmp_path / "sprung").exists()

    @pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 and no more", b"\x80\x04."], ids=repr)
    def test_files_of_another_kind(self, tmp_path, content):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(InvalidData, match=r"bad\.npz: expected"):
            read_poison(tmp_path / "bad.npz")

    def test_a_single_array_is_no_archive(self, tmp_path):
        np.save(tmp_path / "bad.npy", np.ones((2, 2)))
        with pytest.raises(InvalidData, match=r"expected a complete \.npz archive"):
            read_poison(tmp_path / "bad.npy")

    def test_a_missing_file_and_a_folder(self, tmp_path):
        for path in (tmp_path / "nowhere.npz", tmp_path):
            with pytest.raises(InvalidData, match="expected"):
                read_poison(path)

    def test_a_member_that_is_no_array(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "bad.npz", "w") as archive:
            member = io.BytesIO()
            np.save(member, np.ones(1))
            archive.writestr("y.npy", member.getvalue())
            archive.writestr("X.npy", b"not an array")
        with pytest.raises(InvalidData, match=r"expected a complete \.npz archive"):
            read_poison(tmp_path / "bad.npz")

    def test_damaged_bytes_are_at_worst_one_sentence(self, tmp_path):
        rng = np.random.default_rng(0)
        write_rows_as_arrays(rng.random((20, 20)), np.ones(20), tmp_path / "good.npz")
        content = (tmp_path / "good.npz").read_bytes()
        refused = 0
        for position in range(0, len(content), 5):
            damaged = bytearray(content)
            damaged[position] ^= 0xFF
            (tmp_path / "bad.npz").write_bytes(bytes(damaged))
            try:
                read_poison(tmp_path / "bad.npz")
            except InvalidData:
                refused += 1
        assert refused > len(content) / 10


@pytest.mark.data
@pytest.mark.parametrize("number", [14, 24])
def test_attacks_that_were_published(data_dir, number):
    found = read_poison(data_dir / f"enron_minmax_reference_{number}.npz")
    assert found.X.shape == (124, 5116)
    assert set(found.y.tolist()) == {-1, 1}
