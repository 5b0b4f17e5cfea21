"""Worker processes: one task at a time each, and none that outlives its run.

Question: how do chapters run in parallel so that one that dies takes nothing else with it?

A worker runs a named function of :mod:`keycustomer.casework.tasks` and sends back progress and
the result.  A worker that is killed costs its own task only.  A worker whose run has died ends
itself, and with it its notebook's kernel.  On POSIX, workers that run notebooks are forked from a
process that has imported papermill once, which takes seconds.

- :class:`Workers`: `start` tasks, `events` until all are done, `close`; :func:`warm_up`.
- :class:`Task`, :class:`Event`.
"""

from __future__ import annotations

import contextlib
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
from keycustomer.casework.resources import THREAD_VARIABLES

_GRACE_SECONDS = 8.0
_TASKS = "keycustomer.casework.tasks"
_PRELOADED = [_TASKS, "papermill", "keycustomer.casework.report"]


@dataclass(frozen=True)
class Task:
    """A call of a function of the tasks module in a worker.

    Attributes
    ----------
    key : tuple of str
        Which task it is, for whoever waits for it.
    function : str
        Name of the function; it takes `report` (a callable for progress) and the arguments.
    light : bool
        Whether the function does without papermill.
    arguments : dict
        Arguments, picklable.
    environment : dict of str to str
        Environment variables the worker has beside this process's own.
    """

    key: tuple[str, ...]
    function: str
    arguments: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    light: bool = False


@dataclass(frozen=True)
class Event:
    """News of a task: `progress`, `done` with a value, or `failed` with a message."""

    task: Task
    kind: Literal["progress", "done", "failed"]
    value: Any


@dataclass(frozen=True)
class _Worker:
    """A worker process and the way to it."""

    process: BaseProcess
    connection: Connection
    light: bool


def warm_up() -> None:
    """Begin to import, in the background, what workers with notebooks need."""
    context = _context(light=False)
    if context.get_start_method() == "forkserver":
        from multiprocessing import forkserver

        context.set_forkserver_preload(_PRELOADED)
        with _single_threaded():
            forkserver.ensure_running()


def _context(light: bool) -> Any:
    """How a worker is started: afresh, or where possible from a process with the imports done."""
    forking = not light and "forkserver" in multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("forkserver" if forking else "spawn")


@contextlib.contextmanager
def _single_threaded() -> Iterator[None]:
    """Keep libraries that are imported before a fork from starting threads."""
    former = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in former.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _new_worker(light: bool) -> _Worker:
    context = _context(light)
    if not light:
        warm_up()
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs,), name="keycustomer-worker")
    process.start()
    theirs.close()
    return _Worker(process, ours, light)


class Workers:
    """Up to `count` worker processes, started as they are needed.

    Parameters
    ----------
    count : int
        Largest number of tasks at work at a time.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._idle: list[_Worker] = []
        self._busy: dict[Connection, tuple[_Worker, Task]] = {}

    @property
    def free(self) -> int:
        """How many more tasks can be started now."""
        return self.count - len(self._busy)

    def start(self, task: Task) -> None:
        """Give a task to a worker."""
        fitting = [worker for worker in self._idle if worker.light == task.light]
        worker = fitting[0] if fitting else _new_worker(task.light)
        if fitting:
            self._idle.remove(worker)
        worker.connection.send((task, {**os.environ, **task.environment}))
        self._busy[worker.connection] = (worker, task)

    def events(self) -> Iterator[Event]:
        """News of the tasks at work, as it comes, until none is at work."""
        while self._busy:
            ready = wait(list(self._busy), timeout=1.0)
            for connection in [known for known in self._busy if known in ready]:
                yield self._receive(connection)

    def _receive(self, connection: Connection) -> Event:
        worker, task = self._busy[connection]
        try:
            kind, value = connection.recv()
        except (EOFError, OSError):
            del self._busy[connection]
            connection.close()
            worker.process.join(_GRACE_SECONDS)
            return Event(task, "failed", _death(worker.process.exitcode))
        if kind != "progress":
            del self._busy[connection]
            self._idle.append(worker)
        return Event(task, kind, value)

    def close(self) -> None:
        """End all workers: idle ones by closing, busy ones by asking, then by force."""
        busy = [worker for worker, _ in self._busy.values()]
        for worker in busy:
            worker.process.terminate()
        for worker in [*busy, *self._idle]:
            worker.connection.close()
        for worker in [*busy, *self._idle]:
            worker.process.join(_GRACE_SECONDS)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
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
            task, environment = connection.recv()
        except (EOFError, OSError):
            return
        os.environ.clear()
        os.environ.update(environment)
        connection.send(_outcome(task, connection))


def _outcome(task: Task, connection: Connection) -> tuple[str, Any]:
    """Run one task."""
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
