"""Fine-pruning."""

import copy

import pytest

torch = pytest.importorskip("torch")
from torch import nn

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.defences.fine_pruning import fine_prune
from toadstone.deep.tensors.features import activations, logits
from toadstone.deep.training.hyperparameters import TrainingConfig


def accuracy(model, images, labels):
    return float((logits(model, images).argmax(dim=1) == labels).double().mean())


def test_sleepy_channels_go_first_while_accuracy_lasts(backdoored):
    model, images, labels = backdoored
    pruned = copy.deepcopy(model)
    found = fine_prune(pruned, "linear", images, labels, cells=9, tolerance=0.05)
    assert 1 <= len(found.channels) < 24
    assert found.accuracies[-1] >= found.accuracies[0] - 0.05
    assert accuracy(pruned, images, labels) == pytest.approx(found.accuracies[-1])
    assert accuracy(model, images, labels) == pytest.approx(found.accuracies[0])
    means = activations(model, "linear", images).view(120, 24, 9).mean(dim=(0, 2))
    assert list(found.channels) == means.argsort()[: len(found.channels)].tolist()
    cut = pruned.linear.weight.view(6, 24, 9)[:, list(found.channels)]
    assert not cut.any()
    assert "linear.weight" in dict(pruned.named_parameters())


def test_cut_channels_stay_cut_in_the_training_and_the_backdoor_fades(backdoored, stamp):
    model, images, labels = backdoored
    mended = copy.deepcopy(model)
    config = TrainingConfig(epochs=6, batch=16, learning_rate=0.05)
    found = fine_prune(mended, "linear", images, labels, cells=9, tolerance=0.2, config=config, seed=1)
    assert not mended.linear.weight.view(6, 24, 9)[:, list(found.channels)].any()
    assert accuracy(mended, images, labels) > 0.95
    others = images[labels != 2]
    success = {
        name: accuracy(net, stamp(others), torch.full((len(others),), 2))
        for name, net in (("before", model), ("after", mended))
    }
    assert success["before"] > 0.95
    assert success["after"] < 0.5


def test_unfit_requests_are_refused(backdoored):
    model, images, labels = backdoored
    with pytest.raises(InvalidArgument, match="`head`: expected a linear layer, got 'bn3', a BatchNorm2d"):
        fine_prune(model, "bn3", images, labels)
    with pytest.raises(InvalidArgument, match="`cells`: expected a divisor of the head's 216 features, got 5"):
        fine_prune(model, "linear", images, labels, cells=5)
    with pytest.raises(InvalidArgument, match="`tolerance`: expected a number in"):
        fine_prune(model, "linear", images, labels, tolerance=1.0)


def test_no_tolerance_prunes_what_changes_nothing():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False))
    model[1].weight.data = torch.tensor([[0.0, 3.0, 0.0, 0.0], [0.0, 0.0, 0.0, 3.0]])
    images = torch.tensor([[0.0, 1.0, 0.2, 0.1], [0.1, 0.1, 0.3, 1.0]]).view(2, 1, 2, 2)
    found = fine_prune(model, "1", images, torch.tensor([0, 1]), tolerance=0.0)
    assert found.channels == (0, 2)
    assert found.accuracies == (1.0, 1.0, 1.0)


def test_channels_of_large_negative_activations_are_active():
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False), nn.Linear(2, 2))
    model[1].weight.data = torch.diag(torch.tensor([-3.0, 0.1]))
    found = fine_prune(model, "2", torch.rand(6, 1, 1, 2), torch.arange(6) % 2, tolerance=0.99)
    assert found.channels == (1,)


@pytest.mark.parametrize("layer", [1, 2])
def test_a_network_that_answers_no_numbers_is_refused_and_left_alone(layer):
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.Linear(3, 2))
    model[layer].weight.data[0] = torch.nan
    before = model[2].weight.detach().clone()
    with pytest.raises(InvalidData, match="model: expected finite"):
        fine_prune(model, "2", torch.rand(5, 1, 2, 2), torch.zeros(5, dtype=torch.int64))
    assert torch.equal(model[2].weight.nan_to_num(7.0), before.nan_to_num(7.0))
