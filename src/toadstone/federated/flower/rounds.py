"""One round: the rule over the clients' updates, and what it did to whom."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from toadstone.core.arrays import Array
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.federated.aggregation.aggregate import Aggregation, aggregate_with_evidence
from toadstone.federated.aggregation.rule import Rule
from toadstone.federated.flower.messages.admission import Admission, refuse_not_finite
from toadstone.federated.flower.root import Root, root_update, with_root
from toadstone.federated.flower.updates.adapters import AdapterCores
from toadstone.federated.flower.updates.geometry import Geometry, measure
from toadstone.federated.flower.updates.integers import middle_values
from toadstone.federated.flower.updates.model import ServerModel
from toadstone.federated.flower.updates.secure import group_means
from toadstone.federated.flower.weights import DOMINATED, CappedWeights, reweighted
from toadstone.federated.history.log import ClientLine, RoundLine
from toadstone.federated.secure_groups import GroupPlan
from toadstone.kernels.robust_mean.distances import combine
from toadstone.kernels.robust_mean.rows import Rows


@dataclass(frozen=True, kw_only=True, eq=False)
class Defence:
    """Rule of a federation, and the options of its rounds.

    Parameters
    ----------
    rule : Rule
    malicious : int
    weights : CappedWeights or {"equal", "declared"}
    root : callable, optional
    adapters : tuple of (str, str)
    groups : GroupPlan, optional
    """

    rule: Rule
    malicious: int
    weights: CappedWeights | Literal["equal", "declared"] = "equal"
    root: Root | None = None
    adapters: tuple[tuple[str, str], ...] = ()
    groups: GroupPlan | None = None


@dataclass(frozen=True, eq=False)
class Outcome:
    """A round that was aggregated.

    Parameters
    ----------
    arrays : dict of str to ndarray
        The model afterwards.
    lines : list of ClientLine
    closing : RoundLine
    rule : Rule
        For the next round.
    malicious_left : int
        At most so many of the admitted clients may be malicious.
    """

    arrays: dict[str, NDArray[Any]]
    lines: list[ClientLine]
    closing: RoundLine
    rule: Rule
    malicious_left: int


@dataclass(frozen=True, eq=False)
class Seen:
    """Rows that the rule sees: updates of clients, or means of groups.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
    names : tuple of str
    declared : list of float or None
    cores : list of AdapterCores
    unopened : tuple of str, optional
        Groups that have no row; none where the rows are clients.
    """

    rows: NDArray[Any]
    names: tuple[str, ...]
    declared: list[float | None]
    cores: list[AdapterCores]
    unopened: tuple[str, ...] | None = None


def aggregate_round(model: ServerModel, admission: Admission, rows: NDArray[Any], defence: Defence) -> Outcome:
    """Aggregate the updates of a round.

    Parameters
    ----------
    model : ServerModel
    admission : Admission
        Those whose updates are not finite move to the refused.
    rows : ndarray of shape (selected, d)
        Row i is the update of the i-th admitted client.
    defence : Defence

    Returns
    -------
    Outcome

    Raises
    ------
    InvalidInput
        If too few updates are left for the rule, or the result is not finite.
    """
    seen = _clients(model, admission, rows) if defence.groups is None else _groups(admission, rows, defence.groups)
    if not seen.names:
        raise InvalidData("no update was admitted")
    unmoved = {key for key, columns in model.columns.items() if not seen.rows[:, columns].any()}
    left = max(0, defence.malicious - admission.counted)
    rule = defence.rule if defence.root is None else _with_root(model, admission, seen, defence)
    aggregation = aggregate_with_evidence(seen.rows, rule, malicious=left, clients=seen.names)
    if aggregation.nothing:
        raise InvalidData(aggregation.nothing)
    vector = _weighted(aggregation, seen, defence)
    if not np.isfinite(vector).all():
        raise InvalidData("the aggregate is not finite")
    arrays = model.moved(vector, unmoved)
    notes = _move_adapters(model, seen, vector, arrays)
    for key in model.integers:
        arrays[key] = _integer(key, model, admission, aggregation)
    notes += _of_groups(seen, len(aggregation.refused))
    if defence.weights == "declared":
        notes.append(DOMINATED)
    geometry = measure(seen.rows, vector)
    return Outcome(
        arrays,
        _lines(admission, aggregation, geometry, seen),
        replace(
            _closing(admission, aggregation, geometry, seen),
            shift=float(np.sqrt(np.square(vector).sum())),
            notes=tuple(notes),
        ),
        aggregation.next_rule,
        aggregation.malicious_left,
    )


def _clients(model: ServerModel, admission: Admission, rows: NDArray[Any]) -> Seen:
    refuse_not_finite(admission, rows, model)
    admitted = admission.admitted
    cores, start = [], model.plain_width
    for adapter in model.adapters:
        sent = [(client.arrays[adapter.a], client.arrays[adapter.b]) for client in admitted]
        cores.append(adapter.cores(sent, clients=model.clients))
        stop = start + adapter.width(model.clients)
        with np.errstate(over="ignore"):
            rows[: len(admitted), start:stop] = cores[-1].updates
        start = stop
    names = tuple(str(client.node) for client in admitted)
    return Seen(rows[: len(admitted)], names, [client.declared for client in admitted], cores)


def _groups(admission: Admission, rows: NDArray[Any], plan: GroupPlan) -> Seen:
    means = group_means(admission, rows[: len(admission.admitted)], plan)
    return Seen(means.rows, means.names, [None] * len(means.names), [], means.unopened)


def _with_root(model: ServerModel, admission: Admission, seen: Seen, defence: Defence) -> Rule:
    """Train on the server's own rows, and give the rule the update."""
    assert defence.root is not None
    own = root_update(defence.root, admission.invitation.round, model)
    for name, update in zip(seen.names, seen.rows, strict=True):
        if own.any() and np.array_equal(update, own):
            raise InvalidArgument("root", "an update of the server's own training", f"the update of client {name}")
    return with_root(defence.rule, own)


