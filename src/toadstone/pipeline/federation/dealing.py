"""Ways in which rows come to clients."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import IntArray, Labels
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.split import Split
from toadstone.federated.simulation.splits import dirichlet_clients, source_clients
from toadstone.pipeline.certification.pointwise import sources_of_train

_FEWEST = 10
"""Rows that a client has at least, where there are enough."""

_WAYS = "dirichlet:A, iid or column"


@dataclass(frozen=True, eq=False)
class Dealing:
    """A way to deal rows to clients.

    Parameters
    ----------
    clients : int
    concentration : float, optional
        Of the Dirichlet distribution of the clients' shares of each class;
        None for equal shares, or sources.
    column : str
        The column of sources; empty where rows are dealt by their class.
    sources : ndarray of str, optional
        Source of each training row.
    """

    clients: int
    concentration: float | None = None
    column: str = ""
    sources: Labels | None = None

    def deal(self, rows: Dataset, positions: IntArray, rng: Generator) -> list[IntArray]:
        """Return the positions, among some rows, of those of each client.

        Parameters
        ----------
        rows : Dataset
        positions : ndarray of int of shape (n,)
            Their places among all training rows.
        rng : Generator
        """
        if self.sources is not None:
            named = merged(self.sources[positions].tolist(), self.clients)
            return source_clients(named, rng, clients=self.clients)
        if self.concentration is not None:
            least = min(_FEWEST, len(rows) // self.clients)
            return dirichlet_clients(rows.y, self.clients, self.concentration, rng, least=least)
        return [np.sort(part) for part in np.array_split(rng.permutation(len(rows)), self.clients)]

    @property
    def words(self) -> str:
        """The way in a sentence."""
        if self.sources is None:
            if self.concentration is None:
                return f"Rows were dealt to {self.clients} clients at random, as many to each."
            return (
                f"Each class was dealt to {self.clients} clients in shares from a Dirichlet distribution of "
                f"concentration {self.concentration:g}: the smaller, the fewer classes a client has."
            )
        sources = len(set(self.sources.tolist()))
        if sources == self.clients:
            return f"Each of the {sources} values of {self.column} is a client."
        if sources < self.clients:
            return (
                f"The {sources} values of {self.column} are fewer than the {self.clients} clients: those with the most "
                "rows were each split at random into several clients, which are then alike."
            )
        return (
            f"The {sources} values of {self.column} are more than the {self.clients} clients: a client has several, "
            "so that all have about as many rows."
        )


def dealing_of(split: Split, asked: str, column: str | None, *, clients: int) -> Dealing:
    """Read the way to deal rows that a caller asks for.

    Parameters
    ----------
    split : Split
    asked : str
        "dirichlet:A", "iid" or "column".
    column : str, optional
        Of the sources, for "column" and for nothing else.
    clients : int

    Raises
    ------
    InvalidArgument
        If there is no such way, or no such column.
    InvalidData
        If a row has no source.
    """
    kind, _, number = asked.partition(":")
    if column is not None and kind != "column":
        raise InvalidArgument("split", "column beside a group", asked)
    if asked == "column":
        if column is None:
            raise InvalidArgument("group", "the column of sources, which the split column needs", "none")
        return Dealing(clients, column=column, sources=np.array(sources_of_train(split, column)))
    if asked == "iid":
        return Dealing(clients)
    try:
        concentration = float(number) if kind == "dirichlet" else 0.0
    except ValueError:
        concentration = 0.0
    if not 0 < concentration < np.inf:
        raise InvalidArgument("split", f"{_WAYS}, with a positive number A", asked)
    return Dealing(clients, concentration=concentration)


def merged(sources: Sequence[str], most: int) -> list[str]:
    """Name sources so that there are at most so many: the smallest ones share a name.

    Each source, from the largest on, joins those that have the fewest rows so far.

    Examples
    --------
    >>> merged(["a", "a", "a", "b", "b", "c"], 2)
    ['0', '0', '0', '1', '1', '1']
    >>> merged(["a", "b", "b"], 2)
    ['a', 'b', 'b']
    """
    names, counts = np.unique(np.array(sources), return_counts=True)
    if len(names) <= most:
        return list(sources)
    lightest = [(0, place) for place in range(most)]
    home: dict[str, str] = {}
    for name, count in sorted(zip(names.tolist(), counts.tolist(), strict=True), key=lambda one: (-one[1], one[0])):
        load, place = heapq.heappop(lightest)
        home[name] = str(place)
        heapq.heappush(lightest, (load + count, place))
    return [home[source] for source in sources]
