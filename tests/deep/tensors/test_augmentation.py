"""Flips and shifts."""

import pytest

torch = pytest.importorskip("torch")
from torch.nn.functional import pad

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.tensors.augmentation import flip_crop, flip_shift


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def images():
    return torch.rand(200, 3, 8, 9, generator=generator(), dtype=torch.float64)


def crops(image, reach):
    """All that may come of an image: as by torch's own padding, cut and flip."""
    wide = pad(image[None], (reach,) * 4, mode="reflect")[0]
    _, height, width = image.shape
    for down in range(2 * reach + 1):
        for right in range(2 * reach + 1):
            part = wide[:, down : down + height, right : right + width]
            yield (down, right, False), part
            yield (down, right, True), part.flip(2)


def test_every_result_is_a_crop_of_the_padded_image_and_all_occur(images):
    found = flip_crop(images, generator(1), reach=2)
    seen = set()
    for image, result in zip(images, found, strict=True):
        matches = [key for key, part in crops(image, 2) if torch.equal(part, result)]
        assert len(matches) == 1
        seen.update(matches)
    # 50 kinds in 200 draws: one is missed by chance in about one of fifty.
    assert len(seen) > 45
    assert {key[2] for key in seen} == {False, True}


def test_eight_bits_stay_eight_bits(images):
    levels = (images * 255).round().to(torch.uint8)
    found = flip_crop(levels, generator())
    assert found.dtype == torch.uint8
    assert torch.equal(found, flip_crop(levels.double(), generator()).to(torch.uint8))


@pytest.mark.parametrize("augment", [flip_crop, flip_shift])
def test_no_reach_flips_only(images, augment):
    found = augment(images, generator(2), reach=0)
    same = (found == images).flatten(1).all(dim=1)
    mirrored = (found == images.flip(3)).flatten(1).all(dim=1)
    assert (same ^ mirrored).all()
    assert 60 < int(mirrored.sum()) < 140


@pytest.mark.parametrize("augment", [flip_crop, flip_shift])
def test_the_same_generator_draws_the_same(images, augment):
    before = images.clone()
    assert torch.equal(augment(images, generator(3)), augment(images, generator(3)))
    assert not torch.equal(augment(images, generator(3)), augment(images, generator(4)))
    assert torch.equal(images, before)


def test_a_smooth_shift_moves_a_ramp_by_what_was_drawn():
    ramp = torch.arange(16, dtype=torch.float64).expand(50, 1, 16, 16) / 20
    found = flip_shift(ramp, generator(5), reach=3)
    inner = found[:, 0, 8, 4:12] * 20
    steps = inner.diff(dim=1)
    torch.testing.assert_close(steps.abs(), torch.ones_like(steps), atol=1e-5, rtol=0)
    flipped = steps[:, 0] < 0
    middle = inner.mean(dim=1)
    shift = middle - 7.5
    assert shift.abs().max() < 3
    assert (shift - shift.round()).abs().max() > 0.3
    assert 0 < int(flipped.sum()) < 50
    torch.testing.assert_close(found[:, 0, 0], found[:, 0, 15])


def test_smooth_shifts_stay_within_the_range_of_the_image(images):
    found = flip_shift(images, generator(6))
    assert found.min() >= images.min()
    assert found.max() <= images.max()


def test_gradients_of_smooth_shifts_equal_finite_differences():
    images = torch.rand(3, 2, 6, 6, generator=generator(), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: flip_shift(x, generator(7)), (images,))
    assert torch.autograd.gradgradcheck(lambda x: flip_shift(x, generator(7)).square(), (images,))


@pytest.mark.parametrize("augment", [flip_crop, flip_shift])
@pytest.mark.parametrize("reach", [-1, 7])
def test_a_reach_beyond_the_image_is_refused(images, augment, reach):
    with pytest.raises(InvalidArgument, match="`reach`: expected a number of pixels from 0 to less than 7"):
        augment(images, generator(), reach=reach)


def test_features_have_nothing_to_flip():
    with pytest.raises(InvalidArgument, match="`images`: expected shape"):
        flip_crop(torch.rand(4, 5), generator())


def test_no_fractions_of_pixels_between_levels():
    with pytest.raises(InvalidData, match=r"expected a floating-point dtype for interpolation, got torch\.uint8"):
        flip_shift(torch.zeros(1, 1, 8, 8, dtype=torch.uint8), torch.Generator())
    with pytest.raises(InvalidArgument, match=r"`reach`: expected a whole number from 0, got 1\.5"):
        flip_crop(torch.zeros(1, 1, 8, 8), torch.Generator(), reach=1.5)
    with pytest.raises(InvalidArgument, match="`generator`"):
        flip_crop(torch.zeros(1, 1, 8, 8), None)
