"""Updates that are malformed, not finite or too large never enter, and count as malicious."""

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument, InvalidData, InvalidInput
from toadstone.federated import aggregate, aggregate_with_evidence
from toadstone.federated.aggregation.admission import admit

GOOD = np.arange(20.0).reshape(5, 4)
UNREADABLE = "expected a vector of real numbers, got"


class Unreadable:
    """An object of another library that NumPy cannot read."""

    def __init__(self, kind):
        self.kind = kind

    def __array__(self, dtype=None, copy=None):
        raise self.kind("no storage")


def reasons(updates):
    return {one.client: one.reason for one in admit(updates).refused}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (None, "nothing was sent"),
        ([], "nothing was sent"),
        ([1.0, 2.0], "expected 4 numbers, got 2"),
        (np.ones((2, 2)), "expected a vector, got shape (2, 2)"),
        (3.0, "expected a vector, got shape ()"),
        (["a", "b", "c", "d"], "expected a vector of real numbers, got an array of str"),
        ([1.0, [2.0], 3.0, 4.0], f"{UNREADABLE} a list that cannot be read as an array of numbers"),
        ([1j, 2j, 3j, 4j], "expected a vector of real numbers, got an array of complex"),
        ([True, False, True, True], "expected a vector of real numbers, got an array of bool"),
        ([1.0, 2.0, np.nan, 4.0], "not all finite"),
        ([1.0, 2.0, np.inf, 4.0], "not all finite"),
        ([1.0, 2.0, 1e200, 4.0], "expected a norm up to 1e+150, got a larger one"),
        (object(), f"{UNREADABLE} object"),
        (np.ma.array(np.ones(4), mask=[0, 0, 1, 0]), f"{UNREADABLE} a masked array"),
        (Unreadable(TypeError), f"{UNREADABLE} an Unreadable that cannot be read as an array of numbers"),
        (Unreadable(NotImplementedError), f"{UNREADABLE} an Unreadable that cannot be read as an array of numbers"),
    ],
)
def test_one_bad_message_of_six(bad, reason):
    assert reasons([*GOOD, bad]) == {5: reason}
    found = aggregate_with_evidence([bad, *GOOD], "median", malicious=2)
    np.testing.assert_array_equal(found.vector, np.median(GOOD, axis=0))
    assert (found.clients, found.malicious, found.malicious_left) == (6, 2, 1)
    assert found.refused[0].reason == reason
    assert np.isnan(found.suspicion[0])
    assert not found.filtered[0]


def test_positions_are_those_of_the_messages():
    bad = np.full(4, np.nan)
    found = admit([None, GOOD[0], bad, GOOD[1], [1.0], GOOD[2], bad])
    assert found.clients.tolist() == [1, 3, 5]
    assert [one.client for one in found.refused] == [0, 2, 4, 6]
    np.testing.assert_array_equal(found.rows.shape, (3, 4))


def test_an_array_is_not_copied_and_its_bad_rows_are_refused(tmp_path):
    table = np.memmap(tmp_path / "updates", dtype=np.float32, mode="w+", shape=(5, 4))
    table[:] = GOOD
    assert admit(table).rows.base is table
    table[1, 3], table[4, 0] = np.nan, -np.inf
    found = admit(table)
    assert found.rows.base is table
    assert found.clients.tolist() == [0, 2, 3]
    assert reasons(table) == {1: "not all finite", 4: "not all finite"}
    with pytest.warns(UserWarning, match="2 of 5 updates were refused, more than the 0 malicious"):
        result = aggregate(table, "mean", malicious=0)
    np.testing.assert_array_equal(result, GOOD[[0, 2, 3]].mean(axis=0))


def test_largest_and_smallest_numbers_enter():
    table = GOOD.copy()
    table[0], table[1] = 1e149, 5e-324
    assert len(admit(table).clients) == 5
    assert np.isfinite(aggregate(table, "krum", malicious=1)).all()


def test_whole_numbers_are_numbers():
    np.testing.assert_array_equal(aggregate(GOOD.astype(np.int32), "median", malicious=2), np.median(GOOD, axis=0))


@pytest.mark.parametrize(
    "updates",
    [np.ones(4), np.ones((2, 3, 4)), np.ones((3, 0)), np.array([["a"]]), np.ones((3, 2), dtype=complex), "updates", 3],
)
def test_an_array_of_another_shape_is_no_round(updates):
    with pytest.raises(InvalidData, match=r"^updates: expected numbers of shape \(n, d\)"):
        admit(updates)


