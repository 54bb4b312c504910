import numpy as np
import pytest
from flwr.app import MetricRecord
from hypothesis import given
from hypothesis import strategies as st

from toadstone.federated.flower.messages.metrics import robust_metrics


def medians(records, malicious, leave_out=("num-examples",)):
    return robust_metrics([MetricRecord(record) for record in records], malicious, leave_out=leave_out)


@given(
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
    st.lists(st.one_of(st.floats(), st.just([1.0, 2.0]), st.just([]), st.just(10**400)), min_size=2, max_size=2),
)
def test_a_minority_cannot_leave_the_range_of_the_honest(honest, malicious):
    said, spread = medians([{"loss": value} for value in (*malicious, *honest)], 2)
    if "loss" in said:
        assert min(honest) <= said["loss"] <= max(honest)
        assert np.isfinite(spread["loss-spread"])


def test_lists_are_aggregated_by_entry_and_odd_lengths_left_out():
    records = [{"history": [1.0, 2.0]}] * 3 + [{"history": [3.0, 5.0]}] * 2 + [{"history": [9.0] * 7}]
    said, spread = medians(records, 1)
    assert said["history"] == [1.0, 2.0]
    assert spread["history-spread"] == [0.0, 0.0]


def test_what_malicious_clients_alone_report_is_no_metric():
    said, _ = medians([{"loss": 1.0}] * 5 + [{"loss": 1.0, "backdoor": 0.0}] * 4, 2)
    assert list(said) == ["loss"]


def test_names_of_the_strategys_own_counts_and_weights_are_left_out():
    said, _ = medians([{"aggregated": 1, "refused": 0, "num-examples": 5, "loss": 2}] * 3, 0)
    assert list(said) == ["loss"]


@pytest.mark.parametrize("count", [0, 1, 4])
def test_where_no_majority_is_known_to_be_honest_nothing_is_said(count):
    said, _ = medians([{"loss": 1.0}] * count, 2)
    assert list(said) == []
