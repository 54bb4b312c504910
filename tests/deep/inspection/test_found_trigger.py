"""Found triggers as functions of images."""

import pytest

torch = pytest.importorskip("torch")

from toadstone.deep.inspection.found_trigger import FoundTrigger


def test_a_full_mask_covers_and_an_empty_one_adds_within_the_pixels_range():
    images = torch.rand(3, 2, 4, 5, generator=torch.Generator().manual_seed(0))
    content = torch.rand(2, 4, 5, generator=torch.Generator().manual_seed(1)) - 0.5
    covering = FoundTrigger(mask=torch.ones(4, 5), content=content.abs())
    assert torch.equal(covering(images), content.abs().expand(3, 2, 4, 5))
    adding = FoundTrigger(mask=torch.zeros(4, 5), content=content)
    assert torch.equal(adding(images), (images + content).clamp(0, 1))
