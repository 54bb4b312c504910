"""Fixtures for all rooms."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from toadstone.cli import main

# A newcomer's run must not depend on luck; set HYPOTHESIS_PROFILE=search to look for new examples.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


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
