"""A grid that calls a ClientApp within this process: for tests of an app, without a SuperLink and without Ray."""

from __future__ import annotations

import copy
import itertools
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flwr.app import Context, Error, Message, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid

from toadstone.core.checks import check_count

_RUN = 1
_SERVER = 1
_RAISED = 2
"""Flower's code of an app that raised."""
_LOGGER = logging.getLogger("flwr")


class InProcessGrid(Grid):
    """Runs rounds of an app within this process, one client after the other.

    Nodes are numbered from 1, and each keeps its context between rounds. As in
    Flower's simulation, a client's ``node_config`` holds its ``partition-id``
    and ``num-partitions``. A client that raises answers with an error, as it
    does in a deployment, and its traceback goes to Flower's log.

    Parameters
    ----------
    app : ClientApp or callable
        One for all clients, or a function from the partition to its app: so a
        test can have malicious clients.
    nodes : int
    run_config : mapping, optional

    Examples
    --------
    >>> from flwr.app import ArrayRecord, Message
    >>> from flwr.serverapp.strategy import FedAvg
    >>> app = ClientApp()
    >>> @app.train()
    ... def train(message, context):
    ...     return Message(message.content, reply_to=message)
    >>> InProcessGrid(app, nodes=3).get_node_ids()
    [1, 2, 3]
    """

    def __init__(
        self,
        app: ClientApp | Callable[[int], ClientApp],
        *,
        nodes: int,
        run_config: Mapping[str, bool | float | int | str] | None = None,
    ) -> None:
        check_count(nodes=nodes)
        _be_a_server()
        self._apps = [app if isinstance(app, ClientApp) else app(partition) for partition in range(nodes)]
        self._contexts = [
            Context(
                run_id=_RUN,
                node_id=partition + 1,
                node_config={"partition-id": partition, "num-partitions": nodes},
                state=RecordDict(),
                run_config=dict(run_config or {}),
            )
            for partition in range(nodes)
        ]
        self._numbers = itertools.count(1)
        self._replies: dict[str, Message] = {}

    def set_run(self, run: Any) -> None:
        """Do nothing: there is one run."""

    @property
    def run(self) -> Any:
        """Not there: nothing is deployed."""
        raise NotImplementedError("InProcessGrid: no run is deployed")

    def create_message(
        self, content: RecordDict, message_type: str, dst_node_id: int, group_id: str, ttl: float | None = None
    ) -> Message:
        """Create a message to a node."""
        return Message(content, dst_node_id, message_type, ttl=ttl, group_id=group_id)

    def get_node_ids(self) -> list[int]:
        """Return the numbers of all nodes, from 1."""
        return [context.node_id for context in self._contexts]

    def push_messages(self, messages: Iterable[Message]) -> list[str]:
        """Have clients answer at once; return identifiers by which the replies are pulled."""
        identifiers = []
        for message in messages:
            identifier = f"message-{next(self._numbers)}"
            message.metadata.__dict__["_message_id"] = identifier
            self._replies[identifier] = self._answer(message)
            identifiers.append(identifier)
        return identifiers

    def pull_messages(self, message_ids: Iterable[str]) -> list[Message]:
        """Return the replies to messages, each once."""
        return [self._replies.pop(identifier) for identifier in message_ids if identifier in self._replies]

    def send_and_receive(self, messages: Iterable[Message], *, timeout: float | None = None) -> list[Message]:
        """Push messages and return all replies; no time is limited."""
        return self.pull_messages(self.push_messages(messages))

    def _answer(self, message: Message) -> Message:
        place = message.metadata.dst_node_id - 1
        received = copy.copy(message)
        # A client gets what it could change in a copy, as over a network; the bytes of arrays cannot be changed.
        received.content = copy.deepcopy(message.content)
        try:
            return self._apps[place](received, self._contexts[place])
        except Exception as error:
            _LOGGER.exception("ClientApp of node %s raised", place + 1)
            return Message(Error(code=_RAISED, reason=f"{type(error).__name__}: {error}"), reply_to=message)


def _be_a_server() -> None:
    """Let messages be made in this process: from Flower 1.38 on they ask for the task that makes them."""
    try:
        from flwr.supercore.task_identity import TaskIdentity
    except ImportError:
        return
    for name, value in (("task_id", 1), ("run_id", _RUN), ("node_id", _SERVER)):
        try:
            getattr(TaskIdentity, name)
        except RuntimeError:
            setattr(TaskIdentity, name, value)
