"""Experiments on networks, on miniatures: every figure comes from the run, and a run can go on."""

from __future__ import annotations

import json
import math
import shutil
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.catalogue.published import PoisonSetups, PublishedPoison
from toadstone.experiments.conditions import Conditions
from toadstone.experiments.epic_2022 import backdoor as epic_backdoor
from toadstone.experiments.epic_2022 import fine_tuning as epic_fine_tuning
from toadstone.experiments.epic_2022 import published as epic_published
from toadstone.experiments.epic_2022 import scratch as epic_scratch
from toadstone.experiments.epic_2022 import transfer as epic_transfer
from toadstone.experiments.epic_2022.fine_tuning import FineTuningPlan
from toadstone.experiments.epic_2022.network_rows import NO_ATTACK, NO_HELP, TrialTotals, cells_of, panels_of, rows_of
from toadstone.experiments.epic_2022.transfer_parts import BULLSEYE, COLLISION, SPREAD, TrainedBody
from toadstone.experiments.epic_2022.trial_log import Planned, logged
from toadstone.records.trials import Trial

pytestmark = pytest.mark.deep

TRANSFER = epic_transfer.TransferPlan(
    contrast=TrainedBody(width=4, pooled=1, images=180, epochs=2),
    contrast_targets=1,
    targets=2,
    head_images=120,
    test_images=90,
    head_epochs=12,
    poisons=4,
    steps=3,
    attacks=(BULLSEYE, COLLISION, SPREAD),
    defences=("none", "EPIC-0.2", "random drop as EPIC-0.2", "feature vote", "spectral signatures"),
)
"""Without defences that ask for more rows than a miniature has."""


def pictures(count, *, channels=3, side=16, seed=0):
    """Images of six classes, each bright in its own part."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 6
    images = torch.randint(0, 120, (count, channels, side, side), generator=generator, dtype=torch.uint8)
    for position in range(6):
        row, column = side // 2 * (position // 3), side // 3 * (position % 3)
        images[labels == position, :, row : row + side // 3, column : column + side // 4] += 110
    return images, labels


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors wait for each other on many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def transfer_setups(count=3):
    """Bases of the class that each target is to be taken for, some of them beyond the first 120 images."""
    truth, wanted = np.arange(count) % 6, (np.arange(count) + 1) % 6
    bases = np.stack([label + 6 * np.array([1, 8, 25 + place, 30]) for place, label in enumerate(wanted)])
    return PoisonSetups(target_index=np.arange(count), target_class=truth, base_class=wanted, base_indices=bases)


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """Of a small body in place of the published one."""
    from toadstone.deep.tensors.networks import CIFAR10_DEVIATION, CIFAR10_MEAN, Normalise, ResNet

    body = ResNet((3, 3, 3), normalise=Normalise(CIFAR10_MEAN, CIFAR10_DEVIATION))
    file = tmp_path_factory.mktemp("body") / "weights.npz"
    np.savez(file, **{name: value.numpy() for name, value in body.state_dict().items() if "normalise" not in name})
    return file


def transferred(work, weights, plan=TRANSFER, **options):
    """The experiment on a miniature."""
    data = epic_transfer.TransferData(pictures(300), pictures(90, seed=1), transfer_setups(), weights)
    return epic_transfer.measure("epic-transfer", data, plan, Conditions(work=work, **options))


@pytest.fixture(scope="module")
def whole(tmp_path_factory, weights):
    """The folder of a run, and what it measured."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("transfer") / "work"
    measured = transferred(folder, weights)
    torch.set_num_threads(before)
    return folder, measured


def test_transfer_has_rows_for_every_attack_and_defence(whole):
    found = {row.what: row for row in whole[1].comparisons}
    for attack in TRANSFER.attacks:
        for defence in TRANSFER.defences[1:]:
            assert 0 <= found[f"{attack}, {defence}: poison dropped"].ours <= 1
            assert found[f"{attack}, {defence}: success"].interval is not None
    assert found["bullseye polytope, none: success"].paper.value == 0.86
    assert "bullseye polytope, none: poison dropped" not in found
    assert "no attack, feature vote: success" not in found
    assert found["no attack, body of 70\N{NO-BREAK SPACE}%, none: accuracy"].ours > 0.2
    assert "spread collisions, body of 70\N{NO-BREAK SPACE}%, none: success" not in found


