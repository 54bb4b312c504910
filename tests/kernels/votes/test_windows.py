"""Temporal counts against every attack within every window of small cases."""

from __future__ import annotations

import numpy as np
import pytest
from vote_attacks import all_votes, plurality

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.votes.windows import certify_duration, certify_earliness, most_changed_by_periods

MODELS, CLASSES = 6, 3
EVERY = all_votes(MODELS, CLASSES)
ELECTED = plurality(EVERY, CLASSES)
VOTES = np.random.default_rng(0).integers(-1, CLASSES, size=(60, MODELS))


def breaks(votes, touched):
    winner = plurality(votes[None], CLASSES)[0]
    allowed = (votes == EVERY)[:, ~touched].all(axis=1)
    return bool((ELECTED[allowed] != winner).any())


def largest(is_broken, most):
    return next((periods for periods in range(most) if is_broken(periods + 1)), most)


def test_earliness_is_exact():
    found = certify_earliness(VOTES, n_classes=CLASSES)
    newest = np.arange(MODELS)[::-1]
    expected = [largest(lambda t, row=row: breaks(row, newest < t), MODELS) for row in VOTES]
    assert found.count.tolist() == expected
    assert len(set(expected)) >= 3
    np.testing.assert_array_equal(found.winner, plurality(VOTES, CLASSES))


@pytest.mark.parametrize("span", [1, 2, 3, 8])
def test_duration_is_exact(span):
    found = certify_duration(VOTES, n_classes=CLASSES, span=span)
    last = np.arange(MODELS)

    def broken(row, t):
        # Model j was trained on periods j - span + 1 to j; poison lies in begin to begin + t - 1.
        return any(
            breaks(row, (last >= begin) & (last - span + 1 <= begin + t - 1)) for begin in range(-span + 1, MODELS)
        )

    expected = [largest(lambda t, row=row: broken(row, t), MODELS + span - 1) for row in VOTES]
    assert found.count.tolist() == expected


def test_a_shorter_span_and_any_window_order_the_counts():
    early = certify_earliness(VOTES, n_classes=CLASSES).count
    short, long = (certify_duration(VOTES, n_classes=CLASSES, span=span).count for span in (1, 2))
    # The newest models are one of the windows.
    assert (short <= early).all()
    assert (long <= short).all()


def test_a_class_that_nobody_can_change():
    assert certify_earliness([[0, 0]], n_classes=1).count[0] == 2
    assert certify_duration([[0, 0]], n_classes=1, span=3).count[0] == 4


@pytest.mark.parametrize("span", [0, 1.5, 2**40])
def test_a_span_that_cannot_be_is_refused(span):
    with pytest.raises(InvalidArgument, match="span"):
        certify_duration(VOTES, n_classes=CLASSES, span=span)


@pytest.mark.parametrize("span", [1, 2, 3, 8])
def test_one_choice_of_periods_for_all_queries_is_counted_exactly(span):
    rng, last, fewer = np.random.default_rng(span), np.arange(MODELS), 0
    for _ in range(3):
        votes = VOTES[rng.permutation(len(VOTES))[:12]]
        pointwise = certify_duration(votes, n_classes=CLASSES, span=span).count
        for periods in range(MODELS + 1):
            windows = [(last >= begin) & (last - span + 1 <= begin + periods - 1) for begin in range(-span + 1, MODELS)]
            most = max(sum(breaks(row, window) for row in votes) for window in windows) if periods else 0
            found = most_changed_by_periods(votes, n_classes=CLASSES, periods=periods, span=span)
            assert found == most <= (pointwise < periods).sum()
            fewer += int((pointwise < periods).sum()) - found
    assert fewer > 0 or span > 2
