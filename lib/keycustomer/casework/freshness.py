"""Whether a chapter's last output still holds, and if not, why.

Question: must this chapter run again?

A chapter's output is kept while its inputs, the case, its parameters, its notebook, the library's
code, the locked packages and Python stay the same and its files are there.

- :func:`conditions`: what the output of a chapter depends on, as a dict of short texts.
- :func:`reason_to_run`: what has changed since an output was made; empty when nothing has.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keycustomer.casework.case import Case
from keycustomer.casework.files import read_chapter, sha256_of
from keycustomer.casework.variables import PSEUDONYM_KEY

NO_OUTPUT = "it has no output yet"
FAILED = "it failed the last time"

_REASONS = {
    "inputs": "the data changed",
    "case": "the case file changed",
    "parameters": "the parameters changed",
    "notebook": "its notebook changed",
    "library": "the library's code changed",
    "lock": "the locked packages changed",
    "python": "the Python version changed",
    "pseudonyms": "the key of the pseudonyms changed",
}
_CODE = (".py", ".sql", ".j2", ".css", ".html")


def conditions(
    case: Case, chapter: str, parameters: Mapping[str, Any], base_fingerprint: str
) -> dict[str, Any]:
    """Say what a chapter's output depends on.

    Parameters
    ----------
    case : Case
        The case.
    chapter : str
        The chapter.
    parameters : mapping
        All its parameters with the values it runs with.
    base_fingerprint : str
        Hash of what the base was made from.

    Returns
    -------
    dict
        A hash or the values themselves, by the keys of what can change.
    """
    return {
        "inputs": base_fingerprint,
        "case": _specification_hash(case),
        "parameters": dict(parameters),
        "notebook": notebook_hash(case.project.notebooks[chapter]),
        "library": library_hash(),
        "lock": lock_hash(case.project.root),
        "python": platform.python_version(),
        "pseudonyms": _pseudonyms(case),
    }


def reason_to_run(output: Path, chapter: str, now: Mapping[str, Any]) -> str:
    """Say why a chapter must run again.

    Parameters
    ----------
    output : Path
        Folder of an earlier output.
    chapter : str
        The chapter.
    now : mapping
        Its conditions now.

    Returns
    -------
    str
        The reason; empty when the output holds.
    """
    try:
        run = read_chapter(output, chapter, "run")
        then, status = run["conditions"], run["status"]
    except (OSError, ValueError, KeyError):
        return NO_OUTPUT
    if not now["inputs"]:
        return "whether the data changed cannot be told"
    changed = [key for key in now if then.get(key) != now[key]]
    if changed:
        return "; ".join(_change(key, then.get(key), now[key]) for key in changed)
    if status != "completed":
        return FAILED
    return _missing(output, chapter)


def _missing(output: Path, chapter: str) -> str:
    """Say which file of a chapter is missing; empty when none is."""
    try:
        record = read_chapter(output, chapter)
    except (OSError, ValueError):
        return NO_OUTPUT
    missing = [path for path in chapter_files(chapter, record) if not (output / path).is_file()]
    return f"{missing[0]} is missing from its output" if missing else ""


def _change(key: str, then: Any, now: Any) -> str:
    if key != "parameters" or not isinstance(then, dict):
        return _REASONS[key]
    names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    return ", ".join(f"{name} was {then.get(name)!r}, is {now.get(name)!r}" for name in names)


def chapter_files(chapter: str, record: Mapping[str, Any]) -> list[str]:
    """Files of a chapter's output, relative to the output folder."""
    tables = [row[kind] for row in record["tables"] for kind in ("csv", "parquet")]
    figures = [row["file"] for kind in ("figures", "pages") for row in record.get(kind, ())]
    return [*failed_files(chapter), f"chapters/{chapter}.json", *tables, *figures]


def failed_files(chapter: str) -> list[str]:
    """Files that a failed chapter leaves: its notebook with the error, and the run's record."""
    return [f"notebooks/{chapter}.ipynb", f"chapters/{chapter}.run.json"]


def notebook_hash(path: Path) -> str:
    """Return a hash of what a notebook's cells say, whatever its outputs."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    said = [
        [cell["cell_type"], "".join(cell["source"]), cell["metadata"].get("tags", [])]
        for cell in cells
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


@functools.cache
def library_hash() -> str:
    """Return a hash of the library's code."""
    folder = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in _CODE):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def lock_hash(root: Path) -> str | None:
    """Return a hash of the lock; None where the project has none."""
    lock = root / "requirements.lock"
    return sha256_of(lock) if lock.is_file() else None


def _specification_hash(case: Case) -> str:
    """Hash of the case file without what other conditions hold."""
    said = case.specification.model_dump_json(exclude={"chapters", "parameters"})
    return hashlib.sha256(f"{case.name}\0{said}".encode()).hexdigest()


def _pseudonyms(case: Case) -> str:
    """Fingerprint of the key, from which it cannot be had; empty where none is used."""
    key = os.environ.get(PSEUDONYM_KEY, "")
    if case.specification.identifiable or not key:
        return ""
    return hmac.new(key.encode(), b"fingerprint", hashlib.sha256).hexdigest()
