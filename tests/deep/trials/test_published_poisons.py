"""Poisons that others published, on the pictures that they were made for."""

from __future__ import annotations

from typing import get_args

import pytest

torch = pytest.importorskip("torch")

from toadstone.datasets.catalogue.published import PublishedName, load_poison
from toadstone.deep.tensors.images import load_images

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def cifar(data_dir):
    return load_images("cifar10", "train", folder=data_dir)


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


def test_pictures_in_another_order_are_refused(cifar):
    with pytest.raises(ValueError, match="targeted0"):
        load_poison("targeted0").poisoned(cifar[0].flip(0).numpy())