def _weighted(aggregation: Aggregation, seen: Seen, defence: Defence) -> Array:
    if defence.weights == "equal" or aggregation.coefficients is None:
        return aggregation.vector
    declared = np.array([number or 0.0 for number in seen.declared])
    entered = np.ones(len(seen.names), dtype=bool)
    entered[[refusal.client for refusal in aggregation.refused]] = False
    rows = seen.rows if entered.all() else seen.rows[entered]
    shares = aggregation.coefficients[entered]
    # The change only: centred clipping adds a part of its centre, and FLAME noise, that no client has a share in.
    change = reweighted(shares, declared[entered], defence.weights) - shares
    return aggregation.vector + combine(Rows(rows), change)


def _move_adapters(model: ServerModel, seen: Seen, vector: Array, arrays: dict[str, NDArray[Any]]) -> list[str]:
    notes, start = [], model.plain_width
    for adapter, cores in zip(model.adapters, seen.cores, strict=True):
        stop = start + adapter.width(model.clients)
        (arrays[adapter.a], arrays[adapter.b]), lost = cores.moved(vector[start:stop])
        if lost > 0.01:
            notes.append(
                f"rank {len(adapter.down)} holds {1 - lost:.0%} of the aggregate of {adapter.b!r} @ {adapter.a!r}"
            )
        start = stop
    return notes


def _integer(key: str, model: ServerModel, admission: Admission, aggregation: Aggregation) -> NDArray[Any]:
    sent = [client.arrays[key] for client in admission.admitted]
    if len(sent) != len(aggregation.filtered):
        return model.arrays[key]
    if len(sent) <= 2 * aggregation.malicious_left:
        # No majority is known to be honest: a rule with a trusted root knows better whom to ask.
        sent = [array for array, filtered in zip(sent, aggregation.filtered, strict=True) if not filtered]
    return middle_values(sent) if sent else model.arrays[key]


def _lines(admission: Admission, aggregation: Aggregation, geometry: Geometry, seen: Seen) -> list[ClientLine]:
    where = admission.invitation
    refused = {refusal.client: refusal.reason for refusal in aggregation.refused}
    lines = list(admission.turned_away)
    for position, name in enumerate(seen.names):
        line = ClientLine(
            round=where.round,
            client=name,
            status="refused" if position in refused else "admitted",
            reason=refused.get(position, ""),
            counted=position in refused,
            declared=seen.declared[position],
            norm=float(geometry.norms[position]),
        )
        if position not in refused:
            line = replace(line, **_rated(aggregation, geometry, position))
        lines.append(line)
    return lines


def _rated(aggregation: Aggregation, geometry: Geometry, position: int) -> dict[str, Any]:
    coefficients = aggregation.coefficients
    return {
        "suspicion": float(aggregation.suspicion[position]),
        "threshold": aggregation.threshold,
        "measure": aggregation.measure,
        "filtered": bool(aggregation.filtered[position]),
        "coefficient": None if coefficients is None else float(coefficients[position]),
        "distance": float(geometry.distances[position]),
        "cosine": float(geometry.cosines[position]),
    }


def _of_groups(seen: Seen, refused: int) -> list[str]:
    if seen.unopened is None:
        return []
    notes = []
    if seen.unopened:
        groups = "1 group was" if len(seen.unopened) == 1 else f"{len(seen.unopened)} groups were"
        notes.append(f"{groups} not opened, of which half of the planned clients or fewer replied")
    if refused:
        notes.append(f"{'1 mean of a group was' if refused == 1 else f'{refused} means of groups were'} refused")
    return notes


def _closing(admission: Admission, aggregation: Aggregation, geometry: Geometry, seen: Seen) -> RoundLine:
    refused = len(aggregation.refused)
    entered = len(aggregation.suspicion) - refused
    by_group = seen.unopened is not None
    return RoundLine(
        round=admission.invitation.round,
        aggregated=True,
        rule=aggregation.rule,
        malicious_left=aggregation.malicious_left,
        selected=len(admission.invitation.sent),
        admitted=len(admission.admitted) if by_group else entered,
        groups=entered if by_group else None,
        refused=admission.refused + (0 if by_group else refused),
        missing=admission.missing,
        filtered=int(np.sum(aggregation.filtered)),
        spread=float(np.median(geometry.distances)),
        tolerance=aggregation.tolerance,
        kappa=aggregation.kappa,
    )
