"""The plan of a federated simulation, and everything that is settled before its first trial."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from functools import cached_property

from toadstone.core.checks import check_count, check_not_negative, check_within
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.core.version import __version__
from toadstone.datasets.split import Split, sha256
from toadstone.kernels.rows import fitting_domain
from toadstone.pipeline.evaluation.attack_choices import image_shape, layout_of
from toadstone.pipeline.evaluation.seed_split import draw_test
from toadstone.pipeline.federation.choices import ChosenAttack, ChosenRule, choose_attacks, choose_rules
from toadstone.pipeline.federation.dealing import Dealing, dealing_of
from toadstone.pipeline.federation.part import FederatedPart, deal_part
from toadstone.pipeline.federation.training import LocalTraining
from toadstone.records.federated import FederatedTrial
from toadstone.records.header import Source

_MEASUREMENTS = 12
_LINEAR = LocalTraining()


@dataclass(frozen=True)
class FederationPlan:
    """Clients, attacks, rules, rows and seeds of a simulation.

    Parameters
    ----------
    clients : int
    malicious : tuple of int
        Numbers of malicious clients, each less than half of all.
    attacks, rules : tuple of str, optional
        Names; a choice of both by default. No attack and the mean are always
        among them.
    split : str
        "dirichlet:A" with a concentration A, "iid" or "column".
    group : str, optional
        Column of the source of each row, for "column".
    rounds : int
    seed, seeds : int
        The first seed, and how many. Each draws its own rows, clients,
        malicious ones and batches; the test rows stay.
    momentum : float
        Of the clients, in [0, 1).
    rows, test_rows : int
        At most so many training rows a seed, and test rows.
    root_rows : int
        Rows of the server's own, for rules that need some.
    vote_groups : int
        Groups of clients whose models vote, for a certificate; 0 for none.
    training : LocalTraining
    source : Source, optional
        Origin of the rows, for the record; the name of the split by default.
    command : str
        For the record.

    Raises
    ------
    InvalidArgument
        If a number is out of range.
    """

    clients: int = 50
    malicious: tuple[int, ...] = (5,)
    attacks: tuple[str, ...] | None = None
    rules: tuple[str, ...] | None = None
    split: str = "dirichlet:0.1"
    group: str | None = None
    rounds: int = 50
    seed: int = 0
    seeds: int = 3
    momentum: float = 0.9
    rows: int = 10_000
    test_rows: int = 2000
    root_rows: int = 100
    vote_groups: int = 0
    training: LocalTraining = _LINEAR
    source: Source | None = None
    command: str = ""

    def __post_init__(self) -> None:
        check_count(3, clients=self.clients)
        check_count(rounds=self.rounds, seeds=self.seeds, rows=self.rows, test_rows=self.test_rows)
        check_count(root_rows=self.root_rows)
        check_count(0, vote_groups=self.vote_groups)
        if self.vote_groups > self.clients:
            raise InvalidArgument("vote_groups", f"at most {self.clients}, one a client", self.vote_groups)
        check_within("[0, 1)", momentum=self.momentum)
        check_not_negative(seed=self.seed)
        if not self.malicious:
            raise InvalidArgument("malicious", "at least one number", "none")
        for number in self.malicious:
            check_count(malicious=number)
            if 2 * number >= self.clients:
                most = (self.clients - 1) // 2
                raise InvalidArgument("malicious", f"at most {most}, less than half of {self.clients} clients", number)

    @property
    def every_seed(self) -> tuple[int, ...]:
        """The seeds, in order."""
        return tuple(range(self.seed, self.seed + self.seeds))

    @property
    def evaluate_every(self) -> int:
        """Rounds between two measurements of the accuracy."""
        return max(1, self.rounds // _MEASUREMENTS)


@dataclass(frozen=True, eq=False)
class FederationSetup:
    """Data, attacks and rules of a simulation.

    Parameters
    ----------
    data : Split
    plan : FederationPlan
    test : Dataset
    dealing : Dealing
        How rows come to clients.
    attacks : tuple of ChosenAttack
        Without none.
    rules : tuple of ChosenRule
        The mean first.
    domain : str
        Values that a row can have.
    image : tuple of int, optional
        Height and width of rows that are grey images.
    """

    data: Split
    plan: FederationPlan
    test: Dataset
    dealing: Dealing
    attacks: tuple[ChosenAttack, ...]
    rules: tuple[ChosenRule, ...]
    domain: str
    image: tuple[int, int] | None

    @property
    def root_rows(self) -> int:
        """Rows of the server's own; none where no rule needs them."""
        return self.plan.root_rows if any(rule.info.needs_root for rule in self.rules) else 0

    def part(self, seed: int) -> FederatedPart:
        """Draw and deal the rows of a seed."""
        return deal_part(
            self.data, self.dealing, self.test, seed=seed, rows=self.plan.rows, root_rows=self.root_rows,
            image=self.image,
        )  # fmt: skip

    @cached_property
    def planned(self) -> dict[tuple[int, int, str, str], tuple[FederatedTrial, ...]]:
        """By seed, malicious clients, attack and rule, the trials to come, still blank."""
        names = ["none", *(attack.info.name for attack in self.attacks)]
        return {
            (seed, malicious, attack, rule.info.name): (FederatedTrial(malicious, attack, rule.info.name, seed),)
            for seed in self.plan.every_seed
            for malicious in self.plan.malicious
            for attack in names
            for rule in self.rules
        }

    @property
    def digest(self) -> str:
        """A digest of the data, the plan and the version, on which the trials depend."""
        settled = asdict(replace(self.plan, source=None, command=""))
        parts = [__version__, sha256(self.data.train), sha256(self.data.test), settled]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def prepare_federation(split: Split, plan: FederationPlan) -> FederationSetup:
    """Choose attacks and rules for some data, and settle how rows come to clients.

    Parameters
    ----------
    split : Split
        Its training rows are taken as clean.
    plan : FederationPlan

    Raises
    ------
    InvalidArgument
        If there are more clients than rows, or an option does not fit the data.
    UnknownName
        If there is no such attack or rule.
    InvalidData
        If a row has no source.
    """
    layout = layout_of(split)
    image = None if layout is None or image_shape(split.train.X, *layout).channels != 1 else layout[:2]
    plan.training.model(split.train.n_features, len(split.train.classes), image)
    setup = FederationSetup(
        split,
        plan,
        draw_test(split.test, plan.test_rows, plan.seed),
        dealing_of(split, plan.split, plan.group, clients=plan.clients),
        choose_attacks(plan.attacks),
        choose_rules(plan.rules),
        fitting_domain(split.train.X),
        image,
    )
    available = min(plan.rows, len(split.train))
    if setup.root_rows and available <= setup.root_rows:
        raise InvalidArgument("root_rows", f"less than the {available} training rows that are drawn", setup.root_rows)
    if available - setup.root_rows < plan.clients:
        raise InvalidArgument("clients", f"at most one for each of {available - setup.root_rows} rows", plan.clients)
    return setup
