"""Images from arrays and from public archives."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.tensors.images import as_input, from_arrays, load_images


@pytest.fixture
def small_cifar(tmp_path):
    rng = np.random.default_rng(1)
    pictures, labels = rng.integers(0, 256, (20, 3, 32, 32), np.uint8), rng.integers(0, 10, 20).astype(np.uint8)
    (tmp_path / "cifar-10-batches-bin").mkdir()
    rows = np.column_stack([labels, pictures.reshape(20, -1)])
    (tmp_path / "cifar-10-batches-bin" / "test_batch.bin").write_bytes(rows.tobytes())
    return tmp_path, pictures, labels


def test_the_binary_version_of_cifar10_is_read(small_cifar):
    folder, pictures, labels = small_cifar
    images, classes = load_images("cifar10", "test", folder=folder)
    np.testing.assert_array_equal(images, pictures)
    np.testing.assert_array_equal(classes, labels)
    assert (images.dtype, classes.dtype) == (torch.uint8, torch.int64)
    few, _ = load_images("cifar10", "test", folder=folder, count=7)
    np.testing.assert_array_equal(few, pictures[:7])


def test_damaged_sets_are_refused_in_one_sentence(small_cifar, tmp_path):
    folder, *_ = small_cifar
    file = folder / "cifar-10-batches-bin" / "test_batch.bin"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(InvalidData, match=r"test_batch\.bin: expected a label and 3072 pixels a row, got "):
        load_images("cifar10", "test", folder=folder)
    with pytest.raises(InvalidData, match=r"data_batch_1\.bin: expected "):
        load_images("cifar10", "train", folder=folder)
    with pytest.raises(InvalidData, match=r"mnist\.npz: expected an archive of images, got "):
        load_images("mnist", "train", folder=folder)
    np.savez(folder / "cifar10.npz", y_test=np.zeros(3), X_test_0=np.zeros(100, np.uint8))
    with pytest.raises(InvalidData, match=r"cifar10\.npz: expected the archive of CIFAR-10, got "):
        load_images("cifar10", "test", folder=folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidData, match=r"cifar10: expected cifar10\.npz or cifar-10-batches-bin"):
        load_images("cifar10", "test", folder=tmp_path / "empty")


def test_unknown_names_and_folders_are_refused(tmp_path, monkeypatch):
    with pytest.raises(InvalidArgument, match="`name`: expected one of mnist, cifar10, pneumonia, got svhn"):
        load_images("svhn", "train", folder=tmp_path)
    with pytest.raises(InvalidArgument, match="`part`: expected one of train, validation, test, got all"):
        load_images("mnist", "all", folder=tmp_path)
    with pytest.raises(InvalidArgument, match="`part`: expected train or test for mnist, got validation"):
        load_images("mnist", "validation", folder=tmp_path)
    monkeypatch.delenv("TOADSTONE_DATA", raising=False)
    with pytest.raises(InvalidData, match="expected TOADSTONE_DATA to name the folder of data sets, got nothing"):
        load_images("mnist", "train")


@pytest.mark.parametrize(("layout", "shape"), [("HW", (5, 3, 4)), ("HWC", (5, 3, 4, 2)), ("CHW", (5, 2, 3, 4))])
def test_every_layout_gives_the_same_images(layout, shape):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, shape, np.uint8)
    images, labels = from_arrays(pixels, np.arange(5, dtype=np.uint8), layout=layout)
    chosen = pixels[{"HW": (2, 1, 3), "HWC": (2, 1, 3, 0), "CHW": (2, 0, 1, 3)}[layout]]
    assert images[2, 0, 1, 3] == chosen
    assert images.shape == (5, 1 if layout == "HW" else 2, 3, 4)
    assert labels.tolist() == [0, 1, 2, 3, 4]
    shares, _ = from_arrays(pixels / 255, np.zeros(5, int), layout=layout)
    torch.testing.assert_close(shares, as_input(images, torch.empty(0)))


@pytest.mark.parametrize(
    ("images", "labels", "layout", "message"),
    [
        (np.zeros((2, 4, 4), np.uint8), np.zeros(2, int), "HWC", r"images: expected 4 axes, n and HWC, got shape"),
        (np.zeros((2, 4, 4), int), np.zeros(2, int), "HW", "images: expected dtype uint8 or a floating-point one"),
        (np.full((2, 4, 4), 7.0), np.zeros(2, int), "HW", r"images: expected values in \[0, 1\], got values in \[7, 7"),
        (np.zeros((0, 4, 4)), np.zeros(0, int), "HW", "images: expected shape .* with n > 0"),
        (np.zeros((2, 4, 4)), np.zeros(2), "HW", "labels: expected whole numbers from 0, got dtype float64"),
        (np.zeros((2, 4, 4)), np.array([0, -1]), "HW", "labels: expected whole numbers from 0, got -1"),
        (np.zeros((2, 4, 4)), np.zeros(3, int), "HW", "labels: expected 2, one for each row"),
        (np.zeros((2, 4, 4)), np.zeros(2, int), "WH", "`layout`: expected one of HW, HWC, CHW, got WH"),
    ],
)
def test_unfit_arrays_are_refused(images, labels, layout, message):
    with pytest.raises((InvalidData, InvalidArgument), match=message):
        from_arrays(images, labels, layout=layout)


@pytest.mark.data
def test_public_sets_have_the_published_figures(data_dir):
    images, labels = load_images("mnist", "train", folder=data_dir)
    assert images.shape == (60000, 1, 28, 28)
    assert float(images.double().mean() / 255) == pytest.approx(0.1307, abs=5e-5)
    assert labels.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    images, labels = load_images("pneumonia", "validation", folder=data_dir)
    assert images.shape == (524, 1, 28, 28)
    assert labels.bincount().tolist() == [135, 389]


@pytest.mark.data
def test_cifar10_has_the_published_moments(data_dir):
    images, labels = load_images("cifar10", "train", folder=data_dir)
    assert images.shape == (50000, 3, 32, 32)
    assert labels.bincount().tolist() == [5000] * 10
    assert labels[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    shares = images.transpose(0, 1).flatten(1).float() / 255
    torch.testing.assert_close(shares.mean(1), torch.tensor([0.4914, 0.482158, 0.446531]), atol=5e-5, rtol=0)
    torch.testing.assert_close(shares.std(1), torch.tensor([0.247032, 0.243485, 0.261588]), atol=5e-5, rtol=0)


@pytest.mark.parametrize("count", [-3, 0, 1.5])
def test_a_count_is_a_whole_number_of_images(tmp_path, count):
    with pytest.raises(InvalidArgument, match="`count`: expected a whole number from 1"):
        load_images("mnist", "test", folder=tmp_path, count=count)
