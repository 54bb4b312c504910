"""The example app: in this process, and as a federation of eleven programs on loopback."""

import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

from toadstone.federated import InProcessGrid, read_log, summarize_log

APP = Path(__file__).parents[3] / "examples" / "flower_app"
FLOWER = tuple(map(int, version("flwr").split(".")[:2]))
MALICIOUS = {"4", "8"}
"""Nodes of the in-process grid; the app's partitions 3 and 7."""


@pytest.fixture
def app(monkeypatch):
    monkeypatch.syspath_prepend(str(APP))
    for name in [name for name in sys.modules if name.startswith("flower_app")]:
        monkeypatch.delitem(sys.modules, name)
    from flower_app import client_app, server_app

    return SimpleNamespace(client=client_app, server=server_app)


def accuracies(text):
    return [float(found) for found in re.findall(r"'test-accuracy': ([0-9.e-]+)", text)]


def played(app, caplog, **config):
    grid = InProcessGrid(app.client.app, nodes=10)
    run_config = {"rule": "nnm+trimmed-mean", "malicious": 2, "rounds": 3, "log": "", **config}
    logging.getLogger("flwr").propagate = True
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="flwr"):
        app.server.app(grid, SimpleNamespace(run_config=run_config))
    return accuracies(caplog.text)


@pytest.mark.skipif(FLOWER < (1, 22), reason="FedAvg of Flower 1.21 fails where evaluation is left out")
def test_the_average_collapses_and_the_rule_holds(app, caplog, tmp_path):
    assert played(app, caplog, rule="fedavg")[-1] < 0.3
    held = played(app, caplog, log=str(tmp_path / "log.jsonl"))
    assert held[-1] > 0.9
    log = read_log(tmp_path / "log.jsonl")
    farthest = sorted(summarize_log(log).clients, key=lambda client: -client.distance_rank)
    assert {client.client for client in farthest[:2]} == MALICIOUS
    assert {client.client for client in summarize_log(log).clients if client.largest_declared == 1e12} == MALICIOUS


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def programs(environment, folder):
    """Starts programs, each with what it starts in turn, and ends all of them."""
    running = []

    def start(name, *arguments):
        with (folder / f"{name}.log").open("wb") as log:
            command = [Path(sys.executable).with_name(arguments[0]), *map(str, arguments[1:])]
            running.append(
                subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True)
            )

    try:
        yield start
    finally:
        for program in running:
            program.terminate()
        for program in running:
            try:
                program.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(program.pid, signal.SIGKILL)


def wait_for(port):
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"nothing listens on port {port}")


@pytest.mark.skipif(FLOWER < (1, 42), reason="the SuperLink of older versions has other ports")
def test_a_federation_on_loopback(tmp_path):
    port = free_port()
    (tmp_path / "config.toml").write_text(f'[superlink.loopback]\naddress = "127.0.0.1:{port}"\ninsecure = true\n')
    environment = os.environ | {
        "FLWR_HOME": str(tmp_path),
        "FLWR_TELEMETRY_ENABLED": "0",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    with programs(environment, tmp_path) as start:
        start(
            "superlink",
            "flower-superlink",
            "--insecure",
            "--port",
            port,
            "--disable-runtime-dependency-installation",
        )
        wait_for(port)
        for partition in range(10):
            place = ("--superlink", f"127.0.0.1:{port}", "--port", free_port())
            config = f"partition-id={partition} num-partitions=10"
            start(f"node{partition}", "flower-supernode", "--insecure", *place, "--node-config", config)
        reached = {}
        # Each client and round is a process: the average needs no second round to collapse.
        for rule, rounds in (("nnm+trimmed-mean", 2), ("fedavg", 1)):
            log = tmp_path / f"{rule}.jsonl"
            settings = f"rule='{rule}' rounds={rounds} log='{log}'"
            command = [
                Path(sys.executable).with_name("flwr"),
                "run",
                APP,
                "loopback",
                "--stream",
                "--run-config",
                settings,
            ]
            finished = subprocess.run(
                command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=240
            )
            said = finished.stdout + finished.stderr
            assert finished.returncode == 0, said
            reached[rule] = accuracies(said)
    assert len(reached["fedavg"]) >= 2, said
    assert reached["fedavg"][-1] < 0.3
    assert reached["nnm+trimmed-mean"][-1] > 0.85
    lines = read_log(tmp_path / "nnm+trimmed-mean.jsonl").clients
    assert len(lines) == 20
    assert len({line.client for line in lines if line.declared == 10**12}) == 2
