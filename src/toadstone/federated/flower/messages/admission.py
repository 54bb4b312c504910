"""Which replies of a round enter: from a node that was selected, once, to this round's message, and well formed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, Message, MetricRecord, RecordDict
from numpy.typing import NDArray

from toadstone.federated.flower.messages.serialized import Unreadable, shown
from toadstone.federated.flower.updates.model import ServerModel
from toadstone.federated.history.log import ClientLine, Stage


@dataclass(frozen=True)
class Invitation:
    """The messages that a strategy sent in one round.

    Parameters
    ----------
    round : int
    stage : {"train", "evaluate"}
    sent : dict of int to list of metadata
        By node. Message identifiers are filled in when they are pushed, so
        metadata are kept, not identifiers.
    """

    round: int
    stage: Stage
    sent: dict[int, list[Any]]

    @classmethod
    def of(cls, server_round: int, stage: Stage, messages: Iterable[Message]) -> Invitation:
        """Note to whom messages go."""
        sent: dict[int, list[Any]] = {}
        for message in messages:
            sent.setdefault(message.metadata.dst_node_id, []).append(message.metadata)
        return cls(server_round, stage, sent)

    def answers(self, reply: Message) -> bool:
        """Return True if a reply is to one of this round's messages to its node."""
        asked = {metadata.message_id for metadata in self.sent[reply.metadata.src_node_id]}
        # A grid that gives no identifiers leaves only the node to go by.
        return "" in asked or reply.metadata.reply_to_message_id in asked


@dataclass(frozen=True, eq=False)
class Contribution:
    """An admitted reply.

    Parameters
    ----------
    node : int
    reply : Message
    metrics : MetricRecord
    declared : float, optional
        Number of examples that it declares.
    arrays : dict of str to ndarray
        Integers and factors of adapters; the rest lies in the client's row.
    """

    node: int
    reply: Message
    metrics: MetricRecord
    declared: float | None
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(eq=False)
class Admission:
    """Replies of a round, sorted.

    Parameters
    ----------
    invitation : Invitation
    admitted : list of Contribution
    turned_away : list of ClientLine
        Refused and missing ones.
    """

    invitation: Invitation
    admitted: list[Contribution] = field(default_factory=list)
    turned_away: list[ClientLine] = field(default_factory=list)

    @property
    def counted(self) -> int:
        """Selected clients that are out of the round because what they sent cannot be used."""
        return sum(line.counted for line in self.turned_away)

    @property
    def refused(self) -> int:
        """Number of refused messages."""
        return sum(line.status == "refused" for line in self.turned_away)

    @property
    def missing(self) -> int:
        """Number of selected clients that sent nothing, or an error."""
        return sum(line.status == "missing" for line in self.turned_away)

    def turn_away(self, node: int, reason: str, *, counted: bool, declared: float | None = None) -> None:
        """Refuse a message."""
        self.turned_away.append(
            ClientLine(
                round=self.invitation.round,
                client=str(node),
                status="refused",
                reason=reason,
                counted=counted,
                declared=declared,
                stage=self.invitation.stage,
            )
        )

    def miss(self, node: int, reason: str) -> None:
        """Note that a selected client sent nothing of use to anybody, which honest ones do too."""
        where = self.invitation
        line = ClientLine(round=where.round, client=str(node), status="missing", reason=reason, stage=where.stage)
        self.turned_away.append(line)


class Malformed(Exception):
    """A message that its sender, had it kept to the protocol, would not have sent; the text says why."""