def test_a_random_drop_takes_as_many_rows_as_epic(whole):
    trials = [json.loads(line) for line in (whole[0] / "trials.jsonl").read_text().splitlines()[1:]]
    dropped = {
        (trial["attack"], trial["defence"], trial["seed"]): (trial["flagged_poison"] or 0)
        + (trial["flagged_clean"] or 0)
        for trial in trials
    }
    pairs = [
        (count, dropped[attack, "random drop as EPIC-0.2", seed])
        for (attack, defence, seed), count in dropped.items()
        if defence == "EPIC-0.2" and (attack, "random drop as EPIC-0.2", seed) in dropped
    ]
    assert len(pairs) == 7
    assert max(count for count, _ in pairs) > 0
    assert all(count == same for count, same in pairs)


def test_panels_show_the_contrast_apart(whole):
    panels = {panel.title: [series.label for series in panel.series] for panel in whole[1].panels}
    contrast = ", body of 70\N{NO-BREAK SPACE}%"
    assert panels["Share of attacks that succeed"] == list(TRANSFER.attacks)
    assert panels[f"Share of attacks that succeed{contrast}"] == [BULLSEYE, COLLISION]
    assert panels["Accuracy on clean test images"][-1] == NO_ATTACK


def test_the_contrast_has_its_own_number_of_targets(tmp_path, weights):
    plan = replace(TRANSFER, targets=1, contrast_targets=3, attacks=(COLLISION,), defences=("none",))
    transferred(tmp_path / "work", weights, plan)
    trials = [json.loads(line) for line in (tmp_path / "work" / "trials.jsonl").read_text().splitlines()[1:]]
    counts = Counter(trial["attack"] for trial in trials)
    contrast = ", body of 70\N{NO-BREAK SPACE}%"
    assert (counts[COLLISION], counts[f"{COLLISION}{contrast}"]) == (1, 3)


def test_heads_on_images_that_the_body_has_not_seen(tmp_path, weights):
    plan = replace(TRANSFER, images="unseen", contrast=None, head_images=60, attacks=(BULLSEYE,), targets=1)
    measured = transferred(tmp_path / "work", weights, plan)
    found = {row.what: row for row in measured.comparisons}
    assert found["bullseye polytope, feature vote: success"].interval is not None
    # Thirty test images are left to test on.
    trials = [json.loads(line) for line in (tmp_path / "work" / "trials.jsonl").read_text().splitlines()[1:]]
    assert {trial["test_rows"] for trial in trials} == {30}


def test_more_targets_than_set_ups_are_refused(tmp_path, weights):
    with pytest.raises(InvalidData, match="targets: expected at most the 3 set-ups of the benchmark, got 4"):
        transferred(tmp_path / "work", weights, replace(TRANSFER, targets=4))


def test_fine_tuning_carries_several_targets_in_one_victim(tmp_path, weights):
    plan = FineTuningPlan(
        targets=3,
        targets_each=2,
        head_images=60,
        test_images=30,
        head_epochs=2,
        epochs=1,
        steps=2,
        attacks=(COLLISION,),
        defences=("none", "EPIC-0.2", "feature vote"),
    )
    data = epic_transfer.TransferData(pictures(300), pictures(90, seed=1), transfer_setups(), weights)
    measured = epic_fine_tuning.measure(data, plan, Conditions(work=tmp_path / "work"))
    trials = [json.loads(line) for line in (tmp_path / "work" / "trials.jsonl").read_text().splitlines()[1:]]
    assert [
        (trial["seed"], trial["goal_rows"], trial["poison_rows"]) for trial in trials if trial["defence"] == "none"
    ] == [
        (0, 2, 8),
        (1, 1, 4),
    ]
    assert {trial["poison_rows"] + trial["clean_rows"] for trial in trials} == {60}
    assert {row.what for row in measured.comparisons} >= {f"feature collision, {one}: success" for one in plan.defences}


