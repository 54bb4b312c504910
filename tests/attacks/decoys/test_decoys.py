"""Decoys: what is relabelled, how it counts, which are kept, and the published number of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from toadstone.attacks.decoys.decoys import (
    DEFAULT_GRID,
    GRIDS,
    Decoy,
    DecoyGrid,
    fit_clean,
    fit_decoy,
    make_decoys,
    prune_decoys,
)
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets import load
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE

RIDGE = 0.05


def rows(seed: int, n: int = 60, labels=("ham", "spam")) -> Dataset:
    rng = np.random.default_rng(seed)
    y = np.resize([0, 1, 0], n)
    return Dataset(rng.normal(size=(n, 4)) + np.outer(y, [1.0, 0.0, -1.0, 0.5]), np.array(labels)[y])


def candidate(error: float, loss: float) -> Decoy:
    return Decoy(np.zeros(2), 0.1, 1, loss, error)


class TestOneDecoy:
    @pytest.mark.parametrize("repeats", [1, 4])
    def test_copies_are_appended_with_the_wrong_label(self, repeats):
        train, probe = rows(0), rows(1, 30)
        clean = fit_clean(train, ridge=RIDGE)
        made = fit_decoy(train, probe, clean, quantile=0.3, repeats=repeats, ridge=RIDGE, tolerance=1e-9)
        margins = probe.signs * (probe.X @ clean.theta[:-1] + clean.theta[-1])
        worst = np.argsort(margins)[:9]
        X = np.concatenate([train.X, *[probe.X[worst]] * repeats])
        signs = np.concatenate([train.signs, *[-probe.signs[worst]] * repeats])
        again = fit_linear(X, signs, loss=HINGE, ridge=RIDGE, bias="free", tolerance=1e-9)
        np.testing.assert_allclose(made.theta, again.theta, atol=1e-3)
        np.testing.assert_allclose(
            HINGE.value(signs * (X @ made.theta[:-1] + made.theta[-1])).mean()
            + RIDGE / 2 * made.theta[:-1] @ made.theta[:-1],
            again.objective,
            rtol=1e-8,
        )

    def test_its_figures_are_those_of_its_model(self):
        train, probe = rows(2), rows(3, 40)
        made = fit_decoy(train, probe, fit_clean(train, ridge=RIDGE), quantile=0.4, repeats=5, ridge=RIDGE)
        scores = train.X @ made.theta[:-1] + made.theta[-1]
        assert made.clean_loss == pytest.approx(np.maximum(0, 1 - train.signs * scores).mean())
        named = np.where(probe.X @ made.theta[:-1] + made.theta[-1] > 0, "spam", "ham")
        assert made.probe_error == np.mean(named != probe.y)
        assert (made.quantile, made.repeats) == (0.4, 5)

    @pytest.mark.parametrize("bias", ["free", "regularized", "none"])
    def test_more_repeats_err_more_and_fit_worse(self, bias):
        train, probe = rows(4), rows(5, 40)
        clean = fit_clean(train, ridge=RIDGE, bias=bias)
        options = {"quantile": 0.4, "ridge": RIDGE, "bias": bias}
        weak, strong = (fit_decoy(train, probe, clean, repeats=repeats, **options) for repeats in (1, 20))
        assert strong.probe_error > weak.probe_error
        assert strong.clean_loss > weak.clean_loss
        assert (strong.theta[-1] == 0) == (bias == "none")

    def test_a_probe_of_one_class_keeps_its_sense(self):
        train = rows(6)
        probe = rows(7).take(np.arange(60)[rows(7).y == "spam"])
        made = fit_decoy(train, probe, fit_clean(train, ridge=RIDGE), quantile=0.9, repeats=30, ridge=RIDGE)
        assert made.probe_error > 0.5

    def test_at_a_quantile_of_one_every_row_is_relabelled(self):
        train, probe = rows(6), rows(7).take(np.array([3]))
        made = fit_decoy(train, probe, fit_clean(train, ridge=RIDGE), quantile=1.0, repeats=300, ridge=RIDGE)
        assert made.probe_error == 1.0

    def test_sparse_rows_make_no_difference(self):
        train, probe = rows(8), rows(9, 30)
        one, two = (
            fit_decoy(a, b, fit_clean(a, ridge=RIDGE), quantile=0.2, repeats=3, ridge=RIDGE, tolerance=1e-9)
            for a, b in (
                (train, probe),
                (Dataset(csr_array(train.X), train.y), Dataset(csr_array(probe.X), probe.y)),
            )
        )
        np.testing.assert_allclose(one.theta, two.theta, atol=1e-4)


class TestRefusals:
    @pytest.mark.parametrize("quantile", [0.0, 1.1, -0.1, float("nan")])
    def test_quantiles_out_of_range(self, quantile):
        with pytest.raises(InvalidArgument, match=r"`quantile`: expected a number in \(0, 1\]"):
            make_decoys(rows(0), rows(1), ridge=RIDGE, quantiles=[quantile], repeats=[1])

    @pytest.mark.parametrize("repeats", [0, -1, 1.5])
    def test_repeats_out_of_range(self, repeats):
        with pytest.raises(InvalidArgument, match="`repeats`: expected a whole number from 1"):
            make_decoys(rows(0), rows(1), ridge=RIDGE, quantiles=[0.1], repeats=[repeats])

    def test_probes_of_another_shape(self):
        with pytest.raises(InvalidData, match="probe: expected 4 columns, got 2"):
            make_decoys(rows(0), Dataset(np.zeros((2, 2)), ["ham", "spam"]), ridge=RIDGE)

    def test_probes_with_other_labels(self):
        with pytest.raises(InvalidData, match="probe: expected labels of the training rows, got eggs"):
            make_decoys(rows(0), rows(1, labels=("eggs", "spam")), ridge=RIDGE)

    def test_more_than_two_classes(self):
        with pytest.raises(InvalidData, match="expected two classes, got 3"):
            make_decoys(Dataset(np.eye(3), [0, 1, 2]), Dataset(np.eye(3), [0, 1, 2]), ridge=RIDGE)


class TestPruning:
    def test_the_rest_is_beaten(self):
        decoys = [candidate(0.1, 0.3), candidate(0.5, 0.9), candidate(0.4, 1.0), candidate(0.3, 0.5)]
        assert [decoy.probe_error for decoy in prune_decoys(decoys)] == [0.5, 0.3, 0.1]

    def test_equal_errors_are_all_kept_in_order_of_loss(self):
        kept = prune_decoys([candidate(0.2, 0.4), candidate(0.2, 0.5), candidate(0.5, 0.9), candidate(0.2, 0.4)])
        assert [decoy.clean_loss for decoy in kept] == [0.9, 0.5, 0.4]

    def test_nothing_comes_of_nothing(self):
        assert prune_decoys([]) == []

    @given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12))
    @settings(deadline=None)
    def test_every_candidate_is_matched_by_a_kept_one(self, pairs):
        decoys = [candidate(error / 10, loss / 10) for error, loss in pairs]
        kept = prune_decoys(decoys)
        assert prune_decoys(kept) == kept
        for decoy in decoys:
            assert any(k.probe_error >= decoy.probe_error and k.clean_loss <= decoy.clean_loss for k in kept)


def test_pairs_run_through_the_grid():
    assert DecoyGrid((0.1, 0.2), (1, 3)).pairs == ((0.1, 1), (0.1, 3), (0.2, 1), (0.2, 3))
    assert len(GRIDS["enron"].pairs) == 99
    assert (len(GRIDS["imdb"].pairs), len(DEFAULT_GRID.pairs)) == (6, 72)


@pytest.mark.data
@pytest.mark.slow
def test_enron_has_forty_eight(data_dir):
    split, grid = load("enron"), GRIDS["enron"]
    options = {"quantiles": grid.quantiles, "repeats": grid.repeats, "tolerance": 1e-5}
    decoys = make_decoys(split.train, split.test, ridge=0.09, **options)
    kept = prune_decoys(decoys)
    assert (len(decoys), len(kept)) == (99, 48)
    errors = [decoy.probe_error for decoy in kept]
    np.testing.assert_allclose([errors[k] for k in (0, 13, 22, 23)], [0.739, 0.376, 0.2444, 0.2444], atol=5e-4)
    clean = fit_clean(split.train, ridge=0.09)
    scores = split.test.X @ clean.theta[:-1] + clean.theta[-1]
    assert np.count_nonzero(np.where(scores > 0, 1.0, -1.0) != split.test.signs) == 31