@pytest.mark.parametrize(
    ("updates", "got"),
    [
        (np.array([["a"]]), "an array of str"),
        (np.ma.array(GOOD, mask=GOOD > 3), "a masked array"),
        (Unreadable(RuntimeError), "an Unreadable that cannot be read as an array of numbers"),
        (None, "NoneType"),
    ],
)
def test_a_whole_that_holds_no_numbers_is_named(updates, got):
    with pytest.raises(InvalidData) as refused:
        admit(updates)
    assert str(refused.value) == f"updates: expected numbers of shape (n, d), with d at least one, got {got}"


@pytest.mark.deep
def test_tensors_without_an_array_are_refused_and_views_are_written_out():
    torch = pytest.importorskip("torch")
    ones = torch.ones(4)
    bad = [
        ones.to_sparse(),
        torch.ones(4, device="meta"),
        torch.nested.nested_tensor([ones, ones], layout=torch.jagged),
        ones.to(torch.complex64).conj(),
    ]
    assert sorted(reasons([*GOOD, *bad])) == [5, 6, 7, 8]
    for whole in (torch.ones(3, 4).to_sparse(), torch.ones(3, 4, device="meta")):
        with pytest.raises(InvalidData, match=r"got a Tensor that cannot be read as an array of numbers$"):
            admit(whole)
    negative = torch.complex(ones, ones).conj().imag
    assert negative.is_neg()
    np.testing.assert_array_equal(admit([*GOOD, negative]).rows.base[5], -np.ones(4))


def test_two_lengths_as_often_as_each_other():
    with pytest.raises(InvalidData, match="expected vectors of one length, got 2 and 3 as often as each other"):
        admit([[1.0, 2.0], [1.0, 2.0, 3.0]])


@pytest.mark.parametrize("updates", [[], np.zeros((0, 3)), [None, []], np.full((2, 3), np.nan)])
@pytest.mark.parametrize("rule", ["mean", "krum", "nnm+median", "bucketing+median", "arc+krum"])
def test_nobody_is_left(updates, rule):
    with pytest.raises(InvalidInput, match="got n = 0, f = 0"):
        aggregate(updates, rule, malicious=0)


def test_the_condition_is_checked_after_refusals():
    updates = np.vstack([GOOD, np.full((2, 4), np.nan)])
    with pytest.raises(InvalidInput) as refused:
        aggregate(updates, "krum", malicious=4)
    assert (
        str(refused.value)
        == "Krum needs n >= 2f + 3: got n = 5, f = 2 after 2 of 7 updates were refused, the first: not all finite"
    )
    assert aggregate(updates, "krum", malicious=3).shape == (4,)
    # More refusals than f leave no malicious client among the rest.
    found = aggregate_with_evidence(updates, "krum", malicious=1)
    assert found.malicious_left == 0
    assert found.warning == (
        "2 of 7 updates were refused, more than the 1 malicious that were reckoned with: choose a larger number"
    )
    assert not aggregate_with_evidence(updates, "krum", malicious=2).warning
    with pytest.warns(UserWarning, match="2 of 7 updates were refused"):
        np.testing.assert_array_equal(aggregate(updates, "krum", malicious=1), found.vector)


def test_the_first_reason_is_said_where_all_are_refused():
    with pytest.raises(InvalidInput, match=r"after 11 of 11 updates were refused, the first: expected a vector, got"):
        aggregate([3.0] * 11, "krum", malicious=1)


def test_the_condition_of_buckets_is_that_of_their_number():
    with pytest.raises(InvalidInput) as refused:
        aggregate([*GOOD, None], "bucketing+krum", malicious=2)
    wanted = "Krum needs n >= 2f + 3: got n = 3, f = 1 after bucketing of 5 after 1 of 6 updates were refused"
    assert str(refused.value) == f"{wanted}, the first: nothing was sent"


@pytest.mark.parametrize("malicious", [-1, 1.0, True, None])
def test_the_number_of_malicious_clients_is_a_count(malicious):
    with pytest.raises(InvalidArgument, match="`malicious`: expected a whole number from 0"):
        aggregate(GOOD, "median", malicious=malicious)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_single_precision_is_checked_by_its_sum(bad):
    table = GOOD.astype(np.float32)
    table[2, 1] = bad
    found = aggregate_with_evidence(table, "mean", malicious=0)
    assert [one.client for one in found.refused] == [2]
    np.testing.assert_array_equal(found.vector, GOOD[[0, 1, 3, 4]].mean(axis=0))


def test_numbers_longer_than_double_precision_do_not_widen_the_table():
    assert admit([GOOD[0], GOOD[1].astype(np.longdouble)]).rows.base.dtype == np.float64
