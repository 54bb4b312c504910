"""Experiments by name; each is imported on use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from toadstone.core.checks import did_you_mean
from toadstone.core.errors import UnknownName
from toadstone.experiments.conditions import Conditions, Measured

CERTIFIED = "Steinhardt, Koh and Liang, Certified defenses for data poisoning attacks, NIPS 2017"
STRONGER = (
    "Koh, Steinhardt and Liang, Stronger data poisoning attacks break data sanitization defenses, "
    "Machine Learning 111, 2022"
)
EPIC = (
    "Yang, Liu and Mirzasoleiman, Not all poisons are created equal: robust training against data poisoning, ICML 2022"
)


@dataclass(frozen=True)
class Experiment:
    """Catalogue entry of an experiment.

    Parameters
    ----------
    name : str
    paper : str
        Citation.
    place : str
        Figure, table or section of the paper.
    title : str
        Description of the figure or table.
    minutes : float
        Approximate running time on two cores.
    data : tuple of str
        Catalogue names of the data sets that it needs.
    module : str
        Module of this room with the function ``run``.
    images : tuple of str
        Image sets that it needs, as named by
        `toadstone.deep.tensors.images.load_images`.
    targets : bool
        Whether its number of targets can be chosen.
    """

    name: str
    paper: str
    place: str
    title: str
    minutes: float
    data: tuple[str, ...]
    module: str
    images: tuple[str, ...] = ()
    targets: bool = False

    @property
    def source(self) -> str:
        """Citation with the place in the paper."""
        return f"{self.paper}, {self.place}"

    def load(self) -> Callable[[Conditions], Measured]:
        """Import the module and return its function ``run``."""
        run: Callable[[Conditions], Measured] = import_module(f"toadstone.experiments.{self.module}").run
        return run


EXPERIMENTS = (
    Experiment(
        name="p17-mnist-1-7",
        paper=CERTIFIED,
        place="results with fixed filters, MNIST-1-7",
        title="Certified bound and attack over the fraction of poison, digits 1 against 7",
        minutes=0.3,
        data=("mnist-1-7",),
        module="certified_2017.mnist_1_7",
    ),
    Experiment(
        name="p17-data-dependent",
        paper=CERTIFIED,
        place="results with data-dependent filters, MNIST-1-7",
        title="Bounds and an attack where the filters' means include the poison, digits 1 against 7",
        minutes=2,
        data=("mnist-1-7",),
        module="certified_2017.data_dependent",
    ),
    Experiment(
        name="p17-gradient",
        paper=CERTIFIED,
        place="results with fixed filters, MNIST-1-7",
        title="The gradient baseline behind fixed filters, digits 1 against 7",
        minutes=2,
        data=("mnist-1-7",),
        module="certified_2017.gradient_baseline",
    ),
    Experiment(
        name="p17-enron",
        paper=CERTIFIED,
        place="results on text, Enron",
        title="Certified bound over the fraction of poison, and the attack that attains it, spam mails",
        minutes=0.1,
        data=("enron",),
        module="certified_2017.enron",
    ),
    Experiment(
        name="p17-integer",
        paper=CERTIFIED,
        place="results on text, Enron with integer counts",
        title="Attacks with integer counts over the fraction of poison, spam mails",
        minutes=0.2,
        data=("enron",),
        module="certified_2017.integer",
    ),
    Experiment(
        name="p17-imdb",
        paper=CERTIFIED,
        place="results on text, IMDB",
        title="Certified bound, attack with integer counts and test error over the fraction of poison, film reviews",
        minutes=8,
        data=("imdb",),
        module="certified_2017.imdb",
    ),
    Experiment(
        name="p17-dogfish",
        paper=CERTIFIED,
        place="results with fixed filters, Dogfish",
        title="Certified bound and attack over the fraction of poison, dogs against fish (a stand-in for the data)",
        minutes=0.5,
        data=("fishdog",),
        module="certified_2017.dogfish",
    ),
    Experiment(
        name="table1",
        paper=STRONGER,
        place="table 1",
        title="Data sets, and the test error of a model trained on clean rows",
        minutes=0.3,
        data=("enron", "imdb"),
        module="stronger_2022.table1",
    ),
    Experiment(
        name="fig3-enron",
        paper=STRONGER,
        place="figure 3, left",
        title="Test error under three attacks behind each of five defences, spam mails",
        minutes=12,
        data=("enron",),
        module="stronger_2022.fig3_enron",
    ),
    Experiment(
        name="fig3-imdb",
        paper=STRONGER,
        place="figure 3, right",
        title="Test error under two attacks behind each of five defences, film reviews",
        minutes=5,
        data=("imdb",),
        module="stronger_2022.fig3_imdb",
    ),
    Experiment(
        name="fig4",
        paper=STRONGER,
        place="figure 4",
        title="Test error behind the L2 defence over the time taken to make each attack, spam mails",
        minutes=2,
        data=("enron",),
        module="stronger_2022.fig4",
    ),
    Experiment(
        name="fig5",
        paper=STRONGER,
        place="figure 5 and section 5.4",
        title="The influence attack with a fixed feasible set, and with one that is refitted during the attack",
        minutes=2.5,
        data=("enron", "mnist-1-7"),
        module="stronger_2022.fig5",
    ),
    Experiment(
        name="fig6",
        paper=STRONGER,
        place="figure 6",
        title="The influence attack without its relaxation, and without concentration, spam mails",
        minutes=2,
        data=("enron",),
        module="stronger_2022.fig6",
    ),
    Experiment(
        name="fig7",
        paper=STRONGER,
        place="figure 7",
        title="The min-max attack with and without decoys, spam mails",
        minutes=0.3,
        data=("enron",),
        module="stronger_2022.fig7",
    ),
    Experiment(
        name="fig8",
        paper=STRONGER,
        place="figure 8",
        title="The min-max attack on ten classes, digits",
        minutes=0.5,
        data=("mnist",),
        module="stronger_2022.fig8",
    ),
    Experiment(
        name="fig9",
        paper=STRONGER,
        place="figure 9",
        title="Test error under three attacks that know the training rows only, spam mails",
        minutes=5,
        data=("enron",),
        module="stronger_2022.fig9",
    ),
    Experiment(
        name="fig10",
        paper=STRONGER,
        place="figure 10",
        title="Test error of defenders with another penalty than the attackers assume, spam mails",
        minutes=0.5,
        data=("enron",),
        module="stronger_2022.fig10",
    ),
    Experiment(
        name="fig11",
        paper=STRONGER,
        place="figure 11",
        title="Test error of defenders with another training method than the attackers assume, spam mails",
        minutes=0.7,
        data=("enron",),
        module="stronger_2022.fig11",
    ),
    Experiment(
        name="table2",
        paper=STRONGER,
        place="table 2",
        title="Three attacks compared by test error behind the best defence and by speed, spam mails",
        minutes=12,
        data=("enron",),
        module="stronger_2022.table2",
    ),
    Experiment(
        name="epic-transfer",
        paper=EPIC,
        place="table 1, transfer",
        title="Targeted poisons against a new head on a frozen network behind twelve defences, pictures",
        minutes=25,
        data=(),
        module="epic_2022.transfer",
        images=("cifar10",),
        targets=True,
    ),
    Experiment(
        name="epic-transfer-unseen",
        paper=EPIC,
        place="table 1, transfer",
        title="The same with heads on images that the network has not seen",
        minutes=15,
        data=(),
        module="epic_2022.transfer_unseen",
        images=("cifar10",),
        targets=True,
    ),
    Experiment(
        name="epic-fine-tuning",
        paper=EPIC,
        place="table 1, fine-tuning",
        title="Targeted poisons where all weights are trained, behind five defences, pictures",
        minutes=60,
        data=(),
        module="epic_2022.fine_tuning",
        images=("cifar10",),
        targets=True,
    ),
    Experiment(
        name="epic-backdoor",
        paper=EPIC,
        place="beyond the paper",
        title="A visible backdoor behind defences that look at images, inputs or networks, digits",
        minutes=11,
        data=(),
        module="epic_2022.backdoor",
        images=("mnist",),
    ),
    Experiment(
        name="epic-scratch",
        paper=EPIC,
        place="table 2, 40 epochs",
        title="Gradient matching against networks trained from scratch behind three defences, pictures",
        minutes=1,
        data=(),
        module="epic_2022.scratch",
        images=("cifar10",),
    ),
    Experiment(
        name="epic-published",
        paper=EPIC,
        place="beyond the paper",
        title="Poisons that others published, in transfer behind four defences, pictures",
        minutes=4,
        data=(),
        module="epic_2022.published",
        images=("cifar10",),
    ),
)
"""All experiments, in the order of the papers."""


def find(name: str) -> Experiment:
    """Return the experiment of a name.

    Raises
    ------
    UnknownName
        If there is no such experiment.

    Examples
    --------
    >>> find("p17-enron").data
    ('enron',)
    """
    known = {experiment.name: experiment for experiment in EXPERIMENTS}
    if name in known:
        return known[name]
    hint = did_you_mean(name, known)
    raise UnknownName(f"`name`: expected one that `toadstone reproduce --list` prints, got {name}{hint}")
