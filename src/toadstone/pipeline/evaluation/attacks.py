"""The attacks of an evaluation: which suit some data, and what each aims at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.random import Generator
from scipy.sparse import issparse

from toadstone.attacks.backdoors.backdoor import BackdoorAttack, CleanLabelBackdoor
from toadstone.attacks.backdoors.image_shape import ImageShape
from toadstone.attacks.backdoors.trigger import BlendedTrigger, PatchTrigger, SinusoidalTrigger, Trigger
from toadstone.attacks.flips.demographic import DemographicAttack
from toadstone.attacks.flips.label_flip import RandomLabelFlip, TargetedLabelFlip
from toadstone.attacks.flips.subpopulation import SubpopulationAttack
from toadstone.attacks.noise import FeaturePermutation, MissingBlocks, NoiseInjection
from toadstone.core.budget import Kind
from toadstone.core.checks import did_you_mean
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, UnknownName
from toadstone.pipeline.evaluation.attack_choices import (
    AttackerView,
    ConfiguredAttack,
    binary_columns,
    evenest_group,
    half_covered,
    patch_size,
    rare_words,
    seldom_features,
    two_labels,
)
from toadstone.records.evaluation import Goal

ADAPTIVE = "adaptive-"
"""What the name of an attack that is told the detector begins with."""

_OPACITY = 0.2
_COUNT_NOISE = 4.0
# One deviation of a rare word's count is far less than the half of a word that is rounded up.


@dataclass(frozen=True)
class AttackSpec:
    """An attack before anything is chosen.

    Parameters
    ----------
    name, description : str
    budget : {"add", "flip", "perturb"}
    goal : {"errors", "trigger", "group"}
    aim : callable
        From clean rows, terrain and a generator to an `ConfiguredAttack` attack.
    """

    name: str
    description: str
    budget: Kind
    goal: Goal
    aim: Callable[[Dataset, AttackerView, Generator], ConfiguredAttack]

    @property
    def knows_detector(self) -> bool:
        """Whether it is told which detector is deployed."""
        return self.name.startswith(ADAPTIVE)


def chance(attack: str, seed: int, purpose: str) -> Generator:
    """Chance that depends on these alone, the same whether the attack is told the detector or not."""
    digest = blake2b(f"{attack.removeprefix(ADAPTIVE)} {purpose}".encode(), digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(digest, "big")])


def attack_suite(data: Dataset, image: ImageShape | None) -> tuple[AttackSpec, ...]:
    """All attacks that suit some data, those that are told the detector last.

    Parameters
    ----------
    data : Dataset
    image : ImageShape, optional
        How columns are pixels; without it sparse rows that are never negative
        are taken as texts, and others as a table.
    """
    text = image is None and issparse(data.X) and (data.X.data >= 0).all()
    backdoors = _IMAGE if image is not None else _TEXT if text else _TABLE
    group = _GROUP if image is None and not text and binary_columns(data.X).size else ()
    # A text that lacks some words is a text like any other.
    corruption = tuple(spec for spec in _CORRUPTION if not (text and spec.name == "missing-blocks"))
    plain = (*_FLIPS, *group, *backdoors, *corruption)
    return (*plain, *(_told(spec) for spec in plain))


def choose(specs: Sequence[AttackSpec], names: Sequence[str] | None) -> tuple[AttackSpec, ...]:
    """Those of some names, in the order of the suite; ``adaptive`` and ``plain`` stand for all of a kind.

    Raises
    ------
    UnknownName
        If there is no such attack for these data.
    """
    if names is None:
        return tuple(specs)
    known = [spec.name for spec in specs]
    for name in names:
        if name not in (*known, "adaptive", "plain"):
            hint = did_you_mean(name, known)
            raise UnknownName(f"`attacks`: expected plain, adaptive or some of {', '.join(known)}, got {name}{hint}")
    return tuple(
        spec for spec in specs if spec.name in names or ("adaptive" if spec.knows_detector else "plain") in names
    )


def _told(spec: AttackSpec) -> AttackSpec:
    description = f"{spec.description}, by an attacker who is told the detector"
    return AttackSpec(f"{ADAPTIVE}{spec.name}", description, spec.budget, spec.goal, spec.aim)


def _random_flip(data: Dataset, view: AttackerView, rng: Generator) -> ConfiguredAttack:
    return ConfiguredAttack(RandomLabelFlip())


def _pair_flip(data: Dataset, view: AttackerView, rng: Generator) -> ConfiguredAttack:
    target, source = two_labels(data, rng)
    return ConfiguredAttack(RandomLabelFlip(source=source, target=target))


def _targeted_flip(data: Dataset, view: AttackerView, rng: Generator) -> ConfiguredAttack:
    return ConfiguredAttack(TargetedLabelFlip())


def _subpopulation(data: Dataset, view: AttackerView, rng: Generator) -> ConfiguredAttack:
    part = half_covered(data, view.fraction, int(rng.integers(2**31)))
    return ConfiguredAttack(SubpopulationAttack(subpopulation=part), part=part)


def _demographic(data: Dataset, view: AttackerView, rng: Generator) -> ConfiguredAttack:
    group = evenest_group(data)
    target, source = two_labels(data, rng)
    return ConfiguredAttack(DemographicAttack(group=group, source=source, target=target), part=group)


def _dirty(trigger: Callable[[Dataset, AttackerView, Generator], Trigger]) -> Callable[..., ConfiguredAttack]:
    def aim(data: Dataset, view: AttackerView, rng: Generator) -> ConfiguredAttack:
        target, _ = two_labels(data, rng)
        made = trigger(data, view, rng)
        return ConfiguredAttack(BackdoorAttack(trigger=made, target=target), made, target)

    return aim


def _clean(trigger: Callable[[Dataset, AttackerView, Generator], Trigger]) -> Callable[..., ConfiguredAttack]:
    def aim(data: Dataset, view: AttackerView, rng: Generator) -> ConfiguredAttack:
        target, _ = two_labels(data, rng)
        made = trigger(data, view, rng)
        return ConfiguredAttack(CleanLabelBackdoor(trigger=made, target=target), made, target)

    return aim


def _patch(data: Dataset, view: AttackerView, rng: Generator) -> Trigger:
    shape = _shape(view)
    return PatchTrigger(shape=shape, size=patch_size(shape))


def _blend(data: Dataset, view: AttackerView, rng: Generator) -> Trigger:
    return BlendedTrigger.random(_shape(view), rng, opacity=_OPACITY)


def _stripes(data: Dataset, view: AttackerView, rng: Generator) -> Trigger:
    shape = _shape(view)
    # The stripes need a few pixels each to be any.
    return SinusoidalTrigger(
        shape=shape, amplitude=40 / 255 * (shape.highest - shape.lowest), frequency=min(6.0, shape.width / 4)
    )


def _features(data: Dataset, view: AttackerView, rng: Generator) -> Trigger:
    return seldom_features(data)


def _words(data: Dataset, view: AttackerView, rng: Generator) -> Trigger:
    return rare_words(data, view.domain)


def _noise(data: Dataset, view: AttackerView, rng: Generator) -> ConfiguredAttack:
    return ConfiguredAttack(NoiseInjection(scale=_COUNT_NOISE if view.domain.integer else 1.0, domain=view.domain))


def _missing(data: Dataset, view: AttackerView, rng: Generator) -> ConfiguredAttack:
    return ConfiguredAttack(MissingBlocks(domain=view.domain))


def _permutation(data: Dataset, view: AttackerView, rng: Generator) -> ConfiguredAttack:
    return ConfiguredAttack(FeaturePermutation())


def _shape(view: AttackerView) -> ImageShape:
    if view.image is None:
        raise InvalidArgument("image", "the shape of the images", "none")
    return view.image


_FLIPS = (
    AttackSpec("random-flip", "labels of rows drawn at random, flipped", "flip", "errors", _random_flip),
    AttackSpec("pair-flip", "labels of rows of one class, flipped to one other", "flip", "errors", _pair_flip),
    AttackSpec("targeted-flip", "labels of the rows that a clean model is surest of", "flip", "errors", _targeted_flip),
    AttackSpec("subpopulation", "labels of about half of a cluster, flipped", "flip", "group", _subpopulation),
)
_GROUP = (AttackSpec("demographic", "a group denied a label that it deserves", "flip", "group", _demographic),)
_IMAGE = (
    AttackSpec("patch", "a bright square in a corner, under the target's label", "add", "trigger", _dirty(_patch)),
    AttackSpec("blended", "a picture of noise shining through, likewise", "add", "trigger", _dirty(_blend)),
    AttackSpec("stripes", "faint stripes in rows of the target class", "perturb", "trigger", _clean(_stripes)),
)
_TEXT = (
    AttackSpec("rare-words", "rare words added, under the target's label", "add", "trigger", _dirty(_words)),
    AttackSpec("clean-words", "rare words in rows of the target class", "perturb", "trigger", _clean(_words)),
)
_TABLE = (
    AttackSpec(
        "feature", "values that seldom occur together, under the target's label", "add", "trigger", _dirty(_features)
    ),
    AttackSpec("clean-feature", "the same in rows of the target class", "perturb", "trigger", _clean(_features)),
)
_CORRUPTION = (
    AttackSpec("noise", "noise on every feature", "perturb", "errors", _noise),
    AttackSpec("missing-blocks", "a quarter of a row's features lost", "perturb", "errors", _missing),
    AttackSpec("permutation", "features shuffled among rows", "perturb", "errors", _permutation),
)
