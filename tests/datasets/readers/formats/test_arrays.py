"""NumPy archives: dense, sparse and pictures; nothing is ever unpickled."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array, issparse

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.readers.formats.arrays import save
from toadstone.datasets.readers.formats.sparse_parts import matrix_parts
from toadstone.datasets.readers.read import read, write_rows

N = 40
Y = np.arange(N) % 2
X = np.random.default_rng(0).normal(size=(N, 3))
WIDTHS = {"data": np.uint8, "indices": np.int32, "indptr": np.int64}


class _Bomb:
    """Ends the test run if it is ever unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.exit, ("a pickle was loaded",))


def _file(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "file.npz", **arrays)
    return folder / "file.npz"


def _counts() -> csr_array:
    return csr_array(np.random.default_rng(1).integers(0, 3, (N, 6)))


def _sparse(**changes: Any) -> dict[str, Any]:
    return {**matrix_parts("X", _counts(), WIDTHS), "y": Y, **changes}


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_dense_rows_without_a_test_split(tmp_path: Path, kind: type) -> None:
    split = read(_file(tmp_path, X=X.astype(kind), y=Y, feature_names=np.array(["a", "b", ""])))
    assert split.train.X.dtype == np.float64
    np.testing.assert_array_equal(split.train.X, X.astype(kind)[split.train.row_ids])
    np.testing.assert_array_equal(split.test.y, Y[split.test.row_ids])
    assert split.train.feature_names == ("a", "b", "column 2")
    assert split.test_origin.startswith("20 % held out at random")


def test_published_test_split_is_kept_whole(tmp_path: Path) -> None:
    split = read(_file(tmp_path, X_train=X, y_train=Y, X_test=X[:3], y_test=Y[:3], X_val=np.array(["ignored"])))
    np.testing.assert_array_equal(split.train.X, X)
    assert split.test.row_ids.tolist() == [0, 1, 2]
    assert split.test_origin == "test split of the file"


def test_sparse_rows_stay_sparse_under_their_own_names(tmp_path: Path) -> None:
    names = np.frombuffer("uno\ndos\ntres\ncuatro\ncinco\naño".encode(), dtype=np.uint8)
    split = read(_file(tmp_path, **_sparse(vocab=names)))
    assert issparse(split.train.X)
    assert split.train.X.dtype == np.float64
    np.testing.assert_array_equal(split.train.X.toarray(), _counts().toarray()[split.train.row_ids])
    assert split.train.feature_names == ("uno", "dos", "tres", "cuatro", "cinco", "año")
    assert split.preparation == "counts as given"


def test_guessed_words_are_not_shown(tmp_path: Path) -> None:
    vocab, score = np.array(["a", "b", "c", "d", "e", ""]), np.array([1, 0.9, 0.89, 0.1, 1, 1])
    split = read(_file(tmp_path, **_sparse(vocab=vocab, vocab_score=score)))
    assert split.train.feature_names == ("a", "b", "column 2", "column 3", "e", "column 5")


def test_pictures_are_flattened_into_the_unit_box(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (N, 2, 3, 3)).astype(np.uint8)
    split = read(_file(tmp_path, X=images, y=np.where(Y, 7, 1)), classes=("7", "1"))
    np.testing.assert_array_equal(split.train.X, images.reshape(N, 18)[split.train.row_ids] / 255)
    assert (split.domain, split.preparation) == ("box", "pixels divided by 255")


def test_a_matrix_of_bytes_holds_numbers_not_pixels(tmp_path: Path) -> None:
    counts = np.random.default_rng(0).integers(0, 256, (N, 4)).astype(np.uint8)
    split = read(_file(tmp_path, X=counts, y=Y))
    np.testing.assert_array_equal(split.train.X, counts[split.train.row_ids])
    assert split.preparation == "counts as given"


def test_classes_apply_to_both_parts(tmp_path: Path) -> None:
    y = np.arange(N) % 4
    split = read(_file(tmp_path, X_train=X, y_train=y, X_test=X, y_test=y), classes=("3", "1"))
    assert split.train.classes.tolist() == split.test.classes.tolist() == [1, 3]
    np.testing.assert_array_equal(split.test.row_ids, np.flatnonzero(y % 2))


def test_standardising_is_fitted_on_training_rows(tmp_path: Path) -> None:
    split = read(_file(tmp_path, X=X * 9 + 5, y=Y), scale="standard")
    np.testing.assert_allclose(split.train.X.mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(split.train.X.std(axis=0), 1)
    assert abs(split.test.X.mean()) > 1e-3


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        (
            {"X": np.array([_Bomb()] * N), "y": Y},
            "array X: expected numbers or text, got pickled objects, which are never",
        ),
        ({"X": X, "y": np.array(["a", _Bomb()] * 20)}, "array y: expected numbers or text, got pickled objects"),
        ({"rows": X, "goal": Y}, r"expected arrays X and y, or .*, got goal, rows"),
        ({"X": X}, "expected arrays X and y, or .*, got X"),
        ({"X_train": X, "y_train": Y}, "expected arrays X_test and y_test beside X_train, got X_train, y_train"),
        ({"X": X, "y": Y[1:]}, "y: expected one label for each of 40 rows, got 39"),
        ({"X": X, "y": np.eye(2)[Y]}, r"y: expected one label a row, got an array of shape \(40, 2\)"),
        ({"X": X, "y": X[:, 0]}, "y: expected classes, got .*: it looks like a regression target"),
        ({"X": X, "y": np.zeros(N)}, "y: expected at least two classes, got only '0'"),
        ({"X": X[:0], "y": Y[:0]}, "y: expected rows, got none"),
        ({"X": X[:, :0], "y": Y}, "expected at least one feature column, got none"),
        ({"X": X[:, 0], "y": Y}, r"X: expected rows of shape \(n, d\) or images of bytes, got float64 .* \(40,\)"),
        ({"X": X[:, :, None], "y": Y}, r"X: expected rows of shape \(n, d\) or images of bytes, got float64"),
        ({"X": np.array([["a"]] * N), "y": Y}, "X: expected numbers, got values of type <U1"),
        ({"X": X * 1j, "y": Y}, "X: expected numbers, got values of type complex128"),
        (
            {"X": np.where(np.isclose(X, X[4, 2]), np.nan, X), "y": Y},
            r"X: expected finite numbers up to 1e\+100, got nan in row 5, column 2",
        ),
        (
            {"X_train": X, "y_train": Y, "X_test": X[:, :2], "y_test": Y},
            r"expected rows of shape \(3,\), got \(2,\)",
        ),
        (
            {"X_train": X, "y_train": Y, "X_test": X, "y_test": Y + 1},
            "y_test: expected test labels that occur in training",
        ),
        ({"X_train": X, "y_train": Y, "X_test": X[:0], "y_test": Y[:0]}, "y_test: expected test rows, got none"),
    ],
)
def test_unusable_arrays(tmp_path: Path, arrays: dict, sentence: str) -> None:
    with pytest.raises(InvalidData, match=f"file.npz: {sentence}"):
        read(_file(tmp_path, **arrays))


