"""Writing a file aside and renaming it when it is whole, one process at a time.

`aside` gives a folder beside the target to work in. The folder is removed in the end, whatever
happens; what a killed process left is removed by the next one, which can tell by the lock: while a
process works it holds a lock on a small file, and the system lets go of it when the process dies.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def aside(target: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """Work in a folder beside a file that is to be replaced, alone.

    Parameters
    ----------
    target : Path
        The file; its folder is made when missing.
    waiting : callable
        Called before waiting for another process that prepares the same file.

    Yields
    ------
    Path
        An empty folder on the target's file system.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / f".{target.name}.lock").open("a+b") as lock:
        if not _locked(lock, wait=False):
            waiting()
            _locked(lock, wait=True)
        folder = target.parent / f".{target.name}.partial"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def put_in_place(written: Path, target: Path) -> None:
    """Replace a file by one that is whole, in one step; a reader sees the old one or the new one.

    Raises
    ------
    PermissionError
        Where the system does not replace a file that a reader holds open (Windows).
    """
    with written.open("rb+") as file:
        os.fsync(file.fileno())
    try:
        written.replace(target)
    except PermissionError as error:
        raise PermissionError(
            f"{target} is open elsewhere and cannot be replaced; close the notebooks that read it"
        ) from error


if sys.platform == "win32":
    import msvcrt

    def _locked(lock: IO[bytes], *, wait: bool) -> bool:
        while True:
            try:
                lock.seek(0)
                msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
                return True
            except OSError:
                if not wait:
                    return False

else:
    import fcntl

    def _locked(lock: IO[bytes], *, wait: bool) -> bool:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True
