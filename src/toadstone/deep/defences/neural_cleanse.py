"""Neural Cleanse: find backdoored labels by the anomalously small patch that makes a network predict them."""

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
"""Classes from which a median absolute deviation is meaningful."""
_CONSISTENCY = 1.4826
"""Makes the median absolute deviation an estimate of a normal distribution's standard deviation."""
_EDGE = 1e-6
"""Keeps hyperbolic tangents strictly inside [0, 1]."""
_GROWTH = 1.5
"""Factor of the weight after a streak of successes."""
_SETTLED = 0.15
"""Largest median shrinkage in the last quarter of a search that counts as converged."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Inversion:
    """The smallest patch found for one label.

    Parameters
    ----------
    mask : Tensor of shape (height, width)
        Opacity of the patch in each pixel, in [0, 1].
    pattern : Tensor of shape (channels, height, width)
        Content of the patch, in [0, 1].
    size : float
        Sum of the mask, in pixels; infinite if no patch succeeded on enough
        images.
    success : float
        Share of the images that are classified as the label with the patch.
    shrinkage : float
        Share of its size that the patch lost in the last quarter of the search.
    """

    mask: Tensor
    pattern: Tensor
    size: float
    success: float
    shrinkage: float


@dataclass(frozen=True, eq=False, kw_only=True)
class BackdoorScan:
    """Smallest patches of all labels and the suspicious labels.

    Parameters
    ----------
    inversions : tuple of Inversion
        One for each label.
    anomalies : tuple of float
        Robust standard deviations by which each label's patch is smaller than
        the median patch; negative if larger, NaN where undecided.
    suspects : tuple of int
        Labels with an anomaly above the threshold.
    undecided : str or None
        Reason why there is no decision; None if there is one.
    """

    inversions: tuple[Inversion, ...]
    anomalies: tuple[float, ...]
    suspects: tuple[int, ...]
    undecided: str | None


@dataclass(frozen=True, kw_only=True)
class NeuralCleanse:
    """Settings of the search for the smallest patches [1]_.

    Parameters
    ----------
    epochs : int
        Passes over the images for each label.
    batch : int
    learning_rate : float
        Of Adam, with betas 0.5 and 0.9.
    first_weight : float
        Initial weight of the mask's size in the objective. It is multiplied by
        1.5 after `patience` successful epochs in a row, and divided by 1.5 to
        the power of 1.5 after as many unsuccessful ones.
    patience : int
    success : float
        Share of images that must be classified as the label, in (0, 1].
    threshold : float
        Anomaly above which a label is suspicious.

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
    """Find each label's smallest patch and the labels whose patch is anomalously small.

    Parameters
    ----------
    model : Module
        In evaluation mode during the search; unchanged.
    images : Tensor of shape (n, channels, height, width)
        Clean images of all classes; 8-bit, or in [0, 1].
    generator : torch.Generator
        On the CPU; draws initial patches and the order of images.
    search : NeuralCleanse, optional

    Returns
    -------
    BackdoorScan
        Undecided with fewer than five classes, if half of the patches or more
        are of one size, or if the median patch still shrinks by more than 15 %
        in the last quarter of the search: its size then reflects the start.

    Raises
    ------
    InvalidData
        If images are invalid, or logits are not finite.
    """
    check_images(images)
    check_generator(generator)
    settings = search or NeuralCleanse()
    classes = logits(model, images, block=settings.batch).shape[1]
    with evaluating(model):
        found = tuple(
            smallest_patch(model, images, label, generator=generator, search=settings) for label in range(classes)
        )
    sizes = torch.tensor([inversion.size for inversion in found], dtype=torch.float64)
    anomalies, undecided = _anomalies(sizes, [inversion.shrinkage for inversion in found])
    suspects = tuple(label for label, value in enumerate(anomalies) if value > settings.threshold)
    return BackdoorScan(inversions=found, anomalies=anomalies, suspects=suspects, undecided=undecided)


def smallest_patch(
    model: nn.Module, images: Tensor, label: int, *, generator: Generator, search: NeuralCleanse
) -> Inversion:
    """Return the smallest patch that makes images classified as one label; call it in evaluation mode.

    Minimises the cross entropy for the label plus a weight times the sum of the
    mask on inputs ``(1 - mask) * image + mask * pattern``, where mask and pattern
    are hyperbolic tangents of unconstrained variables.
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
            # Not loss.backward(), which would leave gradients on the weights of the model.
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
    """Weight of the mask's size in the objective, adapted to success."""

    def __init__(self, search: NeuralCleanse) -> None:
        self.search = search
        self.value = search.first_weight
        self.streak = 0

    def after(self, success: float) -> None:
        """Count an epoch: streaks of success are positive, of failure negative."""
        sign = 1 if success >= self.search.success else -1
        self.streak = self.streak + sign if self.streak * sign > 0 else sign
        if abs(self.streak) == self.search.patience:
            # It falls faster than it grows, as in the authors' code, so that success comes back soon.
            self.value *= _GROWTH if sign > 0 else _GROWTH**-1.5
            self.streak = 0


def _unit(free: Tensor) -> Tensor:
    return (torch.tanh(free.detach()) / (2 + _EDGE) + 0.5).clone()


def _anomalies(sizes: Tensor, shrinkages: Sequence[float]) -> tuple[tuple[float, ...], str | None]:
    nothing = (math.nan,) * len(sizes)
    if len(sizes) < _FEWEST:
        return nothing, f"{len(sizes)} classes are too few to find an outlier; at least {_FEWEST} are needed"
    median = float(sizes.quantile(0.5))
    if not math.isfinite(median):
        return nothing, "no patch was found for half of the labels"
    if statistics.median(shrinkages) > _SETTLED:
        return nothing, "patches were still shrinking when the search ended; use more epochs"
    deviation = _CONSISTENCY * float((sizes - median).abs().quantile(0.5))
    if deviation == 0 or not math.isfinite(deviation):
        return nothing, "at least half of the patches have the same size"
    return tuple(float(value) for value in (median - sizes) / deviation), None
