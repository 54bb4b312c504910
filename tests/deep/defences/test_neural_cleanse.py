"""Trigger inversion."""

import math
import statistics

import pytest

torch = pytest.importorskip("torch")
from torch import nn

import toadstone.deep.defences.neural_cleanse as room
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.defences.neural_cleanse import NeuralCleanse, scan_for_backdoors

SHORT = NeuralCleanse(epochs=60, batch=40, first_weight=0.01)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def linear(planted=None):
    """Eight classes that look at 64 pixels with random weights; one also at two pixels in a corner, sharply."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 8, bias=False))
    model[1].weight.data = torch.randn(8, 64, generator=generator(5))
    if planted is not None:
        model[1].weight.data[planted, -2:] = 60.0
    images = torch.rand(80, 1, 8, 8, generator=generator(6))
    images[:, :, 7, 6:] *= 0.01
    return model, images


@pytest.fixture(scope="module")
def scan():
    model, images = linear(planted=5)
    return scan_for_backdoors(model, images, generator=generator(), search=SHORT)


def test_the_planted_label_is_told(scan):
    assert scan.undecided is None
    assert scan.anomalies.index(max(scan.anomalies)) == 5
    # Among seven other random labels one may be unusual too.
    assert 5 in scan.suspects
    assert len(scan.suspects) <= 2
    assert scan.inversions[5].size < 0.5 * min(
        found.size for found in scan.inversions if found is not scan.inversions[5]
    )


def test_without_the_backdoor_its_label_is_as_usual():
    model, images = linear()
    found = scan_for_backdoors(model, images, generator=generator(), search=SHORT)
    assert found.undecided is None
    assert 5 not in found.suspects


def test_the_planted_patch_is_found(scan):
    model, images = linear(planted=5)
    found = scan.inversions[5]
    assert found.mask.shape == (8, 8)
    assert found.pattern.shape == (1, 8, 8)
    assert 0 <= float(found.mask.min()) <= float(found.mask.max()) <= 1
    assert float(found.mask[7, 6:].sum()) > 0.5 * found.size
    with torch.no_grad():
        given = model((1 - found.mask) * images + found.mask * found.pattern)
    assert (given.argmax(dim=1) == 5).float().mean() > 0.95
    assert found.success >= 0.99


def test_a_trained_backdoor_has_the_smallest_patch(backdoored):
    model, images, _ = backdoored
    found = scan_for_backdoors(model, images[:60], generator=generator(), search=NeuralCleanse(epochs=30, batch=60))
    sizes = [inversion.size for inversion in found.inversions]
    assert sizes.index(min(sizes)) == 2


def test_the_model_is_left_alone(backdoored):
    model, images, _ = backdoored
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    scan_for_backdoors(model, images[:40], generator=generator(), search=NeuralCleanse(epochs=1))
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    model.eval()


def test_sizes_that_cannot_be_told_apart_are_undecided():
    anomalies, why = room._anomalies(torch.full((10,), 7.0).double(), [0.0] * 10)
    assert all(math.isnan(value) for value in anomalies)
    assert why == "at least half of the patches have the same size"
    _, why = room._anomalies(torch.tensor([1.0, 5, 5, 5]).double(), [0.0] * 4)
    assert why == "4 classes are too few to find an outlier; at least 5 are needed"
    _, why = room._anomalies(torch.tensor([1.0, 2, math.inf, math.inf, math.inf]).double(), [0.0] * 5)
    assert why == "no patch was found for half of the labels"


def test_a_search_that_is_too_short_is_undecided():
    model, images = linear(planted=5)
    found = scan_for_backdoors(model, images, generator=generator(), search=NeuralCleanse(epochs=16, batch=80))
    assert found.undecided == "patches were still shrinking when the search ended; use more epochs"
    assert found.suspects == ()
    assert statistics.median(each.shrinkage for each in found.inversions) > 0.15
    sizes = torch.tensor([10.0, 20, 22, 24, 26, 60]).double()
    assert room._anomalies(sizes, [0.2] * 4 + [0.0] * 2)[1] == found.undecided
    assert room._anomalies(sizes, [0.2] * 2 + [0.0] * 4)[1] is None


def test_the_anomaly_is_the_papers():
    sizes = torch.tensor([10.0, 20, 22, 24, 26, 60]).double()
    anomalies, why = room._anomalies(sizes, [0.1] * 6)
    assert why is None
    # Median 23, absolute deviations 13, 3, 1, 1, 3, 37 of median 3.
    assert anomalies[0] == pytest.approx(13 / (1.4826 * 3))
    assert anomalies[5] == pytest.approx(-37 / (1.4826 * 3))


def test_the_weight_follows_success():
    weight = room._Weight(NeuralCleanse(first_weight=1.0, patience=2))
    values = []
    for success in (1.0, 1.0, 1.0, 0.5, 0.5, 1.0, 0.5, 1.0, 1.0):
        weight.after(success)
        values.append(weight.value)
    down = 1.5 * 1.5**-1.5
    assert values == pytest.approx([1, 1.5, 1.5, 1.5, down, down, down, down, down * 1.5])


def test_few_classes_are_undecided():
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    images = torch.rand(8, 1, 4, 4, generator=generator())
    found = scan_for_backdoors(model, images, generator=generator(), search=NeuralCleanse(epochs=2))
    assert found.undecided is not None
    assert found.suspects == ()
    assert len(found.inversions) == 3


def test_the_same_generator_gives_the_same_patches(backdoored):
    model, images, _ = backdoored
    found = [
        scan_for_backdoors(model, images[:30], generator=generator(3), search=NeuralCleanse(epochs=2, success=0.1))
        for _ in range(2)
    ]
    for first, second in zip(found[0].inversions, found[1].inversions, strict=True):
        assert torch.equal(first.mask, second.mask)
        assert first.size == second.size


def test_unfit_requests_are_refused(backdoored):
    model, images, _ = backdoored
    with pytest.raises(InvalidData, match="images: expected values in"):
        scan_for_backdoors(model, images * 255, generator=generator())
    with pytest.raises(InvalidArgument, match=r"`generator`: expected a torch\.Generator, got int"):
        scan_for_backdoors(model, images, generator=0)
    for field, value in (("epochs", 0), ("batch", 2.5), ("learning_rate", -1.0), ("success", 0.0), ("threshold", 0.0)):
        with pytest.raises(InvalidArgument, match=f"`{field}`: expected "):
            NeuralCleanse(**{field: value})


def test_a_network_that_answers_no_numbers_to_some_image_is_refused():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 6))
    model[1].weight.data[0, 0] = torch.finfo(torch.float32).max
    model[1].weight.data[0, 1] = torch.finfo(torch.float32).max
    images = torch.zeros(9, 1, 2, 2)
    images[4] = 1.0
    with pytest.raises(InvalidData, match="model: expected finite logits, got infinite or NaN for 1 of 9 images"):
        scan_for_backdoors(model, images, generator=generator())
