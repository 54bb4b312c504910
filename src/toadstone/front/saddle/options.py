"""Options of certificates of the training loss, and the plan that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toadstone.core.budget import Budget
from toadstone.core.certificate import NormBall, Ridge
from toadstone.core.errors import InvalidArgument
from toadstone.front.pointwise.options import numbers_of
from toadstone.pipeline.certify import FILTERS, KINDS, CertifyPlan


@dataclass(frozen=True)
class SaddleOptions:
    """Options of the saddle certificate, with their defaults."""

    quantile: float = 0.95
    domain: str = "auto"
    loss: str = "hinge"
    tolerance: float | None = None
    kind: str = "add"
    class_fraction: object = None
    filters: tuple[str, ...] = FILTERS

    def refuse(self, method: str) -> None:
        """Refuse options that another method would ignore, unless they are the defaults.

        Raises
        ------
        InvalidArgument
            If one is another.
        """
        for name, default in vars(SaddleOptions()).items():
            value = getattr(self, name)
            if value != default:
                raise InvalidArgument(name, f"nothing for the method {method}; it is for saddle", value)

    def plan(self, *, models: NormBall | Ridge | None, seed: int) -> CertifyPlan:
        """Make the plan of certificates.

        Raises
        ------
        InvalidArgument
            If the kind is unknown, or flips labels and an option of filters is given.
        """
        kind = next((one for one in KINDS if one == self.kind), None)
        if kind is None:
            raise InvalidArgument("kind", f"one of {', '.join(KINDS)}", self.kind)
        if kind == "flip":
            for name in ("quantile", "domain", "filters"):
                if getattr(self, name) != getattr(SaddleOptions(), name):
                    raise InvalidArgument(
                        name, "nothing for the kind flip, which no filter looks at", getattr(self, name)
                    )
        return CertifyPlan(
            quantile=self.quantile,
            hypothesis=models,
            domain=self.domain,
            loss=self.loss,
            tolerance=self.tolerance,
            seed=seed,
            kind=kind,
            filters=self.filters,
        )


def fractions_of(
    fraction: float | Sequence[float] | None, class_fraction: Mapping[Any, float] | None
) -> list[float | Mapping[Any, float]]:
    """Return the fractions of saddle certificates: numbers, or one for each label.

    Raises
    ------
    InvalidArgument
        If both are given, or a number is out of range.
    """
    if class_fraction is not None:
        if fraction is not None:
            raise InvalidArgument("class_fraction", "nothing beside --fraction", dict(class_fraction))
        return [class_fraction]
    for one in numbers_of(fraction):
        Budget(one)
    return list(numbers_of(fraction))


def models_of(norm_squared: float | None, ridge: float | None) -> NormBall | Ridge | None:
    """Turn two options into the set of models, None where neither is given.

    Raises
    ------
    InvalidArgument
        If both are given.
    """
    if norm_squared is not None and ridge is not None:
        raise InvalidArgument("norm_squared", "nothing beside a ridge", norm_squared)
    if norm_squared is not None:
        return NormBall(norm_squared)
    return None if ridge is None else Ridge(ridge)
