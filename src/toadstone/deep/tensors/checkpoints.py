"""Weights in files that execute nothing: safetensors, with facts as JSON in the header.

A file is written aside and renamed, so it is whole or not there; a digest of
its content tells one that was damaged later.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from toadstone.core.errors import InvalidData
from toadstone.core.files import written_aside
from toadstone.deep.tensors.checks import first_line

_FORMAT = "toadstone-1"


def write_tensors(path: str | os.PathLike[str], tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write tensors, and facts that JSON can say, to one file.

    Raises
    ------
    InvalidArgument
        If nothing can be written there.
    """
    plain = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    said = as_json(facts)
    header = {"format": _FORMAT, "facts": said, "sha256": _digest(plain, said)}
    with written_aside(path) as stream:
        stream.write(safetensors.torch.save(plain, metadata=header))


def as_json(facts: Mapping[str, Any]) -> str:
    """Facts in one line; numbers of NumPy are numbers.

    Raises
    ------
    TypeError, ValueError
        If JSON cannot say them.

    Examples
    --------
    >>> as_json({"epoch": np.int64(3)})
    '{"epoch": 3}'
    """
    return json.dumps(facts, sort_keys=True, allow_nan=False, default=_number)


def read_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `write_tensors` wrote; tensors on the host.

    Raises
    ------
    InvalidData
        If the file is missing, torn, damaged or of another origin.
    """
    where = Path(path)
    if where.is_dir():
        raise InvalidData(f"{os.fspath(path)!r}: expected a whole safetensors file, got a folder")
    try:
        with safe_open(where, framework="pt") as stored:
            header = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise InvalidData(f"{where.name}: expected a whole safetensors file, got {_reason(error)}") from None
    if header.get("format") != _FORMAT:
        raise InvalidData(f"{where.name}: expected a checkpoint of toadstone, got format {header.get('format')}")
    said = header.get("facts", "")
    if header.get("sha256") != _digest(tensors, said):
        raise InvalidData(f"{where.name}: expected the content that was written, got another, so it is damaged")
    return tensors, json.loads(said)


def save_weights(model: nn.Module, path: str | os.PathLike[str]) -> None:
    """Write the weights and statistics of a model."""
    write_tensors(path, model.state_dict(), {"what": "weights"})


def load_weights(model: nn.Module, path: str | os.PathLike[str]) -> None:
    """Give a model the weights and statistics that `save_weights` wrote.

    Raises
    ------
    InvalidData
        As of `read_tensors`, or if they are of another architecture; the model
        is then unchanged.
    """
    tensors, _ = read_tensors(path)
    assign(model, tensors, source=Path(path).name)


def load_arrays(model: nn.Module, path: str | os.PathLike[str], *, apart_from: str = "normalise.") -> None:
    """Give a model the weights in an ``.npz`` of arrays called as in its state dict.

    Parameters
    ----------
    model : Module
    path : path
        Read without unpickling anything.
    apart_from : str
        Entries whose names begin so stay what they are in the model; none if
        empty.

    Raises
    ------
    InvalidData
        As of `load_weights`.
    """
    where = Path(path)
    # What is no archive, numpy would take for a pickle and say how to trust it.
    if where.is_file() and not zipfile.is_zipfile(where):
        raise InvalidData(f"{where.name}: expected an npz of plain arrays, got a file of another kind")
    try:
        with np.load(where, allow_pickle=False) as stored:
            found = {name: torch.from_numpy(stored[name]) for name in stored.files}
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InvalidData(f"{where.name}: expected an npz of plain arrays, got {_reason(error)}") from None
    kept = {name: value for name, value in model.state_dict().items() if apart_from and name.startswith(apart_from)}
    assign(model, kept | found, source=where.name)


def assign(model: nn.Module, tensors: Mapping[str, Tensor], *, source: str) -> None:
    """Copy tensors into a model's own, or change nothing.

    Raises
    ------
    InvalidData
        If names or shapes are not the model's; `source` is named.
    """
    own = model.state_dict()
    missing = [name for name in own if name not in tensors and not name.endswith("num_batches_tracked")]
    surplus = [name for name in tensors if name not in own]
    if missing or surplus:
        got = f"no {missing[0]}" if missing else f"also {surplus[0]}"
        raise InvalidData(f"{source}: expected the {len(own)} tensors of this model, got {got}")
    for name, value in tensors.items():
        if value.shape != own[name].shape:
            expected = f"expected {name} of shape {tuple(own[name].shape)}"
            raise InvalidData(f"{source}: {expected}, got {tuple(value.shape)}")
    with torch.no_grad():
        for name, value in tensors.items():
            own[name].copy_(value)


def digest_of(*tensors: Tensor) -> str:
    """SHA-256 of tensors, dtypes and shapes included."""
    return _digest({str(position): value.detach().cpu().contiguous() for position, value in enumerate(tensors)}, "")


def _digest(tensors: Mapping[str, Tensor], said: str) -> str:
    state = hashlib.sha256(said.encode())
    for name, value in sorted(tensors.items()):
        state.update(f"\n{name} {value.dtype} {tuple(value.shape)}\n".encode())
        state.update(value.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return state.hexdigest()


def _number(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(type(value).__name__)


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return first_line(error)
