"""Loading by name: folder, cache, download, options, and unknown names."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument, InvalidData, UnknownName
from toadstone.datasets.catalogue import load as catalogue
from toadstone.datasets.catalogue.entries import Entry
from toadstone.datasets.catalogue.load import load
from toadstone.datasets.readers.formats.arrays import save
from toadstone.datasets.split import sha256


@pytest.fixture
def entry(publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Entry:
    """A made-up catalogue entry with its own cache and no data folder."""
    tiny = Entry(
        name="tiny",
        title="",
        rows=30,
        test_rows=30,
        features=14,
        origin="",
        licence="",
        citation="",
        domain="real",
        reader="catalogue.adult:read",
        file="tiny.npz",
        original=publisher.original(),
    )
    monkeypatch.setitem(catalogue._BY_NAME, "tiny", tiny)
    monkeypatch.setattr(catalogue, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.delenv("TOADSTONE_DATA", raising=False)
    return tiny


def _with_digests(entry: Entry, digests: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    changed = Entry(**{**entry.__dict__, "sha256": digests})
    monkeypatch.setitem(catalogue._BY_NAME, "tiny", changed)


def test_first_use_downloads_and_later_ones_do_not(publisher, entry: Entry, tmp_path: Path) -> None:
    assert catalogue.locate("tiny") is None
    first = catalogue.load("tiny")
    assert len(publisher.asked) == 2
    assert (first.name, first.test_origin, first.domain) == ("tiny", "published test split", "real")
    assert catalogue.locate("tiny") == tmp_path / "cache" / "tiny.npz"
    second = catalogue.load("tiny")
    assert len(publisher.asked) == 2
    assert sha256(first.train) == sha256(second.train)


def test_folder_of_the_user_comes_first(
    publisher, entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.load("tiny")
    mine = tmp_path / "mine"
    mine.mkdir()
    monkeypatch.setenv("TOADSTONE_DATA", str(mine))
    assert catalogue.locate("tiny") == tmp_path / "cache" / "tiny.npz"
    shutil.copy(tmp_path / "cache" / "tiny.npz", mine / "tiny.npz")
    assert catalogue.locate("tiny") == mine / "tiny.npz"
    catalogue.load("tiny")
    assert len(publisher.asked) == 2
    monkeypatch.setenv("TOADSTONE_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(InvalidData, match=r"TOADSTONE_DATA: expected a folder, got .*nowhere"):
        catalogue.load("tiny")


def test_content_is_checked_after_download_and_in_the_cache(
    entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = catalogue.load("tiny")
    digests = (sha256(split.train), sha256(split.test))
    _with_digests(entry, digests, monkeypatch)
    catalogue.load("tiny")
    cached = tmp_path / "cache" / "tiny.npz"
    with np.load(cached, allow_pickle=False) as stored:
        arrays = dict(stored)
    arrays["y_train"][:2] *= -1
    save(cached, arrays)
    with pytest.raises(
        InvalidData, match=rf"^tiny: expected content with SHA-256 {digests[0]}, got .* deleted, so try again"
    ):
        catalogue.load("tiny")
    assert not cached.exists()
    assert sha256(catalogue.load("tiny").train) == digests[0]
    _with_digests(entry, (digests[0], "0" * 64), monkeypatch)
    with pytest.raises(InvalidData, match="tiny: expected content"):
        catalogue.load("tiny")


def test_failed_download_says_where_the_archive_may_be_put(publisher, entry: Entry, tmp_path: Path) -> None:
    publisher.files.clear()
    with pytest.raises(
        InvalidData, match=r"HTTP status 404; try again, or put tiny.npz into the folder .* TOADSTONE_DATA names"
    ):
        catalogue.load("tiny")
    assert not (tmp_path / "cache" / "tiny.npz").exists()


def test_what_cannot_be_downloaded_says_so(entry: Entry) -> None:
    with pytest.raises(
        InvalidData, match=r"^fishdog: expected fishdog.npz, which is not available for download; put fishdog.npz into"
    ):
        catalogue.load("fishdog")
    with pytest.raises(UnknownName, match="unknown data set 'tinny': expected one of"):
        catalogue.locate("tinny")


def test_classes_must_exist(entry: Entry) -> None:
    assert catalogue.load("tiny", classes=("1", "-1")).train.classes.tolist() == [-1, 1]
    with pytest.raises(InvalidArgument, match=r"`classes`: expected labels among '-1', '1' \(tiny\), got '2'"):
        catalogue.load("tiny", classes=("1", "2"))


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
    with pytest.raises(InvalidData, match=r"none.docx: expected a file, got a name that does not exist"):
        load(tmp_path / "none.docx")


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
