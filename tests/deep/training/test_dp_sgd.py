"""Differentially private training."""

import copy
import math

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("opacus")
from torch import nn
from torch.nn.functional import cross_entropy

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.tensors.networks import SmallCNN
from toadstone.deep.training.dp_sgd import PrivateTrainingConfig, noise_for, privacy_epsilon, train_privately

# Opacus' hooks and torch's own deprecations warn; they are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

PUBLISHED = PrivateTrainingConfig(epochs=60, batch=256, noise=1.1)


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.GroupNorm(1, 3), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 16, 3))


@pytest.fixture
def rows():
    images = torch.rand(24, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    return images, torch.arange(24) % 3


def test_without_noise_or_clipping_it_is_gradient_descent(rows):
    images, labels = rows
    model, twin = net(), net()
    losses = train_privately(
        model, images, labels, PrivateTrainingConfig(epochs=3, batch=24, learning_rate=0.5, clip=1e6, noise=0), seed=0
    )
    for loss in losses:
        given = cross_entropy(twin(images), labels)
        assert loss == pytest.approx(float(given.detach()), rel=1e-4)
        for value, slope in zip(twin.parameters(), torch.autograd.grad(given, list(twin.parameters())), strict=True):
            value.data -= 0.5 * slope
    for value, expected in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(value, expected, rtol=1e-4, atol=1e-5)


def test_the_loss_of_an_epoch_is_the_mean_over_the_rows_drawn(rows):
    """Of equal rows each sample, whatever its size, has the same mean."""
    images, labels = rows[0][:1].repeat(24, 1, 1, 1), torch.ones(24, dtype=torch.int64)
    config = PrivateTrainingConfig(epochs=3, batch=6, learning_rate=1e-12, noise=0)
    expected = float(cross_entropy(net()(images), labels).detach())
    assert train_privately(net(), images, labels, config, seed=0) == pytest.approx([expected] * 3)


def moved(model, before):
    return torch.cat([(a - b).detach().flatten() for a, b in zip(model.parameters(), before.parameters(), strict=True)])


def test_no_row_moves_the_weights_by_more_than_the_clip(rows):
    images, labels = rows
    config = PrivateTrainingConfig(epochs=1, batch=1, learning_rate=1.0, clip=0.01, noise=0)
    model, before = net(), net()
    train_privately(model, images[:1], labels[:1], config, seed=0)
    assert float(moved(model, before).norm()) == pytest.approx(0.01, rel=1e-3)


def test_the_noise_is_on_the_sum_and_of_the_promised_deviation(rows):
    images, labels = rows
    config = PrivateTrainingConfig(epochs=1, batch=24, learning_rate=1.0, clip=1e-4, noise=100.0)
    model, before = net(), net()
    train_privately(model, images, labels, config, seed=0)
    steps = moved(model, before)
    # Signal is at most 1e-4; noise is 100 * 1e-4 / 24.
    assert float(steps.std()) == pytest.approx(100 * 1e-4 / 24, rel=0.15)
    assert abs(float(steps.mean())) < 3 * 100 * 1e-4 / 24 / len(steps) ** 0.5 + 1e-4


def test_the_same_seed_gives_the_same_weights_and_leaves_no_trace(rows):
    images, labels = rows
    config = PrivateTrainingConfig(epochs=2, batch=6, noise=0.5)
    models = [nn.Sequential(nn.Dropout(0.3), net()).eval() for _ in range(3)]
    for model, seed in zip(models, (4, 4, 5), strict=True):
        before = torch.get_rng_state()
        train_privately(model, images, labels, config, seed=seed)
        assert torch.equal(torch.get_rng_state(), before)
        torch.rand(3)
    first, second, third = (moved(model, net()) for model in models)
    assert torch.equal(first, second)
    assert not torch.equal(first, third)
    assert not models[0].training
    assert all(value.grad is None and not hasattr(value, "grad_sample") for value in models[0].parameters())
    models[0](images).sum().backward()
    copy.deepcopy(models[1])


def test_epsilon_is_opacus_figure():
    assert privacy_epsilon(PUBLISHED, count=60000, privacy_delta=1e-5, accountant="rdp") == pytest.approx(
        2.60, abs=0.01
    )
    assert privacy_epsilon(PUBLISHED, count=60000, privacy_delta=1e-5) == pytest.approx(2.39, abs=0.02)


def test_epsilon_grows_with_steps_and_falls_with_noise():
    def spent(**changes):
        config = PrivateTrainingConfig(**({"epochs": 5, "batch": 100, "noise": 1.0} | changes))
        return privacy_epsilon(config, count=10000, privacy_delta=1e-5, accountant="rdp")

    assert spent(epochs=5) < spent(epochs=10) < spent(epochs=10, batch=200)
    assert spent(noise=2.0) < spent(noise=1.0)
    assert spent(noise=0.0) == math.inf


def test_the_noise_for_a_promise_keeps_it():
    found = noise_for(PUBLISHED, count=60000, privacy_epsilon=2.0, privacy_delta=1e-5)
    kept = PrivateTrainingConfig(epochs=60, batch=256, noise=found)
    assert privacy_epsilon(kept, count=60000, privacy_delta=1e-5, accountant="rdp") == pytest.approx(2.0, abs=0.02)


def test_batch_norms_are_refused(rows):
    images, labels = rows
    with pytest.raises(InvalidArgument, match=r"`model`: expected layers that treat rows one by one, got .*Norm"):
        train_privately(SmallCNN(1, width=2, classes=3), images, labels, PrivateTrainingConfig(batch=6), seed=0)


def test_unfit_requests_are_refused(rows):
    images, labels = rows
    with pytest.raises(InvalidArgument, match="`batch`: expected at most the 24 rows, got 256"):
        train_privately(net(), images, labels, PrivateTrainingConfig(), seed=0)
    with pytest.raises(InvalidData, match="the classes of the head, got 3"):
        train_privately(net(), images, labels + 1, PrivateTrainingConfig(batch=6), seed=0)
    with pytest.raises(InvalidData, match="training: expected a finite loss"):
        train_privately(
            net(), images, labels, PrivateTrainingConfig(batch=24, learning_rate=1e38, clip=1e6, noise=0), seed=0
        )
    with pytest.raises(InvalidArgument, match="`privacy_delta`: expected a number in"):
        privacy_epsilon(PUBLISHED, count=60000, privacy_delta=0.0)
    with pytest.raises(InvalidArgument, match="`accountant`: expected prv or rdp, got gdp"):
        privacy_epsilon(PUBLISHED, count=60000, privacy_delta=1e-5, accountant="gdp")
    with pytest.raises(InvalidArgument, match="`count`: expected at least the 256 rows of a batch"):
        privacy_epsilon(PUBLISHED, count=100, privacy_delta=1e-5)
    with pytest.raises(InvalidArgument, match="`privacy_epsilon`: expected a number in"):
        noise_for(PUBLISHED, count=60000, privacy_epsilon=0.0, privacy_delta=1e-5)
    for field, value in (
        ("epochs", 0),
        ("clip", 0.0),
        ("noise", -1.0),
        ("noise", 1e-9),
        ("batch", 1.5),
        ("momentum", 1.0),
    ):
        with pytest.raises(InvalidArgument, match=f"`{field}`: expected "):
            PrivateTrainingConfig(**{field: value})


def test_a_model_with_nothing_to_train_is_refused(rows):
    with pytest.raises(InvalidArgument, match="`model`: expected parameters that require gradients, got none"):
        train_privately(net().requires_grad_(False), *rows, PrivateTrainingConfig(batch=6), seed=0)


def test_opacus_hooks_do_not_warn(rows, recwarn):
    torch.set_warn_always(True)
    try:
        train_privately(net(), *rows, PrivateTrainingConfig(epochs=1, batch=24), seed=0)
    finally:
        torch.set_warn_always(False)
    assert not any("Full backward hook" in str(warning.message) for warning in recwarn)


def test_no_epsilon_is_negative():
    config = PrivateTrainingConfig(epochs=2, batch=30)
    assert privacy_epsilon(config, count=3000, privacy_delta=0.999, accountant="rdp") == 0.0
    with pytest.raises(InvalidArgument, match="`accountant`: expected rdp where prv finds no epsilon above 0, got prv"):
        privacy_epsilon(config, count=3000, privacy_delta=0.5)


@pytest.mark.parametrize(("batch", "count", "noise"), [(30, 10**9, 1.1), (100, 120, 1e-6)])
def test_too_fine_a_grid_is_refused_beforehand(batch, count, noise):
    config = PrivateTrainingConfig(epochs=2, batch=batch, noise=noise)
    with pytest.raises(InvalidArgument, match=r"`accountant`: expected rdp for noise of .*, got prv, which would need"):
        privacy_epsilon(config, count=count, privacy_delta=1e-5)
    assert privacy_epsilon(config, count=count, privacy_delta=1e-5, accountant="rdp") > 0


def test_promises_out_of_reach_are_refused():
    config = PrivateTrainingConfig(epochs=2, batch=30)
    with pytest.raises(InvalidArgument, match=r"`privacy_delta`: expected a value for .*: cannot compute epsilon"):
        privacy_epsilon(config, count=3000, privacy_delta=0.999)
    with pytest.raises(InvalidArgument, match=r"`privacy_epsilon`: expected a value .*: the privacy budget is too low"):
        noise_for(config, count=3000, privacy_epsilon=1e-6, privacy_delta=1e-5)
    with pytest.raises(InvalidArgument, match="`count`: expected at least the 30 rows of a batch, got 5"):
        noise_for(config, count=5, privacy_epsilon=1.0, privacy_delta=1e-5)
