"""Strategies of Flower that robust aggregation cannot stand around, and why."""

from __future__ import annotations

from flwr.serverapp.strategy import Strategy

from toadstone.core.errors import InvalidArgument

_ITS_OWN = "a strategy without a rule of its own, such as FedAvg, which the rule replaces"
_PRIVATE = (
    "a strategy without differential privacy, whose noise is set for the mean of all clients and protects no other rule"
)
_TREES = "a strategy that aggregates arrays, not trees"
REFUSED = {
    "Krum": _ITS_OWN,
    "MultiKrum": _ITS_OWN,
    "Bulyan": _ITS_OWN,
    "FedMedian": _ITS_OWN,
    "FedTrimmedAvg": _ITS_OWN,
    "QFedAvg": "a strategy that does not weigh clients by the losses that they declare",
    "FedXgbBagging": _TREES,
    "FedXgbCyclic": _TREES,
    "DifferentialPrivacyServerSideFixedClipping": _PRIVATE,
    "DifferentialPrivacyClientSideFixedClipping": _PRIVATE,
    "DifferentialPrivacyServerSideAdaptiveClipping": _PRIVATE,
    "DifferentialPrivacyClientSideAdaptiveClipping": _PRIVATE,
}


def check_strategy(strategy: Strategy) -> None:
    """Check that a strategy does with one reply what it does with the mean of many.

    Raises
    ------
    InvalidArgument
    """
    if not isinstance(strategy, Strategy):
        expected = "a strategy of flwr.serverapp.strategy, such as FedAvg(...)"
        raise InvalidArgument("strategy", expected, f"{type(strategy).__module__}.{type(strategy).__qualname__}")
    for base in type(strategy).__mro__:
        if base.__module__.startswith("toadstone."):
            raise InvalidArgument("strategy", "a strategy of Flower", "one that is robust already")
        if base.__module__.startswith("flwr.") and base.__name__ in REFUSED:
            raise InvalidArgument("strategy", REFUSED[base.__name__], base.__name__)
