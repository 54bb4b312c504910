import copy

import flwr.serverapp.strategy as flower
import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

from toadstone.federated import InProcessGrid, robust


def strategy_of(name, **options):
    found = getattr(flower, name, None)
    if found is None:
        pytest.skip(f"this version of Flower has no {name}")
    return found(min_train_nodes=5, min_evaluate_nodes=5, min_available_nodes=5, **options)


def clients(partition):
    """Each client moves the model a third of the way to its own target."""
    app = ClientApp()

    @app.train()
    def train(message, context):
        arrays = message.content["arrays"]
        target = np.linspace(partition, 1.0, 6).reshape(2, 3)
        w = arrays["w"].numpy()
        b = arrays["b"].numpy()
        moved = {"w": (w + (target - w) / 3).astype(np.float32), "b": (b - 0.1 * partition).astype(np.float64)}
        content = RecordDict(
            {
                "arrays": ArrayRecord({key: Array(value) for key, value in moved.items()}),
                "metrics": MetricRecord({"num-examples": 20, "loss": float(partition**2)}),
            }
        )
        return Message(content, reply_to=message)

    @app.evaluate()
    def evaluate(message, context):
        metrics = MetricRecord({"num-examples": 20, "accuracy": 0.05 * partition**2})
        return Message(RecordDict({"metrics": metrics}), reply_to=message)

    return app


def initial():
    return ArrayRecord({"w": Array(np.zeros((2, 3), np.float32)), "b": Array(np.array([-0.0, 1.0]))})


def run(strategy, rounds=4):
    return strategy.start(InProcessGrid(clients, nodes=5), initial(), num_rounds=rounds)


STRATEGIES = [
    ("FedAvg", {}),
    ("FedProx", {"proximal_mu": 0.1}),
    ("FedAvgM", {"server_momentum": 0.9, "server_learning_rate": 0.5}),
    ("FedAdam", {"eta": 0.05, "beta_1": 0.9, "beta_2": 0.99}),
    ("FedAdagrad", {"eta": 0.05}),
    ("FedYogi", {"eta": 0.05, "beta_1": 0.9, "beta_2": 0.99}),
]


@pytest.mark.parametrize(("name", "options"), STRATEGIES, ids=[name for name, _ in STRATEGIES])
def test_with_the_mean_and_nobody_malicious_it_is_the_strategy_itself(name, options):
    plain = run(strategy_of(name, **options))
    ours = run(robust(strategy_of(name, **options), rule="mean", malicious=0))
    for key in ("w", "b"):
        np.testing.assert_allclose(ours.arrays[key].numpy(), plain.arrays[key].numpy(), rtol=1e-5, atol=1e-7)
        assert ours.arrays[key].dtype == initial()[key].dtype


@pytest.mark.parametrize(("name", "options"), STRATEGIES, ids=[name for name, _ in STRATEGIES])
def test_the_servers_optimizer_goes_on_behind_a_robust_rule(name, options):
    class Robust(getattr(flower, name, flower.FedAvg)):
        """The strategy, with the median in the place of its average."""

        def aggregate_train(self, server_round, replies):
            replies = list(replies)
            sent = [{key: array.numpy() for key, array in reply.content["arrays"].items()} for reply in replies]
            middle = {key: Array(np.median([arrays[key] for arrays in sent], axis=0)) for key in sent[0]}
            content = RecordDict({"arrays": ArrayRecord(middle), "metrics": replies[0].content["metrics"]})
            return super().aggregate_train(server_round, [Message(content, reply_to=replies[0])])

    strategy_of(name, **options)
    expected = run(Robust(min_train_nodes=5, min_evaluate_nodes=5, min_available_nodes=5, **options))
    ours = run(robust(strategy_of(name, **options), rule="median", malicious=2))
    np.testing.assert_allclose(ours.arrays["w"].numpy(), expected.arrays["w"].numpy(), rtol=1e-5, atol=1e-6)


def test_the_users_strategy_is_not_changed():
    strategy = strategy_of("FedAvg")
    before = copy.copy(vars(strategy))
    run(robust(strategy, rule="median", malicious=2))
    assert vars(strategy) == before
    assert "aggregate_train" not in vars(strategy)


class Custom(flower.FedAvg):
    """A strategy with a start of its own, as Flower's examples have them."""

    best = None

    def start(self, grid, initial_arrays, num_rounds=3, label="none"):
        result = super().start(grid, initial_arrays, num_rounds=num_rounds)
        self.best = (label, self.accuracy(result))
        return result

    def accuracy(self, result):
        return result.evaluate_metrics_clientapp[1]["accuracy"]


