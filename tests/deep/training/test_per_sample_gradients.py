"""Gradients of single images."""

import pytest

torch = pytest.importorskip("torch")
from torch import nn
from torch.nn.functional import cross_entropy

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.tensors.networks import resnet8
from toadstone.deep.training.per_sample_gradients import per_sample_gradients
from toadstone.detectors.features.gradient import GradientSimilarity


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def subject():
    model = resnet8(width=4, classes=5).double()
    images = torch.rand(7, 3, 8, 8, generator=generator(), dtype=torch.float64)
    with torch.no_grad():
        model(images)
    return model, images, torch.arange(7) % 5


def test_they_equal_a_loop_and_frozen_ones_are_left_out(subject):
    model, images, labels = subject
    model.bn1.weight.requires_grad_(False)
    found = per_sample_gradients(model, images, labels, block=3)
    assert model.training
    model.eval()
    trained = [value for value in model.parameters() if value.requires_grad]
    for row in range(len(images)):
        loss = cross_entropy(model(images[row : row + 1]), labels[row : row + 1])
        expected = torch.cat([part.flatten() for part in torch.autograd.grad(loss, trained)])
        torch.testing.assert_close(found[row], expected)
    assert not found.requires_grad


def test_a_projection_is_linear_repeatable_and_of_each_parameter_once(subject):
    model, images, labels = subject
    whole = per_sample_gradients(model, images, labels)
    found = per_sample_gradients(model, images, labels, dimensions=40, generator=generator(3))
    again = per_sample_gradients(model, images, labels, dimensions=40, generator=generator(3), block=2)
    other = per_sample_gradients(model, images, labels, dimensions=40, generator=generator(4))
    assert found.shape == (7, 40)
    torch.testing.assert_close(found, again)
    assert not torch.allclose(found, other)
    exact = per_sample_gradients(model, images, labels, dimensions=whole.shape[1], generator=generator(3))
    torch.testing.assert_close(exact @ exact.T, whole @ whole.T)


def test_a_projection_keeps_inner_products_on_average(subject):
    model, images, labels = subject
    whole = per_sample_gradients(model, images, labels)
    projected = [
        per_sample_gradients(model, images, labels, dimensions=30, generator=generator(seed)) for seed in range(60)
    ]
    mean = torch.stack([rows @ rows.T for rows in projected]).mean(dim=0)
    truth = whole @ whole.T
    scale = truth.diagonal().sqrt()
    # The variance of one estimate is at most 2 / 30 of the product of squared norms.
    assert ((mean - truth).abs() / scale[:, None] / scale[None, :]).max() < 5 * (2 / 30 / 60) ** 0.5


def test_unfit_requests_are_refused(subject):
    model, images, labels = subject
    with pytest.raises(InvalidArgument, match="`generator`: expected a torch"):
        per_sample_gradients(model, images, labels, dimensions=4)
    with pytest.raises(InvalidArgument, match="`dimensions`: expected a whole number from 1, got 0"):
        per_sample_gradients(model, images, labels, dimensions=0, generator=generator())
    with pytest.raises(InvalidData, match="from 0 to 4, the classes of the head, got 6"):
        per_sample_gradients(model, images, labels + 2)
    for value in model.parameters():
        value.requires_grad_(False)
    with pytest.raises(InvalidArgument, match="`model`: expected parameters that require gradients, got none"):
        per_sample_gradients(model, images, labels)


def test_dropout_is_off():
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(12, 3))
    images, labels = torch.rand(4, 3, 2, 2, generator=generator()), torch.zeros(4, dtype=torch.int64)
    first = per_sample_gradients(model, images, labels)
    torch.testing.assert_close(first, per_sample_gradients(model, images, labels))


def test_gradients_of_rows_go_into_the_detector_of_gradients(backdoored, suspicious):
    images, labels = suspicious
    wrong = labels.clone()
    wrong[:3] = (wrong[:3] + 1) % 6
    generator = torch.Generator().manual_seed(0)
    rows = per_sample_gradients(backdoored[0], images, wrong, dimensions=64, generator=generator)
    norms = rows.norm(dim=1)
    assert set(norms.topk(3).indices.tolist()) == {0, 1, 2}
    assert GradientSimilarity().fit(rows.numpy(), wrong.numpy()).suspicion_.shape == (125,)
