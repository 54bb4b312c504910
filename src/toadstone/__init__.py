"""toadstone: how bad can poisoning get, which rows are poison, how to train anyway."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from toadstone.core.version import __version__

if TYPE_CHECKING:
    from toadstone.core.budget import Budget
    from toadstone.core.certificate import Certificate, NormBall, Ridge
    from toadstone.core.dataset import Dataset, Poison, Trusted
    from toadstone.core.errors import (
        BudgetExceeded,
        CertificateRejected,
        EmptyFeasibleSet,
        InvalidArgument,
        InvalidData,
        InvalidInput,
        ToadstoneError,
        UnknownName,
    )
    from toadstone.datasets.catalogue.load import load
    from toadstone.datasets.readers.read import read
    from toadstone.datasets.split import Split
    from toadstone.front.attack import attack
    from toadstone.front.audit import audit
    from toadstone.front.certify import certify, verify
    from toadstone.front.cost import cost
    from toadstone.front.defend import defend
    from toadstone.front.evaluate import evaluate
    from toadstone.front.federate import federate
    from toadstone.front.networks.inspect import inspect
    from toadstone.front.sanitize import sanitize
    from toadstone.front.scan import scan

__all__ = [
    "Budget",
    "BudgetExceeded",
    "Certificate",
    "CertificateRejected",
    "Dataset",
    "EmptyFeasibleSet",
    "InvalidArgument",
    "InvalidData",
    "InvalidInput",
    "NormBall",
    "Poison",
    "Ridge",
    "Split",
    "ToadstoneError",
    "Trusted",
    "UnknownName",
    "__version__",
    "attack",
    "audit",
    "certify",
    "cost",
    "defend",
    "evaluate",
    "federate",
    "inspect",
    "load",
    "read",
    "sanitize",
    "scan",
    "verify",
]

_HOMES = {
    "Budget": "core.budget",
    "BudgetExceeded": "core.errors",
    "Certificate": "core.certificate",
    "CertificateRejected": "core.errors",
    "Dataset": "core.dataset",
    "EmptyFeasibleSet": "core.errors",
    "InvalidArgument": "core.errors",
    "InvalidData": "core.errors",
    "InvalidInput": "core.errors",
    "NormBall": "core.certificate",
    "Poison": "core.dataset",
    "Ridge": "core.certificate",
    "Split": "datasets.split",
    "ToadstoneError": "core.errors",
    "Trusted": "core.dataset",
    "UnknownName": "core.errors",
    "attack": "front.attack",
    "audit": "front.audit",
    "certify": "front.certify",
    "cost": "front.cost",
    "defend": "front.defend",
    "evaluate": "front.evaluate",
    "federate": "front.federate",
    "inspect": "front.networks.inspect",
    "load": "datasets.catalogue.load",
    "read": "datasets.readers.read",
    "sanitize": "front.sanitize",
    "scan": "front.scan",
    "verify": "front.certify",
}

_ROOMS = ("attacks", "certificates", "datasets", "deep", "detectors", "federated", "learners", "sanitizers")


def __getattr__(name: str) -> Any:
    """Import a public name, or a package of public classes, when it is first used."""
    if name in _ROOMS:
        return importlib.import_module(f"toadstone.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"toadstone.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
