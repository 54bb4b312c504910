"""Inner product manipulation: updates against the honest mean."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.random import Generator

from toadstone.core.arrays import Array
from toadstone.core.checks import check_count, check_positive
from toadstone.federated.attacks.strength import strongest
from toadstone.federated.attacks.view import Knowledge, RoundView, check_knowledge


@dataclass(frozen=True, kw_only=True)
class InnerProduct:
    """All malicious clients send ``-scale`` times the mean of the honest updates.

    A large scale turns the mean of all clients round, a small one (0.1) is
    what Krum and the like choose.

    Parameters
    ----------
    scale : float
        The paper's epsilon.
    knowledge : {"own", "updates", "rule"}
        The updates whose mean is estimated.

    Raises
    ------
    InvalidArgument
        If `scale` is not positive, or `knowledge` another word.

    References
    ----------
    .. [1] Xie, Koyejo and Gupta, "Fall of empires: breaking Byzantine-tolerant
       SGD by inner product manipulation", UAI 2019.

    Examples
    --------
    >>> import numpy as np
    >>> honest = np.array([[1.0], [3.0]])
    >>> view = RoundView(round=1, rounds=1, clients=3, malicious=1, server=np.zeros(1), own=honest[:1], honest=honest)
    >>> InnerProduct(scale=0.5).send(view, np.random.default_rng(0))
    array([[-1.]])
    """

    scale: float = 10.0
    knowledge: Knowledge = "updates"

    def __post_init__(self) -> None:
        check_positive(scale=self.scale)
        check_knowledge(self.knowledge)

    def send(self, view: RoundView, rng: Generator) -> Array:
        """Return f equal updates, shape (f, d)."""
        return view.all_send(-self.scale * view.known.mean(axis=0))


@dataclass(frozen=True, kw_only=True)
class AdaptiveInnerProduct:
    """`InnerProduct` with the scale that moves the result of the server's rule farthest.

    Parameters
    ----------
    evaluations : int
        Calls of the rule a round.
    scale : float
        The plain scale, which the search starts from.

    Raises
    ------
    InvalidArgument
        If `evaluations` is less than two, or `scale` not positive.

    References
    ----------
    .. [1] Allouah, Farhadkhani, Guerraoui, Gupta, Pinot and Stephan, "Fixing
       by mixing: a recipe for optimal Byzantine ML under heterogeneity",
       AISTATS 2023, appendix on attacks: the factor is optimized.

    Examples
    --------
    >>> import numpy as np
    >>> honest = np.array([[1.0], [2.0], [3.0]])
    >>> view = RoundView(round=1, rounds=1, clients=4, malicious=1, server=np.zeros(1), own=honest[:1],
    ...                  honest=honest, rule=lambda updates: np.clip(updates, -5, 5).mean(axis=0))
    >>> AdaptiveInnerProduct().send(view, np.random.default_rng(0)).item() <= -5
    True
    """

    evaluations: int = 20
    scale: float = 1.0

    def __post_init__(self) -> None:
        check_count(2, evaluations=self.evaluations)
        check_positive(scale=self.scale)

    @property
    def knowledge(self) -> Knowledge:
        """The rule, and all honest updates."""
        return "rule"

    def send(self, view: RoundView, rng: Generator) -> Array:
        """Return f equal updates, shape (f, d)."""
        mean = view.known.mean(axis=0)
        return view.all_send(-strongest(view, lambda scale: -scale * mean, self.scale, self.evaluations) * mean)