def test_a_run_goes_on_where_it_stopped(whole, tmp_path, weights):
    folder, measured = whole
    copy = tmp_path / "work"
    shutil.copytree(folder, copy)
    lines = (folder / "trials.jsonl").read_bytes().splitlines(keepends=True)
    (copy / "trials.jsonl").write_bytes(b"".join(lines[:14]) + lines[14][:30])
    for name in ("bullseye-polytope", "body"):
        (copy / f"{name}.safetensors").unlink()
    assert transferred(copy, weights).comparisons == measured.comparisons
    again = (copy / "trials.jsonl").read_bytes().splitlines(keepends=True)
    assert again[:14] == lines[:14]
    timeless = [[{**json.loads(line), "seconds": 0} for line in each[1:]] for each in (lines, again)]
    assert timeless[0] == timeless[1]


def test_a_folder_of_another_seed_is_refused(whole, weights):
    with pytest.raises(InvalidArgument, match="`work`: expected"):
        transferred(whole[0], weights, seed=1)


def test_backdoor_counts_images_inputs_and_labels():
    plan = epic_backdoor.BackdoorPlan(
        training_images=240,
        test_images=60,
        width=4,
        epochs=4,
        rates=(0.1,),
        seeds=2,
        searched=12,
        search_epochs=1,
        false_alarm_rate=0.1,
        voters=5,
    )
    data = pictures(240, channels=1, side=12), pictures(600, channels=1, side=12, seed=1)
    measured = epic_backdoor.measure(*data, plan, Conditions())
    found = {row.what: row.ours for row in measured.comparisons}
    attack = "10\N{NO-BREAK SPACE}% with a square"
    assert found[f"{attack}, none: success"] >= 0
    assert 0 <= found[f"{attack}, STRIP: inputs with the trigger flagged"] <= 1
    assert found[f"{attack}, trigger inversion: backdoored labels found"] in (0, 1)
    assert 0 <= found["no attack, STRIP: clean inputs flagged"] <= 1
    assert "no attack, STRIP: inputs with the trigger flagged" not in found
    assert found[f"{attack}, activation clustering: clean rows dropped"] <= 1


def poison(name, train):
    """Twelve pictures of class 1, a little brighter."""
    bases = (train[1] == 1).nonzero()[:12, 0].numpy()
    change = np.full((12, 3, 16, 16), 3, dtype=np.int16)
    return PublishedPoison(
        name=name, change=change, base_indices=bases, target_index=2, base_class=1, target_class=2, radius=8
    )


def test_published_poisons_are_counted_where_their_goal_is_unknown(tmp_path):
    from toadstone.deep.tensors.networks import CIFAR10_DEVIATION, CIFAR10_MEAN, Normalise, ResNet

    train, test = pictures(400), pictures(60, seed=1)
    body = ResNet((3, 3, 3), normalise=Normalise(CIFAR10_MEAN, CIFAR10_DEVIATION))
    weights = tmp_path / "weights.npz"
    np.savez(weights, **{name: value.numpy() for name, value in body.state_dict().items()})
    plan = epic_published.PublishedPlan(
        transfer=("htbd", "targeted0"),
        scratch=("targeted0",),
        transfer_images=360,
        scratch_images=360,
        test_images=30,
        head_epochs=2,
        epochs=2,
        width=4,
        voters=5,
    )
    poisons = {name: poison(name, train) for name in ("htbd", "targeted0")}
    measured = epic_published.measure(epic_published.PublishedData(train, test, poisons, weights), plan, Conditions())
    found = {row.what: row.ours for row in measured.comparisons}
    assert "htbd in transfer, none: success" not in found
    assert found["targeted0 in transfer, none: success"] in (0, 1)
    assert found["targeted0 from scratch, EPIC-0.2: success"] in (0, 1)
    assert 0 <= found["htbd in transfer, medoid vote: poison dropped"] <= 1
    assert (train[0] == pictures(400)[0]).all()


SCRATCH = epic_scratch.ScratchPlan(
    width=4, training_images=150, poisons=5, targets=2, epochs=2, last_look=1, steps=2, voters=5
)


def setups():
    """Two set-ups of class 1 against class 0."""
    bases = np.arange(1, 181, 6)[None].repeat(2, axis=0)
    return PoisonSetups(
        target_index=np.array([0, 6]),
        target_class=np.array([0, 0]),
        base_class=np.array([1, 1]),
        base_indices=bases,
    )


