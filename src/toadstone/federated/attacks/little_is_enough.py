"""A little is enough: updates that hide within the spread of the honest ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.random import Generator
from scipy.stats import norm

from toadstone.core.arrays import Array
from toadstone.core.checks import check_count, check_not_negative
from toadstone.core.errors import InvalidArgument
from toadstone.federated.attacks.strength import strongest
from toadstone.federated.attacks.view import Knowledge, RoundView, check_knowledge

Direction: TypeAlias = Literal["down", "opposed"]
"""Every coordinate is lowered, as published, or each is moved against the sign of its mean.

In one run of 60 rounds the second harmed most: a linear model of MNIST on 50 clients of few digits each, ten of them
malicious, reached 0.35 behind the trimmed mean with the strength searched, and 0.87 with the first. A softmax of two
classes does not change at all when the weights of both are lowered alike.
"""


def hidden_deviations(clients: int, malicious: int) -> float:
    """Return the standard deviations z by which updates can be off while most honest ones are farther off.

    z = Phi^-1((n - f - s) / (n - f)), where s = floor(n / 2) + 1 - f honest
    clients have to be on the attackers' far side; zero where that is negative.

    Parameters
    ----------
    clients, malicious : int
        n and f.

    References
    ----------
    .. [1] Baruch, Baruch and Goldberg, "A little is enough: circumventing
       defenses for distributed learning", NeurIPS 2019, algorithm 3.

    Examples
    --------
    >>> round(hidden_deviations(50, 24), 3)
    1.426
    >>> hidden_deviations(10, 1)
    0.0
    """
    honest, supporters = clients - malicious, clients // 2 + 1 - malicious
    # A majority of attackers needs no supporter: then the formula would be infinite.
    share = (honest - max(supporters, 1)) / honest
    return max(0.0, float(norm.ppf(share))) if share > 0 else 0.0


@dataclass(frozen=True, kw_only=True)
class LittleIsEnough:
    """All malicious clients send mean - z * deviation of the honest updates, in each coordinate.

    Parameters
    ----------
    direction : {"down", "opposed"}
        In "opposed" the deviation has the sign of the mean.
    deviations : float, optional
        z; by default that of `hidden_deviations`, which grows with the share
        of malicious clients and is zero for few.
    knowledge : {"own", "updates", "rule"}
        The updates from which mean and deviation are estimated.

    Raises
    ------
    InvalidArgument
        If `deviations` is negative, or a word is none of these.

    References
    ----------
    .. [1] Baruch, Baruch and Goldberg, "A little is enough: circumventing
       defenses for distributed learning", NeurIPS 2019, algorithm 3.

    Examples
    --------
    >>> honest = np.array([[1.0], [3.0]])
    >>> view = RoundView(round=1, rounds=1, clients=3, malicious=1, server=np.zeros(1), own=honest[:1], honest=honest)
    >>> LittleIsEnough(deviations=1.5).send(view, np.random.default_rng(0))
    array([[0.5]])
    """

    direction: Direction = "down"
    deviations: float | None = None
    knowledge: Knowledge = "updates"

    def __post_init__(self) -> None:
        _check_direction(self.direction)
        check_not_negative(deviations=self.deviations or 0.0)
        check_knowledge(self.knowledge)

    def send(self, view: RoundView, rng: Generator) -> Array:
        """Return f equal updates, shape (f, d)."""
        hidden = hidden_deviations(view.clients, view.malicious) if self.deviations is None else self.deviations
        return view.all_send(view.known.mean(axis=0) - hidden * _signed_deviation(view.known, self.direction))


@dataclass(frozen=True, kw_only=True)
class AdaptiveLittleIsEnough:
    """`LittleIsEnough` with the z that moves the result of the server's rule farthest.

    Parameters
    ----------
    direction : {"down", "opposed"}
        As for `LittleIsEnough`.
    evaluations : int
        Calls of the rule a round.

    Raises
    ------
    InvalidArgument
        If `direction` is another word, or `evaluations` less than two.

    References
    ----------
    .. [1] Allouah, Farhadkhani, Guerraoui, Gupta, Pinot and Stephan, "Fixing
       by mixing: a recipe for optimal Byzantine ML under heterogeneity",
       AISTATS 2023, appendix on attacks: the factor is optimized.

    Examples
    --------
    >>> honest = np.array([[1.0], [2.0], [3.0]])
    >>> view = RoundView(round=1, rounds=1, clients=4, malicious=1, server=np.zeros(1), own=honest[:1],
    ...                  honest=honest, rule=lambda updates: updates.mean(axis=0))
    >>> AdaptiveLittleIsEnough().send(view, np.random.default_rng(0)).item() < -100
    True
    """

    direction: Direction = "opposed"
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
        mean, deviation = view.known.mean(axis=0), _signed_deviation(view.known, self.direction)
        plain = hidden_deviations(view.clients, view.malicious)
        found = strongest(view, lambda strength: mean - strength * deviation, plain, self.evaluations)
        return view.all_send(mean - found * deviation)


def _signed_deviation(honest: Array, direction: Direction) -> Array:
    deviation = honest.std(axis=0)
    return np.asarray(deviation if direction == "down" else deviation * np.sign(honest.mean(axis=0)))


def _check_direction(direction: str) -> None:
    if direction not in get_args(Direction):
        raise InvalidArgument("direction", f"one of {', '.join(get_args(Direction))}", direction)
