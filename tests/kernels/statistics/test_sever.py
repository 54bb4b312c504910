"""SEVER's direction against the decomposition of gradients that are written out, and its rounds."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.kernels.statistics.sever import sever, strongest_pull


def gradients(X, slopes):
    """One row each: slopes times (x, 1), flattened."""
    rows = np.column_stack([X, np.ones(len(X))])
    return (slopes[:, :, None] * rows[:, None, :]).reshape(len(X), -1)


@pytest.mark.parametrize("wrap", [np.asarray, csr_array])
@pytest.mark.parametrize(("n", "d", "k"), [(40, 15, 2), (9, 30, 1), (60, 3, 3)])
def test_the_axis_is_the_top_singular_vector_of_centred_gradients(wrap, n, d, k):
    rng = np.random.default_rng(0)
    X, slopes = rng.normal(size=(n, d)) + 1, rng.normal(size=(n, k)) + 2
    written = gradients(X, slopes)
    centred = written - written.mean(axis=0)
    top = np.linalg.svd(centred)[2][0]
    pull = strongest_pull(wrap(X), slopes)
    assert abs(pull.axis.ravel() @ top) == pytest.approx(1, abs=1e-9)
    along = centred @ top
    np.testing.assert_allclose(pull.excess(wrap(X), slopes), along**2 / np.mean(along**2), rtol=1e-6, atol=1e-9)


def test_the_excess_is_one_on_average_of_the_rows_it_comes_from():
    rng = np.random.default_rng(1)
    X, slopes = rng.normal(size=(50, 20)), rng.normal(size=(50, 1))
    assert strongest_pull(X, slopes).excess(X, slopes).mean() == pytest.approx(1)


def test_the_axis_of_many_gradients_repeats_itself_to_the_bit():
    rng = np.random.default_rng(2)
    X, slopes = rng.normal(size=(90, 70)), rng.normal(size=(90, 1))
    once, again = strongest_pull(X, slopes), strongest_pull(X, slopes)
    np.testing.assert_array_equal(once.axis, again.axis)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
@pytest.mark.parametrize("steep", [1e-6, 1e6])
def test_rounding_is_told_from_a_pull_in_any_unit(unit, steep):
    rng = np.random.default_rng(3)
    X, slopes = np.full((30, 20), 0.1 * unit), np.full((30, 1), 0.3 * steep)
    # A part in ten to the fifteenth is what rounding leaves, and one in a million is not.
    assert strongest_pull(X, slopes * (1 + 1e-15 * rng.random((30, 1)))).usual == 0
    assert strongest_pull(X, slopes * (1 + 1e-6 * rng.random((30, 1)))).usual > 0


def test_gradients_that_coincide_pull_nowhere():
    X, slopes = np.full((30, 20), 0.1), np.full((30, 1), 0.3)
    pull = strongest_pull(X, slopes)
    assert pull.usual == 0
    np.testing.assert_array_equal(pull.excess(X, slopes), 0)
    # Those that differ in the ninth digit do pull.
    assert strongest_pull(X * (1 + 1e-9 * np.arange(30)[:, None]), slopes).usual > 0


class TestRounds:
    X = np.array([[1.0], [1.1], [0.9], [9.0], [1.0], [1.2], [0.8], [1.05]])
    codes = np.array([0, 0, 0, 0, 1, 1, 1, 1])

    def run(self, share, rounds, X=X):
        trained = []

        def train(rows):
            trained.append(rows)
            return len(rows)

        def judge(model):
            assert model == len(trained[-1])
            return np.ones((8, 1))

        result = sever(train, judge, X, self.codes, share=share, rounds=rounds)
        return result, trained

    def test_a_class_is_compared_with_itself_only(self):
        # 5 is far from the rows of its class, though near to those of the two others.
        X = np.array([[0.0], [0.1], [5.0], [5.2], [5.3], [9.0], [5.1], [5.0], [1.0]])
        codes = np.repeat([0, 1, 2], 3)
        result = sever(lambda rows: rows, lambda _: np.ones((9, 1)), X, codes, share=0.34, rounds=1)
        np.testing.assert_array_equal(np.flatnonzero(~result.kept), [2, 5, 8])

    def test_each_class_loses_its_own_farthest_rows(self):
        result, trained = self.run(share=0.25, rounds=1)
        # Of class 1, 1.2 and 0.8 are about equally far from the mean of 1.0125.
        np.testing.assert_array_equal(result.kept, [True, True, True, False, True, True, False, True])
        np.testing.assert_array_equal(trained[0], np.arange(8))
        assert len(result.pulls) == 1
        assert len(result.pulls[0]) == 2

    def test_a_share_of_less_than_a_row_drops_none(self):
        result, _ = self.run(share=0.2, rounds=3)
        assert result.kept.all()

    def test_later_rounds_train_on_what_is_left_and_judge_it_afresh(self):
        result, trained = self.run(share=0.34, rounds=2)
        assert [len(rows) for rows in trained] == [8, 6]
        assert 3 not in trained[1]
        assert result.models == (8, 6)
        assert np.count_nonzero(result.kept) == 4

    def test_a_class_of_equal_rows_loses_none(self):
        X = self.X.copy()
        X[4:] = 7.0
        result, _ = self.run(share=0.25, rounds=2, X=X)
        assert result.kept[4:].all()
        assert not result.kept[3]
