"""A small federation: three classes far apart, dealt to clients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from toadstone.federated import FederationSetting, Rule, SoftmaxModel, dirichlet_clients, run_federation
from toadstone.federated.aggregation.rule import Weighed


class Given(Rule):
    """A rule made of a function from updates, shape (n, d), in the clients' order."""

    name = "given"

    def __init__(self, function):
        self.function = function

    def weigh(self, rows, malicious, behind=""):
        """Gather the rows and call the function."""
        return Weighed(vector=self.function(np.concatenate([block for _, block in rows.rows.blocks()], axis=1)))


@dataclass(frozen=True)
class Federation:
    """Ten clients, their model and test rows."""

    model: SoftmaxModel
    clients: list
    test: tuple

    def run(self, rule, *, malicious=2, attack=None, **numbers):
        """Train for a few rounds."""
        rule = rule if isinstance(rule, str | Rule) else Given(rule)
        setting = FederationSetting(**{"rounds": 12, "evaluate_every": 4, "momentum": 0.5} | numbers)
        return run_federation(
            self.model, self.clients, self.test, rule=rule, malicious=malicious, attack=attack, setting=setting
        )


def blobs(n, seed):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    X = rng.normal(size=(n, 6)) * 0.4
    X[np.arange(n), y] += 2.0
    X[:, 5] = 0.0
    return X, y


@pytest.fixture(scope="session")
def federation():
    """Ten clients of 30 rows each about, three classes; column 5 is always zero."""
    X, y = blobs(300, 0)
    dealt = dirichlet_clients(y, 10, 1.0, np.random.default_rng(0))
    model = SoftmaxModel(features=6, classes=3, rate=0.3, steps=2, batch=8)
    return Federation(model, [(X[rows], y[rows]) for rows in dealt], blobs(150, 1))
