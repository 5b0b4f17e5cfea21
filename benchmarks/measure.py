"""Time and memory of a job in a process of its own, and how they are printed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Usage:
    """What a process used.

    Attributes
    ----------
    wall, cpu : float
        Seconds; CPU seconds are the figures to trust on a shared machine.
    peak_memory : int
        Largest resident memory, bytes.
    """

    wall: float
    cpu: float
    peak_memory: int


def in_own_process(command: Sequence[str], **environment: str) -> tuple[Usage, str]:
    """Run a command, with its children, and return what it used and printed.

    Raises
    ------
    RuntimeError
        When it fails, with what it printed.
    """
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
        output.seek(0)
        text = output.read()
    if process.returncode != 0:
        raise RuntimeError(f"{list(command)} ended with {process.returncode}:\n{text}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Usage(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * unit), text


def report(name: str, size: int, usage: Usage, against: float | None = None) -> None:
    """Print one line; `against` are the CPU seconds of the named peer."""
    ratio = f"  {usage.cpu / against:5.2f}x" if against else ""
    print(
        f"{name:12} {size:>12,}  {usage.wall:8.2f} s  {usage.cpu:8.2f} CPU s "
        f"{usage.peak_memory / 2**20:8,.0f} MB{ratio}",
        flush=True,
    )
