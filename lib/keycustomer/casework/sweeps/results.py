"""What a sweep has found: one tidy table of all points.

Question: how do measures and verdicts change with the parameters, and where did a chapter fail?

- :class:`Sweep`: `points` (a row a point), `frame` (a row a point, chapter, measure and group) and
  `verdicts` (a row a point and claim).
- :func:`gather_points`, :func:`gather_verdicts`: read them from the points' outputs.
- :meth:`Sweep.coverage`: how often an interval holds the truth, where the truth is known.

Source of the interval of a share: Clopper & Pearson (1934), Biometrika 26.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.casework.across.outputs import CaseOutput, read_output
from keycustomer.casework.errors import CaseError, did_you_mean
from keycustomer.casework.files import make_folder, write_json
from keycustomer.casework.measures import VERDICTS
from keycustomer.casework.sweeps.grid import Axis, Point, value_text

MEASURED = (
    "chapter", "measure", "group", "estimate", "lower", "upper", "truth", "unit", "n", "method"
)  # fmt: skip
OUTCOME = ("status", "seconds", "problem")
JUDGED = ("claim", "statement", "measure", "estimate", "lower", "upper", "verdict")
LEVEL = 0.95
_RECORD = "sweep.json"
_TABLE = "sweep.parquet"
_VERDICTS = "verdicts"


@dataclass(frozen=True, eq=False)
class Sweep:
    """A case at every point of a grid.

    Attributes
    ----------
    case, title : str
        Name and title of the case.
    simulated : bool
        Whether its data are made up.
    axes : tuple of Axis
        The grid.
    chapters : tuple of str
        Chapters that ran.
    folder : Path
        Where the points, the table and the page are.
    points : DataFrame
        One row a point: point (its folder's name), the grid's columns, status ("completed" or
        "failed"), seconds of its chapters, problem.
    frame : DataFrame
        One row a point, chapter, measure and group: the grid's columns, point, chapter, measure,
        group, estimate, lower, upper, truth, unit, n, method, status, seconds (of the chapter),
        problem.  A chapter that failed has one row without a measure.
    verdicts : DataFrame
        One row a point, claim and measure: the grid's columns, point, claim, statement, measure,
        estimate, lower, upper, verdict.
    """

    case: str
    title: str
    simulated: bool
    axes: tuple[Axis, ...]
    chapters: tuple[str, ...]
    folder: Path
    points: pd.DataFrame = field(repr=False)
    frame: pd.DataFrame = field(repr=False)
    verdicts: pd.DataFrame = field(repr=False)

    @property
    def failed(self) -> pd.DataFrame:
        """Points at which something failed."""
        return self.points[self.points["status"] == "failed"]

    @property
    def page(self) -> Path:
        """The page."""
        return self.folder / "sweep.html"

    @property
    def table(self) -> Path:
        """The table as CSV; the same as Parquet lies beside it."""
        return self.folder / "sweep.csv"

    @property
    def measures(self) -> pd.DataFrame:
        """Measures that were found: chapter, measure, group, unit, points, smallest, largest."""
        found = self.frame[self.frame["measure"] != ""]
        grouped = found.groupby(["chapter", "measure", "group", "unit"], sort=False)["estimate"]
        return grouped.agg(points="count", smallest="min", largest="max").reset_index()

    @property
    def verdict_counts(self) -> pd.DataFrame:
        """Points by verdict: claim, statement, measure, and a column a verdict."""
        own = ["claim", "statement", "measure"]
        counted = self.verdicts.groupby([*own, "verdict"], sort=False).size()
        table = counted.unstack("verdict", fill_value=0).reindex(columns=list(VERDICTS))
        return table.fillna(0).astype(int).rename_axis(columns=None).reset_index()

    @property
    def sentence(self) -> str:
        """What was run and what came of it."""
        from keycustomer.customers.rendering import counted

        sizes = [f"{axis.name} ({counted(len(axis.values), 'value')})" for axis in self.axes]
        failed = len(self.failed)
        told = f"{failed:,} of them failed" if failed else "none failed"
        points = counted(len(self.points), "point")
        changing = int((self.verdicts.groupby(["claim", "measure"])["verdict"].nunique() > 1).sum())
        moving = int((self.measures["smallest"] < self.measures["largest"]).sum())
        measures, verdicts = counted(len(self.measures), "measure"), counted(changing, "verdict")
        return (
            f"{self.title}: {points} over {' and '.join(sizes)}; {told}. "
            f"Between points, {moving:,} of {measures} and {verdicts} differ."
        )

    def column(self, axis: str) -> str:
        """Column of the tables that holds a parameter of the grid."""
        return axis_columns(self.axes)[axis]

    def values(self, measure: str, group: str = "") -> pd.DataFrame:
        """Rows of one measure and group.

        Raises
        ------
        ValueError
            When the sweep has no such measure or group.
        """
        rows = self.frame[self.frame["measure"] == measure]
        known = [name for name in self.frame["measure"].unique() if name]
        if rows.empty:
            raise ValueError(
                f"the sweep has no measure {measure!r}{did_you_mean(measure, known)}; "
                f"it has: {', '.join(known) or 'none'}"
            )
        groups = list(rows["group"].unique())
        if group not in groups:
            raise ValueError(
                f"measure {measure!r} has no group {group!r}{did_you_mean(group, groups)}; "
                f"it has: {', '.join(map(repr, groups))}"
            )
        return rows[rows["group"] == group].reset_index(drop=True)

    def coverage(self) -> pd.DataFrame:
        """Count how many intervals hold the truth, by measure and group.

        Returns
        -------
        DataFrame
            chapter, measure, group, points, held, share, lower, upper: the share's exact 95 %
            interval (Clopper & Pearson 1934).  Points are independent only where each has a
            company of its own, as in a sweep over `simulation.seed`.
        """
        from scipy import stats

        known = self.frame.dropna(subset=["lower", "upper", "truth"])
        held = known["truth"].between(known["lower"], known["upper"])
        grouped = held.groupby([known[name] for name in MEASURED[:3]], sort=False)
        table = grouped.agg(points="size", held="sum").reset_index()
        n, k = table["points"].to_numpy(), table["held"].to_numpy()
        tail = (1 - LEVEL) / 2
        return table.assign(
            share=k / n,
            lower=np.where(k > 0, stats.beta.ppf(tail, np.maximum(k, 1), n - k + 1), 0.0),
            upper=np.where(k < n, stats.beta.ppf(1 - tail, k + 1, np.maximum(n - k, 1)), 1.0),
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the tidy table; the same as `frame`."""
        return self.frame

    def _repr_html_(self) -> str:
        from keycustomer.customers.rendering import sentence_html

        return sentence_html(self.sentence, self.points, numbers=",.4g")

    def write(self) -> None:
        """Write table and record into the folder."""
        from keycustomer.casework.disclosure import neutralise_formulas

        make_folder(self.folder)
        for name, frame in ((self.table.stem, self.frame), (_VERDICTS, self.verdicts)):
            text = neutralise_formulas(frame)
            place = self.folder / f"{name}.csv"
            text.to_csv(place, index=False, lineterminator="\n", encoding="utf-8")
            frame.to_parquet(place.with_suffix(".parquet"), index=False)
        record = {
            "case": self.case,
            "title": self.title,
            "simulated": self.simulated,
            "grid": [
                {"name": axis.name, "values": list(axis.values), "in_case": axis.in_case}
                for axis in self.axes
            ],
            "chapters": list(self.chapters),
            "points": json.loads(self.points.to_json(orient="records")),
        }
        write_json(self.folder / _RECORD, record)


def read_sweep(folder: str | Path) -> Sweep:
    """Read a sweep that has been run.

    Parameters
    ----------
    folder : str or Path
        Folder of the sweep, such as `casework/cdnow/sweeps/draws`.

    Raises
    ------
    CaseError
        When no sweep was finished there.
    """
    place = Path(folder)
    try:
        record = json.loads((place / _RECORD).read_text(encoding="utf-8"))
        frame = pd.read_parquet(place / _TABLE)
        verdicts = pd.read_parquet(place / f"{_VERDICTS}.parquet")
    except (OSError, ValueError) as error:
        raise CaseError(
            f"{folder}: no finished sweep there; first: keycustomer sweep CASE --grid NAME=..."
        ) from error
    axes = tuple(Axis(row["name"], tuple(row["values"]), row["in_case"]) for row in record["grid"])
    points = pd.DataFrame(record["points"])
    facts = (record["case"], record["title"], record["simulated"], axes)
    return Sweep(*facts, tuple(record["chapters"]), place.resolve(), points, frame, verdicts)


def axis_columns(axes: Sequence[Axis]) -> dict[str, str]:
    """Column of the tables by axis: its name, unless another column is called so."""
    taken = {"point", *MEASURED, *OUTCOME, *JUDGED}
    return {a.name: f"parameter {a.name}" if a.name in taken else a.name for a in axes}


def gather_points(
    axes: Sequence[Axis],
    chapters: Sequence[str],
    points: Sequence[Point],
    outputs: Mapping[str, Path | None],
    failures: Mapping[str, Sequence[str]],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the outputs of all points.

    Parameters
    ----------
    axes, chapters, points
        What was run.
    outputs : mapping of str to Path or None
        By name of the point, its output, or what it left when it failed.
    failures : mapping of str to sequence of str
        Problems by name of the points that failed.

    Returns
    -------
    points, frame : DataFrame
        As in :class:`Sweep`.
    """
    columns = axis_columns(axes)
    told: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for point in points:
        place = {columns[name]: _cell(value) for name, value in point.values}
        problems = failures.get(point.name, ())
        place_of_output = outputs[point.name]
        output = None if place_of_output is None else read_output(place_of_output)
        own = list(_chapter_rows(output, chapters, problems))
        rows += [{"point": point.name, **place, **row} for row in own]
        told.append(
            {
                "point": point.name,
                **place,
                "status": "failed" if problems else "completed",
                "seconds": _seconds(output, chapters),
                "problem": "; ".join(problems),
            }
        )
    head = ["point", *columns.values()]
    frame = pd.DataFrame(rows, columns=[*head, *MEASURED, *OUTCOME])
    numbers = ["estimate", "lower", "upper", "truth", "n", "seconds"]
    frame = frame.astype(dict.fromkeys(numbers, float))
    return pd.DataFrame(told, columns=[*head, *OUTCOME]), frame


def gather_verdicts(
    axes: Sequence[Axis], points: Sequence[Point], outputs: Mapping[str, Path | None]
) -> pd.DataFrame:
    """Read the verdicts of all points; arguments as in :func:`gather_points`."""
    columns = axis_columns(axes)
    rows: list[dict[str, Any]] = []
    for point in points:
        folder = outputs[point.name]
        place = {columns[name]: _cell(value) for name, value in point.values}
        found = [] if folder is None else read_output(folder).results["ledger"]
        rows += [
            {"point": point.name, **place, **{name: row[name] for name in JUDGED}} for row in found
        ]
    frame = pd.DataFrame(rows, columns=["point", *columns.values(), *JUDGED])
    return frame.astype(dict.fromkeys(["estimate", "lower", "upper"], float))


def _cell(value: Any) -> Any:
    """Value as a cell: lists as text."""
    return value_text(value) if isinstance(value, list | tuple) else value


def _chapter_rows(
    output: CaseOutput | None, chapters: Sequence[str], problems: Sequence[str]
) -> Iterator[dict[str, Any]]:
    runs = output.run["chapters"] if output is not None else {}
    for chapter in chapters:
        run = runs.get(chapter, {})
        outcome = {"status": run.get("status", "failed"), "seconds": run.get("seconds")}
        if outcome["status"] != "completed" or output is None:
            problem = run.get("error") or "; ".join(problems)
            blank = {"chapter": chapter, "measure": "", "group": "", "unit": "", "method": ""}
            yield {**blank, **outcome, "problem": problem}
            continue
        for row in output.results["measures"]:
            if row["chapter"] == chapter:
                yield {**{name: row[name] for name in MEASURED}, **outcome, "problem": ""}


def _seconds(output: CaseOutput | None, chapters: Sequence[str]) -> float:
    runs = output.run["chapters"] if output is not None else {}
    return float(
        sum(runs[chapter].get("seconds") or 0.0 for chapter in chapters if chapter in runs)
    )
