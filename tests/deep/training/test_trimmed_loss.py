"""The trimmed loss as a watcher."""

import pytest

torch = pytest.importorskip("torch")
from torch.nn.functional import cross_entropy

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.tensors.features import logits
from toadstone.deep.tensors.networks import SmallCNN
from toadstone.deep.training.hyperparameters import TrainingConfig
from toadstone.deep.training.loop import train
from toadstone.deep.training.trimmed_loss import TrimmedLoss


def test_rows_of_least_loss_among_all_are_chosen(backdoored):
    model, images, labels = backdoored
    watcher = TrimmedLoss(images=images, labels=labels, keep=0.75, warm_up=2)
    assert watcher.before_epoch(1, model) is None
    rows = watcher.before_epoch(2, model)
    assert rows.dtype == torch.int64
    assert len(rows) == 90
    losses = cross_entropy(logits(model, images), labels, reduction="none")
    left = torch.ones(120, dtype=torch.bool)
    left[rows] = False
    for label in range(6):
        mine = labels == label
        assert int((mine & ~left).sum()) >= 10
        assert not left[mine].any() or losses[mine & ~left].max() <= losses[mine & left].min()


def test_flipped_labels_are_left_out_of_training(backdoored):
    _, images, labels = backdoored
    wrong = labels.clone()
    wrong[:18] = (labels[:18] + 1) % 6
    model = SmallCNN(1, width=4, classes=6)
    watcher = TrimmedLoss(images=images, labels=wrong, keep=0.8, warm_up=4)
    config = TrainingConfig(epochs=10, batch=16, learning_rate=0.02)
    history = train(model, images, wrong, config, seed=0, watcher=watcher)
    assert history.rows == (120,) * 4 + (96,) * 6
    kept = watcher.before_epoch(10, model)
    assert int((kept < 18).sum()) <= 2


def test_unfit_requests_are_refused(backdoored):
    model, images, labels = backdoored
    with pytest.raises(InvalidArgument, match=r"`keep`: expected a number in \(0\.5, 1\], got 0\.5"):
        TrimmedLoss(images=images, labels=labels, keep=0.5)
    with pytest.raises(InvalidArgument, match="`warm_up`: expected a whole number from 0"):
        TrimmedLoss(images=images, labels=labels, warm_up=-1)
    with pytest.raises(InvalidArgument, match=r"`block`: expected a whole number from 1, got 1\.5"):
        TrimmedLoss(images=images, labels=labels, block=1.5)
    with pytest.raises(InvalidData, match="the classes of the head, got 6"):
        TrimmedLoss(images=images, labels=labels + 1).before_epoch(1, model)
