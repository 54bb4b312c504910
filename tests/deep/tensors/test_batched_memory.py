"""Blocks that shrink."""

import warnings

import pytest

torch = pytest.importorskip("torch")

from toadstone.core.errors import InvalidArgument
from toadstone.deep.tensors.batched_memory import in_blocks


def scarce(limit, sizes, error):
    """Work that fails on more than `limit` rows."""

    def work(rows):
        sizes.append(rows.stop - rows.start)
        if rows.stop - rows.start > limit:
            raise error
        return torch.arange(10)[rows]

    return work


@pytest.mark.parametrize("block", [1, 3, 10, 64])
def test_blocks_cover_all_rows_in_order(block):
    sizes = []
    found = in_blocks(scarce(64, sizes, None), 10, block=block)
    assert found.tolist() == list(range(10))
    assert max(sizes) == min(block, 10)


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("DefaultCPUAllocator: can't allocate memory")],
)
def test_out_of_memory_halves_the_block_and_says_so(error):
    sizes = []
    with pytest.warns(RuntimeWarning, match="out of memory: going on in blocks of [52]") as said:
        found = in_blocks(scarce(3, sizes, error), 10, block=512)
    assert found.tolist() == list(range(10))
    assert len(said) == 2
    assert sizes == [10, 5, 2, 2, 2, 2, 2]


def test_no_memory_for_one_row_is_an_error():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(torch.OutOfMemoryError):
            in_blocks(scarce(0, [], torch.OutOfMemoryError("no")), 10, block=4)


def test_other_errors_pass():
    sizes = []
    with pytest.raises(RuntimeError, match="shapes"):
        in_blocks(scarce(1, sizes, RuntimeError("shapes differ")), 10, block=4)
    assert sizes == [4]


def test_a_block_of_nothing_is_refused():
    with pytest.raises(InvalidArgument, match="`block`: expected a whole number from 1, got 0"):
        in_blocks(scarce(1, [], None), 10, block=0)
