"""The `forked` engine of papermill: every notebook in its own process, without its start-up.

Question: how are many notebooks run in a third of the time without giving up their isolation?

Ninety per cent of the time of a small notebook is Python's start and the imports.  A zygote
(:mod:`keycustomer.casework.zygote`) imports them once and forks one kernel a notebook: a process
of its own, with its own working directory, environment, random state and sockets, that ends with
its notebook, its client, or the process that owns the zygote, whatever way these end.

- :func:`forked_kernels`: starts a zygote for a block of code; worker processes started within it
  share it.
- :class:`ForkedEngine`: papermill engine ``forked``; starts a zygote of its own where none is
  shared (then one notebook gains nothing, the following ones do).
- :class:`ForkedProvisioner`: Jupyter kernel provisioner ``keycustomer-forked``, for any Jupyter
  client.

Kernels talk through Unix sockets in a private directory: no ports, so none collide.  POSIX only;
elsewhere use papermill's default engine.  Two things differ from a kernel started afresh: the seed
of string hashes is the zygote's, and modules of :data:`~keycustomer.casework.zygote.PRELOADED`
are already imported, so variables that they read at import (other than threads, time zone and
matplotlib's backend) have no effect.

This module is imported by papermill while papermill itself is being imported, so it imports
nothing of papermill at its top.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

SHARED_ZYGOTE = "KEYCUSTOMER_ZYGOTE"
"""Environment variable: private directory of the zygote shared with worker processes."""

_PROVISIONER = "keycustomer-forked"
_LAUNCHER = "ipykernel_launcher"
_SOCKET_NAME = "zygote"
_START_SECONDS = 120.0
_END_SECONDS = 5.0
_WAIT_SECONDS = 0.01
# A Unix socket's path has at most 103 bytes on macOS; the longest name here takes 30.
_LONGEST_DIRECTORY = 70


class ForkedKernelError(RuntimeError):
    """A forked kernel could not be started."""


class Zygote:
    """A zygote process owned by this process, which it does not outlive.

    Raises
    ------
    ForkedKernelError
        Where the system cannot fork.
    """

    def __init__(self) -> None:
        _require_fork()
        self.directory = _private_directory()
        self.owner_pid = os.getpid()
        self._owner, theirs = socket.socketpair()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener, theirs:
            listener.bind(str(self.directory / _SOCKET_NAME))
            listener.listen(128)
            self.process = _spawn(listener.fileno(), theirs.fileno(), self.directory)

    @property
    def alive(self) -> bool:
        """Whether this process owns it and it still runs."""
        return self.owner_pid == os.getpid() and self.process.poll() is None

    def close(self) -> None:
        """End the zygote and with it all its kernels; does nothing in a process that was forked."""
        if self.owner_pid != os.getpid():
            return
        self._owner.close()
        # A forked worker may hold a copy of the connection, so the end of file may not come.
        self.process.terminate()
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def _spawn(listener: int, owner: int, directory: Path) -> subprocess.Popen[bytes]:
    """Start the zygote's process in a session of its own, out of reach of Ctrl-C."""
    from keycustomer.casework.zygote import SINGLE_THREADED

    arguments = [str(listener), str(owner), str(os.getpid()), str(directory)]
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "keycustomer.casework.zygote", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **SINGLE_THREADED},
        pass_fds=(listener, owner),
        start_new_session=True,
    )


def _require_fork() -> None:
    """Refuse systems without fork."""
    if not hasattr(os, "fork") or not hasattr(socket, "AF_UNIX"):
        raise ForkedKernelError(
            f"the engine 'forked' needs a POSIX system; this one is {sys.platform!r}: "
            "use the default engine (leave the engine out)"
        )


