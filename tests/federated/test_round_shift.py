"""The certified shift of a round, against every replacement on small numbers of clients."""

import itertools

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument, InvalidInput
from toadstone.federated import StaticClipping, TrimmedMean, aggregate
from toadstone.federated.aggregation.coordinates import CoordinateMedian
from toadstone.federated.aggregation.rule import Chain
from toadstone.federated.round_shift import certify_round

RULES = ["median", "trimmed-mean", TrimmedMean(trim=3), Chain((StaticClipping(radius=2.0),), CoordinateMedian())]


def replacements(updates, malicious):
    """Yield the updates with any so many of them far below, far above, or among the others."""
    for chosen in itertools.combinations(range(len(updates)), malicious):
        for levels in itertools.product((-1e6, 0.05, 1e6), repeat=malicious):
            changed = updates.copy()
            changed[list(chosen)] = np.array(levels)[:, None]
            yield changed


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule if isinstance(rule, str) else rule.spec)
@pytest.mark.parametrize(("clients", "malicious"), [(7, 2), (8, 1), (8, 2), (7, 0)])
def test_no_replacement_goes_beyond_and_some_reach_the_range(rule, clients, malicious):
    updates = np.random.default_rng(clients + malicious).normal(size=(clients, 3))
    found, here = certify_round(updates, rule, malicious=malicious), aggregate(updates, rule, malicious=malicious)
    reached = np.array([aggregate(changed, rule, malicious=malicious) for changed in replacements(updates, malicious)])
    assert (reached >= found.lower).all()
    assert (reached <= found.upper).all()
    assert (np.linalg.norm(reached - here, axis=1) <= found.bound).all()
    if not isinstance(rule, Chain):
        np.testing.assert_allclose(reached.min(axis=0), found.lower, atol=1e-12)
        np.testing.assert_allclose(reached.max(axis=0), found.upper, atol=1e-12)


def test_a_client_that_sends_no_number_is_one_of_them():
    honest = np.random.default_rng(0).normal(size=(7, 4))
    sent = [*honest, np.full(4, np.nan), np.full(4, 1e200)]
    with_two, without = certify_round(sent, "median", malicious=3), certify_round(honest, "median", malicious=1)
    assert (with_two.clients, with_two.malicious, with_two.bound) == (7, 1, without.bound)


def test_numbers_that_cancel_are_rounded_outwards():
    updates = np.array([[1e16], [-1e16], [1.0], [3.0], [-1.0]])
    found = certify_round(updates, TrimmedMean(trim=0), malicious=0)
    assert found.lower <= 3.0 / 5 <= found.upper


def test_without_malicious_clients_nothing_moves():
    updates = np.random.default_rng(2).normal(size=(9, 5))
    assert certify_round(updates, "trimmed-mean", malicious=0).bound < 1e-14


@pytest.mark.parametrize("rule", ["krum", "mean", "nnm+median", "geometric-median"])
def test_rules_without_a_bound_are_refused(rule):
    with pytest.raises(
        InvalidArgument, match=r"`rule`: expected median or trimmed-mean, .* got " + rule.replace("+", r"\+")
    ):
        certify_round(np.zeros((9, 2)), rule, malicious=1)


def test_a_radius_that_the_updates_set_has_no_bound():
    with pytest.raises(InvalidArgument, match=r"behind StaticClipping\(radius=...\)"):
        certify_round(np.ones((9, 2)), "clipping+median", malicious=1)


def test_more_refused_than_malicious_prove_nothing():
    sent = [*np.ones((5, 2)), None, None]
    wanted = "^2 of 7 updates were refused, more than the 1 malicious that were reckoned with: choose a larger number$"
    with pytest.raises(InvalidInput, match=wanted):
        certify_round(sent, "median", malicious=1)
    assert certify_round(sent, "median", malicious=2).malicious == 0


@pytest.mark.parametrize("exponent", [-400, -600, -1000])
def test_the_bound_of_small_numbers_does_not_vanish(exponent):
    updates = np.random.default_rng(5).normal(size=(9, 30))
    here, small = (
        certify_round(updates, "median", malicious=2),
        certify_round(updates * 2.0**exponent, "median", malicious=2),
    )
    assert small.bound == pytest.approx(here.bound * 2.0**exponent, rel=1e-9, abs=0.0)


def test_the_least_numbers_are_rounded_outwards():
    least = 5e-324
    found = certify_round(np.array([[0.0], [least], [least]]), TrimmedMean(trim=0), malicious=0)
    assert found.lower <= 0.0
    assert found.upper >= least
    assert certify_round(np.zeros((3, 2)), "median", malicious=1).bound == 0.0


def test_too_few_clients_are_refused():
    with pytest.raises(InvalidInput, match="Coordinate median needs n >= 2f \\+ 1: got n = 4, f = 2"):
        certify_round(np.zeros((4, 2)), "median", malicious=2)
