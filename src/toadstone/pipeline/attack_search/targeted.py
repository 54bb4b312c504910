"""A goal of the attacker's own: that chosen test rows are misclassified."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from toadstone.attacks.decoys.decoys import DecoyGrid
from toadstone.attacks.influence.projected_ascent import Targets
from toadstone.core.arrays import IntArray, Labels
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.pipeline.harness.judge import Defence, judge
from toadstone.records.attack import TargetOutcome
from toadstone.records.audit import NO_SANITIZER

TARGETED = ("kkt", "influence")
"""Methods that can aim at chosen rows."""

# All targets are relabelled; the fewer they are, the more each has to count.
TARGET_GRID = DecoyGrid((1.0,), (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377))

_SHOWN = 5


def check_target(target: Sequence[int], method: str) -> None:
    """Refuse targets of a method that cannot aim at them, and numbers given twice.

    Raises
    ------
    InvalidArgument
        If there are any.
    """
    if target and method not in TARGETED:
        raise InvalidArgument("target", f"a method of {' or '.join(TARGETED)} to go with it", method)
    if len(set(target)) < len(target):
        raise InvalidArgument("target", "different rows", ", ".join(map(str, target)))


def pick_targets(test: Dataset, target: Sequence[int]) -> Dataset:
    """Return the test rows of some numbers.

    Parameters
    ----------
    test : Dataset
        Of two classes.
    target : sequence of int
        As in `Dataset.row_ids`.

    Raises
    ------
    InvalidArgument
        If a number is not that of a test row.
    InvalidData
        If there are not two classes.

    Examples
    --------
    >>> test = Dataset([[0.0], [1.0], [2.0]], ["ham", "spam", "ham"], row_ids=[4, 9, 11])
    >>> pick_targets(test, [11, 4]).X.tolist()
    [[2.0], [0.0]]
    """
    if len(test.classes) != 2:
        raise InvalidData(f"labels: expected two classes for targets, got {len(test.classes)}")
    ids: IntArray = np.arange(len(test)) if test.row_ids is None else test.row_ids
    places = {number: place for place, number in enumerate(ids.tolist())}
    for number in target:
        if number not in places:
            first = ", ".join(map(str, sorted(places)[:_SHOWN]))
            raise InvalidArgument("target", f"numbers of test rows ({first}, and so on)", number)
    return test.take(np.array([places[number] for number in target]))


def relabelled(targets: Dataset, classes: Labels) -> Targets:
    """Return the same rows under the other of two labels."""
    return Targets(Dataset(targets.X, np.where(targets.y == classes[0], classes[1], classes[0])))


def target_outcome(
    train: Dataset, targets: Dataset, poison: Poison, sanitizers: Sequence[str], defence: Defence
) -> TargetOutcome:
    """Measure the share of the targets that each defence misclassifies, and that of clean training.

    Parameters
    ----------
    train : Dataset
    targets : Dataset
    poison : Poison
    sanitizers : sequence of str
        Names of the catalogue, or the one that stands for none.
    defence : Defence

    Returns
    -------
    TargetOutcome
    """
    cells = judge(train, targets, poison, sanitizers, defence, name="targets")
    none = Poison(train.X[:0], train.y[:0])
    (clean,) = judge(train, targets, none, (NO_SANITIZER,), defence, name="targets")
    errors = {cell.sanitizer: cell.test_error for cell in cells}
    ids: IntArray = np.arange(len(targets)) if targets.row_ids is None else targets.row_ids
    return TargetOutcome(
        rows=tuple(ids.tolist()),
        clean_error=clean.test_error,
        error=errors,
        worst_case=min(error for name, error in errors.items() if name != NO_SANITIZER),
    )
