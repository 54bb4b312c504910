"""Deep k-NN."""

import numpy as np
import pytest

import toadstone.detectors.features.deep_neighbours as room
from toadstone.core.errors import InvalidInput
from toadstone.detectors.features.deep_neighbours import DeepNeighbours
from toadstone.kernels.statistics.thresholds import tail_threshold


@pytest.fixture
def parted():
    """Two parted classes of 100; six rows of the first carry the second's label."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 3)), np.repeat(["ape", "bee"], 100)
    X[100:] += 8
    y[:6] = "bee"
    return X, y


def test_rows_whose_neighbours_disagree_are_flagged(parted):
    detector = DeepNeighbours().fit(*parted)
    assert detector.n_neighbors_ == 47
    np.testing.assert_array_equal(detector.flagged_indices_, np.arange(6))


def test_poison_that_is_a_quarter_of_its_class_is_found_up_to_the_false_alarm_rate():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1000, 3)), np.repeat(["ape", "bee"], [800, 200])
    X[800:] += 4
    y[:60] = "bee"
    detector = DeepNeighbours().fit(X, y)
    assert tail_threshold(detector.suspicion_[y == "bee"], 0.02) > detector.suspicion_.max()
    assert 10 <= len(detector.flagged_indices_) <= 20
    assert np.mean(detector.flagged_indices_ < 60) > 0.9


def test_votes_agree_with_counting(parted):
    X, y = parted
    suspicion = DeepNeighbours(n_neighbors=9).fit(X, y).suspicion_
    distances = np.linalg.norm(X[:, None] - X[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    neighbours = np.argsort(distances, axis=1)[:, :9]
    own = np.mean(y[neighbours] == y[:, None], axis=1)
    np.testing.assert_allclose(suspicion, (1 - own) - own)


def test_a_row_does_not_vote_for_itself():
    X, y = np.array([[0.0], [0.1], [5.0], [5.1]]), [0, 1, 1, 1]
    detector = DeepNeighbours(n_neighbors=1).fit(X, y)
    np.testing.assert_array_equal(detector.suspicion_, [1, 1, -1, -1])


def test_the_plurality_decides_among_several_classes():
    X = np.array([[0.0], [0.1], [-0.1], [0.2], [-0.2], [0.3]])
    detector = DeepNeighbours(n_neighbors=5).fit(X, [0, 0, 1, 1, 2, 2])
    # Of five others one is of the row's class, and two of each other class.
    np.testing.assert_allclose(detector.suspicion_, 1 / 5)


def test_one_row_repeated_excludes_itself_all_the_same():
    detector = DeepNeighbours(n_neighbors=3).fit(np.zeros((20, 2)), np.arange(20) % 2)
    assert np.isfinite(detector.suspicion_).all()
    assert np.abs(detector.suspicion_).max() <= 1


def test_the_rows_that_lost_by_the_most_are_as_many_as_the_rate_allows():
    rng = np.random.default_rng(0)
    detector = DeepNeighbours(n_neighbors=5).fit(rng.normal(size=(1000, 2)), rng.integers(0, 2, 1000))
    # Uniform suspicion has no tail of its own beyond which a row could lie.
    detector.suspicion_ = rng.permutation(np.linspace(-1, 1, 1000))
    flagged = detector.calibrate(None).flagged_indices_
    assert set(flagged) == set(np.argsort(detector.suspicion_)[-20:])


def test_where_classes_overlap_the_false_alarm_rate_is_kept():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(600, 2)), rng.integers(0, 2, 600)
    detector = DeepNeighbours(n_neighbors=25).fit(X, y)
    assert np.mean(detector.suspicion_ > 0) > 0.3
    assert detector.flagged_indices_.size <= 0.02 * 600


def test_more_neighbours_than_rows():
    with pytest.raises(InvalidInput, match="rows: expected more than 9 for 9 neighbours, got n_samples = 4"):
        DeepNeighbours(n_neighbors=9).fit(np.eye(4), [0, 0, 1, 1])


def test_of_many_rows_a_sample_votes(parted, monkeypatch):
    X, y = parted
    exact = DeepNeighbours().fit(X, y)
    monkeypatch.setattr(room, "_MOST_VOTERS", 120)
    detector = DeepNeighbours().fit(X, y)
    np.testing.assert_array_equal(detector.flagged_indices_, np.arange(6))
    assert detector.n_neighbors_ == exact.n_neighbors_
    np.testing.assert_allclose(detector.suspicion_, exact.suspicion_, atol=0.2)
    assert np.bincount(detector._voter_codes).tolist() == [60, 60]
    # A given number of neighbours is looked for among all rows.
    given = DeepNeighbours(n_neighbors=47).fit(X, y)
    np.testing.assert_array_equal(given.suspicion_, exact.suspicion_)


def test_all_rows_of_a_small_class_vote(monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1000, 3)), np.repeat([0, 1], [960, 40])
    X[960:] += 9
    y[:3] = 1
    monkeypatch.setattr(room, "_MOST_VOTERS", 300)
    monkeypatch.setattr(room, "_FEWEST_NEIGHBOURS", 1)
    detector = DeepNeighbours().fit(X, y)
    assert np.bincount(detector._voter_codes).tolist() == [257, 43]
    assert np.isin(np.arange(3), np.argsort(-detector.suspicion_)[:3]).all()
