"""Case files that differ from a case's own in some keys, such as the seed of its company.

Question: how does a sweep run a case that nobody has written?

- :func:`check_variants`: all combinations of values for keys of the case file, before any is used.
- :func:`write_variant`: one of them as a case of the same name in a folder of its own, with paths
  that lead to the same data.
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from keycustomer.casework.case import Case, check_document, load_case
from keycustomer.casework.errors import CaseError
from keycustomer.casework.sweeps.grid import value_text
from keycustomer.casework.yaml_text import parse_yaml, read_yaml

_PATHS = ("csv", "parquet", "excel", "duckdb")
_PLACE = re.compile(r"^case\.yaml:\d+: ")


def check_variants(case: Case, variants: Iterable[Mapping[str, Any]]) -> None:
    """Check what the case file would say with other values.

    Parameters
    ----------
    case : Case
        The case.
    variants : iterable of mapping
        Values by key with dots, such as `{"simulation.seed": 2}`.

    Raises
    ------
    CaseError
        With all problems, each with the first values that make it.
    """
    problems: dict[str, list[str]] = {}
    for values in variants:
        document = parse_yaml(_text(_content(case, values)), case.path.name)
        try:
            check_document(document, case.project)
        except CaseError as error:
            said = ", ".join(f"{key}={value_text(value)}" for key, value in values.items())
            for text in error.problems:
                problems.setdefault(_PLACE.sub("", text), []).append(said)
    if problems:
        raise CaseError(*(_complaint(text, made_by) for text, made_by in problems.items()))


def _complaint(text: str, made_by: Sequence[str]) -> str:
    """Say what is wrong once, however many values make it."""
    others = f", and {len(made_by) - 1:,} more like it" if len(made_by) > 1 else ""
    return f"--grid {made_by[0]}{others}: {text}"


def write_variant(case: Case, values: Mapping[str, Any], folder: Path) -> Case:
    """Write a case with other values, unless it stands there already.

    Parameters
    ----------
    case : Case
        The case.
    values : mapping
        Values by key with dots.
    folder : Path
        The case is written below it, in a folder named as the case.

    Returns
    -------
    Case
    """
    path = folder / case.name / "case.yaml"
    content = _content(case, values)
    for table in content["tables"].values():
        for kind in _PATHS:
            if kind in table:
                table[kind] = _moved(table[kind], case.folder, path.parent)
    text = _text(content)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return load_case(path)


def _content(case: Case, values: Mapping[str, Any]) -> dict[str, Any]:
    """Content of the case file with other values."""
    content = copy.deepcopy(read_yaml(case.path).content)
    for key, value in values.items():
        *folders, last = key.split(".")
        place = content
        for name in folders:
            if not isinstance(place.get(name), dict):
                place[name] = {}
            place = place[name]
        place[last] = None if value is None else value_text(value)
    return content


def _text(content: Mapping[str, Any]) -> str:
    import yaml

    # An unquoted text that looks like a number is read as text all the same.
    return yaml.safe_dump(dict(content), allow_unicode=True, sort_keys=False)


def _moved(written: str, old: Path, new: Path) -> str:
    """Path relative to a folder, as seen from another one."""
    if Path(written).is_absolute():
        return written
    try:
        return Path(os.path.relpath(old / written, new)).as_posix()
    except ValueError:  # another drive
        return (old / written).as_posix()
