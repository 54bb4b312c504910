"""Inspection of a network, and its repair."""

import copy
import math

import pytest

torch = pytest.importorskip("torch")
from torch import nn

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.defences.neural_cleanse import NeuralCleanse
from toadstone.deep.inspection.inspect_network import Inspection, inspect_network
from toadstone.deep.inspection.repair import Unlearning, repair
from toadstone.deep.inspection.smallest_shift import ShiftSearch
from toadstone.deep.tensors.features import logits
from toadstone.deep.training.hyperparameters import TrainingConfig

SHORT = Inspection(
    patches=NeuralCleanse(epochs=60, batch=20, first_weight=0.01), shifts=ShiftSearch(epochs=15, batch=20)
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def linear(planted):
    """Eight classes of random weights; label 5 also looks at two pixels in a corner, sharply, if planted."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 8, bias=False))
    model[1].weight.data = torch.randn(8, 64, generator=generator(5))
    if planted:
        model[1].weight.data[5, -2:] = 60.0
    images = torch.rand(80, 1, 8, 8, generator=generator(6))
    images[:, :, 7, 6:] *= 0.01
    return model, images, logits(model, images).argmax(dim=1)


@pytest.fixture(scope="module")
def planted():
    model, images, labels = linear(planted=True)
    before = copy.deepcopy(model.state_dict())
    found = inspect_network(model, images, labels, generator=generator(), settings=SHORT)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    return model, images, labels, found


def test_the_planted_label_is_suspected_and_no_other(planted):
    *_, found = planted
    assert found.undecided is None
    assert found.accuracy == 1.0
    assert [(each.kind, each.label) for each in found.searches] == [
        (kind, label) for kind in ("patch", "shift") for label in range(8)
    ]
    assert {each.label for each in found.suspects} == {5}
    shares = [each.share_of_median for each in found.suspects]
    assert shares == sorted(shares)
    assert max(shares) <= SHORT.share_of_median


def test_the_found_trigger_works_on_images_that_the_search_did_not_see(planted):
    model, *_, found = planted
    fresh = torch.rand(50, 1, 8, 8, generator=generator(9))
    given = logits(model, found.suspects[0].trigger(fresh)).argmax(dim=1)
    assert (given == 5).double().mean() > 0.9
    assert found.suspects[0].carried >= SHORT.carried


def test_without_the_backdoor_its_label_is_not_suspected():
    model, images, labels = linear(planted=False)
    found = inspect_network(model, images, labels, generator=generator(), settings=SHORT)
    assert found.undecided is None
    assert found.suspects == ()


def test_a_trigger_that_held_out_images_do_not_follow_is_not_suspected(planted):
    model, images, labels, _ = planted
    torn = images.clone()
    # The order of the halves is the generator's first draw; images of the second half resist every trigger.
    unseen = torch.randperm(len(images), generator=generator())[len(images) // 2 :]

    class Resisting(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = model

        def forward(self, shown):
            given = self.inner(shown)
            marked = shown[:, 0, 0, 0] > 0.999
            return torch.where(marked[:, None], torch.eye(8)[0] * 1e6, given)

    torn[:, :, 0, 0] = 0.5
    torn[unseen, :, 0, 0] = 1.0
    found = inspect_network(Resisting(), torn, labels, generator=generator(), settings=SHORT)
    assert found.undecided is None
    patch = found.searches[5]
    assert patch.share_of_median <= SHORT.share_of_median
    assert patch.carried < SHORT.carried
    assert patch not in found.suspects


def test_few_classes_are_undecided_and_nothing_is_suspected():
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    images = torch.rand(8, 1, 4, 4, generator=generator())
    settings = Inspection(patches=NeuralCleanse(epochs=2), shifts=ShiftSearch(epochs=2))
    found = inspect_network(model, images, torch.arange(8) % 3, generator=generator(), settings=settings)
    assert found.undecided == "3 classes are too few to find an unusual one; at least 5 are needed"
    assert found.suspects == ()
    assert all(math.isnan(each.share_of_median) for each in found.searches)


def test_the_repaired_network_no_longer_follows_the_attackers_trigger(backdoored, stamp):
    model, images, labels = backdoored
    model = copy.deepcopy(model)
    settings = Inspection(
        patches=NeuralCleanse(epochs=25, batch=30), shifts=ShiftSearch(epochs=2), share_of_median=0.99, carried=0.01
    )
    found = inspect_network(model, images, labels, generator=generator(), settings=settings)
    others = stamp(images[labels != 2])
    before = float((logits(model, others).argmax(dim=1) == 2).double().mean())
    assert before > 0.8
    longer = Unlearning(config=TrainingConfig(epochs=15, learning_rate=0.02))
    done = repair(model, images, labels, triggers=[found.searches[2]], settings=longer)
    assert float((logits(model, others).argmax(dim=1) == 2).double().mean()) < 0.2 * before
    assert done.rows == 24
    assert done.accuracy_after >= done.accuracy_before - 0.05
    assert done.carried_after[0] < 0.2 < 0.8 < done.carried_before[0]


def test_a_repair_repeats_itself(planted):
    model, images, labels, found = planted
    weights = []
    for _ in range(2):
        twin = copy.deepcopy(model)
        repair(
            twin, images, labels, triggers=found.suspects, settings=Unlearning(config=TrainingConfig(epochs=1)), seed=3
        )
        weights.append(twin[1].weight)
    assert torch.equal(*weights)


def test_unfit_requests_are_refused(planted):
    model, images, labels, found = planted
    with pytest.raises(InvalidData, match="images: expected four or more trusted images, got 3"):
        inspect_network(model, images[:3], labels[:3], generator=generator())
    with pytest.raises(InvalidArgument, match=r"`generator`: expected a torch\.Generator, got int"):
        inspect_network(model, images, labels, generator=0)
    with pytest.raises(InvalidArgument, match="`triggers`: expected at least one trigger to unlearn, got none"):
        repair(model, images, labels, triggers=())
    with pytest.raises(InvalidData, match=r"images: expected more for `held_out` of 0\.01, got 20"):
        repair(model, images[:20], labels[:20], triggers=found.suspects, settings=Unlearning(held_out=0.01))
    with pytest.raises(InvalidArgument, match="`share_of_median`: expected "):
        Inspection(share_of_median=1.0)
