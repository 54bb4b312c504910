"""Folders are whole or not there."""

import errno

import pytest

from toadstone.core.errors import InvalidArgument
from toadstone.report.files.folders import new_folder, refuse_existing


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
