"""The catalogue keeps what it promises about each data set."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import issparse
from sklearn.svm import LinearSVC

import toadstone.datasets
from toadstone.core.errors import InvalidArgument, InvalidData, UnknownName
from toadstone.datasets.catalogue import originals
from toadstone.datasets.catalogue.entries import ENTRIES, Entry
from toadstone.datasets.catalogue.load import load, locate
from toadstone.datasets.preparation.domain import check_domain
from toadstone.datasets.split import Split, sha256

EMBEDDED = [entry for entry in ENTRIES if entry.file is None]
STORED = [entry for entry in ENTRIES if entry.file is not None]


def _check(entry: Entry, split: Split) -> None:
    assert split.name == entry.name
    assert split.domain == entry.domain
    assert (len(split.train), len(split.test)) == (entry.rows, entry.test_rows)
    assert split.train.n_features == split.test.n_features == entry.features
    if entry.test_origin is not None:
        assert split.test_origin == entry.test_origin
    for part in (split.train, split.test):
        check_domain(part.X, entry.domain)
    if entry.domain == "box":
        assert (split.train.X.min(), split.train.X.max()) == (0, 1)
    if entry.sha256 is not None:
        assert (sha256(split.train), sha256(split.test)) == entry.sha256


@pytest.mark.parametrize("entry", EMBEDDED, ids=lambda entry: entry.name)
def test_embedded_sets(entry: Entry) -> None:
    split = load(entry.name)
    _check(entry, split)
    assert split.train.feature_names is not None
    assert locate(entry.name) is None
    other = load(entry.name, random_state=1, test_share=0.5)
    assert len(other.test) > len(split.test)
    assert other.test_origin == "50 % held out at random, stratified, seed 1"


@pytest.mark.data
@pytest.mark.parametrize("entry", STORED, ids=lambda entry: entry.name)
def test_stored_sets(entry: Entry, data_dir: Path) -> None:
    split = load(entry.name)
    _check(entry, split)
    assert locate(entry.name) == data_dir / str(entry.file)
    assert issparse(split.train.X) == (entry.domain == "integer")


@pytest.mark.data
@pytest.mark.usefixtures("data_dir")
def test_sizes_of_the_classes_and_names_of_words() -> None:
    enron, digits = load("enron"), load("mnist-1-7")
    assert [int(np.sum(part.y == 1)) for part in (enron.train, enron.test)] == [1209, 291]
    assert enron.train.feature_names is not None
    assert "viagra" in enron.train.feature_names
    assert enron.train.X.max() == 701
    assert digits.train.classes.tolist() == [1, 7]
    three_five = load("mnist", classes=("5", "3"))
    assert three_five.train.classes.tolist() == [3, 5]


@pytest.mark.data
@pytest.mark.usefixtures("data_dir")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_published_error_of_the_undefended_model_on_enron() -> None:
    """3.0 % in Koh, Steinhardt and Liang (2022), section 5.1."""
    split, entry = load("enron"), next(entry for entry in ENTRIES if entry.name == "enron")
    assert entry.ridge is not None
    strength = 1 / (len(split.train) * entry.ridge)
    model = LinearSVC(C=strength, loss="hinge", intercept_scaling=100, max_iter=4000, random_state=0)
    model.fit(split.train.X, split.train.y)
    assert np.mean(model.predict(split.test.X) != split.test.y) == pytest.approx(31 / 1035)


def test_digits_are_the_pixels_of_ones_and_sevens() -> None:
    split = load("digits-1-7")
    assert split.train.classes.tolist() == [1, 7]
    np.testing.assert_array_equal(split.train.X * 16, np.round(split.train.X * 16))
    assert load("digits-1-7", classes=("7", "1")).train.y.tolist() == split.train.y.tolist()


def test_names_are_unique_and_every_original_has_a_parser() -> None:
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)
    for entry in ENTRIES:
        if entry.original is not None:
            assert callable(getattr(originals, entry.original.parser))
            assert len(entry.original.urls) == len(entry.original.checksums)
            assert entry.sha256 is not None or None not in entry.original.checksums
            assert all(url.startswith("https://") for url in entry.original.urls)


def test_published_settings() -> None:
    settings = {entry.name: (entry.ridge, entry.norm_squared) for entry in ENTRIES if entry.ridge or entry.norm_squared}
    assert settings == {"enron": (0.09, 6.0), "imdb": (0.01, 16.0), "mnist-1-7": (0.01, 0.8)}


@pytest.mark.parametrize(
    ("name", "hint"), [("enrn", "; did you mean 'enron'"), ("digits", "'digits-1-7'"), ("zzz", "adult$")]
)
def test_unknown_names_get_suggestions(name: str, hint: str) -> None:
    with pytest.raises(
        UnknownName, match=f"unknown data set '{name}': expected a file ending in .csv, .* one of .*{hint}"
    ):
        load(name)


def test_files_are_read_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("a,b,y\n" + "".join(f"{i},{i % 5},{i % 2}\n" for i in range(40)), encoding="utf-8")
    assert load(path, scale="none", label="y", test_share=0.5).test.X.shape == (20, 2)
    with pytest.raises(InvalidData, match=r"none.csv: expected a file, got a name that does not exist"):
        load("none.csv")
    with pytest.raises(InvalidData, match="expected a file ending in"):
        load(tmp_path / "none.xlsx")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"label": "y"}, "`label`: expected nothing for the prepared data set digits-1-7"),
        ({"text": "y"}, "`text`: expected nothing for the prepared data set digits-1-7"),
        ({"scale": "none"}, "`scale`: expected 'auto' for digits-1-7, which comes prepared, got 'none'"),
        ({"classes": ("3", "5")}, r"`classes`: expected only 1 and 7 for digits-1-7, got \('3', '5'\)"),
    ],
)
def test_options_that_do_not_apply_to_prepared_data(options: dict, sentence: str) -> None:
    with pytest.raises(InvalidArgument, match=f"^{sentence}"):
        load("digits-1-7", **options)


def test_public_names_are_found_lazily() -> None:
    for name in toadstone.datasets.__all__:
        assert getattr(toadstone.datasets, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'fetch_all'"):
        toadstone.datasets.fetch_all  # noqa: B018
    heavy = ("pyarrow", "pooch", "sklearn")
    light = f"import sys, toadstone.datasets; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", light], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
