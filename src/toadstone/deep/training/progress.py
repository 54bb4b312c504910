"""Progress of a training: history, checkpoints and resumption."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.tensors.checkpoints import as_json, assign, read_tensors, write_tensors


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """File and frequency of checkpoints.

    Parameters
    ----------
    path : path
        A file in an existing folder.
    every : int
        Epochs between checkpoints; one is always saved after the last epoch.

    Raises
    ------
    InvalidArgument
        If `every` is not a whole number from 1.
    """

    path: str | os.PathLike[str]
    every: int = 1

    def __post_init__(self) -> None:
        check_count(every=self.every)


@dataclass(frozen=True, kw_only=True)
class History:
    """Loss, accuracy and number of rows of each epoch of a training.

    Parameters
    ----------
    losses : tuple of float
        Mean loss of the epoch's rows, each before the step of its batch.
    accuracies : tuple of float
        Share of those rows classified as their label.
    rows : tuple of int
        Number of rows trained on.
    """

    losses: tuple[float, ...] = ()
    accuracies: tuple[float, ...] = ()
    rows: tuple[int, ...] = ()

    @property
    def epochs(self) -> int:
        """Number of epochs."""
        return len(self.losses)


@runtime_checkable
class Resumable(Protocol):
    """A watcher with a state to resume."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state, of tensors and JSON values."""

    def load_state_dict(self, state: Mapping[str, Any]) -> object:
        """Restore a state that `state_dict` returned."""


def identity(given: object) -> str:
    """Return a string that identifies a setting in every process: a dataclass with its fields, otherwise a name.

    Examples
    --------
    >>> identity(Checkpoint(path="here")), identity(identity)
    ("Checkpoint(path='here', every=1)", 'identity')
    """
    # The default representation of objects and functions holds an address, which differs between processes.
    if is_dataclass(given) and not isinstance(given, type):
        return repr(given)
    return str(getattr(given, "__qualname__", type(given).__qualname__))


def watcher_identity(watcher: object) -> str:
    """Return the type of a watcher with its `settings`, or "none" for None."""
    return "none" if watcher is None else f"{type(watcher).__qualname__}({getattr(watcher, 'settings', '')})"


@dataclass(kw_only=True)
class TrainingState:
    """State of a running training and the file that it is saved to.

    Parameters
    ----------
    model : Module
    optimiser : SGD
    watcher : object
    checkpoint : Checkpoint or None
    training : dict
        Facts that identify the training; a checkpoint of another one is
        refused.
    """

    model: nn.Module
    optimiser: torch.optim.SGD
    watcher: object
    checkpoint: Checkpoint | None
    training: dict[str, Any]
    history: History = field(default_factory=History)

    def resume(self) -> None:
        """Resume from the checkpoint, if its file exists.

        Raises
        ------
        InvalidData
            If the file is damaged, or of another training, model or watcher.
        InvalidArgument
            If nothing could be saved later: the path is not a file in an
            existing folder, or the watcher's state holds other values than
            tensors and JSON.
        """
        if self.checkpoint is None:
            return
        path = Path(self.checkpoint.path)
        if path.is_dir() or not path.parent.is_dir():
            raise InvalidArgument("path", "a file in an existing folder", repr(os.fspath(self.checkpoint.path)))
        # Now, not after the first hours of training.
        self._watched()
        if not path.exists():
            return
        tensors, facts = read_tensors(self.checkpoint.path)
        source = Path(self.checkpoint.path).name
        saved = facts.get("training", {})
        for name, value in self.training.items():
            if saved.get(name) != value:
                expected = f"expected a checkpoint of this training, with {name} {value}"
                raise InvalidData(f"{source}: {expected}, got one with {saved.get(name)}")
        parts: dict[str, dict[str, Any]] = {"model": {}, "momentum": {}, "watcher": dict(facts["watcher"])}
        for name, value in tensors.items():
            part, _, rest = name.partition("/")
            parts[part][rest] = value
        assign(self.model, parts["model"], source=source)
        named = dict(self.model.named_parameters())
        for name, value in parts["momentum"].items():
            momentum = torch.empty_like(named[name]).copy_(value)
            self.optimiser.state[named[name]]["momentum_buffer"] = momentum.detach()
        if isinstance(self.watcher, Resumable):
            self.watcher.load_state_dict(parts["watcher"])
        self.history = History(**{name: tuple(values) for name, values in facts["history"].items()})

    def after_epoch(self, *, loss: float, accuracy: float, rows: int, last: bool) -> None:
        """Record an epoch, and save a checkpoint if one is due."""
        before = self.history
        self.history = History(
            losses=(*before.losses, loss), accuracies=(*before.accuracies, accuracy), rows=(*before.rows, rows)
        )
        if self.checkpoint is not None and (last or self.history.epochs % self.checkpoint.every == 0):
            self._save(self.checkpoint.path)

    def _save(self, path: str | os.PathLike[str]) -> None:
        tensors = {f"model/{name}": value for name, value in self.model.state_dict().items()}
        for name, value in self.model.named_parameters():
            momentum = self.optimiser.state.get(value, {}).get("momentum_buffer")
            if momentum is not None:
                tensors[f"momentum/{name}"] = momentum
        held, said = self._watched()
        tensors |= {f"watcher/{name}": value for name, value in held.items()}
        write_tensors(path, tensors, {"training": self.training, "history": asdict(self.history), "watcher": said})

    def _watched(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return the tensors and the JSON values of the watcher's state."""
        state = self.watcher.state_dict() if isinstance(self.watcher, Resumable) else {}
        held = {name: value for name, value in state.items() if isinstance(value, Tensor)}
        said = {name: value for name, value in state.items() if name not in held}
        try:
            as_json(said)
        except (TypeError, ValueError) as error:
            raise InvalidArgument("watcher", "a state of tensors and JSON values", str(error)) from None
        return held, said
