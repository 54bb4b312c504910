"""A folder of images, with a folder for each class, or with a table of names and labels.

All images have one size. Grey, coloured and transparent ones are brought to
one form without loss: grey becomes three equal channels, and what has no
transparency is opaque. Pixels become numbers in [0, 1], as those of archives do.
"""

from __future__ import annotations

import csv
import io
import struct
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.row_names import RowNames
from toadstone.datasets.preparation.features import RowScaling, count
from toadstone.datasets.preparation.labels import labels_of_texts, listing, rows_of_classes
from toadstone.datasets.readers.content import FOLDER, Content, inflation_limit, too_large
from toadstone.datasets.readers.files import check_rows
from toadstone.datasets.readers.folders import files_listed, read_unchanged
from toadstone.datasets.readers.formats.image_labels import labels_in_table
from toadstone.datasets.readers.matrices import split_matrix
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import Split

ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp")
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")
_PARTS = {"train", "training", "test", "testing", "val", "valid", "validation"}
_FORMS = {"1": "L", "L": "L", "RGB": "RGB", "RGBA": "RGBA", "LA": "RGBA"}
_CHANNELS = {"L": 1, "RGB": 3, "RGBA": 4}
_LIST_ONLY = "kept images are written as a table of their paths and labels; the images are not copied"
_WORDS = {"L": "grey", "RGB": "coloured", "RGBA": "transparent"}
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, TypeError, IndexError, KeyError)
"""Exceptions of Pillow on a damaged image."""


@dataclass(frozen=True, eq=False)
class ImageReader:
    """Preparation of the images of other folders as those of a split were.

    Parameters
    ----------
    scaling : RowScaling
    shape : tuple of int
        Height, width and channels.
    request : Request
    """

    scaling: RowScaling
    shape: tuple[int, ...]
    request: Request

    def encode(self, content: Content) -> tuple[Matrix, Labels]:
        """Return features and labels of the images of another folder, with a folder for each class.

        Raises
        ------
        InvalidArgument
            If it is no folder.
        InvalidData
            If its images are of another shape.
        """
        if content.ending != FOLDER:
            raise InvalidArgument("trusted", "a folder of images, as the data are", content.name)
        request = replace(self.request, labels=None)
        found = _images(content, request, channels=self.shape[2])
        if found.pixels.shape[1:] != self.shape:
            raise InvalidData(f"{content.name}: expected images of shape {self.shape}, got {found.pixels.shape[1:]}")
        kept = rows_of_classes(found.y, request.classes, content.name)
        return self.scaling.apply(found.pixels[kept]), found.y[kept]


@dataclass(frozen=True, eq=False)
class _Images:
    """Images of a folder: paths, pixels of shape (n, height, width, channels), labels, and sentences."""

    names: list[str]
    pixels: NDArray[np.uint8]
    y: Labels
    notes: tuple[str, ...]


def read(content: Content, request: Request) -> tuple[Split, ImageReader]:
    """Read a folder of images; rows are named by their paths in it, sorted.

    Raises
    ------
    InvalidArgument, InvalidData
        As `toadstone.datasets.read`.
    """
    request.refuse_regression("a folder of images")
    found = _images(content, request)
    name, rows = Path(content.name).resolve().name, RowNames("id", names=found.names, column="file")
    split, scaling = split_matrix(
        found.pixels, found.y, request, name=name, source=content.name, labels=content.name, rows=rows
    )
    shape = tuple(found.pixels.shape[1:])
    return replace(split, notes=found.notes, image=shape), ImageReader(scaling, shape, request)


def write_rows(content: Content, rows: IntArray, request: Request) -> bytes:
    """Return a table of the paths and labels of the given images, in order; the images are not copied.

    Raises
    ------
    InvalidArgument
        If a row does not exist.
    """
    names, labels = _named(content, request)[:2]
    check_rows(rows, len(names))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("file", "label"))
    writer.writerows((names[row], labels[row]) for row in rows.tolist())
    return stream.getvalue().encode()


def _named(content: Content, request: Request) -> tuple[list[str], list[str], list[str], tuple[str, ...]]:
    """Return path, label and digest of each image, and sentences on the files that are none."""
    # What names columns of a table is about the table of labels, if there is one.
    without = replace(request, label=None, id=None, separator=None, encoding=None) if request.labels else request
    without.refuse_columns("a folder of images")
    files = files_listed(content.data)
    images = [(name, digest) for name, _, digest in files if PurePosixPath(name).suffix.lower() in ENDINGS]
    others = [name for name, _, _ in files if PurePosixPath(name).suffix.lower() not in ENDINGS]
    if not images:
        raise InvalidData(f"{content.name}: expected a file, got a folder without images ({', '.join(ENDINGS)})")
    names = [name for name, _ in images]
    if request.labels:
        others = [name for name in others if (Path(content.name) / name).resolve() != Path(request.labels).resolve()]
        labels = labels_in_table(names, request)
    else:
        labels = _folders(names, content.name)
    notes = [_LIST_ONLY]
    if others:
        notes.append(f"{count(len(others), 'other file')} in the folder left out, such as {others[0]!r}")
    return names, labels, [digest for _, digest in images], tuple(notes)


