"""Deals of rows to voters by hashes that a row's owner cannot shift for other rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from toadstone.core.arrays import IntArray
from toadstone.core.errors import InvalidArgument, InvalidData

LONGEST_KEY = 64
"""Bytes of a key that blake2b takes."""

MOST_VOTERS = 10**6


@dataclass(frozen=True, eq=False)
class Deal:
    """The rows of each voter.

    Parameters
    ----------
    rows : list of ndarray of int
        Positions of each voter's rows, ascending; those of one voter may be
        another's too.
    seeds : list of int
        A seed for each voter, which does not depend on rows of other voters.
    """

    rows: list[IntArray]
    seeds: list[int]


def check_voters(n_voters: int) -> None:
    """Refuse more voters than anybody can train."""
    if n_voters > MOST_VOTERS:
        raise InvalidArgument("n_parts", f"at most {MOST_VOTERS:,} voters", n_voters)


def check_key(key: str) -> None:
    """Refuse a key that the hash cannot take."""
    if len(key.encode()) > LONGEST_KEY:
        raise InvalidArgument("key", f"a text of at most {LONGEST_KEY} bytes", f"{len(key.encode())} bytes")


def refuse_groups(groups: object, name: str) -> None:
    """Refuse groups where a scheme does not read them."""
    if groups is not None:
        raise InvalidArgument("groups", f"none, for {name} go by features; use GroupParts", "some")


def digest(content: bytes, key: str, salt: int = 0) -> bytes:
    """Return a keyed hash of a content; hashes of different salts are independent."""
    return blake2b(content, digest_size=16, key=key.encode(), salt=salt.to_bytes(4, "big")).digest()


def buckets(contents: Sequence[bytes], n: int, key: str, salt: int = 0) -> IntArray:
    """Return the bucket of each content, evenly by its hash."""
    return np.array([int.from_bytes(digest(content, key, salt)[:8], "big") % n for content in contents], dtype=np.int64)


def group_value(group: object) -> bytes:
    """Return a group's value as bytes: of the text where it is one, else of the number."""
    if group is None or group != group:
        raise InvalidData(f"groups: expected a value for each row, got {group}; give rows of no group one of their own")
    # A number that became a float in a table with gaps is the same group.
    if isinstance(group, float | np.floating) and float(group).is_integer():
        group = int(group)
    return str(group).encode("utf-8", "surrogatepass")


def offsets(spread: int, n: int) -> IntArray:
    """Return offsets modulo n, all of whose differences are different as long as there are such."""
    chosen, taken = [0], set[int]()
    for strict in (True, False):
        for candidate in range(1, n):
            if len(chosen) == spread:
                break
            if candidate in chosen:
                continue
            new = [difference % n for other in chosen for difference in (candidate - other, other - candidate)]
            if not strict or (len(set(new)) == len(new) and taken.isdisjoint(new)):
                chosen.append(candidate)
                taken.update(new)
    return np.sort(np.array(chosen[:spread]))
