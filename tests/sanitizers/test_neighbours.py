"""Distances to neighbours, with and without the row itself."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist

from toadstone.core.errors import InvalidData
from toadstone.sanitizers.neighbours import NeighboursSanitizer


def test_paper_variant_is_the_distance_to_the_kth_other_row():
    X = np.random.default_rng(0).standard_normal((30, 4))
    expected = np.sort(cdist(X, X), axis=1)[:, 5]
    np.testing.assert_allclose(NeighboursSanitizer().fit(X).suspicion_, expected)


def test_reference_variant_sums_distances_with_the_row_itself():
    X = np.random.default_rng(0).standard_normal((30, 4))
    expected = np.sort(cdist(X, X), axis=1)[:, :5].sum(axis=1)
    np.testing.assert_allclose(NeighboursSanitizer(variant="reference").fit(X).suspicion_, expected)


@pytest.mark.parametrize("variant", ["paper", "reference"])
def test_five_coincident_rows_far_from_the_origin(variant):
    X = np.vstack([np.full((5, 3), 1e6 / 3), np.random.default_rng(0).standard_normal((20, 3))])
    for rows in (X, csr_array(X)):
        scores = NeighboursSanitizer(variant=variant).fit(rows).suspicion_[:5]
        if variant == "reference":
            np.testing.assert_array_equal(scores, 0.0)
        else:
            assert (scores > 1e5).all()


def test_training_rows_score_alike_during_and_after_fit():
    X = np.random.default_rng(0).standard_normal((30, 4))
    sanitizer = NeighboursSanitizer().fit(X)
    np.testing.assert_allclose(sanitizer.score_samples(X), -sanitizer.suspicion_)


def test_new_rows_count_every_training_row():
    X = np.arange(10.0)[:, None]
    sanitizer = NeighboursSanitizer(n_neighbors=2).fit(X)
    np.testing.assert_allclose(sanitizer.score_samples([[-3.0]]), [-4.0])


def test_neighbours_may_belong_to_any_class():
    X = np.array([[0.0], [1.0], [2.0], [50.0], [51.0], [52.0]])
    sanitizer = NeighboursSanitizer(n_neighbors=1).fit(X, [0, 1, 0, 1, 0, 1])
    np.testing.assert_allclose(sanitizer.suspicion_, 1.0)


def test_too_few_rows():
    with pytest.raises(InvalidData, match="more than 5 for 5 neighbours, got n_samples = 4"):
        NeighboursSanitizer().fit(np.zeros((4, 2)))