def admit(
    replies: Iterable[Message],
    invitation: Invitation,
    *,
    weighted_by: str,
    model: ServerModel | None = None,
    rows: NDArray[Any] | None = None,
) -> Admission:
    """Sort the replies of a round, and write the updates of those admitted into rows.

    Parameters
    ----------
    replies : iterable of Message
    invitation : Invitation
    weighted_by : str
        Key of the metrics that holds the number of examples.
    model : ServerModel, optional
        What the arrays must look like. Without, in evaluation, they may not be
        there.
    rows : ndarray of shape (selected, model.width), optional

    Returns
    -------
    Admission
        Row i belongs to ``admitted[i]``.
    """
    admission = Admission(invitation)
    seen: set[int] = set()
    for reply in replies:
        node = reply.metadata.src_node_id
        if not _has_place(reply, invitation, seen, admission):
            continue
        seen.add(node)
        if reply.has_error():
            admission.miss(node, f"it reports an error: {shown(reply.error.reason, 200)}")
            continue
        row = None if rows is None else rows[len(admission.admitted)]
        declared = None
        try:
            metrics = _only(reply.content, MetricRecord)
            declared = _declared(metrics, weighted_by)
            arrays = {} if model is None or row is None else _arrays(reply.content, model, row)
        except (Malformed, Unreadable) as refusal:
            admission.turn_away(node, str(refusal), counted=True, declared=declared)
            continue
        admission.admitted.append(Contribution(node, reply, metrics, declared, arrays))
    for node in invitation.sent:
        if node not in seen:
            admission.miss(node, "it sent no reply")
    return admission


def _has_place(reply: Message, invitation: Invitation, seen: set[int], admission: Admission) -> bool:
    """Check that a reply is the one of a selected node to this round; if not, it takes the place of nobody."""
    node = reply.metadata.src_node_id
    if node not in invitation.sent:
        reason = f"its node was not selected in round {invitation.round}"
    elif not invitation.answers(reply):
        reason = f"it answers no message of round {invitation.round}"
    elif node in seen:
        reason = f"its node has already replied in round {invitation.round}"
    else:
        return True
    admission.turn_away(node, reason, counted=False)
    return False


def _only(content: RecordDict, kind: type[Any]) -> Any:
    records = [record for record in content.values() if isinstance(record, kind)]
    if len(records) != 1:
        raise Malformed(f"it has {len(records)} records of type {kind.__name__}, not one")
    return records[0]


def _declared(metrics: MetricRecord, key: str) -> float | None:
    """Return the number of examples that a client declares, none if it does not."""
    if key not in metrics:
        return None
    value = metrics[key]
    if isinstance(value, bool | list) or not isinstance(value, int | float):
        raise Malformed(f"{key!r} is a {type(value).__name__}, not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not 0 <= number < math.inf:
        raise Malformed(f"{key!r} is {number}, not a number of examples")
    return number


def _arrays(content: RecordDict, model: ServerModel, row: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Write the update of a reply into its row; return arrays that are aggregated otherwise."""
    record = _only(content, ArrayRecord)
    if set(record) != set(model.arrays):
        raise Malformed(_wrong_keys(set(record), set(model.arrays)))
    arrays = model.read(record)
    model.subtract(arrays, row)
    factors = {key for pair in model.adapters for key in (pair.a, pair.b)}
    return {key: arrays[key] for key in arrays if key in factors or key in model.integers}


def _wrong_keys(got: set[str], expected: set[str]) -> str:
    lacking, strange = sorted(expected - got), sorted(got - expected)
    said = [f"it lacks {len(lacking)} arrays, such as {lacking[0]!r}"] if lacking else []
    said += [f"it has {len(strange)} arrays that the model has not, such as {strange[0][:40]!a}"] if strange else []
    return " and ".join(said)


def refuse_not_finite(admission: Admission, rows: NDArray[Any], model: ServerModel) -> None:
    """Refuse admitted clients whose updates are not finite, and close the gaps that they leave in the rows."""
    kept: list[Contribution] = []
    for position, client in enumerate(admission.admitted):
        key = _not_finite(rows[position], client.arrays, model)
        if key is not None:
            reason = f"array {key!r} is not finite, or too far from the server's"
            admission.turn_away(client.node, reason, counted=True, declared=client.declared)
            continue
        if position > len(kept):
            rows[len(kept)] = rows[position]
        kept.append(client)
    admission.admitted[:] = kept


def _not_finite(row: NDArray[Any], arrays: dict[str, NDArray[Any]], model: ServerModel) -> str | None:
    for key, columns in model.columns.items():
        if not np.isfinite(row[columns]).all():
            return key
    for key, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            return key
    return None
