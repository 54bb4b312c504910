"""Gradients of single images by all trained parameters."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.functional import cross_entropy

from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument
from toadstone.deep.tensors.batched_memory import in_blocks
from toadstone.deep.tensors.checks import check_generator
from toadstone.deep.tensors.features import evaluating, logits
from toadstone.deep.tensors.images import as_input, check_images, check_labels


def per_sample_gradients(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    block: int = 64,
    dimensions: int | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return the gradient of each image's cross entropy by all parameters that require one.

    Parameters
    ----------
    model : Module
        In evaluation mode during the pass, so that no image affects another's
        gradient.
    images : Tensor of shape (n, channels, height, width)
        8-bit, or in [0, 1].
    labels : Tensor of shape (n,), int64
    block : int
        Images in one pass; halved with a warning where memory runs out.
    dimensions : int, optional
        Number of dimensions to project to by feature hashing [1]_, which
        preserves inner products in expectation: each coordinate gets a random
        sign and is added to one of `dimensions` sums of equal size, up to one.
        Without it there is no projection.
    generator : torch.Generator, optional
        On the CPU; draws the projection, the same from the same state.

    Returns
    -------
    Tensor of shape (n, n_parameters) or (n, dimensions)
        On the device of the model; parameters in the order of
        ``model.named_parameters()``, frozen ones left out.

    Raises
    ------
    InvalidArgument
        If `dimensions` is given without a generator or is not a whole number
        from 1, or no parameter requires a gradient.
    InvalidData
        If images or labels are invalid, as for
        `toadstone.deep.tensors.features.head_gradients`.

    References
    ----------
    .. [1] Weinberger, Dasgupta, Langford, Smola and Attenberg, "Feature
       hashing for large scale multitask learning", ICML 2009.
    """
    check_images(images)
    classes = logits(model, images[:1]).shape[1]
    check_labels(labels, count=len(images), classes=classes)
    trained = {name: value.detach() for name, value in model.named_parameters() if value.requires_grad}
    if not trained:
        raise InvalidArgument("model", "parameters that require gradients", "none")
    anchor = next(iter(trained.values()))
    size = sum(value.numel() for value in trained.values())
    projection = _FeatureHashing(size, dimensions, generator, anchor.device) if dimensions is not None else None

    def loss(parameters: dict[str, Tensor], image: Tensor, label: Tensor) -> Tensor:
        given = functional_call(model, parameters, (image[None],))
        return cross_entropy(getattr(given, "logits", given), label[None])

    each = vmap(grad(loss), in_dims=(None, 0, 0), randomness="different")

    def work(rows: slice) -> Tensor:
        found = each(trained, as_input(images[rows], anchor), labels[rows].to(anchor.device))
        flat = torch.cat([found[name].flatten(1) for name in trained], dim=1)
        return flat if projection is None else projection(flat)

    with evaluating(model):
        return in_blocks(work, len(images), block=block)


class _FeatureHashing:
    """Random projection by feature hashing, with the same draws on any device."""

    def __init__(self, size: int, dimensions: int, generator: torch.Generator | None, device: torch.device) -> None:
        check_count(dimensions=dimensions)
        check_generator(generator)
        # A permutation instead of a hash: sums have equal numbers of terms, and one integer per coordinate suffices.
        self.padding = -size % dimensions
        self.dimensions = dimensions
        self.order = torch.randperm(size + self.padding, generator=generator).to(device)
        signs = torch.randint(2, (size + self.padding,), generator=generator, dtype=torch.int8)
        self.signs = signs.to(device) * 2 - 1

    def __call__(self, rows: Tensor) -> Tensor:
        padded = nn.functional.pad(rows, (0, self.padding))
        return (padded[:, self.order] * self.signs).view(len(rows), -1, self.dimensions).sum(dim=1)
