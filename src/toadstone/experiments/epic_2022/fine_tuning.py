"""CIFAR-10 with all weights trained: a new head first, then the whole network, with several targets in each victim."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from toadstone.core.errors import InvalidData
from toadstone.datasets.catalogue.load import FOLDER_VARIABLE, data_folder
from toadstone.datasets.catalogue.published import load_setups
from toadstone.experiments.conditions import Conditions, Measured
from toadstone.experiments.epic_2022.network_rows import NO_DEFENCE, cells_of, panels_of, rows_of
from toadstone.experiments.epic_2022.transfer import WEIGHTS, TransferData
from toadstone.experiments.epic_2022.transfer_parts import (
    BULLSEYE_LAYERS,
    COLLISION,
    EPIC_2,
    HEAD_FALLS,
    HEAD_RATE,
    KNN_251,
    MEDOIDS,
    RANDOM,
    VOTE,
    attack_named,
    defence_named,
)
from toadstone.experiments.epic_2022.trial_log import Planned, TrialLog, logged
from toadstone.records.trials import Trial

if TYPE_CHECKING:
    from toadstone.deep.trials.fine_tuning_case import FineTuningCase
    from toadstone.deep.trials.transfer_cases import TargetsAndBases
    from toadstone.deep.trials.transfer_setting import TransferSetting

DEFENCES = (NO_DEFENCE, EPIC_2, RANDOM[EPIC_2], KNN_251, MEDOIDS, VOTE)

_NOTES = (
    "Each victim carries several targets: its training set has 25 poisons for each of them. Success is the share of "
    "targets that get the intended label.",
    "The head is trained on the frozen body first, then all weights at a lower rate, on images that are flipped and "
    "cropped at random. Defences choose rows before the head, EPIC while it is trained; all weights are trained on "
    "the rows that are left.",
)


@dataclass(frozen=True, kw_only=True)
class FineTuningPlan:
    """Sizes of the experiment.

    Parameters
    ----------
    targets : int
        In all.
    targets_each : int
        In one victim.
    head_images, test_images, head_epochs : int
    epochs : int
        Of all weights.
    rate : float
        Largest learning rate of these.
    steps : int
        Steps of each attack.
    attacks, defences : tuple of str
    """

    targets: int = 20
    targets_each: int = 5
    head_images: int = 2_500
    test_images: int = 4_000
    head_epochs: int = 40
    epochs: int = 10
    rate: float = 1e-2
    steps: int = 60
    attacks: tuple[str, ...] = (BULLSEYE_LAYERS, COLLISION)
    defences: tuple[str, ...] = DEFENCES


PLANS = {"cpu": FineTuningPlan(), "full": FineTuningPlan(targets=100, test_images=10_000, steps=1_500)}


def run(conditions: Conditions) -> Measured:
    """Run the experiment on CIFAR-10."""
    from toadstone.deep.tensors.images import load_images

    folder = data_folder()
    if folder is None or not (folder / WEIGHTS).is_file():
        raise InvalidData(f"{WEIGHTS}: expected it in the folder that {FOLDER_VARIABLE} names, got none there")
    plan = PLANS[conditions.scale]
    asked = plan if conditions.targets is None else replace(plan, targets=conditions.targets)
    data = TransferData(
        load_images("cifar10", "train"), load_images("cifar10", "test"), load_setups("transfer"), folder / WEIGHTS
    )
    return measure(data, asked, conditions)


def measure(data: TransferData, plan: FineTuningPlan, conditions: Conditions) -> Measured:
    """Craft poisons for all targets, and train victims with each defence."""
    from toadstone.deep.tensors.checkpoints import digest_of

    with logged("epic-fine-tuning", plan, conditions) as log:
        conditions.on_stage("features")
        trials = log.run(_planned(data, plan, conditions, log))
    cells = cells_of(trials)
    return Measured(
        setting={
            "Data": f"CIFAR-10: {plan.head_images:,} training images for each victim, the first {plan.test_images:,} "
            "test images",
            "Network": f"the published ResNet-20; a head of {plan.head_epochs} epochs at rate {HEAD_RATE:g}, then "
            f"{plan.epochs} epochs of all weights in one cycle of rate {plan.rate:g}",
            "Attacker": f"25 images a target changed by at most 16 levels in {plan.steps} steps; {plan.targets} "
            f"targets, {plan.targets_each} a victim",
        },
        comparisons=rows_of(cells, judged=(EPIC_2,)),
        panels=panels_of(cells),
        data={"cifar10": digest_of(*data.train)},
        notes=(*_NOTES, *log.notes(trials)),
    )


def _planned(data: TransferData, plan: FineTuningPlan, conditions: Conditions, log: TrialLog) -> Iterator[Planned]:
    setting, chosen = _setting(data, plan)
    victims = -(-plan.targets // plan.targets_each)
    for attack in plan.attacks:
        conditions.on_stage(attack)
        crafted = cache(partial(_cases, setting, chosen, plan, attack, conditions, log))
        for victim in range(victims):
            for name in plan.defences:
                yield Planned(attack, name, victim, partial(_run, crafted, victim, name, log))


def _run(crafted: Callable[[], list[FineTuningCase]], victim: int, name: str, log: TrialLog) -> Trial:
    from toadstone.deep.trials.run_trial import run_trial

    return run_trial(crafted()[victim], defence_named(name, log))


def _setting(data: TransferData, plan: FineTuningPlan) -> tuple[TransferSetting, TargetsAndBases]:
    from toadstone.deep.training.hyperparameters import TrainingConfig
    from toadstone.deep.trials.transfer_cases import TargetsAndBases
    from toadstone.deep.trials.transfer_setting import TransferSetting, published_body

    setups, first = data.setups, slice(plan.targets)
    if len(setups) < plan.targets:
        raise InvalidData(f"targets: expected at most the {len(setups)} set-ups of the benchmark, got {plan.targets}")
    chosen, pool = TargetsAndBases.of_setups(
        setups.target_index[first],
        setups.base_class[first],
        setups.base_indices[first],
        head_images=plan.head_images,
    )
    heads = TrainingConfig(epochs=plan.head_epochs, learning_rate=HEAD_RATE, milestones=HEAD_FALLS)
    setting = TransferSetting.of(
        published_body(data.weights),
        (data.train[0][pool], data.train[1][pool]),
        data.test,
        heads,
        head_images=plan.head_images,
    )
    return setting, chosen


def _cases(
    setting: TransferSetting,
    chosen: TargetsAndBases,
    plan: FineTuningPlan,
    attack: str,
    conditions: Conditions,
    log: TrialLog,
) -> list[FineTuningCase]:
    """Craft the poisons of all targets, and put those of several targets into the training set of one victim."""
    from toadstone.deep.trials.cases import seeded
    from toadstone.deep.trials.fine_tuning_case import fine_tuning_case
    from toadstone.deep.trials.transfer_cases import crafted_once, file_of

    bases, shown = chosen.images(setting)
    poisons = crafted_once(
        file_of(log.folder, attack),
        bases,
        shown,
        lambda: attack_named(attack, plan.steps)(setting, chosen, seeded(conditions.seed)),
    )
    places = np.array_split(np.arange(plan.targets), -(-plan.targets // plan.targets_each))
    return [
        fine_tuning_case(
            setting,
            attack,
            chosen.at(place),
            poisons[place],
            seed=victim,
            epochs=plan.epochs,
            rate=plan.rate,
            test_images=plan.test_images,
        )
        for victim, place in enumerate(places)
    ]
