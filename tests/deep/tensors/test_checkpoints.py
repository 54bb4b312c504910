"""Weights in files that are whole, or refused in one sentence."""

import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import safetensors.torch

from toadstone.core.errors import InvalidData
from toadstone.deep.tensors.checkpoints import load_arrays, load_weights, read_tensors, save_weights, write_tensors
from toadstone.deep.tensors.features import logits
from toadstone.deep.tensors.networks import CIFAR10_DEVIATION, CIFAR10_MEAN, Normalise, ResNet, SmallCNN, resnet8


def same(first, second):
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_weights_come_back_bit_by_bit(tmp_path):
    saved, loaded = resnet8(width=4, seed=1).train(), resnet8(width=4, seed=2)
    saved(torch.rand(5, 3, 8, 8))
    for value in saved.parameters():
        value.data = value.data.contiguous(memory_format=torch.channels_last) if value.dim() == 4 else value.data
    save_weights(saved, tmp_path / "weights.safetensors")
    assert not same(saved, loaded)
    load_weights(loaded, tmp_path / "weights.safetensors")
    assert same(saved, loaded)
    assert [path.name for path in tmp_path.iterdir()] == ["weights.safetensors"]


def test_facts_and_kinds_of_tensors_come_back(tmp_path):
    tensors = {"a": torch.arange(3), "b": torch.tensor(2.5, dtype=torch.bfloat16), "c": torch.zeros(0, 4)}
    tensors["tied"] = tensors["a"]
    write_tensors(tmp_path / "f", tensors, {"epoch": 3, "losses": [0.1, 1 / 3]})
    found, facts = read_tensors(tmp_path / "f")
    assert facts == {"epoch": 3, "losses": [0.1, 1 / 3]}
    assert {name: (value.dtype, value.tolist()) for name, value in found.items()} == {
        name: (value.dtype, value.tolist()) for name, value in tensors.items()
    }


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda whole: whole[:-7], "expected a whole safetensors file, got "),
        (lambda whole: whole[:5], "expected a whole safetensors file, got "),
        (lambda whole: b"", "expected a whole safetensors file, got "),
        (lambda whole: pickle.dumps({"a": 1}), "expected a whole safetensors file, got "),
        (
            lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]),
            "expected the content that was written, got a dama",
        ),
        (lambda whole: whole.replace(b'\\"epoch\\": 3', b'\\"epoch\\": 4'), "expected the content that was written"),
        (lambda whole: safetensors.torch.save({"a": torch.zeros(2)}), "expected a checkpoint of toadstone, got format"),
    ],
)
def test_torn_damaged_and_foreign_files_are_refused_in_one_sentence(tmp_path, spoil, message):
    path = tmp_path / "file.safetensors"
    write_tensors(path, {"a": torch.rand(50)}, {"epoch": 3})
    whole = path.read_bytes()
    path.write_bytes(spoil(whole))
    assert path.read_bytes() != whole
    with pytest.raises(InvalidData, match=r"^file\.safetensors: " + message) as refused:
        read_tensors(path)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InvalidData, match="none: expected a whole safetensors file, got no such file"):
        read_tensors(tmp_path / "none")


def test_a_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in (tmp_path, ""):
        with pytest.raises(InvalidData, match=r"expected a whole safetensors file, got a folder"):
            read_tensors(path)


def test_weights_of_another_network_change_nothing(tmp_path):
    model, untouched = resnet8(width=4, seed=3), resnet8(width=4, seed=3)
    save_weights(SmallCNN(3, width=4), tmp_path / "cnn")
    save_weights(resnet8(width=4, classes=5), tmp_path / "five")
    with pytest.raises(InvalidData, match=r"cnn: expected the \d+ tensors of this model, got no layer1\.0\.conv1"):
        load_weights(model, tmp_path / "cnn")
    with pytest.raises(InvalidData, match=r"five: expected linear\.bias of shape \(10,\), got \(5,\)"):
        load_weights(model, tmp_path / "five")
    assert same(model, untouched)


def test_arrays_with_pickles_are_refused(tmp_path):
    np.savez(tmp_path / "evil.npz", a=np.array([{"x": 1}], dtype=object))
    with pytest.raises(InvalidData, match=r"evil\.npz: expected an npz of plain arrays, got "):
        load_arrays(resnet8(width=4), tmp_path / "evil.npz")
    (tmp_path / "no.npz").write_bytes(b"nonsense")
    np.save(tmp_path / "one.npy", np.zeros(3))
    save_weights(resnet8(width=4), tmp_path / "weights.safetensors")
    for name in ("no.npz", "one.npy", "weights.safetensors"):
        with pytest.raises(InvalidData, match=f"{name}: expected an npz of plain arrays, got a file of another kind"):
            load_arrays(resnet8(width=4), tmp_path / name)


@pytest.mark.data
def test_the_published_resnet20_reaches_its_accuracy(data_dir):
    from toadstone.deep.tensors.images import load_images

    model = ResNet((3, 3, 3), normalise=Normalise(CIFAR10_MEAN, CIFAR10_DEVIATION))
    load_arrays(model, data_dir / "cifar10_resnet20.npz")
    images, labels = load_images("cifar10", "test", folder=data_dir)
    right = logits(model, images).argmax(dim=1) == labels
    assert float(right.double().mean()) == pytest.approx(0.9173, abs=2e-4)
