"""Clients of a log that are worth a look, and what speaks against each."""

from __future__ import annotations

import importlib.util
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import narwhals as nw

from toadstone.core.errors import InvalidArgument
from toadstone.federated.history.log import ClientLine, FederatedLog, RoundLine, read_log
from toadstone.federated.history.totals import ClientTotals, client_totals


@dataclass(frozen=True, kw_only=True)
class LogSummary:
    """Clients of a run, those with most evidence against them first.

    Parameters
    ----------
    clients : tuple of ClientTotals
    rounds, unchanged : int
        Rounds of training, and those of them that left the model as it was.
    last_reason : str
        Why the latest of these did.
    left_out : str
        How many clients the rule leaves out in every round, where these are
        more than may be malicious; else empty.
    groups : tuple of int, optional
        Means of groups that were seen, refused and filtered, over all rounds;
        none where clients were seen.
    run, runs : int
        Number of the run in the log, from 1, and how many the log holds.
    """

    clients: tuple[ClientTotals, ...]
    rounds: int
    unchanged: int
    last_reason: str = ""
    left_out: str = ""
    groups: tuple[int, int, int] | None = None
    run: int = 1
    runs: int = 1

    def lines(self, most: int = 20) -> list[str]:
        """Say it in lines, with at most so many clients."""
        named = [client for client in self.clients if client.to_look_at]
        said = [f"look at {len(named)} of {len(self.clients)} clients: {_names(named, most)}"]
        if not named:
            said = ["no client stands out"] if self.groups is None else ["no client was refused"]
        said += [f"client {client.client}: {_against(client, self.groups)}" for client in named[:most]]
        others = [client for client in self.clients if client.filtered and not client.to_look_at]
        if others:
            said.append(f"filtered no more often than the rule leaves out anyway: {_names(others, most)}")
        if self.left_out:
            said.append(self.left_out)
        if self.groups is not None:
            seen, refused, filtered = self.groups
            said.append(
                f"by group, drawn anew each round: {seen} means were seen, {refused} refused, {filtered} filtered; "
                "the number of a group stands for other clients in each round"
            )
        said.append(f"{self.rounds} rounds, {self.unchanged} of them left the model as it was")
        if self.last_reason:
            said.append(f"the latest because {self.last_reason}")
        if self.runs > 1:
            said.append(f"run {self.run} of the {self.runs} in this log")
        return said

    def to_frame(self) -> Any:
        """Return the clients as a data frame of pandas, or of pyarrow where pandas is not installed."""
        columns: dict[str, list[Any]] = defaultdict(list)
        for client in self.clients:
            for name, value in {**asdict(client), "evidence": client.evidence}.items():
                columns[name].append(value)
        backend: Literal["pandas", "pyarrow"] = "pandas" if importlib.util.find_spec("pandas") else "pyarrow"
        return nw.from_dict(dict(columns), backend=backend).to_native()

    def __str__(self) -> str:
        return "\n".join(self.lines())


def summarize_log(log: FederatedLog | str | os.PathLike[str], *, run: int | None = None) -> LogSummary:
    """Name the clients that are worth a look, and say why.

    These are the clients that were refused, that the rule left out more often
    than it would by lot, or that were among the f farthest from the aggregate
    in most rounds. Rules that keep coordinates, such as the trimmed mean,
    leave out no client; only distances speak there.

    Parameters
    ----------
    log : FederatedLog or path-like
    run : int, optional
        Number of the run, from 1, of a log to which several were appended; by
        default the last.

    Returns
    -------
    LogSummary

    Raises
    ------
    InvalidArgument
        If the log cannot be read, or has no such run.
    InvalidData
        If it is no log.

    Examples
    --------
    >>> lines = [
    ...     ClientLine(round=t, client=c, status="admitted", distance=9.0 if c == "7" else 1.0)
    ...     for t in (1, 2)
    ...     for c in "5678"
    ... ]
    >>> print("; ".join(summarize_log(FederatedLog(tuple(lines), ())).lines()[:2]))
    look at 1 of 4 clients: 7; client 7: one of the farthest in 2 of 2 rounds, at 9 times the clients' median distance
    """
    read = log if isinstance(log, FederatedLog) else read_log(log)
    runs = read.runs
    number = len(runs) if run is None else run
    if isinstance(run, bool) or not isinstance(number, int) or not 1 <= number <= len(runs):
        raise InvalidArgument("run", f"the number of a run of the log, from 1 to {len(runs)}", run)
    chosen = runs[number - 1]
    lines = [line for line in chosen.clients if line.stage == "train"]
    rounds = [line for line in chosen.rounds if line.stage == "train"]
    unchanged = [line for line in rounds if not line.aggregated]
    groups = [line for line in lines if line.is_group]
    by_round = _by_round([line for line in lines if not line.is_group])
    malicious = {line.round: line.malicious for line in rounds}
    return LogSummary(
        clients=tuple(client_totals(by_round, [malicious.get(part[0].round, 0) for part in by_round])),
        rounds=len(rounds),
        unchanged=len(unchanged),
        last_reason=unchanged[-1].reason if unchanged else "",
        left_out="" if groups else _left_out(rounds),
        groups=_of_groups(groups) if groups else None,
        run=number,
        runs=len(runs),
    )


def _by_round(lines: Sequence[ClientLine]) -> list[list[ClientLine]]:
    # A log that goes on may count its rounds from 1 again: rounds are runs of equal numbers.
    rounds: list[list[ClientLine]] = []
    for line in lines:
        if not rounds or rounds[-1][-1].round != line.round:
            rounds.append([])
        rounds[-1].append(line)
    return rounds


def _left_out(rounds: Sequence[RoundLine]) -> str:
    """Say how many clients a rule such as multi-krum, which leaves out f + 2, leaves out in every round."""
    counted = [line for line in rounds if line.aggregated]
    if not counted or any(line.filtered <= line.malicious_left for line in counted):
        return ""
    fewest, most = min(line.filtered for line in counted), max(line.filtered for line in counted)
    last = counted[-1]
    many = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    return (
        f"{last.rule} leaves out {many} clients in every round where {last.malicious_left} may be malicious, honest "
        "ones among them: being filtered alone is no sign"
    )


def _of_groups(lines: Sequence[ClientLine]) -> tuple[int, int, int]:
    return len(lines), sum(line.status == "refused" for line in lines), sum(line.filtered for line in lines)


def _names(clients: Sequence[ClientTotals], most: int) -> str:
    more = f" and {len(clients) - most} more" if len(clients) > most else ""
    return ", ".join(client.client for client in clients[:most]) + more


def _against(client: ClientTotals, groups: tuple[int, int, int] | None) -> str:
    # Where groups are seen, the rounds in which a client was admitted are not in the log.
    of = "" if groups is not None else f" of {client.rounds}"
    said = []
    if client.refused:
        reason = f" ({client.last_reason})" if client.last_reason else ""
        said.append(f"refused in {client.refused}{of} rounds{reason}")
    if client.filtered:
        said.append(
            f"filtered in {client.filtered}{of} rounds, where this rule filters a client in "
            f"{client.filtered_anyway:.1f} on average"
        )
    if client.farthest:
        said.append(f"one of the farthest in {client.farthest}{of} rounds")
    if client.distance is not None:
        said.append(f"at {client.distance:.3g} times the clients' median distance")
    if client.cosine is not None:
        said.append(f"cosine {client.cosine:.2f} to the aggregate")
    if client.largest_declared is not None:
        said.append(f"declared at most {client.largest_declared:g} examples")
    return ", ".join(said)
