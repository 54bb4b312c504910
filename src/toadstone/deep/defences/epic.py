"""EPIC: drop rows with isolated gradients for good while a network trains."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.utils.data import Sampler

from toadstone.core.errors import InvalidData
from toadstone.deep.defences.epic_schedule import Schedule
from toadstone.deep.defences.isolated_medoids import Selection, drop_isolated
from toadstone.deep.defences.torch_medoids import Chooser, check_matrix, exact_medoids
from toadstone.deep.tensors.images import check_labels
from toadstone.deep.training.progress import identity


@dataclass(frozen=True)
class Drop:
    """A dropped row and the reason.

    Parameters
    ----------
    epoch : int
        Epoch before which it was dropped, counted from 0.
    row : int
        Index among all rows.
    label : int
    distance : float
        From its gradient to the nearest other medoid of its class; infinite
        where there was none.
    """

    epoch: int
    row: int
    label: int
    distance: float

    @property
    def reason(self) -> str:
        """The reason, in one sentence."""
        others = "there was no other" if np.isinf(self.distance) else f"the nearest other is {self.distance:.3g} away"
        return f"before epoch {self.epoch} its gradient was a medoid of class {self.label} without members; {others}"


class EPIC:
    """Drop isolated rows before epochs of a training, as a watcher of `toadstone.deep.training.loop.train` [1]_.

    In a loop of your own, call `before_epoch` at the start of each epoch and
    draw batches through `sampler`, or pass gradients to `look` directly.

    Parameters
    ----------
    labels : int64 Tensor of shape (n,)
    schedule : Schedule
    gradients : callable
        Takes a model and returns the gradients of all rows, in their order, in
        evaluation mode and without augmentation; for example a partial of
        `toadstone.deep.tensors.features.head_gradients`. Called when a look is
        due.
    choose : callable
        As for `drop_isolated`.

    Raises
    ------
    InvalidData
        If labels are not whole numbers from 0, in a tensor of int64.

    Attributes
    ----------
    active : bool Tensor of shape (n,)
        True for rows that are trained on. Once False, always False.
    drops : tuple of Drop
        In the order of dropping.
    latest : Selection or None
        Of the last look; its rows are places in `clustered`.
    clustered : int64 Tensor
        Rows that the last look clustered.

    References
    ----------
    .. [1] Yang, Liu and Mirzasoleiman, "Not all poisons are created equal:
       robust training against data poisoning", ICML 2022, algorithm 1.

    Examples
    --------
    >>> labels = torch.zeros(6, dtype=torch.int64)
    >>> gradients = torch.tensor([[0.0], [0.1], [0.1], [0.2], [0.2], [0.9]])
    >>> defence = EPIC(labels, Schedule(fraction=0.3, warm_up=2), lambda model: gradients)
    >>> for epoch in range(4):
    ...     rows = defence.before_epoch(epoch, nn.Identity())
    >>> rows, defence.drops[0].reason
    (tensor([0, 1, 2, 3, 4]), 'before epoch 2 its gradient was a medoid of class 0 without members; ...')
    """

    def __init__(
        self,
        labels: Tensor,
        schedule: Schedule,
        gradients: Callable[[nn.Module], Tensor],
        *,
        choose: Chooser = exact_medoids,
    ) -> None:
        check_labels(labels)
        self.labels = labels.cpu()
        self.schedule = schedule
        self.gradients = gradients
        self.choose = choose
        self.active = torch.ones(len(labels), dtype=torch.bool)
        self.drops: tuple[Drop, ...] = ()
        self.latest: Selection | None = None
        self.clustered = torch.arange(len(labels))

    def before_epoch(self, epoch: int, model: nn.Module) -> Tensor:
        """Look, if one is due, and return the rows to train on.

        Parameters
        ----------
        epoch : int
            Counted from 0.
        model : Module

        Returns
        -------
        int64 Tensor
            Active rows, ascending.
        """
        if self.schedule.due(epoch):
            self.look(epoch, self.gradients(model))
        return self.rows

    @property
    def row_count(self) -> int:
        """Number of rows, dropped ones included."""
        return len(self.labels)

    @property
    def settings(self) -> str:
        """Schedule and choice of medoids, which identify the defence in a checkpoint."""
        return f"{self.schedule}, choose={identity(self.choose)}"

    @property
    def rows(self) -> Tensor:
        """Active rows, int64, ascending."""
        return self.active.nonzero()[:, 0]

    def look(self, epoch: int, gradients: Tensor) -> tuple[Drop, ...]:
        """Drop the rows that are isolated now, whether or not a look is due.

        Parameters
        ----------
        epoch : int
            Recorded in the drops.
        gradients : Tensor of shape (n, d)
            Of all rows, dropped ones included.

        Returns
        -------
        tuple of Drop
            Only the new ones.

        Raises
        ------
        InvalidData
            If gradients are not finite, or not as many as the labels.
        """
        check_matrix("gradients", gradients)
        if len(gradients) != len(self.labels):
            raise InvalidData(f"gradients: expected {len(self.labels)} rows, one for each label, got {len(gradients)}")
        # The authors' code clusters dropped rows too; algorithm 1 of the paper only those still trained on.
        every = self.schedule.variant == "released"
        self.clustered = torch.arange(len(self.labels)) if every else self.rows
        among, labels = gradients[self.clustered.to(gradients.device)], self.labels[self.clustered]
        schedule, choose = self.schedule, self.choose
        self.latest = drop_isolated(among, labels, schedule.fraction, max_dropped=schedule.max_dropped, choose=choose)
        places = [place for place in self.latest.dropped if self.active[self.clustered[place]]]
        drops = tuple(self._dropped(epoch, int(place), self.latest) for place in places)
        for drop in drops:
            self._deactivate(drop)
        new = tuple(drop for drop in drops if not self.active[drop.row])
        self.drops += new
        return new

    def sampler(self, *, seed: int = 0) -> ActiveRows:
        """Return a sampler for ``DataLoader(data, sampler=...)`` that yields active rows only, in random order."""
        return ActiveRows(self, seed=seed)

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint, tensors only."""
        columns = {
            "epochs": torch.tensor([drop.epoch for drop in self.drops], dtype=torch.int64),
            "rows": torch.tensor([drop.row for drop in self.drops], dtype=torch.int64),
            "distances": torch.tensor([drop.distance for drop in self.drops], dtype=torch.float64),
        }
        return {"active": self.active.clone(), **columns}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state that `state_dict` returned.

        Raises
        ------
        InvalidData
            If the state is of another number of rows, or inconsistent; nothing
            is changed then.
        """
        active, *columns = _columns(state, count=len(self.labels))
        epochs, rows, distances = (column.tolist() for column in columns)
        self.drops = tuple(
            Drop(epoch, row, int(self.labels[row]), distance)
            for epoch, row, distance in zip(epochs, rows, distances, strict=True)
        )
        self.active = active
        self.latest, self.clustered = None, self.rows

    def _dropped(self, epoch: int, place: int, selection: Selection) -> Drop:
        row = int(self.clustered[place])
        return Drop(epoch, row, int(self.labels[row]), float(selection.isolation[place]))

    def _deactivate(self, drop: Drop) -> None:
        """Deactivate a row unless it is the last of its class, as it may be in the released variant."""
        if int((self.active & (self.labels == drop.label)).sum()) > 1:
            self.active[drop.row] = False


def _columns(state: Mapping[str, Any], *, count: int) -> list[Tensor]:
    """Check the state of an EPIC on `count` rows and return copies of active, epochs, rows and distances."""
    kinds = {"active": torch.bool, "epochs": torch.int64, "rows": torch.int64, "distances": torch.float64}
    for name, kind in kinds.items():
        given = state.get(name)
        if not isinstance(given, Tensor) or given.dtype != kind or given.dim() != 1:
            shaped = (
                f"{given.dtype} of shape {tuple(given.shape)}" if isinstance(given, Tensor) else type(given).__name__
            )
            raise InvalidData(f"state: expected {name} to be a vector of {kind}, got {shaped}")
    active, epochs, rows, distances = (state[name].detach().cpu().clone() for name in kinds)
    if len(active) != count:
        raise InvalidData(f"state: expected one of {count} rows, got one of {len(active)}")
    if not len(epochs) == len(rows) == len(distances):
        got = f"{len(epochs)}, {len(rows)} and {len(distances)}"
        raise InvalidData(f"state: expected as many epochs as rows and distances, got {got}")
    if not torch.equal(rows.sort().values, (~active).nonzero()[:, 0]):
        raise InvalidData("state: expected rows to be the inactive ones, each once, got others")
    if bool((epochs < 0).any()) or not bool((distances >= 0).all()):
        raise InvalidData("state: expected epochs and distances of at least 0, got others")
    return [active, epochs, rows, distances]


class ActiveRows(Sampler[int]):
    """Sampler of the rows that a defence still trains on, in a new order each time.

    Parameters
    ----------
    defence : EPIC
    seed : int
        Draws the orders.
    """

    def __init__(self, defence: EPIC, *, seed: int) -> None:
        self.defence = defence
        self.generator = Generator().manual_seed(seed)

    def __iter__(self) -> Iterator[int]:
        """Yield each active row once."""
        rows = self.defence.rows
        yield from rows[torch.randperm(len(rows), generator=self.generator)].tolist()

    def __len__(self) -> int:
        """Return the number of active rows."""
        return int(self.defence.active.sum())
