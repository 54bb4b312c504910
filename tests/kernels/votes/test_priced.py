"""Votes with prices against every attack on small cases, and against votes without prices."""

from __future__ import annotations

import numpy as np
import pytest
from vote_attacks import all_votes, plurality

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.votes.priced import OUT_OF_REACH, bound_priced_votes, certify_priced_votes
from toadstone.kernels.votes.units import certify_votes

VOTERS, CLASSES, UNITS = 5, 3, 10**6
EVERY = all_votes(VOTERS, CLASSES)
ELECTED = plurality(EVERY, CLASSES)


def cases(seed, n=80, *, voters=VOTERS, least=0):
    rng = np.random.default_rng(seed)
    leaning = rng.random((n, voters)) < 0.5
    votes = np.where(leaning, rng.integers(0, CLASSES, size=(n, 1)), rng.integers(-1, CLASSES, size=(n, voters)))
    prices = rng.integers(least, 12, size=(n, voters, CLASSES))
    return votes, prices


def lowest_prices(votes, prices):
    winner = plurality(votes[None], CLASSES)[0]
    bought = np.take_along_axis(prices[None], EVERY[:, :, None], axis=2)[:, :, 0]
    # No price is given for making a voter abstain.
    bought[EVERY < 0] = 10**6
    return int(np.where(votes == EVERY, 0, bought).sum(axis=1)[winner != ELECTED].min())


def test_the_knapsack_is_exact():
    votes, prices = cases(0)
    found = certify_priced_votes(votes, prices, n_units=UNITS)
    lowest = np.array([lowest_prices(*case) for case in zip(votes, prices, strict=True)])
    np.testing.assert_array_equal(found.count, np.maximum(lowest - 1, 0))
    np.testing.assert_array_equal(found.winner, plurality(votes, CLASSES))


def test_the_relaxation_is_below_by_less_than_one_offer():
    votes, prices = cases(1, voters=40)
    exact = certify_priced_votes(votes, prices, n_units=UNITS).count
    relaxed = bound_priced_votes(votes, prices, n_units=UNITS).count
    assert (relaxed <= exact).all()
    assert (exact - relaxed < prices.max()).all()
    assert 0.3 < (relaxed == exact).mean() < 1


def test_prices_of_one_are_units():
    votes, prices = cases(2)
    found = certify_priced_votes(votes, np.ones_like(prices), n_units=UNITS)
    np.testing.assert_array_equal(found.count, certify_votes(votes, n_classes=CLASSES).count)
    # Every offer of two is then one step of the hull, of which the relaxation takes a half.
    relaxed = bound_priced_votes(votes, np.ones_like(prices), n_units=UNITS)
    np.testing.assert_array_equal(relaxed.count, found.count)


def test_a_count_in_flips_is_at_least_that_in_voters():
    votes, prices = cases(3, voters=30, least=1)
    voters = certify_votes(votes, n_classes=CLASSES).count
    assert (bound_priced_votes(votes, prices, n_units=UNITS).count >= voters).all()


@pytest.mark.parametrize("certify", [certify_priced_votes, bound_priced_votes])
def test_votes_out_of_reach(certify):
    prices = np.array([[[0, OUT_OF_REACH], [0, 4], [0, 9]]])
    # One voter is not for sale: the other two are enough for class 1 to win, at 4 + 9.
    assert certify([[0, 0, 0]], prices, n_units=UNITS).count[0] == 12
    prices[0, 1, 1] = OUT_OF_REACH
    found = certify([[0, 0, 0]], prices, n_units=UNITS)
    assert (found.count[0], found.rival[0]) == (UNITS, -1)
    # No count is larger than the units that there are.
    assert certify([[0, 0, 0]], prices, n_units=7).count[0] == 7


def test_a_vote_for_a_third_class_may_be_the_cheapest_offer():
    votes, prices = [[0, 0, 0, 0, 1, 1]], np.full((1, 6, 3), 50)
    prices[0, :, 2] = 1
    # Three voters leave class 0 for class 2, and class 1 is first of two with two votes... only if it leads: 1, 2, 3.
    assert certify_priced_votes(votes, prices, n_units=UNITS).count[0] == 2


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        (np.zeros((1, 3)), "prices: expected whole numbers of shape"),
        (np.zeros((1, 3, 2)), "prices: expected whole numbers of shape"),
        (np.zeros((1, 4, 2), dtype=int), "prices: expected those of"),
        (np.full((1, 3, 2), -1), "prices: expected none below 0"),
        (np.full((1, 3, 2), OUT_OF_REACH + 1), "prices: expected none below 0"),
    ],
)
def test_prices_that_do_not_fit_are_refused(prices, message):
    with pytest.raises(InvalidData) as caught:
        certify_priced_votes([[0, 0, 1]], prices, n_units=5)
    assert str(caught.value).startswith(message)


def test_there_are_units():
    with pytest.raises(InvalidArgument, match="n_units"):
        bound_priced_votes([[0]], np.zeros((1, 1, 2), dtype=int), n_units=0)
