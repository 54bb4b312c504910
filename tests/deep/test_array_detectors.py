"""What a network sees, as arrays, in the detectors that need no torch."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from toadstone.deep.tensors.features import activations, logits
from toadstone.deep.tensors.images import load_images
from toadstone.deep.tensors.networks import HEAD, SmallCNN
from toadstone.deep.training.hyperparameters import TrainingConfig
from toadstone.deep.training.loop import train
from toadstone.deep.training.per_sample_gradients import per_sample_gradients
from toadstone.detectors.features.activation import ActivationClustering
from toadstone.detectors.features.gradient import GradientSimilarity


@pytest.fixture
def suspicious(backdoored, stamp):
    """Clean images, then five of other classes with the trigger, labelled as it demands."""
    _, images, labels = backdoored
    planted = stamp(images[labels != 2][:5])
    return torch.cat([images, planted]), torch.cat([labels, torch.full((5,), 2)])


def test_activations_go_into_activation_clustering(backdoored, suspicious):
    images, labels = suspicious
    seen = activations(backdoored[0], HEAD, images).numpy()
    detector = ActivationClustering().fit(seen, labels.numpy())
    assert detector.flagged_indices_.tolist() == list(range(120, 125))


def test_gradients_of_rows_go_into_the_detector_of_gradients(backdoored, suspicious):
    images, labels = suspicious
    wrong = labels.clone()
    wrong[:3] = (wrong[:3] + 1) % 6
    generator = torch.Generator().manual_seed(0)
    rows = per_sample_gradients(backdoored[0], images, wrong, dimensions=64, generator=generator)
    norms = rows.norm(dim=1)
    assert set(norms.topk(3).indices.tolist()) == {0, 1, 2}
    assert GradientSimilarity().fit(rows.numpy(), wrong.numpy()).suspicion_.shape == (125,)


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
