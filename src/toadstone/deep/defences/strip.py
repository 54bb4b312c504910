"""STRIP: an input whose class survives any other image laid over it carries a trigger."""

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
    """What STRIP says of each image.

    Parameters
    ----------
    entropies : Tensor of shape (n,)
        Mean over overlays, in nats, from 0 to the logarithm of the number of
        classes; larger is more normal.
    threshold : float
        Images below it are flagged; minus infinity if there were too few clean
        images for the promise.
    """

    entropies: Tensor
    threshold: float

    @property
    def flagged(self) -> Tensor:
        """Which images are, as a mask."""
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
    """Flag images with a trigger, by how surely they are classified with others laid over them [1]_.

    Half of the clean images, drawn at random, are laid over; the other half sets
    the threshold, as the largest that flags a clean image with at most the
    promised probability.

    Parameters
    ----------
    model : Module
    images : Tensor of shape (n, channels, height, width)
        To be judged; of eight bits, or in [0, 1].
    clean : Tensor of shape (m, channels, height, width)
        Trusted images of all classes, in the same form, two at least.
    generator : torch.Generator
        On the host; draws halves and overlays.
    false_alarm_rate : float
        Share of clean images that may be flagged, in (0, 1).
    copies : int
        Overlays for each image.
    opacity : float
        Weight of the overlay, in (0, 1): ``(1 - opacity) * x + opacity * other``.
    block : int
        Blends at a time; halved with a warning where memory runs out.

    Returns
    -------
    StripScan

    Raises
    ------
    InvalidArgument
        If an option is out of range.
    InvalidData
        If images are unfit, clean ones are of another shape or fewer than two,
        or the model does not answer finite numbers.

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
    # Of m + 1 exchangeable values, one lies strictly below the rank-th smallest of the others with probability at most
    # rank / (m + 1).
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
    """For each image the mean entropy of the model's answers with overlays drawn for it.

    Parameters, errors and unit are those of `strip`; overlays are drawn with
    replacement.

    Returns
    -------
    Tensor of shape (n,)
        On the host.
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
        surprise = logits(model, (1 - opacity) * below + opacity * above, block=block).log_softmax(dim=1)
        return -(surprise.exp() * surprise).sum(dim=1).cpu()

    return in_blocks(work, drawn.numel(), block=block).view(len(images), copies).mean(dim=1)
