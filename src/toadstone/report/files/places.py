"""The place of a folder of results: free, taken, or that of an older run, which it replaces in one step."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import re
import secrets
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from toadstone.core.claims import claimed, unusable
from toadstone.core.errors import InvalidArgument
from toadstone.core.files import FULL

_OURS = re.compile(
    r"record\.json|report\.html|scan\.sarif|(suspects|scores|removals|removed|relabelled|matrix|curves)\.csv|trials\.jsonl|poison\.npz"
    r"|repaired\.safetensors|trigger-\d+\.png"
    r"|certificate(-[\d.e+-]+)?\.(json|npz)|(kept|cleaned)\..+|\..+\.[0-9a-f]{12}\.part"
)
"""Names of files that runs write into their folders."""

_AT_WORKING_FOLDER, _EXCHANGE = -100, 2


@contextmanager
def new_folder(path: str | Path, *, force: bool = False) -> Iterator[Path]:
    """Create a folder that appears under its name only once it is complete.

    The name is held meanwhile, so that no other run writes to it, and what
    killed runs left beside it is removed.

    Parameters
    ----------
    path : path-like
    force : bool
        Replace a folder of results of an older run, in one step at the end.

    Raises
    ------
    InvalidArgument
        If something of that name exists, with `force` something that no run
        wrote; if another run holds the name; if nothing can be created there,
        or the disk is full.
    """
    target = Path(path)
    with claimed(target) as alone:
        if alone:
            _sweep(target)
        with filled(target, force=force) as aside:
            yield aside


@contextmanager
def filled(target: Path, *, force: bool) -> Iterator[Path]:
    """Create a folder as `new_folder` does, under a name that the caller holds."""
    (refuse_foreign if force else refuse_existing)(target)
    # Beside the target, thus on the same disk, where a rename is one step.
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with naming_out(target, aside):
            try:
                aside.mkdir()
            except OSError as error:
                raise unusable(target, error, "a folder that can be created") from None
            yield aside
            (refuse_foreign if force else refuse_existing)(target)
            _put(aside, target)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


@contextmanager
def naming_out(target: Path, aside: Path | None = None) -> Iterator[None]:
    """Say of a full disk, and of anything else that stops writing a result, that it is about ``--out``.

    Raises
    ------
    InvalidArgument
        In place of such an error.
    """
    try:
        yield
    except Exception as error:
        stopped = _stopped_writing(error, aside)
        if stopped is None:
            raise
        expected = "a disk with room for the results" if stopped.errno in FULL else "a place that can be written"
        raise unusable(target, stopped, expected) from None


def _stopped_writing(error: BaseException | None, aside: Path | None) -> OSError | None:
    """Find the error of the system; an archive that cannot be closed for lack of room hides it behind another."""
    while error is not None:
        if isinstance(error, OSError) and (
            error.errno in (*FULL, errno.EROFS)
            or (aside is not None and Path(str(error.filename)).is_relative_to(aside))
        ):
            return error
        error = error.__cause__ or error.__context__
    return None


def refuse_existing(path: str | Path) -> None:
    """Check that a name is not taken.

    Raises
    ------
    InvalidArgument
        If something of that name exists.
    """
    # A link that points nowhere does not exist, but its name is taken.
    if Path(path).exists() or Path(path).is_symlink():
        raise InvalidArgument("out", "a name that is not taken", f"{path}, which exists; --force replaces results")


def refuse_existing_file(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Refuse a file name that is taken, with `force` by anything but an archive.

    Raises
    ------
    InvalidArgument
        If it is.
    """
    if not force and os.path.lexists(path):
        raise InvalidArgument("out", "a file that does not exist yet", f"{path}; --force replaces it")
    if os.path.lexists(path) and not (Path(path).is_file() and zipfile.is_zipfile(path)):
        raise InvalidArgument("out", "an archive of poison rows to replace", f"{path}, which is none")


def refuse_foreign(path: Path) -> None:
    """Check that a folder, if there is one, holds nothing but files that a run wrote: these may be replaced.

    Raises
    ------
    InvalidArgument
        If it holds anything else, or is a file or a link.
    """
    expected = "a folder of results to replace"
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise InvalidArgument("out", expected, f"{path}, which is a {'link' if path.is_symlink() else 'file'}")
    others = [] if not path.is_dir() else sorted(entry.name for entry in path.iterdir() if not _is_ours(entry))
    if others:
        raise InvalidArgument("out", expected, f"{path}, which holds {others[0]}; remove that first")
    if path.is_dir() and any(path.iterdir()) and not _holds_results(path):
        raise InvalidArgument("out", expected, f"{path}, whose files no run of toadstone wrote; remove it first")


def refuse_inputs_inside(path: Path, inputs: Iterable[str | os.PathLike[str] | None]) -> None:
    """Check that no file that a run reads lies where its results replace older ones.

    Raises
    ------
    InvalidArgument
        If one does.
    """
    for name in inputs:
        if name is not None and path.resolve() in (Path(name).resolve(), *Path(name).resolve().parents):
            raise InvalidArgument("out", "a place without files that this run reads", f"{path}, for {name}")


def _sweep(target: Path) -> None:
    """Remove what killed runs left beside a name that no living run holds.

    A folder that was set aside, and never replaced, gets its name back.
    """
    orphan = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{8}}\.(part|old)")
    for path in list(target.parent.iterdir()):
        found = orphan.fullmatch(path.name)
        if found and found[1] == "old" and not target.exists() and not target.is_symlink():
            path.rename(target)
        elif found and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)


def _put(aside: Path, target: Path) -> None:
    """Give a complete folder its name; whatever a run left under it is removed.

    Where the system can exchange two names, there is the old folder or the new
    one under the name at any time. Where it cannot, the name is free between
    two renames, and `_sweep` settles what a kill leaves there.
    """
    if not target.exists():
        aside.rename(target)
        return
    if _exchange(aside, target):
        shutil.rmtree(aside, ignore_errors=True)
        return
    old = aside.with_suffix(".old")
    try:
        target.rename(old)
        aside.rename(target)
    except BaseException:
        if not target.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step, if system and file system can."""
    try:
        rename: ctypes._NamedFuncPointer = ctypes.CDLL(None).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    names = (_AT_WORKING_FOLDER, os.fsencode(one), _AT_WORKING_FOLDER, os.fsencode(other))
    return bool(rename(*names, _EXCHANGE) == 0)


def _holds_results(path: Path) -> bool:
    """Return True if a file of the folder says by its content that toadstone wrote it: names alone are anybody's."""
    if any(path.glob("trials.jsonl")) or any(entry.suffix == ".part" for entry in path.iterdir()):
        return True
    for file in (path / "record.json", *path.glob("certificate*.json")):
        try:
            found = json.loads(file.read_bytes()) if file.is_file() else None
        except ValueError:
            continue
        if isinstance(found, dict) and ("header" in found or str(found.get("format", "")).startswith("toadstone")):
            return True
    removed = path / "removed.csv"
    if not removed.is_file():
        return False
    with removed.open("rb") as stream:
        return stream.readline().rstrip().endswith(b",label,score,reason")


def _is_ours(entry: Path) -> bool:
    return entry.is_file() and not entry.is_symlink() and _OURS.fullmatch(entry.name) is not None
