"""Which clients were refused and filtered most, over all rounds of a log."""

from __future__ import annotations

import importlib.util
import os
from collections import defaultdict
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal

import narwhals as nw

from toadstone.federated.history.log import ClientLine, FederatedLog, read_log
from toadstone.federated.history.reputation import Reputation


@dataclass(frozen=True)
class ClientTotals:
    """One client over all rounds of training.

    Parameters
    ----------
    client : str
    rounds : int
        In which it was selected; 0 for a stranger.
    refused, missing, filtered : int
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
    largest_declared: float | None
    distance_rank: float | None
    reputation: float
    last_reason: str

    @property
    def suspicious(self) -> float:
        """Share of its rounds in which it was refused or filtered."""
        return min(1.0, (self.refused + self.filtered) / max(1, self.rounds))


@dataclass(frozen=True)
class LogSummary:
    """Clients of a log, those that were refused or filtered most often first.

    Parameters
    ----------
    clients : tuple of ClientTotals
    rounds, unchanged : int
        Rounds of training, and those of them that left the model as it was.
    last_reason : str
        Why the latest of these did.
    """

    clients: tuple[ClientTotals, ...]
    rounds: int
    unchanged: int
    last_reason: str

    def lines(self, most: int = 20) -> list[str]:
        """Say it in lines, with at most so many clients."""
        said = [f"{self.rounds} rounds, {self.unchanged} of them left the model as it was"]
        if self.last_reason:
            said.append(f"the latest because {self.last_reason}")
        shown = [client for client in self.clients if client.suspicious > 0][:most]
        said.extend(
            f"client {client.client}: filtered in {client.filtered}, refused in {client.refused} of "
            f"{client.rounds} rounds{f' ({client.last_reason})' if client.last_reason else ''}"
            for client in shown
        )
        if not shown:
            said.append("no client was refused or filtered")
        return said

    def to_frame(self) -> Any:
        """Return the clients as a data frame of pandas, or of pyarrow where pandas is not installed."""
        columns: dict[str, list[Any]] = defaultdict(list)
        for client in self.clients:
            for name, value in asdict(client).items():
                columns[name].append(value)
        backend: Literal["pandas", "pyarrow"] = "pandas" if importlib.util.find_spec("pandas") else "pyarrow"
        return nw.from_dict(dict(columns), backend=backend).to_native()

    def __str__(self) -> str:
        return "\n".join(self.lines())


def summarize_log(log: FederatedLog | str | os.PathLike[str]) -> LogSummary:
    """Sum up which clients were refused and filtered most.

    Parameters
    ----------
    log : FederatedLog or path-like

    Returns
    -------
    LogSummary

    Examples
    --------
    >>> lines = [ClientLine(round=t, client=c, status="admitted", filtered=c == "7") for t in (1, 2) for c in "67"]
    >>> print(summarize_log(FederatedLog(tuple(lines), ())).lines()[1])
    client 7: filtered in 2, refused in 0 of 2 rounds
    """
    read = log if isinstance(log, FederatedLog) else read_log(log)
    lines = [line for line in read.clients if line.stage == "train"]
    reputation = Reputation()
    ranks: dict[str, list[float]] = defaultdict(list)
    of_client: dict[str, list[ClientLine]] = defaultdict(list)
    for in_round in _by_round(lines):
        for client, rank in reputation.observe(in_round).items():
            ranks[client].append(rank)
        for line in in_round:
            of_client[line.client].append(line)
    rounds = [line for line in read.rounds if line.stage == "train"]
    unchanged = [line for line in rounds if not line.aggregated]
    totals = [_totals(client, said, ranks[client], reputation.score(client)) for client, said in of_client.items()]
    totals.sort(key=lambda total: (-total.suspicious, total.client))
    return LogSummary(tuple(totals), len(rounds), len(unchanged), unchanged[-1].reason if unchanged else "")


def _by_round(lines: list[ClientLine]) -> list[list[ClientLine]]:
    # A log that goes on may count its rounds from 1 again: rounds are runs of equal numbers.
    rounds: list[list[ClientLine]] = []
    for line in lines:
        if not rounds or rounds[-1][-1].round != line.round:
            rounds.append([])
        rounds[-1].append(line)
    return rounds


def _totals(client: str, lines: list[ClientLine], ranks: list[float], reputation: float) -> ClientTotals:
    declared = [line.declared for line in lines if line.declared is not None]
    reasons = [line.reason for line in lines if line.status == "refused"]
    return ClientTotals(
        client=client,
        rounds=sum(line.status != "refused" or line.counted for line in lines),
        refused=sum(line.status == "refused" for line in lines),
        missing=sum(line.status == "missing" for line in lines),
        filtered=sum(line.filtered for line in lines),
        largest_declared=max(declared, default=None),
        distance_rank=median(ranks) if ranks else None,
        reputation=reputation,
        last_reason=reasons[-1] if reasons else "",
    )
