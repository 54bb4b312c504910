"""Proven upper bounds on the harm of poisoning, and lower ones on the rows that a harm takes, with their proofs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from toadstone.core.arrays import Array, IntArray
from toadstone.core.budget import Budget
from toadstone.core.checks import check_positive, check_within

HarmKind: TypeAlias = Literal["error", "loss"]

DIGEST_LABEL = "toadstone"
"""First word of the header that digests of data sets hash; certificates of before the renaming have another."""


@dataclass(frozen=True)
class NormBall:
    """Models whose weights and bias together have a bounded norm.

    Parameters
    ----------
    squared_radius : float
        Largest squared Euclidean norm of weights and bias.
    """

    squared_radius: float

    def __post_init__(self) -> None:
        check_positive(norm_squared=self.squared_radius)


@dataclass(frozen=True)
class Ridge:
    """Models penalized by half their squared norm, bias included.

    Parameters
    ----------
    strength : float
        Penalty for each trained row, poison included.
    """

    strength: float

    def __post_init__(self) -> None:
        check_positive(ridge=self.strength)


@dataclass(frozen=True)
class Setting:
    """The settings from which feasible set and defender can be rebuilt.

    Parameters
    ----------
    sanitizers : tuple of str
        Catalogue names whose feasible sets are intersected.
    quantile : float
        Of the clean distances of each class, the threshold's quantile.
    domain : str
        ``"real"``, ``"box"`` or ``"integer"``.
    loss : str
        Name of the margin loss.
    hypothesis : NormBall or Ridge
        The models the defender chooses from.
    """

    sanitizers: tuple[str, ...]
    quantile: float
    domain: str
    loss: str
    hypothesis: NormBall | Ridge

    def __post_init__(self) -> None:
        check_within("(0, 1]", quantile=self.quantile)


@dataclass(frozen=True, eq=False)
class Witness:
    """A concrete attack, and a dual solution that proves its effect.

    Parameters
    ----------
    points : ndarray of shape (k, d)
        Feasible poison points, at most one a class after the collapse.
    signs : ndarray of shape (k,)
        Their labels, -1 or +1.
    masses : ndarray of shape (k,)
        Their weights as a share of the clean rows; they sum to the fraction.
    clean_duals, poison_duals : ndarray of shape (n,) and (k,)
        Dual variables, at most one, of each clean row and poison point. Of
        labels flipped in place there are no points, and the latter are those
        of all rows under their other label, of shape (n,).
    """

    points: Array
    signs: Array
    masses: Array
    clean_duals: Array
    poison_duals: Array


@dataclass(frozen=True, eq=False)
class ChangedRows:
    """Further parts of a certificate where clean rows are flipped or replaced.

    The trained model no longer sees these rows as they were, so that the
    objective of its training says little about them.

    Parameters
    ----------
    clean_bound : float
        Upper bound of the trained model's mean loss on the clean rows, as
        they were, penalty included; rounded up.
    theta : ndarray of shape (d + 1,)
        The model that proves it.
    multipliers : ndarray of shape (2, 1 + J)
        Of the poison oracle at that model.
    shares : ndarray of shape (n,)
        How much of each row the witness flips or takes away, in [0, 1].
    """

    clean_bound: float
    theta: Array
    multipliers: Array
    shares: Array


@dataclass(frozen=True, eq=False)
class PairWitness:
    """A concrete attack on a model of several classes, and a dual solution that proves its effect.

    Parameters
    ----------
    points : ndarray of shape (p, d)
        Feasible poison points, at most one for each pair of a label and a
        wrong class.
    labels, rivals : ndarray of int of shape (p,)
        Positions of each point's label and of the wrong class that it is for.
    masses : ndarray of shape (p,)
        Their weights as a share of the clean rows; they sum to at most the
        fraction.
    clean_duals : ndarray of shape (n, k)
        How much each wrong class stands for the worst of a clean row: not
        negative, at most one in all, and zero for the right class.
    poison_duals : ndarray of shape (p,)
        Dual variables, at most its mass for each point.
    """

    points: Array
    labels: IntArray
    rivals: IntArray
    masses: Array
    clean_duals: Array
    poison_duals: Array


@dataclass(frozen=True, eq=False, kw_only=True)
class ModelCertificate:
    """A proof that no attack within the budget makes the training loss exceed `bound`.

    Parameters
    ----------
    bound : float
        Upper bound, rounded up, of the training objective: of the clean rows
        alone, and of all rows that are trained on where some are flipped or
        replaced.
    attack_value : float
        Objective that the witness attack provably causes, rounded down.
    clean_loss, poison_loss : float
        The two parts of the bound: the mean loss of the clean rows and the
        largest loss of any feasible row, both at `theta`.
    unit : str
        Unit of the bound, in words.
    budget : Budget
    setting : Setting
    data_sha256 : str
        Digest of the clean training set.
    assumptions, not_promised : tuple of str
        In plain words.
    slack : float
        Allowance for floating-point error that `bound` already contains.
    digest_label : str
        First word of the hashed header of `data_sha256`.
    changed : ChangedRows, optional
        Where the budget is for flipping or replacing rows, of two classes.
    """

    bound: float
    attack_value: float
    clean_loss: float
    poison_loss: float
    unit: str
    budget: Budget
    setting: Setting
    data_sha256: str
    assumptions: tuple[str, ...]
    not_promised: tuple[str, ...]
    slack: float
    digest_label: str = DIGEST_LABEL
    changed: ChangedRows | None = None

    @property
    def clean_bound(self) -> float:
        """Upper bound of the trained model's mean loss on the clean rows, penalty included."""
        return self.bound if self.changed is None else self.changed.clean_bound

    @property
    def gap(self) -> float:
        """Largest possible excess of the bound over the truth."""
        return self.bound - self.attack_value

    @property
    def relative_gap(self) -> float:
        """The gap as a share of the bound."""
        return self.gap / self.bound if self.bound > 0 else 0.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Certificate(ModelCertificate):
    """A `ModelCertificate` for two classes.

    Parameters
    ----------
    theta : ndarray of shape (d + 1,)
        Weights, then the bias.
    multipliers : ndarray of shape (2, 1 + J)
        Of the poison oracle for class -1 and class +1.
    witness : Witness
    filter_model : ndarray of shape (d + 1,), optional
        The fixed model of the loss filter, where the setting has one.
    """

    theta: Array
    multipliers: Array
    witness: Witness
    filter_model: Array | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class MulticlassCertificate(ModelCertificate):
    """A `ModelCertificate` for several classes, under the hinge of Crammer and Singer.

    Parameters
    ----------
    theta : ndarray of shape (k, d + 1)
        One row a class: weights, then the bias.
    multipliers : ndarray of shape (k, k, 1 + J)
        Of the poison oracle for each label and each wrong class.
    witness : PairWitness
    """

    theta: Array
    multipliers: Array
    witness: PairWitness


@dataclass(frozen=True, eq=False)
class CostCertificate:
    """A proof that no attack of fewer rows makes a linear model err so often, or lose so much, on its clean rows.

    Whatever model training ends at, its objective is at most the bound; that
    of a model that does the harm is at least the floor, which is larger.

    Parameters
    ----------
    harm : {"error", "loss"}
        The share of clean training rows classified wrongly, or their mean
        hinge loss.
    wanted : float
        How much of it the attacker wants.
    floor : float
        Least objective of a model that does the harm, rounded down.
    floor_duals : ndarray of shape (n,)
        Dual variables of the clean rows, in [0, 1], that prove the floor.
    below : Certificate
        Bounds the objective of every model that an attack with one row less
        than `rows` can lead to.
    """

    harm: HarmKind
    wanted: float
    floor: float
    floor_duals: Array
    below: Certificate

    @property
    def rows(self) -> int:
        """Fewer rows than this cannot do the harm."""
        return self.below.budget.count(len(self.floor_duals)) + 1
