"""Schemes that deal rows to voters by their features, so that a row reaches few of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from toadstone.core.arrays import IntArray
from toadstone.core.checks import check_count
from toadstone.core.pointwise import Certified
from toadstone.kernels.votes.bags import certify_bags
from toadstone.kernels.votes.collective import most_changed
from toadstone.kernels.votes.dealing import (
    Deal,
    buckets,
    check_key,
    check_voters,
    offsets,
    refuse_groups,
)
from toadstone.kernels.votes.units import certify_votes

Settings: TypeAlias = dict[str, str | float | int]

_ROWS = "rows added or removed"
_BY_FEATURES = "Rows are dealt to models by a keyed hash of their features, and by nothing else."
_ADDS_AND_REMOVES = (
    "Adds and removes training rows; a row with another label counts once, a row with other features twice."
)


class Scheme(Protocol):
    """A rule that deals rows to voters."""

    name: ClassVar[str]
    method: ClassVar[str]

    @property
    def n_voters(self) -> int:
        """Number of voters; 0 where it depends on the rows."""

    @property
    def unit(self) -> str:
        """The units of its counts, in words."""

    @property
    def adversary(self) -> str:
        """Powers of the attacker, in one sentence."""

    @property
    def assumption(self) -> str:
        """Condition on how rows are dealt, in one sentence."""

    def settings(self) -> Settings:
        """Return the numbers and names from which the scheme can be rebuilt."""

    def n_units(self, n_rows: int, groups: Sequence[object] | None) -> int:
        """Count the units that there are."""

    def deal(self, contents: Sequence[bytes], groups: Sequence[object] | None) -> Deal:
        """Deal rows to voters, given the contents of their features and their groups."""

    @property
    def exact(self) -> bool:
        """Tell that counts are the largest that hold."""

    def certify(self, votes: object, n_classes: int) -> Certified:
        """Count the units that an attacker may control without being able to change the elected class."""

    def most_changed(self, votes: object, n_classes: int, units: int) -> int:
        """Bound the elected classes that one choice of so many units changes, all queries together."""


@dataclass(frozen=True)
class DisjointParts:
    """Parts of the rows that share none, by a hash of the features (Deep Partition Aggregation) [1]_.

    Parameters
    ----------
    n_parts : int
        Parts, each with a voter.
    key : str
        Of the hash. The counts hold whether or not the attacker knows it.

    References
    ----------
    .. [1] Levine and Feizi, "Deep partition aggregation", ICLR 2021.

    Examples
    --------
    >>> DisjointParts(2).deal([b"a", b"c", b"a"], None).rows
    [array([1]), array([0, 2])]
    """

    n_parts: int = 25
    key: str = ""

    name: ClassVar[str] = "disjoint parts"
    method: ClassVar[str] = "votes"
    exact: ClassVar[bool] = True
    unit: ClassVar[str] = _ROWS
    adversary: ClassVar[str] = _ADDS_AND_REMOVES
    assumption: ClassVar[str] = _BY_FEATURES

    def __post_init__(self) -> None:
        check_count(n_parts=self.n_parts)
        check_voters(self.n_voters)
        check_key(self.key)

    @property
    def n_voters(self) -> int:
        """Number of voters."""
        return self.n_parts

    def settings(self) -> Settings:
        """Return the numbers and names from which the scheme can be rebuilt."""
        return {"scheme": self.name, "n_parts": self.n_parts, "key": self.key}

    def n_units(self, n_rows: int, groups: Sequence[object] | None) -> int:
        """Count the training rows."""
        return n_rows

    def deal(self, contents: Sequence[bytes], groups: Sequence[object] | None) -> Deal:
        """Deal rows to voters by the hash of their contents."""
        refuse_groups(groups, self.name)
        parts = buckets(contents, self.n_parts, self.key)
        return Deal([np.flatnonzero(parts == part) for part in range(self.n_parts)], list(range(self.n_parts)))

    def certify(self, votes: object, n_classes: int) -> Certified:
        """Count rows, exactly."""
        return certify_votes(votes, n_classes=n_classes)

    def most_changed(self, votes: object, n_classes: int, units: int) -> int:
        """Bound the elected classes that so many rows change together."""
        return most_changed(votes, n_classes=n_classes, units=units)


@dataclass(frozen=True)
class FiniteAggregation:
    """Many small buckets of rows, each of which reaches the same number of overlapping voters [1]_.

    There are ``n_parts * spread`` buckets and as many voters. Each voter is
    trained on `spread` buckets, thus on as many rows as one of `n_parts`
    disjoint parts has. As far as possible no two buckets share more than one
    voter: the offsets between a bucket and its voters have all differences
    different, and the attacker's second row then gains less.

    Parameters
    ----------
    n_parts : int
        One over the share of the rows that a voter is trained on.
    spread : int
        Voters that a row reaches.
    key : str
        Of the hash.

    References
    ----------
    .. [1] Wang, Levine and Feizi, "Improved certified defenses against data
       poisoning with (deterministic) finite aggregation", ICML 2022.

    Examples
    --------
    >>> FiniteAggregation(3, 2).members().toarray()[:2]
    array([[1., 1., 0., 0., 0., 0.],
           [0., 1., 1., 0., 0., 0.]])
    """

    n_parts: int = 25
    spread: int = 4
    key: str = ""

    name: ClassVar[str] = "finite aggregation"
    method: ClassVar[str] = "votes"
    unit: ClassVar[str] = _ROWS
    adversary: ClassVar[str] = _ADDS_AND_REMOVES
    assumption: ClassVar[str] = _BY_FEATURES

    def __post_init__(self) -> None:
        check_count(n_parts=self.n_parts, spread=self.spread)
        check_voters(self.n_voters)
        check_key(self.key)

    @property
    def n_voters(self) -> int:
        """Number of voters, and of buckets."""
        return self.n_parts * self.spread

    def settings(self) -> Settings:
        """Return the numbers and names from which the scheme can be rebuilt."""
        return {"scheme": self.name, "n_parts": self.n_parts, "spread": self.spread, "key": self.key}

    @property
    def exact(self) -> bool:
        """Tell that counts are the largest that hold: voters that two buckets reach are counted twice."""
        return self.spread == 1

    def members(self) -> csr_array:
        """Return the voters of each bucket, 0 and 1 of shape (buckets, voters)."""
        n = self.n_voters
        voters = (np.arange(n)[:, None] + offsets(self.spread, n)) % n
        starts = np.arange(n + 1) * self.spread
        return csr_array((np.ones(voters.size), voters.ravel(), starts), shape=(n, n))

    def n_units(self, n_rows: int, groups: Sequence[object] | None) -> int:
        """Count the training rows."""
        return n_rows

    def deal(self, contents: Sequence[bytes], groups: Sequence[object] | None) -> Deal:
        """Deal rows to the voters of their buckets."""
        refuse_groups(groups, self.name)
        n = self.n_voters
        found, read = buckets(contents, n, self.key), self.members().T.tocsr()
        fed = [read.indices[read.indptr[voter] : read.indptr[voter + 1]] for voter in range(n)]
        return Deal([np.flatnonzero(np.isin(found, each)) for each in fed], list(range(n)))

    def certify(self, votes: object, n_classes: int) -> Certified:
        """Count rows; never too many."""
        return certify_votes(votes, n_classes=n_classes, members=self.members())

    def most_changed(self, votes: object, n_classes: int, units: int) -> int:
        """Bound the elected classes that so many rows change together."""
        return most_changed(votes, n_classes=n_classes, units=units, members=self.members())


@dataclass(frozen=True)
class HashBagging:
    """Several rounds of disjoint parts, each by a hash of its own [1]_.

    Parameters
    ----------
    n_parts : int
        Parts of a round, each with a voter.
    n_rounds : int
        Voters that a row reaches.
    key : str
        Of the hashes.

    References
    ----------
    .. [1] Chen, Li, Li, Wu and Li, "On collective robustness of bagging
       against data poisoning", ICML 2022.

    Examples
    --------
    >>> [rows.tolist() for rows in HashBagging(2, 2).deal([b"a", b"b", b"c"], None).rows]
    [[2], [0, 1], [0, 1, 2], []]
    """

    n_parts: int = 25
    n_rounds: int = 4
    key: str = ""

    name: ClassVar[str] = "hash bagging"
    method: ClassVar[str] = "votes"
    exact: ClassVar[bool] = True
    unit: ClassVar[str] = _ROWS
    adversary: ClassVar[str] = _ADDS_AND_REMOVES
    assumption: ClassVar[str] = _BY_FEATURES

    def __post_init__(self) -> None:
        check_count(n_parts=self.n_parts, n_rounds=self.n_rounds)
        check_voters(self.n_voters)
        check_key(self.key)

    @property
    def n_voters(self) -> int:
        """Number of voters, over all rounds."""
        return self.n_parts * self.n_rounds

    def settings(self) -> Settings:
        """Return the numbers and names from which the scheme can be rebuilt."""
        return {"scheme": self.name, "n_parts": self.n_parts, "n_rounds": self.n_rounds, "key": self.key}

    def n_units(self, n_rows: int, groups: Sequence[object] | None) -> int:
        """Count the training rows."""
        return n_rows

    def deal(self, contents: Sequence[bytes], groups: Sequence[object] | None) -> Deal:
        """Deal rows to a voter of each round."""
        refuse_groups(groups, self.name)
        rows: list[IntArray] = []
        for round_ in range(self.n_rounds):
            parts = buckets(contents, self.n_parts, self.key, round_)
            rows += [np.flatnonzero(parts == part) for part in range(self.n_parts)]
        return Deal(rows, list(range(len(rows))))

    def certify(self, votes: object, n_classes: int) -> Certified:
        """Count rows, exactly."""
        return certify_bags(votes, np.repeat(np.arange(self.n_rounds), self.n_parts), n_classes=n_classes)

    def most_changed(self, votes: object, n_classes: int, units: int) -> int:
        """Count the elected classes that so many rows change, each row chosen anew for each: never too few."""
        return int((self.certify(votes, n_classes).count < units).sum())
