"""Names of results that one run at a time may write to, held by locks that end with their process."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from toadstone.core.errors import InvalidArgument

try:
    import fcntl
except ImportError:  # pragma: no cover
    # Windows has no such locks; runs there do not see each other.
    fcntl = None  # type: ignore[assignment]


def hold(descriptor: int) -> bool | None:
    """Lock an open file without waiting.

    The system gives the lock back when the process ends, however it ends, so
    that nothing depends on process numbers or clocks.

    Returns
    -------
    bool or None
        False where another process holds it, None where the file system has
        no locks.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def is_at(descriptor: int, path: Path) -> bool:
    """Check that an open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError:
        return False


@contextmanager
def claimed(path: str | os.PathLike[str], *, kind: str = "folder") -> Iterator[bool]:
    """Hold the name of a result, so that no other run writes to it; yields whether it is surely alone.

    The lock is that of an empty file ``.NAME.lock`` beside the result, which
    is removed at the end. Folders above are created, and removed at the end if
    they are empty.

    Raises
    ------
    InvalidArgument
        If another run holds the name, or nothing can be created there.
    """
    target = Path(path)
    if not target.name:
        raise InvalidArgument("out", "a name that is not taken", f"{target}, which exists")
    lock = target.with_name(f".{target.name}.lock")
    missing = [parent for parent in target.parents if not parent.exists()]
    descriptor: int | None = None
    try:
        try:
            if missing:
                target.parent.mkdir(parents=True, exist_ok=True)
            descriptor, alone = _locked(lock)
        except OSError as error:
            raise unusable(target, error, f"a {kind} that can be created") from None
        if alone is False:
            raise InvalidArgument("out", "a name that no other run writes to", f"{target}, to which one is writing")
        yield alone is True
    finally:
        if descriptor is not None:
            if alone is not False:
                # While it is locked: whoever opened it before sees that the name is gone, and starts again.
                with suppress(OSError):
                    lock.unlink()
            os.close(descriptor)
        _remove_empty(missing)


def unusable(target: Path, error: OSError, expected: str) -> InvalidArgument:
    """Say in one sentence that a result cannot be written."""
    return InvalidArgument("out", expected, f"{target}: {(error.strerror or 'input/output error').lower()}")


def _locked(lock: Path) -> tuple[int, bool | None]:
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        try:
            alone = hold(descriptor)
            if alone is not True or is_at(descriptor, lock):
                return descriptor, alone
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _remove_empty(folders: Iterable[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()
