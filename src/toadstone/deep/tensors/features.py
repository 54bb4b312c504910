"""Features, logits and last-layer gradients of images in any network.

The head is the last layer, given by its name in ``model.named_modules()``
(``"linear"``, ``"classifier.1"``). Nothing has to be subclassed: a temporary
hook reads the input of the head.
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
from toadstone.deep.tensors.precision import Precision, computing

_SHAPES = re.compile("shape|size|channels|dimension", re.IGNORECASE)
"""Words in torch's errors about images of a wrong shape."""


def check_model(model: nn.Module) -> None:
    """Check for a module of torch."""
    if not isinstance(model, nn.Module):
        raise InvalidArgument("model", "a torch.nn.Module", type(model).__name__)


def find_head(model: nn.Module, head: str, *, option: str = "head") -> nn.Module:
    """Return the module of a name.

    Parameters
    ----------
    model : Module
    head : str
    option : str
        Name of the argument in error messages.

    Raises
    ------
    UnknownName
        If the model has no such module; the message suggests similar names.
    InvalidArgument
        If `head` is not a string, or `model` not a module.

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
    """Put a model in evaluation mode, and afterwards each of its modules back in the mode that it had."""
    check_model(model)
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield model
    finally:
        for module, training in modes:
            module.training = training


def outputs(model: nn.Module, head: str, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the input and the output of the head in one pass, differentiable by the images.

    Without the checks that would slow down attacks: the model stays in its
    mode, and the range of the images is not checked.

    Parameters
    ----------
    model : Module
    head : str
        Name of the last layer.
    images : Tensor of shape (n, channels, height, width)

    Returns
    -------
    activations : Tensor of shape (n, d)
        Input of the head, flattened.
    logits : Tensor of shape (n, n_classes)
        Output of the model.

    Raises
    ------
    UnknownName
        If the model has no layer of that name.
    InvalidArgument
        If the model uses that layer never, more than once, or not with one
        row for each image.
    InvalidData
        If the images have a wrong layout or a shape that the model does not
        accept, or it returns no logits.
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
        raise InvalidArgument("head", "a layer that gets one row for each image", got)
    return seen[0].flatten(1), logits


def activations(
    model: nn.Module, head: str, images: Tensor, *, block: int = 128, precision: Precision = "float32"
) -> Tensor:
    """Return the input of the head for many images, in evaluation mode and without gradients.

    Parameters
    ----------
    model : Module
    head : str
        Name of the last layer.
    images : Tensor of shape (n, channels, height, width)
        8-bit, or in [0, 1].
    block : int
        Images in one pass; halved with a warning where memory runs out. Blocks
        larger than the caches of a CPU take twice the time.
    precision : {"float32", "bfloat16"}
        Of matrix products and convolutions; bfloat16 takes half the time where
        the processor has it, and keeps three digits.

    Returns
    -------
    Tensor of shape (n, d)
        On the device of the model, in at least single precision.

    Raises
    ------
    UnknownName, InvalidArgument, InvalidData
        As for `outputs`, or if pixels are outside [0, 1] or activations not
        finite.
    """
    check_images(images)
    with evaluating(model), torch.no_grad(), computing(_device(model), precision):
        return in_blocks(
            lambda rows: _finite(outputs(model, head, images[rows])[0], "activations"), len(images), block=block
        )


def logits(model: nn.Module, images: Tensor, *, block: int = 128, precision: Precision = "float32") -> Tensor:
    """Return the logits of many images, in evaluation mode and without gradients.

    Parameters and errors are as for `activations`.

    Returns
    -------
    Tensor of shape (n, n_classes)
    """
    check_images(images)
    with evaluating(model), torch.no_grad(), computing(_device(model), precision):
        return in_blocks(lambda rows: _finite(_logits(model, images[rows]), "logits"), len(images), block=block)


def head_gradients(
    model: nn.Module, images: Tensor, labels: Tensor, *, block: int = 128, precision: Precision = "float32"
) -> Tensor:
    """Return the gradient of each image's cross entropy by its logits, ``softmax - onehot``, in evaluation mode.

    Parameters
    ----------
    model : Module
    images : Tensor of shape (n, channels, height, width)
    labels : Tensor of shape (n,), int64
    block, precision
        As for `activations`; the gradients themselves are in at least single
        precision.

    Returns
    -------
    Tensor of shape (n, n_classes)

    Raises
    ------
    InvalidData
        As for `activations`, or if labels exceed the classes of the head.

    References
    ----------
    .. [1] Yang, Liu and Mirzasoleiman, "Not all poisons are created equal:
       robust training against data poisoning", ICML 2022, section 4.
    """
    gradients = logits(model, images, block=block, precision=precision).softmax(dim=1)
    check_labels(labels, count=len(images), classes=gradients.shape[1])
    return gradients - nn.functional.one_hot(labels.to(gradients.device), gradients.shape[1])


def _device(model: nn.Module) -> torch.device:
    anchor = next(model.parameters(), None)
    return torch.device("cpu") if anchor is None else anchor.device


def float_logits(model: nn.Module, images: Tensor) -> Tensor:
    """Return the logits of one pass in single precision, in which losses are computed.

    Differentiable; of models that wrap their logits in an object, too.
    """
    given = model(images)
    return getattr(given, "logits", given).float()


def _logits(model: nn.Module, images: Tensor) -> Tensor:
    """Return the logits of one pass, also of models that wrap them in an object, as Hugging Face's do."""
    anchor = next(model.parameters(), None)
    try:
        given = model(as_input(images, torch.empty(0) if anchor is None else anchor))
    except RuntimeError as error:
        if out_of_memory(error) or not _SHAPES.search(str(error)):
            raise
        reason = str(error).splitlines()[0]
        shape = tuple(images.shape[1:])
        raise InvalidData(f"model: expected one that accepts images of shape {shape}, got {reason!r}") from error
    found = getattr(given, "logits", given)
    if not isinstance(found, Tensor) or found.dim() != 2 or len(found) != len(images):
        got = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
        raise InvalidData(f"model: expected logits of shape (n, n_classes) for n images, got {got}")
    return found


def check_finite_answers(values: Tensor, *, what: str) -> None:
    """Check that a network's outputs are finite.

    Raises
    ------
    InvalidData
    """
    wrong = values.detach().isfinite().logical_not()
    if bool(wrong.any()):
        rows = int(wrong.flatten(1).any(dim=1).sum())
        raise InvalidData(f"model: expected finite {what}, got infinite or NaN for {rows} of {len(values)} images")


def _finite(values: Tensor, what: str) -> Tensor:
    """Check outputs and return them in at least single precision: differences of gradients cancel in half."""
    check_finite_answers(values, what=what)
    return values.to(torch.promote_types(values.dtype, torch.float32))
