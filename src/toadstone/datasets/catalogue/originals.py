"""Parsers of public data sets, in the files that their authors published.

Each function takes the downloaded files and returns arrays in the archive
format of `toadstone.datasets.readers.formats.arrays`. Exceptions on damaged files are
turned into error messages by `toadstone.datasets.catalogue.fetch`.
"""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy.io import loadmat
from scipy.io.matlab import MatReadError
from sklearn.datasets import load_svmlight_file
from sklearn.feature_extraction.text import CountVectorizer

from toadstone.datasets.readers.formats.sparse_parts import matrix_parts, sparse_rows

Arrays: TypeAlias = dict[str, NDArray[Any]]
Parser: TypeAlias = Callable[[Sequence[Path]], Arrays]

IMDB_WORDS = 89527
_SMS_TRAIN_SHARE = 0.8
_IMAGES, _LABELS = 2051, 2049


def parse_mnist(files: Sequence[Path]) -> Arrays:
    """Parse four gzipped IDX files: training images and labels, test images and labels."""
    names = ("X_train", "y_train", "X_test", "y_test")
    magics = (_IMAGES, _LABELS, _IMAGES, _LABELS)
    return {name: _idx(file, magic) for name, file, magic in zip(names, files, magics, strict=True)}


def _idx(file: Path, magic: int) -> NDArray[np.uint8]:
    raw = gzip.decompress(file.read_bytes())
    dimensions = magic % 256
    found, *shape = struct.unpack_from(f">{1 + dimensions}i", raw)
    if found != magic:
        raise ValueError(f"magic number {found}")
    return np.frombuffer(raw, dtype=np.uint8, offset=4 * (1 + dimensions)).reshape(shape)


def parse_enron(files: Sequence[Path]) -> Arrays:
    """Parse a MATLAB file with counts ``X_train``, ``X_test`` and labels ``y_train``, ``y_test``."""
    try:
        stored = loadmat(files[0], variable_names=["X_train", "y_train", "X_test", "y_test"])
    except MatReadError as error:
        raise ValueError(str(error)) from None
    return _bags((stored["X_train"], stored["y_train"].ravel()), (stored["X_test"], stored["y_test"].ravel()))


def parse_imdb(files: Sequence[Path]) -> Arrays:
    """Parse a tar archive with word counts of both halves, ``labeledBow.feat``.

    A line holds the rating, 1 to 10 stars, and the counts of words.
    """
    wanted = {f"aclImdb/{part}/labeledBow.feat": part for part in ("train", "test")}
    bags: dict[str, tuple[Any, NDArray[Any]]] = {}
    with tarfile.open(files[0], "r|gz") as archive:
        for member in archive:
            part = wanted.get(member.name.removeprefix("./"))
            content = archive.extractfile(member) if part else None
            if part and content:
                lines = io.BytesIO(content.read())
                bags[part] = load_svmlight_file(lines, n_features=IMDB_WORDS, dtype=np.float64, zero_based=True)
            if len(bags) == len(wanted):
                break
    (X, stars), (X_test, stars_test) = bags["train"], bags["test"]
    return _bags((X, stars - 5.5), (X_test, stars_test - 5.5))


def parse_adult(files: Sequence[Path]) -> Arrays:
    """Parse ``adult.data`` and ``adult.test``: comma-separated values without a header."""
    parts = {part: _adult_rows(file) for part, file in zip(("train", "test"), files, strict=True)}
    numeric = [position for position, name in enumerate(ADULT_COLUMNS) if name in ADULT_NUMBERS]
    categories = [name for name in ADULT_COLUMNS if name not in ADULT_NUMBERS]
    arrays: Arrays = {"numeric_names": np.array(ADULT_NUMBERS), "category_names": np.array(categories)}
    for part, rows in parts.items():
        arrays[f"numeric_{part}"] = rows[:, numeric].astype(np.int32)
        arrays[f"y_{part}"] = np.where(np.char.startswith(rows[:, -1], ">50K"), 1, -1).astype(np.int8)
    for position, name in enumerate(ADULT_COLUMNS):
        if name in ADULT_NUMBERS:
            continue
        levels = np.unique(np.concatenate([rows[:, position] for rows in parts.values()]))
        arrays[f"levels_{name}"] = levels
        for part, rows in parts.items():
            arrays[f"{name}_{part}"] = np.searchsorted(levels, rows[:, position]).astype(np.uint8)
    return arrays


ADULT_COLUMNS = (
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education_num",
    "marital_status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital_gain",
    "capital_loss",
    "hours_per_week",
    "native_country",
)
ADULT_NUMBERS = ("age", "fnlwgt", "education_num", "capital_gain", "capital_loss", "hours_per_week")


def _adult_rows(file: Path) -> NDArray[np.str_]:
    lines = file.read_text(encoding="utf-8").splitlines()
    rows = [line.split(", ") for line in lines if line and not line.startswith("|")]
    if not rows:
        raise ValueError("no rows")
    return np.array(rows, dtype=np.str_).reshape(len(rows), len(ADULT_COLUMNS) + 1)


def parse_sms(files: Sequence[Path]) -> Arrays:
    """Parse a zip archive with one message a line: "ham" or "spam", a tab, the text.

    The first 80 % of NumPy's ``RandomState(0).permutation`` are the training
    messages. Features are the words of at least three of them.
    """
    with zipfile.ZipFile(files[0]) as archive:
        lines = archive.read("SMSSpamCollection").decode("utf-8").removesuffix("\n").split("\n")
    order = np.random.RandomState(0).permutation(len(lines))
    messages = [lines[position].partition("\t") for position in order]
    texts = [text for _, _, text in messages]
    y = np.array([1.0 if label == "spam" else -1.0 for label, _, _ in messages])
    n = int(_SMS_TRAIN_SHARE * len(lines))
    words = CountVectorizer(min_df=3)
    train, test = words.fit_transform(texts[:n]), words.transform(texts[n:])
    return {**_bags((train, y[:n]), (test, y[n:])), "vocab": words.get_feature_names_out().astype(np.str_)}


def parse_pneumonia(files: Sequence[Path]) -> Arrays:
    """Parse the archive of MedMNIST: ``train_images``, ``train_labels`` and so on."""
    with np.load(files[0], allow_pickle=False) as stored:
        return {
            f"{short}_{part}": stored[f"{part}_{name}"][:, 0] if short == "y" else stored[f"{part}_{name}"]
            for part in ("train", "test")
            for short, name in (("X", "images"), ("y", "labels"))
        }


def _bags(train: tuple[Any, NDArray[Any]], test: tuple[Any, NDArray[Any]]) -> Arrays:
    """Return counts as the parts of sparse rows, and labels as -1 and +1 by their sign."""
    arrays: Arrays = {}
    for part, (X, y) in (("train", train), ("test", test)):
        counts = sparse_rows(X)
        if np.any(counts.data < 0) or np.any(counts.data != np.floor(counts.data)):
            raise ValueError("values that are not counts")
        widths: dict[str, DTypeLike] = {
            "data": np.min_scalar_type(int(counts.data.max(initial=0))),
            "indices": np.int32,
            "indptr": np.int64,
        }
        arrays.update(matrix_parts(f"X_{part}", counts, widths))
        arrays[f"y_{part}"] = np.where(y > 0, 1, -1).astype(np.int8)
    return arrays
