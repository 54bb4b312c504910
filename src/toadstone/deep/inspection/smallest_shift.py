"""Search for the smallest picture that, added to any image, makes a network predict one label."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from toadstone.core.checks import check_count, check_positive, check_within
from toadstone.deep.tensors.features import float_logits
from toadstone.deep.tensors.images import as_input

_GROWTH, _FALL = 1.3, 1.6
"""Factors of the weight of the size after an epoch with and without success."""
_NOISE = 0.01
"""Standard deviation of the start: the norm has no gradient at zero."""


@dataclass(frozen=True, kw_only=True)
class ShiftSearch:
    """Settings of the search for the smallest added picture.

    A patch covers few pixels; a trigger that is faint and spread over the whole
    image, such as blended pictures or stripes, is small in this norm instead
    [1]_.

    Parameters
    ----------
    epochs : int
    batch : int
    learning_rate : float
        Of Adam.
    first_weight : float
        Initial weight of the Euclidean norm in the objective; it is multiplied
        by 1.3 after an epoch with success and divided by 1.6 after another.
    success : float
        Share of images that must be classified as the label, in (0, 1].

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    References
    ----------
    .. [1] Moosavi-Dezfooli and others, "Universal adversarial perturbations",
       CVPR 2017, equation 1; here with the norm as a penalty.
    """

    epochs: int = 40
    batch: int = 32
    learning_rate: float = 0.02
    first_weight: float = 0.01
    success: float = 0.99

    def __post_init__(self) -> None:
        check_count(epochs=self.epochs, batch=self.batch)
        check_positive(learning_rate=self.learning_rate, first_weight=self.first_weight)
        check_within("(0, 1]", success=self.success)


@dataclass(frozen=True, eq=False, kw_only=True)
class Shift:
    """The smallest added picture found for one label.

    Parameters
    ----------
    content : Tensor of shape (channels, height, width)
    size : float
        Euclidean norm, of pixels in [0, 1]; infinite if none succeeded.
    success : float
        Share of the images that were classified as the label with it.
    """

    content: Tensor
    size: float
    success: float


def smallest_shift(model: nn.Module, images: Tensor, label: int, *, generator: Generator, search: ShiftSearch) -> Shift:
    """Return the smallest picture that makes images classified as one label; call it in evaluation mode.

    Minimises the cross entropy for the label plus a weight times the Euclidean
    norm of the picture.
    """
    anchor = next(model.parameters())
    content = (_NOISE * torch.randn(images.shape[1:], generator=generator)).to(anchor).requires_grad_()
    adam = torch.optim.Adam([content], lr=search.learning_rate)
    weight = search.first_weight
    best = Shift(content=content.detach().clone(), size=math.inf, success=0.0)
    for _ in range(search.epochs):
        right = 0
        for rows in torch.randperm(len(images), generator=generator).split(search.batch):
            shown = as_input(images[rows.to(images.device)], anchor)
            given = float_logits(model, (shown + content).clamp(0, 1))
            wanted = torch.full((len(rows),), label, device=anchor.device)
            loss = cross_entropy(given, wanted) + weight * content.norm()
            # Not loss.backward(), which would leave gradients on the weights of the model.
            (content.grad,) = torch.autograd.grad(loss, content)
            adam.step()
            right += int((given.argmax(dim=1) == label).sum())
        success, size = right / len(images), float(content.detach().norm())
        if success >= search.success and size < best.size:
            # The picture moved in every step of the epoch: what is returned is judged as it is now.
            success = _success(model, images, content.detach(), label, batch=search.batch)
            if success >= search.success:
                best = Shift(content=content.detach().clone(), size=size, success=success)
        weight *= _GROWTH if success >= search.success else 1 / _FALL
    return best


def _success(model: nn.Module, images: Tensor, content: Tensor, label: int, *, batch: int) -> float:
    with torch.no_grad():
        right = sum(
            int((float_logits(model, (as_input(rows, content) + content).clamp(0, 1)).argmax(dim=1) == label).sum())
            for rows in images.split(batch)
        )
    return right / len(images)
