"""Attacks on a part of the data: a cluster, or a group by a feature."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.attacks.flips.demographic import DemographicAttack, Group
from toadstone.attacks.flips.subpopulation import Subpopulation, SubpopulationAttack
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.learners.linear import LinearClassifier
from toadstone.pipeline.evaluation.group_damage import group_damage
from toadstone.pipeline.harness.judge import merge

CENTRES = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]])


def blobs(sizes=(60, 30, 10), *, sparse: bool = False) -> Dataset:
    codes = np.repeat(np.arange(3), sizes)
    X = CENTRES[codes] + np.random.default_rng(3).normal(size=(len(codes), 2)) * 0.5
    return Dataset(csr_array(X) if sparse else X, np.where(codes == 1, "spam", "ham"))


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_decimal_share_that_is_exact_on_paper_stays_exact():
    # In floating point 0.29 * 100 is below 29.
    data, part = blobs((200, 100, 10)), Subpopulation(centres=CENTRES, index=1)
    made = SubpopulationAttack(subpopulation=part, share=0.29).poison(data, Budget(0.4), rng())
    assert len(made) == 29


class TestClusters:
    @pytest.mark.parametrize(("rank", "size"), [(0, 60), (1, 30), (2, 10)])
    @pytest.mark.parametrize("sparse", [False, True])
    def test_found_by_size(self, rank, size, sparse):
        data = blobs(sparse=sparse)
        part = Subpopulation.found_in(data.X, n_clusters=3, rank=rank).contains(data.X)
        np.testing.assert_array_equal(part, np.repeat(np.arange(3), (60, 30, 10)) == rank)
        assert part.sum() == size

    def test_refusals(self):
        with pytest.raises(InvalidArgument, match=r"`n_clusters`: expected a whole number from 1 to 1, got 2"):
            Subpopulation.found_in(np.ones((5, 2)), n_clusters=2)
        with pytest.raises(InvalidArgument, match="`rank`"):
            Subpopulation.found_in(blobs().X, n_clusters=3, rank=3)
        with pytest.raises(InvalidArgument, match="`index`"):
            Subpopulation(centres=CENTRES, index=3)
        with pytest.raises(InvalidData, match="expected 2 columns, got 3"):
            Subpopulation(centres=CENTRES, index=0).contains(np.ones((1, 3)))


class TestSubpopulation:
    @pytest.mark.parametrize("kind", ["add", "flip"])
    @pytest.mark.parametrize(("share", "fraction", "wanted"), [(0.5, 0.4, 15), (1.0, 0.4, 30), (1.0, 0.1, 10)])
    def test_so_many_rows_of_the_cluster(self, kind, share, fraction, wanted):
        data, part = blobs(), Subpopulation(centres=CENTRES, index=1)
        made = SubpopulationAttack(subpopulation=part, share=share).poison(data, Budget(fraction, kind), rng())
        assert len(made) == wanted
        assert part.contains(made.X).all()
        assert set(made.y) == {"ham"}
        assert len(made.replaces) == (wanted if kind == "flip" else 0)

    def test_copies_repeat_above_one(self):
        part = Subpopulation(centres=CENTRES, index=2)
        made = SubpopulationAttack(subpopulation=part, share=3.0).poison(blobs(), Budget(0.4), rng())
        assert np.unique(made.X, axis=0, return_counts=True)[1].tolist() == [3] * 10
        assert set(made.y) == {"spam"}

    def test_the_second_label_of_a_mixed_cluster(self):
        data = blobs()
        y = data.y.copy()
        y[60:63] = "eggs"
        made = SubpopulationAttack(subpopulation=Subpopulation(centres=CENTRES, index=1)).poison(
            Dataset(data.X, y), Budget(0.49, "flip"), rng()
        )
        assert set(made.y) == {"eggs"}
        assert len(made) == 27

    def test_damage_is_done_there_and_not_elsewhere(self):
        data, part = blobs(), Subpopulation(centres=CENTRES, index=2)
        made = SubpopulationAttack(subpopulation=part, share=2.0).poison(data, Budget(0.2), rng())
        X, y, _ = merge(data, made)
        clean = LinearClassifier(tolerance=1e-4).fit(data.X, data.y)
        poisoned = LinearClassifier(tolerance=1e-4).fit(X, y)
        damage = group_damage(clean, poisoned, data, part.contains(data.X))
        assert damage.clean_inside.value == 0
        assert damage.inside == 1.0
        assert damage.elsewhere <= 0.1

    def test_refusals(self):
        with pytest.raises(InvalidArgument, match="`share`"):
            SubpopulationAttack(subpopulation=Subpopulation(centres=CENTRES, index=0), share=0.0)
        lonely = Subpopulation(centres=np.vstack([CENTRES, [99, 99]]), index=3)
        with pytest.raises(InvalidArgument, match="`subpopulation`: expected one that some rows belong to, got none"):
            SubpopulationAttack(subpopulation=lonely).poison(blobs(), Budget(0.1), rng())
        with pytest.raises(InvalidArgument, match="`target`"):
            SubpopulationAttack(subpopulation=Subpopulation(centres=CENTRES, index=0), target="x").poison(
                blobs(), Budget(0.1), rng()
            )


class TestDemographic:
    @pytest.mark.parametrize("sparse", [False, True])
    def test_rows_of_the_group_lose_their_label(self, sparse):
        data, group = blobs(sparse=sparse), Group(feature=1, lowest=5.0)
        made = DemographicAttack(group=group, source="ham").poison(data, Budget(0.4, "flip"), rng())
        assert sorted(made.replaces.tolist()) == list(range(90, 100))
        assert set(made.y) == {"spam"}

    def test_bounds_are_included(self):
        X = np.array([[0.0], [1.0], [2.0], [3.0]])
        assert Group(feature=0, lowest=1.0, highest=2.0).contains(X).tolist() == [False, True, True, False]

    def test_refusals(self):
        with pytest.raises(InvalidArgument, match="`feature`: expected a column below 2, got 7"):
            Group(feature=7).contains(np.ones((3, 2)))
        with pytest.raises(InvalidArgument, match="`highest`"):
            Group(feature=0, lowest=1.0, highest=0.0)
        with pytest.raises(InvalidArgument, match="`group`"):
            DemographicAttack(group=Group(feature=0, lowest=99.0), source="ham").poison(blobs(), Budget(0.1), rng())
        with pytest.raises(InvalidArgument, match="`source`"):
            DemographicAttack(group=Group(feature=0), source="x").poison(blobs(), Budget(0.1), rng())