def _private_directory() -> Path:
    """Make a directory only this user can enter, with a path short enough for sockets.

    Raises
    ------
    ForkedKernelError
        When no short directory can be written.
    """
    tried = list(dict.fromkeys([tempfile.gettempdir(), "/tmp", "/var/tmp"]))  # noqa: S108
    for parent in tried:
        if len(os.fsencode(parent)) <= _LONGEST_DIRECTORY - 21:
            with contextlib.suppress(OSError):
                return Path(tempfile.mkdtemp(prefix="keycustomer-", dir=parent))
    raise ForkedKernelError(
        f"the engine 'forked' needs a writable directory with a path of at most "
        f"{_LONGEST_DIRECTORY - 21} bytes for its sockets; tried {', '.join(tried)}: "
        "set TMPDIR to one, or use the default engine"
    )


_own: Zygote | None = None
_own_lock = threading.Lock()


def _own_zygote() -> Zygote:
    """Return the zygote of this process, started at first need and ended with the process."""
    global _own
    with _own_lock:
        if _own is None or not _own.alive:
            _own = Zygote()
            atexit.register(_own.close)
        return _own


def _zygote_directory() -> Path:
    """Directory of the zygote to use: the shared one where it still listens, else our own."""
    shared = os.environ.get(SHARED_ZYGOTE)
    if shared:
        with contextlib.suppress(OSError), _dial(Path(shared)):
            return Path(shared)
    return _own_zygote().directory


def _dial(directory: Path) -> socket.socket:
    """Open a connection to the zygote of a directory."""
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        channel.connect(str(directory / _SOCKET_NAME))
    except OSError:
        channel.close()
        raise
    return channel


@contextlib.contextmanager
def forked_kernels() -> Iterator[Zygote]:
    """Start a zygote for a block, shared with processes started within the block.

    The imports begin at once, in the background; start the workers inside the block.

    Yields
    ------
    Zygote
        The zygote, ended with its kernels when the block is left.

    Raises
    ------
    ForkedKernelError
        Where the system cannot fork.
    """
    zygote = Zygote()
    former = os.environ.get(SHARED_ZYGOTE)
    os.environ[SHARED_ZYGOTE] = str(zygote.directory)
    try:
        yield zygote
    finally:
        if former is None:
            os.environ.pop(SHARED_ZYGOTE, None)
        else:
            os.environ[SHARED_ZYGOTE] = former
        zygote.close()


class ForkedProvisioner(LocalProvisioner):
    """Kernel provisioner `keycustomer-forked`: kernels come from a zygote."""

    _channel: socket.socket | None = None
    _pending = b""
    _exit_code: int | None = None

    @property
    def has_process(self) -> bool:
        """Whether a kernel was launched and not yet waited for."""
        return self._channel is not None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork a kernel and return when it has bound its sockets.

        Raises
        ------
        ForkedKernelError
            When the system cannot fork, the kernel is not Python of this environment, or the
            kernel ended before it was ready.
        """
        start = {
            "argv": _kernel_arguments(cmd),
            "cwd": str(kwargs.get("cwd") or Path.cwd()),
            "environment": {**(kwargs.get("env") or os.environ)},
        }
        self._exit_code, self._pending = None, b""
        self._channel = await asyncio.to_thread(self._start, start)
        self.cwd = start["cwd"]
        return self.connection_info

    def _start(self, start: dict[str, Any]) -> socket.socket:
        """Ask a zygote for a kernel and wait until it is ready."""
        _require_fork()
        channel = _dial(_zygote_directory())
        channel.settimeout(_START_SECONDS)
        try:
            channel.sendall(json.dumps({"start": start}).encode() + b"\n")
            self.pid = self.pgid = _ready_pid(channel)
        except OSError as error:
            channel.close()
            raise ForkedKernelError(
                f"the process that forks kernels did not start one ({error or 'it ended'}); "
                "its message is above; use the default engine"
            ) from error
        except ForkedKernelError:
            channel.close()
            raise
        channel.setblocking(False)
        return channel

    async def poll(self) -> int | None:
        """Return None while the kernel runs, else its exit code."""
        if self._channel is None:
            return 0
        if self._exit_code is None:
            self._listen(self._channel)
        return self._exit_code

    def _listen(self, channel: socket.socket) -> None:
        """Take the message that the kernel has ended, or the zygote's own end."""
        try:
            data = channel.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._pending += data
        if b"\n" in self._pending:
            self._exit_code = int(json.loads(self._pending.partition(b"\n")[0])["exit"])
        elif not data:
            self._exit_code = -int(signal.SIGKILL)

    async def wait(self) -> int | None:
        """Wait until the kernel has ended."""
        while (code := await self.poll()) is None:
            await asyncio.sleep(_WAIT_SECONDS)
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        return code

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel's process group.

        The zygote sends it, since only the parent knows that the process id is still the kernel's.
        """
        if self._channel is not None and self._exit_code is None:
            with contextlib.suppress(OSError):
                self._channel.sendall(json.dumps({"signal": int(signum)}).encode() + b"\n")

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel."""
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        """Ask the kernel to end."""
        await self.send_signal(signal.SIGTERM)


