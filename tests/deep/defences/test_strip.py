"""STRIP."""

import math

import pytest

torch = pytest.importorskip("torch")
from torch import nn

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.defences.strip import blended_entropies, strip
from toadstone.deep.tensors.features import logits


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_network_is_backdoored(backdoored, stamp):
    model, images, labels = backdoored
    assert (logits(model, images).argmax(dim=1) == labels).float().mean() > 0.95
    assert (logits(model, stamp(images)).argmax(dim=1) == 2).float().mean() > 0.95


def test_images_with_the_trigger_are_flagged_and_clean_ones_are_not(backdoored, stamp):
    model, images, labels = backdoored
    clean, judged = images[:80], images[80:][labels[80:] != 2]
    found = strip(model, torch.cat([stamp(judged), judged]), clean=clean, generator=generator(), false_alarm_rate=0.1)
    with_trigger, without = found.entropies.split(len(judged))
    assert (with_trigger[:, None] < without[None, :]).float().mean() > 0.85
    flagged, wrongly = found.flagged.split(len(judged))
    assert flagged.float().mean() > 0.4 > 0.2 > wrongly.float().mean()
    assert found.entropies.min() >= 0
    assert found.entropies.max() <= math.log(6) + 1e-6


def test_entropies_are_means_over_classes_not_over_images():
    class Sure(nn.Module):
        """Certain of one class for bright blends, undecided for dark ones."""

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def forward(self, images):
            bright = (images.mean(dim=(1, 2, 3)) > 0.5).float()
            return torch.stack([60 * bright, *[0 * bright] * 3], dim=1) + self.weight

    overlays = torch.stack([torch.zeros(1, 2, 2), torch.ones(1, 2, 2)])
    # A grey of .6 blends to .3 or .8: as many answers are certain as overlays are bright.
    images = torch.stack([torch.full((1, 2, 2), 0.6), torch.zeros(1, 2, 2)])
    found = blended_entropies(Sure(), images, overlays, generator=generator(), copies=4000, block=999)
    assert float(found[1]) == pytest.approx(math.log(4))
    assert float(found[0]) == pytest.approx(math.log(4) / 2, rel=0.1)


def test_the_same_generator_gives_the_same_and_few_clean_images_flag_nothing(backdoored, stamp):
    model, images, _ = backdoored
    scans = [strip(model, images[:9], clean=images[20:30], generator=generator(1), copies=8) for _ in range(2)]
    assert torch.equal(scans[0].entropies, scans[1].entropies)
    assert scans[0].threshold == -math.inf
    assert not strip(model, stamp(images), clean=images, generator=generator(), false_alarm_rate=0.001).flagged.any()


@pytest.mark.parametrize(("rate", "rank"), [(0.09, 0), (0.095, 1), (0.3, 3), (0.99, 10)])
def test_the_threshold_is_the_largest_that_keeps_the_false_alarm_rate(rate, rank):
    """Of ten held-out images and one to judge, `rank` of eleven places lie below the rank-th smallest."""
    model, clean = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)), torch.rand(20, 1, 2, 2, generator=generator())
    drawing = generator(3)
    order = torch.randperm(20, generator=drawing)
    held_out = blended_entropies(model, clean[order[10:]], clean[order[:10]], generator=drawing, copies=4)
    found = strip(model, clean, clean=clean, generator=generator(3), false_alarm_rate=rate, copies=4)
    assert found.threshold == ([-math.inf, *held_out.sort().values.tolist()])[rank]


def test_the_false_alarm_rate_is_kept_on_average():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    flagged = []
    for seed in range(60):
        rows = torch.rand(120, 1, 2, 2, generator=generator(seed))
        scan = strip(model, rows[:40], clean=rows[40:], generator=generator(seed), false_alarm_rate=0.2, copies=4)
        flagged.append(float(scan.flagged.float().mean()))
    assert 0.1 < sum(flagged) / 60 < 0.23


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"false_alarm_rate": 0.0}, "`false_alarm_rate`: expected a number in"),
        ({"copies": 0}, "`copies`: expected a whole number from 1"),
        ({"copies": 1.5}, "`copies`: expected a whole number from 1"),
        ({"block": 1.5}, "`block`: expected a whole number from 1"),
        ({"generator": None}, r"`generator`: expected a torch\.Generator, got NoneType"),
        ({"opacity": 1.0}, "`opacity`: expected a number in"),
    ],
)
def test_options_out_of_range_are_refused(backdoored, options, message):
    model, images, _ = backdoored
    with pytest.raises(InvalidArgument, match=message):
        strip(model, images, **({"clean": images, "generator": generator()} | options))


def test_clean_images_of_another_kind_are_refused(backdoored):
    model, images, _ = backdoored
    with pytest.raises(InvalidData, match=r"clean: expected two or more images of shape \(1, 12, 12\), got shape"):
        strip(model, images, clean=images[:, :, :5], generator=generator())
    with pytest.raises(InvalidData, match="clean: expected two or more"):
        strip(model, images, clean=images[:1], generator=generator())


def test_a_network_that_answers_no_numbers_is_refused():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    model[1].weight.data[0, 0] = torch.nan
    with pytest.raises(InvalidData, match="model: expected finite logits"):
        strip(model, torch.rand(5, 1, 2, 2), clean=torch.rand(8, 1, 2, 2), generator=generator())
