"""The page of a sweep: what was run, and every measure that differs, against the parameters.

Question: what does a reader look at first after a sweep of forty points?

:func:`sweep_page` makes a :class:`keycustomer.casework.across.page.Page` of a :class:`Sweep`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from keycustomer.casework.across.page import (
    Link,
    Number,
    Page,
    Picture,
    Section,
    Table,
    picture,
    simulated_banner,
)
from keycustomer.casework.measures import MEASURES, VERDICTS
from keycustomer.casework.publish import failed_folder
from keycustomer.casework.sweeps.grid import value_text
from keycustomer.casework.sweeps.results import Sweep, axis_columns

MOST_FIGURES = 40
"""Figures of a page; the table has every measure."""

_STEADY = 1e-9
_JUDGED = ["claim", "measure", *VERDICTS]


def sweep_page(sweep: Sweep) -> Page:
    """Make the page of a sweep.

    Parameters
    ----------
    sweep : Sweep
        A sweep that has been run.
    """
    banner = simulated_banner([sweep.case] if sweep.simulated else [])
    said = f"{len(sweep.points):,} points of the case {sweep.case}"
    sections = [
        _overview(sweep),
        *_verdicts(sweep),
        *_measures(sweep),
        *_held(sweep),
        _all_measures(sweep),
    ]
    return Page("Sweep", f"{sweep.title}: a sweep", said, sections, banner)


def _overview(sweep: Sweep) -> Section:
    grid = Table(
        "The grid",
        ["parameter", "values", "of"],
        [
            [axis.name, ", ".join(map(value_text, axis.values)), _owner(axis.in_case)]
            for axis in sweep.axes
        ],
    )
    sentences = [sweep.sentence, f"Chapters: {', '.join(sweep.chapters)}."]
    sentences += [
        f"{point}: failed: {problem}"
        for point, problem in sweep.failed[["point", "problem"]].itertuples(index=False)
    ]
    return Section("What was run", sentences, [grid, _points(sweep)])


def _owner(in_case: bool) -> str:
    return "the case file" if in_case else "the chapters"


def _points(sweep: Sweep) -> Table:
    columns = axis_columns(sweep.axes)
    rows = [
        [
            _report(sweep, str(row["point"]), str(row["status"])),
            *(Number(_cell(row[name])) for name in columns.values()),
            str(row["status"]),
            Number("" if pd.isna(row["seconds"]) else f"{row['seconds']:.1f}"),
        ]
        for _, row in sweep.points.iterrows()
    ]
    return Table("The points", ["point", *columns, "status", "seconds"], rows)


def _report(sweep: Sweep, point: str, status: str) -> Link | str:
    """Link to the report of a point, where there is one."""
    place = sweep.folder / "points" / point
    report = (failed_folder(place) if status == "failed" else place) / "report.html"
    if not report.is_file():
        return point
    return Link(point, f"points/{report.parent.name}/report.html")


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "none" if pd.isna(value) else f"{value:g}"
    return value_text(value)


def _verdicts(sweep: Sweep) -> Iterator[Section]:
    """At how many points each claim is supported."""
    counts = sweep.verdict_counts
    if counts.empty:
        return
    rows = [
        [
            f"{row['claim']}: {row['statement']}",
            str(row["measure"]),
            *(Number(str(row[verdict])) for verdict in VERDICTS),
        ]
        for row in counts.to_dict("records")
    ]
    changing = counts[(counts[list(VERDICTS)] > 0).sum(axis=1) > 1]["claim"]
    names = ", ".join(dict.fromkeys(changing))
    said = f"Verdicts differ between points for: {names}." if names else "No verdict differs."
    yield Section("Do verdicts hold?", [said], [Table("Points by verdict", _JUDGED, rows)])


def _moving(sweep: Sweep) -> pd.DataFrame:
    """Measures that differ between points."""
    found = sweep.measures
    span = found["largest"] - found["smallest"]
    size = found[["largest", "smallest"]].abs().max(axis=1)
    return found[span > _STEADY * size]


def _measures(sweep: Sweep) -> Iterator[Section]:
    """One section a measure, a figure a group, until the page is full."""
    left = MOST_FIGURES
    for (chapter, measure), rows in _moving(sweep).groupby(["chapter", "measure"], sort=False):
        groups = list(rows["group"])[:left]
        if not groups:
            return
        left -= len(groups)
        meaning = MEASURES.get(str(chapter), {}).get(str(measure))
        said = [f"{meaning.meaning[:1].upper()}{meaning.meaning[1:]}."] if meaning else []
        pictures = [_figure(sweep, str(measure), str(group)) for group in groups]
        title = f"{measure} ({chapter})" if len(sweep.chapters) > 1 else str(measure)
        yield Section(title, said, pictures=pictures)


def _figure(sweep: Sweep, measure: str, group: str) -> Picture:
    from keycustomer.plots import use_style
    from keycustomer.plots.sweeps import sweep_lines

    use_style()
    return picture(sweep_lines(sweep, measure, group))


def _held(sweep: Sweep) -> Iterator[Section]:
    """How often intervals hold the truth, where it is known at several points."""
    table = sweep.coverage()
    table = table[table["points"] > 1]
    if table.empty:
        return
    rows = [
        [
            _called(row),
            Number(str(row["points"])),
            Number(str(row["held"])),
            Number(
                f"{100 * row['share']:.0f} % [{100 * row['lower']:.0f}, {100 * row['upper']:.0f}]"
            ),
        ]
        for row in table.to_dict("records")
    ]
    said = (
        "Share of intervals that hold the truth, with its own 95 % interval; points are "
        "independent only where each has a company of its own."
    )
    heads = ["measure", "intervals", "hold the truth", "share"]
    yield Section("Do intervals hold the truth?", [said], [Table("Coverage", heads, rows)])


def _all_measures(sweep: Sweep) -> Section:
    moving = len(_moving(sweep))
    found = sweep.measures
    shown = min(moving, MOST_FIGURES)
    said = [
        f"{moving} of {len(found)} measures differ between points; {shown} of them are drawn. "
        f"Every value stands in {sweep.table.name}."
    ]
    rows = [
        [
            _called(row),
            str(row["chapter"]),
            str(row["unit"]),
            Number(str(row["points"])),
            Number(_plain(row["smallest"])),
            Number(_plain(row["largest"])),
        ]
        for row in found.to_dict("records")
    ]
    heads = ["measure", "chapter", "unit", "points", "smallest", "largest"]
    return Section("All measures", said, [Table("All measures", heads, rows)], folded=True)


def _called(row: Mapping[Hashable, Any]) -> str:
    return f"{row['measure']} {row['group']}".strip()


def _plain(value: float) -> str:
    return "" if pd.isna(value) else f"{value:,.6g}"
