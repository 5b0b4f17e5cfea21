"""The process that forked kernels come from: imports the heavy modules once, then forks on request.

Question: how does a notebook get a Python process of its own without paying two seconds of
imports each time?

A zygote is started by :class:`keycustomer.casework.forked.Zygote` as
``python -m keycustomer.casework.zygote LISTENER OWNER PARENT DIRECTORY``.  It imports the modules
of :data:`PRELOADED`, then serves one connection a kernel on the listening socket:

====================================  ==========================================================
message                               meaning
====================================  ==========================================================
client: ``{"start": {...}}``          fork a kernel: ``argv``, ``cwd``, ``environment``
client: ``{"signal": 2}``             send the signal to the kernel's process group
kernel: ``{"ready": pid}``            the kernel has bound its sockets
zygote: ``{"error": text}``           no kernel was started, and why
zygote: ``{"exit": code}``            the kernel is gone (negative: killed by that signal)
====================================  ==========================================================

Lifetimes hang on open connections, which the operating system closes whatever way a process ends:
a client that is gone takes its kernel along, an owner that is gone takes the zygote and all
kernels along.  A zygote that is gone takes its kernels along by their parent poller and, on Linux,
by the parent-death signal.

Only a process with a single thread can be forked safely, so the libraries are told to start none
while they are imported, and a zygote that finds others refuses to fork.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import random
import selectors
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

PRELOADED = (
    "numpy",
    "pandas",
    "pyarrow.parquet",
    "duckdb",
    "scipy.stats",
    "scipy.optimize",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "seaborn",
    "IPython.core.pylabtools",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
)
"""Modules every notebook needs.

``matplotlib_inline.backend_inline`` must not be here: it hooks itself into the shell when it is
imported, and the zygote has none.
"""

SINGLE_THREADED = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMEXPR_MAX_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
}
"""Environment of the zygote: what keeps the imports from starting threads (kernels get theirs)."""

_POLL_SECONDS = 0.5
_THREAD_PATIENCE_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1


class Request(NamedTuple):
    """What a forked child needs to become a kernel."""

    argv: list[str]
    cwd: str
    environment: dict[str, str]
    connection: socket.socket


class Connection:
    """One client and the kernel it asked for.

    Parameters
    ----------
    channel : socket.socket
        Connected stream socket, one JSON message a line.
    """

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.pid: int | None = None
        self._pending = b""

    def receive(self) -> Iterator[dict[str, Any]]:
        """Messages that have arrived.

        Raises
        ------
        ConnectionResetError
            When the client is gone.
        """
        data = self.channel.recv(1 << 16)
        if not data:
            raise ConnectionResetError
        *lines, self._pending = (self._pending + data).split(b"\n")
        yield from map(json.loads, lines)

    def tell(self, **message: Any) -> None:
        """Send one message; a client that is already gone is told nothing."""
        with contextlib.suppress(OSError):
            self.channel.sendall(json.dumps(message).encode() + b"\n")

    def signal(self, number: int) -> None:
        """Send a signal to the kernel's process group."""
        if self.pid is None:
            return
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            # The child has not come to setsid() yet; not reaped, so the pid is still its own.
            os.kill(self.pid, number)


