"""Archives under the names of others, sizes checked before memory is reserved, and numbers that a float cannot hold."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import random_array

from toadstone.core.errors import InvalidData
from toadstone.datasets.preparation.exact_numbers import check_numbers
from toadstone.datasets.readers.formats.archive import Archive
from toadstone.datasets.readers.formats.sparse_parts import matrix_parts, sparse_matrix
from toadstone.datasets.readers.read import read, read_source, write_rows
from toadstone.datasets.readers.request import Request

N = 40
Y = np.arange(N) % 2
X = np.random.default_rng(0).normal(size=(N, 3))
IMAGES = np.random.default_rng(0).integers(0, 256, (N, 6, 5), dtype=np.uint8)


def _file(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "file.npz", **arrays)
    return folder / "file.npz"


@pytest.mark.parametrize("names", [("x", "y"), ("images", "labels"), ("data", "target"), ("features", "labels")])
def test_whole_archives_of_other_names(tmp_path: Path, names: tuple[str, str]) -> None:
    path = _file(tmp_path, **{names[0]: X, names[1]: Y, "weight": np.arange(N)})
    split = read(path)
    np.testing.assert_array_equal(split.whole().X, X)
    assert split.notes == (f"rows are read from {names[0]}, labels from {names[1]}",)
    write_rows(path, [7, 3], tmp_path / "kept.npz")
    with np.load(tmp_path / "kept.npz") as kept:
        assert {name: kept[name].tolist() for name in (names[1], "weight")} == {names[1]: [1, 1], "weight": [3, 7]}
        np.testing.assert_array_equal(kept[names[0]], X[[3, 7]])


def test_keras(tmp_path: Path) -> None:
    path = _file(tmp_path, x_train=IMAGES, y_train=Y.astype(np.uint8), x_test=IMAGES[:9], y_test=Y[:9])
    split = read(path)
    assert (len(split.train), len(split.test), split.image) == (N, 9, (6, 5))
    np.testing.assert_array_equal(split.test.X, IMAGES[:9].reshape(9, 30) / 255)


def test_medmnist_leaves_the_validation_split_out_and_keeps_it(tmp_path: Path) -> None:
    arrays = {
        "train_images": IMAGES,
        "train_labels": Y[:, None].astype(np.uint8),
        "val_images": IMAGES[:8],
        "val_labels": Y[:8, None],
        "test_images": IMAGES[:9],
        "test_labels": Y[:9, None],
    }
    path = _file(tmp_path, **arrays)
    split = read(path)
    np.testing.assert_array_equal(split.train.y, Y)
    assert split.notes[1] == "val_images and val_labels, a validation split, is left out of training and test rows"
    write_rows(path, [2, 5], tmp_path / "kept.npz")
    with np.load(tmp_path / "kept.npz") as kept:
        assert set(kept) == set(arrays)
        for name in arrays:
            np.testing.assert_array_equal(kept[name], arrays[name][[2, 5]] if "train" in name else arrays[name])


def test_several_labels_a_row_are_refused_as_such(tmp_path: Path) -> None:
    labels = np.zeros((N, 3), dtype=np.uint8)
    path = _file(tmp_path, train_images=IMAGES, train_labels=labels, test_images=IMAGES, test_labels=labels)
    with pytest.raises(InvalidData, match=r"train_labels: expected one label a row, .* several labels a row"):
        read(path)


def test_a_published_split_needs_its_test_rows(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="expected arrays test_images and test_labels beside train_images"):
        read(_file(tmp_path, train_images=IMAGES, train_labels=Y))


def test_unsigned_labels_past_63_bits_are_not_wrapped(tmp_path: Path) -> None:
    y = np.where(Y, 2**64 - 1, 2**63).astype(np.uint64)
    split = read(_file(tmp_path, X=X, y=y))
    assert split.train.classes.tolist() == ["18446744073709551615", "9223372036854775808"]


@pytest.mark.parametrize("kind", [np.int64, np.uint64])
@pytest.mark.parametrize("wrong", [2**53 + 1, 2**63 - 1])
def test_whole_numbers_that_a_float_rounds_are_refused(kind: type, wrong: int) -> None:
    check_numbers(np.array([[0, 2**53]], dtype=kind), "file: X")
    sentence = rf"file: X: expected whole numbers up to 2\*\*53, .* got {wrong} in row 2, column 1"
    with pytest.raises(InvalidData, match=sentence):
        check_numbers(np.array([[0, 0], [0, wrong]], dtype=kind), "file: X")


def test_sparse_entries_that_a_float_rounds_are_refused(tmp_path: Path) -> None:
    parts = _parts(6)
    parts["X_data"] = np.full(len(parts["X_data"]), 2**53 + 1, dtype=np.uint64)
    with pytest.raises(InvalidData, match=r"X_data: expected whole numbers up to 2\*\*53, .* in entry 1"):
        sparse_matrix(parts, "X", "file: X")


def _parts(columns: int, **changes: Any) -> dict[str, Any]:
    X = random_array((N, columns), density=min(1.0, 5 / columns), format="csr", rng=np.random.default_rng(0))
    return {**matrix_parts("X", X, {"data": "f8", "indices": "u8", "indptr": "u8"}), **changes}


@pytest.mark.parametrize("columns", [10_000_000, 2**63, 2**64 - 1])
def test_declared_widths_are_bounded_by_the_entries(tmp_path: Path, columns: int) -> None:
    path = _file(tmp_path, **_parts(30, X_shape=np.array([N, columns], dtype=np.uint64)), y=Y)
    begin = time.process_time()
    with pytest.raises(InvalidData, match=rf"X_shape: expected at most 1,048,576 columns for \d+ .* got {columns:,}"):
        read(path)
    assert time.process_time() - begin < 1


def test_empty_last_columns_of_hashed_words_are_read(tmp_path: Path) -> None:
    split = read(_file(tmp_path, **_parts(30, X_shape=np.array([N, 2**20])), y=Y))
    assert split.train.n_features == 2**20


@pytest.mark.parametrize("part", ["indices", "indptr"])
def test_numbers_past_63_bits_in_sparse_parts_are_named_as_they_stand(part: str) -> None:
    parts = _parts(30)
    parts[f"X_{part}"][3] = 2**64 - 2
    got = "got 18446744073709551614" if part == "indices" else "expected ascending numbers"
    with pytest.raises(InvalidData, match=f"X_{part}: expected .*{got}|X_{part}: {got}"):
        sparse_matrix(parts, "X", "file: X")


def test_wide_svmlight_is_bounded_by_its_entries(tmp_path: Path) -> None:
    (tmp_path / "rows.svm").write_text(
        "".join(f"{row % 2} 1:{row} {2_000_000_000 if row == 9 else 2}:1\n" for row in range(N))
    )
    with pytest.raises(
        InvalidData, match=r"the largest column number: expected at most 1,048,576 columns for 80 stored"
    ):
        read(tmp_path / "rows.svm")


def _member(shape: str, descr: str, body: bytes, version: bytes = b"\x01\x00") -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    size = len(header).to_bytes(2 if version == b"\x01\x00" else 4, "little")
    return b"\x93NUMPY" + version + size + header + body


@pytest.mark.parametrize("shape", ["(1000000000000, 3)", "(39, 3)", "(41, 3)", f"({2**62}, {2**62})"])
@pytest.mark.parametrize("version", [b"\x01\x00", b"\x02\x00", b"\x03\x00"])
def test_headers_that_state_other_sizes_are_refused_before_memory_is_reserved(
    tmp_path: Path, shape: str, version: bytes
) -> None:
    path = tmp_path / "file.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", _member(shape, "<f8", X.tobytes(), version))
        archive.writestr("y.npy", _member("(40,)", "<i8", Y.astype("<i8").tobytes()))
    with pytest.raises(InvalidData, match=r"expected a complete .npz archive, got one that is damaged"):
        read(path)


def test_true_headers_of_both_versions_are_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "file.npz", "w") as archive:
        archive.writestr("X.npy", _member("(40, 3)", "<f8", X.tobytes(), b"\x02\x00"))
        archive.writestr("y.npy", _member("(40,)", "<i8", Y.astype("<i8").tobytes()))
    np.testing.assert_array_equal(read(tmp_path / "file.npz").whole().X, X)


def test_the_arrays_together_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toadstone.datasets.readers.content._ROOM", 1 << 20)
    path = tmp_path / "bomb.npz"
    for arrays in (3, 5):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in range(arrays):
                archive.writestr(f"a{name}.npy", bytes(1 << 18))
        if arrays == 3:
            assert len(Archive(path).names) == 3
    with pytest.raises(InvalidData, match="once inflated"):
        Archive(path)


def test_two_arrays_of_one_name_are_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.save(stream, X)
    with zipfile.ZipFile(tmp_path / "file.npz", "w") as archive:
        archive.writestr("X.npy", stream.getvalue())
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("X.npy", stream.getvalue())
    with pytest.raises(InvalidData, match="expected arrays of different names, got X twice"):
        Archive(tmp_path / "file.npz")


def test_rare_classes_of_whole_numbers_leave_the_test_split_too(tmp_path: Path) -> None:
    y = np.where(np.arange(N) < 2, 9, Y)
    path = _file(tmp_path, X_train=X, y_train=y, X_test=X, y_test=y)
    split = read_source(path, Request().setting_aside()).split
    assert split.test.classes.tolist() == split.train.classes.tolist() == [0, 1]
    assert [one.position for one in split.aside] == [0, 1]
