"""Attacks and defences in transfer by name, and the trials of a part: one body with its heads and targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Literal

from toadstone.experiments.conditions import Conditions
from toadstone.experiments.epic_2022.network_rows import NO_DEFENCE
from toadstone.experiments.epic_2022.trial_log import Planned, TrialLog
from toadstone.records.trials import Trial

if TYPE_CHECKING:
    from pathlib import Path

    from toadstone.deep.trials.cases import Case, Pictures
    from toadstone.deep.trials.run_trial import NetworkDefence
    from toadstone.deep.trials.transfer_cases import Crafting, TargetsAndBases
    from toadstone.deep.trials.transfer_setting import TransferSetting

BULLSEYE, BULLSEYE_16 = "bullseye polytope", "bullseye polytope, 16 levels"
COLLISION, POLYTOPE, SPREAD = "feature collision", "convex polytope", "spread collisions"
BULLSEYE_LAYERS = "bullseye polytope, three layers, 16 levels"
_LAYERS = ("layer3.1", "layer3.2")
ATTACKS = (BULLSEYE, BULLSEYE_16, COLLISION, POLYTOPE, SPREAD)

EPIC_1, EPIC_2, EPIC_3 = "EPIC-0.1", "EPIC-0.2", "EPIC-0.3"
FRACTIONS = {EPIC_1: 0.1, EPIC_2: 0.2, EPIC_3: 0.3}
RANDOM = {name: f"random drop as {name}" for name in FRACTIONS}
_MEASURE = {control: name for name, control in RANDOM.items()}
KNN_51, KNN_251, MEDOIDS, VOTE = "deep k-NN 51", "deep k-NN 251", "medoid vote", "feature vote"
SPECTRAL, CLUSTERS = "spectral signatures", "activation clustering"
DEFENCES = (
    NO_DEFENCE,
    *(name for pair in RANDOM.items() for name in pair),
    KNN_51,
    KNN_251,
    MEDOIDS,
    VOTE,
    SPECTRAL,
    CLUSTERS,
)

HEAD_RATE, HEAD_FALLS = 0.03, (25, 35)
LAST_LOOK = 10
"""EPIC as published for transfer looks before epochs 1 to 10; the authors count from 0."""


@dataclass(frozen=True, kw_only=True)
class TrainedBody:
    """Sizes of a body that the experiment trains itself.

    Parameters
    ----------
    network : {"resnet8", "resnet18"}
    width : int
        Channels of its first stage.
    pooled : int
        Side of the grid that a head's features are pooled to.
    images : int
        It is trained on the first training images; heads on the next.
    epochs : int
    """

    network: Literal["resnet8", "resnet18"] = "resnet8"
    width: int = 16
    pooled: int = 2
    images: int = 17_500
    epochs: int = 10


@dataclass(frozen=True, eq=False, kw_only=True)
class Part:
    """One body, its heads and its targets.

    Parameters
    ----------
    name : str
        Added to the names of attacks; empty for the main part.
    setting : TransferSetting
    chosen : TargetsAndBases
    steps : int
        Steps of each attack.
    attacks, defences : tuple of str
    """

    name: str
    setting: TransferSetting
    chosen: TargetsAndBases
    steps: int
    attacks: tuple[str, ...]
    defences: tuple[str, ...]

    def planned(self, conditions: Conditions, log: TrialLog) -> Iterator[Planned]:
        """Plan the clean trials, then those of each attack, whose poisons are crafted where the journal lacks one."""
        from toadstone.deep.trials.cases import NO_ATTACK, seeded
        from toadstone.deep.trials.run_trial import run_trial
        from toadstone.deep.trials.transfer_cases import poisoned_cases

        clean = self.setting.clean_case(f"{NO_ATTACK}{self.name}", conditions.seed)
        for defence in self._defences(log):
            yield Planned(clean.attack, defence.name, clean.seed, partial(run_trial, clean, defence))
        for attack in self.attacks:
            name = f"{attack}{self.name}"
            conditions.on_stage(name)
            crafting, generator = attack_named(attack, self.steps), seeded(conditions.seed)
            crafted = cache(
                partial(
                    poisoned_cases,
                    self.setting,
                    name,
                    self.chosen,
                    crafting,
                    generator=generator,
                    folder=log.folder,
                )
            )
            for place in range(len(self.chosen.targets)):
                for defence in self._defences(log):
                    yield Planned(name, defence.name, place, partial(_run, crafted, place, defence))

    def _defences(self, log: TrialLog) -> tuple[NetworkDefence, ...]:
        return tuple(defence_named(name, log) for name in self.defences)


def _run(crafted: Callable[[], list[Case]], place: int, defence: NetworkDefence) -> Trial:
    from toadstone.deep.trials.run_trial import run_trial

    return run_trial(crafted()[place], defence)


def attack_named(name: str, steps: int) -> Crafting:
    """Return an attack that knows the body; spread collisions know the votes too."""
    from toadstone.deep.attacks.bullseye_polytope import BullseyePolytope
    from toadstone.deep.attacks.convex_polytope import ConvexPolytope
    from toadstone.deep.attacks.feature_collision import FeatureCollision
    from toadstone.deep.trials.transfer_cases import directly, spread

    collision = FeatureCollision(radius=16, pull=0.0, watermark=0.3, steps=steps, step_size=0.01)
    return {
        BULLSEYE: directly(BullseyePolytope(radius=8, steps=steps)),
        BULLSEYE_16: directly(BullseyePolytope(radius=16, steps=steps)),
        BULLSEYE_LAYERS: directly(BullseyePolytope(radius=16, steps=steps, layers=_LAYERS)),
        COLLISION: directly(collision),
        POLYTOPE: directly(ConvexPolytope(radius=16, steps=steps)),
        SPREAD: spread(collision),
    }[name]


def defence_named(name: str, log: TrialLog) -> NetworkDefence:
    """Return a defence; a random drop takes the number of rows from the recorded trial of EPIC."""
    from toadstone.deep.defences.deep_knn import DeepKNN, MedoidVote
    from toadstone.deep.defences.epic_schedule import Schedule
    from toadstone.deep.trials.run_trial import NetworkDefence, detecting, epic, random_drop, voting
    from toadstone.detectors.features.activation import ActivationClustering
    from toadstone.detectors.features.feature_vote import FeatureVote
    from toadstone.detectors.features.spectral import SpectralSignatures

    if name in FRACTIONS:
        return epic(name, Schedule(fraction=FRACTIONS[name], warm_up=1, last_epoch=LAST_LOOK))
    if name in _MEASURE:
        return random_drop(name, lambda case: log.dropped(case.attack, _MEASURE[name], case.seed))
    return {
        NO_DEFENCE: NetworkDefence(NO_DEFENCE),
        KNN_51: voting(KNN_51, DeepKNN(neighbours=51)),
        KNN_251: voting(KNN_251, DeepKNN(neighbours=251)),
        MEDOIDS: voting(MEDOIDS, MedoidVote()),
        VOTE: detecting(VOTE, FeatureVote),
        SPECTRAL: detecting(SPECTRAL, SpectralSignatures),
        CLUSTERS: detecting(CLUSTERS, ActivationClustering),
    }[name]


def trained_setting(
    train: Pictures,
    test: Pictures,
    body: TrainedBody,
    *,
    head_images: int,
    head_epochs: int,
    seed: int,
    device: str,
    folder: Path,
) -> TransferSetting:
    """Train a body on the first images, for heads that are trained on the next."""
    from toadstone.deep.training.hyperparameters import TrainingConfig
    from toadstone.deep.trials.transfer_setting import TransferSetting, trained_body

    images, labels = train
    first, last = body.images, body.images + head_images
    falls = tuple(sorted({max(1, body.epochs * share // 10) for share in (6, 8, 9)}))
    network = trained_body(
        body.network,
        (images[:first].to(device), labels[:first]),
        TrainingConfig(epochs=body.epochs, milestones=falls, factor=0.2, augmentation="flip-crop"),
        width=body.width,
        pooled=body.pooled,
        seed=seed,
        folder=folder,
    )
    heads = TrainingConfig(epochs=head_epochs, learning_rate=HEAD_RATE, milestones=HEAD_FALLS)
    return TransferSetting.of(network, (images[first:last], labels[first:last]), test, heads)
