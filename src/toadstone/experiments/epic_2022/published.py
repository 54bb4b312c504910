"""CIFAR-10: poisons published by others, in transfer and, at full scale, from scratch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from toadstone.core.errors import InvalidData
from toadstone.datasets.catalogue.load import FOLDER_VARIABLE, data_folder
from toadstone.datasets.catalogue.published import PublishedName, PublishedPoison, load_poison
from toadstone.experiments.conditions import Conditions, Measured
from toadstone.experiments.epic_2022.network_rows import NO_DEFENCE, cells_of, panels_of, rows_of
from toadstone.experiments.epic_2022.trial_log import Planned, logged

if TYPE_CHECKING:
    from pathlib import Path

    from toadstone.deep.trials.cases import Case, Images, Pictures
    from toadstone.deep.trials.run_trial import NetworkDefence

EPIC, KNN, OURS = "EPIC-0.2", "deep k-NN 51", "medoid vote"
WEIGHTS = "cifar10_resnet20.npz"

_NOTES = (
    "The archive has one or two sets of poisons of each kind, with one target each: a success here is one of one.",
    "Hidden triggers and clean-label backdoors need a trigger that the archive lacks; their success is therefore not "
    "measured, only the share that each defence drops.",
    "The poisons were crafted for networks trained from scratch on all of CIFAR-10, which takes a graphics card: "
    "`--scale full`. On 10,000 images and six epochs none of them succeeded.",
    "In transfer the body is the published ResNet-20, trained on the clean images that the poisons were made from.",
)


@dataclass(frozen=True, kw_only=True)
class PublishedPlan:
    """Sizes of the experiment.

    Parameters
    ----------
    transfer, scratch : tuple of str
        Names of poisons, as for `toadstone.datasets.catalogue.published.load_poison`.
    transfer_images, scratch_images, test_images : int
        Training images, poisons included.
    head_epochs, epochs : int
        In transfer and from scratch.
    width : int
        Of the ResNet-8 from scratch.
    voters : int
        Medoids that vote on a row in the vote of medoids.
    device : str
    """

    transfer: tuple[PublishedName, ...] = ("htbd", "targeted0", "targeted1", "clbd0", "clbd1")
    scratch: tuple[PublishedName, ...] = ()
    transfer_images: int = 10_000
    scratch_images: int = 10_000
    test_images: int = 2_000
    head_epochs: int = 40
    epochs: int = 6
    width: int = 16
    voters: int = 75
    device: str = "cpu"


PLANS = {
    "cpu": PublishedPlan(),
    "full": PublishedPlan(
        scratch=("targeted0", "targeted1", "clbd0", "clbd1"),
        scratch_images=50_000,
        test_images=10_000,
        epochs=40,
        device="cuda",
    ),
}


def run(conditions: Conditions) -> Measured:
    """Run the experiment on CIFAR-10."""
    from toadstone.deep.tensors.images import load_images
    from toadstone.deep.trials.cases import check_device

    plan = PLANS[conditions.scale]
    check_device(plan.device)
    folder = data_folder()
    if folder is None or not (folder / WEIGHTS).is_file():
        raise InvalidData(f"{WEIGHTS}: expected it in the folder that {FOLDER_VARIABLE} names, got none there")
    poisons = {name: load_poison(name) for name in dict.fromkeys((*plan.transfer, *plan.scratch))}
    pictures = load_images("cifar10", "train"), load_images("cifar10", "test")
    return measure(PublishedData(*pictures, poisons, folder / WEIGHTS), plan, conditions)


@dataclass(frozen=True, eq=False)
class PublishedData:
    """Images, published poisons and the weights of the published network.

    Parameters
    ----------
    train, test : Pictures
        All images of CIFAR-10, in the published order.
    poisons : dict
        By name.
    weights : Path
        As for `toadstone.deep.tensors.checkpoints.load_arrays`.
    """

    train: Pictures
    test: Pictures
    poisons: dict[PublishedName, PublishedPoison]
    weights: Path


def measure(data: PublishedData, plan: PublishedPlan, conditions: Conditions) -> Measured:
    """Put each set of poisons among the training images, and train with each defence."""
    from toadstone.deep.tensors.checkpoints import digest_of

    with logged("epic-published", plan, conditions) as log:
        trials = log.run(_planned(data, plan, conditions))
    cells = cells_of(trials)
    return Measured(
        setting=_in_words(plan),
        comparisons=rows_of(cells, judged=(EPIC,)),
        panels=panels_of(cells),
        data={"cifar10": digest_of(*data.train)},
        notes=(*_NOTES, *log.notes(trials)),
    )


def _planned(data: PublishedData, plan: PublishedPlan, conditions: Conditions) -> Iterator[Planned]:
    from toadstone.deep.trials.run_trial import run_trial

    for name in plan.transfer:
        conditions.on_stage(f"{name} in transfer")
        case = transferred(data, name, plan, seed=conditions.seed)
        for defence in defences(first_look=1, last_look=10, voters=plan.voters):
            yield Planned(case.attack, defence.name, case.seed, partial(run_trial, case, defence))
    for name in plan.scratch:
        conditions.on_stage(f"{name} from scratch")
        case = from_scratch(data, name, plan, seed=conditions.seed)
        for defence in defences(first_look=plan.epochs // 4, last_look=plan.epochs - 1, voters=plan.voters):
            yield Planned(case.attack, defence.name, case.seed, partial(run_trial, case, defence))


def transferred(data: PublishedData, name: PublishedName, plan: PublishedPlan, *, seed: int) -> Case:
    """Return a case with a new head for the published ResNet-20."""
    from toadstone.deep.tensors.features import activations
    from toadstone.deep.tensors.networks import HEAD
    from toadstone.deep.training.hyperparameters import TrainingConfig
    from toadstone.deep.trials.cases import Goal, poisoned_part
    from toadstone.deep.trials.transfer_setting import TransferSetting, published_body

    poison, (images, labels) = data.poisons[name], data.test
    body = published_body(data.weights).to(plan.device)
    pictures, rows = poisoned_part(_poisoned(data.train, poison), poison.base_indices, count=plan.transfer_images)
    config = TrainingConfig(epochs=plan.head_epochs, learning_rate=0.03, milestones=(25, 35))
    setting = TransferSetting.of(body, pictures, (images[: plan.test_images], labels[: plan.test_images]), config)
    goal = None
    if _targeted(poison):
        seen = activations(body, HEAD, _target(data.test, poison)).cpu()
        goal = Goal(images=seen, label=poison.base_class)
    return setting.case(f"{poison.name} in transfer", setting.features, poison=rows, goal=goal, seed=seed)


def from_scratch(data: PublishedData, name: PublishedName, plan: PublishedPlan, *, seed: int) -> Case:
    """Return a case with a network trained from scratch on the poisons and other images."""
    from toadstone.deep.tensors.networks import ResNet
    from toadstone.deep.training.hyperparameters import TrainingConfig
    from toadstone.deep.trials.cases import Case, Goal, poisoned_part

    poison, test = data.poisons[name], data.test
    (images, labels), rows = poisoned_part(
        _poisoned(data.train, poison), poison.base_indices, count=plan.scratch_images
    )
    goal = Goal(images=_target(test, poison).to(plan.device), label=poison.base_class) if _targeted(poison) else None
    falls = tuple(range(max(1, plan.epochs // 2), plan.epochs))
    return Case(
        attack=f"{poison.name} from scratch",
        seed=seed,
        training=(images.to(plan.device), labels),
        poison=rows,
        build=lambda drawn: ResNet((1, 1, 1), width=plan.width, projected=True, seed=drawn),
        config=TrainingConfig(epochs=plan.epochs, milestones=falls, factor=0.4, augmentation="flip-crop"),
        test=(test[0][: plan.test_images].to(plan.device), test[1][: plan.test_images]),
        goal=goal,
    )


def defences(*, first_look: int, last_look: int, voters: int) -> tuple[NetworkDefence, ...]:
    """Return no defence, EPIC, deep k-NN and the vote of medoids."""
    from toadstone.deep.defences.deep_knn import DeepKNN, MedoidVote
    from toadstone.deep.defences.epic_schedule import Schedule
    from toadstone.deep.trials.run_trial import NetworkDefence, epic, voting

    return (
        NetworkDefence(NO_DEFENCE),
        epic(EPIC, Schedule(fraction=0.2, warm_up=first_look, last_epoch=last_look)),
        voting(KNN, DeepKNN(neighbours=51)),
        voting(OURS, MedoidVote(neighbours=voters)),
    )


def _poisoned(train: Pictures, poison: PublishedPoison) -> Pictures:
    from toadstone.deep.tensors.images import from_arrays

    return from_arrays(poison.poisoned(train[0].numpy()), train[1].numpy(), layout="CHW")


def _target(test: Pictures, poison: PublishedPoison) -> Images:
    return test[0][poison.target_index : poison.target_index + 1]


def _targeted(poison: PublishedPoison) -> bool:
    return poison.name.startswith("targeted")


def _in_words(plan: PublishedPlan) -> dict[str, str]:
    data = f"CIFAR-10: poisons and the first other training images, {plan.transfer_images:,} in transfer"
    networks = f"in transfer heads on the published ResNet-20, {plan.head_epochs} epochs"
    if plan.scratch:
        data += f" and {plan.scratch_images:,} from scratch"
        networks += f"; from scratch a ResNet-8 of width {plan.width}, {plan.epochs} epochs"
    return {
        "Data": f"{data}; the first {plan.test_images:,} test images",
        "Networks": networks,
        "Attackers": "500 clean-label pictures for one target (targeted), 500 of a clean-label backdoor (clbd), or 25 "
        "with a hidden trigger (htbd), changed by at most 8 or 16 levels",
    }
