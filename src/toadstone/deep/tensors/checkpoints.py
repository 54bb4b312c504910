"""Weights in safetensors files, with JSON facts in the header.

Reading executes nothing. Files are written to a temporary name and renamed, so
they are complete or absent; a digest of the content detects later damage.
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
    """Write tensors and JSON facts to a file.

    Raises
    ------
    InvalidArgument
        If the file cannot be written.
    """
    plain = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    said = as_json(facts)
    header = {"format": _FORMAT, "facts": said, "sha256": _digest(plain, said)}
    with written_aside(path) as stream:
        stream.write(safetensors.torch.save(plain, metadata=header))


def as_json(facts: Mapping[str, Any]) -> str:
    """Return facts as one line of JSON; NumPy's numbers are allowed.

    Raises
    ------
    TypeError, ValueError
        If a value has no JSON representation.

    Examples
    --------
    >>> as_json({"epoch": np.int64(3)})
    '{"epoch": 3}'
    """
    return json.dumps(facts, sort_keys=True, allow_nan=False, default=_number)


def read_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors, on the CPU, and the facts that `write_tensors` wrote.

    Raises
    ------
    InvalidData
        If the file is missing, truncated, damaged or from another program.
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
    if not is_checkpoint(header):
        raise InvalidData(f"{where.name}: expected a checkpoint of toadstone, got format {header.get('format')}")
    said = header.get("facts", "")
    if header.get("sha256") != _digest(tensors, said):
        raise InvalidData(f"{where.name}: expected the content that was written, got a damaged file")
    return tensors, json.loads(said)


def is_checkpoint(header: Mapping[str, str] | None) -> bool:
    """Tell from the header of a safetensors file whether `write_tensors` wrote it."""
    return (header or {}).get("format") == _FORMAT


def save_weights(model: nn.Module, path: str | os.PathLike[str]) -> None:
    """Write the weights and statistics of a model to a file."""
    write_tensors(path, model.state_dict(), {"what": "weights"})


def load_weights(model: nn.Module, path: str | os.PathLike[str]) -> None:
    """Load the weights and statistics that `save_weights` wrote into a model.

    Raises
    ------
    InvalidData
        As for `read_tensors`, or if the weights are of another architecture;
        the model is then unchanged.
    """
    tensors, _ = read_tensors(path)
    assign(model, tensors, source=Path(path).name)


def load_arrays(model: nn.Module, path: str | os.PathLike[str], *, apart_from: str = "normalise.") -> None:
    """Load weights from an ``.npz`` of arrays, named as in the model's state dict.

    Parameters
    ----------
    model : Module
    path : path
        Read without unpickling anything.
    apart_from : str
        Prefix of entries that keep the model's values; none if empty.

    Raises
    ------
    InvalidData
        As for `load_weights`.
    """
    where = Path(path)
    # NumPy takes any other file for a pickle, and its error message says how to unpickle it.
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
    """Copy tensors into a model, or leave it unchanged if they do not match.

    Raises
    ------
    InvalidData
        If names or shapes differ from the model's; the message names `source`.
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
    """Return the SHA-256 of tensors, dtypes and shapes included."""
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
