"""Rounds of a federated training in one process, with malicious clients and a robust rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator
from threadpoolctl import threadpool_limits

from toadstone.core.arrays import Array, IntArray, Mask
from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.federated.aggregation.rule import Rule
from toadstone.federated.attacks.trigger import BackdoorTrigger
from toadstone.federated.attacks.view import ClientAttack, Messages, PoisonsRows, RoundView
from toadstone.federated.simulation.clients import ClientModel, ClientRows, Clients
from toadstone.federated.simulation.results import FederationRun, FederationSetting, Tally
from toadstone.federated.simulation.server import Server

_WHO, _MODEL, _HONEST, _POISONED, _ATTACK, _ROOT = range(6)
"""Parts of the seed, so that a draw for one purpose moves no other."""


def run_federation(
    model: ClientModel,
    clients: Sequence[ClientRows],
    test: ClientRows,
    *,
    rule: str | Rule,
    malicious: int,
    attack: ClientAttack | None = None,
    setting: FederationSetting | None = None,
) -> FederationRun:
    """Train a model on the rows of clients some of which are malicious.

    In each round all clients train from the server's model and send momenta of
    their updates; the malicious ones send what the attack makes of what they
    know. The server adds what the rule makes of all messages. A seed gives the
    same bytes for any number of threads, and the honest clients draw the same
    batches under every attack.

    Parameters
    ----------
    model : ClientModel
    clients : sequence of (X, y)
        Rows of each client, and positions of their classes.
    test : (X, y)
    rule : str or Rule
        A name that `rules` lists, with pre-aggregations before it, or an
        object for other options.
    malicious : int
        Number of malicious clients, f. The rule guards against as many; the
        mean, which withstands none, runs all the same.
    attack : ClientAttack, optional
        Without one all clients are honest, and the rule guards against
        `malicious` of them all the same.
    setting : FederationSetting, optional

    Returns
    -------
    FederationRun

    Raises
    ------
    InvalidArgument
        If no client is honest, an attack has no client, the rule needs rows
        of the server, or the trigger's target is no class.
    InvalidInput
        If there are too few clients for the rule.
    InvalidData
        If a client has no rows or classes that do not exist, or there are no
        test rows.

    References
    ----------
    .. [1] Allouah, Farhadkhani, Guerraoui, Gupta, Pinot and Stephan, "Fixing
       by mixing: a recipe for optimal Byzantine ML under heterogeneity",
       AISTATS 2023, algorithm 1.

    Examples
    --------
    >>> from toadstone.federated.simulation.softmax import SoftmaxModel
    >>> X, y = np.array([[-1.0], [1.0]]), np.array([0, 1])
    >>> run = run_federation(
    ...     SoftmaxModel(features=1, classes=2), [(X, y)] * 3, (X, y), rule="trimmed-mean", malicious=1,
    ...     setting=FederationSetting(rounds=10))
    >>> run.rounds_at, run.final
    ((0, 5, 10), 1.0)
    """
    here = setting or FederationSetting()
    _check(clients, test, malicious, attack)
    _check_rows(clients, model.classes, _trigger(here, attack))
    own = None if here.root is None else Clients.of_seed(model, [here.root], here.momentum, (here.seed, _ROOT))
    server = Server.of(rule, malicious, own)
    with threadpool_limits(1, user_api="blas"):
        return _Federation(model, clients, test, server, malicious, attack, here).run()


@dataclass(eq=False)
class _Federation:
    model: ClientModel
    clients: Sequence[ClientRows]
    test: ClientRows
    server: Server
    malicious: int
    attack: ClientAttack | None
    setting: FederationSetting
    memory: dict[str, Any] = field(default_factory=dict)

    def run(self) -> FederationRun:
        setting = self.setting
        bad = self._malicious()
        clients = Clients.of_seed(self.model, self.clients, setting.momentum, (setting.seed, _HONEST))
        poisoned = self._poisoned_clients(bad)
        chance = np.random.default_rng([setting.seed, _ATTACK])
        weights = self.model.initial(np.random.default_rng([setting.seed, _MODEL]))
        tally, measured = Tally(bad), [(0, self._accuracy(weights))]
        for number in range(1, setting.rounds + 1):
            messages = clients.messages(weights)
            self.server.prepare(weights)
            if number == 1:
                self.server.check(messages)
            if np.isfinite(messages).all():
                extra = None if poisoned is None else poisoned.messages(weights)
                step = self.server.step(self._sent(number, weights, messages, extra, bad, chance))
                tally.add(step, messages[~bad])
                weights = weights if step.vector is None else weights + step.vector
            else:
                # The model is beyond what float32 holds, and nobody can train it any more.
                tally.lose()
            if number % setting.evaluate_every == 0 or number == setting.rounds:
                measured.append((number, self._accuracy(weights)))
        return self._result(weights, tally, measured)

    def _malicious(self) -> Mask:
        bad = np.zeros(len(self.clients), dtype=bool)
        if self.attack is not None:
            who = np.random.default_rng([self.setting.seed, _WHO])
            bad[who.permutation(len(bad))[: self.malicious]] = True
        return bad

    def _poisoned_clients(self, bad: Mask) -> Clients | None:
        if not isinstance(self.attack, PoisonsRows):
            return None
        attack, classes = self.attack, self.model.classes
        changed = [
            attack.poison_rows(*self.clients[client], member, classes)
            for member, client in enumerate(np.flatnonzero(bad).tolist())
        ]
        return Clients.of_seed(self.model, changed, self.setting.momentum, (self.setting.seed, _POISONED))

    def _sent(
        self, number: int, weights: Array, messages: Array, extra: Array | None, bad: Mask, chance: Generator
    ) -> Messages:
        """Return the messages of all clients, those of the malicious ones as the attack makes them."""
        if self.attack is None:
            return messages
        knows = self.attack.knowledge
        made = self.attack.send(
            RoundView(
                round=number,
                rounds=self.setting.rounds,
                clients=len(bad),
                malicious=int(bad.sum()),
                server=weights,
                own=messages[bad],
                poisoned=extra,
                honest=None if knows == "own" else messages[~bad],
                rule=self.server.answer if knows == "rule" else None,
                memory=self.memory,
            ),
            chance,
        )
        if isinstance(made, np.ndarray):
            sent = messages.copy()
            sent[bad] = made
            return sent
        mixed: list[Any] = list(messages)
        for client, message in zip(np.flatnonzero(bad).tolist(), made, strict=True):
            mixed[client] = message
        return mixed

    def _accuracy(self, weights: Array) -> float:
        X, y = self.test
        return float(np.mean(self.model.predict(weights, X) == y))

    def _result(self, weights: Array, tally: Tally, measured: list[tuple[int, float]]) -> FederationRun:
        trigger = _trigger(self.setting, self.attack)
        return FederationRun(
            rounds_at=tuple(at for at, _ in measured),
            accuracy=tuple(share for _, share in measured),
            success=None if trigger is None else backdoor_hits(self.model, weights, self.test, trigger),
            refused=tally.refused / (self.setting.rounds * len(self.clients)),
            malicious_filtered=tally.share_filtered(1),
            honest_filtered=tally.share_filtered(0),
            unchanged_rounds=tally.unchanged,
            heterogeneity=tally.spread / max(tally.rounds, 1),
            kappa=tally.kappa,
            malicious_clients=tuple(np.flatnonzero(tally.malicious).tolist()),
            weights=weights,
        )


def backdoor_hits(model: ClientModel, weights: Array, test: ClientRows, trigger: BackdoorTrigger) -> tuple[int, int]:
    """Count the test rows that a trigger turns into its target class.

    Parameters
    ----------
    model : ClientModel
    weights : ndarray of shape (d,)
    test : (X, y)
    trigger : BackdoorTrigger

    Returns
    -------
    hits, of : int
        Rows predicted as the target with the trigger; rows of other classes
        that are not so predicted without it.

    Examples
    --------
    >>> from toadstone.federated.simulation.softmax import SoftmaxModel
    >>> model, X = SoftmaxModel(features=2, classes=2), np.array([[1.0, 0.0], [2.0, 0.0], [-1.0, 0.0]])
    >>> weights = np.array([0.0, 1.0, 5.0, 0.0, 0.0, 0.0])
    >>> backdoor_hits(model, weights, (X, np.array([1, 1, 0])), BackdoorTrigger(features=(1,), values=(0.3,)))
    (1, 2)
    """
    X, y = test
    rows = np.flatnonzero((y != trigger.target) & (model.predict(weights, X) != trigger.target))
    if len(rows) == 0:
        return 0, 0
    called: IntArray = model.predict(weights, trigger.apply(X[rows]))
    return int(np.count_nonzero(called == trigger.target)), len(rows)


def _trigger(setting: FederationSetting, attack: ClientAttack | None) -> BackdoorTrigger | None:
    own: BackdoorTrigger | None = getattr(attack, "trigger", None)
    return setting.trigger or own


def _check(clients: Sequence[ClientRows], test: ClientRows, malicious: int, attack: ClientAttack | None) -> None:
    check_count(0 if attack is None else 1, malicious=malicious)
    if malicious >= len(clients):
        raise InvalidArgument("malicious", f"less than {len(clients)}, the number of clients", malicious)
    if len(test[1]) == 0:
        raise InvalidData("test: expected at least one row, got none")


def _check_rows(clients: Sequence[ClientRows], classes: int, trigger: BackdoorTrigger | None) -> None:
    for client, (X, y) in enumerate(clients):
        if len(y) == 0:
            raise InvalidData(f"clients: expected at least one row each, got none for client {client}")
        if X.shape[0] != len(y):
            raise InvalidData(
                f"clients: expected a class for each of {X.shape[0]} rows of client {client}, got {len(y)}"
            )
        if not 0 <= int(np.min(y)) <= int(np.max(y)) < classes:
            wrong = int(np.min(y)) if np.min(y) < 0 else int(np.max(y))
            raise InvalidData(f"clients: expected classes from 0 to {classes - 1}, got {wrong} for client {client}")
    if trigger is not None and trigger.target >= classes:
        raise InvalidArgument("target", f"a class from 0 to {classes - 1}", trigger.target)
