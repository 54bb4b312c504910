"""Finished trials survive an interruption, whole ones only."""

from __future__ import annotations

from functools import partial

import pytest

from toadstone.core.errors import InvalidArgument
from toadstone.pipeline.trials.journal import JOURNAL
from toadstone.pipeline.trials.journal import Journal as AnyJournal
from toadstone.records.trials import Trial

Journal = partial(AnyJournal, trial=Trial, run="evaluation")
FIRST, SECOND = (Trial("flip", name, "own", 0, 5, 95, 4, 1, 0.9, 0.5, 50, 3) for name in ("sever", "spectral"))


def test_trials_are_there_again(tmp_path):
    with Journal(tmp_path / "new" / "er", "plan") as journal:
        assert journal.trials == []
        journal.add([FIRST])
        journal.add([SECOND])
        # Written down at once, not when the file is closed.
        assert len((tmp_path / "new" / "er" / JOURNAL).read_text().splitlines()) == 3
    with Journal(tmp_path / "new" / "er", "plan") as journal:
        assert journal.trials == [FIRST, SECOND]


def test_a_torn_line_is_dropped_and_overwritten(tmp_path):
    with Journal(tmp_path, "plan") as journal:
        journal.add([FIRST, SECOND])
    path = tmp_path / JOURNAL
    # Longer than what is written in its place.
    path.write_bytes(path.read_bytes()[:-7] + b" " * 5000)
    with Journal(tmp_path, "plan") as journal:
        assert journal.trials == [FIRST]
        journal.add([SECOND])
    assert path.read_bytes().endswith(b"}\n")
    with Journal(tmp_path, "plan") as journal:
        assert journal.trials == [FIRST, SECOND]


def test_a_torn_first_line_is_a_new_start(tmp_path):
    (tmp_path / JOURNAL).write_bytes(b'{"toadstone_eval')
    with Journal(tmp_path, "plan") as journal:
        journal.add([FIRST])
    with Journal(tmp_path, "plan") as journal:
        assert journal.trials == [FIRST]


def test_other_folders_are_refused_and_left_alone(tmp_path):
    with Journal(tmp_path / "a", "plan") as journal:
        journal.add([FIRST])
    before = (tmp_path / "a" / JOURNAL).read_bytes()
    with pytest.raises(InvalidArgument, match="`out`: expected a new name, or the folder of an evaluation of the same"):
        Journal(tmp_path / "a", "another")
    assert (tmp_path / "a" / JOURNAL).read_bytes() == before
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "letter.txt").write_text("mine")
    with pytest.raises(InvalidArgument, match=r"`out`: expected a name that is not taken, got .*b, which exists"):
        Journal(tmp_path / "b", "plan")
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["letter.txt"]
    (tmp_path / "c").write_text("a file")
    with pytest.raises(InvalidArgument, match="`out`: expected a name that is not taken"):
        Journal(tmp_path / "c", "plan")
    (tmp_path / "a" / JOURNAL).write_bytes(before + b'{"surprise": 1}\n')
    with pytest.raises(InvalidArgument, match=r"`out`: expected trials in trials\.jsonl, one a line"):
        Journal(tmp_path / "a", "plan")
