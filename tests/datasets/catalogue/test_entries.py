"""The catalogue's entries: names, parsers, settings, and the content of each data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import issparse
from sklearn.svm import LinearSVC

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