def test_damaged_archives(tmp_path: Path) -> None:
    path = _file(tmp_path, X=X, y=Y)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[300] ^= 255
    giant = (
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000, 9), }".ljust(118)
    )
    for content in (whole[: len(whole) // 2], bytes(flipped), pickle.dumps([1]), b"PK\x03\x04"):
        path.write_bytes(content)
        with pytest.raises(InvalidData, match=r"file.npz: expected a complete .npz archive, got one that is damaged"):
            read(path)
    for member in (b"garbage", giant):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("X.npy", member)
            archive.writestr("y.npy", member)
        with pytest.raises(InvalidData, match=r"file.npz: expected a complete .npz archive, got one that is damaged"):
            read(path)


@pytest.mark.parametrize("code", [0x110000, 0xFFFFFFFF, 0xD800, 0xDFFF])
@pytest.mark.parametrize("name", ["y", "feature_names"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_texts_of_numbers_that_are_no_characters(tmp_path: Path, code: int, name: str, order: str) -> None:
    arrays = {"X": X, "y": np.array(["a", "b"], dtype=f"{order}U1")[Y], "feature_names": np.array(list("abc"))}
    assert read(_file(tmp_path, **arrays)).train.classes.tolist() == ["a", "b"]
    arrays[name] = arrays[name].astype(f"{order}U1")
    arrays[name].view(f"{order}u4")[0] = code
    with pytest.raises(InvalidData, match=r"file.npz: expected a complete .npz archive, got one that is damaged"):
        read(_file(tmp_path, **arrays))


def test_options_that_name_columns_do_not_apply(tmp_path: Path) -> None:
    path = _file(tmp_path, X=X, y=Y)
    for option in ("label", "text"):
        with pytest.raises(InvalidArgument, match=f"`{option}`: expected nothing for an .npz archive"):
            read(path, **{option: "y"})


def test_kept_training_rows_come_back_with_the_test_split(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {
        **matrix_parts("X_train", _counts(), WIDTHS),
        **matrix_parts("X_test", _counts()[:5], WIDTHS),
    }
    arrays |= {
        "y_train": Y.astype(np.int8),
        "y_test": Y[:5],
        "id_train": np.arange(N) * 2,
        "vocab": np.array(list("abcdef")),
    }
    arrays |= {"text_train": np.arange(99, dtype=np.uint8), "offset_train": np.arange(N + 1)}
    path = _file(tmp_path, **arrays)
    rows = np.array([30, 3, *range(10, 20)])
    write_rows(path, rows, tmp_path / "new.npz")
    with np.load(tmp_path / "new.npz", allow_pickle=False) as written:
        assert set(written) == set(arrays) - {"text_train", "offset_train"}
        assert {name: written[name].dtype for name in written} == {name: arrays[name].dtype for name in written}
        np.testing.assert_array_equal(written["id_train"], np.sort(rows) * 2)
    before, after = read(path), read(tmp_path / "new.npz")
    np.testing.assert_array_equal(after.train.X.toarray(), before.train.X.toarray()[np.sort(rows)])
    np.testing.assert_array_equal(after.train.y, before.train.y[np.sort(rows)])
    np.testing.assert_array_equal(after.test.X.toarray(), before.test.X.toarray())
    assert after.train.feature_names == before.train.feature_names


def test_kept_rows_of_a_plain_archive(tmp_path: Path) -> None:
    path = _file(tmp_path, X=X, y=Y, weight=np.arange(N), feature_names=np.array(["a", "b", "c"]), note=np.array(3))
    write_rows(path, [5, 1], tmp_path / "new.npz")
    with np.load(tmp_path / "new.npz", allow_pickle=False) as written:
        assert set(written) == {"X", "y", "weight", "feature_names"}
        np.testing.assert_array_equal(written["X"], X[[1, 5]])
        assert written["weight"].tolist() == [1, 5]
    with pytest.raises(InvalidArgument, match="`rows`: expected row numbers below 40, got 40"):
        write_rows(path, [40], tmp_path / "other.npz")


def test_any_array_name_can_be_saved_and_bytes_repeat(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save(tmp_path / f"{name}.npz", {"file": X, "allow_pickle": Y})
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    with np.load(tmp_path / "one.npz", allow_pickle=False) as written:
        np.testing.assert_array_equal(written["file"], X)