class Server:
    """Accepts connections, forks kernels, reports their ends.

    Parameters
    ----------
    listener : socket.socket
        Listening Unix socket.
    owner : socket.socket
        Connected to the process that started the zygote; end of file means it is gone.
    parent : int
        Process id of the owner.
    directory : Path
        Private directory of the zygote, removed at its end.
    """

    def __init__(
        self, listener: socket.socket, owner: socket.socket, parent: int, directory: Path
    ) -> None:
        self.listener, self.owner, self.parent, self.directory = listener, owner, parent, directory
        self.connections: list[Connection] = []
        self.stopping = False
        self.selector = selectors.DefaultSelector()
        self.wakeup = socket.socketpair()
        for end in self.wakeup:
            end.setblocking(False)
        for channel in (listener, owner, self.wakeup[0]):
            self.selector.register(channel, selectors.EVENT_READ)

    def serve(self) -> Request | None:
        """Serve until the owner is gone; returns a request in each forked child, None at the end.

        The child leaves by returning, so that it ends like any other interpreter: exit handlers
        run, buffers are written.
        """
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wakeup[1].fileno(), warn_on_full_buffer=False)
        while not self.stopping and os.getppid() == self.parent:
            for key, _ in self.selector.select(timeout=_POLL_SECONDS):
                request = self._handle(key)
                if request is not None:
                    return request
            self._reap()
        self._end()
        return None

    def _stop(self, *_: object) -> None:
        """Answer SIGTERM like the end of the owner."""
        self.stopping = True

    def _handle(self, key: selectors.SelectorKey) -> Request | None:
        """Answer one ready channel; a request is returned in the forked child only."""
        if key.fileobj is self.owner:
            self.stopping = not self.owner.recv(1)
        elif key.fileobj is self.wakeup[0]:
            self.wakeup[0].recv(4096)
        elif key.fileobj is self.listener:
            connection = Connection(self.listener.accept()[0])
            self.connections.append(connection)
            self.selector.register(connection.channel, selectors.EVENT_READ, connection)
        else:
            return self._converse(key.data)
        return None

    def _converse(self, connection: Connection) -> Request | None:
        """Take a client's messages, or its departure."""
        try:
            for message in connection.receive():
                if "signal" in message:
                    connection.signal(int(message["signal"]))
                elif "start" in message and connection.pid is None:
                    request = self._fork(connection, message["start"])
                    if request is not None:
                        return request
        except (ConnectionResetError, ValueError):
            connection.signal(signal.SIGKILL)
            self.selector.unregister(connection.channel)
            connection.channel.close()
            if connection.pid is None:
                self.connections.remove(connection)
        return None

    def _fork(self, connection: Connection, start: dict[str, Any]) -> Request | None:
        """Fork a kernel; returns in both processes, a request in the child only."""
        threads = thread_count()
        if threads > 1:
            connection.tell(
                error=f"{threads - 1} threads were started while modules were imported, and a "
                "process with threads cannot be forked safely; use the default engine"
            )
            return None
        pid = os.fork()
        if pid:
            connection.pid = pid
            return None
        os.setsid()
        self._leave(connection)
        return Request(start["argv"], start["cwd"], start["environment"], connection.channel)

    def _leave(self, mine: Connection) -> None:
        """In the child: drop everything of the server but the child's own connection."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.selector.close()
        others = [one.channel for one in self.connections if one is not mine]
        for channel in (self.listener, self.owner, *self.wakeup, *others):
            channel.close()

    def _reap(self) -> None:
        """Collect kernels that have ended, tell their clients, and sweep what they left."""
        for connection in [one for one in self.connections if one.pid is not None]:
            pid, status = os.waitpid(connection.pid or 0, os.WNOHANG)
            if pid == 0:
                continue
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            connection.tell(exit=os.waitstatus_to_exitcode(status))
            self.connections.remove(connection)
            if connection.channel.fileno() >= 0:
                self.selector.unregister(connection.channel)
                connection.channel.close()

    def _end(self) -> None:
        """Kill and collect all kernels, remove the directory."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for connection in self.connections:
            connection.signal(signal.SIGKILL)
        for connection in self.connections:
            if connection.pid is not None:
                os.waitpid(connection.pid, 0)
        shutil.rmtree(self.directory, ignore_errors=True)


