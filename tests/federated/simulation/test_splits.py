"""Rows dealt to clients."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toadstone.core.errors import InvalidArgument
from toadstone.federated import dirichlet_clients, source_clients
from toadstone.federated.simulation.splits import _level


def each_row_once(dealt, n):
    assert np.sort(np.concatenate(dealt)).tolist() == list(range(n))
    assert all((np.diff(rows) > 0).all() for rows in dealt)


@given(
    st.lists(st.integers(0, 3), min_size=30, max_size=80),
    st.integers(1, 10),
    st.sampled_from([1e-3, 0.1, 1.0, 1e3]),
    st.integers(0, 9),
)
def test_dirichlet_deals_each_row_once_and_nobody_too_few(labels, clients, concentration, seed):
    dealt = dirichlet_clients(np.array(labels), clients, concentration, np.random.default_rng(seed), least=3)
    assert len(dealt) == clients
    assert min(len(rows) for rows in dealt) >= 3
    each_row_once(dealt, len(labels))


def test_a_small_concentration_gives_clients_few_classes():
    y = np.repeat(np.arange(10), 200)

    def largest_share(concentration):
        dealt = dirichlet_clients(y, 20, concentration, np.random.default_rng(0))
        return np.mean([np.bincount(y[rows]).max() / len(rows) for rows in dealt])

    assert largest_share(0.05) > 0.6 > 0.2 > largest_share(1000.0)


def test_a_concentration_that_underflows_still_deals_every_row():
    each_row_once(dirichlet_clients(np.repeat([0, 1], 50), 10, 1e-9, np.random.default_rng(0), least=2), 100)


def test_the_seed_alone_decides():
    y = np.arange(300) % 3
    one, two = (dirichlet_clients(y, 7, 0.5, np.random.default_rng(4)) for _ in range(2))
    assert [rows.tolist() for rows in one] == [rows.tolist() for rows in two]


def test_a_client_that_gives_rows_keeps_enough():
    levelled = _level([np.arange(4), np.arange(4, 8), np.array([8])], 3, np.random.default_rng(0))
    assert sorted(len(rows) for rows in levelled) == [3, 3, 3]
    each_row_once(levelled, 9)


def test_too_few_rows():
    with pytest.raises(InvalidArgument, match="`clients`: expected at most 3, of 10 rows each, got 4"):
        dirichlet_clients(np.zeros(35), 4, 1.0, np.random.default_rng(0))


@given(st.lists(st.sampled_from("abc"), min_size=12, max_size=40), st.integers(3, 12))
def test_a_client_has_rows_of_one_source(sources, clients):
    dealt = source_clients(sources, np.random.default_rng(0), clients=clients)
    assert len(dealt) == clients
    each_row_once(dealt, len(sources))
    assert all(len({sources[row] for row in rows}) == 1 for rows in dealt)


def test_one_client_a_source_and_further_ones_to_the_largest():
    sources = np.array(["b"] * 6 + ["a"] * 2)
    assert [rows.tolist() for rows in source_clients(sources, np.random.default_rng(0))] == [[6, 7], list(range(6))]
    assert [len(rows) for rows in source_clients(sources, np.random.default_rng(0), clients=4)] == [2, 2, 2, 2]


@pytest.mark.parametrize("clients", [1, 9])
def test_clients_that_sources_cannot_make(clients):
    with pytest.raises(InvalidArgument, match="`clients`: expected from 2, one a source, to 8, one a row"):
        source_clients(["a", "b"] * 4, np.random.default_rng(0), clients=clients)
