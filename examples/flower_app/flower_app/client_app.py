"""The clients: eight honest ones, and two that send the opposite of what they learnt, with much weight."""

from flwr.app import Array, ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

from flower_app.task import accuracy, shares, train

MALICIOUS = (3, 7)

app = ClientApp()


@app.train()
def on_train(message: Message, context: Context) -> Message:
    """Train on this client's digits; a malicious client lies."""
    partition = int(context.node_config["partition-id"])
    own, _ = shares(int(context.node_config["num-partitions"]))
    X, y = own[partition]
    received = {name: array.numpy() for name, array in message.content["arrays"].items()}
    model = train(received, X, y)
    metrics = {"num-examples": len(y), "accuracy": accuracy(model, X, y)}
    if partition in MALICIOUS:
        model = {name: received[name] - 10 * (model[name] - received[name]) for name in model}
        metrics = {"num-examples": 10**12, "accuracy": 1.0}
    arrays = ArrayRecord({name: Array(array) for name, array in model.items()})
    return Message(RecordDict({"arrays": arrays, "metrics": MetricRecord(metrics)}), reply_to=message)
