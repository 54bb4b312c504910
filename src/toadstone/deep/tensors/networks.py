"""Small networks for small images: a convolutional network and residual networks.

They take images in [0, 1] and standardise them inside, so that a radius in
pixels means the same for every network. The last layer is called ``linear``.
Attacks and defences accept any other `torch.nn.Module` as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument

HEAD = "linear"
"""Name of the last layer of every network in this module."""

CIFAR10_MEAN, CIFAR10_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Standardisation of the published ResNet-20 for CIFAR-10, with the figures of ImageNet."""


class Normalise(nn.Module):
    """Standardise images channel by channel.

    Parameters
    ----------
    mean, deviation : sequence of float
        Mean and standard deviation of each channel, or one for all.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, mean: Sequence[float] = (0.5,), deviation: Sequence[float] = (0.25,)) -> None:
        super().__init__()
        if len(mean) != len(deviation) or not all(value > 0 for value in deviation):
            raise InvalidArgument("deviation", f"{len(mean)} positive numbers", deviation)
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).view(-1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return the standardised images."""
        return (images - self.mean) / self.deviation


class SmallCNN(nn.Module):
    """Convolutional network of three layers with max pooling and a linear head, for images such as MNIST's.

    The last pooling is to a grid of 3 x 3, so that a small trigger in a corner
    is not averaged away; there are ``36 * width`` features.

    Parameters
    ----------
    channels : int
    width : int
        Channels of the first convolution; each next one has twice as many.
    classes : int
    hidden : int, optional
        Units of a hidden layer before the head; none by default.
    seed : int
        Draws the weights.
    """

    def __init__(
        self, channels: int = 1, width: int = 16, classes: int = 10, *, hidden: int | None = None, seed: int = 0
    ) -> None:
        super().__init__()
        features = 4 * width * 3 * 3
        check_count(channels=channels, width=width, classes=classes, hidden=features if hidden is None else hidden)
        with torch.random.fork_rng(devices=[]):
            self.normalise = Normalise()
            self.conv1 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, 2 * width, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(2 * width)
            self.conv3 = nn.Conv2d(2 * width, 4 * width, 3, padding=1, bias=False)
            self.bn3 = nn.BatchNorm2d(4 * width)
            self.hidden = nn.Identity() if hidden is None else nn.Sequential(nn.Linear(features, hidden), nn.ReLU())
            self.linear = nn.Linear(features if hidden is None else hidden, classes)
        draw_weights(self, seed=seed)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of shape (n, classes)."""
        whole = self.bn1(self.conv1(self.normalise(images))).relu()
        half = self.bn2(self.conv2(nn.functional.max_pool2d(whole, 2))).relu()
        quarter = self.bn3(self.conv3(nn.functional.max_pool2d(half, 2))).relu()
        return self.linear(self.hidden(nn.functional.adaptive_max_pool2d(quarter, 3).flatten(1)))


class BasicBlock(nn.Module):
    """Residual block of two convolutions and a shortcut."""

    def __init__(self, before: int, after: int, stride: int, shortcut: nn.Module) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.shortcut = shortcut

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the rectified features."""
        inner = self.bn1(self.conv1(inputs)).relu()
        return (self.bn2(self.conv2(inner)) + self.shortcut(inputs)).relu()


class PaddedShortcut(nn.Module):
    """Shortcut without parameters: subsampling and zero-padded channels, option A of the paper."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.more = (after - before) // 2, after - before - (after - before) // 2

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the inputs in the shape of the block's output."""
        return pad(inputs[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, *self.more))


