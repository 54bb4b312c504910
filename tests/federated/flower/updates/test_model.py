import flwr.serverapp.strategy as flower
import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, Message, MetricRecord, RecordDict
from hypothesis import given
from hypothesis import strategies as st

from toadstone.federated.flower.updates import buffer
from toadstone.federated.flower.updates.geometry import measure
from toadstone.federated.flower.updates.integers import middle_values
from toadstone.federated.flower.weights import CappedWeights, reweighted


def test_counters_of_batches_are_a_clients_own_value_and_never_a_mean(federation):
    model = {"w": np.zeros(2, np.float32), "batches": np.array(100), "flags": np.array([True, False])}
    table = federation(model, malicious=2)
    counts = {1: 10, 2: 12, 3: 13, 4: 13, 5: 17, 6: 10**15, 7: 10**15}
    updates = {n: {"w": np.ones(2), "batches": c, "flags": np.array([0, n < 6])} for n, c in counts.items()}
    table.round(updates)
    assert table.model()["batches"] == 113
    assert table.model()["batches"].dtype == np.int64
    assert table.model()["flags"].tolist() == [True, True]


def test_a_client_that_krum_chooses_does_not_choose_the_counters(federation):
    table = federation({"w": np.zeros(7, np.float32), "batches": np.array([0])}, rule="krum", malicious=2)
    # The fourth lies between all others.
    places = np.eye(7) * (np.arange(7) != 3)
    table.round({n: {"w": places[n - 1], "batches": [10**15 if n == 4 else n]} for n in range(1, 8)})
    assert not table.model()["w"].any()
    assert table.model()["batches"].tolist() == [5]


@pytest.mark.parametrize("name", ["FedAvg", "FedAdam"])
def test_counters_do_not_go_through_the_servers_optimizer(federation, name):
    inner = getattr(flower, name)(min_train_nodes=7, min_available_nodes=7)
    table = federation({"w": np.zeros(2, np.float32), "batches": np.array([2**60])}, strategy=inner)
    table.round({n: {"w": np.ones(2), "batches": [n]} for n in range(1, 8)})
    # As a floating number it would be another.
    assert table.model()["batches"].tolist() == [2**60 + 4]


@given(st.lists(st.integers(-9, 9), min_size=5, max_size=5), st.lists(st.integers(-99, 99), min_size=4, max_size=4))
def test_the_middle_value_lies_between_honest_ones_whatever_a_minority_sends(honest, malicious):
    middle = middle_values([np.array(value) for value in (*malicious, *honest)])
    assert min(honest) <= middle <= max(honest)


@pytest.mark.parametrize("rule", ["flame", "trimmed-mean", "geometric-median", "nnm+krum"])
def test_layers_that_nobody_trains_stay_as_they_are_to_the_bit(federation, rule):
    frozen = np.array([-0.0, 1e-42, 0.1, 3e38], np.float32)
    table = federation({"frozen": frozen, "w": np.zeros(2, np.float32)}, rule=rule, malicious=2)
    rng = np.random.default_rng(0)
    table.round({n: {"frozen": np.float32(0), "w": 1 + 0.1 * rng.standard_normal(2)} for n in range(1, 8)})
    assert table.model()["frozen"].tobytes() == frozen.tobytes()
    assert (table.model()["w"] > 0).all()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_models_types_come_back(federation, dtype):
    table = federation({"w": np.ones((2, 2), dtype), "b": np.zeros(3, np.float64)})
    table.round({n: {"w": np.full((2, 2), 0.5), "b": np.ones(3)} for n in range(1, 8)})
    assert table.model()["w"].dtype == dtype
    assert (table.model()["w"] == 1.5).all()


def test_small_updates_of_large_single_precision_weights_are_kept():
    """The update is subtracted before anything is rounded."""
    from toadstone.federated.flower.updates.model import ServerModel

    old = np.full(4, 0.05, np.float32)
    model = ServerModel.sent(ArrayRecord({"w": Array(old)}), clients=1)
    new = np.nextafter(old, np.float32(1))
    row = np.zeros(4, model.dtype)
    model.subtract({"w": new}, row)
    assert (row == new.astype(np.float64) - old).all()


def test_rows_go_to_a_file_where_they_would_take_much_memory(monkeypatch, federation, one_array):
    monkeypatch.setattr(buffer, "IN_MEMORY", 10)
    assert isinstance(buffer.new_rows(3, 4, np.dtype(np.float32)), np.memmap)
    mapped = federation({"w": np.zeros(3, np.float32)})
    mapped.round(one_array)
    monkeypatch.undo()
    held = federation({"w": np.zeros(3, np.float32)})
    held.round(one_array)
    assert mapped.model()["w"].tobytes() == held.model()["w"].tobytes()


def test_rows_close_up_over_clients_that_are_refused(federation, one_array):
    table = federation({"w": np.zeros(3, np.float32)}, rule="median", malicious=2)
    updates = {1: {"w": np.full(3, np.nan)}, 4: {"w": np.full(3, np.nan)}}
    table.round({**one_array, **updates})
    # The middle one of 2, 3, 5, 6, 7.
    np.testing.assert_allclose(table.model()["w"], 1.05, rtol=1e-6)


def test_geometry_is_that_of_the_updates():
    rng = np.random.default_rng(0)
    rows, vector = rng.standard_normal((4, 2**16 + 3)).astype(np.float32), rng.standard_normal(2**16 + 3)
    found = measure(rows, vector)
    exact = rows.astype(np.float64)
    np.testing.assert_allclose(found.norms, np.linalg.norm(exact, axis=1))
    np.testing.assert_allclose(found.distances, np.linalg.norm(exact - vector, axis=1))
    cosines = exact @ vector / (np.linalg.norm(exact, axis=1) * np.linalg.norm(vector))
    np.testing.assert_allclose(found.cosines, cosines, atol=1e-12)
    assert np.isnan(measure(np.zeros((1, 2)), np.ones(2)).cosines).all()


@given(
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
    st.lists(st.floats(0, 1e300), min_size=3, max_size=3),
    st.sampled_from(["declared", CappedWeights(2.0)]),
)
def test_weighing_keeps_the_sum_of_shares(shares, declared, weights):
    coefficients = np.array(shares)
    weighted = reweighted(coefficients, declared, weights)
    assert weighted.sum() == pytest.approx(coefficients.sum(), rel=1e-9, abs=1e-12)
    assert (weighted[coefficients == 0] == 0).all()


def test_a_record_keeps_the_order_of_the_model_and_names_of_records(federation):
    table = federation({"z": np.zeros(1, np.float32), "a": np.zeros(1, np.float32)}, nodes=3, malicious=1)

    def named(message):
        arrays = ArrayRecord({key: Array(np.ones(1, np.float32)) for key in ("a", "z")})
        content = RecordDict({"params": arrays, "stats": MetricRecord({"num-examples": 3, "loss": 1})})
        return Message(content, reply_to=message)

    said = table.round(dict.fromkeys((1, 2, 3), named))
    assert list(table.model()) == ["z", "a"]
    assert said["loss"] == 1
