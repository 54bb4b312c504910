"""Attacks at settings that a longer search found strong, made anew and judged by all defences."""

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
from toadstone.experiments.stronger_2022.protocols.attack_errors import DEFENCES, LEAST, error_row
from toadstone.kernels.sets.sets import ConvexSet
from toadstone.pipeline.attack_search.attacker import Knowledge, described
from toadstone.pipeline.attack_search.search import Candidate, SearchEffort, SearchProblem, SearchResult, search
from toadstone.pipeline.certify import settle_domain
from toadstone.pipeline.harness.filters import fit_filters
from toadstone.pipeline.harness.judge import Defence, judge
from toadstone.records.audit import NO_ATTACK, NO_SANITIZER, Evaluation
from toadstone.records.reproduction import Aim, Comparison, Panel, Published, Series

FILTERS = ("l2", "slab")
FIVE = ("l2", "slab", "loss", "svd", "knn")


@dataclass(frozen=True)
class ChosenAttackSettings:
    """Of attacks against one data set.

    Parameters
    ----------
    ridge : float
        Of the defender for whom the attacks are made.
    kkt_decoys, minmax_decoys : tuple of (float, int)
        Quantile and repeats of the decoys to aim at.
    kkt_shares, influence_shares : tuple of float or None
        Shares of the second class among the poison.
    kkt_repeats : int
        Equal copies of each row of the KKT attack.
    influence_steps : int
        At most.
    fraction : float
        Poison rows for each clean row.
    quantile : float
        Of each class's clean rows, which the attacker expects to pass.
    quick, slow : tuple of str
        Defences that judge all settings of one attack, and those that judge
        the best three too.
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
    """A data set, what its attacker knows, and who judges."""

    split: Split
    settings: ChosenAttackSettings
    known: Knowledge
    problem: SearchProblem
    conditions: Conditions

    def influence(self) -> list[Candidate]:
        """One attack for each class balance."""
        return [
            Candidate(balance(share, "inverse class balance"), self.influence_attack(share))
            for share in self.settings.influence_shares
        ]

    def influence_attack(self, share: float | None) -> InfluenceAttack:
        """The influence attack with a share of positive poison."""
        return InfluenceAttack(
            probe=self.known.probe,
            feasible_set=self.known.feasible_set,
            ridge=self.known.ridge,
            positive_share=share,
            max_steps=self.settings.influence_steps,
            integer=self.known.integer,
        )

    def kkt(self) -> list[Candidate]:
        """One attack for each decoy and class balance."""
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
        """One attack for each decoy."""
        return self.minmax_within(self.known.feasible_set)

    def minmax_within(self, feasible_set: ConvexSet) -> list[Candidate]:
        """The same of an attacker who expects other filters."""
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

    def three(self) -> dict[str, SearchResult]:
        """The attacks of the paper by name, each at its best setting."""
        makers: Mapping[str, Callable[[], list[Candidate]]] = {
            "influence": self.influence,
            "kkt": self.kkt,
            "minmax": self.minmax,
        }
        return {name: self.strongest(name, make) for name, make in makers.items()}

    def strongest(self, name: str, make: Callable[[], Sequence[Candidate]]) -> SearchResult:
        """The best of an attack's settings, told apart on the test rows as in the paper."""
        self.conditions.on_stage(f"{name} on {self.split.name}")
        effort = SearchEffort(self.conditions.seed, self.conditions.workers, self.conditions.on_step)
        return search(make(), self.problem, effort)

    def judged(self, poison: Poison, sanitizers: Sequence[str], name: str) -> tuple[Evaluation, ...]:
        """What some defences, or none, make of an attack."""
        return judge(self.split.train, self.split.test, poison, sanitizers, self.problem.defence, name=name)

    def clean(self) -> Evaluation:
        """Without attack and without defence."""
        train = self.split.train
        (cell,) = self.judged(Poison(train.X[:0], train.y[:0]), (NO_SANITIZER,), NO_ATTACK)
        return cell

    def in_words(self) -> dict[str, str]:
        """The setting, for the record."""
        return {
            "Data": sizes(self.split),
            "Defender": f"removes 5\N{NO-BREAK SPACE}% of each class by one defence, then trains a linear model, hinge "
            f"loss, penalty {self.settings.ridge:g}",
            "Attacker": f"adds {percent(self.settings.fraction)}; expects the {self.settings.quantile:g} quantile of "
            "each class's clean rows to pass; knows the test rows and their labels, as in the paper; decoys and class "
            "balances are those that the search behind `toadstone attack` found strong",
        }


def enter(split: Split, settings: ChosenAttackSettings, conditions: Conditions) -> AttackComparison:
    """Fit the filters that the attacker expects, and put attacker and defender in their places."""
    domain = settle_domain(split, "auto")
    known = Knowledge(
        train=split.train,
        probe=split.test,
        feasible_set=fit_filters(split.train, FILTERS, quantile=settings.quantile, domain=domain),
        ridge=settings.ridge,
        integer=domain == "integer",
        grid=GRIDS.get(split.name, DEFAULT_GRID),
        burn_in=paper_burn_in(split.name, settings.fraction) if split.name in PAPER else 1.0,
    )
    defence = Defence(ridge=settings.ridge, seed=conditions.seed)
    problem = SearchProblem(split.train, split.test, Budget(settings.fraction), defence, settings.quick, settings.slow)
    return AttackComparison(split, settings, known, problem, conditions)


def weakest(cells: Sequence[Evaluation]) -> Evaluation:
    """The evaluation by the defence that fares best; training on everything is none."""
    return min((cell for cell in cells if cell.sanitizer != NO_SANITIZER), key=lambda cell: cell.test_error)


def rows_by_defence(
    label: str,
    cells: Sequence[Evaluation],
    paper: Mapping[tuple[str, str], Published],
    reason: str,
    *,
    aim: Aim = "higher",
) -> list[Comparison]:
    """An attack's error behind each defence, then behind the best; the paper's by (label, sanitizer or `LEAST`)."""
    ordered = sorted(cells, key=lambda cell: list(DEFENCES).index(cell.sanitizer))
    places = [(cell.sanitizer, DEFENCES[cell.sanitizer], cell) for cell in ordered]
    if len([cell for cell in cells if cell.sanitizer != NO_SANITIZER]) == len(FIVE):
        places.append((LEAST, LEAST, weakest(cells)))
    return [
        error_row(f"{label}: test error behind {title}", cell, paper.get((label, key)), reason, aim=aim)
        for key, title, cell in places
    ]


def bars_by_defence(
    title: str, attacks: Mapping[str, Sequence[Evaluation]], paper: Mapping[tuple[str, str], Published]
) -> Panel:
    """Each attack behind each defence, and what the paper states of it."""
    series = []
    for label, cells in attacks.items():
        found = {cell.sanitizer: cell.test_error for cell in cells}
        places = {DEFENCES[name]: found[name] for name in DEFENCES if name in found}
        if len(set(found) - {NO_SANITIZER}) == len(FIVE):
            places[LEAST] = weakest(cells).test_error
        series.append(Series(label, "ours", tuple(places), tuple(places.values())))
        stated = {DEFENCES.get(key, key): one.value for (attack, key), one in paper.items() if attack == label}
        if stated:
            series.append(Series(label, "paper", tuple(stated), tuple(stated.values())))
    return Panel(title, "bars", "", "test error", "category", "share", tuple(series))


def balance(share: float | None, otherwise: str) -> str:
    """The share of the second class among the poison, in words."""
    return otherwise if share is None else f"{share:.3g} positive"