def test_a_start_of_its_own_runs_with_robust_aggregation_and_keeps_its_state():
    strategy = Custom(min_train_nodes=5, min_evaluate_nodes=5, min_available_nodes=5)
    robust(strategy, rule="median", malicious=2).start(InProcessGrid(clients, nodes=5), initial(), label="mine")
    assert strategy.best[0] == "mine"
    # The median of 0, 0.05, 0.2, 0.45 and 0.8, whose mean is 0.3.
    assert strategy.best[1] == pytest.approx(0.2)


class Whole(flower.FedAvg):
    """A strategy whose start is the loop itself."""

    def start(self, grid, initial_arrays, num_rounds):
        from flwr.app import ConfigRecord

        arrays = initial_arrays
        for server_round in range(1, num_rounds + 1):
            replies = grid.send_and_receive(self.configure_train(server_round, arrays, ConfigRecord(), grid))
            arrays, self.latest = self.aggregate_train(server_round, replies)
        return arrays


def test_a_loop_of_its_own():
    strategy = Whole(min_train_nodes=5, min_available_nodes=5)
    robust(strategy, rule="median", malicious=2).start(InProcessGrid(clients, nodes=5), initial(), 2)
    assert strategy.latest["loss"] == 4.0


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("Krum", {}, "a strategy without a rule of its own, such as FedAvg, which the rule replaces, got Krum"),
        ("MultiKrum", {}, "without a rule of its own"),
        ("Bulyan", {}, "without a rule of its own"),
        ("FedMedian", {}, "without a rule of its own"),
        ("FedTrimmedAvg", {}, "without a rule of its own"),
        ("QFedAvg", {"client_learning_rate": 0.1}, "does not weigh clients by the losses that they declare"),
        ("FedXgbBagging", {}, "aggregates arrays, not trees, got FedXgbBagging"),
        ("FedXgbCyclic", {}, "aggregates arrays, not trees"),
    ],
)
def test_strategies_that_aggregate_otherwise_are_refused(name, options, reason):
    found = getattr(flower, name, None)
    if found is None:
        pytest.skip(f"this version of Flower has no {name}")
    with pytest.raises(ValueError, match=reason):
        robust(found(**options), rule="median", malicious=1)


def test_noise_for_privacy_is_refused():
    private = flower.DifferentialPrivacyServerSideFixedClipping(flower.FedAvg(), 1.0, 1.0, 5)
    with pytest.raises(ValueError, match="whose noise is set for the mean of all clients"):
        robust(private, rule="median", malicious=1)


def test_what_is_no_strategy_or_robust_already_is_refused():
    with pytest.raises(ValueError, match=r"such as FedAvg\(\.\.\.\), got builtins.str"):
        robust("fedavg", rule="median", malicious=1)
    with pytest.raises(ValueError, match="got one that is robust already"):
        robust(robust(flower.FedAvg(), rule="median", malicious=1), rule="median", malicious=1)


def test_options_are_checked_before_any_client_trains():
    with pytest.raises(ValueError, match="malicious"):
        robust(flower.FedAvg(), rule="median", malicious=-1)
    with pytest.raises(ValueError, match="trimmed"):
        robust(flower.FedAvg(), rule="trimed-mean", malicious=1)
    with pytest.raises(ValueError, match="root"):
        robust(flower.FedAvg(), rule="median", malicious=1, root=lambda server_round, arrays: arrays)
    with pytest.raises(ValueError, match="FLTrust needs the update of a trusted root set"):
        robust(flower.FedAvg(), rule="fltrust", malicious=1)


def test_adapters_have_no_coordinates_that_stay():
    with pytest.raises(ValueError, match="`rule`: expected a rule without a centre"):
        robust(flower.FedAvg(), rule="nnm+centred-clipping", malicious=1, adapters=[("A", "B")])
    with pytest.raises(ValueError, match="`root`: expected none with adapters"):
        robust(flower.FedAvg(), rule="fltrust", malicious=1, root=lambda r, arrays: arrays, adapters=[("A", "B")])


