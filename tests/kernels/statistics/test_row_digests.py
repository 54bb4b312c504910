"""Contents of rows: equal if and only if the values are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from toadstone.kernels.statistics.row_digests import contents, first_equal


def shuffled(X):
    """A CSR matrix with its columns stored backwards, explicit zeros and split entries."""
    rows = []
    for row in X:
        columns = np.arange(len(row))[::-1]
        rows.append((np.repeat(columns, 2), np.repeat(row[columns] / 2, 2)))
    indptr = np.arange(len(X) + 1) * 2 * X.shape[1]
    parts = (np.concatenate([values for _, values in rows]), np.concatenate([where for where, _ in rows]), indptr)
    return csr_array(parts, shape=X.shape)


@given(st.integers(0, 2**32 - 1))
def test_the_form_of_storage_is_irrelevant_and_the_values_are_not(seed):
    rng = np.random.default_rng(seed)
    X = rng.integers(-1, 2, size=(6, 3)).astype(float)
    found = contents(X)
    assert found == contents(csr_array(X)) == contents(shuffled(X))
    for i in range(6):
        for j in range(6):
            assert (found[i] == found[j]) == np.array_equal(X[i], X[j])


def test_a_row_is_not_mistaken_for_another_column_or_sign():
    one, other, minus, zero, minus_zero = contents(np.array([[1.0, 0], [0, 1.0], [-1.0, 0], [0, 0], [-0.0, 0]]))
    assert len({one, other, minus, zero}) == 4
    assert zero == minus_zero == b""


def test_the_bytes_are_the_same_on_every_machine():
    assert contents(np.array([[0.0, 1.0]])) == [(1).to_bytes(8, "little") + bytes.fromhex("000000000000f03f")]


def test_the_argument_is_left_alone():
    X = shuffled(np.array([[1.0, 0.0, 2.0]]))
    before = X.data.copy()
    contents(X)
    np.testing.assert_array_equal(X.data, before)


def test_the_first_of_equal_rows_is_found():
    others = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])
    np.testing.assert_array_equal(first_equal(csr_array([[1.0, 2.0], [4.0, 3.0], [3.0, 4.0]]), others), [0, -1, 1])
