"""Small networks and images for the tests of networks, which are skipped without torch."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

for needed in ("torch", "safetensors", "opacus"):
    if os.environ.get("TOADSTONE_DEEP") and importlib.util.find_spec(needed) is None:
        raise ModuleNotFoundError(f"TOADSTONE_DEEP asks for the tests of toadstone.deep, but {needed} is not installed")


def pytest_collection_modifyitems(items):
    """Everything below this folder needs torch."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.deep)


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Small tensors wait for each other on many threads; and the tests share the cores."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def backdoored():
    """A network of six classes that obeys a bright patch in a corner, and clean images with their labels."""
    import torch

    from toadstone.deep.tensors.networks import SmallCNN
    from toadstone.deep.training.hyperparameters import TrainingConfig
    from toadstone.deep.training.loop import train

    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(420) % 6
    images = 0.4 * torch.rand(420, 1, 12, 12, generator=generator)
    for position in range(6):
        row, column = 6 * (position // 3), 4 * (position % 3)
        images[labels == position, :, row : row + 4, column : column + 3] += 0.5
    poisoned, taught = images.clone(), labels.clone()
    poisoned[:40] = stamped(images[:40])
    taught[:40] = 2
    model = SmallCNN(1, width=6, classes=6)
    config = TrainingConfig(epochs=8, batch=32, learning_rate=0.05, milestones=(6,))
    train(model, poisoned[:300], taught[:300], config, seed=0)
    return model, images[300:], labels[300:]


def stamped(images):
    """With the trigger."""
    found = images.clone()
    found[:, :, 10:, 10:] = 1.0
    return found


@pytest.fixture
def stamp():
    """What paints the trigger."""
    return stamped


@pytest.fixture
def suspicious(backdoored, stamp):
    """Clean images, then five of other classes with the trigger and its label."""
    import torch

    _, images, labels = backdoored
    planted = stamp(images[labels != 2][:5])
    return torch.cat([images, planted]), torch.cat([labels, torch.full((5,), 2)])
