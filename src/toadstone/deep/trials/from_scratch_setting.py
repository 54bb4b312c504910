"""Setting of attacks on training from scratch: victim and attacker train whole networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import nn

from toadstone.core.arrays import IntArray
from toadstone.deep.attacks.gradient_matching import GradientMatching
from toadstone.deep.attacks.linf_ball import unit
from toadstone.deep.tensors.networks import HEAD
from toadstone.deep.training.hyperparameters import TrainingConfig
from toadstone.deep.training.loop import train
from toadstone.deep.training.progress import Checkpoint
from toadstone.deep.trials.cases import Case, Goal, Pictures, poisoned_part, seeded
from toadstone.deep.trials.transfer_cases import crafted_once


@dataclass(frozen=True, eq=False, kw_only=True)
class FromScratchSetting:
    """Data, network and training of the victim, which the attacker's surrogate shares.

    Parameters
    ----------
    training : Pictures
        All clean training images, on the CPU.
    test : Pictures
    used : int
        Training images of a victim: the poisons and the first others.
    build : callable
        Takes a seed and returns a new network.
    config : TrainingConfig
    device : str
    seed : int
        For the attacker's network; victims have other seeds.
    folder : Path
        Folder for checkpoints and crafted poisons.
    """

    training: Pictures
    test: Pictures
    used: int
    build: Callable[[int], nn.Module]
    config: TrainingConfig
    device: str
    seed: int
    folder: Path

    @cached_property
    def surrogate(self) -> nn.Module:
        """The attacker's network, trained on clean images once for all targets."""
        images, labels = (each[: self.used] for each in self.training)
        model = self.build(self.seed).to(self.device)
        kept = Checkpoint(path=self.folder / "surrogate.safetensors", every=5)
        train(model, images.to(self.device), labels, self.config, seed=self.seed, checkpoint=kept)
        return model.eval()

    def case(self, name: str, attack: GradientMatching, *, bases: IntArray, target: int, label: int, seed: int) -> Case:
        """Craft poisons for a target, or read them from the folder, and put them in place of their bases.

        Parameters
        ----------
        name : str
        attack : GradientMatching
        bases : ndarray of shape (k,)
            Indices of training images.
        target : int
            Index of a test image.
        label : int
            Class of the bases, which the target is to be classified as.
        seed : int
            For the victim and for the attack's noise.
        """
        (images, labels), rows = poisoned_part(self.training, bases, count=self.used)
        shown = unit(self.test[0][target : target + 1], torch.float32)

        def craft() -> torch.Tensor:
            start, intended = images[rows][None].to(self.device), torch.tensor([label])
            made = attack.craft([self.surrogate], HEAD, start, shown, intended, generator=seeded(seed))
            return made[0].cpu()

        poisoned = images.clone()
        poisoned[rows] = crafted_once(self.folder / f"poisons-{seed}.safetensors", images[rows], shown, craft)
        return Case(
            attack=name,
            seed=seed,
            training=(poisoned.to(self.device), labels),
            poison=rows,
            build=self.build,
            config=self.config,
            test=self.test,
            goal=Goal(images=self.test[0][target : target + 1], label=label),
            folder=self.folder,
        )
