"""Neural Cleanse: the smallest patch that sends every image to one label is too small if it is a backdoor's."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from toadstone.core.checks import check_count, check_positive, check_within
from toadstone.deep.tensors.checks import check_generator
from toadstone.deep.tensors.features import evaluating, logits
from toadstone.deep.tensors.images import as_input, check_images

_FEWEST = 5
_CONSISTENCY = 1.4826
_EDGE = 1e-6
_DEFEAT = 1.5
_SETTLED = 0.15


@dataclass(frozen=True, eq=False, kw_only=True)
class Inversion:
    """The smallest patch found for one label.

    Parameters
    ----------
    mask : Tensor of shape (height, width)
        How much of each pixel the patch covers, in [0, 1].
    pattern : Tensor of shape (channels, height, width)
        What it shows there, in [0, 1].
    size : float
        Sum of the mask, in pixels; infinite if no patch sent enough images to
        the label.
    success : float
        Share of the images that it sends there.
    shrinkage : float
        Share of its size that went in the last quarter of the search.
    """

    mask: Tensor
    pattern: Tensor
    size: float
    success: float
    shrinkage: float


@dataclass(frozen=True, eq=False, kw_only=True)
class BackdoorScan:
    """What the sizes of the smallest patches say of a network.

    Parameters
    ----------
    inversions : tuple of Inversion
        One for each label.
    anomalies : tuple of float
        For each label how many robust deviations its patch is smaller than the
        median patch; negative if larger, nan where undecided.
    suspects : tuple of int
        Labels above the threshold.
    undecided : str or None
        Why nothing can be said, if so.
    """

    inversions: tuple[Inversion, ...]
    anomalies: tuple[float, ...]
    suspects: tuple[int, ...]
    undecided: str | None


@dataclass(frozen=True, kw_only=True)
class NeuralCleanse:
    """How to search for the patches [1]_.

    Parameters
    ----------
    epochs : int
        Passes over the images for each label.
    batch : int
    learning_rate : float
        Of Adam, with moments 0.5 and 0.9.
    first_weight : float
        Of the mask's size in the objective. It grows by half after `patience`
        epochs in a row of success, and falls by 1.5 to the power of 1.5 after
        as many without.
    patience : int
    success : float
        Share of images that a patch has to send to its label, in (0, 1].
    threshold : float
        Robust deviations from which on a label is suspect.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    References
    ----------
    .. [1] Wang and others, "Neural Cleanse: identifying and mitigating backdoor
       attacks in neural networks", IEEE S&P 2019, equation 3 and section IV.
    """

    epochs: int = 50
    batch: int = 32
    learning_rate: float = 0.1
    first_weight: float = 1e-3
    patience: int = 5
    success: float = 0.99
    threshold: float = 2.0

    def __post_init__(self) -> None:
        check_count(epochs=self.epochs, batch=self.batch, patience=self.patience)
        check_positive(learning_rate=self.learning_rate, first_weight=self.first_weight, threshold=self.threshold)
        check_within("(0, 1]", success=self.success)


def scan_for_backdoors(
    model: nn.Module, images: Tensor, *, generator: Generator, search: NeuralCleanse | None = None
) -> BackdoorScan:
    """Search each label's smallest patch, and tell the labels whose patch is too small.

    Parameters
    ----------
    model : Module
        In evaluation mode during the search; unchanged.
    images : Tensor of shape (n, channels, height, width)
        Clean ones, of all classes; of eight bits, or in [0, 1].
    generator : torch.Generator
        On the host; draws where the search starts and the order of images.
    search : NeuralCleanse, optional

    Returns
    -------
    BackdoorScan
        Undecided with fewer than five classes, or if more than half of the
        patches are of one size, since deviations mean nothing then; or while
        the typical patch still shrinks, by more than 15 % in the last quarter
        of the search: sizes tell of where it started then, and any label may
        look suspect.

    Raises
    ------
    InvalidData
        If the images are unfit, or the model does not answer finite numbers
        to all of them.
    """
    check_images(images)
    check_generator(generator)
    way = search or NeuralCleanse()
    classes = logits(model, images, block=way.batch).shape[1]
    with evaluating(model):
        found = tuple(smallest_patch(model, images, label, generator=generator, search=way) for label in range(classes))
    sizes = torch.tensor([inversion.size for inversion in found], dtype=torch.float64)
    anomalies, undecided = _anomalies(sizes, [inversion.shrinkage for inversion in found])
    suspects = tuple(label for label, value in enumerate(anomalies) if value > way.threshold)
    return BackdoorScan(inversions=found, anomalies=anomalies, suspects=suspects, undecided=undecided)


def smallest_patch(
    model: nn.Module, images: Tensor, label: int, *, generator: Generator, search: NeuralCleanse
) -> Inversion:
    """The smallest patch that sends images to one label; the model's mode is the caller's affair.

    Minimises the cross entropy for the label plus a weight times the sum of the
    mask, where ``(1 - mask) * image + mask * pattern`` is what the model sees
    and mask and pattern are hyperbolic tangents of what is searched.
    """
    anchor = next(model.parameters())
    _, channels, height, width = images.shape
    raw = [torch.randn(shape, generator=generator).to(anchor) for shape in ((height, width), (channels, height, width))]
    free = [value.requires_grad_() for value in raw]
    adam = torch.optim.Adam(free, lr=search.learning_rate, betas=(0.5, 0.9))
    weight = _Weight(search)
    best = Inversion(mask=_unit(free[0]), pattern=_unit(free[1]), size=math.inf, success=0.0, shrinkage=0.0)
    before = math.inf
    for epoch in range(search.epochs):
        if 4 * epoch <= 3 * search.epochs:
            before = best.size
        right, sizes = 0, []
        for rows in torch.randperm(len(images), generator=generator).split(search.batch):
            mask, pattern = (torch.tanh(value) / (2 + _EDGE) + 0.5 for value in free)
            shown = as_input(images[rows.to(images.device)], anchor)
            given = model((1 - mask) * shown + mask * pattern)
            given = getattr(given, "logits", given)
            wanted = torch.full((len(rows),), label, device=anchor.device)
            loss = cross_entropy(given, wanted) + weight.value * mask.sum()
            for value, slope in zip(free, torch.autograd.grad(loss, free), strict=True):
                value.grad = slope
            adam.step()
            right += int((given.argmax(dim=1) == label).sum())
            sizes.append(float(mask.detach().sum()))
        success, size = right / len(images), sum(sizes) / len(sizes)
        if success >= search.success and size < best.size:
            mask, pattern = _unit(free[0]), _unit(free[1])
            best = Inversion(mask=mask, pattern=pattern, size=size, success=success, shrinkage=1 - size / before)
        weight.after(success)
    return best


class _Weight:
    """How much the size of the mask counts, as success comes and goes."""

    def __init__(self, search: NeuralCleanse) -> None:
        self.search = search
        self.value = search.first_weight
        self.streak = 0

    def after(self, success: float) -> None:
        """Count an epoch: positive streaks of success, negative ones of failure."""
        sign = 1 if success >= self.search.success else -1
        self.streak = self.streak + sign if self.streak * sign > 0 else sign
        if abs(self.streak) == self.search.patience:
            self.value *= _DEFEAT if sign > 0 else _DEFEAT**-1.5
            self.streak = 0


def _unit(free: Tensor) -> Tensor:
    return (torch.tanh(free.detach()) / (2 + _EDGE) + 0.5).clone()


def _anomalies(sizes: Tensor, shrinkages: Sequence[float]) -> tuple[tuple[float, ...], str | None]:
    nothing = (math.nan,) * len(sizes)
    if len(sizes) < _FEWEST:
        return nothing, f"{len(sizes)} classes are too few to tell what is unusual; {_FEWEST} would do"
    median = float(sizes.quantile(0.5))
    if not math.isfinite(median):
        return nothing, "for half of the labels no patch was found"
    if statistics.median(shrinkages) > _SETTLED:
        return nothing, "patches were still shrinking when the search ended; more epochs would do"
    deviation = _CONSISTENCY * float((sizes - median).abs().quantile(0.5))
    if deviation == 0 or not math.isfinite(deviation):
        return nothing, "half of the patches or more are of one size"
    return tuple(float(value) for value in (median - sizes) / deviation), None
