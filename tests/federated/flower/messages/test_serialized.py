import io
import re

import numpy as np
import pytest
from flwr.app import Array
from hypothesis import given
from hypothesis import strategies as st

from toadstone.federated.flower.messages.serialized import Unreadable, read_array

SHAPE, DTYPE = (2, 3), np.dtype(np.float32)


def read(data, shape=SHAPE, dtype="float32", stype="numpy.ndarray"):
    return read_array(Array(dtype, shape, stype, data), name="w", shape=SHAPE, dtype=DTYPE)


def saved(array):
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int64, np.bool_, np.uint8])
@pytest.mark.parametrize("shape", [(), (1,), (0,), (2, 3), (2, 1, 3)])
def test_what_flower_serializes_is_read(order, kind, shape):
    array = np.asarray(np.arange(np.prod(shape)).reshape(shape), dtype=kind, order=order)
    found = read_array(Array(array), name="w", shape=shape, dtype=np.dtype(kind))
    np.testing.assert_array_equal(found, array)
    assert found.dtype == kind


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "array 'w' has 0 bytes, not 24 and a header"),
        (saved(np.zeros((2, 3))), "holds other data than it declares"),
        (saved(np.zeros((3, 2), np.float32)), "holds other data than it declares"),
        (saved(np.zeros((2, 3), ">f4")), "holds other data than it declares"),
        (saved(np.zeros((2, 3), np.float32))[:-1], "holds other data than it declares"),
        (saved(np.zeros((2, 3), np.float32)) + b"\0", "holds other data than it declares"),
        (saved(np.array([{}, {}, {}])), "has no header of NumPy's format 1.0"),
        (b"PK\x03\x04" + bytes(60), "has no header of NumPy's format 1.0"),
        (
            saved(np.zeros((2, 3), np.float32)).replace(b"(2, 3), }", b"(10**9,)}"),
            "has no header of NumPy's format 1.0",
        ),
        (saved(np.zeros(10**4, np.float32)), "bytes, not 24 and a header"),
    ],
)
def test_data_that_are_not_what_they_declare_are_refused(data, reason):
    with pytest.raises(Unreadable, match=reason):
        read(data)


def test_declarations_are_checked_before_data():
    with pytest.raises(Unreadable, match=r"shape \(10\*\*9,\)|shape \(1000000000,\), not \(2, 3\)"):
        read(b"", shape=(10**9,))
    with pytest.raises(Unreadable, match="type float64, not float32"):
        read(b"", dtype="float64")
    with pytest.raises(Unreadable, match=r"serialized by pickle, not by numpy\.ndarray"):
        read(b"", stype="pickle")
    with pytest.raises(Unreadable, match=re.escape(r"type '\x1b[2J\nround 9: all is well', not")):
        read(b"", dtype="\x1b[2J\nround 9: all is well")


@given(st.integers(0, 151), st.integers(0, 255))
def test_a_damaged_byte_is_refused_or_read_as_a_number(place, byte):
    data = bytearray(saved(np.ones((2, 3), np.float32)))
    data[place] = byte
    try:
        found = read(bytes(data))
    except Unreadable:
        return
    assert found.shape == SHAPE
    assert found.dtype == DTYPE


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(data):
    with pytest.raises(Unreadable):
        read(data)
