"""Files of an output folder: written the same way everywhere, read back, copied, hashed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keycustomer.casework.errors import CaseError


def read_chapter(folder: Path, chapter: str, kind: str = "") -> dict[str, Any]:
    """Read a chapter's record (`kind` empty), `run` or `usage` from an output folder.

    Raises
    ------
    FileNotFoundError
        When the chapter has not written it.
    """
    name = f"{chapter}.{kind}.json" if kind else f"{chapter}.json"
    content: dict[str, Any] = json.loads((folder / "chapters" / name).read_text(encoding="utf-8"))
    return content


def refuse_file(folder: Path) -> None:
    """Refuse a folder to write to whose place a file has taken.

    Raises
    ------
    CaseError
        When it, or the nearest folder above it that is there, is a file.
    """
    nearest = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    if nearest.exists() and not nearest.is_dir():
        raise CaseError(f"{nearest}: a file, not a folder; name a folder to write to")


def make_folder(folder: Path) -> Path:
    """Make a folder to write to, unless it is there.

    Raises
    ------
    CaseError
        When a file is in its place, or it may not be made.
    """
    refuse_file(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except PermissionError as error:
        raise CaseError(f"{folder}: may not be written; name another folder") from error
    return folder


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON the same way everywhere: UTF-8, one-space indent, no NaN, final line end."""
    text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def sha256_of(path: Path) -> str:
    """Return the hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def reuse(former: Path, content: Path, files: Sequence[str]) -> None:
    """Take files of an earlier output into a new one."""
    for relative in files:
        target = content / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(former / relative, target)
