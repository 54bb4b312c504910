"""STRIP: detect inputs with a trigger by their low entropy under blending with other images."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from toadstone.core.checks import check_count, check_within
from toadstone.core.errors import InvalidData
from toadstone.deep.tensors.batched_memory import in_blocks
from toadstone.deep.tensors.checks import check_generator
from toadstone.deep.tensors.features import check_model, logits
from toadstone.deep.tensors.images import as_input, check_images


@dataclass(frozen=True, eq=False, kw_only=True)
class StripScan:
    """Entropy of each image and the threshold below which images are flagged.

    Parameters
    ----------
    entropies : Tensor of shape (n,)
        Mean over overlays, in nats, from 0 to the logarithm of the number of
        classes; larger is more normal.
    threshold : float
        Minus infinity if there are too few clean images for the false-alarm
        rate.
    """

    entropies: Tensor
    threshold: float

    @property
    def flagged(self) -> Tensor:
        """Mask of the flagged images."""
        return self.entropies < self.threshold


def strip(
    model: nn.Module,
    images: Tensor,
    *,
    clean: Tensor,
    generator: Generator,
    false_alarm_rate: float = 0.01,
    copies: int = 64,
    opacity: float = 0.5,
    block: int = 128,
) -> StripScan:
    """Flag images that a network classifies with low entropy even when others are blended in [1]_.

    Half of the clean images, drawn at random, are the overlays; the other half
    sets the threshold, the largest that flags a clean image with probability
    at most `false_alarm_rate`.

    Parameters
    ----------
    model : Module
    images : Tensor of shape (n, channels, height, width)
        Images to judge; 8-bit, or in [0, 1].
    clean : Tensor of shape (m, channels, height, width)
        At least two trusted images, of all classes, in the same format.
    generator : torch.Generator
        On the CPU; draws halves and overlays.
    false_alarm_rate : float
        Largest expected share of clean images to be flagged, in (0, 1).
    copies : int
        Overlays per image.
    opacity : float
        Weight of the overlay, in (0, 1): ``(1 - opacity) * x + opacity * other``.
    block : int
        Blends in one pass; halved with a warning where memory runs out.

    Returns
    -------
    StripScan

    Raises
    ------
    InvalidArgument
        If an option is out of range.
    InvalidData
        If images are invalid, there are fewer than two clean ones or they are
        of another shape, or the logits are not finite.

    References
    ----------
    .. [1] Gao and others, "STRIP: a defence against trojan attacks on deep
       neural networks", ACSAC 2019, section 4.
    """
    check_within("(0, 1)", false_alarm_rate=false_alarm_rate)
    check_generator(generator)
    for given in (images, clean):
        check_images(given)
    if clean.shape[1:] != images.shape[1:] or len(clean) < 2:
        expected = f"two or more images of shape {tuple(images.shape[1:])}"
        raise InvalidData(f"clean: expected {expected}, got shape {tuple(clean.shape)}")
    order = torch.randperm(len(clean), generator=generator).to(clean.device)
    overlays, held_out = clean[order[: len(clean) // 2]], clean[order[len(clean) // 2 :]]
    calm, judged = (
        blended_entropies(model, rows, overlays, generator=generator, copies=copies, opacity=opacity, block=block)
        for rows in (held_out, images)
    )
    # Of m + 1 exchangeable values, one is strictly below the rank-th smallest of the others with probability at most
    # rank / (m + 1): the false-alarm rate holds for any finite number of clean images.
    rank = math.floor(false_alarm_rate * (len(calm) + 1))
    threshold = float(calm.sort().values[rank - 1]) if rank else -math.inf
    return StripScan(entropies=judged, threshold=threshold)


def blended_entropies(
    model: nn.Module,
    images: Tensor,
    overlays: Tensor,
    *,
    generator: Generator,
    copies: int = 64,
    opacity: float = 0.5,
    block: int = 128,
) -> Tensor:
    """Return each image's entropy, averaged over blends with overlays drawn with replacement.

    Parameters, errors and unit are as for `strip`.

    Returns
    -------
    Tensor of shape (n,)
        On the CPU.
    """
    check_model(model)
    check_generator(generator)
    check_count(copies=copies, block=block)
    check_within("(0, 1)", opacity=opacity)
    drawn = torch.randint(len(overlays), (len(images), copies), generator=generator)
    anchor = next(model.parameters())

    def work(rows: slice) -> Tensor:
        place = torch.arange(rows.start, rows.stop)
        below = as_input(images[(place // copies).to(images.device)], anchor)
        above = as_input(overlays[drawn.flatten()[rows].to(overlays.device)], anchor)
        log_probabilities = logits(model, (1 - opacity) * below + opacity * above, block=block).log_softmax(dim=1)
        return -(log_probabilities.exp() * log_probabilities).sum(dim=1).cpu()

    return in_blocks(work, drawn.numel(), block=block).view(len(images), copies).mean(dim=1)
