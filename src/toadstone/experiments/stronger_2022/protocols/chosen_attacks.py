"""Attacks at settings chosen by an earlier search, evaluated against all defences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from toadstone.attacks.decoys.burn_in import PAPER, paper_burn_in
from toadstone.attacks.decoys.decoys import DEFAULT_GRID, GRIDS
from toadstone.attacks.decoys.minmax import MinMaxAttack
from toadstone.attacks.influence.influence import InfluenceAttack
from toadstone.core.budget import Budget
from toadstone.core.dataset import Poison
from toadstone.datasets.split import Split
from toadstone.experiments.conditions import Conditions
from toadstone.experiments.figures import percent, sizes
from toadstone.experiments.stronger_2022.protocols.attack_errors import (
    BEST_DEFENCE,
    FIVE,
    best_defence,
    defence_rows,
    defender_in_words,
    error_row,
    evaluate_clean,
)
from toadstone.kernels.sets.sets import ConvexSet
from toadstone.pipeline.attack_search.attacker import Knowledge, described
from toadstone.pipeline.attack_search.search import Candidate, SearchEffort, SearchProblem, SearchResult, search
from toadstone.pipeline.harness.judge import Defence, judge
from toadstone.pipeline.harness.threat_model import ThreatModel, settle_domain
from toadstone.records.audit import NO_SANITIZER, Evaluation
from toadstone.records.reproduction import Aim, Comparison, Published

FILTERS = ("l2", "slab")


@dataclass(frozen=True)
class ChosenAttackSettings:
    """Settings of the attacks against one data set.

    Parameters
    ----------
    ridge : float
        Penalty of the defender that the attacks assume.
    kkt_decoys, minmax_decoys : tuple of (float, int)
        Quantile and repeats of the decoys.
    kkt_shares, influence_shares : tuple of float or None
        Shares of the second class among the poison.
    kkt_repeats : int
        Equal copies of each row of the KKT attack.
    influence_steps : int
        Maximum number of steps.
    fraction : float
        Poison rows for each clean row.
    quantile : float
        Quantile of each class's clean rows at which the attacker assumes the
        filters.
    quick, slow : tuple of str
        Defences that all settings of an attack are evaluated against, and
        those that only the best three are.
    """

    ridge: float
    kkt_decoys: tuple[tuple[float, int], ...] = ((0.375, 10), (0.4, 8))
    minmax_decoys: tuple[tuple[float, int], ...] = ((0.35, 12),)
    kkt_shares: tuple[float | None, ...] = (0.45, 0.5)
    kkt_repeats: int = 2
    influence_shares: tuple[float | None, ...] = (0.6,)
    influence_steps: int = 2000
    fraction: float = 0.03
    quantile: float = 0.9
    quick: tuple[str, ...] = ("loss", "slab", "l2")
    slow: tuple[str, ...] = ("svd", "knn")


@dataclass(frozen=True, eq=False)
class AttackComparison:
    """A data set with its attacker and its defences."""

    split: Split
    settings: ChosenAttackSettings
    known: Knowledge
    problem: SearchProblem
    conditions: Conditions

    def influence(self) -> list[Candidate]:
        """Return an influence attack for each class balance."""
        return [
            Candidate(balance(share, "inverse class balance"), self.influence_attack(share))
            for share in self.settings.influence_shares
        ]

    def influence_attack(self, share: float | None) -> InfluenceAttack:
        """Return the influence attack with a given share of positive poison."""
        return InfluenceAttack(
            probe=self.known.probe,
            feasible_set=self.known.feasible_set,
            ridge=self.known.ridge,
            positive_share=share,
            max_steps=self.settings.influence_steps,
            integer=self.known.integer,
        )

    def kkt(self) -> list[Candidate]:
        """Return a KKT attack for each decoy and class balance."""
        decoys = self.known.train_decoys(self.settings.kkt_decoys, self.conditions.workers)
        return [
            Candidate(
                f"{described(decoy)}, {balance(share, 'balance of least residual')}",
                replace(self.known.kkt(decoy.theta, share), repeats=self.settings.kkt_repeats),
            )
            for decoy in decoys
            for share in self.settings.kkt_shares
        ]

    def minmax(self) -> list[Candidate]:
        """Return a min-max attack for each decoy."""
        return self.minmax_within(self.known.feasible_set)

    def minmax_within(self, feasible_set: ConvexSet) -> list[Candidate]:
        """Return a min-max attack for each decoy, for an attacker who assumes other filters."""
        decoys = self.known.train_decoys(self.settings.minmax_decoys, self.conditions.workers)
        return [
            Candidate(
                described(decoy),
                MinMaxAttack(
                    decoy=decoy.theta,
                    feasible_set=feasible_set,
                    ridge=self.known.ridge,
                    burn_in=self.known.burn_in,
                    integer=self.known.integer,
                ),
            )
            for decoy in decoys
        ]

    def paper_attacks(self) -> dict[str, SearchResult]:
        """Make the three attacks of the paper, each at its best setting."""
        makers: Mapping[str, Callable[[], list[Candidate]]] = {
            "influence": self.influence,
            "kkt": self.kkt,
            "min-max": self.minmax,
        }
        return {name: self.strongest(name, make) for name, make in makers.items()}

    def strongest(self, name: str, make: Callable[[], Sequence[Candidate]]) -> SearchResult:
        """Make an attack at all settings and select the best on the test rows, as in the paper."""
        self.conditions.on_stage(f"{name} on {self.split.name}")
        effort = SearchEffort(self.conditions.seed, self.conditions.workers, self.conditions.on_step)
        return search(make(), self.problem, effort)

    def evaluate(self, poison: Poison, sanitizers: Sequence[str], name: str) -> tuple[Evaluation, ...]:
        """Evaluate an attack against some defences, or none."""
        return judge(self.split.train, self.split.test, poison, sanitizers, self.problem.defence, name=name)

    def evaluate_strongest(self, name: str, make: Callable[[], Sequence[Candidate]]) -> tuple[Evaluation, ...]:
        """Evaluate an attack at its best setting without defence and against every defence."""
        found = self.strongest(name, make)
        return (*self.evaluate(found.poison, (NO_SANITIZER,), name), *found.cells)

    def clean(self) -> Evaluation:
        """Evaluate the defender without attack and without sanitizer."""
        return evaluate_clean(self.split, self.problem.defence)

    def in_words(self) -> dict[str, str]:
        """Return the setting in words, for the record."""
        return {
            "Data": sizes(self.split),
            "Defender": defender_in_words(self.settings.ridge),
            "Attacker": f"adds {percent(self.settings.fraction)}; assumes filters at the {self.settings.quantile:g} "
            "quantile of each class's clean rows; knows the test rows and their labels, as in the paper; decoys and "
            "class balances were chosen by the search of `toadstone attack`",
        }


def prepare_comparison(split: Split, settings: ChosenAttackSettings, conditions: Conditions) -> AttackComparison:
    """Fit the filters that the attacker assumes, and set up attacker and defender."""
    budget, defence = Budget(settings.fraction), Defence(ridge=settings.ridge, seed=conditions.seed)
    domain = settle_domain(split, "auto")
    known = Knowledge(
        ThreatModel(split.train, budget, domain, defence, FILTERS, settings.quantile),
        split.train,
        split.test,
        GRIDS.get(split.name, DEFAULT_GRID),
        burn_in=paper_burn_in(split.name, settings.fraction) if split.name in PAPER else 1.0,
    )
    problem = SearchProblem(split.train, split.test, budget, defence, settings.quick, settings.slow)
    return AttackComparison(split, settings, known, problem, conditions)


def rows_by_defence(
    label: str,
    cells: Sequence[Evaluation],
    paper: Mapping[tuple[str, str], Published],
    reason: str,
    *,
    aim: Aim = "higher",
) -> list[Comparison]:
    """Compare an attack's error behind each defence, then behind the best one if all five are there.

    The paper's figures are keyed by (label, sanitizer or `BEST_DEFENCE`).
    """
    rows = defence_rows(label, cells, paper, reason, aim=aim)
    if len([cell for cell in cells if cell.sanitizer != NO_SANITIZER]) == len(FIVE):
        what, stated = f"{label}: test error behind {BEST_DEFENCE}", paper.get((label, BEST_DEFENCE))
        rows.append(error_row(what, best_defence(cells), stated, reason, aim=aim))
    return rows


def balance(share: float | None, otherwise: str) -> str:
    """Describe the share of the second class among the poison in words."""
    return otherwise if share is None else f"{share:.3g} positive"
