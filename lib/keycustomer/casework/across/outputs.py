"""Published outputs of cases, read back.

Question: which cases have been run, where is what they found, and is it what this version writes?

- :func:`read_output`: one output folder.
- :func:`find_outputs`: those of cases by name or folder, or of every case of the project.
- :class:`CaseOutput`: name, folder, and the content of `results.json` as frames.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from keycustomer.casework.errors import CaseError
from keycustomer.casework.project import find_project
from keycustomer.casework.results import LEDGER_COLUMNS, MEASURE_COLUMNS

RESULTS = "results.json"
FAILED = ".failed"
"""End of the name of a folder with a run in which something failed."""

_ROWS = {
    "measures": MEASURE_COLUMNS,
    "ledger": LEDGER_COLUMNS,
    "exclusions": ("table_name", "rule"),
    "skipped": ("section", "missing_table"),
}
_KEYS = ("case", *_ROWS, "run")
_NUMBERS = ("estimate", "lower", "upper", "truth")
_TEXTS = ("chapter", "measure", "group", "unit", "claim", "statement", "verdict", "section")


@dataclass(frozen=True, eq=False)
class CaseOutput:
    """What a run of a case has published.

    Attributes
    ----------
    name : str
        Name of the case.
    folder : Path
        The output folder.
    results : dict
        Content of `results.json`: `case`, `measures`, `ledger`, `exclusions`, `skipped`, `run`.
    """

    name: str
    folder: Path
    results: dict[str, Any] = field(repr=False)

    @property
    def title(self) -> str:
        """Title of the case."""
        return str(self.results["case"].get("title") or self.name)

    @property
    def simulated(self) -> bool:
        """Whether the data are simulated."""
        return bool(self.results["case"].get("simulated"))

    @property
    def currency(self) -> str:
        """Unit of the amounts; empty where there are none."""
        return str(self.results["case"].get("currency") or "")

    @property
    def chapters(self) -> tuple[str, ...]:
        """Chapters of the output, in reading order."""
        return tuple(self.results["case"].get("chapters") or ())

    @property
    def run(self) -> dict[str, Any]:
        """The run record."""
        record: dict[str, Any] = self.results["run"]
        return record

    @property
    def report(self) -> Path:
        """The report."""
        return self.folder / "report.html"

    @property
    def measures(self) -> pd.DataFrame:
        """One row a measure: chapter, measure, group, estimate, lower, upper, truth, unit, ..."""
        return _frame(self.results["measures"], MEASURE_COLUMNS)

    @property
    def ledger(self) -> pd.DataFrame:
        """One row a claim and measure: claim, statement, measure, estimate, ..., verdict, data."""
        return _frame(self.results["ledger"], LEDGER_COLUMNS)


def read_output(folder: str | Path) -> CaseOutput:
    """Read a published output.

    Parameters
    ----------
    folder : str or Path
        An output folder, or its `results.json`.

    Raises
    ------
    CaseError
        When there is none, or it is not what a run writes.
    """
    given = Path(folder)
    path = given if given.name == RESULTS else given / RESULTS
    if not path.is_file():
        raise CaseError(
            f"{given}: no {RESULTS} there; name the output folder of a case, or run the case first"
        )
    try:
        # NaN and infinities, which JSON does not have, are numbers that are not known
        results = json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=lambda _: None)
    except ValueError as error:
        raise CaseError(f"{path}: not JSON ({error}); run the case again with --force") from error
    problem = _problem(results)
    if problem:
        raise CaseError(f"{path}: {problem}; run the case again with --force")
    return CaseOutput(str(results["case"]["name"]), path.parent.resolve(), results)


def find_outputs(
    cases: Sequence[str | Path] = (), *, output: Path | None = None
) -> list[CaseOutput]:
    """Read the outputs of some cases, or of all that have been run.

    Parameters
    ----------
    cases : sequence of str or Path
        Names of cases, or output folders; empty: every case under `casework/`, or every folder
        under `output`, that has an output.
    output : Path, optional
        Folder under which runs wrote, as in `keycustomer run --output`.

    Returns
    -------
    list of CaseOutput
        In the order given, else by name.

    Raises
    ------
    CaseError
        With every output that is missing or cannot be read, or when there is none at all.
    """
    if not cases:
        folders = _all_folders(output)
        if not folders:
            where = output or find_project().casework
            raise CaseError(f"no case under {where} has been run; first: keycustomer run CASE")
        return _read_all(folders)
    return _read_all([_folder(case, output) for case in cases])


def _all_folders(output: Path | None) -> list[Path]:
    if output is not None:
        folders = sorted(path.parent for path in output.glob(f"*/{RESULTS}"))
        return [folder for folder in folders if not folder.name.endswith(FAILED)]
    project = find_project()
    folders = [project.casework / name / "output" for name in project.cases()]
    return [folder for folder in folders if (folder / RESULTS).is_file()]


def _folder(case: str | Path, output: Path | None) -> Path:
    """Folder of a case's output: a folder with results, or that of a case of this name."""
    given = Path(case)
    if given.name == RESULTS or (given / RESULTS).is_file():
        return given
    if (given / "output" / RESULTS).is_file():
        return given / "output"
    if output is not None:
        return output / str(case)
    return find_project().casework / str(case) / "output"


