"""Search for the smallest added picture."""

import math

import pytest

torch = pytest.importorskip("torch")
from torch import nn

from toadstone.core.errors import InvalidArgument
from toadstone.deep.inspection.smallest_shift import ShiftSearch, smallest_shift


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_smallest_shift_of_a_linear_network_has_the_margin_over_the_slope_as_norm():
    """All images are one, so the least norm is that of a projection: margin / ||slope||."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 2, bias=False))
    slope = torch.randn(16, generator=generator(1))
    model[1].weight.data = torch.stack([torch.zeros(16), slope])
    images = torch.full((8, 1, 4, 4), 0.5)
    # Label 1 needs slope . (image + shift) > 0.
    images -= 0.02 * slope.view(1, 4, 4) * math.copysign(1, float(slope.sum()) + 1e-9)
    margin = -float(images[0].flatten() @ slope)
    if margin < 0:
        model[1].weight.data = model[1].weight.data.flip(0)
        margin = -margin
    least = margin / float(slope.norm())
    found = smallest_shift(model, images, 1, generator=generator(), search=ShiftSearch(epochs=300, learning_rate=0.01))
    assert found.success == 1.0
    assert found.size >= 0.999 * least
    assert found.size < 1.25 * least
    assert found.size == pytest.approx(float(found.content.norm()))


def test_where_nothing_leads_to_the_label_the_size_is_infinite():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    model[1].weight.data.zero_()
    model[1].bias.data = torch.tensor([1.0, 0.0, 0.0])
    found = smallest_shift(model, torch.rand(6, 1, 2, 2), 2, generator=generator(), search=ShiftSearch(epochs=2))
    assert math.isinf(found.size)
    assert found.success == 0.0


def test_settings_out_of_range_are_refused():
    for field, value in (("epochs", 0), ("learning_rate", -1.0), ("first_weight", 0.0), ("success", 0.0)):
        with pytest.raises(InvalidArgument, match=f"`{field}`: expected "):
            ShiftSearch(**{field: value})
