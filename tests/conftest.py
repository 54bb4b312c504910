"""Fixtures for all rooms."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import settings

from toadstone.cli import main

# A newcomer's run must not depend on luck; set HYPOTHESIS_PROFILE=search to look for new examples.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_configure(config: pytest.Config) -> None:
    """Drop compiled kernels that are older than any kernel's source.

    Numba looks at the file of a cached function, not at the files of the functions that it calls: after a change of
    one of these an old caller would go on with the old code.
    """
    if hasattr(config, "workerinput"):
        return
    package = Path(sys.modules["toadstone"].__file__ or "").parent
    newest = max(source.stat().st_mtime for source in package.rglob("kernels/**/*.py"))
    for cached in package.rglob("__pycache__/*.nb[ic]"):
        if cached.stat().st_mtime < newest:
            cached.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data sets that TOADSTONE_DATA names."""
    named = os.environ.get("TOADSTONE_DATA")
    if named and Path(named).is_dir():
        return Path(named)
    reason = f"TOADSTONE_DATA names no folder of data sets (got {named!r})"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


def verdict_that_lists(
    y, rows: Sequence[int], *, group: Sequence[int] = (), suggested=None, sure: float = 0.9, supported: bool = True
) -> SimpleNamespace:
    """A fitted verdict that lists a group, and then rows for their labels, each less suspicious than the one before."""
    n, listed = len(y), [*group, *rows]
    score = np.full(n, 0.01)
    score[listed] = np.linspace(0.99, 0.75, len(listed))
    grouped = np.full(n, -1)
    grouped[list(group)] = 0
    one = SimpleNamespace(
        kind="shared values",
        rows=np.sort(group),
        label=y[group[0]] if group else None,
        looks_like="ham",
        columns=(0, 1),
        p_value=1e-6,
        probability=0.99,
        source="",
    )
    classes = np.unique(y)
    other = classes[(np.searchsorted(classes, y) + 1) % len(classes)]
    return SimpleNamespace(
        flagged_indices_=np.array(listed if supported else list(group), dtype=int),
        review_indices_=np.array([] if supported else list(rows), dtype=int),
        reasons_=[f"for reason {row}" for row in (listed if supported else group)],
        groups_=(one,) if group else (),
        group_=grouped,
        score_=score,
        suspicion_=score,
        suggested_=other if suggested is None else np.asarray(suggested),
        suggestion_probability_=np.full(n, sure),
        evidence_=SimpleNamespace(
            rate=0.04, interval=(0.02, 0.06), log_ratio=3.0, supported=supported, by_class=(0.5, 0.5)
        ),
        note_="the data prefer 4 % wrong labels to none, 20 to 1",
    )


@pytest.fixture(scope="session")
def verdict():
    """Builds a fitted verdict that lists what it is told."""
    return verdict_that_lists


@pytest.fixture
def listing(monkeypatch):
    """Replace the verdict of `defend` by one that lists the given rows; returns a list of what it is asked."""

    def install(*rows: int, **others):
        asked: list[SimpleNamespace] = []

        def fit(source, **options):
            asked.append(SimpleNamespace(data=source.data, source=source, **options))
            return verdict_that_lists(source.data.y, list(rows), **others)

        monkeypatch.setattr("toadstone.pipeline.defend.fit_verdict", fit)
        return asked

    return install


@pytest.fixture
def toadstone(capsys, monkeypatch):
    """Run the command line within this process, exit code and all."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["toadstone", *map(str, arguments)])
        with pytest.raises(SystemExit) as leaving:
            main()
        printed = capsys.readouterr()
        return Outcome(leaving.value.code, printed.out, printed.err)

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)
