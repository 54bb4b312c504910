"""Medoids on a device: the same bits as the array kernel's, in any block, with less memory than thought."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.defences import torch_medoids as selection
from toadstone.deep.defences.torch_medoids import Drawn, Exponential, InParts, Sampled, device_medoids, exact_medoids
from toadstone.kernels.facility_location.medoids import (
    given_medoids,
    greedy_medoids,
    partitioned_medoids,
    sampled_medoids,
)


def residuals(seed, n=150, classes=6, dtype=torch.float64):
    """Softmax less one-hot of the first class, some rows several times."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(n, classes, generator=generator, dtype=torch.float64)
    logits[:, 0] += 2
    chances = logits.softmax(dim=1)
    chances[:, 0] -= 1
    return chances[torch.randint(n, (n,), generator=generator)].to(dtype)


def assert_same(found, expected):
    for name in ("rows", "gains", "owners", "distances", "second"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    assert found.reach == expected.reach


@pytest.mark.parametrize("count", [1, 2, 30, 150])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_the_same_bits_as_the_kernel(count, dtype):
    rows = residuals(count, dtype=dtype)
    expected = greedy_medoids(rows.double().numpy(), count)
    assert_same(device_medoids(rows, count), expected)
    assert_same(exact_medoids(rows, count), expected)


@pytest.mark.parametrize("columns", [1, 4, 7])
def test_any_number_of_coordinates(columns):
    rows = residuals(1)[:, :1].repeat(1, columns) * torch.linspace(1, 2, columns)
    assert_same(device_medoids(rows, 20), greedy_medoids(rows.numpy(), 20))


def test_blocks_do_not_matter(monkeypatch):
    rows, widest = residuals(2), []
    whole = device_medoids(rows, 25)
    apart = selection._Search._apart

    def measured(self, some, others):
        widest.append(len(some) * len(others))
        return apart(self, some, others)

    monkeypatch.setattr(selection._Search, "_apart", measured)
    assert_same(device_medoids(rows, 25, memory=3 * 8 * 150 * 10), whole)
    assert max(widest) == 150 * 10


def test_a_device_without_memory_gets_smaller_blocks(monkeypatch):
    rows = residuals(3)
    whole = device_medoids(rows, 25)
    apart = selection._Search._apart

    def scarce(self, some, others):
        if len(some) * len(others) > 5000:
            raise torch.OutOfMemoryError("tried to allocate more than there is")
        return apart(self, some, others)

    monkeypatch.setattr(selection._Search, "_apart", scarce)
    with pytest.warns(RuntimeWarning, match="out of memory: going on in blocks of"):
        found = device_medoids(rows, 25)
    assert_same(found, whole)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card")
def test_the_same_bits_on_a_graphics_card():
    rows = residuals(4, n=2000, classes=10)
    assert_same(exact_medoids(rows.cuda(), 200), greedy_medoids(rows.numpy(), 200))


def test_other_choosers_are_the_kernels():
    rows = residuals(5)
    array = rows.numpy()
    assert_same(InParts(rows=40, seed=3)(rows, 20), partitioned_medoids(array, 20, rng=generator(3), part=40))
    assert_same(Sampled(failure=0.1, seed=3)(rows, 20), sampled_medoids(array, 20, rng=generator(3), failure=0.1))
    assert_same(Drawn(seed=3)(rows, 20), given_medoids(array, generator(3).permutation(150)[:20]))


def test_similarities_that_level_off():
    rows = residuals(6)
    found = Exponential(length=0.5)(rows, 20)
    similar, best, picks = torch.exp(-torch.cdist(rows, rows) / 0.5), torch.zeros(150), []
    for _ in range(20):
        gains = (similar - best[:, None]).clamp(min=0).sum(0).round(decimals=6)
        gains[picks] = -1
        picks.append(int((gains == gains.max()).nonzero()[0, 0]))
        best = torch.maximum(best, similar[:, picks[-1]])
    assert found.rows.tolist() == picks
    assert found.rows.tolist() != exact_medoids(rows, 20).rows.tolist()
    assert_same(found, given_medoids(rows.numpy(), found.rows))
    # Almost affine, where it is as wide as the authors have it.
    wide = Exponential(length=1e4)(rows, 20)
    assert wide.objective == pytest.approx(exact_medoids(rows, 20).objective, rel=1e-4)
    with pytest.raises(InvalidArgument, match="`length`: expected a positive number, got 0"):
        Exponential(length=0)


def generator(seed):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("rows", "got"),
    [
        (torch.zeros(3), r"shape \(3,\)"),
        (torch.empty(0, 2), r"shape \(0, 2\)"),
        (torch.tensor([[0.0], [torch.nan]]), "nan in row 1"),
        (np.zeros((2, 2)), "ndarray"),
    ],
)
def test_rows_that_cannot_be_clustered(rows, got):
    with pytest.raises(InvalidData, match=f"rows: expected a finite matrix with at least one row, a tensor, got {got}"):
        device_medoids(rows, 1)


@pytest.mark.parametrize("rows", [0, 1.5])
def test_parts_of_no_whole_number_of_rows(rows):
    with pytest.raises(InvalidArgument, match=f"`rows`: expected a whole number from 1, got {rows}"):
        InParts(rows=rows)


@pytest.mark.parametrize("count", [0, 4])
def test_a_count_out_of_range(count):
    with pytest.raises(InvalidArgument, match="`count`: expected a whole number from 1 to 3, got"):
        device_medoids(torch.zeros(3, 1), count)
