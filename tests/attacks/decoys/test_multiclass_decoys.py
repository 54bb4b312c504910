"""Decoys of several classes: who is relabelled, what it costs, which are kept."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.attacks.decoys.decoys import Decoy, prune_decoys
from toadstone.attacks.decoys.multiclass_decoys import (
    OnlineTraining,
    RidgeTraining,
    fit_multiclass_decoy,
    make_multiclass_decoys,
)
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.linear.crammer_singer import fit_crammer_singer
from toadstone.kernels.linear.online_multiclass import descend_crammer_singer

NAMES = np.array(["ant", "bee", "cow"])
TRAINING = RidgeTraining(0.01)


def rows(seed: int = 0, n: int = 60) -> Dataset:
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % 3
    return Dataset(rng.normal(size=(n, 4)) + 1.5 * np.eye(3, 4)[codes], NAMES[codes])


def clean_model(data: Dataset, training=TRAINING) -> np.ndarray:
    return training(data.X, np.searchsorted(NAMES, data.y), 3, np.ones(len(data), dtype=np.int64))


class Listening:
    """Training that keeps what it was given."""

    def __call__(self, X, codes, n_classes, copies):
        self.given = X, codes, copies
        return np.zeros((n_classes, X.shape[1] + 1))


def test_the_rows_of_smallest_margin_get_their_best_wrong_class():
    data, probe, training = rows(), rows(1), Listening()
    theta = clean_model(data)
    fit_multiclass_decoy(data, probe, theta, training, quantile=0.25, repeats=7)
    X, codes, copies = training.given
    scores = probe.X @ theta[:, :-1].T + theta[:, -1]
    right = np.searchsorted(NAMES, probe.y)
    wrong = np.array(
        [max((c for c in range(3) if c != r), key=row.__getitem__) for r, row in zip(right, scores, strict=True)]
    )
    margins = scores[np.arange(60), right] - scores[np.arange(60), wrong]
    flipped = np.sort(np.argsort(margins)[:15])
    np.testing.assert_array_equal(X, np.vstack([data.X, probe.X[flipped]]))
    np.testing.assert_array_equal(codes, np.concatenate([np.searchsorted(NAMES, data.y), wrong[flipped]]))
    assert copies.tolist() == [1] * 60 + [7] * 15


def test_repeats_are_weights():
    data = rows()
    codes, copies = np.searchsorted(NAMES, data.y), np.arange(60) % 3
    repeated = np.repeat(np.arange(60), copies)
    exact = fit_crammer_singer(data.X[repeated], codes[repeated], 3, ridge=0.01, tolerance=1e-6).theta
    np.testing.assert_allclose(RidgeTraining(0.01, 1e-6)(data.X, codes, 3, copies), exact, atol=1e-2)
    online = descend_crammer_singer(data.X[repeated], codes[repeated], 3, rng=np.random.default_rng(2))
    np.testing.assert_allclose(OnlineTraining(2)(data.X, codes, 3, copies), online)


def test_more_repeats_err_more_and_cost_more():
    data = rows()
    clean = clean_model(data)
    few, many = (
        fit_multiclass_decoy(data, data, clean, TRAINING, quantile=0.4, repeats=repeats) for repeats in (1, 25)
    )
    assert many.probe_error > few.probe_error
    assert many.clean_loss > few.clean_loss
    scores = data.X @ many.theta[:, :-1].T + many.theta[:, -1]
    assert many.probe_error == np.mean(NAMES[scores.argmax(axis=1)] != data.y)
    right = scores[np.arange(60), np.searchsorted(NAMES, data.y)]
    wrong = np.where(data.y[:, None] == NAMES, -np.inf, scores).max(axis=1)
    assert many.clean_loss == pytest.approx(np.maximum(0, 1 + wrong - right).mean())


def test_the_grid_is_tried_quantile_by_quantile():
    data = rows()
    decoys = make_multiclass_decoys(data, rows(1), TRAINING, quantiles=(0.2, 0.4), repeats=(1, 5))
    assert [(decoy.quantile, decoy.repeats) for decoy in decoys] == [(0.2, 1), (0.2, 5), (0.4, 1), (0.4, 5)]
    alone = fit_multiclass_decoy(data, rows(1), clean_model(data), TRAINING, quantile=0.4, repeats=1)
    np.testing.assert_array_equal(decoys[2].theta, alone.theta)


def test_decoys_beaten_in_both_are_dropped():
    figures = [(0.3, 0.5), (0.2, 0.3), (0.2, 0.4), (0.25, 0.6), (0.1, 0.3), (0.05, 0.1)]
    decoys = [Decoy(np.zeros((3, 5)), 0.1, 1, loss, error) for error, loss in figures]
    kept = [(decoy.probe_error, decoy.clean_loss) for decoy in prune_decoys(decoys)]
    assert kept == [(0.3, 0.5), (0.2, 0.4), (0.2, 0.3), (0.05, 0.1)]


def test_sparse_and_dense_rows_make_the_same_decoy():
    data, probe = rows(), rows(1)
    sparse = Dataset(csr_array(data.X), data.y), Dataset(csr_array(probe.X), probe.y)
    one, two = (
        fit_multiclass_decoy(*pair, clean_model(data), TRAINING, quantile=0.3, repeats=4)
        for pair in ((data, probe), sparse)
    )
    np.testing.assert_allclose(one.theta, two.theta)


@pytest.mark.parametrize("options", [{"quantiles": (0.1, 1.1)}, {"repeats": (1, 0)}, {"repeats": (1.5,)}])
def test_options_are_checked_before_any_training(options):
    training = Listening()
    with pytest.raises(InvalidArgument):
        make_multiclass_decoys(rows(), rows(), training, **options)
    assert not hasattr(training, "given")


def test_a_probe_of_other_columns_or_labels_is_refused():
    data = rows()
    with pytest.raises(InvalidData, match="expected 4 columns, got 1"):
        make_multiclass_decoys(data, Dataset([[0.0]], ["ant"]), TRAINING)
    with pytest.raises(InvalidData, match="expected labels of the training rows, got elk"):
        make_multiclass_decoys(data, Dataset(np.zeros((1, 4)), ["elk"]), TRAINING)
    with pytest.raises(InvalidData, match="at least two classes"):
        make_multiclass_decoys(Dataset(np.zeros((1, 4)), ["ant"]), data, TRAINING)
