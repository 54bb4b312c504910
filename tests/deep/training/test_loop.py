"""Training: it learns, it repeats itself to the byte, it goes on where it was interrupted."""

import copy
from dataclasses import dataclass

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn
from torch.nn.functional import cross_entropy

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.tensors.features import logits
from toadstone.deep.tensors.networks import SmallCNN, resnet8
from toadstone.deep.training.hyperparameters import TrainingConfig
from toadstone.deep.training.loop import plain, train
from toadstone.deep.training.progress import Checkpoint

FAST = TrainingConfig(epochs=4, batch=16, learning_rate=0.05, milestones=(2,), augmentation="flip-crop")


def stripes(count, seed=0):
    """Images of vertical or horizontal stripes, noisy."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 2
    wave = (torch.arange(12) % 4 < 2).float()
    horizontal = wave[:, None].expand(12, 12)
    images = torch.where(labels[:, None, None] == 0, horizontal, horizontal.T)[:, None].repeat(1, 3, 1, 1)
    noise = torch.rand(images.shape, generator=generator)
    return ((0.6 * images + 0.4 * noise) * 255).round().to(torch.uint8), labels


def small(seed=0):
    """With dropout, whose draws have to be repeated too."""
    model = resnet8(width=4, classes=2, seed=seed)
    head = nn.Linear(16, 2)
    head.load_state_dict(model.linear.state_dict())
    model.linear = nn.Sequential(nn.Dropout(0.2), head)
    return model


def state(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def equal(first, second):
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_it_learns():
    images, labels = stripes(96)
    model = SmallCNN(3, width=4, classes=2)
    history = train(model, images, labels, TrainingConfig(epochs=5, batch=16), seed=0)
    test_images, test_labels = stripes(100, seed=1)
    assert (logits(model, test_images).argmax(dim=1) == test_labels).float().mean() > 0.95
    assert history.epochs == 5
    assert history.losses[-1] < 0.5 * history.losses[0]
    assert history.accuracies[-1] > 0.9
    assert history.rows == (96,) * 5


@pytest.fixture(params=[1, 2])
def threads(request):
    """So many, for a while."""
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(1)


@pytest.mark.usefixtures("threads")
def test_the_same_seed_gives_the_same_bytes():
    # Few steps: where cores are busy, threads mostly wait for each other.
    config, runs = TrainingConfig(epochs=1, batch=20, augmentation="flip-crop"), []
    for seed in (3, 3, 4):
        model = small()
        history = train(model, IMAGES, LABELS, config, seed=seed)
        runs.append((state(model), history))
    assert equal(runs[0][0], runs[1][0])
    assert runs[0][1] == runs[1][1]
    assert not equal(runs[0][0], runs[2][0])


def test_modes_rng_and_inputs_are_left_alone():
    images, labels = stripes(40)
    model = small().eval()
    pixels, before = images.clone(), torch.get_rng_state()
    train(model, images, labels, TrainingConfig(epochs=1), seed=0)
    assert torch.equal(images, pixels)
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(module.training for module in model.modules())
    assert all(value.grad is None for value in model.parameters())


def test_one_step_is_sgd_with_nesterov_without_decay_of_biases():
    features = torch.randn(8, 5, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(8) % 3
    config = TrainingConfig(
        epochs=3, batch=8, learning_rate=0.1, momentum=0.5, weight_decay=0.1, milestones=(1,), factor=0.5
    )
    torch.manual_seed(0)
    model = nn.Linear(5, 3)
    weight, bias = (value.detach().clone().requires_grad_() for value in model.parameters())
    train(model, features, labels, config, seed=0)
    momenta = [torch.zeros_like(weight), torch.zeros_like(bias)]
    for rate in (0.1, 0.05, 0.05):
        gradients = torch.autograd.grad(cross_entropy(features @ weight.T + bias, labels), (weight, bias))
        for value, momentum, gradient, decay in zip((weight, bias), momenta, gradients, (0.1, 0.0), strict=True):
            with torch.no_grad():
                slope = gradient + decay * value
                momentum.mul_(0.5).add_(slope)
                value -= rate * (slope + 0.5 * momentum)
    torch.testing.assert_close(model.weight, weight)
    torch.testing.assert_close(model.bias, bias)


def test_every_row_is_seen_once_an_epoch_in_a_new_order_and_augmented_anew():
    count = 20
    marked = torch.arange(count, dtype=torch.uint8)[:, None, None, None].expand(count, 3, 8, 8).clone()
    marked[:, :, :, 0] = 255
    seen = []

    def spying(model, images, labels, generator):
        seen.append((images * 255).round().to(torch.int64))
        return plain(model, images, labels, generator)

    config = TrainingConfig(epochs=3, batch=20, augmentation="flip-crop")
    train(small(), marked, torch.arange(count) % 2, config, seed=0, objective=spying)
    orders = [images.flatten(1).min(dim=1).values.tolist() for images in seen]
    assert all(sorted(order) == list(range(count)) for order in orders)
    assert orders[0] != orders[1] != orders[2]
    columns = [
        (images[:, 0, 0] == 255)[torch.tensor(order).argsort()] for images, order in zip(seen, orders, strict=True)
    ]
    assert not torch.equal(columns[0], columns[1])


class Interrupting:
    """A watcher that raises before one epoch."""

    def __init__(self, at):
        self.at = at

    def before_epoch(self, epoch, model):
        if epoch == self.at:
            raise KeyboardInterrupt
        return None


class Dropping:
    """A watcher with a state: it drops a row each epoch, in an order of its own."""

    def __init__(self, count):
        self.active = torch.arange(count)
        self.log = []

    def before_epoch(self, epoch, model):
        loss = cross_entropy(logits(model, IMAGES[self.active]), LABELS[self.active], reduction="none")
        self.log.append(int(self.active[loss.argmax()]))
        self.active = self.active[self.active != self.log[-1]]
        return self.active

    def state_dict(self):
        return {"active": self.active, "log": self.log}

    def load_state_dict(self, saved):
        self.active, self.log = saved["active"], list(saved["log"])


@dataclass(frozen=True)
class Halved:
    """An objective with an option."""

    share: float

    def __call__(self, model, images, labels, generator):
        loss, given = plain(model, images, labels, generator)
        return self.share * loss, given


IMAGES, LABELS = stripes(40)


@pytest.mark.parametrize(("every", "at"), [(1, 1), (1, 3), (2, 3), (1, 0)])
def test_interrupted_training_resumes_to_the_same_bytes(tmp_path, every, at):
    whole = small()
    history = train(whole, IMAGES, LABELS, FAST, seed=5)
    checkpoint = Checkpoint(path=tmp_path / "training.safetensors", every=every)
    with pytest.raises(KeyboardInterrupt):
        train(small(), IMAGES, LABELS, FAST, seed=5, watcher=Interrupting(at), checkpoint=checkpoint)
    resumed = small() if at == 0 else small(seed=9)
    calls = []
    watcher = Interrupting(-1)
    watcher.before_epoch = lambda epoch, model: calls.append(epoch)
    assert train(resumed, IMAGES, LABELS, FAST, seed=5, watcher=watcher, checkpoint=checkpoint) == history
    assert calls == list(range(at - at % every, 4))
    assert equal(state(whole), state(resumed))


def test_the_state_of_a_watcher_is_resumed_too(tmp_path):
    whole, first = small(), Dropping(40)
    history = train(whole, IMAGES, LABELS, FAST, seed=5, watcher=first)
    assert history.rows == (39, 38, 37, 36)
    checkpoint = Checkpoint(path=tmp_path / "training.safetensors")
    broken = Dropping(40)
    torn = copy.copy(broken.before_epoch)
    broken.before_epoch = lambda epoch, model: torn(epoch, model) if epoch < 2 else 1 / 0
    with pytest.raises(ZeroDivisionError):
        train(small(), IMAGES, LABELS, FAST, seed=5, watcher=broken, checkpoint=checkpoint)
    resumed, second = small(seed=9), Dropping(40)
    assert train(resumed, IMAGES, LABELS, FAST, seed=5, watcher=second, checkpoint=checkpoint) == history
    assert second.log == first.log
    assert equal(state(whole), state(resumed))


def test_a_finished_training_is_only_loaded(tmp_path):
    checkpoint = Checkpoint(path=tmp_path / "training.safetensors", every=100)
    whole, again = small(), small(seed=9)
    history = train(whole, IMAGES, LABELS, FAST, seed=5, watcher=Interrupting(-1), checkpoint=checkpoint)
    assert train(again, IMAGES, LABELS, FAST, seed=5, watcher=Interrupting(3), checkpoint=checkpoint) == history
    assert equal(state(whole), state(again))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"config": TrainingConfig(epochs=4, batch=8)}, "batch 8, got one with 128"),
        ({"seed": 6}, "seed 6, got one with 5"),
        ({"labels": 1 - LABELS}, "rows"),
        ({"images": IMAGES.flip(2)}, "rows"),
        ({"watcher": Interrupting(-1)}, r"watcher Interrupting\(\), got one with none"),
        ({"objective": Halved(0.5)}, r"objective Halved\(share=0\.5\), got one with cross entropy"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path, change, name):
    checkpoint = Checkpoint(path=tmp_path / "training.safetensors")
    given = {"images": IMAGES, "labels": LABELS, "config": TrainingConfig(epochs=1), "seed": 5}
    train(small(), **given, checkpoint=checkpoint)
    given["config"] = TrainingConfig(epochs=1)
    given |= {"config": TrainingConfig(epochs=1, batch=8)} if name.startswith("batch") else change
    with pytest.raises(InvalidData, match=f"expected a checkpoint of this training, with {name}"):
        train(small(), **given, checkpoint=checkpoint)


def test_a_checkpoint_of_other_frozen_parameters_is_refused(tmp_path):
    checkpoint, config, models = (
        Checkpoint(path=tmp_path / "training"),
        TrainingConfig(epochs=1),
        [small() for _ in range(3)],
    )
    for model, frozen in zip(models, ("conv1", "conv1", "layer1"), strict=True):
        getattr(model, frozen).requires_grad_(False)
    for model in models[:2]:
        train(model, IMAGES, LABELS, config, seed=0, checkpoint=checkpoint)
    with pytest.raises(InvalidData, match=r"with frozen \d+ of \d+ parameters, .*, got one with 1 of"):
        train(models[2], IMAGES, LABELS, config, seed=0, checkpoint=checkpoint)


@pytest.mark.parametrize("path", ["", ".", "nowhere/training"])
def test_a_path_where_nothing_can_be_saved_is_refused_at_once(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidArgument, match=f"`path`: expected a file in an existing folder, got '{path}'"):
        train(small(), IMAGES, LABELS, FAST, seed=0, watcher=Interrupting(0), checkpoint=Checkpoint(path=path))


def test_a_state_that_no_file_can_hold_is_refused_at_once(tmp_path):
    watcher = Dropping(40)
    watcher.log = {3}
    with pytest.raises(InvalidArgument, match="`watcher`: expected a state of tensors and JSON values, got set"):
        train(small(), IMAGES, LABELS, FAST, seed=0, watcher=watcher, checkpoint=Checkpoint(path=tmp_path / "training"))
    assert watcher.log == {3}


def test_weights_that_no_loss_has_seen_are_looked_at_before_they_are_saved(tmp_path):
    checkpoint = Checkpoint(path=tmp_path / "training")
    features, config = IMAGES.flatten(1).float(), TrainingConfig(epochs=1, batch=40, learning_rate=3e38)
    head = nn.Linear(features.shape[1], 2)
    with pytest.raises(InvalidData, match="expected finite weights, got infinite or NaN in weight after epoch 0"):
        train(head, features, LABELS, config, seed=0, checkpoint=checkpoint)
    assert list(tmp_path.iterdir()) == []


def test_whole_numbers_may_be_those_of_numpy(tmp_path):
    checkpoint, config = Checkpoint(path=tmp_path / "training"), TrainingConfig(epochs=np.int64(1), batch=np.int32(20))
    first, again = (train(small(), IMAGES, LABELS, config, seed=np.int64(0), checkpoint=checkpoint) for _ in range(2))
    assert first == again


def test_a_loss_that_is_no_number_names_epoch_and_batch():
    model = small()

    class Spoiling:
        def before_epoch(self, epoch, model):
            if epoch == 2:
                model.conv1.weight.data[0] = torch.nan

    with pytest.raises(InvalidData, match="training: expected a finite loss, got nan in epoch 2, batch 0"):
        train(model, IMAGES, LABELS, FAST, seed=0, watcher=Spoiling())
    with pytest.raises(InvalidData, match=r"training: expected a finite loss, got (nan|inf) in epoch \d, batch \d"):
        train(SmallCNN(3, width=4, classes=2), IMAGES, LABELS, TrainingConfig(learning_rate=1e30), seed=0)


@pytest.mark.parametrize(
    ("rows", "got"),
    [
        (torch.tensor([0, 40]), "got 40"),
        (torch.tensor([-1]), "got -1"),
        (torch.tensor([], dtype=torch.int64), r"got torch.int64 of shape \(0,\)"),
        (torch.tensor([True, False]), r"got torch.bool of shape \(2,\)"),
        ([0, 1], "got list"),
    ],
)
def test_rows_that_do_not_exist_are_refused(rows, got):
    watcher = Interrupting(-1)
    watcher.before_epoch = lambda epoch, model: rows
    with pytest.raises(InvalidArgument, match=f"`watcher`: expected at least one index of a row from 0 to 39, .*{got}"):
        train(small(), IMAGES, LABELS, FAST, seed=0, watcher=watcher)


def test_a_last_batch_of_one_row_is_left_out():
    sizes = []

    def spying(model, images, labels, generator):
        sizes.append(len(images))
        return plain(model, images, labels, generator)

    history = train(small(), IMAGES[:33], LABELS[:33], TrainingConfig(epochs=1, batch=16), seed=0, objective=spying)
    assert history.rows == (33,)
    assert sizes == [16, 16]
    train(small(), IMAGES[:34], LABELS[:34], TrainingConfig(epochs=1, batch=16), seed=0, objective=spying)
    assert sizes[2:] == [16, 16, 2]


def test_the_loss_of_an_epoch_is_the_mean_over_its_rows():
    losses = []

    def spying(model, images, labels, generator):
        loss, given = plain(model, images, labels, generator)
        losses.append(float(loss.detach()))
        return loss, given

    history = train(small(), IMAGES[:34], LABELS[:34], TrainingConfig(epochs=1, batch=16), seed=0, objective=spying)
    expected = (16 * losses[0] + 16 * losses[1] + 2 * losses[2]) / 34
    assert history.losses == (pytest.approx(expected, rel=1e-12),)
    assert history.losses[0] != pytest.approx(sum(losses) / 3, rel=1e-3)


def test_frozen_parts_stay_and_keep_their_statistics():
    model = small()
    for value in model.parameters():
        value.requires_grad_(False)
    model.linear.requires_grad_(True)
    before = state(model)
    train(model, IMAGES, LABELS, FAST, seed=0)
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"linear.1.weight", "linear.1.bias"}
    model.linear.requires_grad_(False)
    with pytest.raises(InvalidArgument, match="`model`: expected parameters that require gradients, got none"):
        train(model, IMAGES, LABELS, FAST, seed=0)


def test_unfit_rows_are_refused_before_anything_is_trained():
    with pytest.raises(InvalidData, match="labels: expected whole numbers from 0 to 1, the classes of the head, got 2"):
        train(small(), IMAGES, LABELS + 1, FAST, seed=0)
    with pytest.raises(InvalidData, match="images: expected values in"):
        train(small(), IMAGES.float(), LABELS, FAST, seed=0)
    with pytest.raises(InvalidArgument, match="`seed`: expected a whole number from 0, got -1"):
        train(small(), IMAGES, LABELS, FAST, seed=-1)


def test_bfloat16_trains_single_precision_weights():
    model = SmallCNN(3, width=4, classes=2)
    history = train(model, IMAGES, LABELS, TrainingConfig(epochs=2, batch=16, precision="bfloat16"), seed=0)
    assert model.linear.weight.dtype == torch.float32
    assert history.losses[-1] < history.losses[0]
