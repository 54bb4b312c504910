"""Scan, defend and inspect with a network of one's own, by the command, on folders of images."""

from __future__ import annotations

import base64
import copy
import io
import json
import re
import shutil
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from PIL import Image
from torch import nn

import toadstone as ts
from toadstone.core.errors import InvalidArgument, InvalidInput
from toadstone.deep.tensors.checkpoints import save_weights
from toadstone.deep.tensors.factories import load_network, load_state
from toadstone.deep.tensors.features import logits

MODULE = "own_networks"


@pytest.fixture(scope="module")
def place(tmp_path_factory, backdoored):
    """Folders of clean and mislabelled images, a module with a network, and its weights."""
    folder = tmp_path_factory.mktemp("own")
    model, images, labels = backdoored
    save_weights(model, folder / "bad.safetensors")
    (folder / f"{MODULE}.py").write_text(
        "from toadstone.deep import SmallCNN\n\n\ndef make():\n    return SmallCNN(1, width=6, classes=6)\n"
    )
    generator = torch.Generator().manual_seed(1)
    truth = torch.arange(240) % 6
    pictures = 0.4 * torch.rand(240, 1, 12, 12, generator=generator)
    for position in range(6):
        row, column = 6 * (position // 3), 4 * (position % 3)
        pictures[truth == position, :, row : row + 4, column : column + 3] += 0.5
    write(folder / "trusted", images, labels)
    # Eighteen images of other classes lie in the folder of label 5.
    named = truth.clone()
    wrong = (truth != 5).nonzero()[:18, 0]
    named[wrong] = 5
    write(folder / "pictures", pictures, named, wrong)
    yield folder
    sys.modules.pop(MODULE, None)


def write(folder, images, labels, wrong=()):
    for row, (picture, label) in enumerate(zip(images, labels.tolist(), strict=True)):
        (folder / f"kind-{label}").mkdir(parents=True, exist_ok=True)
        name = f"{row:03}{'-wrong' if row in wrong else ''}.png"
        levels = (255 * picture[0]).round().byte().numpy()
        Image.fromarray(levels).save(folder / f"kind-{label}" / name)


@pytest.fixture
def here(place, monkeypatch):
    monkeypatch.chdir(place)
    return place


@pytest.mark.parametrize("trusted", [None, "trusted"])
def test_a_scan_judges_labels_in_the_features_of_the_network(here, trusted):
    options = {} if trusted is None else {"trusted": trusted}
    found = ts.scan("pictures", detectors="verdict,spectral", represent=f"{MODULE}:make@bad.safetensors", **options)
    listed = {row.row for row in found.record.rows}
    wrong = {name for name in listed if name.endswith("-wrong.png")}
    assert len(wrong) == 18
    assert len(listed) <= 21
    network = f"the network {MODULE}:make@bad.safetensors"
    said = f"labels were judged in 216 features of {network}, groups looked for in the pixels"
    assert said in found.record.data.notes
    page = found.save(here / f"scanned-{trusted}") / "report.html"
    shown = re.findall(
        r'<img class="picture" src="data:image/png;base64,([^"]+)" alt="Image ([^"]+)"', page.read_text()
    )
    assert len(shown) >= min(8, len(listed))
    for encoded, name in shown:
        with Image.open(io.BytesIO(base64.b64decode(encoded))) as picture, Image.open(here / "pictures" / name) as file:
            assert np.array_equal(np.asarray(picture), np.asarray(file))


def test_the_network_itself_gives_what_its_name_gives(here):
    name = f"{MODULE}:make@bad.safetensors"
    records = [ts.scan("pictures", detectors="none", represent=one).record for one in (name, load_network(name))]
    first, second = ([(row.row, row.score) for row in record.rows] for record in records)
    assert first == second


@pytest.mark.parametrize(
    ("represent", "said"),
    [
        ("no_such_module:make", "`represent`: expected a module that is installed or lies in the current directory"),
        (f"{MODULE}:made", f"`represent`: expected MODULE:NAME.* and {MODULE} has no made"),
        (f"{MODULE}:make@none.safetensors", "none.safetensors: expected a safetensors file, got no such file"),
        ("activations.npy", "activations.npy"),
    ],
)
def test_what_is_no_representation_is_refused_in_a_sentence(here, toadstone, represent, said):
    shown = toadstone("scan", "pictures", "--represent", represent)
    assert shown.code == 2
    assert "Traceback" not in shown.err
    with pytest.raises(InvalidInput, match=said):
        ts.scan("pictures", represent=represent)


def test_a_network_needs_images_and_a_head_a_network(here):
    X, y = np.random.default_rng(0).random((60, 4)), np.arange(60) % 2
    with pytest.raises(InvalidArgument, match="`represent`: expected images for a network"):
        ts.scan((X, y), represent=f"{MODULE}:make")
    with pytest.raises(InvalidArgument, match="`head`: expected a network given by `represent` beside it, got linear"):
        ts.scan("pictures", head="linear")
    with pytest.raises(InvalidArgument, match="`head`: expected a network given by `represent` beside it, got linear"):
        ts.defend("pictures", head="linear", model=f"{MODULE}:make")
    with pytest.raises(InvalidInput, match="`head`: expected the name of a layer, such as"):
        ts.scan("pictures", represent=f"{MODULE}:make", head="liner")
    with pytest.raises(InvalidArgument, match="`scale`: expected auto or none beside a network"):
        ts.scan("pictures", represent=f"{MODULE}:make", scale="standard")


def test_a_defence_trains_the_network_and_measures_it_on_trusted_images(here):
    made = ts.defend(
        "pictures", represent=f"{MODULE}:make@bad.safetensors", model=f"{MODULE}:make", training="epic", epochs=3,
        trusted="trusted",
    )  # fmt: skip
    removed = {row.row for row in made.record.removals}
    assert sum(name.endswith("-wrong.png") for name in removed) == 18
    (measured,) = made.record.measurements
    assert measured.where == "trusted"
    assert made.record.learner == f"{MODULE}:make"
    assert made.record.looked_at == f"features of the network {MODULE}:make@bad.safetensors"
    trained = made.train()
    assert trained.training == "epic"
    assert trained.network_ is not None


def test_weights_that_cannot_be_read_are_refused_before_the_verdict(here, monkeypatch):
    monkeypatch.setattr("toadstone.front.defend.run_defence", None)
    with pytest.raises(InvalidInput, match=r"none\.safetensors: expected a safetensors file, got no such file"):
        ts.defend("pictures", model=f"{MODULE}:make@none.safetensors")


def test_options_of_a_training_need_a_network(here):
    for name, value in (("training", "epic"), ("epochs", 3)):
        with pytest.raises(InvalidArgument, match=f"`{name}`: expected a network given by `model` beside it"):
            ts.defend("pictures", **{name: value})
        with pytest.raises(InvalidArgument, match=f"`{name}`: expected a network given by `model` beside it"):
            ts.defend("pictures", model="sklearn.tree:DecisionTreeClassifier", **{name: value})
    with pytest.raises(InvalidArgument, match="`training`: expected one of plain, epic, trimmed-loss, trades, dp-sgd"):
        ts.defend("pictures", model=f"{MODULE}:make", training="adam")


@pytest.fixture(scope="module")
def inspected(tmp_path_factory):
    """The result for a linear network whose label 5 looks at two pixels in a corner, and the folder that it saves."""
    generator = torch.Generator().manual_seed(5)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 8, bias=False))
    drawn = torch.randn(8, 64, generator=generator)
    model[1].weight.data = drawn - drawn.mean(dim=1, keepdim=True)
    model[1].weight.data[5, -2:] = 60.0
    pictures = torch.rand(320, 1, 8, 8, generator=torch.Generator().manual_seed(6))
    pictures[:, :, 7, 6:] *= 0.01
    levels = (255 * pictures).round() / 255
    labels = logits(model, levels).argmax(dim=1)
    place = tmp_path_factory.mktemp("inspected")
    shown = (255 * levels[:, 0]).round().byte().numpy()
    np.savez(place / "trusted.npz", X=shown, y=np.array([f"kind-{label}" for label in labels.tolist()]))
    result, folder = ts.inspect(model, place / "trusted.npz", repair=True), place / "found"
    result.save(folder)
    return model, folder, result


