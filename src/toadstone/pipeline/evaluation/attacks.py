"""The attacks of an evaluation: those that suit some data, and why the others do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.random import Generator
from scipy.sparse import issparse

from toadstone.attacks.backdoors.image_shape import ImageShape
from toadstone.catalogue import ALIASES, Threat, entry, names, refuse_renamed, unknown
from toadstone.core.dataset import Dataset
from toadstone.core.errors import UnknownName
from toadstone.pipeline.attack_search.names import network_sentence
from toadstone.pipeline.evaluation.attack_choices import AttackerView, ConfiguredAttack, binary_columns
from toadstone.pipeline.evaluation.configure import CONFIGURE, OPTIMIZED
from toadstone.records.evaluation import Goal

ADAPTIVE = "adaptive-"
"""Prefix of an attack that knows the deployed detector."""

GROUPS = ("plain", "adaptive", "optimized", "adaptive-optimized")
"""Words for several attacks: all that are not optimized, the same knowing the detector, and both of the optimized."""

_DEFAULT = ("plain", "adaptive")
_FLIPS = ("random-flip", "pair-flip", "targeted-flip", "subpopulation")
_IMAGE, _TEXT, _TABLE = ("badnets", "blended", "sig"), ("rare-words", "clean-words"), ("feature", "clean-feature")
_CORRUPTION = ("noise", "missing-blocks", "permutation")

# Published figures were made under these names, and chance follows from them.
_SEED_WORDS = {"badnets": "patch", "sig": "stripes"}

_NEEDS = {
    **dict.fromkeys(_IMAGE, "is for images: give their shape by --image"),
    **dict.fromkeys(_TEXT, "is for texts, which are sparse rows without negative values"),
    **dict.fromkeys(_TABLE, "is for tables, not for images or texts"),
    **dict.fromkeys(OPTIMIZED, "is for two classes, and there are more"),
    "demographic": "is for tables with a column of two values",
    "missing-blocks": "is not for texts: a text that lacks some words is a text like any other",
    "collapse": "comes from a certificate: use toadstone audit",
    "evading": "chooses among another attack's rows: use adaptive-NAME",
    "multiclass-min-max": "is what toadstone attack --method min-max stands for where there are more than two classes",
}


@dataclass(frozen=True)
class AttackSpec:
    """An attack of an evaluation before it is configured.

    Parameters
    ----------
    attack : str
        A name of the catalogue.
    knows_detector : bool
        Whether it is made anew against each detector.
    """

    attack: str
    knows_detector: bool = False

    @property
    def name(self) -> str:
        """The name in an evaluation."""
        return f"{ADAPTIVE}{self.attack}" if self.knows_detector else self.attack

    @property
    def description(self) -> str:
        """The catalogue's sentence, within another one."""
        sentence = entry("attack", self.attack).sentence
        words = sentence[0].lower() + sentence.removesuffix(".")[1:]
        return f"{words}, by an attacker who knows the detector" if self.knows_detector else words

    @property
    def budget(self) -> Threat:
        """The kind of budget that it spends."""
        return entry("attack", self.attack).threats[0]

    @property
    def goal(self) -> Goal:
        """The errors that it wants."""
        goal = entry("attack", self.attack).goal
        return goal if goal in ("errors", "trigger", "group") else "none"

    @property
    def group(self) -> str:
        """The word of `GROUPS` that stands for it."""
        if self.attack in OPTIMIZED:
            return "adaptive-optimized" if self.knows_detector else "optimized"
        return "adaptive" if self.knows_detector else "plain"

    @property
    def plans_for_defence(self) -> bool:
        """True where the attack follows what a defence keeps, so that it can be made for any defence."""
        return self.knows_detector and self.attack == "kkt-influence"

    def configure(self, data: Dataset, view: AttackerView, rng: Generator) -> ConfiguredAttack:
        """Settle the options of the attack for some clean rows."""
        return CONFIGURE[self.attack](data, view, rng)


def chance(attack: str, seed: int, purpose: str) -> Generator:
    """Return a generator that depends on these alone, the same whether the attack knows the detector or not."""
    name = attack.removeprefix(ADAPTIVE)
    digest = blake2b(f"{_SEED_WORDS.get(name, name)} {purpose}".encode(), digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(digest, "big")])


def attack_suite(data: Dataset, image: ImageShape | None) -> tuple[AttackSpec, ...]:
    """Return all attacks that suit some data, those that know the detector last.

    Parameters
    ----------
    data : Dataset
    image : ImageShape, optional
        The shape of rows that are images; without it sparse rows that are
        never negative are taken as texts, and others as a table.
    """
    text = image is None and issparse(data.X) and (data.X.data >= 0).all()
    backdoors = _IMAGE if image is not None else _TEXT if text else _TABLE
    group = ("demographic",) if image is None and not text and binary_columns(data.X).size else ()
    corruption = tuple(name for name in _CORRUPTION if not (text and name == "missing-blocks"))
    optimized = OPTIMIZED if len(data.classes) == 2 else ()
    plain = [AttackSpec(name) for name in (*_FLIPS, *group, *backdoors, *corruption, *optimized)]
    return (*plain, *(AttackSpec(spec.attack, knows_detector=True) for spec in plain))


def choose_attacks(specs: Sequence[AttackSpec], wanted: Sequence[str] | None) -> tuple[AttackSpec, ...]:
    """Return the attacks of some names or groups, in the order of the suite; those not optimized by default.

    Raises
    ------
    UnknownName
        If there is no such attack, or it does not suit the data.
    """
    chosen = _DEFAULT if wanted is None else [_canonical(name) for name in wanted]
    known = [spec.name for spec in specs]
    for name in chosen:
        if name not in known and name not in GROUPS:
            _refuse(name, known)
    return tuple(spec for spec in specs if spec.name in chosen or spec.group in chosen)


def _canonical(name: str) -> str:
    prefix = ADAPTIVE if name.startswith(ADAPTIVE) else ""
    bare = name.removeprefix(ADAPTIVE)
    return f"{prefix}{ALIASES.get(bare, bare)}"


def _refuse(name: str, known: Sequence[str]) -> None:
    """Say in one sentence why an attack cannot be evaluated on these data."""
    bare = name.removeprefix(ADAPTIVE)
    refuse_renamed(bare, "attacks")
    if bare in _NEEDS:
        raise UnknownName(f"`attacks`: {bare} {_NEEDS[bare]}")
    if bare in names("network-attack"):
        raise UnknownName(f"`attacks`: {network_sentence(bare)}")
    raise unknown("attacks", (*GROUPS, *known), name)
