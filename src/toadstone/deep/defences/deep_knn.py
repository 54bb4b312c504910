"""Rows that lie among another class: what their neighbours vote, and medoids in their neighbours' stead.

Isolation alone misses poisons that collapse on one point, and a vote of
neighbours is won by as many of them as there are voters. Here a point has one
vote, however many rows are on it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.defences.torch_medoids import Chooser, exact_medoids
from toadstone.deep.tensors.batched_memory import in_blocks
from toadstone.deep.tensors.checks import check_whole
from toadstone.deep.tensors.images import check_labels
from toadstone.kernels.statistics import neighbour_vote

_BLOCK = 1024


@dataclass(frozen=True, eq=False, kw_only=True)
class VoteResult:
    """What the vote says of each row.

    Parameters
    ----------
    suspicion : Tensor of shape (n,)
        The largest share of votes for another class less the share for the
        row's own, in [-1, 1]; larger is more suspicious.
    voters : int64 Tensor of shape (m,)
        Rows that vote, ascending.
    dropped : int64 Tensor
        Rows to leave out, ascending.
    """

    suspicion: Tensor
    voters: Tensor
    dropped: Tensor

    @property
    def kept(self) -> Tensor:
        """All rows but those dropped, int64, ascending."""
        stays = torch.ones(len(self.suspicion), dtype=torch.bool)
        stays[self.dropped] = False
        return stays.nonzero()[:, 0]


@dataclass(frozen=True, kw_only=True)
class DeepKNN:
    """The plurality vote of each row's neighbours, as published [1]_.

    A row is dropped if more of its nearest other rows have some other label
    than have its own.

    Parameters
    ----------
    neighbours : int
        Should dwarf the poisons that lie together.

    Raises
    ------
    InvalidArgument
        If it is no whole number from 1.

    References
    ----------
    .. [1] Peri, Gupta, Huang, Fowl, Zhu, Feizi, Goldstein and Dickerson, "Deep
       k-NN defense against clean-label data poisoning attacks", ECCV
       workshops 2020, section 4.

    Examples
    --------
    >>> features = torch.tensor([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2], [0.15]])
    >>> DeepKNN(neighbours=3)(features, torch.tensor([0, 0, 0, 1, 1, 1, 1])).dropped
    tensor([6])
    """

    neighbours: int

    def __post_init__(self) -> None:
        check_whole(neighbours=self.neighbours)

    def __call__(self, features: Tensor, labels: Tensor) -> VoteResult:
        """Ask all rows; parameters and errors as of `MedoidVote`."""
        _check(features, labels)
        voters = torch.arange(len(labels))
        suspicion = lost_votes(features, labels, voters, neighbours=self.neighbours)
        return VoteResult(suspicion=suspicion, voters=voters, dropped=_worst(suspicion, labels, most=1.0))


@dataclass(frozen=True, kw_only=True)
class MedoidVote:
    """The vote of each row's nearest medoids, of which coinciding poisons have one.

    Each class elects medoids by facility location, as EPIC does, but of its
    features. A row is suspicious as far as more of the medoids around it,
    itself excluded, are of some other class than of its own. Poisons that
    collapse have few medoids between them and are outvoted; poisons that stand
    apart are medoids, and outvoted by those of the class that they stand in.

    Against bullseye polytope in transfer (``toadstone reproduce epic-transfer``,
    20 targets, a small ResNet on CIFAR-10) it leaves 10 % of 90 % of success
    (95 % interval 3 to 30 %) for 0.9 points of accuracy; EPIC leaves 70 % or
    30 % for 2.5 or 4.4 points, the plurality of 251 neighbours 5 % for 1.6
    points. Of feature collisions it leaves 10 % of 95 %, EPIC 75 % or more,
    the plurality of 51 neighbours 70 %, that of 251 5 %. Most of what it drops
    is clean: where classes overlap it nearly reaches `most`.

    Nothing is proven. Who knows the vote can spread poisons so that each is a
    medoid; `toadstone.deep.trials.transfer_cases.spread` tries, but such poisons reach 20 %
    undefended and none behind the vote. A better attacker may do more: choose
    targets where the intended class has the majority already, or poison so
    much that its medoids have one. Features must be those of a body that the
    poison did not train.

    Parameters
    ----------
    fraction : float
        Medoids for each row of a class, in (0, 1).
    neighbours : int
        Medoids that vote on a row.
    most : float
        Share of all rows that may be dropped, in [0, 1]: of those that are
        outvoted, the most suspicious.
    choose : callable
        Medoids of the rows of one class, as of
        `toadstone.deep.defences.isolated_medoids.drop_isolated`.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    Examples
    --------
    Three poisons of class 1 on one point among class 0 outvote the clean rows
    there, but their medoid does not.

    >>> features = torch.cat([torch.linspace(0, 1, 9), torch.linspace(5, 6, 6), torch.full((3,), 0.51)])[:, None]
    >>> labels = torch.tensor([0] * 9 + [1] * 9)
    >>> MedoidVote(fraction=0.4, neighbours=3, most=0.2)(features, labels).dropped
    tensor([15, 16, 17])
    >>> DeepKNN(neighbours=3)(features, labels).dropped
    tensor([4, 5])
    """

    fraction: float = 0.1
    neighbours: int = 75
    most: float = 0.2
    choose: Chooser = exact_medoids

    def __post_init__(self) -> None:
        if not 0 < self.fraction < 1:
            raise InvalidArgument("fraction", "a number in (0, 1)", self.fraction)
        if not 0 <= self.most <= 1:
            raise InvalidArgument("most", "a number in [0, 1]", self.most)
        check_whole(neighbours=self.neighbours)

    def __call__(self, features: Tensor, labels: Tensor) -> VoteResult:
        """Elect medoids and let them vote.

        Parameters
        ----------
        features : Tensor of shape (n, d)
            As `toadstone.deep.tensors.features.activations` gives them; on any
            device.
        labels : int64 Tensor of shape (n,)

        Returns
        -------
        VoteResult
            On the host. Of each class a row is kept at least.

        Raises
        ------
        InvalidData
            If features are not finite, labels do not fit them, or there are
            too few voters.
        """
        _check(features, labels)
        voters = []
        for label in labels.unique():
            own = (labels == label).nonzero()[:, 0]
            chosen = self.choose(features[own.to(features.device)], math.ceil(self.fraction * len(own)))
            voters.append(own.cpu()[torch.from_numpy(chosen.rows)])
        elected = torch.cat(voters).sort().values
        suspicion = lost_votes(features, labels, elected, neighbours=self.neighbours)
        return VoteResult(suspicion=suspicion, voters=elected, dropped=_worst(suspicion, labels, most=self.most))


def lost_votes(features: Tensor, labels: Tensor, voters: Tensor, *, neighbours: int) -> Tensor:
    """By how much each row's label loses the vote of the nearest voters.

    Parameters
    ----------
    features : Tensor of shape (n, d)
    labels : int64 Tensor of shape (n,)
    voters : int64 Tensor of shape (m,)
        Rows that vote; none votes on itself.
    neighbours : int
        Voters that each row has; of equally distant ones the earlier.

    Returns
    -------
    Tensor of shape (n,)
        The largest share of another label less the share of its own, on the
        host; -1 where all are its own.

    Raises
    ------
    InvalidArgument
        If `neighbours` is no whole number from 1.
    InvalidData
        If there are no more than `neighbours` voters, voters are no rows, or
        features and labels do not fit each other.

    Examples
    --------
    >>> features, labels = torch.tensor([[0.0], [1.0], [2.0], [3.0]]), torch.tensor([0, 0, 1, 1])
    >>> lost_votes(features, labels, torch.arange(4), neighbours=3)
    tensor([0.3333, 0.3333, 0.3333, 0.3333])
    """
    check_whole(neighbours=neighbours)
    _check(features, labels)
    if len(voters) <= neighbours:
        raise InvalidData(f"voters: expected more than the {neighbours} neighbours of a row, got {len(voters)}")
    if int(voters.min()) < 0 or int(voters.max()) >= len(labels):
        got = f"{int(voters.min())} to {int(voters.max())}"
        raise InvalidData(f"voters: expected rows from 0 to {len(labels) - 1}, got {got}")
    device = features.device
    # In double precision the product form of distances is as good as differences in single precision.
    every, here = features.double(), voters.to(device)
    codes = labels.to(device).unique(return_inverse=True)[1]
    n_classes, own = int(codes.max()) + 1, codes.cpu().numpy()

    def lost(rows: slice) -> Tensor:
        apart = torch.cdist(every[rows], every[here], compute_mode="use_mm_for_euclid_dist")
        itself = torch.arange(rows.start, rows.stop, device=device)[:, None] == here
        nearest = apart.masked_fill_(itself, torch.inf).sort(dim=1, stable=True).indices[:, :neighbours]
        votes = neighbour_vote.count_votes(codes[here][nearest].cpu().numpy(), n_classes)
        margins = neighbour_vote.lost_votes(votes)
        return torch.from_numpy(margins[np.arange(len(votes)), own[rows]])

    return (in_blocks(lost, len(labels), block=_BLOCK) / neighbours).float()


def _worst(suspicion: Tensor, labels: Tensor, *, most: float) -> Tensor:
    """The most suspicious of those outvoted; the least suspicious row of each class is none of them."""
    codes = labels.cpu()
    order = suspicion.argsort(descending=True, stable=True)
    spared = torch.stack([order[codes[order] == label][-1] for label in codes.unique()])
    outvoted = order[(suspicion[order] > 0) & ~torch.isin(order, spared)]
    return outvoted[: math.floor(most * len(codes))].sort().values


def _check(features: Tensor, labels: Tensor) -> None:
    if not isinstance(features, Tensor):
        raise InvalidData(f"features: expected a torch tensor, got {type(features).__name__}")
    if features.dim() != 2 or not features.numel():
        raise InvalidData(f"features: expected a matrix with at least one row, got shape {tuple(features.shape)}")
    finite = features.isfinite().all(dim=1)
    if not bool(finite.all()):
        wrong = len(features) - int(finite.sum())
        raise InvalidData(f"features: expected finite numbers, got others in {wrong} of {len(features)} rows")
    check_labels(labels, count=len(features))
