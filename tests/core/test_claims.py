"""One run at a time writes to a name, and a dead one holds nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from toadstone.core import claims
from toadstone.core.claims import claimed
from toadstone.core.errors import InvalidArgument
from toadstone.core.files import written_aside

HOLD = """
import sys
from pathlib import Path
from toadstone.core.claims import claimed
with claimed(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""
WRITE = """
import sys
from toadstone.core.files import written_aside
with written_aside(sys.argv[1]) as stream:
    stream.write(b"half")
    stream.flush()
    print("begun", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other():
    """Starts another process, and returns it once it has said its first word."""
    begun = []

    def start(program, path):
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        begun.append(process)
        assert process.stdout.readline()
        return process

    yield start
    for process in begun:
        process.kill()
        process.communicate()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_name_is_free_again_at_the_end(tmp_path):
    for _ in range(2):
        with claimed(tmp_path / "new" / "er" / "out") as alone:
            assert alone
            assert names(tmp_path / "new" / "er") == [".out.lock"]
        assert names(tmp_path) == []


@pytest.mark.parametrize("reason", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_it_is_free_after_a_failure(tmp_path, reason):
    def work():
        with claimed(tmp_path / "out"):
            raise reason

    with pytest.raises(reason):
        work()
    assert names(tmp_path) == []


def test_a_second_run_is_refused_and_takes_nothing_away(tmp_path, other):
    holder = other(HOLD, tmp_path / "a" / "out")
    for _ in range(2):
        with (
            pytest.raises(InvalidArgument, match="no other run writes to, got "),
            claimed(tmp_path / "a" / "out"),
        ):
            raise AssertionError("entered")
        assert names(tmp_path / "a") == [".out.lock"]
    with claimed(tmp_path / "a" / "out2"):
        pass
    holder.communicate("")
    with claimed(tmp_path / "a" / "out"):
        pass
    assert names(tmp_path) == []


def test_the_same_process_is_another_run_too(tmp_path):
    with claimed(tmp_path / "out"), pytest.raises(InvalidArgument), claimed(tmp_path / "out"):
        raise AssertionError("entered")
    assert names(tmp_path) == []


def test_a_killed_run_holds_nothing(tmp_path, other):
    holder = other(HOLD, tmp_path / "out")
    holder.kill()
    holder.wait()
    assert names(tmp_path) == [".out.lock"]
    with claimed(tmp_path / "out") as alone:
        assert alone
    assert names(tmp_path) == []


def test_a_lock_that_is_removed_between_opening_and_locking_is_opened_again(tmp_path, monkeypatch):
    real, lock = claims.hold, tmp_path / ".out.lock"
    tries = []

    def slow(descriptor):
        tries.append(descriptor)
        if len(tries) == 1:
            lock.unlink()
        return real(descriptor)

    monkeypatch.setattr(claims, "hold", slow)
    with claimed(tmp_path / "out") as alone:
        assert alone
        assert lock.exists()
    assert len(tries) == 2


def test_without_locks_nobody_is_surely_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "fcntl", None)
    with claimed(tmp_path / "out") as alone, claimed(tmp_path / "out") as either:
        assert alone is either is False
    assert names(tmp_path) == []


@pytest.mark.parametrize("path", [".", "/", ""])
def test_a_name_that_is_none(path):
    with pytest.raises(InvalidArgument, match="which exists"), claimed(path):
        raise AssertionError("entered")


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path):
    (tmp_path / ".out.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidArgument, match="a folder that can be created"), claimed(tmp_path / "out"):
        raise AssertionError("entered")
    assert not (tmp_path / "elsewhere").exists()


def test_parts_of_the_dead_are_removed_and_those_of_the_living_stay(tmp_path, other):
    target = tmp_path / "out.csv"
    dead, living = other(WRITE, target), None
    dead.kill()
    dead.wait()
    living = other(WRITE, target)
    assert len(names(tmp_path)) == 1
    orphan = tmp_path / ".out.csv.0123456789ab.part"
    others = [".out.csv.part", ".out.csv.0123456789ab.part.txt", ".out.csv2.0123456789ab.part", "x.0123456789ab.part"]
    for name in [orphan.name, *others]:
        (tmp_path / name).write_text("")
    with written_aside(target) as stream:
        stream.write(b"whole")
    assert target.read_bytes() == b"whole"
    assert len(names(tmp_path)) == len(others) + 2
    assert not orphan.exists()
    living.communicate("")
    assert target.read_bytes() == b"half"
    assert names(tmp_path) == sorted(["out.csv", *others])


def test_a_part_that_is_swept_before_it_is_locked_is_made_again(tmp_path, monkeypatch):
    from toadstone.core import files

    made = []

    def slow(descriptor):
        if not made:
            (part,) = tmp_path.glob(".out.*.part")
            part.unlink()
        made.append(descriptor)
        return claims.hold(descriptor)

    monkeypatch.setattr(files, "hold", slow)
    with written_aside(tmp_path / "out") as stream:
        stream.write(b"whole")
    assert (tmp_path / "out").read_bytes() == b"whole"
    assert len(made) == 2
    assert names(tmp_path) == ["out"]


def test_no_descriptor_is_left_open(tmp_path):
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else pytest.skip("no /proc")
    for _ in range(5):
        with claimed(tmp_path / "out"), written_aside(tmp_path / "file") as stream:
            stream.write(b"x")
    assert len(os.listdir("/proc/self/fd")) == before
