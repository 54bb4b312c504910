"""The server: Flower's FedAvg, and around it, in one line, a rule that withstands malicious clients."""

from flwr.app import Array, ArrayRecord, Context, MetricRecord
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from flower_app.task import accuracy, initial, shares
from toadstone.federated import robust

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    """Train for some rounds, and say how many digits of the test are recognized after each."""
    config = context.run_config
    strategy = FedAvg(min_train_nodes=10, min_available_nodes=10, fraction_evaluate=0.0)
    if config["rule"] != "fedavg":
        log = str(config["log"]) or None
        strategy = robust(strategy, rule=str(config["rule"]), malicious=int(config["malicious"]), log=log)
    arrays = ArrayRecord({name: Array(array) for name, array in initial().items()})
    strategy.start(grid, arrays, num_rounds=int(config["rounds"]), evaluate_fn=evaluate)


def evaluate(server_round: int, arrays: ArrayRecord) -> MetricRecord:
    """Say how well the model does on digits that no client has."""
    _, (X, y) = shares(10)
    return MetricRecord({"test-accuracy": accuracy({name: array.numpy() for name, array in arrays.items()}, X, y)})
