"""Figure 11: defenders with other training methods."""

import numpy as np
import pytest

from toadstone.experiments.conditions import Conditions
from toadstone.experiments.stronger_2022 import fig11
from toadstone.pipeline.harness.judge import Defence, judge


@pytest.mark.usefixtures("made")
def test_other_defenders_train_otherwise(small, figures, words, three):
    measured = fig11.measure(words, small, 2, Conditions())
    found = figures(measured)
    logistic = Defence(ridge=0.05, loss="logistic")
    (cell,) = judge(words.train, words.test, three["kkt"].poison, ("loss",), logistic, name="x")
    assert found["logistic loss, KKT: test error behind loss"] == cell.test_error
    errors = fig11.pass_errors(words, three["kkt"].poison, Defence(ridge=0.05), 2)
    assert found["one pass, KKT: test error behind slab"] == np.mean(errors["slab"])
    assert len({tuple(found) for found in errors.values()}) > 2
    assert len(found) == 2 * 3 * 6


def test_one_pass_sees_each_row_once(words):
    train = words.train
    model = fig11.one_pass(train.X, train.y, 0.05, 0)
    assert model.t_ == len(train) + 1
    again, other = (fig11.one_pass(train.X, train.y, 0.05, seed).coef_ for seed in (0, 1))
    assert np.array_equal(model.coef_, again)
    assert not np.array_equal(model.coef_, other)