def _kernel_arguments(cmd: list[str]) -> list[str]:
    """Arguments after the launcher, of a kernel command that this environment can serve."""
    if _LAUNCHER not in cmd:
        raise ForkedKernelError(
            f"the engine 'forked' runs Python kernels only; this kernel starts with {cmd!r}: "
            "use the default engine"
        )
    if Path(cmd[0]) != Path(sys.executable):
        raise ForkedKernelError(
            f"the engine 'forked' runs kernels of {sys.executable} only; this kernel belongs to "
            f"{cmd[0]}: choose the kernel 'python3', or use the default engine"
        )
    return cmd[cmd.index(_LAUNCHER) + 1 :]


def _ready_pid(channel: socket.socket) -> int:
    """Wait for the kernel's process id.

    Raises
    ------
    ForkedKernelError
        When the zygote refused or the kernel ended.
    """
    with channel.makefile("rb", buffering=0) as lines:
        line = lines.readline()
    if not line:
        raise ConnectionResetError
    message = json.loads(line)
    if "ready" in message:
        return int(message["ready"])
    if "error" in message:
        raise ForkedKernelError(message["error"])
    raise ForkedKernelError(
        f"the forked kernel ended with code {message.get('exit')} before it was ready; its message "
        "is above; use the default engine"
    )


class ForkedKernelManager(AsyncKernelManager):
    """Kernel manager whose kernels are forked and talk through Unix sockets."""

    def __init__(self, **kwargs: Any) -> None:
        _require_fork()
        name = f"k-{uuid.uuid4().hex[:12]}.json"
        kwargs.setdefault("transport", "ipc")
        kwargs.setdefault("connection_file", str(_zygote_directory() / name))
        super().__init__(**kwargs)
        if self.kernel_spec is not None:
            provisioner = {"provisioner_name": _PROVISIONER}
            self.kernel_spec.metadata = {
                **self.kernel_spec.metadata,
                "kernel_provisioner": provisioner,
            }

    async def _async_interrupt_kernel(self) -> None:
        """Interrupt the kernel, but not on the way to its end.

        The client interrupts before it asks a kernel to end.  An interrupt that meets the last
        steps of a message stops nothing, and is reported on the terminal as an error of the kernel.
        """
        if not self.shutting_down:
            await super()._async_interrupt_kernel()


class ForkedEngine:
    """Papermill engine `forked`: papermill's own engine with forked kernels.

    It delegates instead of inheriting, since papermill loads it in the middle of its own import.
    """

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, **kwargs: Any) -> Any:
        """Run a notebook; arguments, results and errors are those of papermill's default engine.

        Raises
        ------
        ForkedKernelError
            Where the system cannot fork.
        """
        from papermill.engines import NBClientEngine

        _require_fork()
        kwargs.setdefault("kernel_manager_class", ForkedKernelManager)
        return NBClientEngine.execute_notebook(nb, kernel_name, **kwargs)

    @classmethod
    def nb_kernel_name(cls, nb: Any, name: str | None = None) -> str:
        """Name of the notebook's kernel."""
        from papermill.engines import NBClientEngine

        return str(NBClientEngine.nb_kernel_name(nb, name))

    @classmethod
    def nb_language(cls, nb: Any, language: str | None = None) -> str:
        """Language of the notebook."""
        from papermill.engines import NBClientEngine

        return str(NBClientEngine.nb_language(nb, language))
