"""Errors that an attack on a group of rows causes within the group and elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from toadstone.core.arrays import Mask
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidData
from toadstone.pipeline.layers.wilson import Rate


@dataclass(frozen=True)
class Damage:
    """Test errors of a model trained on clean rows and of one trained on poisoned ones.

    Parameters
    ----------
    clean_inside, poisoned_inside : Rate
        Among the test rows that the attack is aimed at.
    clean_elsewhere, poisoned_elsewhere : Rate
        Among the others.
    """

    clean_inside: Rate
    poisoned_inside: Rate
    clean_elsewhere: Rate
    poisoned_elsewhere: Rate

    @property
    def inside(self) -> float:
        """Rise of the error within the group."""
        return self.poisoned_inside.value - self.clean_inside.value

    @property
    def elsewhere(self) -> float:
        """Rise of the error elsewhere."""
        return self.poisoned_elsewhere.value - self.clean_elsewhere.value


def group_damage(clean_model: Any, poisoned_model: Any, test: Dataset, inside: Mask) -> Damage:
    """Compare two models within a group of test rows and outside it.

    Parameters
    ----------
    clean_model, poisoned_model : object
        Fitted; their `predict` gives labels.
    test : Dataset
    inside : ndarray of bool of shape (n,)
        The group, as `contains` of a `Subpopulation` or a `Group` gives it.

    Returns
    -------
    Damage

    Raises
    ------
    InvalidData
        If the mask does not fit the rows, or no row is inside or none
        elsewhere.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> test = Dataset([[0.0], [1.0], [2.0], [3.0]], ["ham", "spam", "spam", "ham"])
    >>> models = [DummyClassifier(strategy="constant", constant=word) for word in ("spam", "ham")]
    >>> clean, poisoned = (model.fit(test.X, test.y) for model in models)
    >>> damage = group_damage(clean, poisoned, test, test.X[:, 0] == 1)
    >>> damage.inside, round(damage.elsewhere, 3)
    (1.0, -0.333)
    """
    mask = np.asarray(inside, dtype=bool)
    if mask.shape != (len(test),):
        raise InvalidData(f"inside: expected one value for each of {len(test)} rows, got shape {mask.shape}")
    if mask.all() or not mask.any():
        raise InvalidData(f"inside: expected some of {len(test)} rows but not all, got {np.count_nonzero(mask)}")
    wrong = [np.asarray(model.predict(test.X)) != test.y for model in (clean_model, poisoned_model)]
    rates = [
        Rate.of(int(np.count_nonzero(errors[part])), int(np.count_nonzero(part)))
        for part in (mask, ~mask)
        for errors in wrong
    ]
    return Damage(*rates)
