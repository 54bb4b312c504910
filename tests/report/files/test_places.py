"""Folders are whole or not there."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from toadstone.core.errors import InvalidArgument
from toadstone.report.files import places
from toadstone.report.files.places import new_folder, refuse_existing

OLD = '{"header": {}}'


def test_a_folder_appears_once_complete(tmp_path):
    target = tmp_path / "deep" / "out"
    with new_folder(target) as aside:
        (aside / "a.txt").write_text("a")
        assert not target.exists()
        assert aside.parent == target.parent
    assert [path.name for path in target.iterdir()] == ["a.txt"]
    assert [path.name for path in target.parent.iterdir()] == ["out"]


@pytest.mark.parametrize("reason", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_of_a_folder_that_fails(tmp_path, reason):
    (tmp_path / "kept").mkdir()

    def work(target):
        with new_folder(target) as aside:
            (aside / "half").write_text("half")
            raise reason

    for target in (tmp_path / "deep" / "er" / "out", tmp_path / "kept" / "out"):
        with pytest.raises(reason):
            work(target)
    assert [path.name for path in tmp_path.rglob("*")] == ["kept"]


def test_a_parent_that_others_use_stays(tmp_path):
    def work():
        with new_folder(tmp_path / "new" / "out"):
            (tmp_path / "new" / "of others").write_text("")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        work()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["of others"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_has_its_own_sentence(tmp_path, code):
    with pytest.raises(InvalidArgument, match=r"`out`: expected a disk with room"), new_folder(tmp_path / "out"):
        raise OSError(code, "full")


def test_another_failure_of_the_system_passes_through(tmp_path):
    with pytest.raises(PermissionError), new_folder(tmp_path / "out"):
        raise PermissionError(errno.EACCES, "no")


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_names_that_are_taken(tmp_path, kind):
    target = tmp_path / "out"
    {"folder": target.mkdir, "file": target.touch, "dangling link": lambda: target.symlink_to("nowhere")}[kind]()
    with pytest.raises(InvalidArgument, match="which exists"):
        refuse_existing(target)
    with pytest.raises(InvalidArgument, match="which exists"), new_folder(target):
        raise AssertionError("entered")
    assert len(list(tmp_path.iterdir())) == 1


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def older(tmp_path):
    """A folder of results of an older run."""
    target = tmp_path / "out"
    target.mkdir()
    (target / "record.json").write_text(OLD)
    return target


@pytest.fixture(params=["exchange", "two renames"])
def system(request, monkeypatch):
    """A system that can exchange two names in one step, and one that cannot."""
    if request.param == "two renames":
        monkeypatch.setattr(places, "_exchange", lambda one, other: False)
    return request.param


class TestForce:
    def test_the_old_folder_is_there_until_the_new_one_is_complete(self, older, system):
        with new_folder(older, force=True) as aside:
            (aside / "report.html").write_text("new")
            assert names(older) == ["record.json"]
        assert names(older) == ["report.html"]
        assert names(older.parent) == ["out"]

    @pytest.mark.parametrize("reason", [RuntimeError, KeyboardInterrupt])
    def test_a_failure_leaves_the_old_one(self, older, system, reason):
        def work():
            with new_folder(older, force=True) as aside:
                (aside / "report.html").write_text("new")
                raise reason

        with pytest.raises(reason):
            work()
        assert names(older) == ["record.json"]
        assert names(older.parent) == ["out"]

    def test_nothing_to_replace_is_fine(self, tmp_path):
        with new_folder(tmp_path / "out", force=True) as aside:
            (aside / "report.html").write_text("new")
        assert names(tmp_path) == ["out"]

    @pytest.mark.parametrize("stop", ["os.rename 1", "os.rename 2", "shutil.rmtree 1"])
    def test_a_kill_at_any_step_leaves_one_of_them_and_the_next_run_clears_up(self, older, system, stop):
        place, number = stop.split()
        program = f"""
import os, pathlib, shutil, sys
from toadstone.report.files import places
if {system!r} == "two renames":
    places._exchange = lambda one, other: False
real, calls = {place}, []
def dies(*given, **named):
    calls.append(given)
    if len(calls) == {number}:
        os._exit(9)
    return real(*given, **named)
{place} = dies
with places.new_folder(sys.argv[1], force=True) as aside:
    (aside / "report.html").write_text("new")
