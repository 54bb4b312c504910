"""Atoms: exact values and windows of columns, the same for dense and sparse rows."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.kernels.verdict.atoms import entries, find_atoms


def nothing_strange(n):
    return lambda column: np.zeros(n)


def test_a_repeated_value_of_one_label_comes_first():
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(300, 3)), np.repeat([0, 1], 150)
    X[:20, 1] = 9.0
    atoms = find_atoms(X, codes, nothing_strange(300), least=5, most=1)
    assert (atoms.columns.tolist(), atoms.lows.tolist(), atoms.highs.tolist()) == ([1], [9.0], [9.0])
    assert np.flatnonzero(atoms.members.toarray()[:, 0]).tolist() == list(range(20))


def test_a_strange_value_is_kept_though_its_labels_are_the_usual():
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(300, 2)), np.tile([0, 1], 150)
    X[:20, 1] = 9.0
    strange = np.where(np.arange(300) < 20, 4.0, 0.0)
    atoms = find_atoms(X, codes, lambda column: strange, least=5, most=4)
    assert 9.0 in atoms.lows[atoms.columns == 1]


def test_members_lie_in_their_range_and_are_all_that_do():
    X = np.round(np.random.default_rng(0).normal(size=(200, 3)) * 5)
    atoms = find_atoms(X, np.arange(200) % 2, nothing_strange(200), least=5, most=100)
    for place, column in enumerate(atoms.columns):
        inside = (X[:, column] >= atoms.lows[place]) & (X[:, column] <= atoms.highs[place])
        assert np.array_equal(atoms.members[:, [place]].toarray().ravel() > 0, inside)
        assert 5 <= inside.sum() <= 80


@pytest.mark.parametrize("share", [0.1, 0.8])
def test_sparse_rows_have_the_atoms_of_dense_rows(share):
    rng = np.random.default_rng(0)
    X = np.where(rng.random((200, 10)) < share, rng.integers(-3, 9, (200, 10)), 0).astype(float)
    dense, sparse = (
        find_atoms(M, np.arange(200) % 3, nothing_strange(200), least=5, most=60) for M in (X, csr_array(X))
    )
    assert dense.columns.tolist() == sparse.columns.tolist()
    assert dense.lows.tolist() == sparse.lows.tolist()
    assert np.array_equal(dense.members.toarray(), sparse.members.toarray())


def test_rare_zeros_are_entries_too():
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    assert entries(X, 0)[0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("storage", [np.asarray, csr_array])
def test_a_word_is_an_atom_though_its_weight_differs_from_row_to_row(storage):
    rng = np.random.default_rng(0)
    X = np.where(rng.random((300, 60)) < 0.05, rng.random((300, 60)), 0.0)
    X[:, 7] = 0.0
    X[:20, 7] = rng.uniform(0.1, 0.9, 20)
    codes = np.repeat([0, 1], 150)
    atoms = find_atoms(storage(X), codes, nothing_strange(300), least=5, most=1)
    assert (atoms.columns.tolist(), atoms.lows.tolist(), atoms.highs.tolist()) == (
        [7],
        [X[:20, 7].min()],
        [X[:, 7].max()],
    )
    assert np.flatnonzero(atoms.members.toarray()[:, 0]).tolist() == list(range(20))
