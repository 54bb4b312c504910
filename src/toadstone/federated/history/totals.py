"""One client over all rounds of a log: how often it was refused, left out and far away, and how much that says."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from toadstone.federated.history.log import ClientLine
from toadstone.federated.history.reputation import Reputation


@dataclass(frozen=True, kw_only=True)
class ClientTotals:
    """One client over all rounds of training.

    Parameters
    ----------
    client : str
    rounds : int
        In which it was selected; 0 for a stranger.
    refused, missing, filtered : int
    filtered_anyway : float
        Expected number of rounds in which a client would be filtered by lot:
        the sum of the shares of clients that the rule left out.
    farthest : int
        Rounds in which it was one of the f admitted clients farthest from the
        aggregate (of one, if f = 0), and farther than their median.
    distance : float, optional
        Median over rounds of its distance to the aggregate, as a multiple of
        the median distance of the clients.
    cosine : float, optional
        Median of the cosine of the angle between its update and the aggregate.
    largest_declared : float, optional
    distance_rank : float, optional
        Median of its rank among the admitted updates by distance to the
        aggregate: 0 nearest, 1 farthest.
    reputation : float
        Between 0 and 1; see `Reputation`.
    last_reason : str
        Of its latest refusal.
    """

    client: str
    rounds: int
    refused: int
    missing: int
    filtered: int
    filtered_anyway: float
    farthest: int
    distance: float | None
    cosine: float | None
    largest_declared: float | None
    distance_rank: float | None
    reputation: float
    last_reason: str

    @property
    def often_filtered(self) -> bool:
        """Return True if it was filtered in more rounds than by lot, by two standard deviations of a binomial."""
        share = self.filtered_anyway / max(1, self.rounds)
        return self.filtered - self.filtered_anyway > 2 * math.sqrt(self.filtered_anyway * max(0.0, 1 - share))

    @property
    def often_farthest(self) -> bool:
        """Return True if it was one of the farthest in more than half of its rounds."""
        return 2 * self.farthest > self.rounds

    @property
    def to_look_at(self) -> bool:
        """Return True if it was refused, filtered more often than by lot, or one of the farthest in most rounds."""
        return self.refused > 0 or self.often_filtered or self.often_farthest

    @property
    def evidence(self) -> float:
        """Number between 0 and 1 by which clients are sorted; it is no probability.

        The largest of three: the share of rounds in which it was refused; by
        how much the share in which it was filtered exceeds that of the rule,
        1 where it was filtered always; and the share in which it was one of
        the farthest, times ``1 - 1 / distance``.
        """
        rounds = max(1, self.rounds)
        anyway = min(1.0, self.filtered_anyway / rounds)
        over = (self.filtered / rounds - anyway) / (1 - anyway) if anyway < 1 else 0.0
        apart = 1 - 1 / self.distance if self.distance is not None and self.distance > 1 else 0.0
        return max(min(1.0, self.refused / rounds), over, apart * self.farthest / rounds)


@dataclass
class _Seen:
    """Record of one client after some rounds."""

    lines: list[ClientLine] = field(default_factory=list)
    ranks: list[float] = field(default_factory=list)
    distances: list[float] = field(default_factory=list)
    farthest: int = 0
    anyway: float = 0.0


def client_totals(rounds: Sequence[Sequence[ClientLine]], malicious: Sequence[int]) -> list[ClientTotals]:
    """Sum up the clients of some rounds, those with most evidence against them first.

    Parameters
    ----------
    rounds : sequence of sequence of ClientLine
        The clients of each round.
    malicious : sequence of int
        As given to the strategy, for each round.

    Returns
    -------
    list of ClientTotals
    """
    reputation = Reputation()
    seen: dict[str, _Seen] = defaultdict(_Seen)
    for lines, allowed in zip(rounds, malicious, strict=True):
        for client, rank in reputation.observe(lines).items():
            seen[client].ranks.append(rank)
        _add_distances(seen, lines, max(1, allowed))
        admitted = [line for line in lines if line.status == "admitted"]
        share = sum(line.filtered for line in admitted) / max(1, len(admitted))
        for line in lines:
            seen[line.client].lines.append(line)
            seen[line.client].anyway += share * (line.status == "admitted")
    totals = [_totals(client, found, reputation.score(client)) for client, found in seen.items()]
    return sorted(totals, key=lambda total: (-total.evidence, -(total.distance or 0.0), total.client))


def _add_distances(seen: dict[str, _Seen], lines: Sequence[ClientLine], most: int) -> None:
    distances = {line.client: line.distance for line in lines if line.distance is not None}
    if not distances:
        return
    middle = median(distances.values())
    last = sorted(distances.values())[-min(most, len(distances))]
    for client, distance in distances.items():
        if middle > 0:
            seen[client].distances.append(distance / middle)
        seen[client].farthest += distance >= last and distance > middle


def _totals(client: str, seen: _Seen, reputation: float) -> ClientTotals:
    lines = seen.lines
    declared = [line.declared for line in lines if line.declared is not None]
    cosines = [line.cosine for line in lines if line.cosine is not None]
    reasons = [line.reason for line in lines if line.status == "refused"]
    return ClientTotals(
        client=client,
        rounds=sum(line.status != "refused" or line.counted for line in lines),
        refused=sum(line.status == "refused" for line in lines),
        missing=sum(line.status == "missing" for line in lines),
        filtered=sum(line.filtered for line in lines),
        filtered_anyway=seen.anyway,
        farthest=seen.farthest,
        distance=median(seen.distances) if seen.distances else None,
        cosine=median(cosines) if cosines else None,
        largest_declared=max(declared, default=None),
        distance_rank=median(seen.ranks) if seen.ranks else None,
        reputation=reputation,
        last_reason=reasons[-1] if reasons else "",
    )
