"""The forked engine: own processes, same outputs, no process left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import nbformat
import pytest

if not hasattr(os, "fork"):
    pytest.skip("the engine 'forked' needs a POSIX system", allow_module_level=True)

import papermill
import psutil
from keycustomer.casework import forked, zygote
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

GONE_WITHIN_SECONDS = 20.0


@pytest.fixture(scope="module")
def warm():
    """One zygote for the module, as a run of several cases has it."""
    with forked.forked_kernels() as shared:
        yield shared


@pytest.fixture
def run(tmp_path, warm):
    """Run cells and return the executed notebook."""

    def runner(*sources: str, engine: str = "forked", **keywords):
        source, target = tmp_path / "in.ipynb", tmp_path / f"out_{engine}.ipynb"
        write_notebook(source, *sources)
        papermill.execute_notebook(
            source, target, engine_name=engine, progress_bar=False, **keywords
        )
        return nbformat.read(target, 4)

    return runner


def write_notebook(path: Path, *sources: str) -> None:
    """Write a notebook of code cells for the Python kernel."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(textwrap.dedent(source)) for source in sources],
        metadata={"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}},
    )
    nbformat.write(notebook, path)


def text_of(notebook, cell: int = -1) -> str:
    """What a cell printed."""
    return "".join(output.get("text", "") for output in notebook.cells[cell].outputs)


