"""Aggregation of updates by a rule, with or without the evidence on each client."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from toadstone.core.arrays import Array, Mask, Matrix
from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument, InvalidInput
from toadstone.federated.aggregation.admission import Admitted, Refused, admit
from toadstone.federated.aggregation.conditions import check_condition
from toadstone.federated.aggregation.geometry import Geometry
from toadstone.federated.aggregation.names import parse_rule
from toadstone.federated.aggregation.rule import Chain, PreAggregation, Rule, Weighed
from toadstone.kernels.robust_mean.distances import distances_to


@dataclass(frozen=True, eq=False, kw_only=True)
class Aggregation:
    """The aggregate of one round, and the evidence on each client.

    Arrays follow the order in which the updates were given.

    Parameters
    ----------
    vector : ndarray of float64, shape (d,)
        Zero if nothing was aggregated.
    rule : str
    clients : int
        Updates received, n.
    malicious : int
        Malicious clients as given, f.
    malicious_left : int
        Those that may be among the admitted: f less the refused, zero at least.
    suspicion : ndarray of float64, shape (n,)
        Larger is more suspicious; NaN for the refused.
    measure : str
        What the suspicion is, in words.
    threshold : float, optional
        The rule leaves out, or cuts down, the clients above it; behind ``nnm``
        or ``bucketing`` the mixtures that stand for them.
    coefficients : ndarray of float64, shape (n,), optional
        Share of each update in the vector; None where the rule decides
        coordinate by coordinate.
    filtered : ndarray of bool, shape (n,)
        Clients that entered, but whose update the rule gave no weight.
    refused : tuple of Refused
        Messages that never entered.
    tolerance : float, optional
        Of the geometric median: proven bound on how much larger its sum of
        distances is than the least one, as a share of the n - f least.
    kappa : float, optional
        The published kappa of the rule for n and f after refusals.
    nothing : str
        Why nothing was aggregated; empty if something was.
    next_rule : Rule
        The rule of the next round, with the state that it carries.
    names : tuple of str
        The clients' names, if they were given.
    warning : str
        More updates were refused than malicious clients were reckoned with,
        so that the number is too small; empty otherwise.
    """

    vector: Array
    rule: str
    clients: int
    malicious: int
    malicious_left: int
    suspicion: Array
    measure: str
    threshold: float | None
    coefficients: Array | None
    filtered: Mask
    refused: tuple[Refused, ...]
    tolerance: float | None
    kappa: float | None
    nothing: str
    next_rule: Rule
    names: tuple[str, ...] = field(default=())
    warning: str = ""


def aggregate(updates: Matrix | Sequence[Any], rule: str | Rule = "trimmed-mean", *, malicious: int) -> Array:
    """Aggregate the updates of clients some of which are malicious.

    An update is what a client sends less the server's model. Messages that
    are malformed or not finite are refused and counted as malicious: with r of
    them refused the rule runs on n - r updates for f - r malicious ones, and
    its condition is checked for these. More of them than f mean that f was too
    small: the rule then runs as for no malicious client, and a warning says
    so. The result has the same bytes for any order of the clients.

    Choose f with care: a number that is too small is fatal, since f + 1
    clients can then put the aggregate of most rules anywhere. One that is too
    large costs accuracy: when t <= f clients are malicious indeed, the error
    of rules told f grows about like ``f / (n - t - f)`` [1]_.

    Parameters
    ----------
    updates : array or tensor of shape (n, d), or sequence of n vectors
        Of any float dtype; a memory map is read in blocks. NumPy and PyTorch
        alike; sums are of float64.
    rule : str or Rule
        A name that `rules` lists, with pre-aggregations before it:
        ``"arc+nnm+trimmed-mean"``; or an object, for other options.
    malicious : int
        Malicious clients that the rule is to withstand, f.

    Returns
    -------
    ndarray of float64, shape (d,)

    Raises
    ------
    InvalidInput
        If there are too few clients for f, or the rule aggregates nothing.
    UnknownName
        If there is no such rule.

    Warns
    -----
    UserWarning
        If more updates were refused than `malicious`.

    See Also
    --------
    aggregate_with_evidence, rules

    References
    ----------
    .. [1] Chen, Zhang and Huang, "Trade-off in estimating the number of Byzantine clients in federated learning",
       arXiv 2510.04432, 2025.

    Examples
    --------
    >>> updates = np.array([[1.0, 2.0], [1.2, 2.2], [0.8, 1.8], [1.0, 2.1], [1e30, -1e30]])
    >>> aggregate(updates, rule="krum", malicious=1).tolist()
    [1.0, 2.1]
    >>> aggregate(updates, rule="nnm+trimmed-mean", malicious=1).round(3).tolist()
    [1.0, 2.025]
    >>> aggregate(updates[:4], rule="krum", malicious=1)
    Traceback (most recent call last):
    toadstone.core.errors.InvalidInput: Krum needs n >= 2f + 3: got n = 4, f = 1
    """
    _, admitted, _, found = _weighed(updates, rule, malicious)
    if found.nothing:
        raise InvalidInput(found.nothing)
    if admitted.warning(malicious):
        warnings.warn(admitted.warning(malicious), UserWarning, stacklevel=2)
    return found.vector


def aggregate_with_evidence(
    updates: Matrix | Sequence[Any],
    rule: str | Rule = "trimmed-mean",
    *,
    malicious: int,
    clients: Sequence[str] | None = None,
) -> Aggregation:
    """Aggregate updates and say what the rule found out about each client.

    Parameters
    ----------
    updates, rule, malicious
        As for `aggregate`.
    clients : sequence of str, optional
        Names of the clients.

    Returns
    -------
    Aggregation
        Where the rule aggregates nothing, its vector is zero and `nothing`
        says why.

    Raises
    ------
    InvalidInput
        If there are too few clients for f.

    Examples
    --------
    >>> updates = [[1.0], [2.0], [2.5], [3.0], [90.0], [float("nan")]]
    >>> found = aggregate_with_evidence(updates, rule="multi-krum", malicious=2)
    >>> found.vector.tolist(), found.malicious_left, found.filtered.tolist()
    ([2.25], 1, [True, False, False, True, True, False])
    >>> found.refused
    (Refused(client=5, reason='not all finite'),)
    >>> found.suspicion.tolist(), found.threshold, found.measure
    ([3.25, 1.25, 0.5, 1.25, 15225.25, nan], 1.25, 'sum of squared distances to the nearest others')
    """
    chosen, admitted, rows, found = _weighed(updates, rule, malicious)
    if clients is not None and len(clients) != admitted.received:
        raise InvalidArgument("clients", f"{admitted.received} names, one for each update", len(clients))
    at, left = admitted.clients, admitted.malicious_left(malicious)
    suspicion = np.full(admitted.received, np.nan)
    if found.suspicion is None:
        # A pass over the coordinates, for the evidence only.
        suspicion[at] = distances_to(rows.rows, found.vector)
    else:
        suspicion[at] = rows.placed(found.suspicion)
    coefficients = None
    if found.coefficients is not None:
        coefficients = np.zeros(admitted.received)
        coefficients[at] = rows.placed(found.coefficients)
    filtered = np.zeros(admitted.received, dtype=bool)
    filtered[at] = rows.placed(found.without_weight(rows.count))
    return Aggregation(
        vector=found.vector,
        rule=chosen.spec,
        clients=admitted.received,
        malicious=malicious,
        malicious_left=left,
        suspicion=suspicion,
        measure=found.measure,
        threshold=found.threshold,
        coefficients=coefficients,
        filtered=filtered,
        refused=admitted.refused,
        tolerance=found.tolerance,
        kappa=chosen.kappa(rows.count, left),
        nothing=found.nothing,
        next_rule=chosen if found.nothing else chosen.following(found.vector),
        names=tuple(clients or ()),
        warning=admitted.warning(malicious),
    )


def mix_updates(updates: Matrix | Sequence[Any], step: PreAggregation, *, malicious: int) -> Array:
    """Return what a pre-aggregation makes of the updates that are admitted.

    Parameters
    ----------
    updates, malicious
        As for `aggregate`.
    step : PreAggregation

    Returns
    -------
    ndarray of float64, shape (m, d)
        In the order of the clients that were admitted, unless the step puts
        several of them together.

    Raises
    ------
    InvalidInput
        If there are too few clients for f.

    Examples
    --------
    >>> from toadstone.federated import AdaptiveClipping
    >>> mix_updates([[1.0], [9.0], [2.0]], AdaptiveClipping(), malicious=1).tolist()
    [[1.0], [2.0], [2.0]]
    """
    check_count(0, malicious=malicious)
    admitted = admit(updates)
    left, behind = admitted.malicious_left(malicious), admitted.behind
    if admitted.rows is None:
        check_condition(step.name, clients=0, malicious=left, behind=behind)
        raise InvalidInput(f"{step.name} needs an update: got none{behind}")
    rows = Geometry.of(admitted.rows)
    mixture = step.mix(rows, left, behind)
    weights = mixture.weights if len(mixture.weights) < rows.count else rows.placed(mixture.weights)
    return np.concatenate([block for _, block in rows.mixed(weights).rows.blocks()], axis=1)


def _weighed(updates: Any, rule: str | Rule, malicious: int) -> tuple[Rule, Admitted, Geometry, Weighed]:
    """Admit updates and apply a rule to those that enter."""
    check_count(0, malicious=malicious)
    chosen, admitted = parse_rule(rule), admit(updates)
    left, behind = admitted.malicious_left(malicious), admitted.behind
    if admitted.rows is None:
        first = chosen.before[0].name if isinstance(chosen, Chain) and chosen.before else chosen.spec
        check_condition(first, clients=0, malicious=left, behind=behind)
        raise InvalidInput(f"{chosen.spec} needs an update: got none{behind}")
    rows = Geometry.of(admitted.rows)
    return chosen, admitted, rows, chosen.weigh(rows, left, behind)
