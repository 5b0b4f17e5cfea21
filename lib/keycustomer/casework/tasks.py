"""What worker processes do: prepare a base, run a chapter, finish a case.

Each function takes `report`, a callable for news, and plain arguments that can be sent to another
process; each loads the case anew from its file.

- :func:`prepare`: the customer base, made where missing or outdated.
- :func:`chapter`: one notebook, and the record of its run.
- :func:`finish`: results, report and run record of a case.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from keycustomer.casework.across.note_file import PAGE
from keycustomer.casework.across.notes import write_note
from keycustomer.casework.case import load_case
from keycustomer.casework.crate import METADATA_FILE, crate
from keycustomer.casework.errors import CaseError
from keycustomer.casework.execution import run_notebook, write_unfinished
from keycustomer.casework.files import read_chapter, write_json
from keycustomer.casework.record import outputs, run_record
from keycustomer.casework.redaction import redact, secrets_of
from keycustomer.casework.results import merge_results
from keycustomer.casework.variables import OUTPUT
from keycustomer.casework.worker import Task
from keycustomer.customers.base import open_base

Report = Callable[[Any], None]

FAILED_RECORD: dict[str, list[Any]] = {
    "measures": [],
    "ledger": [],
    "skipped": [],
    "tables": [],
    "figures": [],
    "pages": [],
}


def prepare(report: Report, case: Path, base: Path, force: bool) -> dict[str, Any]:
    """Prepare the base of a case.

    Returns
    -------
    dict
        `fingerprint` of the base.

    Raises
    ------
    CaseError
        With all findings of the data checks, or why the data cannot be read.
    """
    from keycustomer.customers import prepare_base

    loaded = load_case(case)
    try:
        prepared = prepare_base(
            loaded.specification, loaded.folder, base, force=force, progress=report
        )
    except Exception as error:
        secrets = secrets_of(loaded.specification)
        named = "" if isinstance(error, CaseError | ValueError | OSError) else type(error).__name__
        raise CaseError(redact(f"{named}: {error}" if named else str(error), secrets)) from error
    fingerprint = prepared.fingerprint
    prepared.close()
    return {"fingerprint": fingerprint}


def chapter(
    report: Report,
    case: Path,
    name: str,
    content: Path,
    parameters: Mapping[str, Any],
    conditions: Mapping[str, Any],
    engine: str | None,
) -> dict[str, Any]:
    """Run a chapter's notebook into an output folder.

    Returns
    -------
    dict
        `error` (empty: none) and `seconds`.
    """
    loaded = load_case(case)
    target = content / "notebooks" / f"{name}.ipynb"
    target.parent.mkdir(parents=True, exist_ok=True)
    os.environ[OUTPUT] = str(content)
    execution = run_notebook(
        loaded.project.notebooks[name],
        target,
        {"case": loaded.name, **parameters},
        engine=engine,
        secrets=secrets_of(loaded.specification),
        on_cell=lambda cell, cells: report((cell, cells)),
    ).to_dict()
    if execution["status"] == "completed" and not _record_file(content, name).is_file():
        execution["status"] = "failed"
        execution["error"] = "its last cell did not save the results: call chapter.save()"
    if execution["status"] == "failed":
        _drop_files(content, name)
    usage = _usage(content, name)
    _write_run(content, name, execution | usage, parameters, conditions, engine)
    return {"error": execution["error"], "seconds": execution["seconds"]}


def _write_run(
    content: Path,
    name: str,
    execution: Mapping[str, Any],
    parameters: Mapping[str, Any],
    conditions: Mapping[str, Any],
    engine: str | None,
) -> None:
    run = {
        "chapter": name,
        **execution,
        "engine": engine or "default",
        "parameters": dict(parameters),
        "conditions": dict(conditions),
    }
    write_json(content / "chapters" / f"{name}.run.json", run)


def record_death(task: Task, message: str) -> None:
    """Record a chapter whose worker could not: it was killed, or met a defect."""
    arguments = task.arguments
    content, name = arguments["content"], arguments["name"]
    _drop_files(content, name)
    now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
    times = {"started": now, "ended": now, "seconds": 0.0, "peak_memory_bytes": None}
    _write_run(
        content,
        name,
        {"status": "failed", "error": message, **times},
        arguments["parameters"],
        arguments["conditions"],
        arguments["engine"],
    )
    notebook = content / "notebooks" / f"{name}.ipynb"
    if not notebook.is_file():
        source = load_case(arguments["case"]).project.notebooks[name]
        notebook.parent.mkdir(parents=True, exist_ok=True)
        write_unfinished(source, notebook, {}, RuntimeError(message))


def _record_file(content: Path, name: str) -> Path:
    return content / "chapters" / f"{name}.json"


def _drop_files(content: Path, name: str) -> None:
    """Remove what a failed chapter has written so far: half of it is worse than none."""
    (content / "chapters").mkdir(exist_ok=True)
    _record_file(content, name).unlink(missing_ok=True)
    number = name.partition("_")[0]
    for kind in ("tables", "figures", "pages"):
        for path in (content / kind).glob(f"{number}_*"):
            path.unlink()


def _usage(content: Path, name: str) -> dict[str, Any]:
    """Take what the chapter's process measured of itself."""
    path = content / "chapters" / f"{name}.usage.json"
    usage = read_chapter(content, name, "usage") if path.is_file() else {}
    path.unlink(missing_ok=True)
    return {"peak_memory_bytes": usage.get("peak_memory_bytes")}


def finish(
    report: Report,
    case: Path,
    base: Path,
    content: Path,
    chapters: Sequence[str],
    reused: Sequence[str],
    settings: Mapping[str, Any],
    note: bool = True,
) -> dict[str, Any]:
    """Write results, report, note and run record of a case into its output folder.

    Returns
    -------
    dict
        Empty.
    """
    report("writing the report")
    loaded = load_case(case)
    runs = {
        name: {**read_chapter(content, name, "run"), "reused": name in reused} for name in chapters
    }
    records = [
        read_chapter(content, name)
        if run["status"] == "completed"
        else {"chapter": name, **FAILED_RECORD}
        for name, run in runs.items()
    ]
    opened = open_base(base)
    ended = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
    run = run_record(loaded, opened.inputs, runs, {**settings, "ended": ended}, content)
    results = merge_results(loaded, opened, records, run)
    opened.close()
    write_json(content / "results.json", results)
    if note:
        write_note(loaded.folder, results, content / PAGE)
    _report(content, chapters, results)
    write_json(content / METADATA_FILE, crate(results["case"], run, outputs(content)))
    return {}


def _report(content: Path, chapters: Sequence[str], results: Mapping[str, Any]) -> None:
    from keycustomer.casework.report import write_report

    write_report(
        [content / "notebooks" / f"{name}.ipynb" for name in chapters],
        content / "report.html",
        results,
    )
