"""Equal rows with different labels, against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array

import toadstone.kernels.rows
import toadstone.kernels.statistics.contradictions as room
from toadstone.kernels.statistics.contradictions import contradicting_rows

VALUES = st.sampled_from([0.0, -0.0, 1.0, 2.0, 1.0 + 2**-52, -1.0, 1e300, 5e-324])
few = settings(max_examples=150, deadline=None)


@st.composite
def labelled(draw):
    n, d = draw(st.integers(1, 14)), draw(st.integers(1, 3))
    return draw(arrays(float, (n, d), elements=VALUES)), draw(arrays(np.int64, n, elements=st.integers(0, 2)))


def by_comparison(X, y):
    """The groups, found by comparing every row with every other."""
    equal = (X[:, None] == X[None]).all(axis=2)
    rows = {tuple(np.flatnonzero(line).tolist()) for line in equal}
    return sorted(group for group in rows if len(set(y[list(group)])) > 1)


def groups(found):
    return [tuple(group.rows.tolist()) for group in found]


@few
@given(data=labelled(), largest=st.sampled_from([0, 2**23]))
@pytest.mark.parametrize("store", [np.asarray, csr_array])
def test_the_groups_are_those_of_comparing_all_rows(store, data, largest):
    X, y = data
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toadstone.kernels.rows, "SMALL", largest)
        found = contradicting_rows(store(X), y)
    assert groups(found) == by_comparison(X, y)
    for group in found:
        np.testing.assert_array_equal(group.labels, y[group.rows])


@few
@given(data=labelled())
@pytest.mark.parametrize("store", [np.asarray, csr_array])
@pytest.mark.parametrize("largest", [0, 2**23])
def test_rows_of_equal_hashes_are_told_apart(store, largest, data):
    X, y = data
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toadstone.kernels.rows, "SMALL", largest)
        patch.setattr(room, "row_hashes", lambda X: np.zeros(X.shape[0], dtype=np.int64))
        assert groups(contradicting_rows(store(X), y)) == by_comparison(X, y)


@few
@given(data=labelled())
def test_the_minority_is_what_a_plurality_outvotes(data):
    for group in contradicting_rows(*data):
        counts = {label: int(np.sum(group.labels == label)) for label in group.labels}
        winners = [label for label, count in counts.items() if count == max(counts.values())]
        rows = [row for row, label in zip(group.rows, group.labels, strict=True) if [label] != winners]
        np.testing.assert_array_equal(group.minority, rows)


@pytest.mark.parametrize("store", [np.asarray, csr_array])
def test_twenty_copies_with_the_other_label_are_found_exactly(store):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((3000, 12)) * (rng.random((3000, 12)) < 0.3), rng.integers(0, 2, 3000)
    X, first = np.unique(X, axis=0, return_index=True)
    y = y[first]
    copied = rng.choice(len(y), 20, replace=False)
    found = contradicting_rows(store(np.vstack([X, X[copied]])), np.append(y, 1 - y[copied]))
    assert groups(found) == sorted((int(row), len(y) + place) for place, row in enumerate(copied))


@pytest.mark.parametrize("store", [np.asarray, csr_array])
def test_hashes_of_different_rows_hardly_ever_meet(store):
    table = np.stack(np.meshgrid(*[[-1.0, 0.0, 1.0, 2.0, 3.0, 0.5]] * 6), axis=-1).reshape(-1, 6)
    assert len(np.unique(room.row_hashes(store(table)))) == len(table)


def test_the_hash_is_the_same_dense_and_sparse():
    X = np.random.default_rng(0).integers(-2, 3, (2100, 7)).astype(float)
    np.testing.assert_array_equal(room.row_hashes(X), room.row_hashes(csr_array(X)))
