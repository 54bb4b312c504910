"""Isolated medoids: the rows that are dropped, and those that never are."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.defences.isolated_medoids import drop_isolated
from toadstone.deep.defences.torch_medoids import Drawn, InParts

SIZES = (40, 25, 7, 1)


def problem(seed=0, sizes=SIZES, outliers=3):
    """Classes of different sizes in random order, most of their rows close, some far off."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.cat([torch.full((size,), code) for code, size in enumerate(sizes)])
    rows = 0.02 * torch.randn(len(labels), 4, generator=generator, dtype=torch.float64)
    far = torch.randperm(sizes[0], generator=generator)[:outliers]
    rows[far] += torch.randn(outliers, 4, generator=generator, dtype=torch.float64)
    order = torch.randperm(len(labels), generator=generator)
    return rows[order], labels[order]


class TestDropIsolated:
    @given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.99))
    @settings(max_examples=15)
    def test_what_is_returned_fits_together(self, seed, fraction):
        gradients, labels = problem(seed)
        found = drop_isolated(gradients, labels, fraction)
        n, codes = len(labels), labels.numpy()
        np.testing.assert_array_equal(np.sort(np.concatenate([found.kept, found.dropped])), np.arange(n))
        for code, size in enumerate(SIZES):
            assert (codes[found.medoids] == code).sum() == math.ceil(fraction * size)
            assert (codes[found.kept] == code).any()
        np.testing.assert_array_equal(codes[found.owners], codes)
        members = np.bincount(found.owners, minlength=n)
        np.testing.assert_array_equal(members[found.medoids], found.sizes)
        assert np.all(members[found.dropped] == 1)
        assert set(found.dropped) <= set(found.isolated)
        apart = (gradients - gradients[torch.from_numpy(found.owners)]).norm(dim=1).numpy()
        np.testing.assert_allclose(found.distances, apart, atol=1e-7)
        assert np.all(found.isolation >= found.distances)

    def test_classes_do_not_see_each_other(self):
        gradients, labels = problem(1)
        found = drop_isolated(gradients, labels, 0.2)
        for code in range(len(SIZES)):
            own = (labels == code).nonzero()[:, 0]
            alone = drop_isolated(gradients[own], labels[own], 0.2)
            np.testing.assert_array_equal(own.numpy()[alone.dropped], np.intersect1d(found.dropped, own.numpy()))

    def test_planted_outliers_are_dropped_and_coincident_ones_are_not(self):
        rows = torch.cat([0.01 * torch.arange(20.0)[:, None], torch.tensor([[4.0], [9.0], [9.0]])])
        found = drop_isolated(rows, torch.zeros(23, dtype=torch.int64), 0.2)
        assert 20 in found.dropped
        assert 21 not in found.dropped
        assert 22 not in found.dropped
        assert set(found.ranking[:3]) == {20, 21, 22}

    @pytest.mark.parametrize("fraction", [1e-9, 0.02])
    def test_one_medoid_for_each_class_drops_nothing(self, fraction):
        gradients, labels = problem(2)
        found = drop_isolated(gradients, labels, fraction)
        assert len(found.medoids) == len(SIZES)
        assert found.dropped.tolist() == []

    def test_the_cap_takes_the_most_isolated_of_each_class(self):
        gradients, labels = problem(3)
        whole, capped = (drop_isolated(gradients, labels, 0.3, max_dropped=most) for most in (1.0, 0.06))
        codes = labels.numpy()
        for code, size in enumerate(SIZES):
            mine = whole.dropped[codes[whole.dropped] == code]
            first = mine[np.argsort(-whole.isolation[mine], kind="stable")][: int(0.06 * size)]
            assert sorted(first) == capped.dropped[codes[capped.dropped] == code].tolist()
        assert 0 < len(capped.dropped) < len(whole.dropped)

    def test_a_cap_of_nothing_only_ranks(self):
        gradients, labels = problem(3)
        whole, ranked = (drop_isolated(gradients, labels, 0.3, max_dropped=most) for most in (1.0, 0.0))
        assert ranked.dropped.tolist() == []
        np.testing.assert_array_equal(ranked.isolated, whole.isolated)
        np.testing.assert_array_equal(ranked.ranking, whole.ranking)
        assert np.all(np.diff(ranked.isolation[ranked.ranking]) <= 0)

    def test_threads_do_not_matter(self):
        gradients, labels = problem(4)
        one = drop_isolated(gradients, labels, 0.2)
        torch.set_num_threads(3)
        three = drop_isolated(gradients, labels, 0.2)
        np.testing.assert_array_equal(one.dropped, three.dropped)
        np.testing.assert_array_equal(one.medoids, three.medoids)

    def test_any_chooser(self):
        gradients, labels = problem(5)
        drawn = drop_isolated(gradients, labels, 0.2, choose=Drawn(seed=1))
        parts = drop_isolated(gradients, labels, 0.2, choose=InParts(rows=10))
        assert len(drawn.medoids) == len(parts.medoids)
        assert parts.distances.sum() < drawn.distances.sum()

    @pytest.mark.parametrize(("fraction", "cap", "name"), [(0, 1, "fraction"), (1, 1, "fraction"), (0.1, 2, "max_dr")])
    def test_numbers_out_of_range(self, fraction, cap, name):
        with pytest.raises(InvalidArgument, match=f"`{name}.*: expected a number in"):
            drop_isolated(*problem(), fraction, max_dropped=cap)

    def test_gradients_and_labels_that_do_not_fit(self):
        gradients, labels = problem()
        with pytest.raises(InvalidData, match="gradients: expected a finite matrix"):
            drop_isolated(gradients * torch.nan, labels, 0.1)
        with pytest.raises(InvalidData, match=r"labels: expected 73, one for each row, got shape \(72,\)"):
            drop_isolated(gradients, labels[1:], 0.1)
        with pytest.raises(InvalidData, match=r"labels: expected a tensor of int64, got torch.float64"):
            drop_isolated(gradients, labels.double(), 0.1)
        with pytest.raises(InvalidData, match=r"labels: expected a tensor of int64, got ndarray"):
            drop_isolated(gradients, labels.numpy(), 0.1)
        with pytest.raises(InvalidData, match=r"gradients: expected a finite matrix .*, a tensor, got ndarray"):
            drop_isolated(gradients.numpy(), labels, 0.1)
        with pytest.raises(InvalidData, match="labels: expected whole numbers from 0, got -1"):
            drop_isolated(gradients, labels - 1, 0.1)

    def test_what_is_not_finite_is_named(self):
        gradients, labels = problem()
        gradients[5, 2] = -torch.inf
        with pytest.raises(InvalidData, match=r"gradients: expected a finite matrix .*, got -inf in row 5"):
            drop_isolated(gradients, labels, 0.1)

    def test_equal_rows_are_not_isolated(self):
        labels = torch.zeros(60, dtype=torch.int64)
        same = drop_isolated(torch.zeros(60, 3), labels, 0.3)
        assert same.dropped.tolist() == same.isolated.tolist() == []
        # So many medoids that the rows at 9 are medoids both: they equal each other, the one at 5 nobody.
        rows = torch.cat([torch.zeros(57, 1), torch.tensor([[5.0], [9.0], [9.0]])])
        assert drop_isolated(rows, labels, 0.1).dropped.tolist() == [57]
