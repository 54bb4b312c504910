"""The strongest of many attacks: told apart on the rows given, whatever the number of processes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from toadstone.attacks.flips.label_flip import RandomLabelFlip, TargetedLabelFlip
from toadstone.core.arrays import Array
from toadstone.core.budget import Budget
from toadstone.core.dataset import Poison
from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument
from toadstone.pipeline.attack_search.search import Candidate, SearchEffort, SearchProblem, search
from toadstone.pipeline.harness.judge import Defence, judge


@dataclass(frozen=True, eq=False)
class Copies:
    """Copies of one row, shaken by the generator."""

    row: Array
    label: str
    noise: float = 0.0

    def poison(self, data, budget, rng):
        count = budget.count(len(data))
        return Poison(self.row + self.noise * rng.normal(size=(count, len(self.row))), [self.label] * count)


@dataclass(frozen=True)
class Impossible:
    """Wishes that contradict each other."""

    def poison(self, data, budget, rng):
        raise EmptyFeasibleSet("no label has a feasible point")


def problem(split, fraction=0.2):
    defence = Defence(contamination=0.1, ridge=0.05)
    return SearchProblem(split.train, split.test, Budget(fraction), defence, ("l2", "slab", "loss"), ("svd", "knn"))


def candidates(split):
    means = {label: split.train.X[split.train.y == label].mean(axis=0) for label in ("ham", "spam")}
    way = means["spam"] - means["ham"]
    # From harmless to hostile: rows on their own side, between, and far on the other.
    steps = (-0.5, 0.0, 0.7, 1.0, 1.3)
    return [Candidate(f"ham at {step}", Copies(means["ham"] + step * way, "ham", 0.05)) for step in steps]


def test_the_finding_is_the_strongest_against_all_defences(small):
    split = small()
    game, tried = problem(split), candidates(split)
    found = search(tried, game, SearchEffort(3), finalists=len(tried))
    names = game.quick + game.slow
    strengths = []
    for index, candidate in enumerate(tried):
        poison = candidate.attack.poison(split.train, game.budget, np.random.default_rng([3, index]))
        cells = judge(split.train, split.test, poison, names, game.defence, name="x")
        strengths.append(min(cell.test_error for cell in cells))
    assert found.strength == max(strengths)
    assert strengths[found.index] == max(strengths)
    assert max(strengths) > min(strengths)
    assert found.candidate is tried[found.index]
    assert [cell.sanitizer for cell in found.cells] == list(names)


def test_more_processes_find_the_same(small):
    split = small()
    tried = [Candidate(str(ridge), TargetedLabelFlip(ridge=ridge)) for ridge in (0.01, 0.1, 1.0)]
    tried.append(Candidate("random", RandomLabelFlip()))
    one, two = (search(tried, problem(split), SearchEffort(1, workers)) for workers in (1, 2))
    assert one.index == two.index
    assert np.array_equal(one.poison.X, two.poison.X)
    assert [cell.test_error for cell in one.cells] == [cell.test_error for cell in two.cells]


def test_what_a_candidate_draws_does_not_depend_on_the_others(small):
    split = small()
    whole = candidates(split)
    found = search(whole, problem(split), SearchEffort(1))
    others = [Candidate("nothing", Impossible())] * found.index + [whole[found.index]]
    assert np.array_equal(search(others, problem(split), SearchEffort(1)).poison.X, found.poison.X)


def test_every_candidate_is_a_step(small):
    split, steps = small(), []
    search(candidates(split), problem(split), SearchEffort(on_step=lambda: steps.append(1)))
    assert len(steps) == 5


def test_contradictions_are_passed_over_and_named_when_there_is_nothing_else(small):
    split = small()
    impossible = Candidate("nothing", Impossible())
    found = search([impossible, candidates(split)[0]], problem(split), SearchEffort())
    assert found.index == 1
    with pytest.raises(InvalidArgument, match="`attack`: expected settings that some feasible row sat"):
        search([impossible, impossible], problem(split), SearchEffort())
    with pytest.raises(InvalidArgument, match="`candidates`: expected at least one attack, got none"):
        search([], problem(split), SearchEffort())
