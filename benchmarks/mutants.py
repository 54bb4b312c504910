"""Run mutmut on a part of the package and print the score: ``make mutants PART=kernels/statistics``.

mutmut changes one operator, number or argument at a time and runs the tests that reach the changed function. A mutant
that no test notices has survived. The work happens on a copy in ``build/mutants``; a run that was stopped goes on from
there, a changed function is tried again, and survivors are tried again when a test has changed. ``mutmut show NAME`` in
the copy shows a mutant.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = "src/toadstone"
# mutmut leaves decorated functions alone. Without its decorator a compiled kernel is a plain loop, slow but mutable.
# Plain Python raises where compiled code overflows to infinity; tests that reach that fail before any mutant is tried.
_COMPILED = re.compile(r"^@njit\(.*\)\n", flags=re.MULTILINE)

# mutmut's exit codes of mutants that survived, and of those that no test reached.
_UNNOTICED = (0, 5, 33)


def is_compiled(part: Path) -> bool:
    """Return True if a file or a folder holds compiled functions."""
    files = [part] if part.is_file() else part.rglob("*.py")
    return any(_COMPILED.search(path.read_text(encoding="utf-8")) for path in files)


def mirror(folder: Path, work: Path, *, part: Path | None = None) -> bool:
    """Copy the files of a folder that changed, those of a part without compilation, and return True if any did.

    mutmut compares times of modification, so files that did not change are left as they are.
    """
    changed = False
    for source in sorted(folder.rglob("*")):
        copied = work / source.relative_to(ROOT)
        if source.suffix == ".pyc" or not source.is_file():
            continue
        text = source.read_bytes()
        if source.suffix == ".py" and part is not None and source.is_relative_to(part):
            text = _COMPILED.sub("", text.decode()).encode()
        if not copied.exists() or copied.read_bytes() != text:
            copied.parent.mkdir(parents=True, exist_ok=True)
            copied.write_bytes(text)
            changed = True
    for copied in sorted((work / folder.relative_to(ROOT)).rglob("*.py")):
        if not (ROOT / copied.relative_to(work)).exists():
            copied.unlink()
            changed = True
    return changed


def forget_survivors(work: Path) -> None:
    """Have mutmut try again the mutants that survived or that no test reached."""
    for found in sorted((work / "mutants").rglob("*.meta")):
        results = json.loads(found.read_text(encoding="utf-8"))
        kept = {name: code for name, code in results["exit_code_by_key"].items() if code not in _UNNOTICED}
        results["exit_code_by_key"] |= dict.fromkeys(results["exit_code_by_key"].keys() - kept.keys())
        found.write_text(json.dumps(results, indent=4), encoding="utf-8")


def tests_of(part: str) -> list[str]:
    """Return the tests that mirror a part; those of its folder for a file without tests of its own."""
    mirrored = Path("tests", part)
    if mirrored.suffix and not (ROOT / mirrored.with_name(f"test_{mirrored.name}")).exists():
        mirrored = mirrored.parent
    elif mirrored.suffix:
        mirrored = mirrored.with_name(f"test_{mirrored.name}")
    return [mirrored.as_posix()] if (ROOT / mirrored).exists() else []


def configure(work: Path, part: str, tests: list[str]) -> None:
    """Write the settings of mutmut beside the copy."""
    mutated = f"{PACKAGE}/{part}" if part.endswith(".py") else f"{PACKAGE}/{part}/*"
    settings = {
        "source_paths": ["src"],
        "only_mutate": [mutated],
        "pytest_add_cli_args_test_selection": tests,
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "-m", "not data and not slow and not deep"],
        "also_copy": ["README.md"],
    }
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8") + f"\n[tool.mutmut]\n{lines}"
    target = work / "pyproject.toml"
    if not target.exists() or target.read_text(encoding="utf-8") != text:
        target.write_text(text, encoding="utf-8")


def score(work: Path) -> str:
    """Return the score of the mutants tried so far, in one line."""
    stats = json.loads((work / "mutants" / "mutmut-cicd-stats.json").read_text(encoding="utf-8"))
    noticed = stats["killed"] + stats["timeout"] + stats["segfault"]
    tried = noticed + stats["survived"] + stats["suspicious"] + stats["no_tests"]
    return (
        f"score: {noticed} of {tried} mutants noticed ({100 * noticed / max(tried, 1):.1f} %), "
        f"{stats['survived']} survived, {stats['no_tests']} in functions that no selected test reaches, "
        f"{stats['total'] - tried} of {stats['total']} not tried yet"
    )


def main() -> None:
    """Mutate the part that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", help="a folder or a file of src/toadstone, such as kernels/statistics")
    parser.add_argument("--tests", nargs="*", default=None, help="tests to run; those that mirror the part by default")
    parser.add_argument("--processes", type=int, default=1, help="mutants tried at a time")
    chosen = parser.parse_args()
    part = chosen.part.strip("/")
    tests = tests_of(part) if chosen.tests is None else chosen.tests
    if not (ROOT / PACKAGE / part).exists() or not tests:
        sys.exit(f"mutants: {part}: expected a folder or a file of {PACKAGE} with tests, name them with --tests")

    work = ROOT / "build" / "mutants" / part.removesuffix(".py")
    compiled = is_compiled(ROOT / PACKAGE / part)
    mirror(ROOT / "src", work, part=ROOT / PACKAGE / part)
    if mirror(ROOT / "tests", work):
        forget_survivors(work)
    shutil.copy(ROOT / "README.md", work)
    configure(work, part, tests)
    # It has to exist when Python starts, which else takes the name for one that holds nothing.
    (work / "mutants" / "src").mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "mutmut"]
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_DISABLE_JIT": str(int(compiled))}
    environment = os.environ | threads | {"PYTHONPATH": str(work / "mutants" / "src")}
    ran = subprocess.run([*command, "run", "--max-children", str(chosen.processes)], cwd=work, env=environment)
    subprocess.run([*command, "export-cicd-stats"], cwd=work, env=environment, stdout=subprocess.DEVNULL)
    listed = subprocess.run([*command, "results"], cwd=work, env=environment, capture_output=True, text=True)
    print(
        "".join(line for line in listed.stdout.splitlines(keepends=True) if not line.endswith("not checked\n")), end=""
    )
    print(score(work))
    sys.exit(ran.returncode)


if __name__ == "__main__":
    main()
