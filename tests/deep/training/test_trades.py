"""TRADES."""

import pytest

torch = pytest.importorskip("torch")
from torch import nn
from torch.nn.functional import cross_entropy

from toadstone.core.errors import InvalidArgument
from toadstone.deep.tensors.networks import SmallCNN
from toadstone.deep.training.hyperparameters import TrainingConfig
from toadstone.deep.training.loop import train
from toadstone.deep.training.progress import Checkpoint
from toadstone.deep.training.trades import Trades


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def batch():
    return torch.rand(10, 1, 6, 6, generator=generator()), torch.arange(10) % 3


def divergence(model, images, others):
    clean, moved = (model(rows).log_softmax(dim=1) for rows in (images, others))
    return float((clean.exp() * (clean - moved)).sum(dim=1).mean().detach())


def test_the_worst_image_lies_within_the_radius_and_diverges(batch):
    images, _ = batch
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 3))
    near, far = (Trades(radius=radius, step=2).worst(model, images, generator()) for radius in (4.0, 16.0))
    for radius, moved in ((4, near), (16, far)):
        assert (moved - images).abs().max() <= radius / 255 + 1e-6
        assert moved.min() >= 0
        assert moved.max() <= 1
    noise = (images + 16 / 255 * (2 * torch.rand(images.shape, generator=generator()) - 1).sign()).clamp(0, 1)
    assert divergence(model, images, far) > divergence(model, images, near) > 0
    assert divergence(model, images, far) > 2 * divergence(model, images, noise)


def test_the_loss_is_cross_entropy_and_weighted_divergence(batch):
    images, labels = batch
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 3))
    trades = Trades(weight=3.0)
    loss, given = trades(model, images, labels, generator(1))
    worst = trades.worst(model, images, generator(1))
    expected = cross_entropy(model(images), labels) + 3 * divergence(model, images, worst)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(given, model(images))
    assert torch.autograd.grad(loss, list(model.parameters()))[0].abs().sum() > 0


def test_the_ascent_is_in_evaluation_mode_and_leaves_no_gradients(batch):
    images, _ = batch
    model = SmallCNN(1, width=4, classes=3).train()
    before = model.bn1.running_mean.clone()
    Trades(steps=2).worst(model, images, generator())
    assert torch.equal(model.bn1.running_mean, before)
    assert model.bn1.training
    assert all(value.grad is None for value in model.parameters())


def test_training_with_it_repeats_and_hardens(batch, tmp_path):
    images = torch.cat([batch[0]] * 6)
    labels = (images.mean(dim=(1, 2, 3)) > 0.5).long()
    config = TrainingConfig(epochs=12, batch=20, learning_rate=0.1)
    models = {}
    for name, objective in (("trades", Trades(steps=3)), ("again", Trades(steps=3))):
        models[name] = SmallCNN(1, width=4, classes=2)
        train(models[name], images, labels, config, seed=0, objective=objective)
    models["plain"] = SmallCNN(1, width=4, classes=2)
    train(models["plain"], images, labels, config, seed=0, checkpoint=Checkpoint(path=tmp_path / "plain"))
    assert torch.equal(models["trades"].linear.weight, models["again"].linear.weight)
    attack = Trades(radius=8)
    shift = {name: attack.worst(model.eval(), images, generator()) for name, model in models.items()}
    spread = {name: divergence(models[name], images, moved) for name, moved in shift.items()}
    assert spread["trades"] < 0.5 * spread["plain"]
    with pytest.raises(ValueError, match=r"with objective Trades\(.*, got one with cross entropy"):
        train(
            models["plain"],
            images,
            labels,
            config,
            seed=0,
            objective=Trades(),
            checkpoint=Checkpoint(path=tmp_path / "plain"),
        )


@pytest.mark.parametrize(("field", "value"), [("radius", 0), ("step", 300), ("steps", 1.5), ("weight", -1.0)])
def test_numbers_out_of_range_are_refused(field, value):
    with pytest.raises(InvalidArgument, match=f"`{field}`: expected "):
        Trades(**{field: value})
