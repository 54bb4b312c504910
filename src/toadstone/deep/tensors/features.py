"""What a network says of images: the input of its head, its logits, and its gradients.

The head is the last layer, any module of any network, declared by its name as
``model.named_modules()`` spells it (``"linear"``, ``"classifier.1"``). Nothing
is subclassed: a hook reads its input and is removed again.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from toadstone.core.errors import InvalidArgument, InvalidData, UnknownName
from toadstone.deep.tensors.batched_memory import in_blocks, out_of_memory
from toadstone.deep.tensors.images import as_input, check_images, check_labels, check_layout

_SHAPES = re.compile("shape|size|channels|dimension", re.IGNORECASE)
"""Words of torch's errors about images of another shape than a layer takes."""


def check_model(model: nn.Module) -> None:
    """Refuse what is no module of torch."""
    if not isinstance(model, nn.Module):
        raise InvalidArgument("model", "a torch.nn.Module", type(model).__name__)


def find_head(model: nn.Module, head: str, *, option: str = "head") -> nn.Module:
    """The module of that name.

    Parameters
    ----------
    model : Module
    head : str
    option : str
        What errors call the name.

    Raises
    ------
    UnknownName
        If there is none; the nearest names are told.
    InvalidArgument
        If it is no name, or the model no module.

    Examples
    --------
    >>> find_head(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), "1")
    Linear(in_features=4, out_features=2, bias=True)
    """
    check_model(model)
    if not isinstance(head, str):
        raise InvalidArgument(option, "the name of a layer", type(head).__name__)
    modules = {name: module for name, module in model.named_modules() if name}
    if head in modules:
        return modules[head]
    near = difflib.get_close_matches(head, modules, n=3, cutoff=0.4) or list(modules)[-3:]
    raise UnknownName(f"`{option}`: expected the name of a layer, such as {', '.join(near)}, got {head!r}")


@contextmanager
def evaluating(model: nn.Module) -> Iterator[nn.Module]:
    """The model in evaluation mode; afterwards each of its modules is in its own mode again."""
    check_model(model)
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield model
    finally:
        for module, training in modes:
            module.training = training


def outputs(model: nn.Module, head: str, images: Tensor) -> tuple[Tensor, Tensor]:
    """What enters and what leaves the head, differentiable, in one pass.

    For attacks, which call it thousands of times: the model stays in the mode
    that it is in, and the range of the images is the caller's affair.

    Parameters
    ----------
    model : Module
    head : str
        Name of the last layer.
    images : Tensor of shape (n, channels, height, width)

    Returns
    -------
    activations : Tensor of shape (n, d)
        The input of the head, flattened.
    logits : Tensor of shape (n, n_classes)
        What the model returns.

    Raises
    ------
    UnknownName
        If the model has no layer of that name.
    InvalidArgument
        If the model uses that layer never, more than once, or not with one
        row for each image.
    InvalidData
        If the images have another layout or a shape that the model does not
        take, or it returns no logits.
    """
    check_layout(images)
    seen: list[Tensor] = []

    def remember(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen.append(inputs[0])

    hook = find_head(model, head).register_forward_pre_hook(remember)
    try:
        logits = _logits(model, images)
    finally:
        hook.remove()
    if len(seen) != 1:
        raise InvalidArgument("head", "a layer that the model uses once", f"{head!r}, used {len(seen)} times")
    if len(seen[0]) != len(images):
        got = f"{head!r} with {len(seen[0])} rows for {len(images)} images"
        raise InvalidArgument("head", "a layer that sees one row for each image", got)
    return seen[0].flatten(1), logits


def activations(model: nn.Module, head: str, images: Tensor, *, block: int = 128) -> Tensor:
    """The input of the head for many images, in evaluation mode and without gradients.

    Parameters
    ----------
    model : Module
    head : str
        Name of the last layer.
    images : Tensor of shape (n, channels, height, width)
        Of eight bits, or in [0, 1].
    block : int
        Images at a time; halved with a warning where memory runs out. More
        than the caches of a processor hold take twice the time.

    Returns
    -------
    Tensor of shape (n, d)
        On the device of the model, of at least single precision.

    Raises
    ------
    UnknownName, InvalidArgument, InvalidData
        As of `outputs`, if values lie outside [0, 1], and if those returned
        would not be finite.
    """
    check_images(images)
    with evaluating(model), torch.no_grad():
        return in_blocks(
            lambda rows: _answer(outputs(model, head, images[rows])[0], "activations"), len(images), block=block
        )


def logits(model: nn.Module, images: Tensor, *, block: int = 128) -> Tensor:
    """The logits of many images, in evaluation mode and without gradients.

    Parameters and errors are those of `activations`.

    Returns
    -------
    Tensor of shape (n, n_classes)
    """
    check_images(images)
    with evaluating(model), torch.no_grad():
        return in_blocks(lambda rows: _answer(_logits(model, images[rows]), "logits"), len(images), block=block)


def head_gradients(model: nn.Module, images: Tensor, labels: Tensor, *, block: int = 128) -> Tensor:
    """Gradients of each image's cross entropy with respect to its logits, ``softmax - onehot``.

    The bias of the head takes part, as its logits do; the mode is that of evaluation.

    Parameters
    ----------
    model : Module
    images : Tensor of shape (n, channels, height, width)
    labels : Tensor of shape (n,), int64
    block : int
        As of `activations`.

    Returns
    -------
    Tensor of shape (n, n_classes)

    Raises
    ------
    InvalidData
        If the images are not as of `activations`, or labels lie outside the head.

    References
    ----------
    .. [1] Yang, Liu and Mirzasoleiman, "Not all poisons are created equal:
       robust training against data poisoning", ICML 2022, section 4.
    """
    gradients = logits(model, images, block=block).softmax(dim=1)
    check_labels(labels, count=len(images), classes=gradients.shape[1])
    return gradients - nn.functional.one_hot(labels.to(gradients.device), gradients.shape[1])


def _logits(model: nn.Module, images: Tensor) -> Tensor:
    """One pass; also of models that wrap their logits in an object, as Hugging Face's do."""
    anchor = next(model.parameters(), None)
    try:
        given = model(as_input(images, torch.empty(0) if anchor is None else anchor))
    except RuntimeError as error:
        if out_of_memory(error) or not _SHAPES.search(str(error)):
            raise
        reason = str(error).splitlines()[0]
        shape = tuple(images.shape[1:])
        raise InvalidData(f"model: expected one that takes images of shape {shape}, got {reason!r}") from error
    found = getattr(given, "logits", given)
    if not isinstance(found, Tensor) or found.dim() != 2 or len(found) != len(images):
        got = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
        raise InvalidData(f"model: expected logits of shape (n, n_classes) for n images, got {got}")
    return found


def check_finite_answers(values: Tensor, *, what: str) -> None:
    """Refuse a network that answers infinite numbers, or none: nothing could be told from them.

    Raises
    ------
    InvalidData
    """
    wrong = values.detach().isfinite().logical_not()
    if bool(wrong.any()):
        rows = int(wrong.flatten(1).any(dim=1).sum())
        raise InvalidData(f"model: expected finite {what}, got others for {rows} of {len(values)} images")


def _answer(values: Tensor, what: str) -> Tensor:
    """Finite, and of at least single precision: half of it cancels in differences of gradients."""
    check_finite_answers(values, what=what)
    return values.to(torch.promote_types(values.dtype, torch.float32))
