"""The page and tables of compared cases.

Question: what does a reader see first who asks in what cases differ?

:func:`write_comparison` writes ``compare.html``, ``compare.csv`` (measures by rows, cases by
columns) and ``differences.csv``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from keycustomer.casework.across.comparing import KEYS, ComparedCases, scale_of
from keycustomer.casework.across.page import (
    Link,
    Number,
    Page,
    Picture,
    Section,
    Table,
    picture,
    relative_link,
    simulated_banner,
)
from keycustomer.casework.disclosure import neutralise_formulas
from keycustomer.casework.files import make_folder
from keycustomer.casework.measures import MEASURES
from keycustomer.casework.report.front import day, written

PAGE, TABLE, DIFFERENCES = "compare.html", "compare.csv", "differences.csv"
"""What is written."""

MOST_FIGURES = 8
"""Figures of a page where no measures were chosen."""


def write_comparison(compared: ComparedCases, folder: Path, *, figures: Sequence[str] = ()) -> Path:
    """Write the page of compared cases and its tables.

    Parameters
    ----------
    compared : ComparedCases
        The comparison.
    folder : Path
        Where to write.
    figures : sequence of str
        Measures to draw; empty: those that most cases report with an interval.

    Returns
    -------
    Path
        The page.
    """
    make_folder(folder)
    named = {
        f"{case} {value}": f"{head} {value}"
        for case, head in _named_cases(compared).items()
        for value in ("estimate", "lower", "upper")
    }
    table = compared.to_frame().rename(columns=named)
    for name, frame in ((TABLE, table), (DIFFERENCES, compared.differences)):
        neutralise_formulas(frame).to_csv(folder / name, index=False, lineterminator="\n")
    drawn = [name.partition("[")[0] for name in figures] or figure_measures(compared)
    return comparison_page(compared, folder, drawn).write(folder / PAGE)


def figure_measures(compared: ComparedCases) -> list[str]:
    """Measures drawn where none are chosen: with intervals, in most cases, of one unit."""
    shared = compared.shared
    known = shared[shared["lower"].notna() & shared["upper"].notna()]
    units = shared["unit"].map(scale_of).groupby(shared["measure"]).nunique()
    counts = known.groupby("measure", sort=False)["case"].nunique()
    counts = counts[(counts > 1) & (units.reindex(counts.index) == 1)]
    return list(counts.sort_values(ascending=False, kind="stable").index[:MOST_FIGURES])


def comparison_page(compared: ComparedCases, folder: Path, figures: Sequence[str]) -> Page:
    """Return the page; its links are relative to `folder`."""
    made_up = list(compared.cases.loc[compared.cases["simulated"], "case"])
    sections = [
        Section(
            "The cases",
            [
                "Intervals are of 95 % unless the measure says otherwise. What depends on the "
                "length of time observed, such as the share of the largest customers, differs "
                "between cases for that reason too."
            ],
            [_case_table(compared, folder)],
        ),
        Section("What was found", compared.sentences, (), _pictures(compared, figures)),
        *_chapter_sections(compared),
        Section(
            "Differences",
            [
                "Case less reference. Intervals by MOVER (Zou and Donner 2008) from the two "
                "intervals alone, samples taken as independent.",
                f"The same numbers as a table: {DIFFERENCES}; all measures: {TABLE}.",
            ],
            list(_difference_tables(compared)),
            folded=True,
        ),
        Section("The measures", (), [_meanings(compared)], folded=True),
    ]
    return Page(
        "Cases compared",
        f"Cases compared: {', '.join(compared.cases['case'])}",
        compared.sentences[0],
        sections,
        simulated_banner(made_up),
    )


def _case_table(compared: ComparedCases, folder: Path) -> Table:
    heads = ["case", "what", "data", "amounts in", "chapters", "made on", "report"]
    rows = [
        [
            row["case"],
            row["title"],
            "simulated" if row["simulated"] else "real",
            row["currency"] if row["currency"] != "none" else "",
            Number(str(row["chapters"])),
            day(row["made"]),
            Link("report", relative_link(row["folder"] / "report.html", folder)),
        ]
        for row in compared.cases.to_dict("records")
    ]
    return Table("Cases, the first being what the others are set against", heads, rows)


def _pictures(compared: ComparedCases, figures: Sequence[str]) -> list[Picture]:
    from keycustomer import plots

    plots.use_style()
    drawable = set(_of_one_unit(compared))
    return [
        picture(plots.case_dots(compared, name))
        for name in dict.fromkeys(figures)
        if name in drawable
    ]


def _of_one_unit(compared: ComparedCases) -> list[str]:
    known = compared.frame[compared.frame["estimate"].notna()]
    units = known["unit"].map(scale_of).groupby(known["measure"]).nunique()
    return list(units.index[units == 1])


def _chapter_sections(compared: ComparedCases) -> Iterator[Section]:
    """Sections with the shared measures of each chapter."""
    shared = compared.shared
    for chapter, rows in shared.groupby("chapter", sort=False):
        number, _, name = str(chapter).partition("_")
        title = f"Chapter {number}: {name.replace('_', ' ')}"
        table = _side_by_side(compared, rows)
        yield Section(title, (), [table])


def _meanings(compared: ComparedCases) -> Table:
    pairs = compared.shared[["chapter", "measure"]].drop_duplicates()
    rows = [
        [measure, MEASURES[chapter][measure].meaning]
        for chapter, measure in pairs.itertuples(index=False)
        if measure in MEASURES.get(chapter, {})
    ]
    return Table("What the measures say", ["measure", "meaning"], rows)


def _side_by_side(compared: ComparedCases, rows: pd.DataFrame) -> Table:
    cases = list(compared.cases["case"])
    heads = _named_cases(compared)
    cells: dict[tuple[Any, ...], dict[str, Mapping[Any, Any]]] = {}
    for row in rows.to_dict("records"):
        cells.setdefault(tuple(row[key] for key in KEYS), {})[row["case"]] = row
    lines = [
        [
            f"{measure} [{group}]" if group else measure,
            *(_number(own.get(case)) for case in cases),
            " / ".join(dict.fromkeys(str(row["unit"]) for row in own.values())),
        ]
        for (_, measure, group), own in cells.items()
    ]
    caption = "Measures that at least two cases report, with their intervals"
    return Table(caption, ["measure", *(heads[case] for case in cases), "unit"], lines)


def _named_cases(compared: ComparedCases) -> dict[str, str]:
    """Cases as tables name them: made-up ones are called so."""
    return {
        row["case"]: f"{row['case']} (simulated)" if row["simulated"] else row["case"]
        for row in compared.cases.to_dict("records")
    }


def _number(row: Mapping[Any, Any] | None) -> str:
    if row is None:
        return ""
    unit = str(row["unit"])
    value = written(row["estimate"], unit)
    if pd.isna(row["lower"]) or pd.isna(row["upper"]):
        return value
    return f"{value} ({written(row['lower'], unit)} to {written(row['upper'], unit)})"


def _difference_tables(compared: ComparedCases) -> Iterator[Table]:
    """Tables of differences, one a pair."""
    heads = _named_cases(compared)
    pairs = compared.differences.groupby(["case", "reference"], sort=False)
    for (case, reference), rows in pairs:
        lines = [
            [
                f"{row['measure']} [{row['group']}]" if row["group"] else row["measure"],
                _number({**row, "estimate": row["difference"]}) if row["unit"] else "",
                row["finding"] or row["why"],
            ]
            for row in rows.to_dict("records")
        ]
        caption = f"{heads[str(case)]} less {heads[str(reference)]}"
        yield Table(caption, ["measure", "difference", "finding"], lines)
