"""The run record: from what, with what and how a case's output was made.

Question: could somebody else make this output again, and would they know if they had?

:func:`run_record` gathers it; :mod:`keycustomer.casework.crate` writes it as an RO-Crate.  It holds
the resolved case file and its hash, parameters, seeds, inputs without credentials, the commit and
whether the checkout was changed, the lock, package versions, engine, threads, time zone, and of
every chapter the notebook's hash, times, status and peak memory, and the outputs: tables and
results with their hash, figures without (they differ across font versions).
"""

from __future__ import annotations

import datetime as dt
import json
import platform
import subprocess
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import keycustomer
from keycustomer.casework.case import Case
from keycustomer.casework.files import sha256_of
from keycustomer.casework.freshness import library_hash, lock_hash
from keycustomer.casework.redaction import redact, secrets_of

_HASHED = ("tables", "chapters")
_GIT_SECONDS = 20


def run_record(
    case: Case,
    inputs: Iterable[Mapping[str, Any]],
    chapters: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, Any],
    content: Path,
) -> dict[str, Any]:
    """Gather the record of a run.

    Parameters
    ----------
    case : Case
        The case.
    inputs : iterable of mapping
        Location, bytes, hash and rows of each input, as the base keeps them.
    chapters : mapping
        Record of each chapter's execution by name.
    settings : mapping
        Engine, jobs, threads and the like of this run.
    content : Path
        The output folder, complete but for the files this record goes into.

    Returns
    -------
    dict
        JSON values.
    """
    secrets = secrets_of(case.specification)
    specification = case.specification.model_dump_json(exclude_none=True)
    return {
        "case_file": {
            "sha256": case.sha256,
            "resolved": _redacted_json(specification, secrets),
        },
        "parameters": {name: chapter["parameters"] for name, chapter in chapters.items()},
        "seeds": {
            name: chapter["parameters"]["seed"]
            for name, chapter in chapters.items()
            if "seed" in chapter["parameters"]
        },
        "inputs": [dict(row) for row in inputs],
        "chapters": {name: _execution(chapter) for name, chapter in chapters.items()},
        **settings,
        **_surroundings(case.project.root),
        "outputs": outputs(content),
    }


def _surroundings(root: Path) -> dict[str, Any]:
    """Code, packages and machine of this run."""
    return {
        "keycustomer": keycustomer.__version__,
        "library_sha256": library_hash(),
        "lock_sha256": lock_hash(root),
        **commit_of(root),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "time_zone_of_machine": dt.datetime.now().astimezone().tzname(),
        "packages": packages(),
    }


def _redacted_json(text: str, secrets: Iterable[str]) -> Any:
    return json.loads(redact(text, secrets))


def _execution(chapter: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{
            name: chapter[name]
            for name in ("status", "error", "started", "ended", "seconds", "peak_memory_bytes")
        },
        "notebook_sha256": chapter["conditions"]["notebook"],
        "engine": chapter["engine"],
        "reused": chapter["reused"],
    }


def commit_of(root: Path) -> dict[str, Any]:
    """Commit of a checkout and whether it has changes; None for both where there is none."""
    if not (root / ".git").exists():
        return {"commit": None, "dirty": None}
    commit, status = _git(root, "rev-parse", "HEAD"), _git(root, "status", "--porcelain")
    return {"commit": commit or None, "dirty": None if status is None else bool(status)}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(root), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
            timeout=_GIT_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def packages() -> dict[str, str]:
    """Return the version of every installed package by name."""
    described = (distribution.metadata for distribution in metadata.distributions())
    found = {
        fields["Name"].lower().replace("_", "-"): fields["Version"]
        for fields in described
        if fields["Name"]
    }
    return dict(sorted(found.items()))


def outputs(content: Path) -> list[dict[str, Any]]:
    """Files of an output folder, sorted: path, bytes, and the hash of tables and results."""
    rows = []
    for path in sorted(path for path in content.rglob("*") if path.is_file()):
        relative = path.relative_to(content)
        hashed = relative.parts[0] in _HASHED or relative.name == "results.json"
        hashed = hashed and not relative.name.endswith(".run.json")
        digest = sha256_of(path) if hashed else None
        rows.append({"path": relative.as_posix(), "bytes": path.stat().st_size, "sha256": digest})
    return rows
