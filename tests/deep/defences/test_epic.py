"""EPIC: who is dropped and who never, when, what is remembered of it, and in whose loop."""

from __future__ import annotations

import copy
import math
import sys
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, TensorDataset

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.defences.epic import EPIC, Drop
from toadstone.deep.defences.epic_schedule import Schedule
from toadstone.deep.defences.isolated_medoids import drop_isolated
from toadstone.deep.defences.torch_medoids import Drawn, InParts
from toadstone.deep.tensors.checkpoints import read_tensors, write_tensors
from toadstone.deep.tensors.features import head_gradients
from toadstone.deep.tensors.networks import SmallCNN
from toadstone.deep.training.hyperparameters import TrainingConfig
from toadstone.deep.training.loop import train
from toadstone.deep.training.progress import Checkpoint
from toadstone.deep.training.trimmed_loss import TrimmedLoss
from toadstone.deep.trials.run_trial import FixedRows

SIZES = (40, 25, 7, 1)


def problem(seed=0, sizes=SIZES, outliers=3):
    """Classes of different sizes in random order, most of their rows close, some far off."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.cat([torch.full((size,), code) for code, size in enumerate(sizes)])
    rows = 0.02 * torch.randn(len(labels), 4, generator=generator, dtype=torch.float64)
    far = torch.randperm(sizes[0], generator=generator)[:outliers]
    rows[far] += torch.randn(outliers, 4, generator=generator, dtype=torch.float64)
    order = torch.randperm(len(labels), generator=generator)
    return rows[order], labels[order]


def constant(gradients):
    return lambda model: gradients


class TestDropIsolated:
    @given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.99))
    @settings(max_examples=15)
    def test_what_is_returned_fits_together(self, seed, fraction):
        gradients, labels = problem(seed)
        found = drop_isolated(gradients, labels, fraction)
        n, codes = len(labels), labels.numpy()
        np.testing.assert_array_equal(np.sort(np.concatenate([found.kept, found.dropped])), np.arange(n))
        for code, size in enumerate(SIZES):
            assert (codes[found.medoids] == code).sum() == math.ceil(fraction * size)
            assert (codes[found.kept] == code).any()
        np.testing.assert_array_equal(codes[found.owners], codes)
        members = np.bincount(found.owners, minlength=n)
        np.testing.assert_array_equal(members[found.medoids], found.sizes)
        assert np.all(members[found.dropped] == 1)
        assert set(found.dropped) <= set(found.isolated)
        apart = (gradients - gradients[torch.from_numpy(found.owners)]).norm(dim=1).numpy()
        np.testing.assert_allclose(found.distances, apart, atol=1e-7)
        assert np.all(found.isolation >= found.distances)

    def test_classes_do_not_see_each_other(self):
        gradients, labels = problem(1)
        found = drop_isolated(gradients, labels, 0.2)
        for code in range(len(SIZES)):
            own = (labels == code).nonzero()[:, 0]
            alone = drop_isolated(gradients[own], labels[own], 0.2)
            np.testing.assert_array_equal(own.numpy()[alone.dropped], np.intersect1d(found.dropped, own.numpy()))

    def test_planted_outliers_are_dropped_and_coincident_ones_are_not(self):
        rows = torch.cat([0.01 * torch.arange(20.0)[:, None], torch.tensor([[4.0], [9.0], [9.0]])])
        found = drop_isolated(rows, torch.zeros(23, dtype=torch.int64), 0.2)
        assert 20 in found.dropped
        assert 21 not in found.dropped
        assert 22 not in found.dropped
        assert set(found.ranking[:3]) == {20, 21, 22}

    @pytest.mark.parametrize("fraction", [1e-9, 0.02])
    def test_one_medoid_for_each_class_drops_nothing(self, fraction):
        gradients, labels = problem(2)
        found = drop_isolated(gradients, labels, fraction)
        assert len(found.medoids) == len(SIZES)
        assert found.dropped.tolist() == []

    def test_the_cap_takes_the_most_isolated_of_each_class(self):
        gradients, labels = problem(3)
        whole, capped = (drop_isolated(gradients, labels, 0.3, max_dropped=most) for most in (1.0, 0.06))
        codes = labels.numpy()
        for code, size in enumerate(SIZES):
            mine = whole.dropped[codes[whole.dropped] == code]
            first = mine[np.argsort(-whole.isolation[mine], kind="stable")][: int(0.06 * size)]
            assert sorted(first) == capped.dropped[codes[capped.dropped] == code].tolist()
        assert 0 < len(capped.dropped) < len(whole.dropped)

    def test_a_cap_of_nothing_only_ranks(self):
        gradients, labels = problem(3)
        whole, ranked = (drop_isolated(gradients, labels, 0.3, max_dropped=most) for most in (1.0, 0.0))
        assert ranked.dropped.tolist() == []
        np.testing.assert_array_equal(ranked.isolated, whole.isolated)
        np.testing.assert_array_equal(ranked.ranking, whole.ranking)
        assert np.all(np.diff(ranked.isolation[ranked.ranking]) <= 0)

    def test_threads_do_not_matter(self):
        gradients, labels = problem(4)
        one = drop_isolated(gradients, labels, 0.2)
        torch.set_num_threads(3)
        three = drop_isolated(gradients, labels, 0.2)
        np.testing.assert_array_equal(one.dropped, three.dropped)
        np.testing.assert_array_equal(one.medoids, three.medoids)

    def test_any_chooser(self):
        gradients, labels = problem(5)
        drawn = drop_isolated(gradients, labels, 0.2, choose=Drawn(seed=1))
        parts = drop_isolated(gradients, labels, 0.2, choose=InParts(rows=10))
        assert len(drawn.medoids) == len(parts.medoids)
        assert parts.distances.sum() < drawn.distances.sum()

    @pytest.mark.parametrize(("fraction", "cap", "name"), [(0, 1, "fraction"), (1, 1, "fraction"), (0.1, 2, "max_dr")])
    def test_numbers_out_of_range(self, fraction, cap, name):
        with pytest.raises(InvalidArgument, match=f"`{name}.*: expected a number in"):
            drop_isolated(*problem(), fraction, max_dropped=cap)

    def test_gradients_and_labels_that_do_not_fit(self):
        gradients, labels = problem()
        with pytest.raises(InvalidData, match="gradients: expected a finite matrix"):
            drop_isolated(gradients * torch.nan, labels, 0.1)
        with pytest.raises(InvalidData, match=r"labels: expected 73, one for each row, got shape \(72,\)"):
            drop_isolated(gradients, labels[1:], 0.1)
        with pytest.raises(InvalidData, match=r"labels: expected a tensor of int64, got torch.float64"):
            drop_isolated(gradients, labels.double(), 0.1)
        with pytest.raises(InvalidData, match=r"labels: expected a tensor of int64, got ndarray"):
            drop_isolated(gradients, labels.numpy(), 0.1)
        with pytest.raises(InvalidData, match=r"gradients: expected a finite matrix .*, a tensor, got ndarray"):
            drop_isolated(gradients.numpy(), labels, 0.1)
        with pytest.raises(InvalidData, match="labels: expected whole numbers from 0, got -1"):
            drop_isolated(gradients, labels - 1, 0.1)

    def test_what_is_not_finite_is_named(self):
        gradients, labels = problem()
        gradients[5, 2] = -torch.inf
        with pytest.raises(InvalidData, match=r"gradients: expected a finite matrix .*, got -inf in row 5"):
            drop_isolated(gradients, labels, 0.1)

    def test_equal_rows_are_not_isolated(self):
        labels = torch.zeros(60, dtype=torch.int64)
        same = drop_isolated(torch.zeros(60, 3), labels, 0.3)
        assert same.dropped.tolist() == same.isolated.tolist() == []
        # So many medoids that the rows at 9 are medoids both: they equal each other, the one at 5 nobody.
        rows = torch.cat([torch.zeros(57, 1), torch.tensor([[5.0], [9.0], [9.0]])])
        assert drop_isolated(rows, labels, 0.1).dropped.tolist() == [57]


class TestSchedule:
    def test_when_it_is_due(self):
        schedule = Schedule(warm_up=3, interval=4, last_epoch=12)
        assert [epoch for epoch in range(30) if schedule.due(epoch)] == [3, 7, 11]
        assert Schedule(warm_up=0).due(1000)

    @pytest.mark.parametrize(
        "options",
        [
            {"fraction": 0.0},
            {"warm_up": -1},
            {"interval": 0},
            {"warm_up": math.nan},
            {"interval": 2.5},
            {"warm_up": 5, "last_epoch": 7.5},
            {"warm_up": 5, "last_epoch": 4},
            {"max_dropped": -0.1},
            {"variant": "other"},
        ],
    )
    def test_values_out_of_range(self, options):
        with pytest.raises(InvalidArgument, match=f"`{list(options)[-1]}`: expected"):
            Schedule(**options)


class TestEPIC:
    def test_it_drops_for_good_and_remembers(self):
        gradients, labels = problem(6)
        calls, moving = [], torch.Generator().manual_seed(0)

        def noisy(model):
            calls.append(model)
            return gradients + 0.05 * torch.randn(gradients.shape, generator=moving, dtype=torch.float64)

        defence, model = EPIC(labels, Schedule(fraction=0.2, warm_up=2, interval=2, last_epoch=7), noisy), nn.Identity()
        before, kept = set(range(len(labels))), []
        for epoch in range(12):
            rows = defence.before_epoch(epoch, model).tolist()
            assert set(rows) <= before
            assert rows == sorted(rows)
            before = set(rows)
            kept.append(len(rows))
        assert calls == [model] * 3
        assert kept[:2] == [len(labels)] * 2
        assert kept[1] > kept[2] >= kept[4] > kept[6] == kept[11]
        assert {drop.row for drop in defence.drops} == set(range(len(labels))) - before
        assert {2, 6} <= {drop.epoch for drop in defence.drops} <= {2, 4, 6}
        assert all(drop.label == labels[drop.row] and drop.distance > 0 for drop in defence.drops)
        assert set(labels[defence.rows].tolist()) == {0, 1, 2, 3}

    def test_a_reason_in_words(self):
        assert Drop(4, 17, 3, 0.125).reason == (
            "before epoch 4 its gradient was a medoid of class 3 without members; the nearest other is 0.125 away"
        )

    def test_rows_are_those_given_though_others_left(self):
        gradients, labels = problem(7)
        defence = EPIC(labels, Schedule(fraction=0.2, warm_up=0), constant(gradients))
        first = defence.look(0, gradients)
        left = defence.rows
        again = drop_isolated(gradients[left], labels[left], 0.2)
        second = defence.look(1, gradients)
        assert [drop.row for drop in second] == left[torch.from_numpy(again.dropped)].tolist()
        assert defence.drops == first + second
        np.testing.assert_array_equal(defence.latest.dropped, again.dropped)
        np.testing.assert_array_equal(defence.clustered, left)

    def test_the_released_variant_clusters_dropped_rows_too(self):
        gradients, labels = problem(7)
        defence = EPIC(labels, Schedule(fraction=0.2, warm_up=0, variant="released"), constant(gradients))
        first, second = defence.look(0, gradients), defence.look(1, gradients)
        assert first
        # The same gradients of the same rows: the same medoids, which are gone already.
        assert second == ()
        assert len(defence.clustered) == len(labels)

    def test_no_look_of_the_released_variant_empties_a_class(self):
        labels = torch.zeros(4, dtype=torch.int64)
        defence = EPIC(labels, Schedule(fraction=0.9, warm_up=0, variant="released"), constant(None))
        for epoch in range(6):
            rows = torch.randn(4, 2, generator=torch.Generator().manual_seed(epoch))
            defence.look(epoch, rows)
        assert len(defence.rows) == 1

    def test_a_cap_of_nothing_only_ranks(self):
        gradients, labels = problem(8)
        defence = EPIC(labels, Schedule(fraction=0.2, warm_up=0, max_dropped=0), constant(gradients))
        assert len(defence.before_epoch(0, nn.Identity())) == len(labels)
        assert defence.drops == ()
        ranked = defence.clustered[torch.from_numpy(defence.latest.ranking.copy())]
        assert len(ranked) == len(labels)

    def test_bad_input(self):
        gradients, labels = problem()
        with pytest.raises(InvalidData, match="labels: expected one for each row, got shape"):
            EPIC(labels[:0], Schedule(), constant(gradients))
        with pytest.raises(InvalidData, match=r"labels: expected a tensor of int64, got torch.float32"):
            EPIC(labels.float(), Schedule(), constant(gradients))
        with pytest.raises(InvalidData, match=r"labels: expected a tensor of int64, got list"):
            EPIC(labels.tolist(), Schedule(), constant(gradients))
        with pytest.raises(InvalidData, match="labels: expected whole numbers from 0, got -2"):
            EPIC(labels - 2, Schedule(), constant(gradients))
        defence = EPIC(labels, Schedule(), constant(gradients))
        with pytest.raises(InvalidData, match="gradients: expected 73 rows, one for each label, got 72"):
            defence.look(0, gradients[1:])
        with pytest.raises(InvalidData, match=r"gradients: expected a finite matrix .*, got list"):
            defence.look(0, gradients.tolist())
        with pytest.raises(InvalidData, match="state: expected one of 73 rows, got"):
            defence.load_state_dict(EPIC(labels[1:], Schedule(), constant(gradients)).state_dict())

    def test_a_saturated_network_loses_no_row(self):
        labels = torch.zeros(30, dtype=torch.int64)
        defence = EPIC(labels, Schedule(fraction=0.3, warm_up=0), constant(torch.zeros(30, 4)))
        for epoch in range(3):
            assert len(defence.before_epoch(epoch, nn.Identity())) == 30

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda state: {}, "expected active to be a vector of torch.bool, got NoneType"),
            (lambda state: {"active": state["active"]}, "expected epochs to be a vector of torch.int64, got NoneType"),
            (lambda state: {**state, "active": state["active"].double()}, "got torch.float64"),
            (lambda state: {**state, "rows": state["rows"][:-1]}, "as many epochs as rows and distances, got 3, 2 and"),
            (lambda state: {**state, "rows": state["rows"] + 10**6}, "expected rows to be the inactive ones"),
            (lambda state: {**state, "rows": state["rows"][[0, 0, 1]]}, "expected rows to be the inactive ones"),
            (lambda state: {**state, "epochs": -1 - state["epochs"]}, "expected epochs and distances of at least 0"),
            (lambda state: {**state, "distances": state["distances"] * torch.nan}, "expected epochs and distances"),
        ],
    )
    def test_a_state_is_taken_whole_or_not_at_all(self, change, message):
        gradients, labels = problem(6)
        defence, other = (EPIC(labels, Schedule(fraction=0.2), constant(gradients)) for _ in range(2))
        defence.look(0, gradients)
        assert len(defence.drops) == 3
        with pytest.raises(InvalidData, match=f"state: .*{message}"):
            other.load_state_dict(change(defence.state_dict()))
        assert other.drops == ()
        assert other.active.all()


def images(count=60, seed=0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 2
    pixels = 0.5 * torch.rand(count, 1, 8, 8, generator=generator)
    pixels[labels == 1, :, :4] += 0.5
    return (255 * pixels).to(torch.uint8), labels


SCHEDULE = Schedule(fraction=0.3, warm_up=1, interval=1)


def defended(pixels, labels, **options):
    return EPIC(labels, replace(SCHEDULE, **options), lambda model: head_gradients(model, pixels, labels))


class TestLoops:
    def test_as_watcher_of_our_training_interrupted_or_not(self, tmp_path):
        pixels, labels = images()
        config, kept = TrainingConfig(epochs=4, batch=16, learning_rate=0.05), Checkpoint(path=tmp_path / "training")
        model, defence = SmallCNN(1, width=2, classes=2), defended(pixels, labels)
        fresh = copy.deepcopy(model)
        history = train(model, pixels, labels, config, seed=0, watcher=defence)
        assert history.rows[0] == 60
        assert history.rows[-1] == len(defence.rows) < 60
        stops = defended(pixels, labels)
        stops.before_epoch = interrupted(stops.before_epoch, at=3)
        with pytest.raises(KeyboardInterrupt):
            train(fresh, pixels, labels, config, seed=0, watcher=stops, checkpoint=kept)
        again = defended(pixels, labels)
        resumed = train(fresh, pixels, labels, config, seed=0, watcher=again, checkpoint=kept)
        assert resumed.rows == history.rows
        assert again.drops == defence.drops
        for name, value in fresh.state_dict().items():
            assert torch.equal(value, model.state_dict()[name])

    def test_in_a_loop_of_ones_own(self):
        pixels, labels = images()
        model, defence = SmallCNN(1, width=2, classes=2), defended(pixels, labels)
        loader = DataLoader(TensorDataset(pixels, labels, torch.arange(60)), batch_size=8, sampler=defence.sampler())
        optimiser, orders = torch.optim.SGD(model.parameters(), lr=0.05), []
        for epoch in range(3):
            defence.before_epoch(epoch, model)
            seen = []
            for batch, wanted, rows in loader:
                nn.functional.cross_entropy(model(batch.float() / 255), wanted).backward()
                optimiser.step()
                optimiser.zero_grad()
                seen += rows.tolist()
            assert sorted(seen) == defence.rows.tolist()
            assert len(loader.sampler) == len(seen)
            orders.append(seen)
        assert len(orders[0]) == 60 > len(orders[2])
        assert orders[0] != sorted(orders[0])

    def test_its_state_survives_a_file(self, tmp_path):
        pixels, labels = images()
        model, defence = SmallCNN(1, width=2, classes=2), defended(pixels, labels)
        for epoch in range(3):
            defence.before_epoch(epoch, model)
        assert defence.drops
        write_tensors(tmp_path / "state.safetensors", defence.state_dict(), {})
        again = defended(pixels, labels)
        again.load_state_dict(read_tensors(tmp_path / "state.safetensors")[0])
        assert again.drops == defence.drops
        assert torch.equal(again.active, defence.active)


def interrupted(before_epoch, *, at):
    """Stopped before an epoch, as by Ctrl-C."""

    def stopping(epoch, model):
        if epoch == at:
            raise KeyboardInterrupt
        return before_epoch(epoch, model)

    return stopping


def test_a_checkpoint_tells_its_watcher(tmp_path):
    pixels, labels = images()
    config, kept = TrainingConfig(epochs=2, batch=16, learning_rate=0.05), Checkpoint(path=tmp_path / "training")

    def trained(watcher, checkpoint=kept):
        train(SmallCNN(1, width=2, classes=2), pixels, labels, config, seed=0, watcher=watcher, checkpoint=checkpoint)

    trained(defended(pixels, labels))
    trained(defended(pixels, labels))
    refused = r"training: expected a checkpoint of this training, with watcher {}, got one with EPIC\(Schedule\(.*\)"
    others = [
        (None, "none"),
        (TrimmedLoss(images=pixels, labels=labels), r"TrimmedLoss\(keep=0.8, warm_up=1\)"),
        (FixedRows(torch.arange(60)), r"FixedRows\(rows=[0-9a-f]{64}\)"),
        (defended(pixels, labels, fraction=0.2), r"EPIC\(Schedule\(fraction=0.2, .*, choose=exact_medoids\)"),
        (EPIC(labels, SCHEDULE, constant(None), choose=Drawn(seed=2)), r"EPIC\(.*, choose=Drawn\(seed=2\)\)"),
    ]
    for other, line in others:
        with pytest.raises(InvalidData, match=refused.replace("{}", line)):
            trained(other)
    undefended = Checkpoint(path=tmp_path / "undefended")
    trained(None, undefended)
    with pytest.raises(InvalidData, match=r"with watcher EPIC\(.*\), got one with none"):
        trained(defended(pixels, labels), undefended)


@pytest.mark.parametrize("made", [defended, lambda pixels, labels: TrimmedLoss(images=pixels, labels=labels)])
def test_a_watcher_of_other_rows_is_refused(made):
    pixels, labels = images()
    with pytest.raises(InvalidArgument, match=r"`watcher`: expected one made for 60 rows, .*, got 20"):
        train(
            SmallCNN(1, width=2, classes=2),
            pixels,
            labels,
            TrainingConfig(),
            seed=0,
            watcher=made(pixels[:20], labels[:20]),
        )


@pytest.mark.parametrize("other", [None, Schedule()])
def test_a_callback_of_something_else_is_refused(other):
    from toadstone.deep.defences.epic_lightning import epic_callback

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
    from toadstone.deep.defences.epic_lightning import epic_callback

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
    from toadstone.deep.defences.epic_lightning import epic_callback

    monkeypatch.setitem(sys.modules, "lightning", None)
    monkeypatch.setitem(sys.modules, "lightning.pytorch", None)
    with pytest.raises(
        ModuleNotFoundError, match=r"needs Lightning, which is not installed: pip install '\.\[lightning\]' in"
    ):
        epic_callback(defended(*images()))


@pytest.mark.filterwarnings("ignore")
def test_as_callback_of_lightning(tmp_path):
    pl = pytest.importorskip("lightning.pytorch")
    from toadstone.deep.defences.epic_lightning import epic_callback

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