"""
        finished = subprocess.run([sys.executable, "-c", program, older], capture_output=True, check=False)
        if system == "exchange":
            assert older.is_dir()
        reached = finished.returncode == 9
        assert reached or (system == "exchange" and place == "os.rename"), finished.stderr
        with pytest.raises(InvalidArgument, match="which exists"), new_folder(older):
            raise AssertionError("entered")
        assert names(older.parent) == ["out"]
        assert names(older) in (["record.json"], ["report.html"])

    def test_exchange_is_one_step_here(self, older):
        (older.parent / "aside").mkdir()
        if not places._exchange(older.parent / "aside", older):
            pytest.skip("this file system cannot")
        assert names(older.parent / "aside") == ["record.json"]
        assert names(older) == []

    @pytest.mark.parametrize("foreign", ["notes.txt", "kept", "record.json.bak", "certificate-x.json", ".git"])
    def test_a_folder_with_anything_else_is_left_alone(self, older, foreign):
        (older / foreign).mkdir() if foreign == ".git" else (older / foreign).write_text("mine")
        with pytest.raises(InvalidArgument, match="which holds"), new_folder(older, force=True):
            raise AssertionError("entered")
        assert names(older) == sorted(["record.json", foreign])

    def test_a_folder_that_becomes_foreign_meanwhile_is_left_alone(self, older):
        with pytest.raises(InvalidArgument, match="which holds mine"), new_folder(older, force=True):
            (older / "mine").write_text("")
        assert names(older) == ["mine", "record.json"]
        assert names(older.parent) == ["out"]

    @pytest.mark.parametrize("kind", ["file", "link", "dangling link"])
    def test_files_and_links_are_left_alone(self, tmp_path, kind):
        target = tmp_path / "out"
        (tmp_path / "folder").mkdir()
        {
            "file": target.touch,
            "link": lambda: target.symlink_to(tmp_path / "folder"),
            "dangling link": lambda: target.symlink_to("nowhere"),
        }[kind]()
        with pytest.raises(InvalidArgument, match="a folder of results to replace"), new_folder(target, force=True):
            raise AssertionError("entered")
        assert names(tmp_path) == ["folder", "out"]

    @pytest.mark.parametrize("read", ["out/kept.csv", "out", "out/deep/er.csv", "x/../out/kept.csv"])
    def test_what_the_run_reads_is_never_replaced(self, older, monkeypatch, read):
        monkeypatch.chdir(older.parent)
        with pytest.raises(InvalidArgument, match="a place without files that this run reads"):
            places.refuse_inputs_inside(Path("out"), [None, "elsewhere.csv", read])
        places.refuse_inputs_inside(Path("out"), [None, "elsewhere.csv", "out2/kept.csv", "digits-1-7"])


class TestWhatKilledRunsLeft:
    def test_it_is_removed_by_the_next_run_of_that_name_only(self, tmp_path):
        parts = [".out.01234567.part", ".out.89abcdef.part", ".out.89abcdef.old"]
        others = [".out.0123456.part", ".out2.01234567.part", ".out.01234567.part2", "out.01234567.part", ".out.part"]
        for name in parts + others:
            (tmp_path / name).mkdir()
            (tmp_path / name / "half").write_text("")
        (tmp_path / ".out.01234567.lock").write_text("")
        with new_folder(tmp_path / "out2"):
            pass
        left = {path.name for path in tmp_path.iterdir()}
        assert left == {*parts, *others, ".out.01234567.lock", "out2"} - {".out2.01234567.part"}
        (tmp_path / "out").mkdir()
        with pytest.raises(InvalidArgument, match="which exists"), new_folder(tmp_path / "out"):
            raise AssertionError("entered")
        assert not {*parts} & {path.name for path in tmp_path.iterdir()}

    def test_a_folder_set_aside_and_never_replaced_gets_its_name_back(self, older):
        older.rename(older.parent / ".out.01234567.old")
        with pytest.raises(InvalidArgument, match="which exists"), new_folder(older):
            raise AssertionError("entered")
        assert (older / "record.json").read_text() == OLD

    def test_a_living_run_keeps_its_part(self, tmp_path):
        with new_folder(tmp_path / "out") as aside:
            with pytest.raises(InvalidArgument, match="to which one is writing"), new_folder(tmp_path / "out"):
                raise AssertionError("entered")
            assert aside.is_dir()
        assert names(tmp_path) == ["out"]

    def test_where_there_are_no_locks_nothing_is_removed(self, tmp_path, monkeypatch):
        from toadstone.core import claims

        monkeypatch.setattr(claims, "fcntl", None)
        (tmp_path / ".out.01234567.part").mkdir()
        with new_folder(tmp_path / "out"):
            pass
        assert names(tmp_path) == [".out.01234567.part", "out"]


@pytest.mark.parametrize("wrap", [ValueError, RuntimeError])
def test_a_full_disk_behind_another_error_has_its_sentence_too(tmp_path, wrap):
    def work():
        with new_folder(tmp_path / "out"):
            try:
                raise OSError(errno.ENOSPC, "full")
            finally:
                raise wrap("an archive cannot be closed")

    with pytest.raises(InvalidArgument, match=r"`out`: expected a disk with room"):
        work()
    assert names(tmp_path) == []


def test_a_folder_that_somebody_removes_meanwhile(tmp_path):
    def work():
        with new_folder(tmp_path / "out") as aside:
            aside.rmdir()
            (aside / "x").write_text("")

    with pytest.raises(InvalidArgument, match=r"`out`: expected a place that can be written"):
        work()
    assert names(tmp_path) == []


def test_a_name_that_somebody_takes_meanwhile_is_left_alone(tmp_path):
    with pytest.raises(InvalidArgument, match="which exists"), new_folder(tmp_path / "out"):
        (tmp_path / "out").mkdir()
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("content", ['{"mine": 1}', "[1]", "no JSON"])
def test_files_with_our_names_are_not_replaced_unless_we_wrote_them(tmp_path, content):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "record.json").write_text(content)
    (mine / "kept.csv").write_text("my own,data\n1,2\n")
    with pytest.raises(InvalidArgument, match="whose files no run of toadstone wrote"), new_folder(mine, force=True):
        pass
    assert (mine / "record.json").read_text() == content
