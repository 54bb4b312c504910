"""The ball of levels: where it ends, and that nothing outside it passes."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from toadstone.core.errors import BudgetExceeded, InvalidArgument
from toadstone.deep.attacks.linf_ball import PixelBall


def every_level() -> torch.Tensor:
    return torch.arange(256, dtype=torch.uint8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("radius", [1, 8, 255])
def test_the_bounds_are_levels_exactly_and_round_to_themselves(radius, dtype):
    ball = PixelBall(radius=radius)
    low, high = ball.bounds(every_level(), dtype=dtype)
    assert low.dtype == high.dtype == dtype
    expected_low = [max(0, level - radius) for level in range(256)]
    expected_high = [min(255, level + radius) for level in range(256)]
    assert ball.rounded(low, every_level()).tolist() == expected_low
    assert ball.rounded(high, every_level()).tolist() == expected_high


def test_rounds_to_the_nearest_level_and_never_truncates():
    base = torch.tensor([100, 100, 100], dtype=torch.uint8)
    images = torch.tensor([99.6, 100.4, 107.51]) / 255
    assert PixelBall(radius=8).rounded(images, base).tolist() == [100, 100, 108]


@pytest.mark.parametrize("level", [108.6, 91.4, -1.0, 256.0, float("nan"), float("inf")])
def test_what_left_the_ball_is_no_poison(level):
    base = torch.tensor([100, 3, 250], dtype=torch.uint8)
    images = torch.tensor([100.0, 3.0, 250.0])
    images[{-1.0: 1, 256.0: 2}.get(level, 0)] = level
    with pytest.raises(BudgetExceeded, match="poison"):
        PixelBall(radius=8).rounded(images / 255, base)


@pytest.mark.parametrize("radius", [0, 256, 8 / 255, True, -8])
def test_a_radius_is_a_whole_number_of_levels(radius):
    with pytest.raises(InvalidArgument, match="`radius`"):
        PixelBall(radius=radius)
