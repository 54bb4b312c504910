"""Networks by name, and their weights from files that execute nothing."""

from __future__ import annotations

import pickle
import sys
import textwrap

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from safetensors.torch import save_file
from torch import nn

from toadstone.core.errors import InvalidArgument, InvalidData, InvalidInput
from toadstone.deep.tensors.checkpoints import save_weights
from toadstone.deep.tensors.factories import images_for, last_linear, load_network, load_state, represent
from toadstone.deep.tensors.networks import SmallCNN


def small() -> SmallCNN:
    return SmallCNN(width=2, classes=3, seed=4)


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A module in the current directory, under a name of its own for each test."""
    name = f"models_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(
        textwrap.dedent("""
        from toadstone.deep import SmallCNN

        def make():
            return SmallCNN(width=2, classes=3)

        READY = make()

        def nothing():
            return "a network"

        def broken():
            raise RuntimeError("no such layer")
        """)
    )
    monkeypatch.chdir(tmp_path)
    yield name
    sys.modules.pop(name, None)


@pytest.mark.parametrize("kind", ["safetensors", "own", "npz"])
def test_weights_of_each_kind_of_file(models, tmp_path, kind):
    model, file = small(), tmp_path / ("w.npz" if kind == "npz" else "w.safetensors")
    if kind == "safetensors":
        save_file({name: value.contiguous() for name, value in model.state_dict().items()}, file)
    elif kind == "own":
        save_weights(model, file)
    else:
        np.savez(file, **{name: value.numpy() for name, value in model.state_dict().items()})
    loaded = load_network(f"{models}:make@{file}")
    assert not loaded.training
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in loaded.state_dict().items())


def test_a_module_a_factory_and_an_attribute_will_do(models):
    model = small()
    assert load_network(model) is model
    assert isinstance(load_network(small), SmallCNN)
    assert isinstance(load_network(f"{models}:READY"), SmallCNN)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing", "expected a torch.nn.Module, or a function without arguments that returns one, got .*gives str"),
        ("broken", "RuntimeError in the call of .*: no such layer"),
        ("missing", "has no missing"),
    ],
)
def test_what_is_no_network_is_refused(models, name, said):
    with pytest.raises(InvalidInput, match=said):
        load_network(f"{models}:{name}", option="represent")


def test_pickles_are_never_loaded(models, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    for ending in ("pt", "pth", "th", "ckpt", "bin", "pkl"):
        file = tmp_path / f"weights.{ending}"
        file.write_bytes(pickle.dumps(Trap()))
        with pytest.raises(InvalidData, match="got a pickle, which is never loaded; write the weights with"):
            load_network(f"{models}:make@{file}")
    file = tmp_path / "weights.safetensors"
    file.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(InvalidData, match="expected a whole safetensors file"):
        load_network(f"{models}:make@{file}")
    assert not (tmp_path / "sprung").exists()


def test_weights_of_another_network_change_nothing(tmp_path):
    save_weights(SmallCNN(width=3, classes=3), tmp_path / "other.safetensors")
    model = small()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(InvalidData, match=r"other\.safetensors: expected .* of shape"):
        load_state(model, tmp_path / "other.safetensors")
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    with pytest.raises(InvalidData, match="got no such file"):
        load_state(model, tmp_path / "none.safetensors")
    with pytest.raises(InvalidData, match=r"expected weights in a file \.safetensors or \.npz, got '\.h5'"):
        load_state(model, tmp_path / "weights.h5")


def test_a_damaged_file_of_ours_is_refused(tmp_path):
    file = tmp_path / "own.safetensors"
    save_weights(small(), file)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(
        InvalidData, match=r"own\.safetensors: expected the content that was written, got a damaged file"
    ):
        load_state(small(), file)


def test_names_without_a_colon_are_of_timm(tmp_path, monkeypatch):
    with pytest.raises(InvalidArgument, match="a name of timm where timm is installed, got resnet18"):
        load_network("resnet18")
    (tmp_path / "timm.py").write_text(
        "from toadstone.deep import SmallCNN\n\ndef create_model(name, pretrained):\n"
        "    assert (name, pretrained) == ('resnet18', True)\n    return SmallCNN(width=2)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert isinstance(load_network("resnet18"), SmallCNN)
    monkeypatch.delitem(sys.modules, "timm")


def test_the_last_linear_layer_is_found():
    assert last_linear(small()) == "linear"
    with pytest.raises(InvalidArgument, match="`head`: expected the name of the last layer"):
        last_linear(nn.Sequential(nn.Conv2d(1, 2, 3)))


def test_features_are_those_of_the_last_layer():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1), dtype=np.uint8)
    found = represent(small, pixels)
    model = small().eval()
    seen = []
    model.linear.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255)
    assert np.allclose(found, seen[0].detach().numpy(), atol=1e-5)
    with pytest.raises(InvalidData, match="expected one that accepts images"):
        represent(lambda: SmallCNN(channels=3, width=2), np.zeros((2, 8, 8, 4), dtype=np.uint8))


def test_grey_images_become_three_channels_where_they_are_wanted():
    pixels = np.arange(64, dtype=np.uint8).reshape(1, 8, 8, 1)
    assert images_for(SmallCNN(channels=3, width=2), pixels).shape == (1, 3, 8, 8)
    assert images_for(SmallCNN(channels=1, width=2), pixels).shape == (1, 1, 8, 8)
