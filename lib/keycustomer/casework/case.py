"""A case: one customer base, the chapters it runs and their parameters, from a case file.

Question: what exactly does this case file say, and if it says something impossible, where?

- :func:`load_case`: a name under `casework/`, or a path to a case file or its folder.
- :class:`Case`: the case's name, folder and :class:`CaseSpecification`.

Every problem of a file is shown at once, each as ``case.yaml:12: ...`` with the likely cure.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from keycustomer.casework.errors import CaseError, did_you_mean
from keycustomer.casework.measures import RESTS_ON
from keycustomer.casework.parameters import convert_all, read_parameters
from keycustomer.casework.project import Project, find_project
from keycustomer.casework.variables import CASE_FILE
from keycustomer.casework.yaml_text import Document, Location, read_yaml
from keycustomer.customers.specification import BaseSpecification, TableSpecification

_NAME = re.compile(r"[^\W_][\w-]{0,63}")
_RESERVED = frozenset({"con", "prn", "aux", "nul"}) | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)
}
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class CaseSpecification(BaseSpecification):
    """A case file's content: the customer base, and what is run on it.

    Attributes
    ----------
    chapters : tuple of str
        Chapters to run, in order; empty in the file: all of the project that the tables allow.
    parameters : dict of str to dict
        Values by chapter and parameter, of the types the notebooks declare.
    minimum_cell : int
        Groups of fewer customers are withheld from tables, unless the case is identifiable.
    """

    chapters: tuple[str, ...] = ()
    parameters: dict[str, dict[str, Any]] = Field(default_factory=dict)
    minimum_cell: Annotated[int, Field(ge=1, le=1000)] = 5

    @field_validator("tables")
    @classmethod
    def _with_something(cls, value: dict[str, TableSpecification]) -> dict[str, TableSpecification]:
        useful = sorted({table for tables in RESTS_ON.values() for table in tables})
        if not set(useful) & value.keys():
            names = ", ".join(f"`{table}`" for table in useful[:-1])
            raise ValueError(f"a table {names} or `{useful[-1]}` is needed: chapters rest on them")
        return value

    @model_validator(mode="after")
    def _fitting_chapters(self) -> CaseSpecification:
        unfit = [name for name in self.chapters if not _fits(name, self.tables)]
        if unfit:
            needed = " or ".join(f"`{table}`" for table in RESTS_ON[unfit[0]])
            raise ValueError(f"chapter {unfit[0]} needs the table {needed}")
        return self


def _fits(chapter: str, tables: Mapping[str, TableSpecification]) -> bool:
    """Whether a case has one of the tables a chapter rests on."""
    return any(table in tables for table in RESTS_ON.get(chapter, tables))


@dataclass(frozen=True)
class Case:
    """A checked case.

    Attributes
    ----------
    name : str
        Name of the case: its folder's.
    folder : Path
        Folder of the case file, to which paths in it are relative.
    specification : CaseSpecification
        What the case file says.
    path : Path
        The case file.
    project : Project
        The project whose notebooks it runs.
    """

    name: str
    folder: Path
    specification: CaseSpecification
    path: Path
    project: Project

    @property
    def chapters(self) -> tuple[str, ...]:
        """Chapters of the case, in order."""
        if self.specification.chapters:
            return self.specification.chapters
        tables = self.specification.tables
        return tuple(name for name in self.project.notebooks if _fits(name, tables))

    @property
    def sha256(self) -> str:
        """Hash of the case file."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


def load_case(name_or_path: str | Path | Case) -> Case:
    """Load a case and check everything its file says.

    Parameters
    ----------
    name_or_path : str or Path
        Name of a folder under the project's `casework/`, or a path to a case file or its folder.

    Raises
    ------
    CaseError
        When there is no such case, or with every problem of its file, by file and line.
    """
    if isinstance(name_or_path, Case):
        return name_or_path
    project = find_project()
    path = _case_file(str(name_or_path), project)
    name = check_name(path.parent.name)
    specification = check_document(read_yaml(path), project)
    return Case(name, path.parent, specification, path, project)


def check_name(name: str) -> str:
    """Return a case's name when it is one.

    Raises
    ------
    CaseError
        When it is not letters, digits, `_` and `-`, or is reserved by a file system.
    """
    if not _NAME.fullmatch(name) or name.lower() in _RESERVED:
        raise CaseError(
            f"{name!r} is no name for a case: use at most 64 letters, digits, _ and -, "
            "beginning with a letter or digit"
        )
    return name


def _case_file(text: str, project: Project) -> Path:
    """Path of the case file that a name or path means."""
    if "\0" in text or not text.strip():
        raise CaseError(f"{text!r} is no name for a case and no path")
    override = os.environ.get(CASE_FILE)
    if override and Path(override).parent.name == text:
        return Path(override)
    if text.lower().endswith((".yaml", ".yml")):
        return _existing(Path(text))
    if "/" not in text and "\\" not in text and text not in (".", ".."):
        return _named(text, project)
    if ".." in re.split(r"[/\\]", text):
        raise CaseError(
            f"{text!r}: a case's name or folder is given without '..'; "
            "give the path of its case.yaml"
        )
    return _existing(Path(text) / "case.yaml")


def _existing(path: Path) -> Path:
    if path.name != "case.yaml":
        raise CaseError(f"{path}: a case file is called case.yaml, in a folder named as the case")
    if not path.is_file():
        raise CaseError(f"no case file at {path}")
    return path.resolve()


