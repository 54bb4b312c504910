"""CIFAR-10: the decoder of its archive, and the published poisons on its images."""

import lzma
from typing import get_args

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from toadstone.datasets.catalogue.published import PublishedName, load_poison
from toadstone.deep.tensors.cifar10 import decode
from toadstone.deep.tensors.images import load_images


def encode(pictures):
    """A batch of the archive, value by value as its description says."""
    count, _, height, width = pictures.shape
    red, green, blue = (pictures[:, channel].astype(int) for channel in range(3))
    residuals = np.zeros((3, count, height, width), np.uint8)
    for plane, values in enumerate((green, red - green, blue - green)):
        for picture, row, column in np.ndindex(count, height, width):
            north = values[picture, row - 1, column] if row else None
            west = values[picture, row, column - 1] if column else None
            if north is None or west is None:
                guess = north if west is None else west
                guess = 0 if guess is None else guess
            else:
                corner = values[picture, row - 1, column - 1]
                guess = sorted((north, west, north + west - corner))[1]
            residuals[plane, picture, row, column] = (values[picture, row, column] - guess) % 256
    return np.array((count, height, width), "<u4").tobytes() + lzma.compress(residuals.tobytes())


@pytest.mark.parametrize("kind", ["noise", "smooth", "extreme"])
def test_the_archive_is_decoded_exactly(kind):
    rng = np.random.default_rng(0)
    pictures = {
        "noise": rng.integers(0, 256, (4, 3, 6, 7)),
        "smooth": np.cumsum(rng.integers(0, 9, (4, 3, 6, 7)), axis=3) * 3,
        "extreme": 255 * rng.integers(0, 2, (4, 3, 6, 7)),
    }[kind].astype(np.uint8)
    np.testing.assert_array_equal(decode(encode(pictures)), pictures)


@pytest.fixture(scope="module")
def cifar(data_dir):
    return load_images("cifar10", "train", folder=data_dir)


@pytest.mark.data
@pytest.mark.parametrize("name", get_args(PublishedName))
def test_they_fit_the_pictures_and_change_their_bases_only(cifar, name):
    images, labels = cifar
    poison = load_poison(name)
    made = torch.from_numpy(poison.poisoned(images.numpy()))
    bases = torch.from_numpy(poison.base_indices)
    changed = (made != images).flatten(1).any(1).nonzero().flatten()
    assert changed.tolist() == sorted(bases.tolist())
    assert poison.radius <= (made[bases].int() - images[bases].int()).abs().max() <= poison.radius + 1
    assert (labels[bases] == poison.base_class).all()


@pytest.mark.data
def test_pictures_in_another_order_are_refused(cifar):
    with pytest.raises(ValueError, match="targeted0"):
        load_poison("targeted0").poisoned(cifar[0].flip(0).numpy())
