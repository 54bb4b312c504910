"""Refusal of models that two trainings on the same rows leave different."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from toadstone.core.errors import InvalidArgument
from toadstone.learners.voters.training import Map, VoterTask


def refuse_unlike(tasks: Sequence[VoterTask], outputs: Callable[[VoterTask], Any], again: Map) -> None:
    """Train the first part of two classes twice, and refuse an estimator whose answers differ.

    Parameters
    ----------
    tasks : sequence of VoterTask
    outputs : callable
        Trains a voter, and returns what it says.
    again : callable
        Used as the builtin `map` for the second training.

    Raises
    ------
    InvalidArgument
        If they differ.
    """
    task = next((task for task in tasks if len(np.unique(task.labels)) > 1), None)
    if task is None:
        return
    (second,) = again(outputs, [task])
    if not np.array_equal(outputs(task), second):
        model = task.estimator.steps[-1][1] if isinstance(task.estimator, Pipeline) else task.estimator
        expected = "a model that is the same whenever it is trained on the same rows with the same seed"
        got = f"{type(model).__name__}, which predicts otherwise when it is trained again"
        raise InvalidArgument("estimator", expected, got)
