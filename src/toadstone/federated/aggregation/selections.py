"""Rules that select updates by the distances between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from toadstone.core.arrays import Array, IntArray
from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument
from toadstone.federated.aggregation.geometry import Geometry
from toadstone.federated.aggregation.rule import Rule, Weighed
from toadstone.kernels.robust_mean.coordinates import mean_near_median
from toadstone.kernels.robust_mean.krum import bulyan_selection, krum_scores, least
from toadstone.kernels.robust_mean.minimum_diameter import minimum_diameter_subset

SCORE = "sum of squared distances to the nearest others"


def _kept_mean(rows: Geometry, kept: IntArray) -> tuple[Array, Array]:
    inside = np.zeros(rows.count)
    inside[kept] = 1.0
    # The sum is divided, not the shares: equal updates then give that update.
    return rows.combine(inside) / len(kept), inside / len(kept)


def _neighbours(given: int | None, rows: Geometry, malicious: int) -> int:
    """Return how many others count in a score: n - f - 2, or what was asked for."""
    most = rows.count - malicious - 1
    neighbours = most - 1 if given is None else given
    if not 1 <= neighbours <= most:
        raise InvalidArgument("neighbours", f"a number from 1 to n - f - 1 = {most}", neighbours)
    return neighbours


@dataclass(frozen=True, kw_only=True)
class Krum(Rule):
    """The update with the least sum of squared distances to its n - f - 2 nearest others [1]_.

    Condition: n >= 2f + 3. Under heterogeneous clients one update is a poor
    aggregate of all: put ``nnm`` before it.

    Parameters
    ----------
    neighbours : int, optional
        How many of the others count; n - f - 2 by default.

    References
    ----------
    .. [1] Blanchard, El Mhamdi, Guerraoui and Stainer, "Machine learning with adversaries: Byzantine tolerant gradient
       descent", NeurIPS 2017, section 4.

    Examples
    --------
    >>> Krum()(np.array([[1.0], [2.0], [2.5], [3.0], [90.0]]), 1).tolist()
    [2.5]
    """

    name: ClassVar[str] = "krum"
    paper: ClassVar[str] = "Blanchard et al., NeurIPS 2017"

    neighbours: int | None = None

    def __post_init__(self) -> None:
        if self.neighbours is not None:
            check_count(neighbours=self.neighbours)

    def withstands(self, clients: int, malicious: int) -> bool:
        """Return True if so many clients are enough for so many malicious ones, and for the neighbours."""
        return super().withstands(clients, malicious) and (self.neighbours or 1) <= clients - malicious - 1

    def _weigh(self, rows: Geometry, malicious: int) -> Weighed:
        scores = krum_scores(rows.squared, _neighbours(self.neighbours, rows, malicious))
        vector, coefficients = _kept_mean(rows, least(scores, 1))
        return Weighed(
            vector=vector, coefficients=coefficients, suspicion=scores, measure=SCORE, threshold=float(scores.min())
        )

    def kappa(self, clients: int, malicious: int) -> float | None:
        """Return ``6 (1 + f / (n - 2f))`` (Allouah et al., AISTATS 2023, table 1)."""
        return 6.0 * (1.0 + malicious / (clients - 2 * malicious))


@dataclass(frozen=True, kw_only=True)
class MultiKrum(Rule):
    """The mean of the updates with the least Krum scores [1]_.

    Condition: n >= 2f + 3.

    Parameters
    ----------
    keep : int, optional
        How many updates; n - f - 2 by default, as published, and n - f at most.
    neighbours : int, optional
        How many of the others count in a score; n - f - 2 by default.

    References
    ----------
    .. [1] Blanchard, El Mhamdi, Guerraoui and Stainer, "Machine learning with adversaries: Byzantine tolerant gradient
       descent", NeurIPS 2017, section 5.

    Examples
    --------
    >>> MultiKrum()(np.array([[1.0], [2.0], [2.5], [3.0], [90.0]]), 1).tolist()
    [2.25]
    """

    name: ClassVar[str] = "multi-krum"
    paper: ClassVar[str] = "Blanchard et al., NeurIPS 2017"

    keep: int | None = None
    neighbours: int | None = None

    def __post_init__(self) -> None:
        for name, count in (("keep", self.keep), ("neighbours", self.neighbours)):
            if count is not None:
                check_count(**{name: count})

    def withstands(self, clients: int, malicious: int) -> bool:
        """Return True if so many clients are enough for so many malicious ones, for the neighbours and the kept."""
        honest = clients - malicious
        enough = (self.neighbours or 1) <= honest - 1 and (self.keep or 1) <= honest
        return super().withstands(clients, malicious) and enough

    def _weigh(self, rows: Geometry, malicious: int) -> Weighed:
        honest = rows.count - malicious
        keep = honest - 2 if self.keep is None else self.keep
        if keep > honest:
            raise InvalidArgument("keep", f"at most n - f = {honest}", keep)
        scores = krum_scores(rows.squared, _neighbours(self.neighbours, rows, malicious))
        kept = least(scores, keep)
        vector, coefficients = _kept_mean(rows, kept)
        return Weighed(
            vector=vector,
            coefficients=coefficients,
            suspicion=scores,
            measure=SCORE,
            threshold=float(scores[kept].max()),
        )


@dataclass(frozen=True, kw_only=True)
class Bulyan(Rule):
    """The mean, in each coordinate, of the values nearest to the median of updates that Krum selects [1]_.

    Condition: n >= 4f + 3. Krum runs n - 2f times, each time on the updates
    that are left, with all scores taken anew; of the n - 2f selected values of
    a coordinate the n - 4f nearest to their median count.

    References
    ----------
    .. [1] El Mhamdi, Guerraoui and Rouault, "The hidden vulnerability of distributed learning in Byzantium", ICML 2018,
       section 4.

    Examples
    --------
    >>> Bulyan()(np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [6.0], [60.0]]), 1).tolist()
    [2.0]
    """

    name: ClassVar[str] = "bulyan"
    paper: ClassVar[str] = "El Mhamdi et al., ICML 2018"

    def _weigh(self, rows: Geometry, malicious: int) -> Weighed:
        selected, scores = bulyan_selection(rows.squared, malicious)
        vector = mean_near_median(rows.chosen(selected), rows.count - 4 * malicious)
        filtered = np.ones(rows.count, dtype=bool)
        filtered[selected] = False
        return Weighed(
            vector=vector,
            suspicion=scores,
            filtered=filtered,
            measure="sum of squared distances to the nearest others in the round that selected it, or the last round",
        )


@dataclass(frozen=True, kw_only=True)
class MinimumDiameter(Rule):
    """The mean of the n - f updates whose largest mutual distance is least, found exactly [1]_.

    Condition: n >= 2f + 1, and n <= 24: the search doubles with each malicious
    client.

    References
    ----------
    .. [1] El Mhamdi, Guerraoui, Guirguis, Hoang and Rouault, "Genuinely distributed Byzantine machine learning", PODC
       2020.

    Examples
    --------
    >>> MinimumDiameter()(np.array([[1.0], [2.0], [3.0], [90.0]]), 1).tolist()
    [2.0]
    """

    name: ClassVar[str] = "minimum-diameter"
    paper: ClassVar[str] = "El Mhamdi et al., PODC 2020"

    def _weigh(self, rows: Geometry, malicious: int) -> Weighed:
        kept, diameter = minimum_diameter_subset(rows.squared, rows.count - malicious)
        vector, coefficients = _kept_mean(rows, kept)
        return Weighed(
            vector=vector,
            coefficients=coefficients,
            suspicion=np.sqrt(rows.squared[:, kept].max(axis=1)),
            measure="largest distance to the selected clients",
            threshold=float(np.sqrt(diameter)),
        )
