"""Means of groups, which are all that a rule sees where clients aggregate secretly within them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toadstone.federated.flower.messages.admission import Admission
from toadstone.federated.flower.updates.buffer import new_rows
from toadstone.federated.history.log import GROUP
from toadstone.federated.secure_groups import GroupPlan


@dataclass(frozen=True, eq=False)
class GroupMeans:
    """Means of the groups of one round.

    Parameters
    ----------
    rows : ndarray of shape (groups, d)
    names : tuple of str
    unopened : tuple of str
        Groups of which too few clients replied: their mean would show nearly a
        single client's update.
    """

    rows: NDArray[Any]
    names: tuple[str, ...]
    unopened: tuple[str, ...]


def group_means(admission: Admission, rows: NDArray[Any], plan: GroupPlan, *, seed: int = 0) -> GroupMeans:
    """Draw the groups among the selected nodes, anew in each round, and take the mean of each.

    It is a simulation of secure aggregation: what each client sent is not used
    one by one, neither by the rule nor by the log, but it is not encrypted.

    Parameters
    ----------
    admission : Admission
    rows : ndarray of shape (n, d)
        Updates of the admitted clients, finite or not.
    plan : GroupPlan
    seed : int

    Returns
    -------
    GroupMeans

    Raises
    ------
    InvalidArgument
        If fewer clients were selected than planned for.
    """
    nodes = sorted(admission.invitation.sent)
    drawn = plan.draw(nodes, round=admission.invitation.round, seed=seed)
    place = {client.node: position for position, client in enumerate(admission.admitted)}
    means = new_rows(len(drawn), rows.shape[1], rows.dtype)
    names: list[str] = []
    unopened: list[str] = []
    for number, members in enumerate(drawn, 1):
        present = [place[nodes[member]] for member in members if nodes[member] in place]
        if 2 * len(present) <= plan.size:
            unopened.append(f"{GROUP}{number}")
            continue
        means[len(names)] = _mean(rows, present)
        names.append(f"{GROUP}{number}")
    return GroupMeans(means[: len(names)], tuple(names), tuple(unopened))


def _mean(rows: NDArray[Any], members: Sequence[int]) -> NDArray[Any]:
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.zeros(rows.shape[1])
        for member in members:
            total += rows[member]
        return (total / len(members)).astype(rows.dtype)
