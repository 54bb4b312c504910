"""Certified bounds and attacks over the fraction of poison, as in the paper of 2017."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.sparse import csr_array

from toadstone.attacks.collapse import CollapsedAttack
from toadstone.attacks.flips.label_flip import RandomLabelFlip
from toadstone.core.arrays import Array, Matrix
from toadstone.core.budget import Budget
from toadstone.core.certificate import Certificate, NormBall
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import EmptyFeasibleSet
from toadstone.datasets.split import Split
from toadstone.experiments.conditions import Conditions
from toadstone.experiments.figures import sizes
from toadstone.kernels.losses import HINGE
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.minimax.saddle import solve_saddle
from toadstone.kernels.rows import stack
from toadstone.kernels.sets.balanced_rounding import round_inside
from toadstone.pipeline.certify import Certified, CertifyPlan, certify_split
from toadstone.pipeline.harness.data_summary import expressible
from toadstone.pipeline.harness.judge import merge
from toadstone.pipeline.harness.poison_check import check_poison


@dataclass(frozen=True)
class CurveProtocol:
    """Settings of the certificates and of the attacks.

    Parameters
    ----------
    squared_radius : float
        Bound on the squared norm of weights and bias.
    fractions : tuple of float
        Poison rows for each clean row, ascending.
    domain : {"real", "box", "integer"}
        Values that poison may take.
    quantile : float
        Quantile of each class's clean distances; the threshold of both filters.
    distinct : tuple of int
        Numbers of rows to round each point to in attacks with integer counts;
        the number with the largest loss on the clean training rows is used.
        A model fits few different rows more easily than many: it then has a
        smaller loss on the poison and a larger one on the clean rows, as long
        as the poison still matters.
    """

    squared_radius: float
    fractions: tuple[float, ...]
    domain: str = "real"
    quantile: float = 0.7
    distinct: tuple[int, ...] = (16, 64, 250)

    def in_words(self, split: Split) -> dict[str, str]:
        """Return the setting in words, for the record."""
        values = {"real": "any", "box": "within each feature's range", "integer": "counts"}[self.domain]
        return {
            "Data": sizes(split),
            "Models": f"linear, hinge loss, squared norm of weights and bias at most {self.squared_radius:g}",
            "Filters": f"L2 and slab, fixed at the {self.quantile:g} quantile of each class's clean rows",
            "Poison": f"added rows; values: {values}",
        }


@dataclass(frozen=True)
class PoisonedModel:
    """Losses and errors of a model trained on clean rows and poison.

    Parameters
    ----------
    fraction : float
    rows : int
        Number of poison rows.
    total, clean, test : float
        Hinge loss: sum over all training rows divided by the number of clean
        rows; mean over the clean rows; mean over the test rows.
    wrong, tested : int
        Misclassified test rows, and all test rows.
    """

    fraction: float
    rows: int
    total: float
    clean: float
    test: float
    wrong: int
    tested: int


def certify_curve(split: Split, protocol: CurveProtocol, conditions: Conditions) -> Certified:
    """Certify all fractions."""
    conditions.on_stage(f"certifying {split.name}")
    return certify_split(
        split,
        protocol.fractions,
        CertifyPlan(
            quantile=protocol.quantile,
            hypothesis=NormBall(protocol.squared_radius),
            domain=protocol.domain,
            seed=conditions.seed,
        ),
        on_certified=conditions.on_step,
    )


def attack_curve(
    split: Split, certified: Certified, protocol: CurveProtocol, conditions: Conditions
) -> tuple[PoisonedModel, ...]:
    """Turn the attack of each certificate into whole rows, and train a model on them."""
    conditions.on_stage(f"training on poisoned {split.name}")

    def train(certificate: Certificate, poison: Poison) -> PoisonedModel:
        return train_poisoned(split, poison, certificate.budget, certified, protocol, conditions)

    def attacked(certificate: Certificate) -> PoisonedModel:
        if protocol.domain == "integer":
            tries = (round_attack(certificate, certified, split.train, k, _rng(conditions)) for k in protocol.distinct)
            return max((train(certificate, poison) for poison in tries), key=lambda model: model.clean)
        attack = CollapsedAttack.of(certificate, split.train.classes, certified.feasible_set)
        return train(certificate, attack.poison(split.train, certificate.budget, _rng(conditions)))

    return tuple(attacked(certificate) for certificate in certified.certificates)


def certify_and_attack(
    split: Split, protocol: CurveProtocol, conditions: Conditions
) -> tuple[Certified, tuple[PoisonedModel, ...]]:
    """Certify all fractions, and train on the attack of each certificate."""
    certified = certify_curve(split, protocol, conditions)
    return certified, attack_curve(split, certified, protocol, conditions)


def _rng(conditions: Conditions) -> Generator:
    return np.random.default_rng(conditions.seed)


def flip_labels(
    split: Split, certified: Certified, protocol: CurveProtocol, conditions: Conditions
) -> PoisonedModel | None:
    """Train on random clean rows with the other label, at the largest fraction; None if none passes the filters."""
    budget = Budget(protocol.fractions[-1])
    attack = RandomLabelFlip(feasible_set=certified.feasible_set)
    try:
        poison = attack.poison(split.train, budget, _rng(conditions))
    except EmptyFeasibleSet:
        return None
    return train_poisoned(split, poison, budget, certified, protocol, conditions)


def round_attack(
    certificate: Certificate, certified: Certified, train: Dataset, distinct: int, rng: Generator
) -> Poison:
    """Round each point of a certificate to several rows of integer counts, in equal numbers.

    The rows lie in the feasible set; the points may lie only in its convex
    relaxation.
    """
    attack = CollapsedAttack.of(certificate, train.classes, certified.feasible_set)
    shares = np.cumsum(attack.masses) / max(attack.masses.sum(), np.finfo(float).tiny)
    counts = np.diff(np.round(shares * certificate.budget.count(len(train))), prepend=0).astype(int)
    rows, labels = [csr_array((0, train.n_features))], []
    for point, label, count in zip(attack.points, attack.labels.tolist(), counts.tolist(), strict=True):
        region = certified.feasible_set.region(label)
        found = csr_array(round_inside(point, region, attack.theta[:-1], min(count, distinct), rng))
        if not found.shape[0]:
            continue
        rows.append(found[np.arange(count) % found.shape[0]])
        labels += [label] * count
    return Poison(stack(rows), np.array(labels, dtype=train.y.dtype))


def train_poisoned(
    split: Split,
    poison: Poison,
    budget: Budget,
    certified: Certified,
    protocol: CurveProtocol,
    conditions: Conditions,
) -> PoisonedModel:
    """Train within the norm ball on clean rows and poison, without filters.

    Raises
    ------
    BudgetExceeded
        If the poison exceeds its budget or leaves the domain.
    """
    if len(poison):
        check_poison(poison, split.train, budget, expressible(split.train, protocol.domain))
    X, y, poisoned = merge(split.train, poison if len(poison) else None)
    signs = _signs(y, split.train)
    low, high = (certified.feasible_set.region(label) for label in split.train.classes.tolist())
    problem = Problem(X, signs, (low, high), HINGE, NormBall(protocol.squared_radius))
    fit = solve_saddle(problem, fraction=0.0, tolerance=certified.tolerance, seed=conditions.seed)
    losses, test_margins = HINGE.value(_margins(X, signs, fit.theta)), _test_margins(split, fit.theta)
    conditions.on_step()
    return PoisonedModel(
        fraction=budget.fraction,
        rows=len(poison),
        total=float(losses.sum()) / len(split.train),
        clean=float(losses[~poisoned].mean()),
        test=float(HINGE.value(test_margins).mean()),
        wrong=int(np.count_nonzero(test_margins <= 0)),
        tested=len(split.test),
    )


def _signs(y: Array, train: Dataset) -> Array:
    return np.asarray(np.where(y == train.classes[1], 1.0, -1.0))


def _margins(X: Matrix, signs: Array, theta: Array) -> Array:
    return np.asarray(signs * (X @ theta[:-1] + theta[-1]))


def _test_margins(split: Split, theta: Array) -> Array:
    return _margins(split.test.X, _signs(split.test.y, split.train), theta)
