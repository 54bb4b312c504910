import gc
import logging
import sys

import numpy as np

from toadstone.federated import read_log, summarize_log


def test_a_thousand_rounds_take_no_more_memory_than_a_hundred(federation, one_array, tmp_path, monkeypatch):
    # The tests would keep all that Flower logs.
    monkeypatch.setattr(logging.getLogger("flwr"), "disabled", True)
    table = federation({"w": np.zeros(3, np.float32)}, rule="nnm+trimmed-mean", log=tmp_path / "log.jsonl")
    updates = {**one_array, 7: {"w": np.full(3, -1e6)}}
    objects, blocks = {}, {}
    for server_round in range(1, 1001):
        table.round(updates, server_round=server_round)
        if server_round in (100, 1000):
            gc.collect()
            objects[server_round], blocks[server_round] = len(gc.get_objects()), sys.getallocatedblocks()
    # One container that a round leaves behind would show, or two of anything; the interpreter's own caches fill slowly.
    assert objects[1000] - objects[100] < 100
    assert blocks[1000] - blocks[100] < 1800
    log = read_log(tmp_path / "log.jsonl")
    assert (len(log.rounds), len(log.clients)) == (1000, 7000)
    assert summarize_log(log).clients[0].rounds == 1000
