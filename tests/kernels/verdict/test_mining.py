"""Mining, near-copies and coincidence: known answers."""

import numpy as np
import pytest
from scipy.sparse import csc_array, csr_array

from toadstone.kernels.verdict.atoms import Atoms
from toadstone.kernels.verdict.coincidence import are_copies, sets_of_equals
from toadstone.kernels.verdict.mining import Sizes, mine, poisson_score
from toadstone.kernels.verdict.near_copies import near_copies


def atoms_of(members):
    m = members.shape[1]
    return Atoms(np.arange(m), np.zeros(m), np.ones(m), csc_array(members.astype(np.float32)))


@pytest.fixture
def planted():
    """600 rows of two labels with five independent atoms, three of which twenty rows of label 1 share."""
    rng = np.random.default_rng(0)
    members, codes = rng.random((600, 5)) < 0.05, np.repeat([0, 1], 300)
    members[300:320, [0, 2, 3]] = True
    return members, codes


def test_the_planted_atoms_are_mined_with_their_rows(planted):
    members, codes = planted
    found = mine(atoms_of(members), codes, np.zeros(600), np.arange(5), Sizes(5, 72))
    best = max(found, key=lambda group: group.score)
    assert best.label == 1
    assert set(best.columns) <= {0, 2, 3}
    assert set(range(300, 320)) <= set(best.rows.tolist())


def test_atoms_of_one_source_are_no_pair(planted):
    members, codes = planted
    found = mine(atoms_of(members), codes, np.zeros(600), np.zeros(5, dtype=int), Sizes(5, 72))
    assert found == []


def test_what_other_labels_share_as_often_is_expected(planted):
    members, codes = planted
    members[:20, [0, 2, 3]] = True
    assert mine(atoms_of(members), codes, np.zeros(600), np.arange(5), Sizes(5, 72)) == []


def test_an_atom_that_most_rows_of_the_label_have_is_in_no_group(planted):
    members, codes = planted
    members[:, 0], members[300:320, 0] = codes == 1, True
    found = mine(atoms_of(members), codes, np.zeros(600), np.arange(5), Sizes(5, 72))
    assert found
    assert all(0 not in group.columns for group in found)


def test_fewer_than_expected_score_nothing():
    assert poisson_score(np.array([3.0]), np.array([9.0])).tolist() == [0.0]


def cloud():
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(300, 5)), np.repeat([0, 1], 150)
    X[:12] = X[0] + 0.01 * rng.normal(size=(12, 5))
    return X, codes


def test_near_copies_are_found_dense_and_sparse():
    X, codes = cloud()
    for M in (X, csr_array(X)):
        (found,) = near_copies(M, codes, Sizes(5, 36))
        assert (found[0], found[1].tolist()) == (0, list(range(12)))


def test_close_rows_of_several_labels_are_no_copies_of_one():
    X, codes = cloud()
    X[150:156] = X[:6] + 0.01
    assert near_copies(X, codes, Sizes(5, 36)) == []


def test_equal_rows_of_few_values_are_coincidence():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 5))
    X[:6] = X[6]
    assert are_copies(X)
    assert not are_copies(rng.integers(4, size=(200, 4)).astype(float))


def test_copies_are_found_where_the_rows_of_the_label_lie_in_clumps_themselves():
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(300, 5)), np.repeat([0, 1], 150)
    # Ten clumps of 13: near neighbours are usual in the label.
    X[20:150] = np.repeat(rng.normal(size=(10, 5)), 13, axis=0) + 0.5 * rng.normal(size=(130, 5))
    X[:20] = X[150] + 0.2 * rng.normal(size=(20, 5))
    ((label, rows),) = near_copies(X, codes, Sizes(5, 36))
    assert label == 0
    assert len(np.intersect1d(rows, np.arange(20))) == 20
    assert len(rows) <= 21


def test_copies_at_the_edge_of_their_clump_belong_to_it():
    X, codes = cloud()
    X[:12] += 4 + 0.1 * np.random.default_rng(1).normal(size=(12, 5))
    # Farther from the others than these from each other: left out, the two would vouch for them.
    X[12:14] = X[:12].mean(axis=0) + np.array([[0.16], [-0.16]])
    ((_, rows),) = near_copies(X, codes, Sizes(5, 36))
    assert rows.tolist() == list(range(14))


def test_as_many_copies_as_a_group_needs_are_enough():
    X, codes = cloud()
    X[5:12] += 10 * np.arange(1, 8)[:, None]
    ((_, rows),) = near_copies(X, codes, Sizes(5, 36))
    assert rows.tolist() == list(range(5))


def test_a_loose_clump_that_stands_apart_is_no_group_of_copies():
    X, codes = cloud()
    X[:12] = 20 + 0.6 * np.random.default_rng(1).normal(size=(12, 5))
    assert near_copies(X, codes, Sizes(5, 36)) == []


@pytest.mark.parametrize(("gaps", "expected"), [((3.0,), 1), ((3.0, 4.0), 0), ((3.0, 7.0), 1), ((9.0, 10.0), 2)])
def test_where_clumps_are_the_habit_of_a_table_one_must_stand_out(gaps, expected):
    # Six rows a clump in steps of .1, the first of a long row with steps of so many times that.
    steps = [np.cumsum([5_000.0] + [0.1] * 5 + [0.1 * gap] * 30) for gap in gaps]
    X = np.concatenate([5_000.0 * place + row for place, row in enumerate(steps)])[:, None]
    assert len(near_copies(X, np.zeros(len(X), dtype=int), Sizes(6, 12))) == expected


def test_near_copies_do_not_depend_on_the_order_of_rows_with_many_equal_distances():
    rng = np.random.default_rng(0)
    X, codes = rng.integers(3, size=(200, 8)).astype(float), np.repeat([0, 1], 100)
    X[:9], X[np.arange(9), 7] = X[9], np.arange(9) / 10
    expected = near_copies(X, codes, Sizes(5, 24))
    assert any(rows[:9].tolist() == list(range(9)) for _, rows in expected)
    order = rng.permutation(200)
    found = near_copies(X[order], codes[order], Sizes(5, 24))
    assert sorted(sorted(order[rows].tolist()) for _, rows in found) == sorted(rows.tolist() for _, rows in expected)


@pytest.mark.parametrize("form", [np.asarray, csr_array])
def test_equal_rows_of_one_label_are_a_set_whatever_their_zeros(form):
    X = form(np.array([[0.0, 2.0], [1.0, 0.0], [-0.0, 2.0], [0.0, 2.0]]))
    first, number = sets_of_equals(X, np.array([0, 0, 0, 1]))
    assert (first.tolist(), number.tolist()) == ([0, 1, 3], [0, 1, 0, 2])