class ResNet(nn.Module):
    """Residual network for images of about 32 x 32 pixels [1]_.

    Parameters
    ----------
    blocks : sequence of int
        Blocks in each stage, at least one; the width doubles and the side
        halves from stage to stage.
    width : int
        Channels of the first stage.
    classes, channels : int
    projected : bool
        True for learned shortcuts between stages (option B), False for
        zero-padded ones (option A, as for CIFAR-10 in the paper).
    pooled : int
        Side of the grid of average pooling before the head; 1 for global
        pooling.
    normalise : Normalise, optional
        Standardises the images; its default values without it.
    seed : int
        Draws the weights.

    Raises
    ------
    InvalidArgument
        If a number is not a whole number from 1, or there is no stage.

    References
    ----------
    .. [1] He, Zhang, Ren and Sun, "Deep residual learning for image
       recognition", CVPR 2016, section 4.2.
    """

    def __init__(
        self,
        blocks: Sequence[int],
        *,
        width: int = 16,
        classes: int = 10,
        channels: int = 3,
        projected: bool = False,
        pooled: int = 1,
        normalise: Normalise | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_count(width=width, classes=classes, channels=channels, pooled=pooled)
        if not blocks:
            raise InvalidArgument("blocks", "one stage or more", "none")
        for count in blocks:
            check_count(blocks=count)
        self.pooled = pooled
        with torch.random.fork_rng(devices=[]):
            self.normalise = Normalise() if normalise is None else normalise
            self.conv1 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(width)
            widths = [width * 2**stage for stage in range(len(blocks))]
            for stage, (before, after) in enumerate(zip([width, *widths], widths, strict=False)):
                chain = _stage(before, after, blocks[stage], stride=1 if stage == 0 else 2, projected=projected)
                setattr(self, f"layer{stage + 1}", chain)
            self.stages = len(blocks)
            self.linear = nn.Linear(widths[-1] * pooled**2, classes)
        draw_weights(self, seed=seed)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of shape (n, classes)."""
        features = self.bn1(self.conv1(self.normalise(images))).relu()
        for stage in range(self.stages):
            features = getattr(self, f"layer{stage + 1}")(features)
        return self.linear(nn.functional.adaptive_avg_pool2d(features, self.pooled).flatten(1))


def resnet8(width: int = 16, classes: int = 10, channels: int = 3, *, pooled: int = 1, seed: int = 0) -> ResNet:
    """Return a ResNet with three stages of one block, for experiments without a graphics card."""
    return ResNet((1, 1, 1), width=width, classes=classes, channels=channels, pooled=pooled, seed=seed)


def resnet20(width: int = 16, classes: int = 10, channels: int = 3, *, seed: int = 0) -> ResNet:
    """Return the paper's smallest ResNet for CIFAR-10, three stages of three blocks.

    Parameters are named as in the weights that akamaster published.
    """
    return ResNet((3, 3, 3), width=width, classes=classes, channels=channels, seed=seed)


def resnet18(width: int = 64, classes: int = 10, channels: int = 3, *, seed: int = 0) -> ResNet:
    """Return a ResNet with four stages of two blocks, as in the literature on poisoning CIFAR-10."""
    return ResNet((2, 2, 2, 2), width=width, classes=classes, channels=channels, projected=True, seed=seed)


def draw_weights(model: nn.Module, *, seed: int) -> None:
    """Initialise convolutions, linear layers and batch norms from a seed.

    He's normal distribution for convolutions, PyTorch's default for linear
    layers; batch norms become the identity, with their statistics reset.
    """
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            fan = module.in_channels // module.groups * math.prod(module.kernel_size)
            _fill(module.weight, torch.randn(module.weight.shape, generator=generator) * math.sqrt(2 / fan))
        elif isinstance(module, nn.Linear):
            limit = 1 / math.sqrt(module.in_features)
            for values in (module.weight, module.bias):
                if values is not None:
                    _fill(values, (2 * torch.rand(values.shape, generator=generator) - 1) * limit)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()


def _fill(values: Tensor, drawn: Tensor) -> None:
    with torch.no_grad():
        values.copy_(drawn)


def _stage(before: int, after: int, count: int, *, stride: int, projected: bool) -> nn.Sequential:
    shortcut: nn.Module = nn.Identity()
    if stride != 1 or before != after:
        shortcut = PaddedShortcut(before, after, stride)
        if projected:
            convolution = nn.Conv2d(before, after, 1, stride=stride, bias=False)
            shortcut = nn.Sequential(convolution, nn.BatchNorm2d(after))
    same = [BasicBlock(after, after, 1, nn.Identity()) for _ in range(count - 1)]
    return nn.Sequential(BasicBlock(before, after, stride, shortcut), *same)
