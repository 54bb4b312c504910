"""Shapes, sizes and names of the networks."""

import pytest

torch = pytest.importorskip("torch")

from toadstone.core.errors import InvalidArgument
from toadstone.deep.tensors.networks import Normalise, ResNet, SmallCNN, draw_weights, resnet8, resnet18, resnet20


def size(model):
    return sum(value.numel() for value in model.parameters())


def test_sizes_are_the_papers():
    # 0.27 million in table 6 of He et al.; 11.17 million with a head for ten classes.
    assert size(resnet20()) == 269722
    assert size(resnet18()) == 11173962
    assert size(resnet8()) == 75290


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (SmallCNN(1, width=4), (1, 28, 28)),
        (SmallCNN(3, width=4, classes=3), (3, 32, 32)),
        (resnet8(width=4, pooled=2), (3, 32, 32)),
        (resnet20(width=4, channels=1), (1, 28, 28)),
        (resnet18(width=4, classes=7), (3, 16, 16)),
    ],
)
def test_logits_come_from_the_head(model, shape):
    given = model(torch.rand(2, *shape))
    assert given.shape == (2, model.linear.out_features)


def test_the_same_seed_draws_the_same_weights_and_leaves_the_global_generator():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, second, third = resnet8(seed=1), resnet8(seed=1), resnet8(seed=2)
    SmallCNN()
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.conv1.weight, third.conv1.weight)
    draw_weights(third, seed=1)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), third.parameters(), strict=True))


def test_convolutions_start_with_hes_deviation():
    model = resnet20()
    for convolution in (model.layer1[0].conv1, model.layer3[2].conv2):
        fan = convolution.in_channels * 9
        assert float(convolution.weight.detach().std()) == pytest.approx((2 / fan) ** 0.5, rel=0.05)
    assert float(model.linear.weight.detach().abs().max()) <= 1 / 8


def test_shortcuts_of_option_a_have_no_weights():
    names = {name for name, _ in resnet20(width=4).named_parameters()}
    assert not any("shortcut" in name for name in names)
    assert {"conv1.weight", "layer1.0.bn2.bias", "layer3.2.conv2.weight", "linear.bias"} <= names


def test_normalise():
    images = torch.rand(2, 3, 4, 4)
    found = Normalise((0.1, 0.2, 0.3), (1.0, 2.0, 4.0))(images)
    torch.testing.assert_close(found[:, 2], (images[:, 2] - 0.3) / 4)
    with pytest.raises(InvalidArgument, match="`deviation`: expected 1 positive numbers"):
        Normalise((0.5,), (0.0,))


def test_a_width_of_nothing_is_refused():
    with pytest.raises(InvalidArgument, match="`width`: expected a whole number from 1, got 0"):
        resnet8(width=0)


@pytest.mark.parametrize("blocks", [(), (1, -1), (1, 1.5)])
def test_stages_of_no_blocks_are_refused(blocks):
    with pytest.raises(InvalidArgument, match="`blocks`: expected"):
        ResNet(blocks)
