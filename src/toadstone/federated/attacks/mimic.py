"""Mimic: all malicious clients repeat one honest client."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import Array
from toadstone.core.checks import check_count
from toadstone.federated.attacks.view import Knowledge, RoundView, check_knowledge


@dataclass(frozen=True, kw_only=True)
class Mimic:
    """All malicious clients send what one honest client sends, so that its data count too much.

    In the first rounds the direction z of largest variance is learned by
    Oja's rule, z <- t/(t+1) z + 1/(t+1) sum_i (g_i - u) (g_i - u)' z, where u
    is the running mean. The client i of largest ``|sum_t z' (g_i - u)|`` is
    copied, and remains the same when the warm-up is over. Without
    heterogeneity the attack is harmless, and with it no rule can tell it from
    a crowd of like clients.

    Parameters
    ----------
    warm_up : int
        Rounds until the choice is final.
    knowledge : {"own", "updates", "rule"}
        The updates among which one is copied.

    Raises
    ------
    InvalidArgument
        If `warm_up` is not a positive number, or `knowledge` another word.

    References
    ----------
    .. [1] Karimireddy, He and Jaggi, "Byzantine-robust learning on
       heterogeneous datasets via bucketing", ICLR 2022: the mimic attack.

    Examples
    --------
    >>> honest = np.array([[0.0, 0.1], [5.0, 0.0], [-1.0, 0.2]])
    >>> view = RoundView(round=1, rounds=9, clients=5, malicious=2, server=np.zeros(2), own=honest[:2], honest=honest)
    >>> Mimic().send(view, np.random.default_rng(0))
    array([[5., 0.],
           [5., 0.]])
    """

    warm_up: int = 5
    knowledge: Knowledge = "updates"

    def __post_init__(self) -> None:
        check_count(warm_up=self.warm_up)
        check_knowledge(self.knowledge)

    def send(self, view: RoundView, rng: Generator) -> Array:
        """Return f copies of one honest update, shape (f, d)."""
        notes, known = view.memory, view.known
        learned = int(notes.get("rounds", 0))
        if learned < self.warm_up:
            mean = known.mean(axis=0)
            mean = mean if learned == 0 else (learned * notes["mean"] + mean) / (learned + 1)
            centred = known - mean
            direction = _top_direction(centred) if learned == 0 else notes["direction"]
            turned = learned * direction + centred.T @ (centred @ direction)
            length = float(np.linalg.norm(turned))
            notes["direction"] = turned / length if length > 0 else direction
            notes["mean"] = mean
            notes["along"] = notes.get("along", 0.0) + centred @ notes["direction"]
            notes["rounds"] = learned + 1
        return view.all_send(known[int(np.argmax(np.abs(notes["along"])))])


def _top_direction(centred: Array) -> Array:
    """Return the direction of largest variance, by the small matrix of inner products."""
    _, vectors = np.linalg.eigh(centred @ centred.T)
    direction = centred.T @ vectors[:, -1]
    length = float(np.linalg.norm(direction))
    return direction / length if length > 0 else np.zeros(centred.shape[1])
