"""Triggers on tensors: the same pixels as on rows, whatever the layout and the unit."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from toadstone.attacks.backdoors.image_shape import ImageShape
from toadstone.attacks.backdoors.trigger import BlendedTrigger, PatchTrigger, SinusoidalTrigger
from toadstone.core.errors import InvalidData
from toadstone.deep.attacks.triggers import stamp

SIZE = {"height": 6, "width": 5, "channels": 3}
UNIT, CHW = ImageShape(**SIZE), ImageShape(**SIZE, layout="CHW")
BYTES = ImageShape(**SIZE, highest=255.0, levels=256)


def images() -> torch.Tensor:
    return torch.randint(0, 256, (2, 4, 3, 6, 5), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def triggers(shape: ImageShape) -> list:
    picture = np.random.default_rng(1).random((6, 5, 3)) * shape.highest
    return [
        PatchTrigger(shape=shape, size=2, corner="top right", pattern="checkerboard"),
        BlendedTrigger(shape=shape, picture=picture, opacity=0.3),
        SinusoidalTrigger(shape=shape, amplitude=shape.highest * 40 / 255, frequency=2.0),
    ]


@pytest.mark.parametrize("kind", range(3))
def test_layout_and_unit_make_no_difference_and_the_input_stays(kind):
    given = images()
    made = stamp(given, triggers(UNIT)[kind])
    assert made.dtype == torch.uint8
    assert made.shape == given.shape
    assert torch.equal(given, images())
    assert not torch.equal(made, given)
    assert torch.equal(made, stamp(given, triggers(CHW)[kind]))
    assert torch.equal(made, stamp(given, triggers(BYTES)[kind]))


def test_a_patch_is_painted_and_nothing_else():
    made = stamp(images(), triggers(UNIT)[0])
    corner = torch.tensor([[255, 0], [0, 255]], dtype=torch.uint8)
    assert torch.equal(made[..., :2, 3:], corner.expand(2, 4, 3, 2, 2))
    rest = torch.ones(6, 5, dtype=torch.bool)
    rest[:2, 3:] = False
    assert torch.equal(made[..., rest], images()[..., rest])


def test_a_picture_of_noise_shines_through_by_its_opacity():
    trigger = triggers(UNIT)[1]
    expected = 0.7 * images().numpy() + 0.3 * 255 * np.moveaxis(trigger.picture, -1, 0)
    assert np.abs(stamp(images(), trigger).numpy() - expected).max() <= 0.5 + 1e-9


def test_the_stripes_run_down_the_image_and_stop_at_black_and_white():
    made = stamp(images(), triggers(UNIT)[2]).numpy().astype(int)
    wave = 40 * np.sin(2 * np.pi * 2 * np.arange(5) / 5)
    assert np.abs(made - np.clip(images().numpy() + wave, 0, 255)).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("wrong", [images().float(), images()[..., :4], images().movedim(2, -1)])
def test_refusals(wrong):
    with pytest.raises(InvalidData, match="images"):
        stamp(wrong, triggers(UNIT)[0])
