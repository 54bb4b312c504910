"""The server: Flower's FedAvg, and around it, in one line, a rule that withstands malicious clients."""

import numpy as np
from flwr.app import Array, ArrayRecord, Context
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from flower_app.task import accuracy, initial, shares
from toadstone.federated import robust

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    """Train for some rounds, and print how many digits of the test are recognized."""
    config = context.run_config
    strategy = FedAvg(min_train_nodes=10, min_evaluate_nodes=10, min_available_nodes=10)
    if config["rule"] != "fedavg":
        log = str(config["log"]) or None
        strategy = robust(strategy, rule=str(config["rule"]), malicious=int(config["malicious"]), log=log)
    arrays = ArrayRecord({name: Array(array) for name, array in initial().items()})
    result = strategy.start(grid, arrays, num_rounds=int(config["rounds"]))
    model = {name: np.asarray(array.numpy()) for name, array in result.arrays.items()}
    _, test = shares(10)
    print(f"accuracy on the test: {accuracy(model, *test):.3f}", flush=True)
