"""Files of a case: found relative to its folder, refused with a cure, written safely into SQL."""

from __future__ import annotations

import difflib
import glob
from pathlib import Path

from keycustomer.customers.errors import printable
from keycustomer.customers.reading.records import SourceError, listed


def locate(written: str, folder: Path) -> Path:
    """Find a file that the case file names.

    Parameters
    ----------
    written : str
        The path as written, relative to `folder` or absolute.
    folder : Path
        Folder of the case file.

    Raises
    ------
    SourceError
        When there is no such file, or it is a folder.
    """
    path = folder / written
    if "\x00" in written or not _exists(path):
        raise SourceError(f"no file {printable(written)!r} in {folder}; {_neighbours(path)}")
    if not path.is_file():
        raise SourceError(f"{printable(written)!r} is a folder, not a file; name the file in it")
    return path


def locate_many(written: str, folder: Path, ending: str) -> list[tuple[Path, str]]:
    """Find the files that a path, folder or glob names, sorted, each with its name in records.

    Raises
    ------
    SourceError
        When nothing matches.
    """
    path = folder / written
    if "\x00" not in written and _exists(path):
        if path.is_file():
            return [(path, written)]
        found = [p for p in sorted(path.rglob(f"*{ending}")) if _visible(p, path)]
        if not found:
            raise SourceError(f"the folder {printable(written)!r} holds no {ending} file")
        return [(p, f"{written.rstrip('/')}/{p.relative_to(path).as_posix()}") for p in found]
    if glob.has_magic(written) and "\x00" not in written:
        matches = sorted(glob.glob(written, root_dir=folder, recursive=True))
        found = [folder / match for match in matches]
        if kept := [(p, m) for p, m in zip(found, matches, strict=True) if p.is_file()]:
            return kept
        raise SourceError(f"no file matches {printable(written)!r} in {folder}")
    raise SourceError(f"no file {printable(written)!r} in {folder}; {_neighbours(path)}")


def as_pattern(path: Path) -> str:
    """Escape a path so that the engine takes its brackets, stars and question marks literally."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(path))


def literal(value: str) -> str:
    """Write a text as an SQL literal, where the engine cannot bind it."""
    return "'" + value.replace("'", "''") + "'"


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _visible(path: Path, root: Path) -> bool:
    parts = path.relative_to(root).parts
    return path.is_file() and not any(part.startswith((".", "_")) for part in parts)


def _neighbours(path: Path) -> str:
    if not _exists(path.parent) or not path.parent.is_dir():
        return "the folder does not exist"
    names = sorted(p.name for p in path.parent.iterdir() if not p.name.startswith("."))
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"it holds: {listed(names)}"
