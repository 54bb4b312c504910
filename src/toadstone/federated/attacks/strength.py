"""The strength of an attack, searched through the server's actual rule."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from toadstone.core.arrays import Array
from toadstone.core.errors import InvalidData, InvalidInput
from toadstone.federated.attacks.view import RoundView

_LOWEST, _HIGHEST = -6.0, 7.0
"""Powers of two, times the plain strength, between which strengths are tried."""


def strongest(view: RoundView, message: Callable[[float], Array], plain: float, evaluations: int) -> float:
    """Search the strength whose message moves the rule's result farthest from the honest mean.

    Half of the evaluations go to strengths in geometric progression about the
    plain one, the other half to ever nearer neighbours of the best so far.

    Parameters
    ----------
    view : RoundView
        With the honest updates and the rule.
    message : callable
        From a strength to the update, shape (d,), that all malicious clients
        send.
    plain : float
        Strength of the attack that is not adapted; tried first, so that no
        weaker attack is returned. Where it is zero, 1 is the middle.
    evaluations : int
        Number of calls of the rule.

    Returns
    -------
    float
        The first one tried, on ties.

    Raises
    ------
    InvalidData
        If the view has no rule or no honest updates.

    References
    ----------
    .. [1] Shejwalkar and Houmansadr, "Manipulating the Byzantine: optimizing
       model poisoning attacks and defenses for federated learning", NDSS 2021,
       algorithm 1.

    Examples
    --------
    >>> honest = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]])
    >>> view = RoundView(round=1, rounds=1, clients=6, malicious=1, server=np.zeros(1), own=honest[:1],
    ...                  honest=honest, rule=lambda updates: np.clip(updates, -9, 9).mean(axis=0))
    >>> strongest(view, lambda strength: np.array([-strength]), 1.0, 20) >= 9
    True
    """
    if view.rule is None or view.honest is None:
        raise InvalidData("rule: expected a view with the rule and the honest updates, got one without")
    rule, honest, centre = view.rule, view.honest, view.honest.mean(axis=0)
    rows = np.concatenate([honest, view.all_send(centre)])

    def moved(strength: float) -> float:
        rows[len(honest) :] = message(strength)
        try:
            return float(np.linalg.norm(rule(rows) - centre))
        except InvalidInput:
            # A round that the rule refuses leaves the model as it is, as a result of zero would.
            return float(np.linalg.norm(centre))

    tried = {plain: moved(plain)}
    spread = np.linspace(_LOWEST, _HIGHEST, max(2, evaluations // 2))
    middle, gap = plain or 1.0, float(spread[1] - spread[0]) / 2
    for power in spread[: evaluations - 1].tolist():
        tried.setdefault(middle * 2.0**power, moved(middle * 2.0**power))
    left = evaluations - 1 - len(spread)
    while left > 0:
        best = max(tried, key=lambda strength: tried[strength]) or middle
        for power in (gap, -gap)[:left]:
            tried.setdefault(best * 2.0**power, moved(best * 2.0**power))
        left, gap = left - 2, gap / 2
    return max(tried, key=lambda strength: tried[strength])
