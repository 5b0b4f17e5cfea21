"""Publishing an output folder at once: write aside, then swap.

Question: how does a reader of `output/` never see half a run, whatever kills the run when?

A run writes into a sibling folder, ``output.new-*``, and swaps it with `output/` in one step of
the file system where there is such a step (Linux, macOS), else in two, of which the next run
mends the first.  An incomplete run goes to ``output.failed``, and `output/` stays as it was.

- :class:`Staging`: the folder aside; `publish`, `keep_failed`, `discard`.
- :func:`clean_up`: removes what killed runs have left, and mends an unfinished swap.

Sources: renameat2(2) with RENAME_EXCHANGE (Linux), renamex_np(2) with RENAME_SWAP (macOS).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO

from keycustomer.casework.errors import CaseError

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_RENAME_SWAP = 2
_MARK = "running"


class Staging:
    """A folder aside, for one run of one output.

    Parameters
    ----------
    output : Path
        The folder that will be replaced.

    Attributes
    ----------
    content : Path
        Where the run writes.

    Raises
    ------
    CaseError
        When another run of the same output is at work.
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        output.parent.mkdir(parents=True, exist_ok=True)
        clean_up(output)
        self._folder = Path(tempfile.mkdtemp(prefix=f"{output.name}.new-", dir=output.parent))
        self._lock = (self._folder / _MARK).open("w")
        _try_lock(self._lock)
        self.content = self._folder / "content"
        self.content.mkdir()

    def __enter__(self) -> Staging:
        """Return the folder aside."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove what was not published."""
        self.discard()

    def publish(self) -> None:
        """Make the content the output, whole; the former output goes."""
        if self.output.exists():
            _swap(self.content, self.output, self._folder / "former")
        else:
            self.content.rename(self.output)
        shutil.rmtree(failed_folder(self.output), ignore_errors=True)
        self.discard()

    def keep_failed(self) -> Path:
        """Put the content beside the output, which stays as it is, and return where."""
        target = failed_folder(self.output)
        shutil.rmtree(target, ignore_errors=True)
        self.content.rename(target)
        self.discard()
        return target

    def discard(self) -> None:
        """Remove the folder aside."""
        self._lock.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def failed_folder(output: Path) -> Path:
    """Folder of the last run that was not complete."""
    return output.with_name(f"{output.name}.failed")


def clean_up(output: Path) -> None:
    """Remove what killed runs of an output have left beside it.

    Raises
    ------
    CaseError
        When another run of the output is at work.
    """
    for folder in sorted(output.parent.glob(f"{output.name}.new-*")):
        if _at_work(folder):
            raise CaseError(f"another run is writing {output}; wait for it, or end it first")
        former = folder / "former"
        if former.is_dir() and not output.exists():
            former.rename(output)
        shutil.rmtree(folder, ignore_errors=True)


def _at_work(folder: Path) -> bool:
    """Whether the run that made a folder aside is alive: only then is its lock held."""
    try:
        with (folder / _MARK).open("r+") as mark:
            return not _try_lock(mark)
    except OSError:
        return False


def _try_lock(file: IO[str]) -> bool:
    """Lock a file until it is closed or the process ends; False when another process has it."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _swap(new: Path, old: Path, aside: Path) -> None:
    """Exchange two folders in one step, else in two by way of `aside`."""
    if _exchange(new, old):
        return
    old.rename(aside)
    new.rename(old)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two paths in one step; False where the system or file system cannot."""
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None, use_errno=True)
        paths = os.fsencode(first), os.fsencode(second)
        if sys.platform == "linux":
            return not library.renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE)
        if sys.platform == "darwin":
            return not library.renamex_np(*paths, _RENAME_SWAP)
    return False
