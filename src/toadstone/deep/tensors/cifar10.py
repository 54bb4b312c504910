"""Reader of CIFAR-10 from its binary version or a compressed archive, without unpickling.

The archive, ``cifar10.npz``, holds batches of 10,000 images. A batch is the
numbers of images, rows and columns, then, compressed by LZMA, the residuals of
the median edge detector of JPEG-LS [1]_ on green and on the differences of red
and blue from green.

References
----------
.. [1] Weinberger, Seroussi and Sapiro, "The LOCO-I lossless image compression
   algorithm", IEEE Transactions on Image Processing 9, 2000, section III.B.
"""

from __future__ import annotations

import lzma
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toadstone.core.errors import InvalidData
from toadstone.deep.tensors.checks import first_line

ARCHIVE, BINARY = "cifar10.npz", "cifar-10-batches-bin"
_PICTURE = 3 * 32 * 32
_BATCH = 10000
_BATCHES = {"train": 5, "test": 1}


def read_cifar10(folder: Path, part: str, *, count: int | None = None) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return images and labels in the published order.

    Parameters
    ----------
    folder : Path
        Holds either ``cifar10.npz`` or ``cifar-10-batches-bin``, unpacked
        from the published ``cifar-10-binary.tar.gz``.
    part : {"train", "test"}
    count : int, optional
        Number of images from the start; all by default.

    Returns
    -------
    images : ndarray of shape (n, 3, 32, 32), uint8
    labels : ndarray of shape (n,), uint8

    Raises
    ------
    InvalidData
        If there is neither, or the files cannot be read.
    """
    wanted = _BATCH * _BATCHES[part] if count is None else min(count, _BATCH * _BATCHES[part])
    batches = range(-(-wanted // _BATCH))
    if (folder / ARCHIVE).is_file():
        images, labels = _from_archive(folder / ARCHIVE, part, batches)
    elif (folder / BINARY).is_dir():
        names = [f"data_batch_{batch + 1}.bin" if part == "train" else "test_batch.bin" for batch in batches]
        read = [_from_binary(folder / BINARY / name) for name in names]
        images, labels = np.concatenate([pair[0] for pair in read]), np.concatenate([pair[1] for pair in read])
    else:
        raise InvalidData(f"cifar10: expected {ARCHIVE} or {BINARY} in the folder of data sets, got neither")
    return images[:wanted], labels[:wanted]


def decode(packed: bytes) -> NDArray[np.uint8]:
    """Decode the images of a batch of the archive.

    Parameters
    ----------
    packed : bytes

    Returns
    -------
    ndarray of shape (n, 3, height, width), uint8

    Raises
    ------
    ValueError, lzma.LZMAError
        If the bytes are not such a batch.
    """
    count, height, width = (int(size) for size in np.frombuffer(packed, "<u4", 3))
    residuals = np.frombuffer(lzma.decompress(packed[12:]), np.uint8).reshape(3, count, height, width)
    residuals = np.ascontiguousarray(residuals.transpose(2, 3, 0, 1), dtype=np.int16)
    # With a border of zeros the predictor falls back to the only neighbour there is.
    planes = np.zeros((height + 1, width + 1, 3, count), dtype=np.int16)
    for row, column in np.ndindex(height, width):
        above, left, corner = planes[row, column + 1], planes[row + 1, column], planes[row, column]
        guess = np.clip(above + left - corner, np.minimum(above, left), np.maximum(above, left))
        found = guess + residuals[row, column]
        green = found[0] & 255
        # Residuals are modulo 256; of all differences with that residue, one gives a colour of eight bits.
        found[1:] = ((found[1:] + green) & 255) - green
        found[0] = green
        planes[row + 1, column + 1] = found
    green, red, blue = (planes[1:, 1:, plane].transpose(2, 0, 1) for plane in range(3))
    return np.stack([red + green, green, blue + green], axis=1).astype(np.uint8)


def _from_archive(path: Path, part: str, batches: range) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            labels = stored[f"y_{part}"]
            images = [decode(stored[f"X_{part}_{batch}"].tobytes()) for batch in batches]
    except (OSError, ValueError, KeyError, EOFError, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise InvalidData(f"{path.name}: expected the archive of CIFAR-10, got {first_line(error)}") from None
    return np.concatenate(images), labels


def _from_binary(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    try:
        stored = np.frombuffer(path.read_bytes(), np.uint8).reshape(-1, 1 + _PICTURE)
    except (OSError, ValueError) as error:
        expected = f"expected a label and {_PICTURE} pixels a row"
        raise InvalidData(f"{path.name}: {expected}, got {first_line(error)}") from None
    return stored[:, 1:].reshape(-1, 3, 32, 32), stored[:, 0]
