"""Where the project is: its notebooks, its cases, its lock.

Question: which folder do `casework/cdnow` and `notebooks/1_pareto_analysis.ipynb` belong to, from
wherever a command or a notebook is started?

- :class:`Project`: the root with its chapters (`<number>_<name>.ipynb` under `notebooks/`).
- :func:`find_project`: the environment's `KEYCUSTOMER_HOME`, else upwards from the working
  directory, else the checkout the package was installed from.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from keycustomer.casework.errors import CaseError, did_you_mean
from keycustomer.casework.variables import HOME

_CHAPTER_FILE = re.compile(r"(\d+)_[a-z0-9_]+")


@dataclass(frozen=True)
class Project:
    """A project: a folder with `notebooks/` and `casework/`.

    Attributes
    ----------
    root : Path
        The project's folder, absolute.
    """

    root: Path

    @property
    def casework(self) -> Path:
        """Folder of the cases."""
        return self.root / "casework"

    @property
    def notebooks(self) -> dict[str, Path]:
        """Notebooks by chapter name, in reading order."""
        folder = (self.root / "notebooks").resolve()
        found = [
            path
            for path in folder.glob("*.ipynb")
            if _CHAPTER_FILE.fullmatch(path.stem) and path.resolve().parent == folder
        ]
        return {path.stem: path for path in sorted(found, key=lambda path: _order(path.stem))}

    def chapter(self, name: str | int) -> str:
        """Full name of a chapter given by its name or number.

        Raises
        ------
        CaseError
            When there is no such chapter, with the chapters there are.
        """
        names = list(self.notebooks)
        text = str(name).strip()
        for known in names:
            if text in (known, known.partition("_")[0]):
                return known
        raise CaseError(
            f"no chapter {text!r}{did_you_mean(text, names)}; "
            f"the chapters are: {', '.join(names) or f'none ({self.root} has no notebooks)'}"
        )

    def cases(self) -> list[str]:
        """Names of the cases under `casework/`, sorted."""
        return sorted(path.parent.name for path in self.casework.glob("*/case.yaml"))


def _order(stem: str) -> tuple[int, str]:
    return int(stem.partition("_")[0]), stem


def chapter_number(name: str) -> int:
    """Return the number of a chapter: 1 for `1_pareto_analysis`."""
    return _order(name)[0]


def find_project() -> Project:
    """Find the project.

    Raises
    ------
    CaseError
        When `KEYCUSTOMER_HOME` names no project, or none is found.
    """
    home = os.environ.get(HOME)
    if home:
        if not _is_project(Path(home)):
            raise CaseError(
                f"{HOME} is {home!r}, which has no folders `notebooks` and `casework`; "
                "set it to the project's folder, or unset it"
            )
        return Project(Path(home).resolve())
    here = Path.cwd().resolve()
    checkout = Path(__file__).resolve().parents[3]
    for folder in (here, *here.parents, checkout):
        if _is_project(folder):
            return Project(folder)
    raise CaseError(
        f"no project found at or above {here}: a project has folders `notebooks` and `casework`; "
        f"change into it, or set {HOME}"
    )


def _is_project(folder: Path) -> bool:
    return (folder / "notebooks").is_dir() and (folder / "casework").is_dir()
