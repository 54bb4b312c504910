"""What a fresh clone and a fresh interpreter promise."""

import os
import re
import stat
import subprocess
import sys
import time
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import toadstone

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
HEAVY = ("sklearn", "numba", "matplotlib", "pyarrow", "pooch", "click", "jinja2", "tqdm")
TARGETS = ("setup", "demo", "test", "test-data", "test-deep", "test-experiments", "check", "bench", "docs", "clean")
TEXT = {".py", ".md", ".toml", ".txt", ".yml", ".j2", ".css", ".js", ".json", ""}


def folded(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def committed_texts():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.suffix in TEXT and path.is_file()]


def test_import_is_light():
    code = f"import sys, toadstone; print(*(name for name in {HEAVY} if name in sys.modules))"
    times = []
    for _ in range(2):
        begin = time.perf_counter()
        finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        times.append(time.perf_counter() - begin)
        assert finished.stdout.split() == []
    assert min(times) < 1.5


def test_help_loads_nothing_heavy():
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom toadstone.cli import toadstone_command\n"
        "assert CliRunner().invoke(toadstone_command, ['--help']).exit_code == 0\n"
        "print(*(name for name in ('sklearn', 'numba', 'matplotlib', 'pyarrow') if name in sys.modules))"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == []


def test_one_version():
    assert toadstone.__version__ == version("toadstone")
    assert f"## {toadstone.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").replace("[", "")


def test_typed():
    assert (Path(toadstone.__file__).parent / "py.typed").exists()


@pytest.mark.parametrize(
    "requirement",
    sorted({*PROJECT["dependencies"], *(name for extra in EXTRAS.values() for name in extra)} - {"toadstone[deep]"}),
)
def test_every_requirement_is_pinned(requirement):
    wanted = folded(re.split(r"[<>=!~\[ ;]", requirement, maxsplit=1)[0])
    assert wanted in {folded(pin.partition("==")[0]) for pin in pins()}


def test_pins_are_plain():
    assert [pin for pin in pins() if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", pin)] == []
    names = [folded(pin.partition("==")[0]) for pin in pins()]
    assert len(names) == len(set(names))


def test_no_path_of_a_machine_and_no_registry():
    forbidden = re.compile("|".join(("/work" + "/", "/ho" + "me/", "pypi" + r"\.org", "python" + r"hosted\.org")))
    found = {
        path.relative_to(ROOT).as_posix(): match.group()
        for path in committed_texts()
        if (match := forbidden.search(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_make_lists_its_targets():
    listed = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(TARGETS) <= set(re.findall(r"^make ([a-z-]+) +\S", listed.stdout, flags=re.MULTILINE))


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_can_be_planned(target):
    planned = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert planned.returncode == 0, planned.stderr


def test_continuous_integration_calls_the_same_targets():
    script = ROOT / ".ci" / "run"
    assert os.stat(script).st_mode & stat.S_IXUSR
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    text = script.read_text(encoding="utf-8")
    loop = re.search(r"for target in (.*); do", text)
    assert loop is not None
    assert set(loop.group(1).split()) <= set(TARGETS)
    assert text.rstrip().endswith(r"printf '\nall steps passed\n'")
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"run: make ([a-z-]+)", workflow)) <= set(TARGETS)


def test_the_licence_is_whole():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
