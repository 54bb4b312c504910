"""Ways in which rows come to clients."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.split import Split
from toadstone.pipeline.federation.dealing import Dealing, dealing_of, merged

ROWS = Dataset(np.arange(60.0)[:, None], np.resize([0, 1, 2], 60))
SPLIT = Split("built", ROWS, ROWS, "none", "own")


def sourced(number, clients):
    sources = np.array([f"ward {row % number}" for row in range(60)])
    return Dealing(clients, column="ward", sources=sources)


@pytest.mark.parametrize("asked", ["iid", "dirichlet:0.1", "dirichlet:5"])
def test_every_row_has_one_client_and_every_client_has_rows(asked):
    dealing = dealing_of(SPLIT, asked, None, clients=12)
    dealt = dealing.deal(ROWS, np.arange(60), np.random.default_rng(0))
    assert len(dealt) == 12
    assert sorted(np.concatenate(dealt).tolist()) == list(range(60))
    assert min(map(len, dealt)) >= 5
    assert "12 clients" in dealing.words


def test_a_client_has_rows_of_one_source_where_there_are_enough_clients():
    dealing = sourced(3, 8)
    dealt = dealing.deal(ROWS, np.arange(60), np.random.default_rng(0))
    assert len(dealt) == 8
    assert all(len({dealing.sources[row] for row in rows}) == 1 for rows in dealt)
    assert "The 3 values of ward are fewer than the 8 clients" in dealing.words
    assert sourced(3, 3).words == "Each of the 3 values of ward is a client."


def test_more_sources_than_clients_share_them_evenly():
    dealing = sourced(20, 6)
    dealt = dealing.deal(ROWS, np.arange(60), np.random.default_rng(0))
    assert len(dealt) == 6
    homes = [{dealing.sources[row] for row in rows} for rows in dealt]
    assert sum(map(len, homes)) == 20
    assert {len(rows) for rows in dealt} <= {9, 12}
    assert "a client has several" in dealing.words


def test_sources_follow_the_rows_that_were_drawn():
    dealing = sourced(3, 3)
    places = np.array([0, 3, 6, 1, 4, 2])
    dealt = dealing.deal(ROWS.take(places), places, np.random.default_rng(0))
    assert [rows.tolist() for rows in dealt] == [[0, 1, 2], [3, 4], [5]]


def test_merging_keeps_sources_whole_and_names_alone_where_they_fit():
    assert merged(["a", "b"], 2) == ["a", "b"]
    found = merged(["a"] * 5 + ["b"] * 3 + ["c"] * 2, 2)
    assert found == ["0"] * 5 + ["1"] * 5


@pytest.mark.parametrize(
    ("asked", "column", "sentence"),
    [
        ("magic", None, "`split`: expected dirichlet:A, iid or column, with a positive number A, got magic"),
        ("dirichlet", None, "`split`: expected dirichlet:A"),
        ("dirichlet:0", None, "`split`: expected dirichlet:A"),
        ("dirichlet:nan", None, "`split`: expected dirichlet:A"),
        ("column", None, "`group`: expected the column of sources, which the split column needs, got none"),
        ("iid", "ward", "`split`: expected column beside a group, got iid"),
    ],
)
def test_other_ways_are_refused(asked, column, sentence):
    with pytest.raises(InvalidArgument, match=sentence):
        dealing_of(SPLIT, asked, column, clients=5)
