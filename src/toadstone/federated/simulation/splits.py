"""Rows dealt to clients: by class, as unequally as wished, or by a column of sources."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from toadstone.core.arrays import IntArray, Labels
from toadstone.core.checks import check_count, check_positive
from toadstone.core.errors import InvalidArgument


def dirichlet_clients(
    y: Labels, clients: int, concentration: float, rng: Generator, *, least: int = 10
) -> list[IntArray]:
    """Deal the rows of each class to clients in shares drawn from a symmetric Dirichlet distribution.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Labels.
    clients : int
        Number of clients.
    concentration : float
        Of the distribution: 0.1 gives each class to few clients, 100 nearly
        the same share to all.
    rng : Generator
    least : int
        Clients with fewer rows are given some of those of the client that has
        the most.

    Returns
    -------
    list of ndarray of int
        Sorted positions of the rows of each client; each row has one client.

    Raises
    ------
    InvalidArgument
        If there are too few rows, or a number is not positive.

    References
    ----------
    .. [1] Hsu, Qi and Brown, "Measuring the effects of non-identical data
       distribution for federated visual classification", 2019.
    .. [2] Li, Diao, Chen and He, "Federated learning on non-IID data silos: an
       experimental study", ICDE 2022: shares of each class.

    Examples
    --------
    >>> dealt = dirichlet_clients(np.repeat([0, 1], 50), 4, 0.1, np.random.default_rng(0))
    >>> sum(len(rows) for rows in dealt), min(len(rows) for rows in dealt)
    (100, 10)
    """
    check_count(clients=clients, least=least)
    check_positive(concentration=concentration)
    labels = np.asarray(y)
    if len(labels) < clients * least:
        raise InvalidArgument("clients", f"at most {len(labels) // least}, of {least} rows each", clients)
    dealt: list[list[IntArray]] = [[] for _ in range(clients)]
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        ends = np.cumsum(rng.dirichlet(np.full(clients, concentration)))[:-1]
        # A concentration near zero can leave all shares zero, and NaN after their division by the sum.
        cuts = np.floor(np.nan_to_num(ends, nan=1.0) * len(rows) + 0.5).astype(np.int64)
        for client, part in enumerate(np.split(rows, cuts)):
            dealt[client].append(part)
    return _level([np.concatenate(parts) for parts in dealt], least, rng)


def source_clients(sources: ArrayLike, rng: Generator, *, clients: int | None = None) -> list[IntArray]:
    """Deal rows to clients by their source: one client a source, several for the largest ones.

    Parameters
    ----------
    sources : array_like of shape (n,)
        Such as the hospital, or the occupation, of each row.
    rng : Generator
        Deals the rows of a source to its clients at random.
    clients : int, optional
        Number of clients; that of the sources by default. Each further client
        goes to the source that then has the most rows a client.

    Returns
    -------
    list of ndarray of int
        Sorted positions of the rows of each client, by sorted source.

    Raises
    ------
    InvalidArgument
        If there are fewer clients than sources, or more than rows.

    Examples
    --------
    >>> dealt = source_clients(["a", "b", "b", "b", "b"], np.random.default_rng(0), clients=3)
    >>> dealt[0].tolist(), sorted([*dealt[1].tolist(), *dealt[2].tolist()])
    ([0], [1, 2, 3, 4])
    """
    names, codes = np.unique(np.asarray(sources), return_inverse=True)
    sizes, wanted = np.bincount(codes.ravel()), len(names) if clients is None else clients
    check_count(clients=wanted)
    if not len(names) <= wanted <= len(codes):
        raise InvalidArgument("clients", f"from {len(names)}, one a source, to {len(codes)}, one a row", wanted)
    shares = np.ones(len(names), dtype=np.int64)
    for _ in range(wanted - len(names)):
        shares[np.argmax(sizes / shares)] += 1
    return [
        np.sort(part)
        for source, share in enumerate(shares)
        for part in np.array_split(rng.permutation(np.flatnonzero(codes.ravel() == source)), share)
    ]


def _level(dealt: list[IntArray], least: int, rng: Generator) -> list[IntArray]:
    """Move rows from the largest clients to those that have too few."""
    for client in range(len(dealt)):
        while len(dealt[client]) < least:
            largest = int(np.argmax([len(rows) for rows in dealt]))
            given = min(least - len(dealt[client]), len(dealt[largest]) - least)
            moved = rng.permutation(dealt[largest])
            dealt[client] = np.concatenate([dealt[client], moved[:given]])
            dealt[largest] = moved[given:]
    return [np.sort(rows) for rows in dealt]
