"""The record of federated training: every attack of malicious clients against every rule, over several seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from toadstone.records.header import Count, DataSummary, Header, Limits, Name, Positive, Seconds, Share, Source
from toadstone.records.serial import Record
from toadstone.records.trials import Estimate

MEAN = "mean"
"""Name of the rule that all others are compared with: the plain average."""

LEARNED = 0.01
"""Accuracy above the share of the largest class from which a model is said to have learned something."""

ClientGoal: TypeAlias = Literal["none", "errors", "trigger"]
Knowledge: TypeAlias = Literal["none", "own", "updates", "rule"]
NotNegative: TypeAlias = Annotated[float, Limits(minimum=0)]


@dataclass(frozen=True)
class ClientAttackInfo:
    """Name, goal and knowledge of an attack of malicious clients.

    Parameters
    ----------
    name : str
        In the catalogue; "none" where all clients are honest.
    description : str
        In plain words.
    goal : {"none", "errors", "trigger"}
        Errors of any kind, or a trigger that calls up a class.
    knowledge : {"none", "own", "updates", "rule"}
        Of the attacker: nothing, its own clean rows, the updates of all honest
        clients of the round, or the rule of the server too.
    """

    name: Name
    description: str
    goal: ClientGoal
    knowledge: Knowledge


@dataclass(frozen=True)
class RuleInfo:
    """Name and condition of a rule of the server.

    Parameters
    ----------
    name : str
        Pre-aggregations and a rule, joined by "+".
    description : str
        In plain words.
    condition : str
        How many of the clients may be malicious, as "n >= 2f + 3".
    needs_root : bool
        True if it needs rows of the server's own.
    """

    name: Name
    description: str
    condition: str
    needs_root: bool = False


@dataclass(frozen=True)
class FederatedTrial:
    """One attack against one rule, once.

    Parameters
    ----------
    malicious : int
        Clients that the attacker controls, and that the rule reckons with.
    attack, rule : str
        Names in the catalogue.
    seed : int
        Of the dealt rows, the malicious clients, the attack and the training.
    accuracy : tuple of float
        On the test rows, at the record's `rounds_at`.
    worst, area : float, optional
        Least of the accuracies of the second half of the rounds, and mean of
        the curve over the rounds; None where it was skipped.
    success_rows, success_hits : int, optional
        Test rows of other classes that the model does not call the target
        without the trigger, and those of them that it does with it; None for
        attacks without a trigger.
    refused : float
        Share of all messages that were malformed or not finite.
    malicious_filtered, honest_filtered : float, optional
        Share of the messages of each kind that entered and got no weight;
        None where the rule filters nobody, or there are none of the kind.
    unchanged_rounds : int
        Rounds that aggregated nothing and left the model as it was.
    heterogeneity : float, optional
        Mean squared distance of honest updates from their mean.
    kappa : float, optional
        Largest squared distance of an aggregate from the honest mean, over
        the mean squared distance of honest updates.
    seconds : float
        Of the training.
    skipped : str
        Why it could not be run; nothing is measured then.
    """

    malicious: Positive
    attack: Name
    rule: Name
    seed: Count
    accuracy: tuple[Share, ...] = ()
    worst: Share | None = None
    area: Share | None = None
    success_rows: Count | None = None
    success_hits: Count | None = None
    refused: Share = 0.0
    malicious_filtered: Share | None = None
    honest_filtered: Share | None = None
    unchanged_rounds: Count = 0
    heterogeneity: NotNegative | None = None
    kappa: NotNegative | None = None
    seconds: Seconds = 0.0
    skipped: str = ""

    @property
    def final(self) -> float | None:
        """Accuracy after the last round."""
        return self.accuracy[-1] if self.accuracy else None


@dataclass(frozen=True)
class Proportion:
    """A share of rows with its 95 % Wilson interval.

    Parameters
    ----------
    count, total : int
        Rows that are so, and all that were looked at.
    low, high : float
        Ends of the interval.
    """

    count: Count
    total: Positive
    low: Share
    high: Share

    @property
    def share(self) -> float:
        """The share itself."""
        return self.count / self.total


@dataclass(frozen=True)
class FederatedCell:
    """One attack against one rule, over all seeds in which it could be run.

    Parameters
    ----------
    malicious : int
        Clients that the attacker controls, and that the rule reckons with.
    attack, rule : str
        Names in the catalogue.
    accuracy, worst, area : Estimate, optional
        After the last round, in the worst measured round of the second half,
        and on average over the rounds; None where it was skipped in every seed.
    lost : Estimate, optional
        Accuracy of the mean without an attack minus that of this cell, seed by
        seed.
    lost_to_attack : Estimate, optional
        Accuracy of the same rule without an attack minus that of this cell.
    success : Proportion, optional
        Of the trigger, pooled over the seeds; None for attacks without one.
    refused, malicious_filtered, honest_filtered : float, optional
        Means of the shares of the trials.
    unchanged_rounds : float
        On average.
    heterogeneity, kappa : float, optional
        Mean and largest over the seeds.
    curve : tuple of float
        Mean accuracy at the record's `rounds_at`.
    seconds : float
        On average.
    skipped : str
        Why it could not be run, in all seeds or in those that it names.
    """

    malicious: Positive
    attack: Name
    rule: Name
    accuracy: Estimate | None = None
    worst: Estimate | None = None
    area: Estimate | None = None
    lost: Estimate | None = None
    lost_to_attack: Estimate | None = None
    success: Proportion | None = None
    refused: Share | None = None
    malicious_filtered: Share | None = None
    honest_filtered: Share | None = None
    unchanged_rounds: NotNegative = 0.0
    heterogeneity: NotNegative | None = None
    kappa: NotNegative | None = None
    curve: tuple[Share, ...] = ()
    seconds: Seconds = 0.0
    skipped: str = ""


@dataclass(frozen=True)
class CertifiedClients:
    """Test predictions that no choice of so many malicious clients can change, whatever they send.

    Parameters
    ----------
    malicious : int
        How many are controlled by the attacker.
    unchanged : float
        Share of the test predictions.
    accuracy : float
        Share that is right and unchanged.
    """

    malicious: Count
    unchanged: Share
    accuracy: Share


@dataclass(frozen=True)
class FederatedRecord(Record):
    """Result of a simulation: every attack of malicious clients against every rule, over several seeds.

    Parameters
    ----------
    header : Header
    source : Source
    data : DataSummary
    clients : int
        How many take part in every round.
    malicious : tuple of int
        Numbers of malicious clients, each tried with every attack and rule.
    split : str
        As asked: "dirichlet:0.1", "iid" or "column".
    split_words : str
        How rows were dealt to clients, in a sentence.
    smallest_client, largest_client : int
        Rows, over all seeds.
    seeds : tuple of int
        Of the trials; the first is the header's.
    rounds : int
        Of each training.
    rounds_at : tuple of int
        Rounds after which the accuracy was measured.
    momentum : float
        Of the clients: what they send is an average of their updates.
    model : str
        In words.
    parameters : int
        Length of an update.
    rows : int
        Training rows of a seed, over all clients.
    root_rows : int
        Rows of the server's own, out of the clients' reach; 0 for none.
    root_origin : str
        Where they are from, in a sentence.
    test_rows : int
        Rows on which every model is tested.
    attacks : tuple of ClientAttackInfo
        The first is no attack.
    rules : tuple of RuleInfo
        The first is the mean.
    cells : tuple of FederatedCell
        By number of malicious clients, attack, rule.
    trials : tuple of FederatedTrial
        What the cells are made of, by seed.
    vote_groups : int
        Groups of clients whose models voted, for the certificate; 0 for none.
    certified : tuple of CertifiedClients
        By number of malicious clients, from 0; empty where nothing was certified.
    warnings : tuple of str
        Sentences on what limits the figures.
    timings : mapping from str to float
        Seconds of each stage.
    majority : float
        Share of the test rows that are of the most frequent class: what a
        model that has learned nothing reaches; 0 where it is not known.
    """

    header: Header
    source: Source
    data: DataSummary
    clients: Positive
    malicious: Annotated[tuple[Positive, ...], Limits(minItems=1)]
    split: Name
    split_words: str
    smallest_client: Positive
    largest_client: Positive
    seeds: Annotated[tuple[Count, ...], Limits(minItems=1)]
    rounds: Positive
    rounds_at: Annotated[tuple[Count, ...], Limits(minItems=1)]
    momentum: Annotated[float, Limits(minimum=0, exclusiveMaximum=1)]
    model: Name
    parameters: Positive
    rows: Positive
    root_rows: Count
    root_origin: str
    test_rows: Positive
    attacks: Annotated[tuple[ClientAttackInfo, ...], Limits(minItems=1)]
    rules: Annotated[tuple[RuleInfo, ...], Limits(minItems=1)]
    cells: Annotated[tuple[FederatedCell, ...], Limits(minItems=1)]
    trials: Annotated[tuple[FederatedTrial, ...], Limits(minItems=1)]
    vote_groups: Count = 0
    certified: tuple[CertifiedClients, ...] = ()
    warnings: tuple[str, ...] = ()
    timings: Mapping[str, Seconds] = field(default_factory=dict)
    majority: Share = 0.0

    def cell(self, attack: str, rule: str, malicious: int) -> FederatedCell | None:
        """Find one cell; None where it was not planned."""
        wanted = (attack, rule, malicious)
        return next((cell for cell in self.cells if (cell.attack, cell.rule, cell.malicious) == wanted), None)

    @property
    def attacked_by(self) -> tuple[ClientAttackInfo, ...]:
        """The attacks, without none."""
        return self.attacks[1:]

    @property
    def no_attack(self) -> str:
        """Name of no attack."""
        return self.attacks[0].name

    @property
    def mean(self) -> str:
        """Name of the mean."""
        return self.rules[0].name

    def unattacked(self, malicious: int) -> FederatedCell | None:
        """Find the mean without an attack, which all losses are measured from; None where it was not run."""
        found = self.cell(self.no_attack, self.mean, malicious)
        return None if found is None or found.accuracy is None else found

    def learned(self, malicious: int) -> bool:
        """True unless the mean without an attack is known to be hardly better than one class for all test rows."""
        found = self.unattacked(malicious)
        if found is None or found.accuracy is None or not self.majority:
            return True
        return found.accuracy.mean > self.majority + LEARNED

    def above_majority(self, accuracy: float) -> bool:
        """True if an accuracy is above that of one class for all test rows, or if that is not known."""
        # A mean over seeds has rounding errors.
        return not self.majority or accuracy > self.majority + 1e-9

    def worst_cell(self, rule: str, malicious: int) -> FederatedCell | None:
        """Find the attack that costs a rule most accuracy; None unless all were run against it in every seed."""
        cells = [self.cell(info.name, rule, malicious) for info in self.attacks]
        ran = [cell for cell in cells if cell is not None and cell.lost is not None and not cell.skipped]
        if len(ran) < len(cells):
            return None
        return max(ran, key=_mean_loss)

    def best_rule(self, malicious: int) -> FederatedCell | None:
        """Find the rule whose worst attack costs least accuracy, as the cell of that attack; None if none ran whole."""
        worst = (self.worst_cell(info.name, malicious) for info in self.rules)
        return min((cell for cell in worst if cell is not None), key=_mean_loss, default=None)


def _mean_loss(cell: FederatedCell) -> float:
    return 0.0 if cell.lost is None else cell.lost.mean