def ended(pid: int) -> bool:
    """Whether a process is gone (a zombie waits only for its parent, which is not ours to be)."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(condition, what: str) -> None:
    """Wait for a condition, and fail with its name."""
    deadline = time.monotonic() + GONE_WITHIN_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.02)


WHERE = "import json, os; print(json.dumps([os.getpid(), os.getppid()]))"


def test_each_notebook_has_its_own_process_that_ends_with_it(run, warm):
    first, parent = json.loads(text_of(run("left_over = 1", WHERE)))
    second, same_parent = json.loads(text_of(run("assert 'left_over' not in dir()", WHERE)))
    assert first != second
    assert parent == same_parent == warm.process.pid
    assert ended(first) and ended(second)
    assert psutil.Process(warm.process.pid).children() == []


def test_zygote_has_one_thread_and_knows_the_heavy_modules(run, warm):
    run("pass")
    assert psutil.Process(warm.process.pid).num_threads() == 1
    names = [name for name in zygote.PRELOADED if name not in ("pyarrow.parquet",)]
    loaded = run(f"import sys; print([n for n in {names!r} if n not in sys.modules])")
    assert text_of(loaded) == "[]\n"


SAME = (
    "import os, sys, numpy as np, pandas as pd",
    "print('printed'); print('wrong', file=sys.stderr); os.system('echo from a child process')",
    "pd.DataFrame({'a': [1, 2], 'b': ['<b>', 'ß中']})",
    """
    import matplotlib.pyplot as plt
    figure, ax = plt.subplots(figsize=(2, 1))
    ax.plot([0, 1], [1, 0]);
    """,
    "import duckdb; duckdb.sql('select sum(range)::bigint from range(1000000)').fetchall()",
    "float(np.ones((300, 300)).dot(np.ones(300)).sum())",
    "import matplotlib; matplotlib.get_backend(), sys.argv[1], os.getcwd(), __name__",
    "[p for p in sys.path if p in ('', os.getcwd())], get_ipython().__class__.__name__",
)


def test_outputs_are_those_of_the_default_engine(run):
    def outputs(engine):
        notebook = run(*SAME, engine=engine)
        found = [[dict(output) for output in cell.outputs] for cell in notebook.cells]
        return json.loads(json.dumps(found)), notebook.metadata.language_info

    ours, our_language = outputs("forked")
    theirs, their_language = outputs("nbclient")
    # The only intended difference is the name of the connection's port file.
    assert ours == theirs
    assert "image/png" in json.dumps(ours[3])
    assert our_language == their_language


def test_environment_directory_and_time_zone_are_the_callers(run, monkeypatch, tmp_path):
    ask = """
    import json, os, time
    names = ["OMP_NUM_THREADS", "KEYCUSTOMER_OUTPUT", "JE_ARROW_MALLOC_CONF"]
    print(json.dumps([*map(os.environ.get, names), os.getcwd(), time.strftime("%z")]))
    """
    for threads, output, zone, offset in (
        ("3", "a 'quoted'\n中", "Asia/Shanghai", "+0800"),
        ("1", "b", "UTC", "+0000"),
    ):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        monkeypatch.setenv("KEYCUSTOMER_OUTPUT", output)
        monkeypatch.setenv("TZ", zone)
        folder = tmp_path / threads
        folder.mkdir()
        answer = json.loads(text_of(run(ask, cwd=str(folder))))
        assert answer == [threads, output, None, str(folder), offset]


@pytest.mark.parametrize(
    ("environment", "threads"),
    [
        ({"OMP_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "2"}, 2),
        ({"OMP_NUM_THREADS": "4,2"}, 4),
        ({"OMP_NUM_THREADS": "many", "OPENBLAS_NUM_THREADS": "0"}, None),
        ({}, None),
    ],
)
def test_blas_threads_follow_the_environment(environment, threads):
    available = len(psutil.Process().cpu_affinity()) if sys.platform == "linux" else os.cpu_count()
    assert zygote.wanted_blas_threads(environment) == (threads or available)


def test_kernels_use_the_blas_threads_they_were_given(run, monkeypatch):
    count = """
    import os, numpy as np
    product = np.ones((1500, 1500)) @ np.ones((1500, 1500))
    names = [open(f"/proc/self/task/{t}/comm").read() for t in os.listdir("/proc/self/task")]
    print(len(names))
    """
    if not Path("/proc/self/task").is_dir():
        pytest.skip("threads are counted in /proc")
    counts = {}
    for threads in ("1", "3"):
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", threads)
        counts[threads] = int(text_of(run(count)))
    assert counts["3"] >= counts["1"] + 2


def test_random_state_differs_between_notebooks(run):
    ask = "import random, numpy, uuid; print(random.random(), numpy.random.rand(), uuid.uuid4())"
    first, second = text_of(run(ask)).split(), text_of(run(ask)).split()
    assert all(a != b for a, b in zip(first, second, strict=True))


def test_parameters_arrive(run):
    assert text_of(run("print(case)", parameters={"case": "cdnow"})) == "cdnow\n"


def test_exception_is_reported_and_kept_in_the_notebook(run, tmp_path):
    with pytest.raises(PapermillExecutionError, match="no such customer"):
        run("1", "raise ValueError('no such customer')", "never = 1")
    kept = nbformat.read(tmp_path / "out_forked.ipynb", 4)
    errors = [output for cell in kept.cells for output in cell.get("outputs", ())]
    assert [output.ename for output in errors if "ename" in output] == ["ValueError"]
    assert text_of(run("print('next one runs')")) == "next one runs\n"


@pytest.mark.parametrize(
    "crash", ["os._exit(7)", "os.kill(os.getpid(), 11)", "import ctypes; ctypes.string_at(0)"]
)
def test_crashed_kernel_is_an_error_not_a_hang(run, crash, warm):
    with pytest.raises(DeadKernelError):
        run(f"import os; {crash}")
    assert psutil.Process(warm.process.pid).children() == []
    assert text_of(run("print('next one runs')")) == "next one runs\n"


def test_exit_handlers_of_a_notebook_run(run, tmp_path):
    target = tmp_path / "said goodbye"
    run(f"import atexit, pathlib; atexit.register(pathlib.Path({str(target)!r}).touch);")
    assert target.exists()


def test_background_processes_of_a_notebook_end_with_it(run):
    started = run("import subprocess; print(subprocess.Popen(['sleep', '600']).pid)")
    wait_until(lambda: ended(int(text_of(started))), "the notebook's background process ends")


def test_interrupt_reaches_the_kernel(warm):
    from jupyter_core.utils import run_sync

    async def interrupted() -> dict:
        manager = forked.ForkedKernelManager(kernel_name="python3")
        await manager.start_kernel()
        client = manager.client()
        client.start_channels()
        try:
            await client.wait_for_ready(timeout=60)
            request = client.execute("print('begun', flush=True)\nwhile True: pass")
            while (await client.get_iopub_msg(timeout=60))["msg_type"] != "stream":
                pass
            await manager.interrupt_kernel()
            while True:
                reply = await client.get_shell_msg(timeout=60)
                if reply["parent_header"].get("msg_id") == request:
                    return reply["content"]
        finally:
            client.stop_channels()
            await manager.shutdown_kernel(now=True)

    assert run_sync(interrupted)()["ename"] == "KeyboardInterrupt"


def test_cell_timeout_interrupts(run):
    from nbclient.exceptions import CellTimeoutError

    with pytest.raises(CellTimeoutError):
        run("while True: pass", execution_timeout=1)


def test_kernels_side_by_side_do_not_collide(warm):
    from jupyter_core.utils import run_sync

    async def several(count: int) -> list[int]:
        managers = [forked.ForkedKernelManager(kernel_name="python3") for _ in range(count)]
        try:
            for manager in managers:
                await manager.start_kernel()
            return [manager.provisioner.pid for manager in managers]
        finally:
            for manager in managers:
                await manager.shutdown_kernel(now=True)

    pids = run_sync(several)(6)
    assert len(set(pids)) == 6
    assert all(map(ended, pids))
    assert [path.name for path in warm.directory.iterdir()] == ["zygote"]


CLIENT = """
import os, sys, papermill
from pathlib import Path
from keycustomer.casework.forked import forked_kernels
with forked_kernels():
    papermill.execute_notebook(sys.argv[1], None, engine_name="forked", progress_bar=False)
