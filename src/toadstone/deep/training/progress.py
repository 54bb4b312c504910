"""How far a training has come, and the file that lets it go on from there."""

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
    """Where and how often to save a training.

    Parameters
    ----------
    path : path
        A file in a folder that exists.
    every : int
        Save after so many epochs, and after the last.

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
    """What each epoch of a training saw, in the order of epochs.

    Parameters
    ----------
    losses : tuple of float
        Mean cross entropy of the epoch's rows, each just before its step.
    accuracies : tuple of float
        Share of those rows given their own label.
    rows : tuple of int
        How many rows were trained on.
    """

    losses: tuple[float, ...] = ()
    accuracies: tuple[float, ...] = ()
    rows: tuple[int, ...] = ()

    @property
    def epochs(self) -> int:
        """How many there were."""
        return len(self.losses)


@runtime_checkable
class Resumable(Protocol):
    """A watcher with a state of its own."""

    def state_dict(self) -> dict[str, Any]:
        """Tensors, and what JSON can say."""

    def load_state_dict(self, state: Mapping[str, Any]) -> object:
        """Be as when `state_dict` gave that state."""


def told(given: object) -> str:
    """What is the same for the same settings in every process: all fields of a dataclass, otherwise a name.

    Examples
    --------
    >>> told(Checkpoint(path="here")), told(told)
    ("Checkpoint(path='here', every=1)", 'told')
    """
    if is_dataclass(given) and not isinstance(given, type):
        return repr(given)
    return str(getattr(given, "__qualname__", type(given).__qualname__))


def told_watcher(watcher: object) -> str:
    """The type of a watcher, and its `settings` if it has them; "none" for nobody."""
    return "none" if watcher is None else f"{type(watcher).__qualname__}({getattr(watcher, 'settings', '')})"


@dataclass(kw_only=True)
class TrainingState:
    """A training under way: what there is to save, and where.

    Parameters
    ----------
    model : Module
    optimiser : SGD
    watcher : object
    checkpoint : Checkpoint or None
    training : dict
        What the training is of; a checkpoint of another one is refused.
    """

    model: nn.Module
    optimiser: torch.optim.SGD
    watcher: object
    checkpoint: Checkpoint | None
    training: dict[str, Any]
    history: History = field(default_factory=History)

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one.

        Raises
        ------
        InvalidData
            If the file is damaged, or of another training, model or watcher.
        InvalidArgument
            If nothing could be saved: the path is no file in a folder that
            exists, or the watcher's state is not what a file can hold.
        """
        if self.checkpoint is None:
            return
        path = Path(self.checkpoint.path)
        if path.is_dir() or not path.parent.is_dir():
            raise InvalidArgument("path", "a file in a folder that exists", repr(os.fspath(self.checkpoint.path)))
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
        """Note an epoch, and save if it is time to."""
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
        """The watcher's state: tensors, and what JSON can say."""
        state = self.watcher.state_dict() if isinstance(self.watcher, Resumable) else {}
        held = {name: value for name, value in state.items() if isinstance(value, Tensor)}
        said = {name: value for name, value in state.items() if name not in held}
        try:
            as_json(said)
        except (TypeError, ValueError) as error:
            raise InvalidArgument("watcher", "a state of tensors and of what JSON can say", str(error)) from None
        return held, said
