"""Robust aggregation around a strategy of Flower, in one line."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from flwr.serverapp.strategy import Strategy

from toadstone.core.arrays import Array
from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument, InvalidInput
from toadstone.federated.aggregation.aggregate import aggregate_with_evidence
from toadstone.federated.aggregation.names import parse_rule
from toadstone.federated.aggregation.rule import Rule
from toadstone.federated.flower.enough import check_enough
from toadstone.federated.flower.root import Root, with_root
from toadstone.federated.flower.rounds import Defence
from toadstone.federated.flower.secret_seeds import with_secret_seeds
from toadstone.federated.flower.strategy import RobustStrategy
from toadstone.federated.flower.updates.pairs import check_pairs
from toadstone.federated.flower.weights import CappedWeights, Weighting, check_weights, weights_name
from toadstone.federated.secure_groups import GroupPlan


def robust(
    strategy: Strategy,
    *,
    rule: str | Rule,
    malicious: int,
    weights: Weighting | CappedWeights = "equal",
    log: str | os.PathLike[str] | None = None,
    root: Root | None = None,
    adapters: Sequence[tuple[str, str]] = (),
    groups: GroupPlan | None = None,
) -> RobustStrategy:
    """Put robust aggregation around any strategy of Flower's message API.

    It selects clients as the strategy does. What they send must be well
    formed: from a selected node, once, to this round's message, with the keys,
    shapes and types of the server's arrays, finite. Their updates are
    aggregated by the rule, and the result is handed to the strategy as the
    only reply, so that a momentum or an optimizer at the server goes on.
    Metrics are medians over clients. A round that aggregates nothing leaves
    the model as it is, and says so in the log, in the metrics
    (``aggregated``) and in a warning.

    Parameters
    ----------
    strategy : Strategy
        Such as ``FedAvg(...)``, or one of your own. It is not changed.
    rule : str or Rule
        A name such as ``"trimmed-mean"`` or ``"nnm+trimmed-mean"``, or an
        object; see `toadstone.federated.rules`. What a rule by name draws is
        drawn with a secret seed; an object keeps its own.
    malicious : int
        At most so many of the clients that are selected in a round. Clients
        that are refused for what they send count among them.
    weights : {"equal", "capped", "declared"} or CappedWeights
        What the number of examples that a client declares does. Equal:
        nothing. Capped: it weighs, at most twice the median. Declared: it
        weighs as sent, so that any client can dominate the round.
    log : path-like, optional
        File to which a JSON line a client and round is appended; `read_log`
        reads it.
    root : callable, optional
        ``root(server_round, arrays)`` returns the arrays after training on
        rows that the server itself trusts. For ``"fltrust"``.
    adapters : sequence of (str, str)
        Pairs of keys (A, B) of low-rank adapters, which are aggregated by
        their product B A. Ends of keys, such as ``("lora_A", "lora_B")``,
        stand for all pairs with equal beginnings.
    groups : GroupPlan, optional
        Only means of groups are seen by the rule and in the log; see
        `plan_groups`.

    Returns
    -------
    RobustStrategy

    Raises
    ------
    InvalidArgument
        If the strategy aggregates otherwise, or options do not go together.

    Examples
    --------
    >>> from flwr.serverapp.strategy import FedAvg
    >>> strategy = robust(FedAvg(), rule="nnm+trimmed-mean", malicious=3)
    """
    check_count(0, malicious=malicious)
    defence = Defence(
        rule=with_secret_seeds(parse_rule(rule)) if isinstance(rule, str) else parse_rule(rule),
        malicious=malicious,
        weights=check_weights(weights),
        root=root,
        adapters=check_pairs(adapters),
        groups=groups,
    )
    _try_out(defence)
    if adapters:
        _check_adapters(defence)
    if groups is not None:
        _check_groups(groups, defence)
    return RobustStrategy(strategy, defence, log=log)


def _try_out(defence: Defence) -> None:
    """Run the rule on small updates, so that options that it does not take are refused before any training."""
    rule = defence.rule if defence.root is None else with_root(defence.rule, np.ones(2))
    try:
        found = aggregate_with_evidence(_honest(24), rule, malicious=0)
    except InvalidInput:
        # Minimum diameter takes no more than 24 clients; Multi-Krum may be told to keep more.
        found = aggregate_with_evidence(_honest(1000), rule, malicious=0)
    if defence.weights != "equal" and found.coefficients is None:
        expected = f"'equal' with {found.rule}, which gives clients no shares that could be weighed"
        raise InvalidArgument("weights", expected, repr(weights_name(defence.weights)))


def _honest(clients: int) -> Array:
    return 1 + 0.1 * np.random.default_rng(0).standard_normal((clients, 2))


def _check_adapters(defence: Defence) -> None:
    if defence.root is not None:
        raise InvalidArgument("root", "none with adapters, whose products have other coordinates in each round", "one")
    if defence.rule.spec.endswith("centred-clipping"):
        expected = "a rule without a centre, for adapters, whose products have other coordinates in each round"
        raise InvalidArgument("rule", expected, defence.rule.spec)


def _check_groups(groups: GroupPlan, defence: Defence) -> None:
    if not isinstance(groups, GroupPlan):
        raise InvalidArgument("groups", "a plan of plan_groups(...)", repr(groups))
    if defence.malicious > groups.malicious:
        raise InvalidArgument(
            "groups", f"a plan for {defence.malicious} malicious clients", f"one for {groups.malicious}"
        )
    if defence.weights != "equal":
        raise InvalidArgument(
            "weights", "'equal' with groups, whose clients are not seen", repr(weights_name(defence.weights))
        )
    if defence.adapters:
        raise InvalidArgument("adapters", "none with groups, whose sums hold no products", defence.adapters)
    try:
        check_enough(defence.rule, clients=groups.groups, malicious=defence.malicious)
    except InvalidInput as refusal:
        expected = f"a plan for {defence.rule.spec} with {defence.malicious} malicious clients"
        raise InvalidArgument("groups", expected, f"{groups.groups} groups: {refusal}") from None
