"""EPIC as a callback of Lightning."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, TensorDataset

from toadstone.core.errors import InvalidArgument
from toadstone.deep.defences.epic import EPIC
from toadstone.deep.defences.epic_lightning import epic_callback
from toadstone.deep.defences.epic_schedule import Schedule
from toadstone.deep.tensors.features import head_gradients
from toadstone.deep.tensors.networks import SmallCNN


def images(count=60, seed=0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 2
    pixels = 0.5 * torch.rand(count, 1, 8, 8, generator=generator)
    pixels[labels == 1, :, :4] += 0.5
    return (255 * pixels).to(torch.uint8), labels


SCHEDULE = Schedule(fraction=0.3, warm_up=1, interval=1)


def defended(pixels, labels, **options):
    return EPIC(labels, replace(SCHEDULE, **options), lambda model: head_gradients(model, pixels, labels))


@pytest.mark.parametrize("other", [None, Schedule()])
def test_a_callback_of_something_else_is_refused(other):
    with pytest.raises(InvalidArgument, match=f"`defence`: expected an EPIC, got {type(other).__name__}"):
        epic_callback(other)


def steps(pl, note):
    """A network in Lightning that tells of each batch."""

    class Steps(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = SmallCNN(1, width=2, classes=2)

        def forward(self, batch):
            return self.net(batch)

        def training_step(self, batch, _):
            note(batch, self.current_epoch)
            return nn.functional.cross_entropy(self(batch[0].float() / 255), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.05)

    return Steps()


@pytest.mark.filterwarnings("ignore")
def test_a_loader_that_draws_dropped_rows_is_refused_by_lightning(tmp_path):
    pl = pytest.importorskip("lightning.pytorch")
    pixels, labels = images()
    defence, data = defended(pixels, labels), TensorDataset(pixels, labels)

    def fit(loader):
        quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
        silent = {**quiet, "enable_checkpointing": False, "default_root_dir": tmp_path}
        pl.Trainer(max_epochs=1, accelerator="cpu", callbacks=[epic_callback(defence)], **silent).fit(
            steps(pl, lambda batch, epoch: None), loader
        )

    for options in ({"shuffle": True}, {"sampler": defended(pixels, labels).sampler()}):
        with pytest.raises(InvalidArgument, match=r"`train_dataloaders`: expected a loader with sampler="):
            fit(DataLoader(data, batch_size=30, **options))
    fit(DataLoader(data, batch_sampler=BatchSampler(defence.sampler(), 30, drop_last=False)))


def test_lightning_that_is_not_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightning", None)
    monkeypatch.setitem(sys.modules, "lightning.pytorch", None)
    with pytest.raises(
        ModuleNotFoundError, match=r"needs Lightning, which is not installed: pip install '\.\[lightning\]' in"
    ):
        epic_callback(defended(*images()))


@pytest.mark.filterwarnings("ignore")
def test_as_callback_of_lightning(tmp_path):
    pl = pytest.importorskip("lightning.pytorch")
    pixels, labels = images()
    seen = [[], [], []]

    def note(batch, epoch):
        seen[epoch].extend(batch[2].tolist())

    defence = defended(pixels, labels)
    loader = DataLoader(TensorDataset(pixels, labels, torch.arange(60)), batch_size=8, sampler=defence.sampler())
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = pl.Trainer(
        max_epochs=3, accelerator="cpu", callbacks=[epic_callback(defence)], default_root_dir=tmp_path, **quiet
    )
    trainer.fit(steps(pl, note), loader)
    assert sorted(seen[0]) == list(range(60))
    for epoch in (1, 2):
        gone = {drop.row for drop in defence.drops if drop.epoch <= epoch}
        assert sorted(seen[epoch]) == sorted(set(range(60)) - gone)
    assert any(drop.epoch == 1 for drop in defence.drops)
    (saved,) = tmp_path.rglob("*.ckpt")
    state = torch.load(saved, weights_only=True)["callbacks"]
    assert any(torch.equal(each["active"], defence.active) for each in state.values() if "active" in each)