def _read_all(folders: Sequence[Path]) -> list[CaseOutput]:
    outputs: list[CaseOutput] = []
    problems: list[str] = []
    for folder in folders:
        try:
            outputs.append(read_output(folder))
        except CaseError as error:
            problems += error.problems
    if problems:
        raise CaseError(*problems)
    return outputs


def _problem(results: Any) -> str:
    """Say what is wrong with the content of a results file; empty when nothing is."""
    if not isinstance(results, dict):
        return "it holds no object"
    missing = [key for key in _KEYS if key not in results]
    if missing:
        return f"the key {missing[0]!r} is missing"
    if not isinstance(results["case"], dict) or not results["case"].get("name"):
        return "the case has no name"
    if not isinstance(results["run"], dict):
        return "run holds no object"
    return next(_row_problems(results), "") or next(_run_problems(results["run"]), "")


def _row_problems(results: Mapping[str, Any]) -> Iterator[str]:
    """Say what is wrong with the rows of a results file."""
    for key, columns in _ROWS.items():
        if not isinstance(results[key], list):
            yield f"{key} holds no rows"
            return
        for place, row in enumerate(results[key], start=1):
            if not isinstance(row, dict):
                yield f"row {place} of {key} is no object"
                continue
            yield from (f"a row of {key} has no {name!r}" for name in columns if name not in row)
            for name in columns:
                told = f"row {place} of {key}: {name} {row.get(name)!r}"
                if name in _NUMBERS and not _is_number(row.get(name)):
                    yield f"{told} is no number"
                elif name in _TEXTS and not isinstance(row.get(name), str):
                    yield f"{told} is no text"


def _run_problems(run: Mapping[str, Any]) -> Iterator[str]:
    """Say what is wrong with the form of a run record; what it lacks is not known."""
    for key in ("chapters", "parameters"):
        parts = run.get(key) or {}
        if not isinstance(parts, dict) or not all(isinstance(one, dict) for one in parts.values()):
            yield f"run.{key} holds no object a chapter"
    inputs = run.get("inputs") or []
    if not isinstance(inputs, list) or not all(
        isinstance(row, dict) and "table" in row for row in inputs
    ):
        yield "run.inputs holds no row a table"


def _is_number(value: Any) -> bool:
    """Whether a value is a finite number, or not known."""
    if value is None:
        return True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _frame(rows: Sequence[dict[str, Any]], columns: tuple[str, ...]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=list(columns))
    numbers = [name for name in _NUMBERS if name in columns]
    return frame.astype(dict.fromkeys(numbers, float))
