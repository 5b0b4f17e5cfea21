"""Time and memory of a job in a process of its own, and how they are printed."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Usage:
    """What a process used.

    Attributes
    ----------
    wall, cpu : float
        Seconds; CPU seconds are the figures to trust on a shared machine.
    peak_memory : int
        Largest resident memory of a process, bytes.
    """

    wall: float
    cpu: float
    peak_memory: int


def in_own_process(command: Sequence[str], **environment: str) -> tuple[Usage, str]:
    """Run a command and return what it used and printed, with all processes that it started.

    Raises
    ------
    RuntimeError
        When it fails, with what it printed.
    """
    _adopt_orphans()
    with tempfile.TemporaryFile("w+") as output:
        begin = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | environment,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begin
        everybody = [used, *_orphans()]
        output.seek(0)
        text = output.read()
    if process.returncode != 0:
        raise RuntimeError(f"{list(command)} ended with {process.returncode}:\n{text}")
    unit = 1 if sys.platform == "darwin" else 1024
    cpu = sum(one.ru_utime + one.ru_stime for one in everybody)
    return Usage(wall, cpu, max(one.ru_maxrss for one in everybody) * unit), text


def _adopt_orphans() -> None:
    """On Linux, make processes whose parent has ended ours, so that their use is counted.

    A server that forks workers outlives the command that started it for a moment.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _orphans() -> list[resource.struct_rusage]:
    """Wait for the processes that a command has left, and return what they used."""
    used = []
    with contextlib.suppress(ChildProcessError):
        while True:
            used.append(os.wait4(-1, 0)[2])
    return used


def report(name: str, size: int, usage: Usage, against: float | None = None) -> None:
    """Print one line; `against` are the CPU seconds of the named peer."""
    ratio = f"  {usage.cpu / against:5.2f}x" if against else ""
    print(
        f"{name:12} {size:>12,}  {usage.wall:8.2f} s  {usage.cpu:8.2f} CPU s "
        f"{usage.peak_memory / 2**20:8,.0f} MB{ratio}",
        flush=True,
    )
