"""The gradient of each image on its own, of all parameters at once."""

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
    """Gradients of each image's cross entropy with respect to all parameters that are trained.

    Parameters
    ----------
    model : Module
        In evaluation mode during the pass, so that no image touches another's
        gradient.
    images : Tensor of shape (n, channels, height, width)
        Of eight bits, or in [0, 1].
    labels : Tensor of shape (n,), int64
    block : int
        Images at a time; halved with a warning where memory runs out.
    dimensions : int, optional
        Project to so many, keeping inner products on average: a coordinate is
        given a random sign and added to one of `dimensions` sums [1]_, whose
        numbers of terms differ by one at most. All parameters, unprojected,
        if left out.
    generator : torch.Generator, optional
        On the host; draws the projection. The same state gives the same one.

    Returns
    -------
    Tensor of shape (n, n_parameters) or (n, dimensions)
        On the device of the model; parameters in the order of
        ``model.named_parameters()``, without the frozen ones.

    Raises
    ------
    InvalidArgument
        If `dimensions` is given without a generator or is no whole number
        from 1, or nothing is trained.
    InvalidData
        If images or labels are unfit, as of `toadstone.deep.tensors.features`.

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
    projection = _Sums(size, dimensions, generator, anchor.device) if dimensions is not None else None

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


class _Sums:
    """A random projection that needs one number a coordinate, and the same bytes on any device."""

    def __init__(self, size: int, dimensions: int, generator: torch.Generator | None, device: torch.device) -> None:
        check_count(dimensions=dimensions)
        check_generator(generator)
        self.padding = -size % dimensions
        self.dimensions = dimensions
        self.order = torch.randperm(size + self.padding, generator=generator).to(device)
        signs = torch.randint(2, (size + self.padding,), generator=generator, dtype=torch.int8)
        self.signs = signs.to(device) * 2 - 1

    def __call__(self, rows: Tensor) -> Tensor:
        padded = nn.functional.pad(rows, (0, self.padding))
        return (padded[:, self.order] * self.signs).view(len(rows), -1, self.dimensions).sum(dim=1)
