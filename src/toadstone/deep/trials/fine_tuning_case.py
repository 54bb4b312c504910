"""Cases in which a victim trains a new head first, and then all weights of the network with it."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from toadstone.deep.tensors.features import activations
from toadstone.deep.tensors.networks import HEAD
from toadstone.deep.training.hyperparameters import TrainingConfig
from toadstone.deep.training.loop import Watcher, train
from toadstone.deep.trials.cases import Case, Goal
from toadstone.deep.trials.transfer_cases import TargetsAndBases
from toadstone.deep.trials.transfer_setting import TransferSetting


@dataclass(frozen=True, eq=False, kw_only=True)
class FineTuningCase(Case):
    """A head trained on features of a body, which is then trained on with it.

    `training` holds the features, as for a head alone: defences choose rows by
    them, or while the head is trained, and all weights are then trained on the
    rows that are left.

    Parameters
    ----------
    body : Module
        Unchanged; copied for each training, with the new head in place of its
        own, which is called ``linear``.
    images : uint8 Tensor of shape (n, channels, height, width)
        Those of `training`, poison included.
    tuning : TrainingConfig
        Of all weights.
    """

    body: nn.Module
    images: Tensor
    tuning: TrainingConfig

    def train(self, defence: str, watcher: Watcher | None) -> nn.Module:
        """Return a network trained on the rows that the watcher keeps."""
        head = super().train(defence, watcher)
        _, labels = self.training
        rows = getattr(watcher, "rows", None)
        kept = torch.arange(len(labels)) if rows is None else rows.cpu()
        network = copy.deepcopy(self.body)
        setattr(network, HEAD, head)
        train(network, self.images[kept], labels[kept], self.tuning, seed=self.seed)
        return network.eval()


def fine_tuning_case(
    setting: TransferSetting,
    attack: str,
    chosen: TargetsAndBases,
    poisons: Tensor,
    *,
    seed: int,
    epochs: int,
    rate: float,
    test_images: int,
) -> FineTuningCase:
    """Return the case of one victim that carries several targets.

    Parameters
    ----------
    setting : TransferSetting
        Its rows are the training images of a victim without poison.
    attack : str
    chosen : TargetsAndBases
        Of the targets of this victim.
    poisons : uint8 Tensor of shape (t, k, C, H, W)
        Of a base that two targets share, those of the later one.
    seed : int
    epochs, rate : int, float
        Of all weights, in one cycle.
    test_images : int
        The first so many.
    """
    own = chosen.bases.flatten().unique()
    others = setting.rows[~torch.isin(setting.rows, own)][: len(setting.rows) - len(own)]
    rows = torch.cat([own, others]).sort().values
    images = setting.training[0].clone()
    for bases, made in zip(chosen.bases, poisons, strict=True):
        images[bases] = made
    features = setting.features.clone()
    features[own] = activations(setting.body, HEAD, images[own]).cpu()
    shown = setting.test[0][chosen.targets]
    head = setting.case(attack, features, poison=own, goal=None, seed=seed, rows=rows)
    return FineTuningCase(
        attack=attack,
        seed=seed,
        training=head.training,
        poison=head.poison,
        build=head.build,
        config=head.config,
        test=(setting.test[0][:test_images], setting.test[1][:test_images]),
        goal=Goal(images=shown, label=chosen.labels),
        body=setting.body,
        images=images[rows],
        tuning=TrainingConfig(
            epochs=epochs,
            learning_rate=rate,
            schedule="one-cycle",
            precision="bfloat16",
            augmentation="flip-crop",
        ),
    )
