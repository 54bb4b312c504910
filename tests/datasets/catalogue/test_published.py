"""Published set-ups and poisons: what is refused, and that the real ones are what their authors state."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.catalogue.published import PublishedPoison, load_poison, load_setups


def poison(**changed) -> PublishedPoison:
    change = np.zeros((2, 3, 2, 2), dtype=np.int16)
    change[0], change[1, 0, 0, 0] = 5, -7
    stated = {
        "name": "mine",
        "change": change,
        "base_indices": np.array([3, 1]),
        "target_index": 0,
        "base_class": 1,
        "target_class": 0,
        "radius": 8,
    }
    return PublishedPoison(**stated | changed)


def pictures(n: int = 5) -> np.ndarray:
    return np.full((n, 3, 2, 2), 100, dtype=np.uint8)


class TestPoisoned:
    def test_the_changes_are_added_to_their_rows_and_the_input_stays(self):
        given = pictures()
        made = poison().poisoned(given)
        np.testing.assert_array_equal(given, pictures())
        assert made.dtype == np.uint8
        np.testing.assert_array_equal(made[[0, 2, 4]], given[[0, 2, 4]])
        assert (made[3] == 105).all()
        assert made[1, 0, 0, 0] == 93
        assert made[1].sum() == given[1].sum() - 7

    @pytest.mark.parametrize(
        "wrong", [pictures(3), pictures().astype(float), pictures()[:, :1], pictures() + 154, pictures() - 97]
    )
    def test_other_pictures_are_refused(self, wrong):
        with pytest.raises(InvalidData, match=r"^images: expected"):
            poison().poisoned(wrong)


class TestArchives:
    def test_a_missing_archive_and_another_word_are_refused(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TOADSTONE_DATA", str(tmp_path))
        with pytest.raises(InvalidData, match=r"poison_setups\.npz.*TOADSTONE_DATA"):
            load_setups("scratch")
        with pytest.raises(InvalidArgument, match="scratch, transfer"):
            load_setups("finetune")
        with pytest.raises(InvalidArgument, match="htbd"):
            load_poison("htdb")
        monkeypatch.setenv("TOADSTONE_DATA", str(tmp_path / "gone"))
        with pytest.raises(InvalidData, match="expected a folder"):
            load_setups("scratch")
        monkeypatch.delenv("TOADSTONE_DATA")
        with pytest.raises(InvalidData, match="TOADSTONE_DATA"):
            load_poison("htbd")

    def test_a_poison_beyond_its_stated_budget_is_refused(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TOADSTONE_DATA", str(tmp_path))
        arrays = {
            "targeted0_delta": np.full((2, 2, 2, 3), 9, dtype=np.int8),
            "targeted0_base": np.array([3, 1], dtype=np.int32),
            "targeted0_target": np.array([4], dtype=np.int32),
            "targeted0_class": np.array([1, 0], dtype=np.uint8),
        }
        arrays["targeted0_delta"][0, 0, 1, 2] = 3
        np.savez(tmp_path / "cifar10_poisons.npz", **arrays)
        found = load_poison("targeted0")
        assert found.change[0, 2, 0, 1] == 3  # channels first, as images are elsewhere
        assert (found.radius, found.target_index, found.base_class, found.target_class) == (8, 4, 1, 0)
        arrays["targeted0_delta"][1, 1, 1, 1] = -10
        np.savez(tmp_path / "cifar10_poisons.npz", **arrays)
        with pytest.raises(InvalidData, match=r"within 8 levels.*10"):
            load_poison("targeted0")


@pytest.mark.data
class TestReal:
    @pytest.mark.parametrize(("training", "bases"), [("scratch", 500), ("transfer", 25)])
    def test_set_ups_name_pictures_of_the_classes_that_they_state(self, data_dir, training, bases):
        setups = load_setups(training)
        with np.load(data_dir / "cifar10.npz", allow_pickle=False) as cifar:
            y, y_test = cifar["y_train"], cifar["y_test"]
        assert len(setups) == 100
        assert setups.base_indices.shape == (100, bases)
        np.testing.assert_array_equal(y_test[setups.target_index], setups.target_class)
        np.testing.assert_array_equal(y[setups.base_indices], np.repeat(setups.base_class[:, None], bases, axis=1))
        assert (setups.base_class != setups.target_class).all()

    @pytest.mark.parametrize(
        ("name", "training", "trial", "radius"),
        [
            ("targeted0", "scratch", 0, 8),
            ("targeted1", "scratch", 1, 8),
            ("clbd0", "scratch", 0, 16),
            ("clbd1", "scratch", 1, 16),
            ("htbd", "transfer", 0, 16),
        ],
    )
    def test_poisons_keep_their_budget_and_belong_to_a_set_up(self, data_dir, name, training, trial, radius):
        found, setups = load_poison(name), load_setups(training)
        assert found.radius == radius
        assert radius - 1 <= np.abs(found.change).max() <= radius + 1
        assert found.change.shape == (len(found.base_indices), 3, 32, 32)
        np.testing.assert_array_equal(np.sort(found.base_indices), np.sort(setups.base_indices[trial]))
        assert found.target_index == setups.target_index[trial]
        assert found.base_class == setups.base_class[trial]
        assert found.target_class == setups.target_class[trial]
