"""Garbage: messages that no honest client sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import Array
from toadstone.core.errors import InvalidArgument
from toadstone.federated.attacks.view import Knowledge, RoundView

Kind: TypeAlias = Literal["nan", "infinite", "huge", "short", "empty", "late", "twice", "declared"]

HUGE = 1e30
"""Each number of a huge update: finite, and so are its squares."""
DECLARED_EXAMPLES = 10**12
"""The number of examples that a client declares that wants to be the mean."""


@dataclass(frozen=True, kw_only=True)
class Garbage:
    """Malformed messages, each malicious client's of the next kind in turn.

    Parameters
    ----------
    kinds : tuple of {"nan", "infinite", "huge", "short", "empty", "late", "twice", "declared"}
        Not a number, infinity, or 1e30 in each coordinate; a number too few,
        or none; no reply in time. The last two send an update of the opposite
        sign: "twice" two times, "declared" with the claim of 10^12 examples;
        here, where each client has one message of weight one, only the update
        is left of them.

    Raises
    ------
    InvalidArgument
        If there is no kind, or an unknown one.

    Examples
    --------
    >>> own = np.ones((3, 2))
    >>> view = RoundView(round=1, rounds=1, clients=9, malicious=3, server=np.zeros(2), own=own)
    >>> Garbage(kinds=("nan", "short")).send(view, np.random.default_rng(0))
    [array([nan, nan]), array([1.]), array([nan, nan])]
    """

    kinds: tuple[Kind, ...] = get_args(Kind)

    def __post_init__(self) -> None:
        if not self.kinds or not set(self.kinds) <= set(get_args(Kind)):
            raise InvalidArgument("kinds", f"some of {', '.join(get_args(Kind))}", self.kinds)

    @property
    def knowledge(self) -> Knowledge:
        """Own updates alone."""
        return "own"

    def send(self, view: RoundView, rng: Generator) -> list[Any]:
        """Return f messages; None is one that comes too late."""
        return [self._message(self.kinds[i % len(self.kinds)], own) for i, own in enumerate(view.own)]

    @staticmethod
    def _message(kind: Kind, own: Array) -> Array | None:
        if kind == "late":
            return None
        if kind in ("short", "empty"):
            return own[: len(own) - 1 if kind == "short" else 0].copy()
        if kind in ("twice", "declared"):
            return -own
        return np.full_like(own, {"nan": np.nan, "infinite": np.inf, "huge": HUGE}[kind])
