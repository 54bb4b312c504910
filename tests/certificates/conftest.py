"""Small certificates of every kind, and the problems that they are about."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np
import pytest

from toadstone.certificates.multiclass.certify import certify_multiclass, pose_multiclass
from toadstone.certificates.saddle.certify import Claim, certify_saddle, pose
from toadstone.core.budget import Budget
from toadstone.core.certificate import Certificate, MulticlassCertificate, NormBall, Ridge, Setting
from toadstone.core.dataset import Dataset
from toadstone.kernels.minimax.problem import MulticlassProblem, Problem
from toadstone.kernels.sets.sets import ConvexSet, fit_domain
from toadstone.sanitizers.slab import SlabSanitizer
from toadstone.sanitizers.sphere import SphereSanitizer

CLAIM = Claim("0" * 64, ("The rows are clean.",), ("Nothing else.",))


@dataclass(frozen=True)
class Bench:
    """Clean rows, a setting, and the filters fitted on them."""

    data: Dataset
    feasible_set: ConvexSet
    setting: Setting

    @property
    def problem(self) -> Problem:
        return pose(self.data, self.feasible_set, self.setting)

    def certify(self, *fractions: float, **options) -> list[Certificate]:
        budgets = [Budget(fraction) for fraction in fractions]
        timed = certify_saddle(self.data, self.feasible_set, budgets, self.setting, CLAIM, **options)
        return [result.certificate for result in timed]


def build(
    *,
    seed: int = 0,
    domain: str = "real",
    loss: str = "hinge",
    hypothesis: NormBall | Ridge | None = None,
    quantile: float = 0.7,
    n: int = 40,
    d: int = 4,
) -> Bench:
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(n) < 0.4, "spam", "ham")
    y[:4] = ["spam", "ham", "spam", "ham"]
    shift = np.outer(y == "spam", rng.random(d) < 0.7)
    X = rng.poisson(1.0 + shift).astype(float) if domain == "integer" else rng.normal(size=(n, d)) + shift
    sphere, slab = (kind(contamination=1 - quantile).fit(X, y) for kind in (SphereSanitizer, SlabSanitizer))
    feasible_set = sphere.feasible_set_.intersect(slab.feasible_set_).within(fit_domain(X, domain))
    setting = Setting(("l2", "slab"), quantile, domain, loss, hypothesis or Ridge(0.05))
    return Bench(Dataset(X, y), feasible_set, setting)


@dataclass(frozen=True)
class SeveralBench:
    """Clean rows of several classes, a setting, and the filters fitted on them."""

    data: Dataset
    feasible_set: ConvexSet
    setting: Setting

    @property
    def problem(self) -> MulticlassProblem:
        return pose_multiclass(self.data, self.feasible_set, self.setting)

    def certify(self, *fractions: float, **options) -> list[MulticlassCertificate]:
        budgets = [Budget(fraction) for fraction in fractions]
        timed = certify_multiclass(self.data, self.feasible_set, budgets, self.setting, CLAIM, **options)
        return [result.certificate for result in timed]


def build_several(
    *, seed: int = 0, domain: str = "real", k: int = 3, n: int = 40, d: int = 4, ridge: float = 0.05
) -> SeveralBench:
    rng = np.random.default_rng(seed)
    codes = np.append(np.arange(k), rng.integers(k, size=n - k))
    X = rng.normal(size=(n, d)) + rng.normal(size=(k, d))[codes]
    if domain == "integer":
        X = rng.poisson(rng.gamma(1.0, 1.5, size=(k, d))[codes]).astype(float)
    y = np.array(["eggs", "ham", "spam", "tea", "toast"])[codes]
    sphere, slab = (kind(contamination=0.3).fit(X, y) for kind in (SphereSanitizer, SlabSanitizer))
    feasible_set = sphere.feasible_set_.intersect(slab.feasible_set_).within(fit_domain(X, domain))
    setting = Setting(("l2", "slab"), 0.7, domain, "hinge", Ridge(ridge))
    return SeveralBench(Dataset(X, y), feasible_set, setting)


@pytest.fixture(scope="session")
def several():
    """Builds a small problem of several classes."""
    return build_several


@pytest.fixture(scope="session")
def bench():
    """Builds a small problem of the kind asked for."""
    return build


def forge(path, **changes) -> None:
    """Change fields of a certificate on disk, with a digest that matches."""
    fields = json.loads(path.read_text()) | changes
    del fields["sha256"]
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(fields | {"sha256": digest}))


@pytest.fixture(scope="session")
def forge_certificate():
    """Rewrites a certificate with other fields, and a digest that matches its new content."""
    return forge
