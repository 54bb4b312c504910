"""The loss filter with a fixed model: nearly all clean rows pass, and poison that it fits badly does not."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.pipeline.certification.fixed_loss import fit_fixed_model, fixed_loss_set


def rows(n=80, d=3, seed=0):
    rng = np.random.default_rng(seed)
    y = np.where(np.arange(n) % 2 == 0, "ham", "spam")
    return Dataset(rng.normal(size=(n, d)) + 1.5 * (y == "spam")[:, None], y)


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.95])
def test_so_many_clean_rows_of_each_label_pass(quantile):
    data = rows()
    within = fixed_loss_set(data, fit_fixed_model(data, ridge=0.01), quantile=quantile)
    inside = within.contains(data.X, data.y)
    for label in data.classes:
        share = inside[data.y == label].mean()
        assert quantile <= share <= quantile + 2 / 40


def test_rows_outside_have_a_larger_loss_than_the_worst_clean_row_inside():
    data, rng = rows(), np.random.default_rng(1)
    theta = fit_fixed_model(data, ridge=0.01)
    within = fixed_loss_set(data, theta, quantile=0.9)
    X = 3 * rng.normal(size=(400, 3))
    for label, sign in (("ham", -1.0), ("spam", 1.0)):
        margins = sign * (X @ theta[:-1] + theta[-1])
        inside = within.contains(X, np.full(400, label))
        own = data.y == label
        clean = (sign * (data.X @ theta[:-1] + theta[-1]))[own & within.contains(data.X, data.y)]
        assert margins[inside].min() >= clean.min() - 1e-7
        assert margins[~inside].max() <= clean.min() + 1e-7


def test_storage_does_not_matter_and_another_model_has_another_set():
    data = rows()
    theta = fit_fixed_model(data, ridge=0.01)
    dense = fixed_loss_set(data, theta, quantile=0.9)
    sparse = fixed_loss_set(Dataset(csr_array(data.X), data.y), theta, quantile=0.9)
    for label in data.classes.tolist():
        np.testing.assert_allclose(dense.region(label).low, sparse.region(label).low, rtol=1e-12)
    with pytest.raises(InvalidArgument, match="filter_model"):
        fixed_loss_set(data, theta[1:], quantile=0.9)
