"""What a fresh clone and a fresh interpreter promise."""

import importlib.util
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
TESTS = (
    "test",
    "test-data",
    "test-libraries",
    "test-deep",
    "test-federated",
    "test-experiments",
    "coverage",
    "mutants",
)
TARGETS = ("setup", "demo", *TESTS, "lint", "check", "hooks", "bench", "docs", "dist", "clean")
TEXT = {".py", ".md", ".toml", ".txt", ".yml", ".j2", ".css", ".js", ".json", ""}


def folded(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file="constraints.txt"):
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
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
    sorted(
        name
        for name in {*PROJECT["dependencies"], *(name for extra in EXTRAS.values() for name in extra)}
        if not name.startswith(("toadstone[", "flwr"))
    ),
)
def test_every_requirement_is_pinned(requirement):
    assert name_of(requirement) in {folded(pin.partition("==")[0]) for pin in pins()}


def name_of(requirement):
    return folded(re.split(r"[<>=!~\[ ;]", requirement, maxsplit=1)[0])


def test_flower_is_pinned_with_what_it_is_installed_beside():
    """In a file of its own: it pins older versions of what others need."""
    pinned = {folded(pin.partition("==")[0]) for pin in pins("constraints-federated.txt")}
    assert {name_of(requirement) for requirement in (*PROJECT["dependencies"], *EXTRAS["federated"])} <= pinned
    assert "flwr" not in {folded(pin.partition("==")[0]) for pin in pins()}


@pytest.mark.parametrize("file", ["constraints.txt", "constraints-federated.txt"])
def test_pins_are_plain(file):
    pins_of = pins(file)
    assert [pin for pin in pins_of if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", pin)] == []
    names = [folded(pin.partition("==")[0]) for pin in pins_of]
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
    workflows = "".join(path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml"))
    called = re.findall(r"run: make ([a-z-]+)", workflows)
    assert set(called) <= set(TARGETS)
    assert {"check", "test", "test-deep", "coverage", "dist", "docs"} <= set(called)


def test_hooks_download_nothing():
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert re.findall(r"repo: (.+)", text) == ["local"]
    assert re.findall(r"language: (.+)", text) == ["system"]
    assert set(re.findall(r"entry: make --no-print-directory ([a-z-]+)", text)) == {"lint"}


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / ".github" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_oldest_versions_are_the_lower_bounds():
    oldest = script("oldest").oldest((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    requirements = [*PROJECT["dependencies"], *(name for extra in EXTRAS.values() for name in extra)]
    assert {pin.replace("==", ">=") for pin in oldest} == {name for name in requirements if ">=" in name}
    assert len(oldest) == len({folded(pin.partition("==")[0]) for pin in oldest})


RELEASED = {
    "src/toadstone/core/version.py": '__version__ = "0.2.0"\n',
    "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n## 0.2.0 - 2026-12-01\n\n- Fixed.\n\n"
    "## 0.1.0 - 2026-11-01\n\n- First.\n",
    "CITATION.cff": "version: 0.2.0\ndate-released: 2026-12-01\n",
    "pyproject.toml": '[project]\n[project.urls]\nRepository = "here"\n',
}


@pytest.fixture
def repository(tmp_path):
    for name, text in RELEASED.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_release_that_agrees_with_itself(repository):
    release = script("release")
    assert release.faults(repository, "v0.2.0") == []
    assert release.notes(RELEASED["CHANGELOG.md"], "0.2.0") == "- Fixed."
    assert release.notes(RELEASED["CHANGELOG.md"], "0.1.0") == "- First."


@pytest.mark.parametrize(
    ("name", "before", "after", "fault"),
    [
        (
            "src/toadstone/core/version.py",
            "0.2.0",
            "0.1.0",
            "src/toadstone/core/version.py: expected version 0.2.0, got 0.1.0",
        ),
        (
            "CHANGELOG.md",
            "- 2026-12-01",
            "- unreleased",
            "CHANGELOG.md: expected `## 0.2.0 - YYYY-MM-DD`, got unreleased",
        ),
        ("CHANGELOG.md", "0.2.0", "0.3.0", "CHANGELOG.md: expected `## 0.2.0 - YYYY-MM-DD`, got no such heading"),
        ("CITATION.cff", "0.2.0", "0.1.0", "CITATION.cff: expected version 0.2.0, got 0.1.0"),
        ("CITATION.cff", "12-01", "12-02", "CITATION.cff: expected date-released 2026-12-01, got 2026-12-02"),
        ("pyproject.toml", "Repository", "Paper", "pyproject.toml: expected Repository in [project.urls], got none"),
    ],
)
def test_a_release_that_does_not(repository, name, before, after, fault):
    path = repository / name
    path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    assert script("release").faults(repository, "v0.2.0") == [fault]


def test_a_release_needs_a_tag_of_its_version(repository):
    assert "tag: expected v and three numbers, got 0.2.0" in script("release").faults(repository, "0.2.0")
    assert len(script("release").faults(repository, "v9.9.9")) == 3


def test_the_citation_is_of_this_version():
    assert f"\nversion: {toadstone.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["SECURITY.md", "CITATION.cff", ".github/pull_request_template.md"])
def test_a_host_finds_what_it_looks_for(name):
    assert (ROOT / name).is_file()


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=lambda path: path.stem
)
def test_every_form_asks_for_something(path):
    text = path.read_text(encoding="utf-8")
    assert re.search(r"^name: \S", text) is not None
    identifiers = re.findall(r"^    id: ([a-z]+)$", text, flags=re.MULTILINE)
    assert len(identifiers) >= 3
    assert len(identifiers) == len(set(identifiers)) == text.count("required: true")


def test_the_licence_is_whole():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
