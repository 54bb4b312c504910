"""Numbers standardised on training rows, codes spelt out as levels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toadstone.core.errors import InvalidData
from toadstone.datasets.catalogue.adult import read
from toadstone.datasets.readers.request import Request


def _arrays() -> dict[str, Any]:
    return {
        "numeric_names": np.array(["age"]),
        "category_names": np.array(["work"]),
        "levels_work": np.array(["?", "never", "Private"]),
        "numeric_train": np.arange(10, dtype=np.int32)[:, None],
        "numeric_test": np.array([[100], [200]], dtype=np.int32),
        "work_train": np.arange(10, dtype=np.uint8) % 2 * 2,
        "work_test": np.array([1, 2], dtype=np.uint8),
        "y_train": np.where(np.arange(10) < 5, -1, 1).astype(np.int8),
        "y_test": np.array([1, -1], dtype=np.int8),
    }


def _file(folder: Path, arrays: dict[str, Any]) -> Path:
    np.savez(folder / "file.npz", **arrays)
    return folder / "file.npz"


def test_reading(tmp_path: Path) -> None:
    split = read(_file(tmp_path, _arrays()), Request())
    assert split.train.feature_names == ("age", "work=?", "work=Private")
    scale = np.arange(10).std()
    np.testing.assert_allclose(split.train.X[:, 0], (np.arange(10) - 4.5) / scale)
    np.testing.assert_allclose(split.test.X, [[95.5 / scale, 0, 0], [195.5 / scale, 0, 1]])
    np.testing.assert_array_equal(split.train.X[:, 1], np.arange(10) % 2 == 0)
    assert split.test.y.tolist() == [1, -1]
    assert split.test.row_ids.tolist() == [0, 1]


def test_a_category_that_says_who_a_row_is_from_is_no_feature(tmp_path: Path) -> None:
    split = read(_file(tmp_path, _arrays()), Request(group="work"))
    assert split.train.feature_names == ("age",)
    assert split.raw is not None
    assert split.raw.cells("work") == ["?", "Private"] * 5 + ["never", "Private"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"levels_work": None}, "expected an array levels_work, got none"),
        ({"y_train": None}, "expected an array y_train, got none"),
        ({"work_test": np.array([1, 3])}, "work: expected codes below 3, got 3"),
        (
            {"numeric_test": np.array([[1]]), "work_test": np.array([1])},
            "expected 12 values of age as there are labels, got 11",
        ),
        ({"work_train": np.array([1])}, "expected 12 values of work as there are labels, got 3"),
    ],
)
def test_archives_that_do_not_fit(tmp_path: Path, changes: dict, sentence: str) -> None:
    arrays = {name: values for name, values in (_arrays() | changes).items() if values is not None}
    with pytest.raises(InvalidData, match=f"file.npz: {sentence}"):
        read(_file(tmp_path, arrays), Request())
