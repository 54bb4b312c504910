"""Gradient matching (Witches' Brew): clean-label poisons whose gradients align with the target's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Generator, Tensor, nn
from torch.optim.lr_scheduler import MultiStepLR

from toadstone.core.checks import check_count
from toadstone.deep.attacks.feature_ascent import check_finite, check_rate
from toadstone.deep.attacks.gradient_alignment import Alignment, goal_gradient
from toadstone.deep.attacks.linf_ball import LEVELS, PixelBall, check_groups, check_targets, unit
from toadstone.deep.attacks.surrogates import all_evaluating, check_networks, home
from toadstone.deep.tensors.augmentation import flip_shift
from toadstone.deep.tensors.checks import check_generator
from toadstone.deep.tensors.features import logits
from toadstone.deep.tensors.images import check_labels

Augmentation: TypeAlias = Callable[[Tensor, Generator], Tensor]
"""Changes images at random, differentiably."""

_MILESTONES = (3 / 8, 5 / 8, 7 / 8)
"""Shares of the steps after which the learning rate falls by ten."""


@dataclass(frozen=True, kw_only=True)
class GradientMatching:
    """Perturb images of the intended class so that training on them trains the target towards that class.

    The loss is one minus the cosine between the gradient for the target under
    the intended label and the mean gradient of the poisons under theirs, over
    all weights jointly, averaged over networks in evaluation mode. Adam gets
    the sign of its gradient; the learning rate falls by ten after 3/8, 5/8
    and 7/8 of the steps.

    The same seed gives the same bytes. Another number of threads may change
    single pixels, since it sums gradients in another order.

    Parameters
    ----------
    radius : int
        Of the maximum-norm ball around each base, in 8-bit levels.
    steps : int
        Steps of each restart.
    restarts : int
        Starts from different noise; the poisons of least loss are returned,
        measured after rounding and without augmentation.
    learning_rate : float
        In units of the pixel range [0, 1]; the paper's 0.1 is for pixels
        divided by a standard deviation of about a quarter. It should be
        divided by the number of networks.
    augmentation : callable
        Applied to the poisons anew at each step, as the victim's training
        would; ``lambda images, generator: images`` leaves them unchanged.
    block : int
        Poisons in one pass; halved where memory runs out. The result is the
        same up to rounding. More poisons than this take two passes, which on a
        CPU are as fast as one that exceeds its caches.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    References
    ----------
    .. [1] Geiping, Fowl, Huang, Czaja, Taylor, Moeller and Goldstein,
       "Witches' Brew: industrial scale data poisoning via gradient matching",
       ICLR 2021, algorithm 1.
    """

    radius: int = 8
    steps: int = 250
    restarts: int = 8
    learning_rate: float = 0.025
    augmentation: Augmentation = flip_shift
    block: int = 128

    def __post_init__(self) -> None:
        PixelBall(radius=self.radius)
        check_count(steps=self.steps, restarts=self.restarts, block=self.block)
        check_rate(self.learning_rate)

    def craft(
        self,
        networks: Sequence[nn.Module],
        head: str,
        bases: Tensor,
        targets: Tensor,
        labels: Tensor,
        *,
        generator: Generator,
    ) -> Tensor:
        """Perturb the bases of several targets, one target after the other.

        Parameters
        ----------
        networks : sequence of Module
            The attacker's surrogates; unchanged. Weights that require no
            gradient are not matched.
        head : str
            Name of their last layer.
        bases : uint8 Tensor of shape (t, k, C, H, W)
            k images for each target, of the intended class.
        targets : float Tensor of shape (t, C, H, W) or (t, m, C, H, W)
            In [0, 1]; with the axis m, several images of one object, whose
            mean gradient is matched.
        labels : int64 Tensor of shape (t,)
            Intended class of each target: that of its bases, and the one that
            the target is to be classified as.
        generator : Generator
            On the CPU; draws initial noise and augmentation.

        Returns
        -------
        uint8 Tensor of shape (t, k, C, H, W)
            Perturbed copies, on the bases' device.

        Raises
        ------
        InvalidArgument, InvalidData
            If an argument is invalid, shapes do not match, or a network
            predicts a target's intended label with such certainty that its
            gradient vanishes.
        """
        check_networks(networks)
        check_generator(generator)
        check_groups(bases)
        several = check_targets(targets, bases)
        device, dtype = home(networks[0])
        check_labels(labels, count=len(bases), classes=logits(networks[0], several[0, :1]).shape[1])
        with all_evaluating(networks):
            made = [
                self._perturb(networks, head, base, target.to(device, dtype), label, generator)
                for base, target, label in zip(bases.to(device), several, labels.to(device), strict=True)
            ]
        return torch.stack(made).to(bases.device)

    def _perturb(
        self,
        networks: Sequence[nn.Module],
        head: str,
        base: Tensor,
        target: Tensor,
        label: Tensor,
        generator: Generator,
    ) -> Tensor:
        """Return the best restart for one target, rounded to levels."""
        goals = [goal_gradient(network, head, target, label) for network in networks]
        alignment = Alignment(networks=networks, head=head, goals=goals, label=label, block=self.block)
        best, least = base, torch.inf
        for _ in range(self.restarts):
            images = self._descend(alignment, base, target.dtype, generator)
            made = PixelBall(radius=self.radius).rounded(images, base)
            # Rounding moves the loss, and augmentation makes it noisy: compare what will be published.
            loss = float(alignment.measure(unit(made, target.dtype))[0])
            if loss < least:
                best, least = made, loss
        check_finite(torch.tensor(least))
        return best

    def _descend(self, alignment: Alignment, base: Tensor, dtype: torch.dtype, generator: Generator) -> Tensor:
        bounds = PixelBall(radius=self.radius).bounds(base, dtype=dtype)
        reach = self.radius / LEVELS
        noise = torch.randn(base.shape, generator=generator, dtype=dtype).to(base.device) * reach
        images = unit(base, dtype) + noise.clamp(-reach, reach)
        images = images.clamp(*bounds).requires_grad_()
        adam = torch.optim.Adam([images], lr=self.learning_rate)
        falling = MultiStepLR(adam, [max(1, int(share * self.steps)) for share in _MILESTONES])
        for _ in range(self.steps):
            changed = self.augmentation(images, generator)
            _, slope = alignment.measure(changed.detach())
            # Signed Adam, as in the paper: pixels move by about the learning rate, however small the slope.
            images.grad = torch.autograd.grad(changed, images, slope)[0].sign()
            adam.step()
            falling.step()
            with torch.no_grad():
                images.clamp_(*bounds)
        return images.detach()