def test_groups_fit_the_other_options():
    from toadstone.federated import plan_groups

    plan = plan_groups(20, 1)
    for options, reason in (
        ({"malicious": 2}, "`groups`: expected a plan for 2 malicious clients, got one for 1"),
        ({"rule": "krum", "weights": "capped"}, "`weights`: expected 'equal' with groups"),
        ({"adapters": [("A", "B")]}, "`adapters`: expected none with groups"),
    ):
        with pytest.raises(ValueError, match=reason):
            robust(flower.FedAvg(), **{"rule": "median", "malicious": 1, "groups": plan, **options})


class Idle(flower.FedAvg):
    def configure_train(self, server_round, arrays, config, grid):
        return []


def test_a_round_without_training_is_none():
    strategy = robust(Idle(), rule="median", malicious=1)
    strategy.configure_train(1, initial(), None, None)
    assert strategy.aggregate_train(1, []) == (None, None)


def test_a_trusted_root_withstands_a_majority(federation):
    model = {"w": np.zeros(3, np.float32)}

    def root(server_round, arrays):
        return ArrayRecord({"w": Array(arrays["w"].numpy() + np.float32(1))})

    table = federation(model, rule="fltrust", malicious=5, root=root)
    updates = {node: {"w": np.full(3, -1e6 if node > 2 else 1.0 + 0.1 * node)} for node in range(1, 8)}
    said = table.round(updates)
    assert said["aggregated"] == 1
    np.testing.assert_allclose(table.model()["w"], 1.0, rtol=1e-6)


def test_where_nobody_agrees_with_the_root_nothing_is_aggregated(federation, one_array):
    def root(server_round, arrays):
        return ArrayRecord({"w": Array(arrays["w"].numpy() - np.float32(1))})

    table = federation({"w": np.zeros(3, np.float32)}, rule="fltrust", malicious=2, root=root)
    assert table.round(one_array)["aggregated"] == 0
    assert (table.model()["w"] == 0).all()


def test_a_root_that_is_a_clients_update_is_refused(federation, one_array):
    def root(server_round, arrays):
        return ArrayRecord({"w": Array((arrays["w"].numpy() + one_array[3]["w"]).astype(np.float32))})

    table = federation({"w": np.zeros(3, np.float32)}, rule="fltrust", malicious=2, root=root)
    assert table.round(one_array)["aggregated"] == 0


def test_the_order_of_replies_does_not_matter(federation, one_array):
    results = []
    for order in (list(one_array), list(reversed(one_array))):
        table = federation({"w": np.zeros(3, np.float32)}, rule="nnm+trimmed-mean")
        table.round({node: one_array[node] for node in order})
        results.append(table.model()["w"].tobytes())
    assert results[0] == results[1]


def test_centred_clipping_goes_on_from_the_last_aggregate(federation, one_array):
    table = federation({"w": np.zeros(3, np.float32)}, rule="centred-clipping")
    table.round(one_array)
    np.testing.assert_allclose(table.strategy.defence.rule.centre, table.model()["w"], rtol=1e-6)


def test_credit_of_a_sleeper_gives_it_no_influence(federation, one_array):
    """A client that was the best of all for twenty rounds weighs in the next what a stranger weighs."""
    asleep = federation({"w": np.zeros(3, np.float32)}, rule="multi-krum")
    for server_round in range(1, 21):
        steps = {1: -0.03, 2: -0.02, 3: -0.01, 4: 0.01, 5: 0.02, 6: 0.03, 7: 0.0}
        asleep.round({n: {"w": np.full(3, 1 + step)} for n, step in steps.items()}, server_round=server_round)
    assert asleep.strategy.reputation.score("7") > 0.7
    fresh = federation(asleep.model(), rule="multi-krum")
    awake = {**one_array, 7: {"w": np.full(3, -50.0)}}
    for table in (asleep, fresh):
        table.round(awake, server_round=21)
    assert asleep.model()["w"].tobytes() == fresh.model()["w"].tobytes()


def test_a_server_whose_model_cannot_be_aggregated_says_so(federation):
    for model, reason in (
        ({"w": np.full(3, np.nan, np.float32)}, "expected finite numbers"),
        ({"w": np.array(["a"])}, "expected floating, integer or boolean numbers"),
        ({"n": np.array([1])}, "got none in the ArrayRecord"),
        ({}, "got an empty ArrayRecord"),
    ):
        with pytest.raises(ValueError, match=reason):
            federation(model).ask(1)


def test_a_round_that_was_not_configured_is_no_round(federation):
    with pytest.raises(ValueError, match=r"`server_round`: expected the round of the last configure_train, got 1"):
        federation({"w": np.zeros(3)}).strategy.aggregate_train(1, [])
