"""Min-max and min-sum: updates as far from the honest mean as honest updates are from each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import Array
from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument
from toadstone.federated.attacks.strength import strongest
from toadstone.federated.attacks.view import Knowledge, RoundView, check_knowledge

Direction: TypeAlias = Literal["unit", "deviation", "sign"]
"""Away from the mean u: ``-u / |u|``, the negative deviation of each coordinate, or -sign(u).

In one run of 60 rounds the first harmed most: a linear model of MNIST on 50 clients of few digits each, ten of them
malicious, reached an accuracy of 0.47 behind the trimmed mean, and 0.87 with the second.
"""

_BELOW = 1 - 1e-9
"""Keeps the constraint in spite of rounding."""


@dataclass(frozen=True, kw_only=True)
class MinMax:
    """All send mean + gamma * direction, no farther from any honest update than two honest ones are apart.

    gamma is the largest number for which
    ``max_i |m - g_i| <= max_ij |g_i - g_j|``. Each honest update bounds it by the
    root of a quadratic, so no search is needed.

    Parameters
    ----------
    direction : {"unit", "deviation", "sign"}
    knowledge : {"own", "updates", "rule"}
        The updates that stand for the honest ones. With its own alone, two
        malicious clients are needed: one has no spread.

    Raises
    ------
    InvalidArgument
        If a word is none of these.

    References
    ----------
    .. [1] Shejwalkar and Houmansadr, "Manipulating the Byzantine: optimizing
       model poisoning attacks and defenses for federated learning", NDSS 2021: the
       min-max attack.

    Examples
    --------
    >>> honest = np.array([[1.0], [3.0]])
    >>> view = RoundView(round=1, rounds=1, clients=3, malicious=1, server=np.zeros(1), own=honest[:1], honest=honest)
    >>> MinMax().send(view, np.random.default_rng(0)).round(6)
    array([[1.]])
    """

    direction: Direction = "unit"
    knowledge: Knowledge = "updates"

    def __post_init__(self) -> None:
        _check_direction(self.direction)
        check_knowledge(self.knowledge)

    def send(self, view: RoundView, rng: Generator) -> Array:
        """Return f equal updates, shape (f, d)."""
        away = _away(view.known, self.direction)
        return view.all_send(view.known.mean(axis=0) + _largest_step(view.known, away) * away)


@dataclass(frozen=True, kw_only=True)
class MinSum:
    """All send mean + gamma * direction, of no larger sum of squared distances than an honest update has.

    gamma is the largest number for which
    ``sum_i |m - g_i|^2 <= max_i sum_j |g_i - g_j|^2``.

    Parameters
    ----------
    direction, knowledge
        As for `MinMax`.

    Raises
    ------
    InvalidArgument
        As for `MinMax`.

    References
    ----------
    .. [1] Shejwalkar and Houmansadr, "Manipulating the Byzantine: optimizing
       model poisoning attacks and defenses for federated learning", NDSS 2021: the
       min-sum attack.

    Examples
    --------
    >>> honest = np.array([[1.0], [3.0]])
    >>> view = RoundView(round=1, rounds=1, clients=3, malicious=1, server=np.zeros(1), own=honest[:1], honest=honest)
    >>> MinSum().send(view, np.random.default_rng(0)).round(6)
    array([[1.]])
    """

    direction: Direction = "unit"
    knowledge: Knowledge = "updates"

    def __post_init__(self) -> None:
        _check_direction(self.direction)
        check_knowledge(self.knowledge)

    def send(self, view: RoundView, rng: Generator) -> Array:
        """Return f equal updates, shape (f, d)."""
        mean, away = view.known.mean(axis=0), _away(view.known, self.direction)
        norms = np.sum((view.known - mean) ** 2, axis=1)
        # sum_j |g_i - g_j|^2 = n |g_i - mean|^2 + sum_j |g_j - mean|^2, and the last sum stands on both sides.
        length = float(away @ away)
        step = _BELOW * np.sqrt(norms.max() / length) if length > 0 else 0.0
        return view.all_send(mean + step * away)


@dataclass(frozen=True, kw_only=True)
class AdaptiveMinMax:
    """`MinMax` whose gamma is the one that moves the result of the server's rule farthest, within bounds or not.

    Parameters
    ----------
    direction : {"unit", "deviation", "sign"}
    evaluations : int
        Calls of the rule a round.

    Raises
    ------
    InvalidArgument
        If `direction` is another word, or `evaluations` less than two.

    References
    ----------
    .. [1] Shejwalkar and Houmansadr, "Manipulating the Byzantine: optimizing
       model poisoning attacks and defenses for federated learning", NDSS 2021: attacks
       tailored to the rule.

    Examples
    --------
    >>> honest = np.array([[1.0], [2.0], [3.0]])
    >>> view = RoundView(round=1, rounds=1, clients=4, malicious=1, server=np.zeros(1), own=honest[:1],
    ...                  honest=honest, rule=lambda updates: updates.mean(axis=0))
    >>> AdaptiveMinMax().send(view, np.random.default_rng(0)).item() < -100
    True
    """

    direction: Direction = "unit"
    evaluations: int = 20

    def __post_init__(self) -> None:
        _check_direction(self.direction)
        check_count(2, evaluations=self.evaluations)

    @property
    def knowledge(self) -> Knowledge:
        """The rule, and all honest updates."""
        return "rule"

    def send(self, view: RoundView, rng: Generator) -> Array:
        """Return f equal updates, shape (f, d)."""
        mean, away = view.known.mean(axis=0), _away(view.known, self.direction)
        plain = _largest_step(view.known, away)
        found = strongest(view, lambda gamma: mean + gamma * away, plain, self.evaluations)
        return view.all_send(mean + found * away)


def _away(honest: Array, direction: Direction) -> Array:
    mean = honest.mean(axis=0)
    if direction == "deviation":
        return np.asarray(-honest.std(axis=0))
    if direction == "sign":
        return np.asarray(-np.sign(mean))
    norm = float(np.linalg.norm(mean))
    return np.asarray(-mean / norm) if norm > 0 else np.zeros_like(mean)


def _largest_step(honest: Array, away: Array) -> float:
    """Return the gamma of min-max: the least of the roots of the honest updates' quadratics."""
    length = float(away @ away)
    if length == 0:
        return 0.0
    centred = honest - honest.mean(axis=0)
    inner = centred @ centred.T
    norms, along = np.diag(inner), centred @ away
    widest = float((norms[:, None] + norms[None, :] - 2 * inner).max())
    roots = along + np.sqrt(along**2 + length * np.maximum(widest - norms, 0.0))
    return _BELOW * max(0.0, float(roots.min())) / length


def _check_direction(direction: str) -> None:
    if direction not in get_args(Direction):
        raise InvalidArgument("direction", f"one of {', '.join(get_args(Direction))}", direction)
