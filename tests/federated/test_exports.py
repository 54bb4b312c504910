"""The public names of the federated room."""

import importlib
import subprocess
import sys

import toadstone.federated

OF_FLOWER = {"CappedWeights", "InProcessGrid", "robust"}
"""They need the extra."""


def test_every_public_name_is_there():
    assert dir(toadstone.federated) == sorted(toadstone.federated.__all__)
    for name in set(toadstone.federated.__all__) - OF_FLOWER:
        assert getattr(toadstone.federated, name).__module__.startswith("toadstone."), name


def test_the_room_needs_neither_flower_nor_torch():
    loading = f"import sys, toadstone.federated as f; [getattr(f, name) for name in set(f.__all__) - {OF_FLOWER}]"
    code = f"{loading}; sys.exit(bool({{'flwr', 'torch'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_front_door_knows_the_room():
    assert importlib.import_module("toadstone").federated is toadstone.federated
