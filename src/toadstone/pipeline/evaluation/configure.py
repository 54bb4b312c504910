"""Configure each attack for the rows of a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from numpy.random import Generator

from toadstone.attacks.backdoors.backdoor import BackdoorAttack, CleanLabelBackdoor
from toadstone.attacks.backdoors.image_shape import ImageShape
from toadstone.attacks.backdoors.trigger import BlendedTrigger, PatchTrigger, SinusoidalTrigger, Trigger
from toadstone.attacks.flips.demographic import DemographicAttack
from toadstone.attacks.flips.label_flip import RandomLabelFlip, TargetedLabelFlip
from toadstone.attacks.flips.subpopulation import SubpopulationAttack
from toadstone.attacks.noise import FeaturePermutation, MissingBlocks, NoiseInjection
from toadstone.catalogue import entry
from toadstone.core.dataset import Dataset
from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument
from toadstone.pipeline.attack_search.names import searchable
from toadstone.pipeline.evaluation.attack_choices import (
    AttackerView,
    ConfiguredAttack,
    evenest_group,
    half_covered,
    patch_size,
    rare_words,
    seldom_features,
    two_labels,
)

Configure: TypeAlias = Callable[[Dataset, AttackerView, Generator], ConfiguredAttack]
"""From clean rows, the attacker's view and a generator to an attack with its options settled."""

_OPACITY = 0.2
_COUNT_NOISE = 4.0
# One deviation of a rare word's count is far less than the half of a word that is rounded up.


def _random_flip(data: Dataset, view: AttackerView, rng: Generator) -> ConfiguredAttack:
    return ConfiguredAttack(RandomLabelFlip())


def _pair_flip(data: Dataset, view: AttackerView, rng: Generator) -> ConfiguredAttack:
    target, source = two_labels(data, rng)
    return ConfiguredAttack(RandomLabelFlip(source=source, target=target))


def _targeted_flip(data: Dataset, view: AttackerView, rng: Generator) -> ConfiguredAttack:
    return ConfiguredAttack(TargetedLabelFlip())


def _subpopulation(data: Dataset, view: AttackerView, rng: Generator) -> ConfiguredAttack:
    cluster = half_covered(data, view.fraction, int(rng.integers(2**31)))
    return ConfiguredAttack(SubpopulationAttack(subpopulation=cluster), group=cluster)


def _demographic(data: Dataset, view: AttackerView, rng: Generator) -> ConfiguredAttack:
    group = evenest_group(data)
    target, source = two_labels(data, rng)
    return ConfiguredAttack(DemographicAttack(group=group, source=source, target=target), group=group)


def _backdoor(
    kind: type[BackdoorAttack] | type[CleanLabelBackdoor],
    choose_trigger: Callable[[Dataset, AttackerView, Generator], Trigger],
) -> Configure:
    """Build the function that configures a backdoor of one kind of trigger."""

    def configure(data: Dataset, view: AttackerView, rng: Generator) -> ConfiguredAttack:
        target, _ = two_labels(data, rng)
        trigger = choose_trigger(data, view, rng)
        return ConfiguredAttack(kind(trigger=trigger, target=target), trigger, target)

    return configure


def _patch(data: Dataset, view: AttackerView, rng: Generator) -> Trigger:
    shape = _shape(view)
    return PatchTrigger(shape=shape, size=patch_size(shape))


def _blend(data: Dataset, view: AttackerView, rng: Generator) -> Trigger:
    return BlendedTrigger.random(_shape(view), rng, opacity=_OPACITY)


def _sinusoid(data: Dataset, view: AttackerView, rng: Generator) -> Trigger:
    shape = _shape(view)
    # A stripe needs a few pixels to be one.
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


def _optimized(name: str) -> Configure:
    """Build the function that takes the strongest candidate of a search."""

    def configure(data: Dataset, view: AttackerView, rng: Generator) -> ConfiguredAttack:
        found = None if view.search is None else view.search.strongest(name)
        if found is None:
            raise EmptyFeasibleSet(f"{name}: expected a row that passes the filters which it expects, got none")
        return ConfiguredAttack(found.candidate.attack)

    return configure


OPTIMIZED = tuple(name for name in searchable() if entry("attack", name).threats == ("add",))
"""Attacks that are optimized against a linear model of two classes, and add rows."""

CONFIGURE: Mapping[str, Configure] = MappingProxyType(
    {
        "random-flip": _random_flip,
        "pair-flip": _pair_flip,
        "targeted-flip": _targeted_flip,
        "subpopulation": _subpopulation,
        "demographic": _demographic,
        "badnets": _backdoor(BackdoorAttack, _patch),
        "blended": _backdoor(BackdoorAttack, _blend),
        "sig": _backdoor(CleanLabelBackdoor, _sinusoid),
        "rare-words": _backdoor(BackdoorAttack, _words),
        "clean-words": _backdoor(CleanLabelBackdoor, _words),
        "feature": _backdoor(BackdoorAttack, _features),
        "clean-feature": _backdoor(CleanLabelBackdoor, _features),
        "noise": _noise,
        "missing-blocks": _missing,
        "permutation": _permutation,
        **{name: _optimized(name) for name in OPTIMIZED},
    }
)
"""Functions that configure the attacks of an evaluation, by name."""
