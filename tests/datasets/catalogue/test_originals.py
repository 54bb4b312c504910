"""Parsers of the published files, on small ones made up in the same form."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csc_matrix, csr_array

from toadstone.datasets.catalogue import originals
from toadstone.datasets.catalogue.entries import ENTRIES, Entry
from toadstone.datasets.readers.formats.arrays import save
from toadstone.datasets.readers.formats.sparse_parts import sparse_matrix
from toadstone.datasets.readers.read import read
from toadstone.datasets.split import sha256


def write_idx(path: Path, values: np.ndarray) -> Path:
    magic = 2048 + values.ndim
    content = struct.pack(f">{1 + values.ndim}i", magic, *values.shape) + values.tobytes()
    path.write_bytes(gzip.compress(content, compresslevel=1))
    return path


def write_adult(path: Path, rows: list[str], *, test: bool) -> Path:
    start, end = ("|1x3 Cross validator\n", ".") if test else ("", "")
    path.write_text(start + "".join(f"{row}{end}\n" for row in rows) + "\n", encoding="utf-8")
    return path


def test_mnist(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 3, 2)).astype(np.uint8)
    parts = (images[:4], np.arange(4, dtype=np.uint8), images[4:], np.arange(2, dtype=np.uint8))
    files = [write_idx(tmp_path / f"{position}.gz", part) for position, part in enumerate(parts)]
    arrays = originals.parse_mnist(files)
    for name, part in zip(("X_train", "y_train", "X_test", "y_test"), parts, strict=True):
        np.testing.assert_array_equal(arrays[name], part)
    with pytest.raises(ValueError, match="magic number 2051"):
        originals.parse_mnist([files[0], files[0], *files[2:]])
    files[0].write_bytes(gzip.compress(gzip.decompress(files[0].read_bytes())[:-1]))
    with pytest.raises(ValueError, match="reshape"):
        originals.parse_mnist(files)


def test_enron(tmp_path: Path) -> None:
    counts = np.array([[0, 701], [2, 0], [1, 1]])
    stored = {"X_train": csc_matrix(counts.astype(float)), "X_test": csc_matrix(counts[:1].astype(float))}
    stored |= {"y_train": np.array([[1.0], [-1.0], [1.0]]), "y_test": np.array([[-1.0]]), "other": np.ones(3)}
    savemat(tmp_path / "enron.mat", stored, do_compression=True)
    arrays = originals.parse_enron([tmp_path / "enron.mat"])
    np.testing.assert_array_equal(sparse_matrix(arrays, "X_train", "").toarray(), counts)
    assert arrays["y_train"].tolist() == [1, -1, 1]
    assert (arrays["X_train_data"].dtype, arrays["y_train"].dtype) == (np.uint16, np.int8)
    assert not any("other" in name for name in arrays)
    (tmp_path / "enron.mat").write_bytes(b"no matrix at all" * 20)
    with pytest.raises(ValueError, match="mat file"):
        originals.parse_enron([tmp_path / "enron.mat"])


def test_counts_that_are_none_are_refused(tmp_path: Path) -> None:
    stored = {"X_train": csc_matrix([[0.5]]), "X_test": csc_matrix([[1.0]]), "y_train": [1], "y_test": [1]}
    savemat(tmp_path / "enron.mat", stored)
    with pytest.raises(ValueError, match="not counts"):
        originals.parse_enron([tmp_path / "enron.mat"])


def write_imdb(path: Path, bags: dict[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in bags.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


def test_imdb(tmp_path: Path) -> None:
    bags = {
        "aclImdb/README": "x",
        "aclImdb/test/labeledBow.feat": "10 1:1\n",
        "aclImdb/train/unsupBow.feat": "0 0:1\n",
        "aclImdb/train/labeledBow.feat": "9 0:9 89526:1\n6 3:2\n1 0:1\n5 2:300\n",
    }
    arrays = originals.parse_imdb([write_imdb(tmp_path / "imdb.tar.gz", bags)])
    X = sparse_matrix(arrays, "X_train", "")
    assert X.shape == (4, 89527)
    assert (X[0, 0], X[0, 89526], X[1, 3], X[3, 2], X.sum()) == (9, 1, 2, 300, 313)
    assert arrays["y_train"].tolist() == [1, 1, -1, -1]
    assert arrays["y_test"].tolist() == [1]
    del bags["aclImdb/test/labeledBow.feat"]
    with pytest.raises(KeyError):
        originals.parse_imdb([write_imdb(tmp_path / "imdb.tar.gz", bags)])


ADULT = [
    "39, State-gov, 77516, Bachelors, 13, Widowed, Sales, Unmarried, White, Male, 2174, 0, 40, Peru, <=50K",
    "50, ?, 83311, Bachelors, 13, Divorced, ?, Husband, White, Male, 0, 7, 13, Cuba, >50K",
]


def test_adult(tmp_path: Path) -> None:
    files = [
        write_adult(tmp_path / "adult.data", ADULT, test=False),
        write_adult(tmp_path / "adult.test", ADULT[1:], test=True),
    ]
    arrays = originals.parse_adult(files)
    assert arrays["numeric_train"].tolist() == [[39, 77516, 13, 2174, 0, 40], [50, 83311, 13, 0, 7, 13]]
    assert arrays["numeric_test"].tolist() == [[50, 83311, 13, 0, 7, 13]]
    assert (arrays["y_train"].tolist(), arrays["y_test"].tolist()) == ([-1, 1], [1])
    assert arrays["levels_workclass"].tolist() == ["?", "State-gov"]
    assert (arrays["workclass_train"].tolist(), arrays["workclass_test"].tolist()) == ([1, 0], [0])
    assert arrays["category_names"].tolist()[-1] == "native_country"
    files[0].write_text("1, 2, 3\n", encoding="utf-8")
    with pytest.raises(ValueError, match="reshape"):
        originals.parse_adult(files)


def write_sms(path: Path, lines: list[str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme", "x")
        archive.writestr("SMSSpamCollection", "".join(f"{line}\n" for line in lines))
    return path


def test_sms(tmp_path: Path) -> None:
    lines = [f"{'spam' if i % 4 == 0 else 'ham'}\tword{i % 2} £5 common\ttab{i}" for i in range(20)]
    arrays = originals.parse_sms([write_sms(tmp_path / "sms.zip", lines)])
    order = np.random.RandomState(0).permutation(20)
    assert arrays["y_train"].tolist() == [1 if i % 4 == 0 else -1 for i in order[:16]]
    assert arrays["y_test"].tolist() == [1 if i % 4 == 0 else -1 for i in order[16:]]
    assert arrays["vocab"].tolist() == ["common", "word0", "word1"]
    words = sparse_matrix(arrays, "X_test", "").toarray()
    np.testing.assert_array_equal(words, [[1, i % 2 == 0, i % 2 == 1] for i in order[16:]])


def test_pneumonia(tmp_path: Path) -> None:
    images = np.zeros((3, 28, 28), dtype=np.uint8)
    stored = {f"{part}_images": images for part in ("train", "val", "test")}
    stored |= {f"{part}_labels": np.array([[0], [1], [1]], dtype=np.uint8) for part in ("train", "val", "test")}
    np.savez(tmp_path / "p.npz", **stored)
    arrays = originals.parse_pneumonia([tmp_path / "p.npz"])
    assert {name: values.shape for name, values in arrays.items()} == {
        "X_train": (3, 28, 28),
        "y_train": (3,),
        "X_test": (3, 28, 28),
        "y_test": (3,),
    }


def _entry(name: str) -> Entry:
    return next(entry for entry in ENTRIES if entry.name == name)


def _check(entry: Entry, arrays: dict[str, Any], folder: Path) -> None:
    save(folder / str(entry.file), arrays)
    split = read(folder / str(entry.file), classes=entry.classes)
    assert (sha256(split.train), sha256(split.test)) == entry.sha256


@pytest.mark.data
def test_the_published_adult_files_give_the_recorded_content(data_dir: Path, tmp_path: Path) -> None:
    """The original is rebuilt byte by byte, which its published checksum proves."""
    entry = _entry("adult")
    with np.load(data_dir / "adult.npz", allow_pickle=False) as stored:
        files = [_adult_original(stored, part, tmp_path) for part in ("train", "test")]
        assert entry.original is not None
        for file, checksum in zip(files, entry.original.checksums, strict=True):
            assert f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}" == checksum
        arrays = originals.parse_adult(files)
        assert set(arrays) == set(stored.files)
        for name in arrays:
            np.testing.assert_array_equal(arrays[name], stored[name])


def _adult_original(stored: Any, part: str, folder: Path) -> Path:
    numbers = dict(zip(stored["numeric_names"].tolist(), stored[f"numeric_{part}"].astype(str).T.tolist(), strict=True))
    columns = [
        numbers[name] if name in numbers else stored[f"levels_{name}"][stored[f"{name}_{part}"]].tolist()
        for name in originals.ADULT_COLUMNS
    ]
    income = [">50K" if sign > 0 else "<=50K" for sign in stored[f"y_{part}"].tolist()]
    rows = [", ".join(row) for row in zip(*columns, income, strict=True)]
    return write_adult(folder / f"adult.{part}", rows, test=part == "test")


@pytest.mark.data
def test_the_published_messages_give_the_recorded_content(data_dir: Path, tmp_path: Path) -> None:
    """The digest of the member was published by others who downloaded the archive."""
    with np.load(data_dir / "sms.npz", allow_pickle=False) as stored:
        messages: list[str] = []
        for part in ("train", "test"):
            raw, offsets = stored[f"text_{part}"].tobytes(), stored[f"text_offset_{part}"]
            kinds = np.where(stored[f"y_{part}"] > 0, "spam", "ham").tolist()
            messages += [
                f"{kind}\t{raw[start:end].decode()}"
                for kind, start, end in zip(kinds, offsets[:-1], offsets[1:], strict=True)
            ]
    lines = [""] * len(messages)
    for message, position in zip(messages, np.random.RandomState(0).permutation(len(messages)), strict=True):
        lines[position] = message
    content = "".join(f"{line}\n" for line in lines).encode()
    assert hashlib.sha256(content).hexdigest() == "7d039a24a6083ed9ef0f806ebad56bbb976e3aeb8de05669173bfdc4996c239d"
    _check(_entry("sms"), originals.parse_sms([write_sms(tmp_path / "sms.zip", lines)]), tmp_path)


@pytest.mark.data
def test_the_published_enron_matrix_gives_the_recorded_content(data_dir: Path, tmp_path: Path) -> None:
    with np.load(data_dir / "enron.npz", allow_pickle=False) as stored:
        matrices = {name: csc_matrix(csr_array(sparse_matrix(stored, name, ""))) for name in ("X_train", "X_test")}
        labels = {name: stored[name].astype(float)[:, None] for name in ("y_train", "y_test")}
    savemat(tmp_path / "enron.mat", {**matrices, **labels}, do_compression=True)
    _check(_entry("enron"), originals.parse_enron([tmp_path / "enron.mat"]), tmp_path)


@pytest.mark.data
def test_the_published_digits_give_the_recorded_content(data_dir: Path, tmp_path: Path) -> None:
    names = ("X_train", "y_train", "X_test", "y_test")
    with np.load(data_dir / "mnist.npz", allow_pickle=False) as stored:
        files = [write_idx(tmp_path / f"{name}.gz", stored[name]) for name in names]
    unzipped = [hashlib.md5(gzip.decompress(file.read_bytes()), usedforsecurity=False).hexdigest() for file in files]
    # As published for the files of images once unzipped.
    assert unzipped[::2] == ["6bbc9ace898e44ae57da46a324031adb", "2646ac647ad5339dbf082846283269ea"]
    _check(_entry("mnist-1-7"), originals.parse_mnist(files), tmp_path)
