"""EPIC: who is dropped and who never, when, what is remembered of it, and in whose loop."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.defences.epic import EPIC, Drop
from toadstone.deep.defences.epic_schedule import Schedule
from toadstone.deep.defences.isolated_medoids import drop_isolated
from toadstone.deep.defences.torch_medoids import Drawn
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
