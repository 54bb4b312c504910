"""The update of the server's own trusted rows, for a rule that asks for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from flwr.app import ArrayRecord

from toadstone.core.arrays import Array
from toadstone.core.errors import InvalidArgument
from toadstone.federated.aggregation.agreement import FLTrust
from toadstone.federated.aggregation.rule import Chain, Rule
from toadstone.federated.flower.updates.buffer import new_rows
from toadstone.federated.flower.updates.model import ServerModel

Root = Callable[[int, ArrayRecord], ArrayRecord]
_RETURNS = "a function that returns the arrays after training, with the keys and shapes of the model"


def root_update(root: Root, server_round: int, model: ServerModel) -> Array:
    """Train on the server's own rows.

    Parameters
    ----------
    root : callable
    server_round : int
    model : ServerModel

    Returns
    -------
    ndarray of shape (model.width,)
        In the type of the clients' rows.

    Raises
    ------
    InvalidArgument
        If the function does not return the model's arrays.
    """
    trained = root(server_round, model.record)
    if not isinstance(trained, Mapping):
        raise InvalidArgument("root", _RETURNS, type(trained).__name__)
    arrays = {}
    for key, own in model.arrays.items():
        if key not in trained:
            raise InvalidArgument("root", _RETURNS, f"one without {key!r}")
        arrays[key] = trained[key].numpy()
        if arrays[key].shape != own.shape:
            raise InvalidArgument("root", _RETURNS, f"{key!r} of shape {arrays[key].shape}, not {own.shape}")
    row = new_rows(1, model.width, model.dtype)
    model.subtract(arrays, row[0])
    update: Array = row[0]
    return update


def with_root(rule: Rule, update: Array) -> Rule:
    """Return a rule that trusts this update of the server's own rows.

    Raises
    ------
    InvalidArgument
        If it is not FLTrust, or FLTrust behind pre-aggregations.
    """
    if isinstance(rule, Chain):
        return Chain(rule.before, with_root(rule.rule, update))
    if not isinstance(rule, FLTrust):
        raise InvalidArgument("root", "none but for the rule fltrust", f"one for {rule.spec}")
    return replace(rule, root=np.asarray(update, dtype=np.float64))
