"""Choices of medoids for tensors on any device, by greedy facility location and its approximations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from toadstone.core.arrays import Array
from toadstone.core.checks import check_count, check_positive
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.tensors.batched_memory import in_blocks
from toadstone.kernels.facility_location.ball_tree import FULL, NONE, longest
from toadstone.kernels.facility_location.medoids import (
    Medoids,
    given_medoids,
    greedy_medoids,
    partitioned_medoids,
    sampled_medoids,
)

Chooser: TypeAlias = Callable[[Tensor, int], Medoids]
"""Takes the rows of a tensor and a number k, and chooses k medoids."""
_MEMORY = 1 << 28
"""Bytes for a block of distances."""
_COPIES = 3
"""Tensors of a block's size that exist at once: squares, a difference, and their remainder."""


def exact_medoids(rows: Tensor, count: int) -> Medoids:
    """Choose greedy medoids: by `greedy_medoids` on the CPU, elsewhere by `device_medoids`, with the same result."""
    if rows.device.type == "cpu":
        return greedy_medoids(rows.detach().double().numpy(), count)
    return device_medoids(rows, count)


@dataclass(frozen=True, kw_only=True)
class InParts:
    """Greedy medoids within random parts, for classes of a hundred thousand rows and more.

    Parameters
    ----------
    rows : int
        Largest number of rows in a part.
    seed : int
        Draws the parts.

    Raises
    ------
    InvalidArgument
        If `rows` is not a whole number from 1.
    """

    rows: int = 5000
    seed: int = 0

    def __post_init__(self) -> None:
        check_count(rows=self.rows)

    def __call__(self, rows: Tensor, count: int) -> Medoids:
        """See `partitioned_medoids`."""
        return partitioned_medoids(_array(rows), count, rng=np.random.default_rng(self.seed), part=self.rows)


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """Greedy medoids, each the best of a random sample.

    Parameters
    ----------
    failure : float
        As for `sampled_medoids`, in (0, 1).
    seed : int
        Draws the samples.
    """

    failure: float = 0.01
    seed: int = 0

    def __call__(self, rows: Tensor, count: int) -> Medoids:
        """See `sampled_medoids`."""
        return sampled_medoids(_array(rows), count, rng=np.random.default_rng(self.seed), failure=self.failure)


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Random rows as medoids, a baseline.

    Parameters
    ----------
    seed : int
    """

    seed: int = 0

    def __call__(self, rows: Tensor, count: int) -> Medoids:
        """Draw rows, whatever they hold."""
        picks = np.random.default_rng(self.seed).permutation(len(rows))[:count]
        return given_medoids(_array(rows), picks)


@dataclass(frozen=True, kw_only=True)
class Exponential:
    """Greedy medoids for the similarity ``exp(-distance / length)``.

    The default of the library that the authors of EPIC use, with the number of
    classes as the length. There it is almost affine, and gives nearly the same
    medoids.

    Parameters
    ----------
    length : float
        Positive.

    Raises
    ------
    InvalidArgument
        If `length` is not positive.
    """

    length: float = 10.0

    def __post_init__(self) -> None:
        check_positive(length=self.length)

    def __call__(self, rows: Tensor, count: int) -> Medoids:
        """Choose by this similarity; gains and distances of the result are in plain distance."""
        _check(rows, count)
        with torch.no_grad():
            found = _BentSearch(rows.detach().double(), _MEMORY, self.length).run(count)
        return given_medoids(_array(rows), found.rows)


def device_medoids(rows: Tensor, count: int, *, memory: int = _MEMORY) -> Medoids:
    """Choose greedy medoids with torch, in blocks, bit for bit those of `greedy_medoids`.

    Distances are recomputed in double precision, as differences, whenever rows
    get a nearer medoid; `memory` limits how many exist at a time. Blocks are
    halved with a warning where the device runs out of memory.

    Parameters
    ----------
    rows : Tensor of shape (n, d)
        On any device.
    count : int
        From 1 to n.
    memory : int
        Bytes for a block of distances.

    Returns
    -------
    Medoids

    Raises
    ------
    InvalidData
        If `rows` is not a finite matrix with at least one row.
    InvalidArgument
        If `count` is out of range.

    Examples
    --------
    >>> found = device_medoids(torch.tensor([[0.0], [1.0], [2.0], [9.0]]), 2)
    >>> found.rows, found.isolated
    (array([1, 3]), array([3]))
    """
    _check(rows, count)
    with torch.no_grad():
        return _Search(rows.detach().double(), memory).run(count)


class _Search:
    """State of the greedy choice: gains of all candidates and distances of all rows, in whole units."""

    def __init__(self, rows: Tensor, memory: int) -> None:
        box = torch.stack([rows.amin(0), rows.amax(0)]).cpu().numpy()
        self.reach = longest(box)
        # Distances are rounded to whole units: sums of whole numbers are exact in any order, hence on any device.
        self.scale = FULL / self.reach
        self.rows, self.memory = rows, memory
        self.nearest, self.second = (rows.new_full((len(rows),), far) for far in (FULL, NONE))
        self.owners = torch.full((len(rows),), -1, device=rows.device)
        every = torch.arange(len(rows), device=rows.device)
        self.gains = self._counted(every, self.nearest, torch.zeros_like(self.nearest))

    def run(self, count: int) -> Medoids:
        picks, wins = [], []
        for rank in range(count):
            best = self.gains.max()
            # The first of equal gains; argmax may return any of them.
            pick = int((self.gains == best).nonzero()[0, 0])
            picks.append(pick)
            wins.append(float(best) / self.scale)
            self._admit(pick, rank)
        distances, second = self.nearest / self.scale, self.second / self.scale
        second[self.second >= NONE] = torch.inf
        owners, apart, further = (each.cpu().numpy() for each in (self.owners, distances, second))
        return Medoids(np.array(picks), np.array(wins), owners, apart, further, self.reach)

    def _admit(self, pick: int, rank: int) -> None:
        near = self._apart(self.rows[pick : pick + 1], self.rows)[0]
        moved = (near < self.nearest).nonzero()[:, 0]
        before, after = self.nearest[moved], near[moved]
        former = before if rank else torch.full_like(before, NONE)
        self.second = torch.minimum(self.second, near)
        self.second[moved] = former
        self.nearest[moved], self.owners[moved] = after, rank
        self.owners[pick] = rank
        self.gains[pick] = -1.0
        if len(moved):
            self.gains -= self._counted(moved, before, after)

    def _counted(self, moved: Tensor, before: Tensor, after: Tensor) -> Tensor:
        """Return each candidate's gain from rows at distances `before` less its gain at distances `after`."""
        own = self.rows[moved]

        def lost(candidates: slice) -> Tensor:
            apart = self._apart(own, self.rows[candidates])
            return (before[:, None] - torch.maximum(apart, after[:, None], out=apart)).clamp_(min=0.0).sum(0)

        block = max(1, self.memory // (_COPIES * own.element_size() * len(own)))
        return in_blocks(lost, len(self.rows), block=block)

    def _apart(self, some: Tensor, others: Tensor) -> Tensor:
        """Return distances in whole units."""
        # Squares are added coordinate by coordinate, in the kernel's order: a matrix product would round differently.
        squares = some.new_zeros(len(some), len(others))
        for own, other in zip(some.T, others.T, strict=True):
            difference = own[:, None] - other
            squares += difference.mul_(difference)
        return squares.sqrt_().mul_(self.scale).add_(0.5).floor_()


class _BentSearch(_Search):
    """Greedy choice by dissimilarities ``1 - exp(-distance / length)``."""

    def __init__(self, rows: Tensor, memory: int, length: float) -> None:
        self.length = length
        super().__init__(rows, memory)

    def _apart(self, some: Tensor, others: Tensor) -> Tensor:
        distances = super()._apart(some, others).div_(self.scale)
        return distances.div_(-self.length).expm1_().mul_(-FULL).add_(0.5).floor_()


def check_matrix(name: str, rows: Tensor) -> None:
    """Check for a finite tensor with two axes and at least one row.

    Raises
    ------
    InvalidData
    """
    expected = f"{name}: expected a finite matrix with at least one row, a tensor"
    if not isinstance(rows, Tensor):
        raise InvalidData(f"{expected}, got {type(rows).__name__}")
    if rows.dim() != 2 or not rows.numel():
        raise InvalidData(f"{expected}, got shape {tuple(rows.shape)}")
    finite = rows.isfinite()
    if not bool(finite.all()):
        first = (~finite).nonzero()[0].tolist()
        raise InvalidData(f"{expected}, got {float(rows[tuple(first)]):g} in row {first[0]}")


def _check(rows: Tensor, count: int) -> None:
    check_matrix("rows", rows)
    if not 1 <= count <= len(rows):
        raise InvalidArgument("count", f"a whole number from 1 to {len(rows)}", count)


def _array(rows: Tensor) -> Array:
    return rows.detach().double().cpu().numpy()
