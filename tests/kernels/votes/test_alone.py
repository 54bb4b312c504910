"""Units that can change an election alone, against the certified counts and against every choice of votes."""

from __future__ import annotations

import numpy as np
import pytest
from vote_attacks import all_votes, plurality

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.votes.alone import changed_by_one
from toadstone.kernels.votes.units import certify_votes
from toadstone.kernels.votes.windows import certify_duration

MODELS, CLASSES = 5, 3
EVERY = all_votes(MODELS, CLASSES)
ELECTED = plurality(EVERY, CLASSES)
VOTES = np.random.default_rng(0).integers(-1, CLASSES, size=(80, MODELS))
REACH = np.array([[1, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]], dtype=bool)


def breaks(votes, touched):
    allowed = (votes == EVERY)[:, ~touched].all(axis=1) if not touched.all() else np.ones(len(EVERY), dtype=bool)
    return bool((ELECTED[allowed] != plurality(votes[None], CLASSES)[0]).any())


def test_every_choice_of_a_units_votes_is_covered():
    votes = np.abs(VOTES)
    expected = [[breaks(row, touched) for touched in REACH] for row in votes]
    found = changed_by_one(votes, REACH, n_classes=CLASSES)
    assert found.tolist() == expected
    assert 0 < found.mean() < 1


def test_one_unit_suffices_exactly_where_the_count_is_zero():
    votes = np.abs(VOTES)
    single = changed_by_one(votes, np.eye(MODELS, dtype=bool), n_classes=CLASSES)
    np.testing.assert_array_equal(single.any(axis=1), certify_votes(votes, n_classes=CLASSES).count == 0)
    # Windows of two models: each period reaches its own model and the next.
    last, period = np.arange(MODELS) + 1, np.arange(MODELS + 1)[:, None]
    windows = changed_by_one(VOTES, (last - 2 < period) & (period <= last), n_classes=CLASSES)
    counts = certify_duration(VOTES, n_classes=CLASSES, span=2).count
    np.testing.assert_array_equal(windows.any(axis=1), counts == 0)


def test_other_voters_are_refused():
    with pytest.raises(InvalidArgument, match="reach"):
        changed_by_one(VOTES, np.eye(MODELS + 1, dtype=bool), n_classes=CLASSES)
