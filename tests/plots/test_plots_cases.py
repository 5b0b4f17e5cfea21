"""Figures of cases: what lies highest, on one axis only where the units agree."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from keycustomer import plots
from legible import check_figure, check_given_axes, fresh_figures, title

__all__ = ["fresh_figures"]

KEYS = ["chapter", "measure", "group"]


def compared(rows: list[tuple[Any, ...]], findings: list[str] | None = None) -> Any:
    """What the figure reads of a comparison: (measure, group, case, unit, estimate, half)."""
    frame = pd.DataFrame(
        [
            {
                "chapter": "1_a", "measure": measure, "group": group, "case": case,
                "simulated": case.startswith("made up"), "unit": unit, "estimate": estimate,
                "lower": estimate - half, "upper": estimate + half,
            }
            for measure, group, case, unit, estimate, half in rows
        ]
    )  # fmt: skip
    differences = pd.DataFrame(
        {
            "measure": rows[0][0],
            "group": frame["group"].iloc[0],
            "finding": findings or [],
        },
        columns=["measure", "group", "finding"],
    )
    cases = pd.DataFrame({"case": list(dict.fromkeys(frame["case"]))})
    return SimpleNamespace(frame=frame, cases=cases, differences=differences)


SHARES = [
    ("pareto_share", "top_20", "grocer", "share of revenue", 0.53, 0.02),
    ("pareto_share", "top_20", "made up & $on", "share of revenue", 0.64, 0.04),
]


def test_one_group_names_the_highest_and_the_lowest() -> None:
    ax = plots.case_dots(compared(SHARES), "pareto_share")
    check_figure(ax)
    assert title(ax).startswith("pareto share, top_20: highest in made up")
    assert "(64.0 %), lowest in grocer (53.0 %)" in title(ax)
    assert "Simulated: made up & $on" in plots.description(ax)
    assert [label.get_text() for label in ax.get_yticklabels()][1].endswith("(simulated)")


def test_several_groups_count_differences() -> None:
    rows = [*SHARES, *[(m, "top_10", c, u, e - 0.2, h) for m, _, c, u, e, h in SHARES]]
    ax = plots.case_dots(compared(rows, ["higher", "not told apart"]), "pareto_share")
    check_figure(ax)
    assert title(ax) == "pareto share: 1 of 2 differences between cases lie away from zero"


def test_many_groups_cases_and_long_names_stay_legible() -> None:
    cases = [f"a case with a rather long name, number {n}" for n in range(8)]
    rows = [
        ("path", f"group {g} of an attribute with a long name", case, "path", g / 10 + n, 0.3)
        for g in range(12)
        for n, case in enumerate(cases)
    ]
    ax = plots.case_dots(compared(rows), "path")
    check_figure(ax)
    told = [text.get_text() for text in ax.get_legend().get_texts()]
    looks = {
        (line.get_marker(), line.get_color())
        for line in ax.get_lines()
        if len(line.get_xdata()) == 4
    }
    assert len(set(told)) == len(looks) == 8
    assert len(ax.get_yticklabels()) == 4
    assert "8 more groups are in the table" in plots.description(ax)


def test_estimates_without_intervals_and_a_single_case() -> None:
    nan = float("nan")
    ax = plots.case_dots(compared([("gini", "", "only", "index", 0.4, nan)]), "gini")
    check_figure(ax)
    assert title(ax) == "gini: 0.4 in only, the only case that knows it"


def test_different_units_are_not_drawn_together(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("revenue", "", "a", "EUR", 1.0, 0.1), ("revenue", "", "b", "USD", 1.0, 0.1)]
    with pytest.raises(ValueError, match=r"units differ between cases \(eur, usd\)"):
        plots.case_dots(compared(rows), "revenue")
    with pytest.raises(ValueError, match="no case knows its value"):
        plots.case_dots(compared(rows), "gini")
    check_given_axes(lambda ax: plots.case_dots(compared(SHARES), "pareto_share", ax), monkeypatch)
    assert not list(Path().glob("*.png"))


def test_a_ranking_that_intervals_leave_open_says_so() -> None:
    """The highest estimate is not called the highest without a word on its interval."""
    close = [(*row[:4], 0.6 + 0.01 * place, 0.05) for place, row in enumerate(SHARES)]
    ax = plots.case_dots(compared(close), "pareto_share")
    check_figure(ax)
    assert title(ax).endswith("intervals overlap")
    assert "overlap" not in title(plots.case_dots(compared(SHARES), "pareto_share"))
