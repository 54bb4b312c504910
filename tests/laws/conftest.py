"""Small scenes, and one way to build each attack of the catalogue in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.attacks.backdoors.row_trigger import FeatureTrigger
from toadstone.attacks.flips.demographic import Group
from toadstone.attacks.flips.subpopulation import Subpopulation
from toadstone.catalogue import distinct, resolve
from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.core.budget import Budget
from toadstone.core.certificate import Certificate, Ridge
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.protocols import Attack
from toadstone.datasets.split import Split
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE
from toadstone.kernels.sets.sets import ConvexSet, fit_domain
from toadstone.pipeline.certify import Certified, CertifyPlan, certify_split
from toadstone.pipeline.harness.filters import fit_filters
from toadstone.sanitizers.sphere import SphereSanitizer

RIDGE = 0.1


@dataclass(frozen=True)
class Scene:
    """A tiny binary data set, where its poison may lie, and how much of it there may be."""

    split: Split
    domain: str
    budget: Budget
    filters: tuple[str, ...] = ()

    @property
    def data(self) -> Dataset:
        return self.split.train

    @property
    def integer(self) -> bool:
        return self.domain == "integer"

    @property
    def certificate(self) -> Certificate:
        return certified(self).certificates[0]

    @property
    def feasible_set(self) -> ConvexSet:
        """The certificate's set, or what the filters named leave."""
        if self.filters:
            return fit_filters(self.data, self.filters, quantile=0.8, domain=self.domain, ridge=RIDGE)
        return certified(self).feasible_set

    @property
    def decoy(self) -> np.ndarray:
        """The model of an attacker's wish: trained with the first rows under the other label too."""
        X = self.data.X.toarray() if isinstance(self.data.X, csr_array) else self.data.X
        rows, signs = np.vstack([X, X[:15]]), np.append(self.data.signs, -self.data.signs[:15])
        return fit_linear(rows, signs, loss=HINGE, ridge=RIDGE).theta

    def attack(self, name: str) -> Attack:
        """The attack of a name of the catalogue."""
        kind = resolve("attack", name)
        return BUILDERS[kind.__name__](kind, self)

    def budget_for(self, name: str) -> Budget:
        """As much as of the scene, of the kind that an attack spends."""
        kind = getattr(resolve("attack", name), "kind", None)
        # An evading attack has the kind of the one that it wraps, here any.
        return Budget(self.budget.fraction, kind if isinstance(kind, str) else self.budget.kind)

    def poison(self, name: str, seed: int = 0) -> Poison:
        return self.attack(name).poison(self.data, self.budget_for(name), np.random.default_rng(seed))


@cache
def certified(scene: Scene) -> Certified:
    settled = {"quantile": 0.8, "hypothesis": Ridge(RIDGE), "domain": scene.domain, "tolerance": 1e-3}
    return certify_split(scene.split, [scene.budget.fraction], CertifyPlan(**settled))


@cache
def build_scene(seed: int, domain: str, fraction: float = 0.2, *, sparse: bool = False) -> Scene:
    """Fifty rows of four features, counts where the domain is of whole numbers."""
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(50) < 0.4, "spam", "ham")
    y[:4] = ["spam", "ham", "spam", "ham"]
    shift = np.outer(y == "spam", [1.0, 0.0, 1.0, 0.5])
    X = rng.poisson(1.0 + shift).astype(float) if domain == "integer" else rng.normal(size=(50, 4)) + shift
    data = Dataset(csr_array(X) if sparse else X, y)
    return Scene(Split("law", data, data, "none", "published test split"), domain, Budget(fraction))


def searching(scene: Scene) -> dict[str, Any]:
    """What the attacks that search have in common."""
    return {"feasible_set": scene.feasible_set, "ridge": RIDGE, "integer": scene.integer}


def influence(kind: type[Any], scene: Scene) -> Attack:
    return kind(**searching(scene), probe=scene.data, max_steps=20)


def backdoor(kind: type[Any], scene: Scene) -> Attack:
    trigger = FeatureTrigger.seen_in(scene.data.X, (1, 3), quantile=0.7)
    return kind(trigger=trigger, target="ham", feasible_set=scene.feasible_set)


def subpopulation(kind: type[Any], scene: Scene) -> Attack:
    """Of the rows about the middle, of which some are feasible under the other label."""
    middle = np.asarray(scene.data.X.mean(axis=0)).ravel()
    cluster = Subpopulation(centres=np.stack([middle, middle + 2.0]), index=0)
    return kind(subpopulation=cluster, share=0.5, feasible_set=scene.feasible_set)


def demographic(kind: type[Any], scene: Scene) -> Attack:
    return kind(group=Group(feature=1, lowest=-1.0), source="ham", feasible_set=scene.feasible_set)


def keep_middle(X: Matrix, y: Labels) -> IntArray:
    """A defence that keeps the nine tenths of rows nearest to the mean."""
    rows = X.toarray() if isinstance(X, csr_array) else X
    far = np.linalg.norm(rows - rows.mean(axis=0), axis=1)
    return np.sort(np.argsort(far, kind="stable")[: round(0.9 * len(far))])


