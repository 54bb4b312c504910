"""Poisons against those who train a whole network from new weights."""

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
    """How victims train, and an attacker who does the same beforehand.

    Parameters
    ----------
    training : Pictures
        All that there are, clean; on the host.
    test : Pictures
    used : int
        Training images of a victim, poisons included: those and the first of the others.
    build : callable
        A new network of a seed.
    config : TrainingConfig
    device : str
    seed : int
        Of the attacker's network; victims have others.
    folder : Path
        For checkpoints and crafted poisons.
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
        """The attacker's network, trained on clean images, once for all targets."""
        images, labels = (each[: self.used] for each in self.training)
        model = self.build(self.seed).to(self.device)
        kept = Checkpoint(path=self.folder / "surrogate.safetensors", every=5)
        train(model, images.to(self.device), labels, self.config, seed=self.seed, checkpoint=kept)
        return model.eval()

    def case(self, name: str, attack: GradientMatching, *, bases: IntArray, target: int, label: int, seed: int) -> Case:
        """Craft poisons for a target, or read those that were, and put them in the place of their bases.

        Parameters
        ----------
        name : str
        attack : GradientMatching
        bases : ndarray of shape (k,)
            Training images.
        target : int
            Test image, among all.
        label : int
            Of the bases, and what the target is to be taken for.
        seed : int
            Of the victim, and of the attack's noise.
        """
        (images, labels), rows = poisoned_part(self.training, bases, count=self.used)
        shown = unit(self.test[0][target : target + 1], torch.float32)

        def craft() -> torch.Tensor:
            start, meant = images[rows][None].to(self.device), torch.tensor([label])
            made = attack.craft([self.surrogate], HEAD, start, shown, meant, generator=seeded(seed))
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
