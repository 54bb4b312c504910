"""The success rate of a backdoor."""

from __future__ import annotations

from typing import Any

import numpy as np

from toadstone.attacks.backdoors.trigger import Trigger
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.pipeline.layers.wilson import Rate


def success_rate(model: Any, test: Dataset, trigger: Trigger, *, target: object, source: object | None = None) -> Rate:
    """Return the share of test rows that the trigger brings into the target class.

    Rows of the target class are no success, and rows that the model
    misclassifies without the trigger prove nothing: neither is counted.

    Parameters
    ----------
    model : object
        Fitted; its `predict` gives labels.
    test : Dataset
    trigger : Trigger
    target : object
        The label that the trigger should call up.
    source : object, optional
        Only test rows of this label are tried.

    Returns
    -------
    Rate

    Raises
    ------
    InvalidArgument
        If `target` or `source` is not a label of the test rows, or both are
        one.
    InvalidData
        If no row is left to try.
    """
    for name, label in (("target", target), ("source", source)):
        if label is not None and label not in test.classes.tolist():
            raise InvalidArgument(name, f"one of {', '.join(map(str, test.classes))}", label)
    if source is not None and source == target:
        raise InvalidArgument("source", f"a label other than {target}", source)
    tried = np.flatnonzero((test.y != target) if source is None else (test.y == source))
    if len(tried):
        tried = tried[np.asarray(model.predict(test.X[tried])) == test.y[tried]]
    if not len(tried):
        raise InvalidData("test rows: expected some of another class that are classified rightly, got none")
    reached = np.asarray(model.predict(trigger.apply(test.X[tried]))) == target
    return Rate.of(int(np.count_nonzero(reached)), len(tried))
