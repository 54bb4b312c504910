"""A strategy of Flower whose aggregation withstands malicious clients."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flwr.app import ArrayRecord, ConfigRecord, Message, MetricRecord
from flwr.serverapp import Grid
from flwr.serverapp.strategy import Result, Strategy

from toadstone.core.errors import InvalidArgument, InvalidInput
from toadstone.federated.flower.driver import Driver
from toadstone.federated.flower.enough import check_enough
from toadstone.federated.flower.messages.admission import Admission, Contribution, Invitation, admit
from toadstone.federated.flower.messages.handover import only_reply, record_of, restored
from toadstone.federated.flower.messages.metrics import robust_metrics
from toadstone.federated.flower.refusals import check_strategy
from toadstone.federated.flower.rounds import Defence, Outcome, aggregate_round
from toadstone.federated.flower.updates.buffer import new_rows
from toadstone.federated.flower.updates.model import ServerModel
from toadstone.federated.flower.weights import DOMINATED, weights_name
from toadstone.federated.history.log import ClientLine, LogWriter, RoundLine, Stage
from toadstone.federated.history.reputation import Reputation

_LOGGER = logging.getLogger("flwr")


class RobustStrategy(Strategy):
    """A strategy around another: it selects clients as that one does, and aggregates by a robust rule.

    The rule's result is handed to the inner strategy as the only reply of the
    round. Averages leave it as it is; a momentum or an adaptive optimizer at
    the server goes on with it.

    Parameters
    ----------
    strategy : Strategy
        It is not changed, and keeps its own state.
    defence : Defence
    log : path-like, optional
        File of JSON lines.

    Attributes
    ----------
    reputation : Reputation
        Of clients by node, for sampling and review.
    defence : Defence
        Its rule is that of the next round: centred clipping goes on from the
        last aggregate.
    """

    def __init__(self, strategy: Strategy, defence: Defence, *, log: str | os.PathLike[str] | None = None) -> None:
        check_strategy(strategy)
        self.strategy = strategy
        self.defence = defence
        self.reputation = Reputation()
        self._asked: dict[Stage, Invitation] = {}
        self._trained = False
        self._model: ServerModel | None = None
        self._log = None if log is None else LogWriter(log)
        self._settings: dict[str, Any] = {
            "rule": defence.rule.spec,
            "malicious": defence.malicious,
            "weights": weights_name(defence.weights),
        }
        if self._log is not None:
            self._log.begin({**self._settings, "strategy": type(strategy).__name__})

    @property
    def weighted_by(self) -> str:
        """Key of the metrics that holds the number of examples."""
        return str(getattr(self.strategy, "weighted_by_key", "num-examples"))

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """Have the inner strategy select clients, and note whom it selects and what they are sent.

        Raises
        ------
        InvalidInput
            In the first round, if the rule is not robust for so many clients;
            later rounds leave the model as it is.
        """
        messages = list(self.strategy.configure_train(server_round, arrays, config, grid))
        invitation = Invitation.of(server_round, "train", messages)
        if invitation.sent and not self._trained:
            self._check_first(invitation)
            self._trained = True
        self._asked["train"] = invitation
        self._model = ServerModel.sent(arrays, clients=len(invitation.sent), adapters=self.defence.adapters)
        return messages

    def configure_evaluate(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """Have the inner strategy select clients, and note whom it selects."""
        messages = list(self.strategy.configure_evaluate(server_round, arrays, config, grid))
        self._asked["evaluate"] = Invitation.of(server_round, "evaluate", messages)
        return messages

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        """Aggregate the replies of a round by the rule, or leave the model as it is and say so.

        Parameters
        ----------
        server_round : int
        replies : iterable of Message

        Returns
        -------
        arrays : ArrayRecord or None
            None: the model stays.
        metrics : MetricRecord or None
            Medians of the clients' metrics, each with its spread, and
            ``aggregated`` (1 or 0), ``clients``, ``refused``, ``missing`` and
            ``filtered``; with groups also ``groups``, the means that the rule
            saw, of which ``filtered`` are then some.
        """
        invitation = self._invitation("train", server_round)
        if not invitation.sent:
            arrays, metrics = self.strategy.aggregate_train(server_round, [])
            return arrays, metrics
        model = self._model
        assert model is not None
        rows = new_rows(len(invitation.sent), model.width, model.dtype)
        admission = admit(replies, invitation, weighted_by=self.weighted_by, model=model, rows=rows)
        try:
            outcome = aggregate_round(model, admission, rows, self.defence)
        except InvalidInput as refusal:
            return None, self._unchanged(admission, str(refusal))
        return self._hand_over(server_round, model, admission, outcome)

    def aggregate_evaluate(self, server_round: int, replies: Iterable[Message]) -> MetricRecord | None:
        """Take the median of each metric over the clients, with its spread.

        Parameters
        ----------
        server_round : int
        replies : iterable of Message

        Returns
        -------
        MetricRecord or None
            None if no client was asked.
        """
        invitation = self._invitation("evaluate", server_round)
        if not invitation.sent:
            return None
        admission = admit(replies, invitation, weighted_by=self.weighted_by)
        closing = self._closing(admission)
        if not admission.admitted:
            return self._say(admission.turned_away, replace(closing, reason="no reply was admitted"), MetricRecord())
        left = max(0, self.defence.malicious - admission.counted)
        medians, spreads = self._metrics(admission, left)
        reply = only_reply(admission.admitted, medians, weighted_by=self.weighted_by)
        metrics = self.strategy.aggregate_evaluate(server_round, [reply])
        lines = [*admission.turned_away, *(_evaluated(closing, client) for client in admission.admitted)]
        return self._say(lines, replace(closing, aggregated=True, malicious_left=left), metrics, spreads)

    def summary(self) -> None:
        """Log the rule, and then the settings of the inner strategy."""
        _LOGGER.info("\t├──> Robust aggregation (toadstone):")
        for name, value in self._settings.items():
            _LOGGER.info("\t│\t├── %s: %s", name, value)
        if self.defence.weights == "declared":
            _LOGGER.warning("\t│\t└── %s", DOMINATED)
        self.strategy.summary()

    # The inner strategy may have a `start` of its own, with parameters of its own.
    def start(self, grid: Grid, initial_arrays: ArrayRecord, *args: Any, **options: Any) -> Result:
        """Run the rounds as the inner strategy does, with robust aggregation.

        Parameters
        ----------
        grid : Grid
        initial_arrays : ArrayRecord
        *args, **options
            As the inner strategy takes them.

        Returns
        -------
        Result
        """
        own = type(self.strategy).start
        if own is Strategy.start:
            result = super().start(grid, initial_arrays, *args, **options)
        else:
            result = own(Driver(self, self.strategy), grid, initial_arrays, *args, **options)
        if isinstance(result, Result) and not result.arrays:
            # No round was aggregated, and Flower's result would be empty: the model is what it was.
            result.arrays = initial_arrays
        return result

    def _check_first(self, invitation: Invitation) -> None:
        groups, clients = self.defence.groups, len(invitation.sent)
        if groups is not None:
            groups.draw(range(clients), round=invitation.round)
            clients = groups.groups
        behind = f" in round {invitation.round}; lower `malicious`, or have the strategy select more clients"
        check_enough(self.defence.rule, clients=clients, malicious=self.defence.malicious, behind=behind)

    def _invitation(self, stage: Stage, server_round: int) -> Invitation:
        invitation = self._asked.get(stage)
        if invitation is None or invitation.round != server_round:
            raise InvalidArgument("server_round", f"the round of the last configure_{stage}", server_round)
        return invitation

    def _hand_over(
        self, server_round: int, model: ServerModel, admission: Admission, outcome: Outcome
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        """Let the inner strategy go on from the robust result."""
        medians, spreads = self._metrics(admission, outcome.malicious_left)
        robust = record_of(model, outcome.arrays)
        reply = only_reply(admission.admitted, medians, weighted_by=self.weighted_by, arrays=robust)
        arrays, metrics = self.strategy.aggregate_train(server_round, [reply])
        if arrays is None:
            return None, self._unchanged(admission, f"{type(self.strategy).__name__} returned no arrays")
        self.defence = replace(self.defence, rule=outcome.rule)
        closing = replace(outcome.closing, malicious=self.defence.malicious, weights=weights_name(self.defence.weights))
        return restored(model, robust, arrays), self._say(outcome.lines, closing, metrics, spreads)

    def _metrics(self, admission: Admission, malicious: int) -> tuple[MetricRecord, MetricRecord]:
        records = [client.metrics for client in admission.admitted]
        return robust_metrics(records, malicious, leave_out=[self.weighted_by])

    def _unchanged(self, admission: Admission, reason: str) -> MetricRecord:
        """Say that the model stays as it is."""
        closing = replace(self._closing(admission), reason=reason)
        lines = [*admission.turned_away, *(_evaluated(closing, client) for client in admission.admitted)]
        return self._say(lines, closing, MetricRecord())

    def _closing(self, admission: Admission) -> RoundLine:
        where = admission.invitation
        return RoundLine(
            round=where.round,
            aggregated=False,
            rule=self._settings["rule"],
            malicious=self.defence.malicious,
            malicious_left=max(0, self.defence.malicious - admission.counted),
            selected=len(where.sent),
            admitted=len(admission.admitted),
            refused=admission.refused,
            missing=admission.missing,
            groups=None if self.defence.groups is None or where.stage == "evaluate" else 0,
            weights=weights_name(self.defence.weights),
            stage=where.stage,
        )

    def _say(
        self,
        lines: Sequence[ClientLine],
        closing: RoundLine,
        metrics: MetricRecord | None,
        spreads: MetricRecord | None = None,
    ) -> MetricRecord:
        """Log a round, to Flower's log, the file and the metrics, and remember what clients did."""
        notes = closing.notes
        more = _more_refused(lines, closing)
        if more:
            notes = (*notes, more)
            _LOGGER.warning("aggregate_%s: round %s: %s", closing.stage, closing.round, more)
        closing = replace(closing, time=datetime.now(UTC).isoformat(timespec="seconds"), notes=notes)
        if not closing.aggregated:
            _LOGGER.warning(
                "aggregate_%s: nothing was aggregated in round %s: %s", closing.stage, closing.round, closing.reason
            )
        _LOGGER.info(
            "aggregate_%s: admitted %s of %s selected clients, refused %s, filtered %s",
            closing.stage,
            closing.admitted,
            closing.selected,
            closing.refused,
            closing.filtered,
        )
        for line in lines:
            if line.status == "refused":
                _LOGGER.info("\t> Refused node %s: %s", line.client, line.reason)
        if self._log is not None:
            self._log.write(lines, closing)
        if closing.stage == "train" and self.defence.groups is None:
            self.reputation.observe(lines)
        said = MetricRecord()
        for part in (metrics or {}, spreads or {}, _counts(closing)):
            for name, value in part.items():
                said[name] = value
        return said


def _counts(closing: RoundLine) -> dict[str, int]:
    groups = {} if closing.groups is None else {"groups": closing.groups}
    return {
        "aggregated": int(closing.aggregated),
        "clients": closing.admitted,
        **groups,
        "refused": closing.refused,
        "missing": closing.missing,
        "filtered": closing.filtered,
    }


def _more_refused(lines: Sequence[ClientLine], closing: RoundLine) -> str:
    refused = sum(line.counted for line in lines)
    if not refused or refused < closing.malicious:
        return ""
    said = f"{refused} {'client was' if refused == 1 else 'clients were'} refused"
    if refused > closing.malicious:
        return f"{said}, more than the {closing.malicious} malicious that were reckoned with"
    return f"{said}, as many as the malicious that were reckoned with: the rule expected no others"


def _evaluated(closing: RoundLine, client: Contribution) -> ClientLine:
    return ClientLine(
        round=closing.round, client=str(client.node), status="admitted", declared=client.declared, stage=closing.stage
    )