def _folders(names: Sequence[str], source: str) -> list[str]:
    """Return the first folder of each path: the class."""
    for name in names:
        if "/" not in name:
            raise InvalidData(
                f"{source}: expected a folder for each class, got the image {name!r} beside them; `labels` names a "
                "table of images and labels"
            )
    classes = [name.partition("/")[0] for name in names]
    if {one.lower() for one in classes} <= _PARTS:
        raise InvalidData(
            f"{source}: expected a folder for each class, got the parts {listing(sorted(set(classes)))}; give one of "
            "them as the data"
        )
    return classes


def _images(content: Content, request: Request, channels: int | None = None) -> _Images:
    names, labels, digests, notes = _named(content, request)
    folder = Path(content.name)
    heads = [
        _head(read_unchanged(folder, name, digest), f"{folder / name}")
        for name, digest in zip(names, digests, strict=True)
    ]
    form, said = _common_form(heads, names, content.name)
    if channels is not None and channels >= _CHANNELS[form]:
        form = next(one for one, number in _CHANNELS.items() if number == channels)
    width, height = heads[0][0]
    shape = (len(names), height, width, _CHANNELS[form])
    limit = inflation_limit(sum(size for _, size, _ in files_listed(content.data)))
    # Sizes are stated in the heads, so that a bomb is refused before it is inflated.
    if int(np.prod(shape, dtype=object)) > limit:
        raise InvalidData(too_large(content.name, limit))
    pixels = np.empty(shape, dtype=np.uint8)
    for row, (name, digest) in enumerate(zip(names, digests, strict=True)):
        data = read_unchanged(folder, name, digest)
        pixels[row] = _pixels(data, form, f"{folder / name}").reshape(shape[1:])
    return _Images(names, pixels, labels_of_texts(labels), (*notes, *said))


def _head(data: bytes, what: str) -> tuple[tuple[int, int], str]:
    """Return width and height of an image, and the form that holds it without loss."""
    with _opened(data, what) as image:
        if getattr(image, "n_frames", 1) > 1:
            raise InvalidData(f"{what}: expected one image, got {image.n_frames} frames")
        form = _FORMS.get(image.mode)
        if image.mode == "P":
            form = "RGBA" if "transparency" in image.info else "RGB"
        elif form in ("L", "RGB") and "transparency" in image.info:
            form = "RGBA"
        if form is None:
            raise InvalidData(
                f"{what}: expected an image of 8 bits a channel, grey or RGB, got one of mode {image.mode}; convert it"
            )
        return image.size, form


def _pixels(data: bytes, form: str, what: str) -> NDArray[np.uint8]:
    with _opened(data, what) as image:
        converted: NDArray[np.uint8] = np.asarray(image.convert(form))
        return converted


@contextmanager
def _opened(data: bytes, what: str) -> Iterator[Any]:
    """Open an image, and turn the faults that Pillow finds while it is used into refusals."""
    from PIL import Image

    try:
        # Pillow warns of large images, which our own limit refuses, and of damaged tags beside the pixels.
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            yield image
    except InvalidData:
        raise
    except Image.DecompressionBombError:
        raise InvalidData(too_large(what, inflation_limit(len(data)))) from None
    except _DAMAGED:
        raise _damaged(what) from None


def _damaged(what: str) -> InvalidData:
    return InvalidData(f"{what}: expected a complete image ({', '.join(_FORMATS)}), got one that is damaged")


def _common_form(
    heads: Sequence[tuple[tuple[int, int], str]], names: Sequence[str], source: str
) -> tuple[str, tuple[str, ...]]:
    """Return the form that holds all images without loss, and a sentence if some are of another."""
    (width, height), _ = heads[0]
    for (size, _), name in zip(heads, names, strict=True):
        if size != (width, height):
            raise InvalidData(
                f"{source}: expected images of one size, {width}x{height} as {names[0]!r}, got {size[0]}x{size[1]} for "
                f"{name!r}; resize them"
            )
    counts = Counter(form for _, form in heads)
    form = max(counts, key=lambda one: _CHANNELS[one])
    others = [count(number, f"{_WORDS[one]} image") for one, number in counts.items() if one != form]
    return form, tuple([f"{' and '.join(others)} read as {_WORDS[form]}, without loss"] if others else [])