def thread_count() -> int:
    """Threads of this process, native ones included where the system tells."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else threading.active_count()


def preload() -> None:
    """Import the heavy modules and all of the library, and wait for threads that end by themselves.

    A module that cannot be imported, for whatever reason, is left to the notebook that needs it,
    which then reports it; the others need not suffer.
    """
    for name in (*PRELOADED, *_library_modules()):
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    deadline = time.monotonic() + _THREAD_PATIENCE_SECONDS
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join(max(0.0, deadline - time.monotonic()))


def _library_modules() -> Iterator[str]:
    """Modules of the library, except the command line, the run machinery and this one."""
    import keycustomer

    skipped = ("keycustomer.cli", "keycustomer.casework.")
    for module in pkgutil.walk_packages(
        keycustomer.__path__, "keycustomer.", onerror=lambda _name: None
    ):
        if not module.name.startswith(skipped) or module.name == "keycustomer.casework.chapter":
            yield module.name


def become_kernel(request: Request) -> None:
    """Run an IPython kernel in this freshly forked process until it is told to end.

    Parameters
    ----------
    request : Request
        Arguments after ``ipykernel_launcher``, working directory, environment, connection.
    """
    _die_with_parent()
    _settle(request)
    sys.argv = ["ipykernel_launcher", *request.argv]
    from ipykernel.kernelapp import IPKernelApp

    application = IPKernelApp.instance(parent_handle=os.getppid())
    application.initialize(request.argv)
    request.connection.sendall(json.dumps({"ready": os.getpid()}).encode() + b"\n")
    request.connection.close()
    application.start()


def _settle(request: Request) -> None:
    """Give the process its own environment, directory, input, random state and threads."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.chdir(request.cwd)
    os.environ.clear()
    os.environ.update(request.environment, JPY_PARENT_PID=str(os.getppid()))
    time.tzset()
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    if "matplotlib" in sys.modules and os.environ.get("MPLBACKEND"):
        sys.modules["matplotlib"].rcParams["backend"] = os.environ["MPLBACKEND"]
    set_blas_threads(wanted_blas_threads(os.environ))
    gc.enable()


def wanted_blas_threads(environment: os._Environ[str] | dict[str, str]) -> int:
    """Threads BLAS would take under an environment, by OpenBLAS's rules."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        value = environment.get(name, "").split(",")[0].strip()
        if value.isdigit() and int(value) > 0:
            return int(value)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def set_blas_threads(count: int) -> None:
    """Set the threads of the OpenBLAS copies that numpy and scipy carry.

    They read the environment only when they are loaded, which was in the zygote.
    """
    names = ("scipy_openblas_set_num_threads64_", "scipy_openblas_set_num_threads")
    for package in ("numpy", "scipy"):
        if package not in sys.modules:
            continue
        home = Path(sys.modules[package].__file__ or "").parents[1] / f"{package}.libs"
        for path in sorted(home.glob("*openblas*")):
            library = ctypes.CDLL(str(path))
            for name in names:
                if hasattr(library, name):
                    getattr(library, name)(ctypes.c_int(count))


def _leave_at_once() -> None:
    """End a kernel when all exit handlers have run, without taking the interpreter apart.

    That would copy every page shared with the zygote, and take longer than most notebooks.
    """
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    os._exit(0)


def _die_with_parent() -> None:
    """On Linux, let the kernel of the system end this process when the zygote ends.

    The parent poller of ipykernel does the same elsewhere, but it is a Python thread and waits
    for computations that hold the interpreter.
    """
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent or parent == 1:
        os._exit(1)


def main(arguments: list[str]) -> None:
    """Preload, serve, and in every forked child run a kernel."""
    listener, owner, parent, directory = arguments
    if sys.path and sys.path[0] in ("", os.getcwd()):
        # Like ipykernel_launcher: a file beside the notebook must not stand for a library.
        del sys.path[0]
    os.environ.update(SINGLE_THREADED)
    # Registered before all others, so that it runs after them.
    atexit.register(_leave_at_once)
    gc.disable()
    preload()
    gc.freeze()
    server = Server(
        socket.socket(fileno=int(listener)),
        socket.socket(fileno=int(owner)),
        int(parent),
        Path(directory),
    )
    request = server.serve()
    if request is None:
        # Nothing is left to write or release, and tearing down frozen objects is only noise.
        os._exit(0)
    become_kernel(request)


if __name__ == "__main__":
    main(sys.argv[1:])
