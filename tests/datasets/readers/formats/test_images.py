"""Folders of images: every image once, brought to one form without loss, and what is doubtful refused by name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.readers.read import read, read_source, write_rows
from toadstone.datasets.readers.request import Request

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (40, 6, 5, 3), dtype=np.uint8)
LOSSLESS = (("png", {}), ("bmp", {}), ("tif", {}), ("webp", {"lossless": True}))
COPIED = "kept images are written as a table of their paths and labels; the images are not copied"


def _save(path: Path, pixels: NDArray[Any], **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def _folder(folder: Path, pictures: NDArray[np.uint8] = PICTURES, *, flat: bool = False) -> Path:
    for row, pixels in enumerate(pictures):
        ending, options = LOSSLESS[row % 4]
        place = folder if flat else folder / ("dog" if row % 2 else "cat")
        _save(place / f"{row:02d}.{ending}", pixels, **options)
    return folder


def _expected() -> NDArray[np.float64]:
    order = [*range(0, 40, 2), *range(1, 40, 2)]
    return PICTURES[order].reshape(40, -1) / 255


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    split = read(_folder(tmp_path / "pets"))
    whole = split.whole()
    np.testing.assert_array_equal(whole.X, _expected())
    assert whole.y.tolist() == ["cat"] * 20 + ["dog"] * 20
    assert (split.name, split.image, split.domain) == ("pets", (6, 5, 3), "box")
    assert (split.row_names.full(0), split.row_names.title) == ("file 'cat/00.png'", "file")
    assert split.notes == (COPIED,)


def test_grey_palette_and_transparent_images_are_brought_to_one_form_without_loss(tmp_path: Path) -> None:
    _folder(tmp_path)
    grey, palette = PICTURES[0, :, :, 0], Image.fromarray(PICTURES[2]).quantize(30)
    _save(tmp_path / "cat/00.png", grey)
    palette.save(tmp_path / "cat/02.tif")
    split = read(tmp_path)
    X = split.whole().X.reshape(40, 6, 5, 3) * 255
    np.testing.assert_array_equal(X[0], np.repeat(grey[:, :, None], 3, axis=2))
    np.testing.assert_array_equal(X[1], np.asarray(palette.convert("RGB")))
    assert split.notes[1:] == ("1 grey image read as coloured, without loss",)
    transparent = np.dstack([PICTURES[0], np.full((6, 5), 7, dtype=np.uint8)])
    _save(tmp_path / "cat/00.png", transparent)
    split = read(tmp_path)
    X = split.whole().X.reshape(40, 6, 5, 4) * 255
    np.testing.assert_array_equal(X[0], transparent)
    assert np.all(X[1:, :, :, 3] == 255)
    assert split.notes[1:] == ("39 coloured images read as transparent, without loss",)


def test_grey_folders_have_one_channel(tmp_path: Path) -> None:
    for row in range(40):
        _save(tmp_path / f"{row % 2}/{row}.png", PICTURES[row, :, :, 0])
    split = read(tmp_path)
    assert (split.image, split.train.n_features) == ((6, 5, 1), 30)
    assert split.train.classes.tolist() == [0, 1]


def test_hidden_files_pipes_and_other_files_are_not_read(tmp_path: Path) -> None:
    _folder(tmp_path)
    (tmp_path / "cat/.thumb.png").write_text("no image")
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache/00.png").write_text("no image")
    (tmp_path / "readme.txt").write_text("text")
    os.mkfifo(tmp_path / "cat/pipe.png")
    split = read(tmp_path)
    assert len(split.whole()) == 40
    assert split.notes == (COPIED, "1 other file in the folder left out, such as 'readme.txt'")


@pytest.mark.parametrize(
    ("name", "pixels", "sentence"),
    [
        ("cat/90.png", PICTURES[0, :5], r"expected images of one size, 5x6 as 'cat/00.png', got 5x5 for 'cat/90.png'"),
        ("90.png", PICTURES[0], r"expected a folder for each class, got the image '90.png' beside them; `labels`"),
        (
            "cat/90.png",
            PICTURES[0, :, :, 0].astype(np.uint16),
            r"cat/90.png: expected .* 8 bits .* got one of mode I;16",
        ),
        ("cat/90.tif", PICTURES[0, :, :, 0].astype(np.float32), r"cat/90.tif: expected .* 8 bits .* got one of mode F"),
    ],
)
def test_images_that_do_not_fit_are_named(tmp_path: Path, name: str, pixels: Any, sentence: str) -> None:
    _save(_folder(tmp_path) / name, pixels)
    with pytest.raises(InvalidData, match=sentence):
        read(tmp_path)


def test_damaged_and_moving_images_are_named(tmp_path: Path) -> None:
    _folder(tmp_path)
    whole = (tmp_path / "dog/01.bmp").read_bytes()
    for data in (whole[:-20], b"text", b""):
        (tmp_path / "dog/01.bmp").write_bytes(data)
        with pytest.raises(InvalidData, match=r"dog/01.bmp: expected a complete image"):
            read(tmp_path)
    (tmp_path / "dog/01.bmp").unlink()
    frames = [Image.fromarray(picture) for picture in PICTURES[:3]]
    frames[0].save(tmp_path / "dog/01.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(InvalidData, match=r"dog/01.gif: expected one image, got 3 frames"):
        read(tmp_path)


def test_bombs_are_refused_from_their_heads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toadstone.datasets.readers.content._ROOM", 1 << 16)
    for row in range(10):
        _save(tmp_path / f"{row % 2}/{row}.png", np.zeros((1000, 1000), dtype=np.uint8))
    with pytest.raises(InvalidData, match="once inflated"):
        read(tmp_path)


def test_folders_that_are_no_data(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="got a folder without files"):
        read(tmp_path)
    (tmp_path / "notes.txt").write_text("text")
    with pytest.raises(InvalidData, match="got a folder without images"):
        read(tmp_path)
    (tmp_path / "notes.txt").unlink()
    for part in ("train", "test"):
        _folder(tmp_path / part)
    with pytest.raises(InvalidData, match=r"expected a folder for each class, got the parts test, train; give one"):
        read(tmp_path)


def _labelled(folder: Path, lines: list[str], **options: Any) -> Any:
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return read(folder, labels=str(folder / "labels.csv"), **options)


def test_labels_from_a_table(tmp_path: Path) -> None:
    _folder(tmp_path, flat=True)
    names = [f"{row:02d}.{LOSSLESS[row % 4][0]}" for row in range(40)]
    shuffled = RNG.permutation(40).tolist()
    for shown, header in ((names, "file,kind"), ([name[:2] for name in names], "label,image")):
        pairs = [(shown[row], f"k{row % 2}") for row in shuffled]
        lines = [",".join(pair if header == "file,kind" else pair[::-1]) for pair in pairs]
        split = _labelled(tmp_path, [header, *lines])
        np.testing.assert_array_equal(split.whole().X, PICTURES.reshape(40, -1) / 255)
        assert split.whole().y.tolist() == ["k0", "k1"] * 20
        assert split.notes == (COPIED,)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda lines: lines[:-1], r"labels.csv: expected a label for every image, got none for '39.webp'"),
        (lambda lines: [*lines, "99.png,a"], r"column 'file', line 42: expected the name of an image .* got '99.png'"),
        (lambda lines: [*lines, "00.png,a"], r"column 'file', line 42: expected each image once, got '00.png' twice"),
        (lambda lines: [*lines[:-1], "39.webp,"], r"column 'label', line 41: expected a label, got nothing"),
        (lambda lines: ["file,label", "x,a"], r"expected a column of the names of images, such as '00.png', got none"),
        (lambda lines: ["file,label"], r"expected rows of names and labels, got none"),
    ],
)
def test_tables_of_labels_that_do_not_fit(tmp_path: Path, change: Any, sentence: str) -> None:
    _folder(tmp_path, flat=True)
    lines = ["file,label", *(f"{row:02d}.{LOSSLESS[row % 4][0]},{row % 2}" for row in range(40))]
    with pytest.raises(InvalidData, match=sentence):
        _labelled(tmp_path, change(lines))


def test_options(tmp_path: Path) -> None:
    _folder(tmp_path / "pets")
    with pytest.raises(InvalidArgument, match="`label`: expected nothing for a folder of images"):
        read(tmp_path / "pets", label="kind")
    (tmp_path / "rows.csv").write_text("a,label\n1,2\n")
    with pytest.raises(InvalidArgument, match="`labels`: expected nothing for a file"):
        read(tmp_path / "rows.csv", labels="x.csv")
    source = read_source(tmp_path / "pets", Request())
    with pytest.raises(InvalidArgument, match="`trusted`: expected a"):
        source.encode(tmp_path / "rows.csv")


def test_trusted_images_are_prepared_as_the_others(tmp_path: Path) -> None:
    source = read_source(_folder(tmp_path / "pets"), Request())
    _save(tmp_path / "few/cat/1.png", PICTURES[0, :, :, 0])
    found = source.encode(tmp_path / "few")
    np.testing.assert_array_equal(found.X[0], np.repeat(PICTURES[0, :, :, :1], 3, axis=2).ravel() / 255)
    _save(tmp_path / "few/cat/1.png", PICTURES[0, :4])
    with pytest.raises(InvalidData, match=r"expected images of shape \(6, 5, 3\), got \(4, 5, 3\)"):
        source.encode(tmp_path / "few")


def test_kept_images_are_listed_and_a_change_is_noticed(tmp_path: Path) -> None:
    source = read_source(_folder(tmp_path / "pets"), Request())
    kept = source.write_rows([21, 0], tmp_path, stem="kept")
    assert kept.name == "kept.csv"
    assert kept.read_text() == "file,label\ncat/00.png,cat\ndog/03.webp,dog\n"
    write_rows(tmp_path / "pets", [1], tmp_path / "other.csv")
    assert (tmp_path / "other.csv").read_text() == "file,label\ncat/02.tif,cat\n"
    with pytest.raises(InvalidArgument, match=r"`destination`: expected a name ending in .csv"):
        write_rows(tmp_path / "pets", [1], tmp_path / "other.npz")
    file = tmp_path / "pets/cat/00.png"
    data = file.read_bytes()
    for change in (lambda: file.write_bytes(data + b"x"), file.unlink, lambda: file.rename(file.with_stem("0"))):
        change()
        with pytest.raises(InvalidData, match="changed during the run; nothing was written"):
            source.write_rows([0], tmp_path, stem="none")
        file.write_bytes(data)
