import importlib
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

PACKAGES = ["attacks", "certificates", "learners", "datasets", "detectors", "sanitizers"]


@pytest.fixture(params=PACKAGES)
def package(request: Any) -> ModuleType:
    return importlib.import_module(f"toadstone.{request.param}")


def test_dir_is_the_public_names(package: ModuleType) -> None:
    assert dir(package) == sorted(set(package.__all__))
    assert len(dir(package)) == len(package.__all__)


def test_every_name_comes_from_the_package(package: ModuleType) -> None:
    for name in package.__all__:
        thing = getattr(package, name)
        if isinstance(thing, type):
            assert thing.__name__ == name
            assert thing.__module__.startswith(package.__name__)


def test_an_unknown_name_is_an_attribute_error(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match=rf"module '{package.__name__}' has no attribute 'Nothing'"):
        package.Nothing  # noqa: B018


@pytest.mark.parametrize("name", PACKAGES)
def test_importing_a_package_imports_nothing_heavy(name: str) -> None:
    heavy = {"numpy", "scipy", "sklearn", "numba", "torch"}
    script = f"import sys, toadstone.{name}; print(sorted({heavy} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
