"""Rules and pre-aggregations, the aggregate of rows with what is known of each, and chains of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.core.errors import InvalidArgument
from toadstone.federated.aggregation.conditions import CONDITIONS, check_condition
from toadstone.federated.aggregation.geometry import Geometry


@dataclass(frozen=True, eq=False, kw_only=True)
class Weighed:
    """The aggregate of rows, and what the rule found out about each.

    Parameters
    ----------
    vector : ndarray of float64, shape (d,)
    coefficients : ndarray of float64, shape (n,), optional
        Share of each row in the vector; None for rules that decide coordinate
        by coordinate.
    suspicion : ndarray of float64, shape (n,), optional
        Larger is more suspicious; None stands for the distance to the vector.
    measure : str
        What the suspicion is, in words.
    threshold : float, optional
        The rule leaves out, or cuts down, the rows above it.
    filtered : ndarray of bool, shape (n,), optional
        Rows without weight; by default those whose coefficient is zero.
    tolerance : float, optional
        Proven relative tolerance of the optimum.
    nothing : str
        Why the rule aggregated nothing; empty if it did.
    """

    vector: Array
    coefficients: Array | None = None
    suspicion: Array | None = None
    measure: str = "distance to the aggregate"
    threshold: float | None = None
    filtered: Mask | None = None
    tolerance: float | None = None
    nothing: str = ""

    def without_weight(self, count: int) -> Mask:
        """Return the rows, `count` of them, that have no weight."""
        if self.filtered is not None:
            return self.filtered
        return np.zeros(count, dtype=bool) if self.coefficients is None else self.coefficients == 0


@dataclass(frozen=True, eq=False)
class Mixture:
    """Linear mixtures of rows that a pre-aggregation makes.

    Parameters
    ----------
    weights : ndarray of float64, shape (m, n)
    member : ndarray of int, shape (n,)
        The mixture that stands for each row.
    """

    weights: Array
    member: IntArray


class Rule:
    """A rule: a callable that makes one vector of the updates of n clients, f of them malicious."""

    name: ClassVar[str]
    paper: ClassVar[str]

    def __call__(self, updates: Matrix, malicious: int) -> Array:
        """Aggregate updates; as ``toadstone.federated.aggregate`` with this rule."""
        from toadstone.federated.aggregation.aggregate import aggregate

        return aggregate(updates, self, malicious=malicious)

    @property
    def spec(self) -> str:
        """The name by which this rule, and what comes before it, is written."""
        return self.name

    @property
    def condition(self) -> str:
        """The condition under which the rule is robust."""
        return CONDITIONS[self.name].text

    def withstands(self, clients: int, malicious: int) -> bool:
        """Return True if so many clients are enough for so many malicious ones."""
        return CONDITIONS[self.name].holds(clients, malicious)

    def weigh(self, rows: Geometry, malicious: int, behind: str = "") -> Weighed:
        """Check the condition and aggregate rows.

        Parameters
        ----------
        rows : Geometry
        malicious : int
        behind : str
            End of the sentence that refuses, see `check_condition`.

        Raises
        ------
        InvalidInput
            If there are too few rows.
        """
        check_condition(self.name, clients=rows.count, malicious=malicious, behind=behind)
        return self._weigh(rows, malicious)

    def _weigh(self, rows: Geometry, malicious: int) -> Weighed:
        raise NotImplementedError

    def kappa(self, clients: int, malicious: int) -> float | None:
        """Return the published kappa with ``|F - mean_H|^2 <= kappa mean_H |x - mean_H|^2``, None without one."""
        return None

    def following(self, vector: Array) -> Rule:
        """Return the rule of the next round, after one whose aggregate was `vector`."""
        return self


class PreAggregation:
    """A step before a rule: each of its outputs is a linear mixture of updates."""

    name: ClassVar[str]
    paper: ClassVar[str]

    @property
    def condition(self) -> str:
        """The condition under which the step keeps robustness."""
        return CONDITIONS[self.name].text

    def __call__(self, updates: Matrix, malicious: int) -> Array:
        """Return what the step makes of updates, shape (m, d); one for each client unless it puts them together."""
        from toadstone.federated.aggregation.aggregate import mix_updates

        return mix_updates(updates, self, malicious=malicious)

    def outputs(self, clients: int) -> int:
        """Return how many vectors the step makes of the updates of so many clients."""
        return clients

    def mix(self, rows: Geometry, malicious: int, behind: str = "") -> Mixture:
        """Check the condition and return the mixtures; as `Rule.weigh`."""
        check_condition(self.name, clients=rows.count, malicious=malicious, behind=behind)
        return self._mix(rows, malicious)

    def _mix(self, rows: Geometry, malicious: int) -> Mixture:
        raise NotImplementedError

    def kappa(self, clients: int, malicious: int, kappa: float | None) -> float | None:
        """Return the published kappa of a rule of this `kappa` behind the step, None without one."""
        return None

    def following(self) -> PreAggregation:
        """Return the step of the next round."""
        return self


@dataclass(frozen=True)
class Chain(Rule):
    """Pre-aggregations, one after another, and the rule behind them.

    Parameters
    ----------
    before : tuple of PreAggregation
    rule : Rule

    Examples
    --------
    >>> from toadstone.federated import NearestNeighbourMixing, TrimmedMean
    >>> chain = Chain((NearestNeighbourMixing(),), TrimmedMean())
    >>> chain.spec, chain(np.array([[0.0], [1.0], [2.0], [90.0]]), 1).tolist()
    ('nnm+trimmed-mean', [1.0])
    """

    before: tuple[PreAggregation, ...]
    rule: Rule

    def __post_init__(self) -> None:
        if not isinstance(self.before, tuple):
            raise InvalidArgument("before", "a tuple of pre-aggregations", type(self.before).__name__)
        for step in self.before:
            if not isinstance(step, PreAggregation):
                raise InvalidArgument("before", "objects such as NearestNeighbourMixing()", type(step).__name__)
        if not isinstance(self.rule, Rule):
            raise InvalidArgument("rule", "an object such as CoordinateMedian()", type(self.rule).__name__)

    @property
    def spec(self) -> str:
        """The names joined by +."""
        return "+".join([*(step.name for step in self.before), self.rule.spec])

    @property
    def condition(self) -> str:
        """The conditions of all parts that say something."""
        texts = [step.condition for step in self.before] + [self.rule.condition]
        return " and ".join(dict.fromkeys(text for text in texts if text != "n >= 1")) or "n >= 1"

    def withstands(self, clients: int, malicious: int) -> bool:
        """Return True if each part has enough of what the parts before it leave."""
        for step in self.before:
            if not CONDITIONS[step.name].holds(clients, malicious):
                return False
            clients = step.outputs(clients)
        return self.rule.withstands(clients, malicious)

    def weigh(self, rows: Geometry, malicious: int, behind: str = "") -> Weighed:
        """Mix the rows step by step, and aggregate the mixtures."""
        shares, member = np.eye(rows.count), np.arange(rows.count)
        for step in self.before:
            mixture = step.mix(rows, malicious, behind)
            rows = rows.mixed(mixture.weights)
            shares, member = mixture.weights @ shares, mixture.member[member]
        if rows.count < len(member):
            behind = f" after {self._steps} of {len(member)}{behind}"
        found = self.rule.weigh(rows, malicious, behind)
        filtered = found.without_weight(rows.count)
        return replace(
            found,
            coefficients=None if found.coefficients is None else found.coefficients @ shares,
            suspicion=None if found.suspicion is None else found.suspicion[member],
            filtered=~((shares != 0) & ~filtered[:, None]).any(axis=0),
            measure=found.measure if found.suspicion is None else f"{found.measure}, behind {self._steps}",
        )

    @property
    def _steps(self) -> str:
        return "+".join(step.name for step in self.before)

    def kappa(self, clients: int, malicious: int) -> float | None:
        """Return the kappa of the rule, as each step before it changes it."""
        kappa = self.rule.kappa(clients, malicious)
        for step in reversed(self.before):
            kappa = step.kappa(clients, malicious, kappa)
        return kappa

    def following(self, vector: Array) -> Rule:
        """Return the chain of the next round."""
        return Chain(tuple(step.following() for step in self.before), self.rule.following(vector))
