"""Runs a strategy's own `start` with robust aggregation."""

from __future__ import annotations

from typing import Any

from flwr.serverapp.strategy import Strategy

ROUND = frozenset({"configure_train", "aggregate_train", "configure_evaluate", "aggregate_evaluate", "summary"})


class Driver:
    """Stand-in for a strategy, for its own `start`.

    The steps of a round are those of the robust strategy; all else, read or
    set, is the user's strategy, which so keeps its state. `__class__` says the
    user's class, because `super()` without arguments asks for it.

    Parameters
    ----------
    robust : Strategy
        Gives the steps of a round.
    strategy : Strategy
        The user's.
    """

    def __init__(self, robust: Strategy, strategy: Strategy) -> None:
        object.__setattr__(self, "_robust", robust)
        object.__setattr__(self, "_strategy", strategy)

    @property  # type: ignore[misc]
    def __class__(self) -> type[Any]:
        return type(object.__getattribute__(self, "_strategy"))

    def __getattribute__(self, name: str) -> Any:
        if name in ROUND:
            return getattr(object.__getattribute__(self, "_robust"), name)
        if name == "__class__":
            return object.__getattribute__(self, "__class__")
        return getattr(object.__getattribute__(self, "_strategy"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(object.__getattribute__(self, "_strategy"), name, value)
