"""The attacks of an evaluation: which suit some data, and what each aims at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
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
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, UnknownName
from toadstone.pipeline.evaluation.attack_choices import (
    Aimed,
    Terrain,
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
class Recipe:
    """An attack before anything is chosen.

    Parameters
    ----------
    name, description : str
    budget : {"add", "flip", "perturb"}
    goal : {"errors", "trigger", "group"}
    aim : callable
        From clean rows, terrain and a generator to an `Aimed` attack.
    """

    name: str
    description: str
    budget: Kind
    goal: Goal
    aim: Callable[[Dataset, Terrain, Generator], Aimed]

    @property
    def knows_detector(self) -> bool:
        """Whether it is told which detector is deployed."""
        return self.name.startswith(ADAPTIVE)


def chance(attack: str, seed: int, purpose: str) -> Generator:
    """Chance that depends on these alone, the same whether the attack is told the detector or not."""
    digest = blake2b(f"{attack.removeprefix(ADAPTIVE)} {purpose}".encode(), digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(digest, "big")])


def attack_suite(data: Dataset, image: ImageShape | None) -> tuple[Recipe, ...]:
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
    corruption = tuple(recipe for recipe in _CORRUPTION if not (text and recipe.name == "missing-blocks"))
    plain = (*_FLIPS, *group, *backdoors, *corruption)
    return (*plain, *(_told(recipe) for recipe in plain))


def choose(recipes: Sequence[Recipe], names: Sequence[str] | None) -> tuple[Recipe, ...]:
    """Those of some names, in the order of the suite; ``adaptive`` and ``plain`` stand for all of a kind.

    Raises
    ------
    UnknownName
        If there is no such attack for these data.
    """
    if names is None:
        return tuple(recipes)
    known = [recipe.name for recipe in recipes]
    for name in names:
        if name not in (*known, "adaptive", "plain"):
            close = get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise UnknownName(f"`attacks`: expected plain, adaptive or some of {', '.join(known)}, got {name}{hint}")
    return tuple(
        recipe
        for recipe in recipes
        if recipe.name in names or ("adaptive" if recipe.knows_detector else "plain") in names
    )


def _told(recipe: Recipe) -> Recipe:
    description = f"{recipe.description}, by an attacker who is told the detector"
    return Recipe(f"{ADAPTIVE}{recipe.name}", description, recipe.budget, recipe.goal, recipe.aim)


def _random_flip(data: Dataset, terrain: Terrain, rng: Generator) -> Aimed:
    return Aimed(RandomLabelFlip())


def _pair_flip(data: Dataset, terrain: Terrain, rng: Generator) -> Aimed:
    target, source = two_labels(data, rng)
    return Aimed(RandomLabelFlip(source=source, target=target))


def _targeted_flip(data: Dataset, terrain: Terrain, rng: Generator) -> Aimed:
    return Aimed(TargetedLabelFlip())


def _subpopulation(data: Dataset, terrain: Terrain, rng: Generator) -> Aimed:
    part = half_covered(data, terrain.fraction, int(rng.integers(2**31)))
    return Aimed(SubpopulationAttack(subpopulation=part), part=part)


def _demographic(data: Dataset, terrain: Terrain, rng: Generator) -> Aimed:
    group = evenest_group(data)
    target, source = two_labels(data, rng)
    return Aimed(DemographicAttack(group=group, source=source, target=target), part=group)


def _dirty(trigger: Callable[[Dataset, Terrain, Generator], Trigger]) -> Callable[..., Aimed]:
    def aim(data: Dataset, terrain: Terrain, rng: Generator) -> Aimed:
        target, _ = two_labels(data, rng)
        made = trigger(data, terrain, rng)
        return Aimed(BackdoorAttack(trigger=made, target=target), made, target)

    return aim


def _clean(trigger: Callable[[Dataset, Terrain, Generator], Trigger]) -> Callable[..., Aimed]:
    def aim(data: Dataset, terrain: Terrain, rng: Generator) -> Aimed:
        target, _ = two_labels(data, rng)
        made = trigger(data, terrain, rng)
        return Aimed(CleanLabelBackdoor(trigger=made, target=target), made, target)

    return aim


def _patch(data: Dataset, terrain: Terrain, rng: Generator) -> Trigger:
    shape = _shape(terrain)
    return PatchTrigger(shape=shape, size=patch_size(shape))


def _blend(data: Dataset, terrain: Terrain, rng: Generator) -> Trigger:
    return BlendedTrigger.random(_shape(terrain), rng, opacity=_OPACITY)


def _stripes(data: Dataset, terrain: Terrain, rng: Generator) -> Trigger:
    shape = _shape(terrain)
    # The stripes need a few pixels each to be any.
    return SinusoidalTrigger(
        shape=shape, amplitude=40 / 255 * (shape.highest - shape.lowest), frequency=min(6.0, shape.width / 4)
    )


def _features(data: Dataset, terrain: Terrain, rng: Generator) -> Trigger:
    return seldom_features(data)


def _words(data: Dataset, terrain: Terrain, rng: Generator) -> Trigger:
    return rare_words(data, terrain.domain)


def _noise(data: Dataset, terrain: Terrain, rng: Generator) -> Aimed:
    return Aimed(NoiseInjection(scale=_COUNT_NOISE if terrain.domain.integer else 1.0, domain=terrain.domain))


def _missing(data: Dataset, terrain: Terrain, rng: Generator) -> Aimed:
    return Aimed(MissingBlocks(domain=terrain.domain))


def _permutation(data: Dataset, terrain: Terrain, rng: Generator) -> Aimed:
    return Aimed(FeaturePermutation())


def _shape(terrain: Terrain) -> ImageShape:
    if terrain.image is None:
        raise InvalidArgument("image", "the shape of the images", "none")
    return terrain.image


_FLIPS = (
    Recipe("random-flip", "labels of rows drawn at random, flipped", "flip", "errors", _random_flip),
    Recipe("pair-flip", "labels of rows of one class, flipped to one other", "flip", "errors", _pair_flip),
    Recipe("targeted-flip", "labels of the rows that a clean model is surest of", "flip", "errors", _targeted_flip),
    Recipe("subpopulation", "labels of about half of a cluster, flipped", "flip", "group", _subpopulation),
)
_GROUP = (Recipe("demographic", "a group denied a label that it deserves", "flip", "group", _demographic),)
_IMAGE = (
    Recipe("patch", "a bright square in a corner, under the target's label", "add", "trigger", _dirty(_patch)),
    Recipe("blended", "a picture of noise shining through, likewise", "add", "trigger", _dirty(_blend)),
    Recipe("stripes", "faint stripes in rows of the target class", "perturb", "trigger", _clean(_stripes)),
)
_TEXT = (
    Recipe("rare-words", "rare words added, under the target's label", "add", "trigger", _dirty(_words)),
    Recipe("clean-words", "rare words in rows of the target class", "perturb", "trigger", _clean(_words)),
)
_TABLE = (
    Recipe(
        "feature", "values that seldom occur together, under the target's label", "add", "trigger", _dirty(_features)
    ),
    Recipe("clean-feature", "the same in rows of the target class", "perturb", "trigger", _clean(_features)),
)
_CORRUPTION = (
    Recipe("noise", "noise on every feature", "perturb", "errors", _noise),
    Recipe("missing-blocks", "a quarter of a row's features lost", "perturb", "errors", _missing),
    Recipe("permutation", "features shuffled among rows", "perturb", "errors", _permutation),
)