BUILDERS: Mapping[str, Callable[[type[Any], Scene], Attack]] = {
    "CollapsedAttack": lambda kind, scene: kind.of(scene.certificate, scene.data.classes, scene.feasible_set),
    "RandomLabelFlip": lambda kind, scene: kind(feasible_set=scene.feasible_set),
    "TargetedLabelFlip": lambda kind, scene: kind(feasible_set=scene.feasible_set, ridge=RIDGE),
    "ALFAAttack": lambda kind, scene: kind(feasible_set=scene.feasible_set, ridge=RIDGE),
    "GradientAttack": lambda kind, scene: kind(**searching(scene), step=0.05, max_steps=20, check_every=5),
    "KKTAttack": lambda kind, scene: kind(theta=scene.decoy, **searching(scene)),
    "KKTInfluenceAttack": lambda kind, scene: kind(
        start=BUILDERS["KKTAttack"](import_module("toadstone.attacks.decoys.kkt").KKTAttack, scene),
        probe=scene.data,
        filters=(keep_middle,),
        max_steps=6,
        refresh=3,
    ),
    "MinMaxAttack": lambda kind, scene: kind(**searching(scene)),
    "MulticlassMinMaxAttack": lambda kind, scene: kind(feasible_set=scene.feasible_set, integer=scene.integer),
    "InfluenceAttack": lambda kind, scene: influence(kind, scene),
    "BasicInfluenceAttack": lambda kind, scene: influence(kind, scene),
    "IterativeInfluenceAttack": lambda kind, scene: kind(
        influence=influence(import_module("toadstone.attacks.influence.influence").InfluenceAttack, scene),
        refit=lambda X, y: scene.feasible_set,
    ),
    "BackdoorAttack": backdoor,
    "CleanLabelBackdoor": backdoor,
    "NoiseInjection": lambda kind, scene: kind(domain=fit_domain(scene.data.X, scene.domain)),
    "MissingBlocks": lambda kind, scene: kind(domain=fit_domain(scene.data.X, scene.domain)),
    "FeaturePermutation": lambda kind, scene: kind(),
    "SubpopulationAttack": subpopulation,
    "DemographicAttack": demographic,
    "EvadingAttack": lambda kind, scene: kind(
        attack=BUILDERS["RandomLabelFlip"](resolve("attack", "random-flip"), scene), detector=SphereSanitizer()
    ),
}
"""By class: how to build it for a scene."""

MAY_LEAVE = frozenset({"KKTInfluenceAttack", "KKTAttack", "MinMaxAttack", "MulticlassMinMaxAttack"})
"""Classes of attacks whose rows may leave the feasible set when they are rounded to whole numbers."""

UNAWARE = frozenset({"NoiseInjection", "MissingBlocks", "FeaturePermutation"})
"""Classes of attacks that know no feasible set."""

BOUND_TO_A_CERTIFICATE = frozenset({"CollapsedAttack"})
"""Classes of attacks whose points come with the set of a certificate."""

DOMAINS = ("real", "box", "integer")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each law about feasible sets only the attacks, and domains, that it says something about.

    Arguments are pairs of an attack and a domain: `confined` where rows stay
    in the set, `movable` where that set may be any, `rounded` where rounding
    may take rows out of it, `corrupting` where the attack knows no set.
    """
    every = [(resolve("attack", name).__name__, name, domain) for name in distinct("attack") for domain in DOMAINS]
    rounded = [(name, domain) for kind, name, domain in every if kind in MAY_LEAVE and domain == "integer"]
    corrupting = [(name, domain) for kind, name, domain in every if kind in UNAWARE]
    confined = [(name, domain) for _, name, domain in every if (name, domain) not in rounded + corrupting]
    movable = [pair for pair in confined if resolve("attack", pair[0]).__name__ not in BOUND_TO_A_CERTIFICATE]
    cases = {"confined": confined, "movable": movable, "rounded": rounded, "corrupting": corrupting}
    for argument in cases.keys() & set(metafunc.fixturenames):
        metafunc.parametrize(argument, cases[argument], ids="-".join)


@pytest.fixture(scope="session")
def builders() -> set[str]:
    """The classes of attacks that can be built."""
    return set(BUILDERS)


@pytest.fixture(scope="session")
def scene() -> Callable[..., Scene]:
    """Builds a scene of a seed and a domain."""
    return build_scene


@pytest.fixture(scope="session")
def distance() -> Callable[[ConvexSet, Poison], float]:
    """Measures how far the farthest row of some poison is from a set."""

    def farthest(feasible_set: ConvexSet, poison: Poison) -> float:
        rows = poison.X.toarray() if isinstance(poison.X, csr_array) else poison.X
        return float(np.linalg.norm(rows - feasible_set.project(rows, poison.y), axis=1).max())

    return farthest
