"""What needs an extra stays in its annex."""

import subprocess
import sys
from pathlib import Path

import toadstone

ROOT = Path(toadstone.__file__).parent
EXTRA = (
    "torch",
    "safetensors",
    "opacus",
    "lightning",
    "pyod",
    "cleanlab",
    "xgboost",
    "lightgbm",
    "catboost",
    "datasets",
    "flwr",
)
ANNEXES = ("toadstone.deep.", "toadstone.federated.flower.")

WITHOUT = f"""
import importlib, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {EXTRA}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""


def run(code):
    return subprocess.run([sys.executable, "-c", WITHOUT + code], capture_output=True, text=True, check=False)


def test_every_other_room_lives_without_torch():
    modules = [
        name
        for path in sorted(ROOT.rglob("[a-z]*.py"))
        if not (name := ".".join(("toadstone", *path.relative_to(ROOT).with_suffix("").parts))).startswith(ANNEXES)
    ]
    assert len(modules) > 100
    finished = run(f"for name in {modules}: importlib.import_module(name)")
    assert finished.returncode == 0, finished.stderr


def test_the_annex_says_what_to_install():
    finished = run("import toadstone.deep.tensors.networks")
    *_, said = finished.stderr.strip().splitlines()
    assert said == (
        "ModuleNotFoundError: toadstone.deep needs PyTorch, which is not installed: "
        "pip install '.[deep]' in the clone of toadstone"
    )


def test_robust_strategies_say_what_to_install():
    finished = run("import toadstone.federated; toadstone.federated.robust")
    *_, said = finished.stderr.strip().splitlines()
    assert said == (
        "ModuleNotFoundError: toadstone.federated.robust needs Flower, which is not installed: "
        "pip install '.[federated]' in the clone of toadstone"
    )


def test_a_detector_of_a_library_says_what_to_install():
    finished = run("from toadstone.catalogue import resolve; resolve('detector', 'pyod:ECOD')")
    *_, said = finished.stderr.strip().splitlines()
    assert said == (
        "toadstone.core.errors.InvalidArgument: `detectors`: expected names of the core, got pyod:ECOD: "
        "it needs PyOD, which is not installed: pip install '.[pyod]' in the clone of toadstone"
    )


def test_public_names_can_be_listed_without_flower():
    listing = """
import inspect, pydoc
from toadstone.federated import *
import toadstone.federated as room
assert "summarize_log" in globals() and "robust" not in globals()
assert "robust" not in dir(room) and len(inspect.getmembers(room)) > 50
assert "summarize_log" in pydoc.render_doc(room)
"""
    finished = run(listing)
    assert finished.returncode == 0, finished.stderr


def test_an_explicit_import_still_says_what_to_install():
    finished = run("from toadstone.federated import robust")
    assert finished.stderr.strip().endswith("pip install '.[federated]' in the clone of toadstone")
