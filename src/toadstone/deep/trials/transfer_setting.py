"""Setting of attacks in transfer: the victim trains a new head on a pretrained body."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from toadstone.deep.tensors.checkpoints import load_arrays
from toadstone.deep.tensors.features import activations
from toadstone.deep.tensors.networks import CIFAR10_DEVIATION, CIFAR10_MEAN, HEAD, Normalise, ResNet, draw_weights
from toadstone.deep.training.hyperparameters import TrainingConfig
from toadstone.deep.training.loop import train
from toadstone.deep.training.progress import Checkpoint
from toadstone.deep.trials.cases import Case, Goal, Pictures

Network = Literal["resnet8", "resnet18"]

_BLOCKS: dict[Network, tuple[int, ...]] = {"resnet8": (1, 1, 1), "resnet18": (2, 2, 2, 2)}


@dataclass(frozen=True, eq=False, kw_only=True)
class TransferSetting:
    """A fixed body and the data that heads are trained and tested on.

    Parameters
    ----------
    body : Module
        Its own head is not used.
    training, test : Pictures
        8-bit images.
    features, test_features : Tensor
        Features of the images, the inputs of a head.
    config : TrainingConfig
        For heads.
    n_classes : int
    rows : int64 Tensor
        Training images of a head without an attack, ascending.
    """

    body: nn.Module
    training: Pictures
    test: Pictures
    features: Tensor
    test_features: Tensor
    config: TrainingConfig
    n_classes: int
    rows: Tensor

    @classmethod
    def of(
        cls,
        body: nn.Module,
        training: Pictures,
        test: Pictures,
        config: TrainingConfig,
        *,
        head_images: int | None = None,
    ) -> TransferSetting:
        """Return the setting with the features of all images.

        Parameters
        ----------
        body : Module
        training, test : Pictures
        config : TrainingConfig
        head_images : int, optional
            A head without an attack is trained on so many training images
            from the first; on all by default.
        """
        features, test_features = (activations(body, HEAD, images).cpu() for images, _ in (training, test))
        return cls(
            body=body,
            training=training,
            test=test,
            features=features,
            test_features=test_features,
            config=config,
            n_classes=int(training[1].max()) + 1,
            rows=torch.arange(len(training[1]) if head_images is None else head_images),
        )

    def case(
        self,
        attack: str,
        features: Tensor,
        *,
        poison: Tensor,
        goal: Goal | None,
        seed: int,
        rows: Tensor | None = None,
    ) -> Case:
        """Return a case in which a head is trained on features, those of poison included.

        Parameters
        ----------
        attack : str
        features : Tensor of shape (n, d)
            Of all training images.
        poison : int64 Tensor
            Poisoned ones, among those that the head is trained on.
        goal : Goal, optional
        seed : int
        rows : int64 Tensor, optional
            Training images of the head, ascending; those of a head without an
            attack by default.
        """
        own = self.rows if rows is None else rows
        return Case(
            attack=attack,
            seed=seed,
            training=(features[own], self.training[1][own]),
            poison=torch.searchsorted(own, poison),
            build=partial(new_head, width=features.shape[1], classes=self.n_classes),
            config=self.config,
            test=(self.test_features, self.test[1]),
            goal=goal,
        )

    def clean_case(self, name: str, seed: int) -> Case:
        """Return a case without poison, under a name, which measures false alarms."""
        nothing = torch.empty(0, dtype=torch.int64)
        return self.case(name, self.features, poison=nothing, goal=None, seed=seed)

    @property
    def clean_head(self) -> nn.Module:
        """A head trained on the clean images."""
        head = new_head(0, width=self.features.shape[1], classes=self.n_classes)
        train(head, self.features[self.rows], self.training[1][self.rows], self.config, seed=0)
        return head


def trained_body(
    network: Network, images: Pictures, config: TrainingConfig, *, width: int, pooled: int, seed: int, folder: Path
) -> nn.Module:
    """Train a network with global pooling and return it with features pooled to a grid.

    Parameters
    ----------
    network : {"resnet8", "resnet18"}
        With learned shortcuts.
    images : Pictures
        On the device to train on.
    config : TrainingConfig
    width : int
        Channels of the first stage.
    pooled : int
        Side of the grid.
    seed : int
    folder : Path
        Folder for the checkpoint.
    """
    classes = int(images[1].max()) + 1
    parts: dict[str, Any] = {"width": width, "classes": classes, "projected": True, "seed": seed}
    trained, body = (ResNet(_BLOCKS[network], pooled=side, **parts).to(images[0].device) for side in (1, pooled))
    train(trained, *images, config, seed=seed, checkpoint=Checkpoint(path=folder / "body.safetensors"))
    weights = {name: value for name, value in trained.state_dict().items() if not name.startswith(f"{HEAD}.")}
    body.load_state_dict(weights, strict=False)
    return body.eval()


def published_body(weights: Path) -> nn.Module:
    """Return the published ResNet-20 for CIFAR-10.

    Parameters
    ----------
    weights : Path
        As for `toadstone.deep.tensors.checkpoints.load_arrays`.
    """
    body = ResNet((3, 3, 3), normalise=Normalise(CIFAR10_MEAN, CIFAR10_DEVIATION))
    load_arrays(body, weights)
    return body.eval()


def new_head(seed: int, *, width: int, classes: int) -> nn.Linear:
    """Return a linear layer with weights from a seed."""
    with torch.random.fork_rng(devices=[]):
        head = nn.Linear(width, classes)
    draw_weights(head, seed=seed)
    return head
