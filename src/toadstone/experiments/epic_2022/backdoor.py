"""MNIST with a visible backdoor: defences that find the poisoned images, the trigger or the target label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from toadstone.experiments.conditions import Conditions, Measured
from toadstone.experiments.epic_2022.network_rows import NO_ATTACK, NO_DEFENCE, cells_of, panels_of, rows_of
from toadstone.experiments.epic_2022.trial_log import Planned, logged
from toadstone.experiments.figures import percent
from toadstone.records.trials import Trial

if TYPE_CHECKING:
    from toadstone.deep.trials.cases import Case, Pictures
    from toadstone.deep.trials.run_trial import NetworkDefence

ACTIVATION, SPECTRAL, OURS = "activation clustering", "spectral signatures", "medoid vote"
STRIP, INVERSION = "STRIP", "trigger inversion"
FOUND = {
    STRIP: ("inputs with the trigger flagged", "clean inputs flagged"),
    INVERSION: ("backdoored labels found", "other labels suspected"),
}
"""Defences that flag inputs or labels instead of training images, and names of what they flag."""

_NOTES = (
    "EPIC's paper makes no claim about visible backdoors; these rows are here because defences are compared on them.",
    "Success: test images of other classes that the same network classifies correctly without the trigger, and as the "
    "attacker's label with it.",
    "Activation clustering, spectral signatures and the medoid vote use the features of the undefended network; a new "
    "network is trained without the rows that they flag.",
    "Networks of clean images, without attack, are those of the first seed.",
    "STRIP and trigger inversion do not change the network; they get further test images, which are clean and trusted.",
)


@dataclass(frozen=True, kw_only=True)
class BackdoorPlan:
    """Sizes of the experiment.

    Parameters
    ----------
    training_images, test_images : int
        Numbers from the start; test images in an order drawn from the seed.
    width : int
        Channels of the network's first convolution.
    hidden : int
        Units of the layer before the head, whose activations are the features.
    epochs : int
    rates : tuple of float
        Shares of the training images with the trigger.
    target : int
        Label of the backdoor.
    medoids : tuple of float
        Shares of each class that EPIC selects, as in its paper.
    seeds : int
        Number of seeds; networks, orders and poisons are drawn anew for each.
        Clean images are trained on with the first only.
    false_alarm_rate : float
        For STRIP.
    trusted : int
        Clean images that STRIP gets, and inputs of either kind that it judges.
    searched : int
        Trusted images for trigger inversion.
    search_epochs : int
    voters : int
        Medoids that vote on a row in the vote of medoids.
    device : str
    """

    training_images: int = 6_000
    test_images: int = 3_000
    width: int = 16
    hidden: int = 64
    epochs: int = 6
    rates: tuple[float, ...] = (0.01, 0.03)
    target: int = 0
    medoids: tuple[float, ...] = (0.2,)
    seeds: int = 3
    false_alarm_rate: float = 0.01
    trusted: int = 250
    searched: int = 128
    search_epochs: int = 60
    voters: int = 75
    device: str = "cpu"


PLANS = {
    "cpu": BackdoorPlan(),
    "full": BackdoorPlan(
        training_images=60_000,
        test_images=9_500,
        epochs=20,
        medoids=(0.1, 0.2, 0.3),
        seeds=5,
        trusted=500,
        device="cuda",
    ),
}


def run(conditions: Conditions) -> Measured:
    """Run the experiment on MNIST."""
    from toadstone.deep.tensors.images import load_images
    from toadstone.deep.trials.cases import check_device, seeded, shuffled

    plan = PLANS[conditions.scale]
    check_device(plan.device)
    train = load_images("mnist", "train", count=plan.training_images)
    # Shuffled: the halves of MNIST's test images come from different writers, and STRIP must be calibrated on images
    # like those that it judges.
    test = shuffled(load_images("mnist", "test"), seeded(conditions.seed))
    return measure(train, test, plan, conditions)


def measure(train: Pictures, test: Pictures, plan: BackdoorPlan, conditions: Conditions) -> Measured:
    """Poison, train with each defence, and look for triggers in undefended networks."""
    from toadstone.deep.tensors.checkpoints import digest_of

    with logged("epic-backdoor", plan, conditions) as log:
        trials = log.run(_planned(train, test, plan, conditions))
    cells = cells_of(trials)
    return Measured(
        setting=_in_words(plan),
        comparisons=rows_of(cells, judged=tuple(map(_epic, plan.medoids)), named=FOUND),
        panels=panels_of(cells),
        data={"mnist": digest_of(*train)},
        notes=(*_NOTES, *log.notes(trials)),
    )


def _planned(train: Pictures, test: Pictures, plan: BackdoorPlan, conditions: Conditions) -> Iterator[Planned]:
    from toadstone.deep.trials.run_trial import run_trial

    for number in range(plan.seeds):
        for rate in (*(() if number else (0.0,)), *plan.rates):
            case = make(train, test, rate, plan, seed=conditions.seed + number)
            conditions.on_stage(f"{case.attack}, seed {case.seed}")
            for defence in defences(plan):
                yield Planned(case.attack, defence.name, case.seed, partial(run_trial, case, defence))
            for name, look in _scans(case, test, number, plan).items():
                yield Planned(case.attack, name, case.seed, look)


def make(train: Pictures, test: Pictures, rate: float, plan: BackdoorPlan, *, seed: int) -> Case:
    """Return a case with a share of poison among the training images."""
    from toadstone.attacks.backdoors.image_shape import ImageShape
    from toadstone.attacks.backdoors.trigger import PatchTrigger
    from toadstone.deep.attacks.badnets import VisibleBackdoor
    from toadstone.deep.attacks.triggers import stamp
    from toadstone.deep.tensors.networks import SmallCNN
    from toadstone.deep.training.hyperparameters import TrainingConfig
    from toadstone.deep.trials.cases import Case, Goal, seeded

    images, labels = train
    _, channels, height, width = images.shape
    trigger = PatchTrigger(shape=ImageShape(height=height, width=width, channels=channels), size=3)
    shown, truth = (each[: plan.test_images] for each in test)
    others = truth != plan.target
    poison, goal = labels[:0], None
    if rate > 0:
        backdoor = VisibleBackdoor(trigger=trigger, target=plan.target)
        made = backdoor.craft(images, labels, count=round(rate * len(images)), generator=seeded(seed))
        images, labels, poison = made.images, made.labels, made.rows
        stamped = stamp(shown[others], trigger).to(plan.device)
        goal = Goal(images=stamped, label=plan.target, before=(shown[others].to(plan.device), truth[others]))
    return Case(
        attack=f"{percent(rate)} with a square" if rate > 0 else NO_ATTACK,
        seed=seed,
        training=(images.to(plan.device), labels),
        poison=poison,
        build=lambda drawn: SmallCNN(channels, width=plan.width, hidden=plan.hidden, seed=drawn),
        config=TrainingConfig(epochs=plan.epochs, batch=64, learning_rate=0.01, milestones=_falls(plan.epochs)),
        test=(shown.to(plan.device), truth),
        goal=goal,
    )


def defences(plan: BackdoorPlan) -> tuple[NetworkDefence, ...]:
    """Return the defences that choose training images."""
    from toadstone.deep.defences.deep_knn import MedoidVote
    from toadstone.deep.defences.epic_schedule import Schedule
    from toadstone.deep.trials.run_trial import NetworkDefence, detecting, epic, voting
    from toadstone.detectors.features.activation import ActivationClustering
    from toadstone.detectors.features.spectral import SpectralSignatures

    stop = _falls(plan.epochs)[0]
    return (
        NetworkDefence(NO_DEFENCE),
        detecting(ACTIVATION, ActivationClustering),
        detecting(SPECTRAL, SpectralSignatures),
        *(epic(_epic(share), Schedule(fraction=share, warm_up=1, last_epoch=stop)) for share in plan.medoids),
        voting(OURS, MedoidVote(neighbours=plan.voters)),
    )


def _epic(share: float) -> str:
    return f"EPIC-{share:g}"


def _falls(epochs: int) -> tuple[int, ...]:
    return (max(1, 2 * epochs // 3),)


def _scans(case: Case, test: Pictures, number: int, plan: BackdoorPlan) -> dict[str, partial[Trial]]:
    """Return the trials of triggers: STRIP for every network, trigger inversion for those of the first seed."""
    from toadstone.deep.defences.neural_cleanse import NeuralCleanse
    from toadstone.deep.trials.trigger_trials import inversion_trial, strip_trial

    trusted = test[0][-plan.trusted :].to(plan.device)
    found = {
        STRIP: partial(
            strip_trial, case, STRIP, trusted=trusted, judged=plan.trusted, false_alarm_rate=plan.false_alarm_rate
        )
    }
    if number > 0:
        return found
    search = NeuralCleanse(epochs=plan.search_epochs)
    return found | {
        INVERSION: partial(inversion_trial, case, INVERSION, trusted=trusted[: plan.searched], search=search)
    }


def _in_words(plan: BackdoorPlan) -> dict[str, str]:
    rates = " and ".join(percent(rate) for rate in plan.rates)
    return {
        "Data": f"MNIST: the first {plan.training_images:,} training images, {plan.test_images:,} test images drawn",
        "Network": f"three convolutions, the first of {plan.width} channels, a layer of {plan.hidden} "
        f"units, {plan.epochs} epochs",
        "Attacker": f"a white square of 3 x 3 pixels in {rates} of the training images, relabelled {plan.target}",
        "Seeds": f"{plan.seeds}",
    }
