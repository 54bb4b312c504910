"""The file decides on the shape of its images: channels first or last, and what contradicts it is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from toadstone.attacks.backdoors.trigger import PatchTrigger
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.readers.read import read
from toadstone.front.evaluate import evaluate
from toadstone.pipeline.evaluation.attack_choices import image_layout, image_shape


@pytest.mark.parametrize(
    ("stored", "asked", "expected"),
    [
        (None, None, None),
        (None, (8, 8, 1), (8, 8, 1, "HWC")),
        ((8, 6), None, (8, 6, 1, "HWC")),
        ((8, 6), (8, 6, 1), (8, 6, 1, "HWC")),
        ((8, 6, 3), None, (8, 6, 3, "HWC")),
        ((3, 8, 6), None, (8, 6, 3, "CHW")),
        ((3, 8, 6), (8, 6, 3), (8, 6, 3, "CHW")),
        ((1, 8, 6), None, (8, 6, 1, "CHW")),
        ((3, 8, 3), None, (3, 8, 3, "HWC")),
        ((3, 8, 3), (8, 3, 3), (8, 3, 3, "CHW")),
        ((3, 3, 3), (3, 3, 3), (3, 3, 3, "HWC")),
        ((7, 8, 9), None, None),
        ((7, 8, 9), (7, 8, 9), (7, 8, 9, "HWC")),
        ((7, 8, 9), (8, 9, 7), (8, 9, 7, "CHW")),
        ((5, 6, 7, 3), None, None),
    ],
)
def test_the_shape_of_the_file(stored: tuple | None, asked: tuple | None, expected: tuple | None) -> None:
    assert image_layout(stored, asked) == expected


@pytest.mark.parametrize(
    ("stored", "asked", "expected"),
    [
        ((3, 16, 16), (3, 16, 16), "16x16x3"),
        ((3, 8, 6), (6, 8, 3), "8x6x3"),
        ((8, 6), (6, 8, 1), "8x6x1"),
        ((8, 6, 3), (4, 12, 3), "8x6x3"),
        ((3, 8, 3), (3, 3, 8), "3x8x3 or 8x3x3"),
        ((5, 6, 7, 3), (5, 6, 3), "no shape"),
    ],
)
def test_contradictions(stored: tuple, asked: tuple, expected: str) -> None:
    with pytest.raises(InvalidArgument, match=f"`image`: expected {expected}, as the images of the file are of shape"):
        image_layout(stored, asked)


def test_a_patch_on_images_with_channels_first_is_a_patch(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 200, (40, 16, 12, 3), dtype=np.uint8)
    np.savez(tmp_path / "last.npz", X=pictures, y=np.arange(40) % 2)
    np.savez(tmp_path / "first.npz", X=pictures.transpose(0, 3, 1, 2), y=np.arange(40) % 2)
    patched = []
    for name in ("last", "first"):
        split = read(tmp_path / f"{name}.npz")
        layout = image_layout(split.image, None)
        assert layout is not None
        shape = image_shape(split.train.X, *layout)
        patched.append(shape.images(PatchTrigger(shape=shape).apply(split.train.X)))
    np.testing.assert_array_equal(*patched)
    # Three by three pixels of all three channels, and nothing else.
    assert np.all(patched[0][:, -3:, -3:, :] == patched[0].max())
    np.testing.assert_array_equal(patched[0][:, :-3] * 255, pictures[split.train.row_ids][:, :-3])


def test_evaluation_needs_no_shape_where_the_file_has_one(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 200, (80, 3, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "rows.npz", X=pictures, y=np.arange(80) % 2)
    options = {"attacks": "badnets", "defences": "spectral", "seeds": 1, "workers": 1}
    told = evaluate(tmp_path / "rows.npz", **options).record.cell("badnets", "spectral", "own")
    asked = evaluate(tmp_path / "rows.npz", image=(8, 8, 3), **options).record.cell("badnets", "spectral", "own")
    assert replace(told, seconds=asked.seconds) == asked
    with pytest.raises(InvalidArgument, match=r"`image`: expected 8x8x3, .* got 3x8x8"):
        evaluate(tmp_path / "rows.npz", image=(3, 8, 8), **options)
