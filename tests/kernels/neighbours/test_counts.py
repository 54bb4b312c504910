"""Counts of rows that change a vote of neighbours, against every attack there is on tiny cases."""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import product

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.neighbours.counts import CHANGES, certify_neighbours, certify_radius


def inserted(labels: tuple[int, ...], n_classes: int) -> Iterator[tuple[int, ...]]:
    for place, label in product(range(len(labels) + 1), range(n_classes)):
        yield (*labels[:place], label, *labels[place:])


def deleted(labels: tuple[int, ...], n_classes: int) -> Iterator[tuple[int, ...]]:
    if len(labels) > 1:
        for place in range(len(labels)):
            yield labels[:place] + labels[place + 1 :]


def modified(labels: tuple[int, ...], n_classes: int) -> Iterator[tuple[int, ...]]:
    for place in range(len(labels)):
        yield from inserted(labels[:place] + labels[place + 1 :], n_classes)


STEPS = {"insert": inserted, "delete": deleted, "modify": modified}


def vote(labels: tuple[int, ...], n_classes: int, k: int) -> int:
    return int(np.bincount(labels[:k], minlength=n_classes).argmax())


def least_change(labels: tuple[int, ...], change: str, winner: Callable[[tuple[int, ...]], int], most: int) -> int:
    """The largest number of changes that cannot move the vote, found by trying all."""
    reached, held = {labels}, 0
    while held < most:
        reached = {after for before in reached for after in STEPS[change](before, 3 if 2 in labels else 2)}
        if not reached:
            return most
        if any(winner(one) != winner(labels) for one in reached):
            return held
        held += 1
    return held


@cache
def small_cases(n_classes: int) -> list[tuple[int, ...]]:
    rng = np.random.default_rng(n_classes)
    drawn = {tuple(rng.integers(0, n_classes, rng.integers(5, 8)).tolist()) for _ in range(60)}
    return sorted(labels for labels in drawn if max(labels) == n_classes - 1)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("k", [3, 4, 5])
def test_counts_equal_those_of_every_attack_that_there_is(change, n_classes, k):
    for labels in small_cases(n_classes)[:25]:
        found = certify_neighbours(np.array([labels]), n_classes=n_classes, k=k, change=change, n_rows=len(labels))
        wanted = least_change(labels, change, lambda one: vote(one, n_classes, k), len(labels))
        assert found.winner[0] == vote(labels, n_classes, k)
        assert found.count[0] == wanted, (labels, k)


@pytest.mark.parametrize("change", CHANGES)
def test_a_list_of_twice_k_neighbours_is_enough(change):
    rng = np.random.default_rng(0)
    whole = rng.integers(0, 3, (300, 40))
    # Clear votes too, whose deletions a short list cannot decide.
    whole[:100][rng.random((100, 40)) < 0.6] = 0
    found, short = (
        certify_neighbours(near, n_classes=3, k=9, change=change, n_rows=40) for near in (whole, whole[:, :18])
    )
    undecided = short.rival < 0
    np.testing.assert_array_equal(found.count[~undecided], short.count[~undecided])
    assert np.all(short.count[undecided] == 9)
    assert np.all(found.count[undecided] >= 9)
    assert undecided.any() == (change == "delete")


@pytest.mark.parametrize(("change", "count"), [("insert", 1), ("modify", 1), ("delete", 6)])
def test_one_class_alone_cannot_be_deleted_away(change, count):
    found = certify_neighbours(np.zeros((1, 6), dtype=int), n_classes=2, k=3, change=change, n_rows=6)
    assert found.count.tolist() == [count]
    assert (found.rival[0] < 0) == (change == "delete")


def radius_vote(labels: tuple[int, ...], n_classes: int, fallback: int) -> int:
    return int(np.bincount(labels, minlength=n_classes).argmax()) if labels else fallback


def least_within(votes: tuple[int, ...], change: str, fallback: int) -> int:
    """The same for rows within a radius: a modified row may come from outside, leave, or change its label."""
    n_classes = len(votes)
    start = tuple(code for code, number in enumerate(votes) for _ in range(number))

    def steps(labels: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if change in ("insert", "modify"):
            yield from (tuple(sorted((*labels, code))) for code in range(n_classes))
        if change in ("delete", "modify"):
            for place in range(len(labels)):
                rest = labels[:place] + labels[place + 1 :]
                yield rest
                if change == "modify":
                    yield from (tuple(sorted((*rest, code))) for code in range(n_classes))

    reached, held = {start}, 0
    while held < 9:
        reached = {after for before in reached for after in steps(before)}
        if not reached:
            return 9
        if any(radius_vote(one, n_classes, fallback) != radius_vote(start, n_classes, fallback) for one in reached):
            return held
        held += 1
    return held


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("fallback", [0, 1])
def test_counts_within_a_radius_equal_those_of_every_attack_that_there_is(change, fallback):
    for votes in product(range(4), range(3), range(2)):
        found = certify_radius(np.array([votes]), change=change, fallback=fallback, n_rows=9)
        assert found.count[0] == least_within(votes, change, fallback), votes


def test_what_does_not_fit_is_refused():
    near = np.zeros((2, 6), dtype=int)
    with pytest.raises(InvalidArgument, match="change"):
        certify_neighbours(near, n_classes=2, k=3, change="flip", n_rows=6)
    with pytest.raises(InvalidData, match="at least 7"):
        certify_neighbours(near, n_classes=2, k=7, change="delete", n_rows=20)
    with pytest.raises(InvalidData, match="below 2"):
        certify_neighbours(near + 2, n_classes=2, k=3, change="delete", n_rows=6)
    with pytest.raises(InvalidArgument, match="fallback"):
        certify_radius(np.zeros((1, 2), dtype=int), change="delete", fallback=2, n_rows=6)
    with pytest.raises(InvalidData, match="votes"):
        certify_radius(np.zeros(3, dtype=int), change="delete", fallback=0, n_rows=6)
