"""Estimate of the bound for sphere and slab around means that include the poison."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import Array, Matrix
from toadstone.core.budget import Budget
from toadstone.core.certificate import NormBall
from toadstone.core.checks import check_count
from toadstone.kernels.gram.atoms import place_atoms
from toadstone.kernels.gram.filters import DataDependentFilters
from toadstone.kernels.gram.online import Averaging, average_online
from toadstone.kernels.gram.program import solve_loss


@dataclass(frozen=True, eq=False)
class SphereAndSlabEstimate:
    """An estimate of the bound for data-dependent sphere and slab, and the poison that it comes from.

    Parameters
    ----------
    estimate : float
        Clean loss and poison loss together. It is no certificate: other
        weights than the search tried may have a larger loss.
    clean_loss, poison_loss : float
        Mean hinge loss of the clean rows at the model; hinge loss that the
        atoms reach, for each clean row.
    poison_bound : float
        No atoms of these weights exceed it; proven, for these weights.
    theta : ndarray of shape (d + 1,)
        The model; weights, then the bias.
    weights : ndarray of shape (4,)
        Poison at each atom, for each clean row: two atoms labelled +1, of
        which the first has the loss, then two labelled -1.
    atoms : ndarray of shape (4, d)
        They pass sphere and slab around the means that include them.
    """

    estimate: float
    clean_loss: float
    poison_loss: float
    poison_bound: float
    theta: Array
    weights: Array
    atoms: Array


def estimate_sphere_and_slab(
    X: Matrix,
    signs: Array,
    filters: DataDependentFilters,
    *,
    fraction: float,
    squared_radius: float,
    rounds: int = 300,
    known: Array | None = None,
    on_round: Callable[[], None] | None = None,
) -> SphereAndSlabEstimate:
    """Estimate the bound of Steinhardt, Koh and Liang for data-dependent sphere and slab [1]_.

    For given weights of the four atoms that stand for all poison the largest
    loss is a semidefinite program of six by six, solved with a proof. The
    maximum over the weights is searched, on a grid and around its best point.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Clean rows, of at least six features.
    signs : ndarray of shape (n,)
        Their labels, -1 or +1.
    filters : DataDependentFilters
        Of these rows.
    fraction : float
        Poison rows for each clean row, in [0, 0.5).
    squared_radius : float
        Models: those whose weights and bias have a squared norm of at most this.
    rounds : int
        Of the online method.
    known : ndarray of shape (d + 1,), optional
        A model to try besides those of the rounds: with that of
        `certify_inflated_sphere` the estimate is no larger than its bound.
    on_round : callable, optional
        Called after each round, for progress.

    Returns
    -------
    SphereAndSlabEstimate

    Raises
    ------
    InvalidArgument
        If an option is out of range.
    InvalidData
        If there are fewer than six features.

    References
    ----------
    .. [1] Steinhardt, Koh and Liang, "Certified defenses for data poisoning
       attacks", NIPS 2017, section 4 and algorithm 1.
    """
    check_count(rounds=rounds)
    limit = NormBall(squared_radius).squared_radius
    rows, fraction = Averaging(X, signs, limit), Budget(fraction).fraction
    found = average_online(rows, filters, fraction, rounds=rounds, known=known, on_round=on_round)
    worst = found.worst
    return SphereAndSlabEstimate(
        estimate=found.clean_loss + worst.loss,
        clean_loss=found.clean_loss,
        poison_loss=worst.loss,
        poison_bound=float(np.nextafter(worst.bound, np.inf)),
        theta=found.theta,
        weights=worst.weights,
        atoms=place_atoms(filters, worst.plane, solve_loss(worst.plane, worst.weights)),
    )