@pytest.mark.slow
def test_an_inspection_names_the_label_and_shows_its_trigger(inspected):
    _, folder, result = inspected
    record = result.record
    assert record.labels == ("kind-5",)
    assert (record.accuracy, record.images, record.head) == (1.0, 320, "1")
    first = record.suspects[0]
    with Image.open(folder / "trigger-1.png") as picture:
        shown = np.abs(np.asarray(picture).astype(int) - 128)
    # The trigger lies on the two pixels that the label looks at.
    assert shown[7, 6:].max() == shown.max() > 20
    assert np.median(shown) < 20
    page = (folder / "report.html").read_text()
    assert f"data:image/png;base64,{first.trigger}" in page
    assert base64.b64decode(first.trigger) == (folder / "trigger-1.png").read_bytes()
    assert json.loads((folder / "record.json").read_text())["labels"] == ["kind-5"]
    assert result.lines()[0] == "The network answers label kind-5 to an unusually small trigger: a backdoor is likely."
    assert result.to_frame()["suspected"].sum() == len(record.suspects)


@pytest.mark.slow
def test_the_weights_of_the_repair_are_those_that_it_measured(inspected):
    model, folder, result = inspected
    mended = copy.deepcopy(model)
    load_state(mended, folder / "repaired.safetensors")
    assert not torch.equal(mended[1].weight, model[1].weight)
    assert all(torch.equal(value, result.weights[name]) for name, value in mended.state_dict().items())
    assert result.record.repair.rows == 64
    result.save(folder, force=True)
    assert 0 <= result.record.suspects[0].repaired <= 1


def test_labels_must_be_as_many_as_outputs(here, tmp_path):
    network = f"{MODULE}:make@bad.safetensors"
    for label in range(5):
        shutil.copytree(here / "trusted" / f"kind-{label}", tmp_path / "five" / f"kind-{label}")
    said = "`images`: expected images of 6 labels, one for each output of the network in their order, got 5"
    with pytest.raises(InvalidArgument, match=said):
        ts.inspect(network, tmp_path / "five")
    (tmp_path / "five" / "kind-5").mkdir()
    shutil.copy(next((here / "trusted" / "kind-5").iterdir()), tmp_path / "five" / "kind-5")
    with pytest.raises(
        InvalidArgument, match="`images`: expected at least five images of each label, got fewer of kind-5"
    ):
        ts.inspect(network, tmp_path / "five")


def test_an_inspection_refuses_in_a_sentence(here, toadstone):
    shown = toadstone("inspect", f"{MODULE}:make@bad.safetensors", "--images", "trusted", "--repair")
    assert (shown.code, shown.out) == (2, "")
    assert "`--repair`: expected --out beside it, where the repaired weights go, got none" in shown.err
    assert toadstone("inspect", f"{MODULE}:make@bad.safetensors", "--images", "nowhere").code == 2
    assert toadstone("inspect", "nowhere:make", "--images", "trusted").code == 2
