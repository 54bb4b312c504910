"""The public names of the federated room."""

import importlib
import subprocess
import sys

import toadstone.federated


def test_every_public_name_is_there():
    assert dir(toadstone.federated) == sorted(toadstone.federated.__all__)
    for name in toadstone.federated.__all__:
        assert getattr(toadstone.federated, name).__module__.startswith("toadstone."), name


def test_the_room_needs_neither_flower_nor_torch():
    loading = "import sys, toadstone.federated as f; [getattr(f, name) for name in f.__all__]"
    code = f"{loading}; sys.exit(bool({{'flwr', 'torch'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_front_door_knows_the_room():
    assert importlib.import_module("toadstone").federated is toadstone.federated
