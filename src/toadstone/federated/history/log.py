"""The log of a federation: one JSON line a client and round, one a round and one a run."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeVar, get_args

from toadstone.core.errors import InvalidArgument, InvalidData

FORMAT = "toadstone-federated-log/1"
GROUP = "group "
"""Beginning of the names of groups; those of clients are numbers of nodes."""
Stage = Literal["train", "evaluate"]
_FIRST = json.dumps({"kind": "run", "format": FORMAT})[:-1].encode()
"""Beginning of the first line of a log."""
Status = Literal["admitted", "refused", "missing"]
Line = TypeVar("Line", "ClientLine", "RoundLine")


@dataclass(frozen=True, kw_only=True)
class ClientLine:
    """Fate of one client, or of one group of clients, in one round.

    Parameters
    ----------
    round : int
    client : str
        Identifier of its node; ``"group 3"`` where only means of groups are
        seen.
    status : {"admitted", "refused", "missing"}
        Missing: it sent nothing, or an error.
    reason : str
        Why it was refused, or what it reported.
    counted : bool
        Whether the refusal was counted against the number of malicious
        clients. A stranger, a late reply and a second one are not: they take
        no place among the selected clients.
    suspicion, threshold : float, optional
        Larger is more suspicious; none where the rule rates no clients.
    measure : str
        What the suspicion is, in words.
    filtered : bool
        Whether the rule gave it no weight.
    coefficient : float, optional
        Its share in the aggregate; none for coordinate-wise rules.
    declared : float, optional
        Number of examples that it declares.
    norm, distance, cosine : float, optional
        Length of its update, its distance to the aggregate, and the cosine of
        the angle between both.
    """

    round: int
    client: str
    status: Status
    reason: str = ""
    counted: bool = False
    suspicion: float | None = None
    threshold: float | None = None
    measure: str = ""
    filtered: bool = False
    coefficient: float | None = None
    declared: float | None = None
    norm: float | None = None
    distance: float | None = None
    cosine: float | None = None
    stage: Stage = "train"

    @property
    def is_group(self) -> bool:
        """Return True if it is the mean of a group, whose number stands for other clients in each round."""
        return self.client.startswith(GROUP)


@dataclass(frozen=True, kw_only=True)
class RoundLine:
    """Outcome of one round.

    Parameters
    ----------
    round : int
    aggregated : bool
        False: the model stayed as it was, for the `reason`.
    rule : str
    malicious, malicious_left : int
        As given, and after refusals.
    selected, admitted, refused, missing : int
        Numbers of clients.
    filtered : int
        Number of clients, or of groups, to which the rule gave no weight.
    groups : int, optional
        Means of groups that the rule saw; none where it saw clients.
    weights : str
    shift : float, optional
        Length of the aggregated update.
    spread : float, optional
        Median distance of the admitted updates to it.
    tolerance, kappa : float, optional
        Of the rule, see `Aggregation`: what it proved of its optimum, and its
        published robustness coefficient for these numbers.
    time : str
        In UTC, as ISO 8601 writes it.
    reason : str
    notes : tuple of str
        Warnings.
    """

    round: int
    aggregated: bool
    rule: str = ""
    malicious: int = 0
    malicious_left: int = 0
    selected: int = 0
    admitted: int = 0
    refused: int = 0
    missing: int = 0
    filtered: int = 0
    groups: int | None = None
    weights: str = "equal"
    shift: float | None = None
    spread: float | None = None
    tolerance: float | None = None
    kappa: float | None = None
    time: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()
    stage: Stage = "train"


@dataclass(frozen=True)
class FederatedLog:
    """A log as read.

    Parameters
    ----------
    clients : tuple of ClientLine
    rounds : tuple of RoundLine
    begins : tuple of (int, int)
        For each run, how many lines of clients and of rounds come before it.
    """

    clients: tuple[ClientLine, ...]
    rounds: tuple[RoundLine, ...]
    begins: tuple[tuple[int, int], ...] = ((0, 0),)

    @property
    def runs(self) -> tuple[FederatedLog, ...]:
        """The log of each run that has a round, in order; one empty log if none has."""
        ends = [*self.begins[1:], (len(self.clients), len(self.rounds))]
        parts = [
            FederatedLog(self.clients[first:last], self.rounds[begin:end])
            for (first, begin), (last, end) in zip(self.begins, ends, strict=True)
        ]
        return tuple(part for part in parts if part.clients or part.rounds) or (FederatedLog((), ()),)


class LogWriter:
    """Appends whole lines to a log.

    Parameters
    ----------
    path : path-like
        A new file, or a log that goes on. The end of a line that a stopped
        machine left is removed.

    Raises
    ------
    InvalidArgument
        If the file is no log, or cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not isinstance(path, str | os.PathLike) or path == "":
            raise InvalidArgument("log", "the path of a file", repr(path))
        self.path = Path(path)
        try:
            _mend(self.path)
        except OSError as error:
            raise InvalidArgument("log", "a file that can be written", f"{self.path}: {error.strerror}") from None

    def begin(self, settings: Mapping[str, Any]) -> None:
        """Write the line that begins a run."""
        self._append([{"kind": "run", "format": FORMAT, **settings}])

    def write(self, clients: Iterable[ClientLine], closing: RoundLine) -> None:
        """Write the lines of a round: all of its clients, then the round."""
        self._append(
            [*({"kind": "client", **asdict(line)} for line in clients), {"kind": "round", **asdict(closing)}],
        )

    def _append(self, records: Iterable[Mapping[str, Any]]) -> None:
        # One write for all lines, to a file opened for appending: a run that is killed leaves whole lines.
        text = "".join(f"{json.dumps(_finite(record), allow_nan=False)}\n" for record in records)
        with self.path.open("ab", buffering=0) as stream:
            left = memoryview(text.encode())
            while left:
                left = left[stream.write(left) :]


