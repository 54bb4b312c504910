"""Reputation of clients over rounds, for sampling and review; no weight comes from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toadstone.core.checks import check_within
from toadstone.federated.history.log import ClientLine


@dataclass
class Standing:
    """Memory of one client: weights of its good and bad rounds, fading."""

    good: float = 0.0
    bad: float = 0.0


class Reputation:
    """Beta reputation of clients, with fading memory.

    Each round in which a client replies gives a good and a bad part that sum
    to one. Bad is 1 if it was refused. If it was filtered, bad is the share of
    admitted clients that were not: where Krum keeps one of ten, to be filtered
    says little. Else half of its rank by distance to the aggregate, as far as
    it lies in the farthest quarter, or of a cosine to the aggregate below 0,
    whichever is larger. Older rounds fade by `memory`. The score is the mean
    of the Beta posterior under a uniform prior, (good + 1) / (good + bad + 2)
    [1]_.

    It is for sampling and for review. The strategy never weighs by it: a
    client that earned credit in quiet rounds would spend it in a later one.

    Parameters
    ----------
    memory : float
        What a round counts one round later, in (0, 1].

    References
    ----------
    .. [1] A. Josang, R. Ismail, "The Beta Reputation System", Bled Electronic
       Commerce Conference 2002, equation 5.

    Examples
    --------
    >>> reputation = Reputation()
    >>> _ = reputation.observe([ClientLine(round=1, client="7", status="refused", counted=True)])
    >>> round(reputation.score("7"), 3), reputation.score("unknown")
    (0.333, 0.5)
    """

    def __init__(self, *, memory: float = 0.95) -> None:
        check_within("(0, 1]", memory=memory)
        self.memory = memory
        self._standings: dict[str, Standing] = {}

    def observe(self, lines: Sequence[ClientLine]) -> dict[str, float]:
        """Take in the clients' lines of one round.

        Only selected clients are remembered: a stranger could fill the memory
        with names.

        Parameters
        ----------
        lines : sequence of ClientLine

        Returns
        -------
        dict
            Rank of each admitted client by distance to the aggregate, in
            [0, 1].
        """
        ranks = _ranks(lines)
        kept = [not line.filtered for line in lines if line.status == "admitted"]
        share = sum(kept) / max(1, len(kept))
        for line in lines:
            if line.status == "missing" or (line.status == "refused" and not line.counted):
                continue
            bad = 1.0 if line.status == "refused" else _badness(line, ranks.get(line.client, 0.0), share)
            standing = self._standings.setdefault(line.client, Standing())
            standing.good = self.memory * standing.good + 1 - bad
            standing.bad = self.memory * standing.bad + bad
        return ranks

    def score(self, client: str) -> float:
        """Return the score of a client between 0 and 1; 0.5 for one without history."""
        standing = self._standings.get(client, Standing())
        return (standing.good + 1) / (standing.good + standing.bad + 2)

    def scores(self) -> dict[str, float]:
        """Return all scores, the lowest first."""
        named = {client: self.score(client) for client in self._standings}
        return dict(sorted(named.items(), key=lambda item: (item[1], item[0])))


def _badness(line: ClientLine, rank: float, kept: float) -> float:
    far = max(0.0, rank - 0.75) * 4
    against = max(0.0, -line.cosine) if line.cosine is not None else 0.0
    # Half at most: somebody is always farthest, and honest clients with unusual data point elsewhere.
    return max(0.5 * far, 0.5 * against, kept if line.filtered else 0.0)


def _ranks(lines: Sequence[ClientLine]) -> dict[str, float]:
    distances = {line.client: line.distance for line in lines if line.distance is not None}
    if len(distances) < 2:
        return dict.fromkeys(distances, 0.0)
    ordered = sorted(distances.values())
    return {client: ordered.index(distance) / (len(ordered) - 1) for client, distance in distances.items()}
