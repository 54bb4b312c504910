"""Five made-up hospitals: equal shares by a fixed seed, brightness, and the column that groups rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from toadstone.certificates.files import read_certificate
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.catalogue import load as catalogue
from toadstone.datasets.catalogue.hospitals import BRIGHTNESS, brightened, deal, read
from toadstone.datasets.catalogue.load import load, load_requested
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import Split, sha256
from toadstone.front.certify import certify, verify
from toadstone.front.defend import defend
from toadstone.front.scan import scan
from toadstone.pipeline.scanning.circumstances import circumstances_of

PERCENT = np.array(list(BRIGHTNESS.values()))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Small images in two labels, under the name of the real ones."""
    rng = np.random.default_rng(0)
    arrays = {}
    for part, n in (("train", 203), ("test", 52)):
        labels = np.arange(n, dtype=np.uint8) % 3 % 2
        images = rng.integers(0, 256, (n, 4, 4)).astype(np.uint8)
        images[:, 0] = np.where(labels[:, None] == 1, 200, 60)
        images[:, 1] = 120
        arrays |= {f"X_{part}": images, f"y_{part}": labels}
    np.savez(tmp_path / "pneumoniamnist.npz", **arrays)
    return tmp_path / "pneumoniamnist.npz"


@pytest.fixture
def in_catalogue(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOADSTONE_DATA", str(archive.parent))


def hospitals_of(split: Split) -> np.ndarray:
    assert split.raw is not None
    return np.array(split.raw.cells("hospital"))


def test_rows_are_dealt_in_equal_shares_at_random() -> None:
    dealt = deal(203, np.random.default_rng(0))
    assert np.bincount(dealt).tolist() == [41, 41, 41, 40, 40]
    assert dealt.tolist() == deal(203, np.random.default_rng(0)).tolist()
    assert dealt.tolist() != deal(203, np.random.default_rng(1)).tolist()
    assert len(set(dealt[:20].tolist())) > 1


def test_brightness_is_exact_and_ends_at_white() -> None:
    levels = np.tile(np.arange(256, dtype=np.uint8), (5, 1))
    made = brightened(levels, np.arange(5))
    assert made.dtype == np.uint8
    assert made[2].tolist() == levels[2].tolist()
    assert (np.abs(made[[0, 1]] - levels[[0, 1]] * PERCENT[:2, None] / 100) <= 0.5).all()
    assert made[4, [100, 196, 197, 255]].tolist() == [130, 255, 255, 255]
    assert (np.diff(made.mean(axis=1)) > 0).all()


def test_rows_stay_those_of_the_archive_but_for_their_brightness(archive: Path) -> None:
    split = read(archive, Request())
    with np.load(archive) as stored:
        images, labels = stored["X_train"].reshape(203, -1), stored["y_train"]
        test_labels, test_images = stored["y_test"], stored["X_test"].reshape(52, -1)
    places = np.array([list(BRIGHTNESS).index(name) for name in hospitals_of(split)])
    np.testing.assert_array_equal(split.train.X, brightened(images, places) / 255)
    np.testing.assert_array_equal(split.train.y, labels)
    np.testing.assert_array_equal(split.test.y, test_labels)
    # No brightness clips 120, of which every picture has some pixels.
    dealt = (np.rint(255 * split.test.X[:, [4]]) == 120 * PERCENT / 100).argmax(axis=1)
    np.testing.assert_array_equal(split.test.X, brightened(test_images, dealt) / 255)
    assert np.bincount(dealt).tolist() == [11, 11, 10, 10, 10]
    assert split.image == (4, 4)
    assert split.raw.values([0], 5) == [f"{255 * split.train.X[0, 5]:.6g}"]
    assert split.raw.cells("ward") is None


def test_no_seed_of_the_user_changes_the_rows(archive: Path) -> None:
    first, second = read(archive, Request()), read(archive, Request(random_state=7))
    assert (sha256(first.train), sha256(first.test)) == (sha256(second.train), sha256(second.test))
    assert hospitals_of(first).tolist() == hospitals_of(second).tolist()


@pytest.mark.usefixtures("in_catalogue")
def test_only_the_column_of_hospitals_is_a_group() -> None:
    assert load_requested("pneumonia-hospitals", Request(group="hospital")).name == "pneumonia-hospitals"
    sentence = "^`group`: expected hospital for pneumonia-hospitals, got 'ward'"
    with pytest.raises(InvalidArgument, match=sentence):
        load_requested("pneumonia-hospitals", Request(group="ward"))
    with pytest.raises(InvalidArgument, match=r"^`drop`: expected nothing for the prepared data set pneumonia-hosp"):
        load_requested("pneumonia-hospitals", Request(group="hospital", drop="hospital"))
    with pytest.raises(InvalidArgument, match=r"^`group`: expected nothing for the prepared data set pneumonia,"):
        load_requested("pneumonia", Request(group="hospital"))


@pytest.mark.usefixtures("in_catalogue")
@pytest.mark.parametrize(
    ("method", "options"), [("votes", {"estimator": GaussianNB()}), ("label-flips", {"ridge": 0.3})]
)
def test_certificates_count_hospitals(method: str, options: dict, tmp_path: Path) -> None:
    result = certify("pneumonia-hospitals", method=method, group="hospital", **options)
    assert [one["n_units"] for one in result.record] == [5]
    result.write(tmp_path)
    made = read_certificate(tmp_path / "certificate.json")
    assert verify(made, "pneumonia-hospitals").record["verified"]


@pytest.mark.usefixtures("in_catalogue")
def test_scan_and_defend_read_who_rows_are_from() -> None:
    split = load("pneumonia-hospitals")
    found = circumstances_of(split, split.train.take(np.arange(202, -1, -1)), " hospital ", None)
    assert found.sources.tolist() == hospitals_of(split)[::-1].tolist()
    assert found.notes == ()
    assert scan("pneumonia-hospitals", group="hospital", detectors="deep-knn").record.data.n_train == 203
    assert defend("pneumonia-hospitals", group="hospital").record.header.command == "toadstone.defend"


@pytest.mark.data
@pytest.mark.usefixtures("data_dir")
def test_the_real_hospitals() -> None:
    split, published = load("pneumonia-hospitals"), load("pneumonia")
    hospitals = hospitals_of(split)
    assert [int((hospitals == name).sum()) for name in BRIGHTNESS] == [942, 942, 942, 941, 941]
    np.testing.assert_array_equal(split.train.y, published.train.y)
    np.testing.assert_array_equal(split.test.y, published.test.y)
    same = hospitals == "C"
    np.testing.assert_array_equal(split.train.X[same], published.train.X[same])
    means = [split.train.X[hospitals == name].mean() for name in BRIGHTNESS]
    assert (np.diff(means) > 0.04).all()
    # Not in the entry: a digest there would delete the archive that `pneumonia` shares from the cache.
    assert (sha256(split.train), sha256(split.test)) == (
        "6acb4ede469b3c7c2f99947657022074d26a31a10d092acd9e5a3c1ffcabf927",
        "6ac310565cabf0a1d5e9a3bedffe5cd4c1d7e1b24522a40bad882c5b4c123255",
    )


def test_the_module_of_the_entry_is_found() -> None:
    assert catalogue._reader(catalogue._BY_NAME["pneumonia-hospitals"]) is read