def read_log(path: str | os.PathLike[str]) -> FederatedLog:
    """Read the log of a federation.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    FederatedLog
        Its lines for clients and rounds. A last line without its end, which a
        stopped machine leaves, is left out.

    Raises
    ------
    InvalidArgument
        If the file cannot be read.
    InvalidData
        If it is no log, or a line of it is damaged.
    """
    if not isinstance(path, str | os.PathLike):
        raise InvalidArgument("log", "the path of a file", repr(path))
    clients: list[ClientLine] = []
    rounds: list[RoundLine] = []
    begins: list[tuple[int, int]] = []
    try:
        with Path(path).open("rb") as stream:
            for place, record in _records(stream, str(path)):
                if record["kind"] == "client":
                    clients.append(_as(ClientLine, record, place))
                elif record["kind"] == "round":
                    rounds.append(_as(RoundLine, record, place))
                else:
                    begins.append((len(clients), len(rounds)))
    except OSError as error:
        raise InvalidArgument("log", "a file that can be read", f"{path}: {error.strerror}") from None
    return FederatedLog(tuple(clients), tuple(rounds), tuple(begins) or ((0, 0),))


def _records(stream: BinaryIO, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(stream, 1):
        place = f"{name}, line {number}"
        if not line.endswith(b"\n"):
            # A line that a stopped machine cut off is left out; other text without a line end is no log.
            if number == 1 and not (line.startswith(_FIRST) or _FIRST.startswith(line)):
                raise InvalidData(f"{place}: expected a log of format {FORMAT}, got {line[:40]!r}")
            return
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            raise InvalidData(f"{place}: expected a JSON object, got {line[:40]!r}") from None
        if not isinstance(record, dict) or record.get("kind") not in ("run", "client", "round"):
            raise InvalidData(f"{place}: expected a line of a run, a client or a round, got {line[:40]!r}")
        if number == 1 and record.get("format") != FORMAT:
            raise InvalidData(f"{place}: expected a log of format {FORMAT}, got {record.get('format')}")
        yield place, record


def _as(kind: type[Line], record: dict[str, Any], place: str) -> Line:
    known = {field.name for field in fields(kind)}
    values = {name: value for name, value in record.items() if name in known}
    for field in fields(kind):
        if field.name in values and not _fits(values[field.name], str(field.type)):
            raise InvalidData(f"{place}: expected {field.name} of type {field.type}, got {values[field.name]!r:.40}")
    if "notes" in values:
        values["notes"] = tuple(values["notes"])
    try:
        line = kind(**values)
    except TypeError:
        raise InvalidData(f"{place}: expected all of {', '.join(sorted(known))}") from None
    if isinstance(line, ClientLine) and line.status not in get_args(Status):
        raise InvalidData(f"{place}: expected a status of {', '.join(get_args(Status))}, got {line.status!r}")
    return line


def _fits(value: Any, declared: str) -> bool:
    if value is None:
        return declared.endswith("None")
    if declared.startswith("tuple"):
        return isinstance(value, list) and all(isinstance(entry, str) for entry in value)
    if declared.startswith("float"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if declared.startswith("int"):
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, bool if declared == "bool" else str)


def _finite(record: Mapping[str, Any]) -> dict[str, Any]:
    """Replace numbers that JSON does not know by null."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in record.items()
    }


def _mend(path: Path) -> None:
    if not path.exists() or not path.stat().st_size:
        path.touch()
        return
    with path.open("r+b") as stream:
        for _ in _records(stream, str(path)):
            break
        stream.seek(-1, os.SEEK_END)
        if stream.read(1) == b"\n":
            return
        # Lines are short beside this: the end of the last whole one is in the last megabyte.
        start = max(0, stream.seek(0, os.SEEK_END) - 2**20)
        stream.seek(start)
        stream.truncate(start + stream.read().rfind(b"\n") + 1)
