"""Views of a round for attacks."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.federated import RoundView


def round_view(honest, malicious=2, **others):
    """What malicious clients see beside the honest updates; their own are the first of these."""
    honest = np.asarray(honest, dtype=np.float64)
    own = honest[np.arange(malicious) % len(honest)]
    clients = len(honest) + malicious
    given = {"round": 1, "rounds": 10, "server": np.zeros(honest.shape[1]), "own": own, "honest": honest} | others
    return RoundView(clients=clients, malicious=malicious, **given)


@pytest.fixture(scope="session")
def view():
    """Builds a view from honest updates."""
    return round_view


@pytest.fixture
def rng():
    """A generator that attacks without chance do not use."""
    return np.random.default_rng(0)
