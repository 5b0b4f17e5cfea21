"""One notebook of the project, run with its parameters.

Question: what does it take to run a chapter's notebook safely through papermill's Python API?

`run_notebook` injects checked values as readable Python, runs the notebook with an engine, keeps
the executed notebook also where it fails, with its error, and tries once more where two kernels
met on a port.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from keycustomer.casework.redaction import redact, redact_notebook

_PORT_TROUBLE = re.compile(
    r"Address already in use|Kernel died before replying to kernel_info|ZMQError", re.IGNORECASE
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

# Kernels are this machine's own and last a minute: what they log is noise here.
_KERNEL_ARGUMENTS = ["--log-level=CRITICAL"]

# Lines shown of an error that lists complaints, the first one included.
_COMPLAINTS = 4

OnCell = Callable[[int, int], None]


@dataclass(frozen=True)
class Execution:
    """What became of a notebook.

    Attributes
    ----------
    status : {"completed", "failed"}
        Whether all cells ran.
    error : str
        What went wrong, one line; empty when nothing.
    started, ended : str
        Times in UTC, ISO 8601.
    seconds : float
        Duration.
    """

    status: str
    error: str
    started: str
    ended: str
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self)


def run_notebook(
    source: Path,
    target: Path,
    parameters: Mapping[str, Any],
    *,
    engine: str | None = None,
    secrets: Iterable[str] = (),
    on_cell: OnCell | None = None,
) -> Execution:
    """Run a notebook and keep what it became.

    Parameters
    ----------
    source, target : Path
        The notebook, and where the executed one is written.
    parameters : mapping
        Checked values of JSON types by name.
    engine : str, optional
        Name of a papermill engine; default: papermill's own.
    secrets : iterable of str
        Texts that must not be in the executed notebook.
    on_cell : callable, optional
        Called with the number of the cell that begins, from 1, and the number of cells.

    Returns
    -------
    Execution
    """
    started = dt.datetime.now(dt.UTC)
    for _attempt in range(2):
        cells: dict[int, Any] = {}
        error = _attempt_run(source, target, parameters, engine, _collector(cells, on_cell, source))
        if error is None or cells or not _PORT_TROUBLE.search(f"{type(error).__name__} {error}"):
            break
    if error is not None and not target.exists():
        write_unfinished(source, target, cells, error)
    _strip_paths(target, source.name)
    redact_notebook(target, secrets)
    ended = dt.datetime.now(dt.UTC)
    return Execution(
        status="completed" if error is None else "failed",
        error="" if error is None else redact(_summary(error), secrets),
        started=started.isoformat(timespec="milliseconds"),
        ended=ended.isoformat(timespec="milliseconds"),
        seconds=round((ended - started).total_seconds(), 3),
    )


def _attempt_run(
    source: Path,
    target: Path,
    parameters: Mapping[str, Any],
    engine: str | None,
    on_cell_start: Callable[..., None],
) -> Exception | None:
    """Run once; return the error, of whatever kind: a failure is a result here."""
    import papermill

    papermill.translators.papermill_translators.register("python", readable_translator())
    # Papermill fails to read some declarations and warns of them; ours are read and checked.
    logging.getLogger("papermill").setLevel(logging.ERROR)
    # Else every kernel warns that a debugger would miss breakpoints.
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    try:
        papermill.execute_notebook(
            _literal(source),
            _literal(target),
            parameters=dict(parameters),
            engine_name=engine,
            request_save_on_cell_execute=False,
            progress_bar=False,
            cwd=str(source.parent),
            extra_arguments=_KERNEL_ARGUMENTS,
            on_cell_start=on_cell_start,
        )
    except Exception as error:
        return error
    return None


def _literal(path: Path) -> str:
    """Path that papermill, which formats paths with the parameters, leaves as it is."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _collector(cells: dict[int, Any], on_cell: OnCell | None, source: Path) -> Callable[..., None]:
    """Make a hook that keeps the cells that have begun and tells how far the notebook is."""
    total = len(json.loads(source.read_text(encoding="utf-8"))["cells"]) + 1

    def begin(cell: Any, cell_index: int, **_others: Any) -> None:
        cells[cell_index] = cell
        if on_cell is not None:
            on_cell(cell_index + 1, total)

    return begin


def readable_translator() -> Any:
    """Return a papermill translator that writes text as its author did.

    Papermill's own turns Chinese into escapes.
    """
    from papermill.translators import PythonTranslator

    class ReadableTranslator(PythonTranslator):
        """Values as Python literals."""

        @classmethod
        def translate_str(cls, val: str) -> str:
            """Return the text as Python writes it."""
            return repr(val)

    return ReadableTranslator


def write_unfinished(
    source: Path, target: Path, cells: Mapping[int, Any], error: Exception
) -> None:
    """Write a notebook that ended without a word of its own: what ran, and the error above it."""
    import nbformat

    notebook = nbformat.read(source, as_version=4)
    for index, cell in sorted(cells.items()):
        # The injected cell shifts those below it by one; ids tell which cell is which.
        for position, known in enumerate(notebook.cells):
            if known.get("id") == cell.get("id"):
                notebook.cells[position] = cell
                break
        else:
            notebook.cells.insert(index, cell)
    text = "".join(traceback.format_exception_only(error)).strip()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    begun = [cell for cell in code if cell in cells.values()] or code
    if begun:
        output = nbformat.v4.new_output(
            "error", ename=type(error).__name__, evalue=str(error), traceback=[text]
        )
        begun[-1 if cells else 0].outputs = [*begun[-1 if cells else 0].outputs, output]
    nbformat.write(notebook, target)


def _strip_paths(target: Path, name: str) -> None:
    """Take out of an executed notebook where on this machine it came from and went."""
    notebook = json.loads(target.read_text(encoding="utf-8"))
    details = notebook["metadata"].get("papermill", {})
    details.update(input_path=f"notebooks/{name}", output_path=f"notebooks/{name}")
    target.write_text(json.dumps(notebook, ensure_ascii=False), encoding="utf-8", newline="\n")


def _summary(error: Exception) -> str:
    """One line: what went wrong, and in which cell."""
    name, text = getattr(error, "ename", type(error).__name__), getattr(error, "evalue", str(error))
    if name == "DeadKernelError":
        text = "the notebook's process died (out of memory?)"
    lines = [line.strip() for line in _COLOURS.sub("", str(text)).strip().splitlines()] or [""]
    # A line that announces complaints says nothing without them.
    told = _COMPLAINTS if lines[0].endswith(":") else 1
    cell = getattr(error, "exec_count", None)
    place = f" (cell [{cell}])" if cell else ""
    said = "; ".join(lines[:told]).replace(":;", ":", 1)
    rest = len(lines) - told
    more = f" ... and {rest} more {'line' if rest == 1 else 'lines'}" if rest > 0 else ""
    return f"{name}: {said}{more}{place}"
