"""The server of a federated training: the rule, what it makes of a round, and whom it refuses or filters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from toadstone.core.arrays import Array, Mask
from toadstone.core.errors import InvalidArgument, InvalidInput
from toadstone.federated.aggregation.admission import admit
from toadstone.federated.aggregation.aggregate import aggregate, aggregate_with_evidence
from toadstone.federated.aggregation.agreement import FLTrust
from toadstone.federated.aggregation.coordinates import Mean
from toadstone.federated.aggregation.names import parse_rule
from toadstone.federated.aggregation.rule import Chain, Rule
from toadstone.federated.attacks.view import Messages
from toadstone.federated.simulation.clients import Clients


@dataclass(frozen=True, eq=False)
class Step:
    """The server's decision on one round.

    Parameters
    ----------
    vector : ndarray of shape (d,), optional
        What is added to the model; None if the model stays as it is.
    refused : ndarray of bool of shape (n,)
        Messages that never entered.
    filtered : ndarray of bool of shape (n,), optional
        Messages that entered and got no weight; None if the rule decides
        coordinate by coordinate.
    """

    vector: Array | None
    refused: Mask
    filtered: Mask | None = None


@dataclass(eq=False)
class Server:
    """The rule with what it carries from round to round, and the malicious clients that it guards against.

    Parameters
    ----------
    rule : Rule
    malicious : int
    root : Clients, optional
        The server's own rows, as those of a client, for a rule that compares
        updates with one of its own.
    """

    rule: Rule
    malicious: int
    root: Clients | None = None

    @classmethod
    def of(cls, rule: str | Rule, malicious: int, root: Clients | None) -> Server:
        """Build a server from a rule or its name; the mean, which withstands nobody, guards against nobody.

        Raises
        ------
        InvalidArgument
            If the rule needs rows of the server, and there are none.
        """
        chosen = parse_rule(rule)
        inner = chosen.rule if isinstance(chosen, Chain) else chosen
        if isinstance(inner, FLTrust) and root is None:
            raise InvalidArgument("root", f"rows that the server trusts, for the rule {chosen.spec}", None)
        return cls(chosen, 0 if isinstance(chosen, Mean) else malicious, root)

    def prepare(self, weights: Array) -> None:
        """Train on the server's own rows, if a rule needs their update."""
        if self.root is not None:
            self.rule = _rooted(self.rule, self.root.messages(weights)[0])

    def check(self, messages: Messages) -> None:
        """Refuse a rule that has too few clients even if all are honest, which is no fault of a round.

        Raises
        ------
        InvalidInput
        """
        aggregate_with_evidence(messages, self.rule, malicious=self.malicious)

    def answer(self, updates: Array) -> Array:
        """Return what the rule would make of updates, shape (n, d), without evidence; shape (d,)."""
        return aggregate(updates, self.rule, malicious=self.malicious)

    def step(self, messages: Messages) -> Step:
        """Aggregate the messages of a round; one that the rule refuses leaves the model as it is."""
        refused = np.zeros(len(messages), dtype=bool)
        try:
            found = aggregate_with_evidence(messages, self.rule, malicious=self.malicious)
        except InvalidInput:
            refused[[message.client for message in admit(messages).refused]] = True
            return Step(None, refused)
        refused[[message.client for message in found.refused]] = True
        self.rule = found.next_rule
        tells = found.coefficients is not None or bool(found.filtered.any())
        return Step(None if found.nothing else found.vector, refused, found.filtered if tells else None)


def _rooted(rule: Rule, update: Array) -> Rule:
    """Give a rule the update of the server's own rows."""
    if isinstance(rule, Chain):
        return Chain(rule.before, _rooted(rule.rule, update))
    return replace(rule, root=update) if isinstance(rule, FLTrust) else rule
