"""The public names of `toadstone.deep`."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

pytest.importorskip("torch")

import toadstone.deep as deep


def test_dir_is_the_public_names():
    assert dir(deep) == sorted(set(deep.__all__))
    assert len(deep.__all__) == len(dir(deep))


@pytest.mark.parametrize("name", deep.__all__)
def test_every_name_is_that_of_a_class_or_function_of_the_package(name):
    found = getattr(deep, name)
    assert found.__name__ == name
    assert found.__module__.startswith("toadstone.deep.")


def test_every_class_that_crafts_poison_is_exported():
    modules = [
        importlib.import_module(each.name)
        for each in pkgutil.iter_modules(
            importlib.import_module("toadstone.deep.attacks").__path__, "toadstone.deep.attacks."
        )
    ]
    crafting = {
        name
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and hasattr(value, "craft")
    }
    assert crafting
    assert crafting <= set(deep.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"module 'toadstone\.deep' has no attribute 'Nothing'"):
        deep.Nothing  # noqa: B018


def test_importing_the_package_imports_neither_opacus_nor_its_own_modules():
    script = (
        "import sys, toadstone.deep; "
        "print(*(name for name in sys.modules if name == 'opacus' or name.startswith('toadstone.deep.')))"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""
