"""The network of federated clients: a client's update is that of plain PyTorch, whoever trains beside it."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn
from torch.nn.functional import cross_entropy

from toadstone.core.errors import InvalidArgument
from toadstone.deep.training.client_network import ClientNetwork

NETWORK = ClientNetwork(height=9, width=8, classes=3, rate=0.2, steps=3, batch=16)


def plain(weights):
    """The same network of PyTorch's own layers."""
    layers = nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(16 * 3 * 2, 3),
    )  # fmt: skip
    place = 0
    for layer, (rows, columns) in zip((layers[0], layers[2], layers[5]), NETWORK.shapes, strict=True):
        values = torch.tensor(weights[place : place + rows * columns]).float().reshape(rows, columns).T
        layer.weight.data = values.reshape(layer.weight.shape)
        layer.bias.data = torch.tensor(weights[place + rows * columns : place + (rows + 1) * columns]).float()
        place += (rows + 1) * columns
    return layers


def flat(layers):
    parts = []
    for layer in (layers[0], layers[2], layers[5]):
        parts += [layer.weight.detach().flatten(1).T.flatten(), layer.bias.detach()]
    return torch.cat(parts).double().numpy()


def clients(sizes, seed=0):
    rng = np.random.default_rng(seed)
    return [(rng.random((n, 72)), rng.integers(0, 3, n)) for n in sizes]


def test_an_update_is_that_of_plain_layers():
    weights = NETWORK.initial(np.random.default_rng(1))
    ((X, y),) = clients([40])
    found = NETWORK.update(weights, X, y, np.random.default_rng(2))
    layers = plain(weights)
    draws = np.random.default_rng(2).integers(0, 40, (3, 16))
    for draw in draws:
        layers.zero_grad()
        cross_entropy(layers(torch.tensor(X[draw]).float().reshape(-1, 1, 9, 8)), torch.tensor(y[draw])).backward()
        for parameter in layers.parameters():
            parameter.data -= 0.2 * parameter.grad
    np.testing.assert_allclose(found, flat(layers) - weights, atol=2e-6)
    images = torch.tensor(X).float().reshape(-1, 1, 9, 8)
    np.testing.assert_array_equal(NETWORK.predict(weights, X), plain(weights)(images).argmax(1).numpy())


def test_nobody_beside_a_client_changes_its_update():
    weights, three = NETWORK.initial(np.random.default_rng(1)), clients([5, 40, 17])
    together = NETWORK.updates(weights, three, [np.random.default_rng(k) for k in range(3)])
    for place, (X, y) in enumerate(three):
        alone = NETWORK.update(weights, X, y, np.random.default_rng(place))
        np.testing.assert_allclose(together[place], alone, atol=1e-6)


def test_a_model_beyond_numbers_still_predicts():
    weights = np.full(len(NETWORK.initial(np.random.default_rng(0))), np.nan)
    assert NETWORK.predict(weights, np.zeros((2, 72))).tolist() == [0, 0]


@pytest.mark.parametrize(("name", "value"), [("height", 3), ("classes", 1), ("rate", 0.0), ("batch", 0)])
def test_numbers_out_of_range_are_refused(name, value):
    with pytest.raises(InvalidArgument, match=f"`{name}`: expected"):
        ClientNetwork(**{"height": 8, "width": 8, "classes": 2, name: value})
