"""Silence for a solver: lines that compiled code writes past Python.

HiGHS writes some lines straight to the process's standard output, whatever it is told about being
quiet; in a notebook or a pipe they would stand among the results.  :func:`quiet_solver` leads the
file descriptor of standard output to nowhere while the solver runs.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator

STANDARD_OUTPUT = 1
"""File descriptor that compiled code writes to, whatever `sys.stdout` is."""


@contextlib.contextmanager
def quiet_solver() -> Iterator[None]:
    """Let compiled code write nothing to standard output.

    What Python writes to a `sys.stdout` of its own, such as a notebook's, is not touched.  A
    process without standard output has nothing to silence.  The file descriptor is the whole
    process's: other threads are silenced as long.
    """
    try:
        kept = os.dup(STANDARD_OUTPUT)
    except OSError:
        yield
        return
    _flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, STANDARD_OUTPUT)
        yield
    finally:
        # what is still in a buffer would come out after the silence
        _flush()
        os.dup2(kept, STANDARD_OUTPUT)
        os.close(nowhere)
        os.close(kept)


def _flush() -> None:
    """Empty the buffers of Python and of compiled code."""
    with contextlib.suppress(AttributeError, ValueError, OSError):
        sys.stdout.flush()
    if os.name == "posix":
        ctypes.CDLL(None).fflush(None)
