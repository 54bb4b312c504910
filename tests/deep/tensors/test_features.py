"""Activations, logits and gradients of networks of one's own and of others."""

import types

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn
from torch.nn.functional import cross_entropy

from toadstone.core.errors import InvalidArgument, InvalidData, UnknownName
from toadstone.deep.tensors.features import activations, find_head, head_gradients, logits, outputs
from toadstone.deep.tensors.images import load_images
from toadstone.deep.tensors.networks import HEAD, SmallCNN, resnet8
from toadstone.deep.training.hyperparameters import TrainingConfig
from toadstone.deep.training.loop import train
from toadstone.detectors.features.activation import ActivationClustering


class Vgg(nn.Module):
    """A head inside a sequence, as in torchvision's VGG, behind dropout."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2))
        self.classifier = nn.Sequential(nn.Dropout(0.5), nn.Linear(16, 5))

    def forward(self, images):
        return self.classifier(self.features(images).flatten(1))


class Wrapped(Vgg):
    """Logits within an object, as from Hugging Face."""

    def forward(self, images):
        return types.SimpleNamespace(logits=super().forward(images), hidden_states=None)


def plain():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, 5))


MODELS = {
    "sequence": (plain, "4"),
    "vgg": (Vgg, "classifier.1"),
    "wrapped": (Wrapped, "classifier.1"),
    "resnet8": (lambda: resnet8(width=4, classes=5), "linear"),
    "small": (lambda: SmallCNN(3, width=2, classes=5), "linear"),
}


@pytest.fixture(params=MODELS)
def subject(request):
    build, head = MODELS[request.param]
    torch.manual_seed(0)
    return build(), head


@pytest.fixture
def images():
    return torch.rand(11, 3, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def labels():
    return torch.arange(11) % 5


def test_the_head_turns_activations_into_logits(subject, images):
    model, head = subject
    seen = activations(model, head, images, block=4)
    with torch.no_grad():
        expected = find_head(model, head)(seen)
    torch.testing.assert_close(logits(model, images, block=3), expected)
    assert not seen.requires_grad


def test_eight_bits_are_the_same_images(subject, images):
    model, head = subject
    levels = (images * 255).round().to(torch.uint8)
    torch.testing.assert_close(activations(model, head, levels), activations(model, head, levels / 255))


def test_blocks_change_nothing(subject, images):
    model, head = subject
    torch.testing.assert_close(activations(model, head, images, block=2), activations(model, head, images))


def test_last_layer_gradients_are_autograds(subject, images, labels):
    model, _ = subject
    found = head_gradients(model, images, labels, block=4)
    model.eval()
    given = model(images)
    given = getattr(given, "logits", given)
    (expected,) = torch.autograd.grad(cross_entropy(given, labels, reduction="sum"), given)
    torch.testing.assert_close(found, expected)


def test_modes_statistics_and_hooks_are_restored(subject, images, labels):
    model, head = subject
    model.train()
    frozen = next(module for module in model.modules() if module is not model)
    frozen.eval()
    modes = [module.training for module in model.modules()]
    state = {name: value.clone() for name, value in model.state_dict().items()}
    activations(model, head, images)
    head_gradients(model, images, labels)
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    outputs(model.eval(), head, images)
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_modes_and_hooks_are_restored_after_an_error(images):
    model = Vgg().train()
    with pytest.raises(InvalidData, match=r"expected one that accepts images of shape \(2, 8, 8\), got 'Given groups"):
        activations(model, "classifier.1", images[:, :2])
    assert model.training
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_outputs_are_differentiable_and_keep_the_mode(images):
    model = Vgg().train()
    pixels = images.clone().requires_grad_()
    torch.manual_seed(0)
    seen, given = outputs(model, "classifier.1", pixels)
    assert (seen == 0).any()
    (gradient,) = torch.autograd.grad(seen.square().sum() + given.sum(), pixels)
    assert gradient.abs().sum() > 0
    assert model.training


def test_double_precision_stays(images):
    model = plain().double()
    assert activations(model, "4", images).dtype == torch.float64
    assert activations(plain().bfloat16(), "4", images).dtype == torch.float32


def test_half_precision_is_near_and_comes_back_in_single(subject, images, labels):
    model, head = subject
    for found, whole in (
        (activations(model, head, images, precision="bfloat16"), activations(model, head, images)),
        (head_gradients(model, images, labels, precision="bfloat16"), head_gradients(model, images, labels)),
    ):
        assert found.dtype == torch.float32
        assert 0 < (found - whole).norm() < 0.02 * whole.norm()


def test_an_unknown_precision_is_refused(images):
    with pytest.raises(InvalidArgument, match="`precision`: expected one of float32, bfloat16, got half"):
        logits(plain(), images, precision="half")


def test_a_missing_layer_is_refused_with_near_names(images):
    with pytest.raises(UnknownName, match=r"`head`: expected .*, such as classifier.*, got 'classifer'"):
        find_head(Vgg(), "classifer")
    with pytest.raises(UnknownName, match=r"such as classifier, classifier\.0, classifier\.1, got ''"):
        activations(Vgg(), "", images)


def test_a_layer_used_twice_or_never_is_refused(images):
    model = Vgg()
    model.unused = nn.Linear(2, 2)
    with pytest.raises(
        InvalidArgument, match="`head`: expected a layer that the model uses once, got 'unused', used 0"
    ):
        activations(model, "unused", images)
    shared = nn.ReLU()
    model = nn.Sequential(nn.Flatten(), shared, nn.Linear(192, 5), shared)
    with pytest.raises(InvalidArgument, match="'1', used 2 times"):
        activations(model, "1", images)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda x: x.numpy(), "expected a torch tensor, got ndarray"),
        (lambda x: x[0], r"expected shape \(n, channels, height, width\) with n > 0, got \(3, 8, 8\)"),
        (lambda x: x[:0], r"with n > 0, got \(0, 3, 8, 8\)"),
        (lambda x: x.permute(0, 2, 3, 1), r"got \(11, 8, 8, 3\), which looks like channels last"),
        (lambda x: x.long(), "expected dtype uint8 or a floating-point one, got torch.int64"),
        (lambda x: x * 255, r"expected values in \[0, 1\], got values in \[.*, 25"),
        (lambda x: x - 0.5, r"expected values in \[0, 1\], got values in \[-0\.4"),
        (lambda x: x.index_fill(0, torch.tensor([3]), torch.nan), "got NaN"),
    ],
)
def test_unfit_images_are_refused_in_one_sentence(images, spoil, message):
    with pytest.raises(InvalidData, match=message) as refused:
        activations(plain(), "4", spoil(images))
    assert str(refused.value).startswith("images: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda y: y + 1, "expected whole numbers from 0 to 4, the classes of the head, got 5"),
        (lambda y: y - 1, "expected whole numbers from 0 to 4, the classes of the head, got -1"),
        (lambda y: y[:-1], r"expected 11, one for each row, got shape \(10,\)"),
        (lambda y: y.float(), "expected a tensor of int64, got torch.float32"),
        (lambda y: y.tolist(), "expected a tensor of int64, got list"),
    ],
)
def test_labels_outside_the_head_are_refused_in_one_sentence(images, labels, spoil, message):
    with pytest.raises(InvalidData, match=f"labels: {message}"):
        head_gradients(plain(), images, spoil(labels))


def test_a_model_without_logits_is_refused(images):
    with pytest.raises(InvalidData, match=r"model: expected logits of shape \(n, n_classes\) for n images, got shape"):
        logits(nn.Conv2d(3, 2, 3), images)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_networks_that_answer_no_finite_numbers_are_refused(images, labels, value):
    model = plain()
    model[1].bias.data[2] = value
    message = "model: expected finite {}, got infinite or NaN for 11 of 11 images"
    with pytest.raises(InvalidData, match=message.format("activations")):
        activations(model, "4", images)
    for ask in (lambda: logits(model, images), lambda: head_gradients(model, images, labels)):
        with pytest.raises(InvalidData, match=message.format("logits")):
            ask()


def test_other_errors_of_a_network_are_its_own(images):
    class Broken(nn.Module):
        def forward(self, images):
            raise RuntimeError("no weights were loaded")

    with pytest.raises(RuntimeError, match="no weights were loaded"):
        logits(Broken(), images)


def test_a_layer_with_other_rows_than_images_is_refused(images):
    class Folded(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(24, 4)

        def forward(self, images):
            return self.head(images.reshape(-1, 24)).reshape(len(images), -1, 4).mean(1)

    with pytest.raises(InvalidArgument, match="gets one row for each image, got 'head' with 88 rows for 11"):
        activations(Folded(), "head", images)


def test_what_is_no_name_or_no_module_is_refused(images):
    with pytest.raises(InvalidArgument, match="`head`: expected the name of a layer, got NoneType"):
        activations(plain(), None, images)
    for model in (None, plain().forward):
        with pytest.raises(InvalidArgument, match=r"`model`: expected a torch\.nn\.Module, got"):
            logits(model, images)
        with pytest.raises(InvalidArgument, match=r"`model`: expected a torch\.nn\.Module, got"):
            find_head(model, "4")


def test_activations_go_into_activation_clustering(backdoored, suspicious):
    images, labels = suspicious
    seen = activations(backdoored[0], HEAD, images).numpy()
    detector = ActivationClustering().fit(seen, labels.numpy())
    assert detector.flagged_indices_.tolist() == list(range(120, 125))


@pytest.mark.data
@pytest.mark.slow
def test_badnets_on_mnist_is_found_by_activation_clustering(data_dir):
    images, labels = load_images("mnist", "train", folder=data_dir, count=6000)
    test_images, test_labels = load_images("mnist", "test", folder=data_dir)
    planted = np.random.default_rng(0).choice(np.flatnonzero(labels.numpy() != 7), 180, replace=False)
    images, taught = images.clone(), labels.clone()
    images[planted, :, 25:, 25:] = 255
    taught[planted] = 7
    model = SmallCNN(1, width=16)
    config = TrainingConfig(epochs=6, learning_rate=0.02, milestones=(4,))
    train(model, images, taught, config, seed=0)
    victims = test_images[test_labels != 7]
    victims[:, :, 25:, 25:] = 255
    success = (logits(model, victims).argmax(dim=1) == 7).double().mean()
    accuracy = (logits(model, test_images).argmax(dim=1) == test_labels).double().mean()
    flagged = ActivationClustering().fit(activations(model, HEAD, images).numpy(), taught.numpy()).flagged_indices_
    assert (float(success) > 0.95, float(accuracy) > 0.95) == (True, True)
    assert set(planted) <= set(flagged)
    assert len(flagged) - 180 <= 0.005 * 6000
