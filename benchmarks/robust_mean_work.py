"""One aggregation by one library in a process of its own: seconds, processor seconds, and anonymous memory.

Usage: python benchmarks/robust_mean_work.py LIBRARY RULE FILE CLIENTS COORDINATES MALICIOUS [BYZFL]

LIBRARY is toadstone, byzfl or flower; the file holds float32 updates. BYZFL is the folder of ByzFL's package, if it
is not installed. It prints a line of JSON. `bench_robust_mean.py` calls it.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock

import numpy as np

Rule = Callable[[np.ndarray], Any]
REPEATED = 2**29
"""Bytes of input up to which the shortest of three runs counts."""
LONG = 2.0
"""Seconds from which one run is enough."""


def toadstone(rule: str, malicious: int) -> Rule:
    from toadstone.federated import CentredClipping, aggregate

    chosen = CentredClipping(radius=100.0) if rule == "centred-clipping" else rule
    return lambda updates: aggregate(updates, chosen, malicious=0 if rule == "mean" else malicious)


def byzfl(rule: str, malicious: int) -> Rule:
    # Its package imports these for training and drawing, which aggregation does not use.
    for name in ("torchvision", "torchvision.transforms", "torchvision.datasets", "torchvision.models", "seaborn"):
        sys.modules.setdefault(name, MagicMock())
    import byzfl as library

    def chain(first: Any, then: Any) -> Rule:
        return lambda updates: then(first(updates))

    f = malicious
    return {
        "mean": lambda: library.Average(),
        "median": lambda: library.Median(),
        "trimmed-mean": lambda: library.TrMean(f),
        "meamed": lambda: library.Meamed(f),
        "krum": lambda: library.Krum(f),
        "multi-krum": lambda: library.MultiKrum(f),
        "geometric-median": lambda: library.GeometricMedian(),
        # An instance remembers its last result.
        "centred-clipping": lambda: lambda updates: library.CenteredClipping()(updates),
        "nnm+trimmed-mean": lambda: chain(library.NNM(f), library.TrMean(f)),
        # It clips in place, which a read-only map does not allow.
        "arc+trimmed-mean": lambda: chain(lambda rows: library.ARC(f)(np.array(rows)), library.TrMean(f)),
    }[rule]()


class Reply:
    """What Flower's functions read of a client's reply: its one array, and its number of examples."""

    def __init__(self, row: np.ndarray) -> None:
        self.row = row
        self.array_records = {"arrays": self}
        self.metric_records = {"metrics": {"num-examples": 1.0}}

    def __getitem__(self, name: str) -> Reply:
        return self

    def to_numpy_ndarrays(self) -> list[np.ndarray]:
        """Return the row as the only array."""
        return [self.row]

    def items(self) -> list[tuple[str, Reply]]:
        """Return the only array with its name."""
        return [("0", self)]

    def numpy(self) -> np.ndarray:
        """Return the row."""
        return self.row


def flower(rule: str, malicious: int) -> Rule:
    from flwr.serverapp.strategy.bulyan import aggregate_n_closest_weights
    from flwr.serverapp.strategy.fedtrimmedavg import trim_mean
    from flwr.serverapp.strategy.multikrum import select_multikrum
    from flwr.serverapp.strategy.strategy_utils import aggregate_arrayrecords

    f = malicious

    def selected(updates: np.ndarray, count: int) -> list[Any]:
        return select_multikrum([Reply(row) for row in updates], f, count)  # type: ignore[arg-type]

    def average(replies: list[Any]) -> Any:
        return aggregate_arrayrecords(replies, "num-examples")

    def bulyan(updates: np.ndarray) -> Any:
        kept = [reply.row for reply in selected(updates, len(updates) - 2 * f)]
        median = np.median(kept, axis=0)
        return aggregate_n_closest_weights([median], [[row] for row in kept], len(kept) - 2 * f)

    return {
        "mean": lambda updates: average([Reply(row) for row in updates]),
        "median": lambda updates: np.median(np.stack(list(updates)), axis=0),
        "trimmed-mean": lambda updates: trim_mean(np.stack(list(updates)), (f + 0.5) / len(updates)),
        "krum": lambda updates: average(selected(updates, 1)),
        "multi-krum": lambda updates: average(selected(updates, len(updates) - f - 2)),
        "bulyan": bulyan,
    }[rule]


def anonymous() -> int:
    """Bytes of this process that are no page of a file."""
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("RssAnon"))


def measured(work: Callable[[], object], *, repeats: int) -> dict[str, float]:
    """The shortest run, and the most anonymous memory of all, looked at every five milliseconds."""
    most, over = [anonymous()], threading.Event()

    def watch() -> None:
        while not over.wait(0.005):
            most[0] = max(most[0], anonymous())

    watcher = threading.Thread(target=watch)
    watcher.start()
    runs = []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        work()
        runs.append((time.perf_counter() - wall, time.process_time() - processor))
        if runs[-1][0] > LONG:
            break
    over.set()
    watcher.join()
    return {
        "wall": min(wall for wall, _ in runs),
        "processor": min(processor for _, processor in runs),
        "memory": most[0],
    }


def main(library: str, rule: str, path: str, clients: int, coordinates: int, malicious: int) -> None:
    updates = np.memmap(path, dtype=np.float32, mode="r", shape=(clients, coordinates))
    aggregate = {"toadstone": toadstone, "byzfl": byzfl, "flower": flower}[library](rule, malicious)
    # Imports and compilation are not what is compared.
    aggregate(np.array(updates[:, :2000]))
    repeats = 3 if updates.nbytes <= REPEATED else 1
    print(json.dumps(measured(lambda: aggregate(updates), repeats=repeats)))


if __name__ == "__main__":
    sys.path[:0] = sys.argv[7:]
    main(*sys.argv[1:4], *map(int, sys.argv[4:7]))  # type: ignore[arg-type]
