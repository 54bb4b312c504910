"""Networks by name: a factory of the caller's, and its weights from a file that executes nothing."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.tensors.checkpoints import assign, is_checkpoint, load_arrays, read_tensors
from toadstone.deep.tensors.checks import first_line
from toadstone.deep.tensors.features import activations
from toadstone.learners.given_models import NAMED, failing_in_words, imported

_WEIGHTS = (".safetensors", ".npz")
_PICKLES = (".pt", ".pth", ".th", ".ckpt", ".bin", ".pkl")
_MADE = "a torch.nn.Module, or a function without arguments that returns one"


def load_network(network: str | nn.Module | Callable[[], nn.Module], *, option: str = "model") -> nn.Module:
    """Return the network behind a name, a factory or a module.

    Parameters
    ----------
    network : str, Module or callable
        ``module:factory``, and with weights ``module:factory@FILE``, a
        safetensors file or an ``.npz`` of arrays named as in the state dict.
        Modules are looked for in the current directory first. A name without
        a colon is one of timm's, where timm is installed. Nothing is
        unpickled.
    option : str
        What the caller calls the argument, for messages.

    Returns
    -------
    Module
        In evaluation mode.

    Raises
    ------
    InvalidArgument
        If there is no such module or attribute, or no network comes of it.
    InvalidData
        If the weights cannot be read, or are of another architecture.

    Examples
    --------
    >>> load_network("toadstone.deep:resnet8").linear
    Linear(in_features=64, out_features=10, bias=True)
    """
    name, weights = network, ""
    if isinstance(network, str):
        name, _, weights = network.partition("@")
    found = _found(name, option)
    factory = callable(found) and not isinstance(found, nn.Module)
    with failing_in_words(option, str(getattr(name, "__name__", name)), "the call"):
        made = found() if factory else found
    if not isinstance(made, nn.Module):
        raise InvalidArgument(option, _MADE, f"{name}, which gives {type(made).__name__}")
    if weights:
        load_state(made, weights)
    return made.eval()


def load_state(model: nn.Module, path: str | Path) -> None:
    """Load weights from any safetensors file, or from an ``.npz`` of arrays, named as in the model's state dict.

    Files of `save_weights` are checked against their digest, as by
    `load_weights`.

    Raises
    ------
    InvalidData
        If the file is missing, damaged, a pickle, or of another architecture;
        the model is then unchanged.
    """
    where = Path(path)
    if where.suffix == ".npz":
        load_arrays(model, where)
        return
    if where.suffix in _PICKLES:
        raise InvalidData(
            f"{where.name}: expected a safetensors file, got a pickle, which is never loaded; write the weights with "
            "safetensors.torch.save_file(model.state_dict(), FILE)"
        )
    if where.suffix not in _WEIGHTS:
        raise InvalidData(f"{where.name}: expected weights in a file {' or '.join(_WEIGHTS)}, got {where.suffix!r}")
    if not where.is_file():
        raise InvalidData(f"{where.name}: expected a safetensors file, got no such file")
    try:
        with safe_open(where, framework="pt") as stored:
            ours = is_checkpoint(stored.metadata())
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise InvalidData(f"{where.name}: expected a whole safetensors file, got {first_line(error)}") from None
    if ours:
        tensors, _ = read_tensors(where)
    assign(model, tensors, source=where.name)


def last_linear(model: nn.Module, *, option: str = "head") -> str:
    """Return the name of the last linear layer of a network.

    Raises
    ------
    InvalidArgument
        If it has none.

    Examples
    --------
    >>> last_linear(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)))
    '1'
    """
    names = [name for name, module in model.named_modules() if name and isinstance(module, nn.Linear)]
    if not names:
        raise InvalidArgument(option, "the name of the last layer, for the network has no linear one", "none")
    return names[-1]


def represent(
    network: str | nn.Module | Callable[[], nn.Module],
    pixels: NDArray[Any],
    *,
    head: str | None = None,
    option: str = "represent",
) -> NDArray[np.float64]:
    """Return what the last layer of a network gets for each image.

    Parameters
    ----------
    network : str, Module or callable
        As for `load_network`.
    pixels : uint8 ndarray of shape (n, height, width, channels)
    head : str, optional
        Name of the last layer; the last linear one by default.
    option : str
        What the caller calls the argument, for messages.

    Returns
    -------
    ndarray of shape (n, d)

    Raises
    ------
    InvalidInput
        As `load_network` and `toadstone.deep.activations`, or if the network
        does not take such images.
    """
    model = load_network(network, option=option)
    images = images_for(model, pixels)
    layer = last_linear(model) if head is None else head
    name = network if isinstance(network, str) else type(model).__name__
    with failing_in_words(option, name, "the forward pass"):
        found = activations(model, layer, images)
    return np.asarray(found.double().cpu().numpy())


def images_for(model: nn.Module, pixels: NDArray[Any]) -> Tensor:
    """Return images as a network takes them: grey ones as three equal channels where its first layer wants three.

    Parameters
    ----------
    model : Module
    pixels : uint8 ndarray of shape (n, height, width, channels)

    Returns
    -------
    uint8 Tensor of shape (n, channels, height, width)
    """
    images = torch.from_numpy(np.ascontiguousarray(np.moveaxis(pixels, -1, 1)))
    first = next((one for one in model.modules() if isinstance(one, nn.Conv2d)), None)
    if images.shape[1] == 1 and first is not None and first.in_channels == 3:
        return images.expand(-1, 3, -1, -1).contiguous()
    return images


def _found(name: Any, option: str) -> Any:
    if not isinstance(name, str):
        return name
    if ":" in name:
        return imported(name, option)
    try:
        timm = importlib.import_module("timm")
    except ModuleNotFoundError:
        raise InvalidArgument(option, f"{NAMED}, or a name of timm where timm is installed", name) from None
    return lambda: timm.create_model(name, pretrained=True)