def test_scratch_goes_on_and_leaves_no_checkpoint_of_a_finished_target(tmp_path):
    train, test, work = pictures(200), pictures(60, seed=1), tmp_path / "work"
    whole = epic_scratch.measure(train, test, setups(), SCRATCH, Conditions(work=work))
    found = {row.what: row.ours for row in whole.comparisons}
    assert 0 <= found["gradient matching, EPIC-0.1: poison dropped"] <= 1
    assert all(row.paper is None for row in whole.comparisons)
    left = sorted(path.name for path in work.iterdir())
    assert left == ["poisons-0.safetensors", "poisons-1.safetensors", "surrogate.safetensors", "trials.jsonl"]
    again = epic_scratch.measure(train, test, setups(), SCRATCH, Conditions(work=work))
    assert again.comparisons == whole.comparisons


def test_when_time_is_up_what_is_finished_is_reported(tmp_path):
    conditions = Conditions(work=tmp_path / "work", minutes=1e-9)
    made = Trial("a", "none", "", 0, poison_rows=1, clean_rows=9, test_rows=10, wrong_rows=1)
    with logged("name", "plan", replace(conditions, minutes=math.inf)) as log:
        log.run([Planned("a", "none", 0, lambda: made)])
    with logged("name", "plan", conditions) as log:
        trials = log.run([Planned("a", "none", seed, lambda: pytest.fail("too late")) for seed in (0, 1)])
        assert trials == (made,)
        assert log.cut_short
        assert log.notes(trials) == ("Stopped when time was up, after 1 trials; later ones are not in the table.",)


def trial(defence, seed, *, hit, dropped=None):
    return Trial(
        "attack",
        defence,
        "",
        seed,
        poison_rows=10,
        clean_rows=90,
        flagged_poison=dropped,
        flagged_clean=dropped,
        test_rows=100,
        wrong_rows=20,
        goal_rows=1,
        goal_reached=int(hit),
    )


def test_rows_add_up_trials_and_say_where_a_defence_does_not_help():
    trials = [trial("none", seed, hit=seed < 9) for seed in range(10)]
    trials += [trial("weak", seed, hit=seed < 7, dropped=5) for seed in range(10)]
    trials += [trial("strong", seed, hit=False, dropped=9) for seed in range(10)]
    found = {row.what: row for row in rows_of(cells_of(trials), judged=("weak", "strong"))}
    assert found["attack, none: success"].ours == 0.9
    assert (found["attack, weak: success"].note, found["attack, strong: success"].note) == (NO_HELP, "")
    assert found["attack, weak: poison dropped"].ours == 0.5
    assert found["attack, strong: clean rows dropped"].ours == 0.1
    assert found["attack, none: accuracy"].ours == 0.8
    assert found["attack, none: success"].interval.low == pytest.approx(0.596, abs=1e-3)


def test_an_attack_has_its_place_in_both_panels():
    trials = [replace(trial("none", 0, hit=False), attack=NO_ATTACK, goal_rows=None, goal_reached=None)]
    trials += [trial("none", 0, hit=True)]
    success, accuracy = panels_of(cells_of(trials))
    assert [series.label for series in success.series] == ["attack"]
    assert [series.label for series in accuracy.series] == ["attack", NO_ATTACK]


def test_nothing_is_said_of_a_defence_where_no_attack_succeeds():
    trials = [trial("none", seed, hit=False) for seed in range(3)]
    trials += [trial("weak", seed, hit=False, dropped=5) for seed in range(3)]
    found = {row.what: row for row in rows_of(cells_of(trials), judged=("weak",))}
    assert found["attack, weak: success"].note == ""


def test_cells_do_not_depend_on_the_order_of_trials():
    trials = [trial("none", seed, hit=seed % 2) for seed in range(4)]
    assert cells_of(trials) == cells_of(trials[::-1]) == (TrialTotals("attack", "none", tuple(trials)),)


@pytest.mark.parametrize(("option", "value"), [("scale", "huge"), ("minutes", 0.0), ("minutes", math.nan)])
def test_conditions_of_networks_are_checked(option, value):
    with pytest.raises(InvalidArgument, match=f"`{option}`: expected"):
        Conditions(**{option: value})
