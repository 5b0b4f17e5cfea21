"""Worker processes: one task at a time each, and none that outlives its run.

Question: how do chapters run in parallel so that one that dies takes nothing else with it?

A worker runs a named function of :mod:`keycustomer.casework.tasks` and sends back progress and
the result.  A worker that is killed costs its own task only.  A worker whose run has died ends
itself, and with it its notebook's kernel.

- :class:`Workers`: `start` tasks, `events` until all are done, `close`.
- :class:`Task`, :class:`Event`.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Literal

from keycustomer.casework.errors import CaseError

_GRACE_SECONDS = 8.0
_TASKS = "keycustomer.casework.tasks"


@dataclass(frozen=True)
class Task:
    """A call of a function of the tasks module in a worker.

    Attributes
    ----------
    key : tuple of str
        Which task it is, for whoever waits for it.
    function : str
        Name of the function; it takes `report` (a callable for progress) and the arguments.
    arguments : dict
        Arguments, picklable.
    environment : dict of str to str
        Environment variables the worker sets first.
    """

    key: tuple[str, ...]
    function: str
    arguments: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """News of a task: `progress`, `done` with a value, or `failed` with a message."""

    task: Task
    kind: Literal["progress", "done", "failed"]
    value: Any


class Workers:
    """Up to `count` worker processes, started as they are needed.

    Parameters
    ----------
    count : int
        Largest number of tasks at work at a time.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._context = multiprocessing.get_context("spawn")
        self._idle: list[tuple[BaseProcess, Connection]] = []
        self._busy: dict[Connection, tuple[BaseProcess, Task]] = {}

    @property
    def free(self) -> int:
        """How many more tasks can be started now."""
        return self.count - len(self._busy)

    def start(self, task: Task) -> None:
        """Give a task to a worker."""
        process, connection = self._idle.pop() if self._idle else self._new()
        connection.send(task)
        self._busy[connection] = (process, task)

    def _new(self) -> tuple[BaseProcess, Connection]:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs,), name="keycustomer-worker")
        process.start()
        theirs.close()
        return process, ours

    def events(self) -> Iterator[Event]:
        """News of the tasks at work, as it comes, until none is at work."""
        while self._busy:
            for connection in wait(list(self._busy), timeout=1.0):
                if isinstance(connection, Connection):
                    yield self._receive(connection)

    def _receive(self, connection: Connection) -> Event:
        process, task = self._busy[connection]
        try:
            kind, value = connection.recv()
        except (EOFError, OSError):
            del self._busy[connection]
            connection.close()
            process.join(_GRACE_SECONDS)
            return Event(task, "failed", _death(process.exitcode))
        if kind != "progress":
            del self._busy[connection]
            self._idle.append((process, connection))
        return Event(task, kind, value)

    def close(self) -> None:
        """End all workers: idle ones by closing, busy ones by asking, then by force."""
        processes = [process for process, _ in [*self._idle, *self._busy.values()]]
        for process, _task in self._busy.values():
            process.terminate()
        for connection in [*(c for _, c in self._idle), *self._busy]:
            connection.close()
        for process in processes:
            process.join(_GRACE_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()
        self._idle, self._busy = [], {}


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        cure = " (out of memory? try --jobs 1)" if name == "SIGKILL" else ""
        return f"its worker process was ended by {name}{cure}"
    return f"its worker process ended with code {code}"


def _work(connection: Connection) -> None:
    """Run tasks until the run closes the connection."""
    # Ctrl-C reaches the whole terminal; the run decides what ends when.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    threading.Thread(target=_follow_parent, daemon=True).start()
    while True:
        try:
            task = connection.recv()
        except (EOFError, OSError):
            return
        connection.send(_outcome(task, connection))


def _outcome(task: Task, connection: Connection) -> tuple[str, Any]:
    """Run one task."""
    os.environ.update(task.environment)
    function = getattr(importlib.import_module(_TASKS), task.function)
    try:
        value = function(lambda news: connection.send(("progress", news)), **task.arguments)
    except CaseError as error:
        return "failed", str(error)
    except Exception as error:
        return "failed", f"{type(error).__name__}: {error}"
    return "done", value


def _follow_parent() -> None:
    """End this worker when its run has died."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(_GRACE_SECONDS)
        os._exit(143)
