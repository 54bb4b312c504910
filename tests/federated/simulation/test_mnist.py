"""Fifty clients of MNIST, a tenth or a fifth of them malicious."""

from functools import cache

import numpy as np
import pytest

from toadstone.federated import (
    BackdoorTrigger,
    FederationSetting,
    InnerProduct,
    ModelReplacement,
    SignFlip,
    SoftmaxModel,
    dirichlet_clients,
    run_federation,
)

pytestmark = [pytest.mark.data, pytest.mark.slow]
TRIGGER = BackdoorTrigger.corner(28, 28)


@pytest.fixture(scope="module")
def train(data_dir):
    with np.load(data_dir / "mnist.npz") as held:
        X, test = (held[name].reshape(-1, 784).astype(np.float32) / 255 for name in ("X_train", "X_test"))
        y, truth = held["y_train"].astype(np.int64), held["y_test"].astype(np.int64)

    @cache
    def dealt(concentration):
        return [(X[rows], y[rows]) for rows in dirichlet_clients(y, 50, concentration, np.random.default_rng(0))]

    @cache
    def run(rule, malicious, attack=None, concentration=1.0):
        return run_federation(
            SoftmaxModel(features=784, classes=10),
            dealt(concentration),
            (test, truth),
            rule=rule,
            malicious=malicious,
            attack=attack,
            setting=FederationSetting(rounds=60),
        )

    return run


@pytest.mark.parametrize("concentration", [0.1, 1.0, 100.0])
def test_honest_clients_reach_nine_in_ten(train, concentration):
    assert train("mean", 0, concentration=concentration).final > 0.89


def test_at_one_in_five_the_mean_collapses(train):
    assert train("mean", 10, SignFlip()).final < 0.2
    assert train("mean", 10, InnerProduct()).final < 0.2
    replaced = train("mean", 10, ModelReplacement(trigger=TRIGGER))
    assert replaced.success[0] > 0.9 * replaced.success[1]


@pytest.mark.parametrize("attack", [SignFlip(), InnerProduct(), ModelReplacement(trigger=TRIGGER)])
@pytest.mark.parametrize("rule", ["trimmed-mean", "nnm+trimmed-mean"])
def test_at_one_in_ten_robust_rules_stay_within_three_points_of_no_attack(train, rule, attack):
    run = train(rule, 5, attack)
    assert run.final > train("mean", 0).final - 0.03
    assert run.success is None or run.success[0] < 0.02 * run.success[1]