def _named(name: str, project: Project) -> Path:
    path = project.casework / check_name(name) / "case.yaml"
    if path.is_file():
        return path.resolve()
    cases = project.cases()
    raise CaseError(
        f"no case {name!r} under {project.casework}{did_you_mean(name, cases)}; "
        f"there are: {', '.join(cases) or 'none'} (or give the path of a case.yaml)"
    )


def check_document(document: Document, project: Project) -> CaseSpecification:
    """Check everything that a case file says.

    Raises
    ------
    CaseError
        With every problem, by file and line.
    """
    content = _without_empty(document.content)
    problems = _Problems(document)
    _check_dates(content, problems)
    chapters = _check_chapters(content, project, problems)
    parameters = _check_parameters(content, project, problems)
    specification = None
    try:
        checked = {"chapters": chapters, "parameters": parameters}
        specification = CaseSpecification.model_validate({**content, **checked})
    except ValidationError as error:
        problems.add_validation(error)
    problems.raise_any()
    if specification is None:
        raise CaseError(f"{document.name}:1: not a case file")
    return specification


def _without_empty(value: Any, location: Location = ()) -> Any:
    """Content without known keys that have no value: they say nothing, but a strange key does."""
    if not isinstance(value, dict) or location == ("parameters",):
        return value
    known = _known_keys(location)
    strange = {key for key in value if known and key not in known}
    return {
        key: item if key in strange else _without_empty(item, (*location, key))
        for key, item in value.items()
        if item is not None or key in strange
    }


class _Problems:
    """Complaints about a document, collected and shown in the order of its lines."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.found: dict[str, int] = {}
        self.told: set[Location] = set()

    def add(self, location: Location, text: str) -> None:
        self.told.add(location)
        self.found[self.document.problem(location, text)] = self.document.line(location)

    def add_validation(self, error: ValidationError) -> None:
        for detail in error.errors(include_url=False):
            location = tuple(detail["loc"])
            checked = location[:1] in (("chapters",), ("parameters",)) or location in self.told
            if not checked:
                self.add(location, _explain(location, detail))

    def raise_any(self) -> None:
        if self.found:
            raise CaseError(*sorted(self.found, key=lambda text: (self.found[text], text)))


def _explain(location: Location, detail: Mapping[str, Any]) -> str:
    """One line on a validation error: the key, the value got, what is allowed."""
    key = ".".join(map(str, location))
    if detail["type"] == "extra_forbidden":
        known = _known_keys(location[:-1])
        near = did_you_mean(str(location[-1]), known)
        return f"unknown key `{key}`{near}; known here are: {', '.join(known)}"
    if detail["type"] == "missing":
        return f"`{key}` is missing"
    message = str(detail["msg"]).removeprefix("Value error, ")
    if isinstance(detail["input"], str):
        return f"`{key}`: {message}; got {detail['input']!r}"
    return f"`{key}`: {message}" if key else message


def _known_keys(location: Location) -> list[str]:
    """Keys the model knows at a path."""
    model: Any = CaseSpecification
    for step in location:
        if isinstance(model, type) and issubclass(model, BaseModel):
            model = model.model_fields[str(step)].annotation
        elif get_args(model):
            model = get_args(model)[-1]
    return list(model.model_fields) if hasattr(model, "model_fields") else []


def _check_dates(content: Mapping[str, Any], problems: _Problems) -> None:
    """Let only ISO dates through: the model would take 20170101 for a number of seconds."""
    observed = content.get("observed")
    for key, value in observed.items() if isinstance(observed, dict) else ():
        if key in ("start", "end") and not _ISO_DATE.fullmatch(str(value)):
            problems.add(
                ("observed", key),
                f"`observed.{key}`: write the date as YYYY-MM-DD; got {value!r}",
            )


def _check_chapters(
    content: Mapping[str, Any], project: Project, problems: _Problems
) -> tuple[str, ...]:
    written = content.get("chapters", [])
    if not isinstance(written, list):
        problems.add(("chapters",), "`chapters` must be a list, one `- name` a line")
        return ()
    chapters: list[str] = []
    for index, item in enumerate(written):
        try:
            chapter = project.chapter(str(item))
        except CaseError as error:
            problems.add(("chapters", index), str(error))
            continue
        if chapter in chapters:
            problems.add(("chapters", index), f"chapter {chapter} is listed twice")
        chapters.append(chapter)
    return tuple(chapters)


def _check_parameters(
    content: Mapping[str, Any], project: Project, problems: _Problems
) -> dict[str, dict[str, Any]]:
    written = content.get("parameters", {})
    if not isinstance(written, dict):
        problems.add(("parameters",), "`parameters` must hold `chapter:` and below it values")
        return {}
    checked: dict[str, dict[str, Any]] = {}
    for key, given in written.items():
        try:
            chapter = project.chapter(key)
            declared = read_parameters(project.notebooks[chapter])
        except CaseError as error:
            problems.add(("parameters", key), str(error))
            continue
        if not isinstance(given, dict | None):
            problems.add(("parameters", key), f"`parameters.{key}` must hold `name: value` lines")
            continue
        checked[chapter], wrong = convert_all(given or {}, declared, chapter)
        for name, message in wrong.items():
            problems.add(("parameters", key, name), message)
    return checked