"""

PIDS_THEN_LOOP = """
import json, os, pathlib, subprocess
child = subprocess.Popen(["sleep", "600"])
path = pathlib.Path(os.environ["PIDS"])
path.with_suffix(".part").write_text(json.dumps([os.getpid(), os.getppid(), child.pid]))
path.with_suffix(".part").rename(path)
import ctypes
ctypes.PyDLL(None).sleep(600)  # holds the interpreter: no Python thread gets its turn
"""


@pytest.fixture
def long_run(tmp_path):
    """A run in a process of its own, and the ids of its kernel, zygote and background process."""
    notebook, pids = tmp_path / "long.ipynb", tmp_path / "pids"
    write_notebook(notebook, PIDS_THEN_LOOP)
    environment = {k: v for k, v in os.environ.items() if k != forked.SHARED_ZYGOTE}
    process = subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(notebook)],
        env={**environment, "PIDS": str(pids)},
        stderr=(tmp_path / "errors").open("wb"),
        start_new_session=True,
    )
    wait_until(pids.exists, "the notebook starts")
    started = json.loads(pids.read_text())
    yield process, started
    process.kill()
    process.wait()
    for pid in started:
        if not ended(pid):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_when_the_run_is_stopped(long_run, number):
    process, pids = long_run
    process.send_signal(number)
    assert process.wait(GONE_WITHIN_SECONDS) != 0
    wait_until(lambda: all(map(ended, pids)), "kernel, zygote and background process end")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the parent poller needs its turn")
def test_kernel_ends_when_the_zygote_is_killed(long_run, tmp_path):
    process, (kernel, zygote_pid, _) = long_run
    os.kill(zygote_pid, signal.SIGKILL)
    assert process.wait(GONE_WITHIN_SECONDS) != 0
    assert "Kernel died" in (tmp_path / "errors").read_text()
    wait_until(lambda: ended(kernel), "the kernel ends")


def test_a_whole_run_says_nothing_on_the_terminal(tmp_path):
    write_notebook(tmp_path / "in.ipynb", "import duckdb, pandas; duckdb.sql('select 1').df()")
    environment = {k: v for k, v in os.environ.items() if k != forked.SHARED_ZYGOTE}
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, str(tmp_path / "in.ipynb")],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_a_kernel_is_not_interrupted_on_the_way_to_its_end(warm):
    async def interrupts_sent() -> list[int]:
        manager, sent = forked.ForkedKernelManager(kernel_name="python3"), []
        await manager.start_kernel()
        send = manager.provisioner.send_signal

        async def noted(number: int) -> None:
            sent.append(number)
            await send(number)

        manager.provisioner.send_signal = noted
        await manager.shutdown_kernel()
        return sent

    assert signal.SIGINT not in asyncio.run(interrupts_sent())


def test_private_directory_is_removed_with_the_zygote():
    with forked.forked_kernels() as one:
        assert one.directory.stat().st_mode & 0o077 == 0
    assert not one.directory.exists()
    assert not one.alive


def test_workers_share_the_zygote_by_the_environment(run, warm, monkeypatch):
    assert os.environ[forked.SHARED_ZYGOTE] == str(warm.directory)
    monkeypatch.setenv(forked.SHARED_ZYGOTE, str(warm.directory / "gone"))
    _, parent = json.loads(text_of(run(WHERE)))
    assert parent == forked._own.process.pid != warm.process.pid
    forked._own.close()


def test_other_systems_are_told_what_to_do(monkeypatch, run):
    monkeypatch.delattr(os, "fork")
    with pytest.raises(forked.ForkedKernelError, match=r"POSIX.*use the default engine"):
        run("1")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["R", "--slave"], r"Python kernels only.*\['R', '--slave'\].*default engine"),
        (["/other/python", "-m", "ipykernel_launcher"], r"belongs to /other/python.*'python3'"),
    ],
)
def test_kernels_of_other_languages_and_environments_are_refused(command, message):
    with pytest.raises(forked.ForkedKernelError, match=message):
        forked._kernel_arguments(command)


def test_threads_started_by_imports_are_refused(tmp_path):
    program = """
    import socket, sys, threading, time
    from pathlib import Path
    from keycustomer.casework import zygote
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    ours, theirs = socket.socketpair()
    server = zygote.Server(socket.socket(), socket.socket(), 0, Path("."))
    assert server._fork(zygote.Connection(theirs), {}) is None
    print(ours.recv(1000).decode())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {
        "error": "1 threads were started while modules were imported, and a process with threads "
        "cannot be forked safely; use the default engine"
    }


def test_import_before_papermill_and_by_papermill():
    for first in ("keycustomer.casework.forked", "papermill"):
        program = (
            f"import {first}; from papermill.engines import papermill_engines;"
            "print(papermill_engines.get_engine('forked').__name__)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
        assert done.stdout == "ForkedEngine\n"


def test_a_module_that_cannot_be_imported_is_left_to_the_notebook(tmp_path):
    (tmp_path / "broken_module.py").write_text("raise RuntimeError('broken')")
    program = f"""
    import sys
    sys.path.insert(0, {str(tmp_path)!r})
    from keycustomer.casework import zygote
    zygote.PRELOADED = ("broken_module", "no_such_module", "colorsys")
    zygote._library_modules = lambda: iter(())
    zygote.preload()
    print("colorsys" in sys.modules, "broken_module" in sys.modules)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True False\n"
