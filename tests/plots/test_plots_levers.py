"""Figures of levers say what was found and stay legible with long names and many levers."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.strategy import (
    JudgedMixes,
    LeverCurves,
    fit_lever_curves,
    judge_mixes,
    lever_trial,
    mixes_by_budget,
    proportional_cut,
)
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401
from matplotlib.axes import Axes

SPENT = np.array([0.0, 10, 30, 80, 200])


def made_curves(count: int = 3, growing: bool = False) -> LeverCurves:
    """Fit curves of levers with long names, of which the first pays most."""
    rng = np.random.default_rng(4)
    rows = [
        pd.DataFrame(
            {
                "company": company,
                "lever": f"service of the {place + 1}. hotline for $key$ customers",
                "dial": SPENT,
                "spending": SPENT,
                "gain": (60 / (place + 1) ** 2) * (SPENT / 10) ** (1.5 if growing else 0.6)
                + rng.standard_normal(len(SPENT)),
            }
        )
        for place in range(count)
        for company in range(5)
    ]
    frame = pd.concat(rows, ignore_index=True)
    return fit_lever_curves(frame, today=dict.fromkeys(frame["lever"].unique(), 60.0), draws=40)


@pytest.fixture(scope="module")
def judged() -> JudgedMixes:
    """Judge mixes in three tiny companies."""
    trial = lever_trial(3, 40, 6, ahead=6)
    return judge_mixes(trial, companies=3, accounts=40, shares=(0.5, 0.8))


@pytest.mark.parametrize("count", [1, 9])
def test_figures_of_curves_are_legible(count: int) -> None:
    """One lever, and more than colours can tell apart."""
    curves = made_curves(count)
    for draw in (plots.lever_curves, plots.lever_returns):
        ax = draw(curves)
        check_figure(ax)
        assert "Simulated" not in title(ax)
    check_figure(plots.budget_mixes(mixes_by_budget(curves)))
    check_figure(plots.budget_mixes(mixes_by_budget(curves, spend_all=True)))
    check_figure(plots.cut_bars(proportional_cut(curves, 0.2), unit="EUR a year"))


def test_titles_tell_the_findings() -> None:
    """What pays, where the last unit does not come back, and what an equal cut costs."""
    curves = made_curves(2)
    assert title(plots.lever_curves(curves)).startswith("On every lever the first money comes back")
    assert "does not come back" in title(plots.lever_returns(curves))
    mixes = mixes_by_budget(curves)
    assert title(plots.budget_mixes(mixes)).endswith("no unit comes back")
    cut = proportional_cut(curves, 0.2)
    assert title(plots.cut_bars(cut)).startswith("With 80 % of today's money the best mix gains")
    growing = made_curves(2, growing=True)
    assert "certain" in title(plots.lever_curves(growing))
    assert "next unit today" not in plots.description(plots.lever_returns(growing))
    told = plots.description(plots.cut_bars(cut))
    assert told.count(" or ") == 1 + len(curves.levers)


def test_figures_without_intervals_and_today() -> None:
    """A table of one company without today's spending draws curves alone."""
    frame = pd.DataFrame({"lever": "price", "spending": SPENT, "gain": 0.8 * SPENT})
    curves = fit_lever_curves(frame, draws=0)
    ax = plots.lever_curves(curves)
    check_figure(ax)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "today" not in labels and "price" in labels
    check_figure(plots.lever_returns(curves))
    check_figure(plots.budget_mixes(mixes_by_budget(curves)))
    check_figure(plots.lever_curves(made_curves(2, growing=True)))


def test_judged_mixes_are_told_as_simulated(judged: JudgedMixes) -> None:
    """Plans of both kinds stand in the figure, which says that all is made up."""
    ax = plots.judged_mixes(judged, unit="EUR")
    check_figure(ax)
    assert title(ax).startswith("Simulated: ") and "simulated" in ax.get_xlabel()
    written = {text.get_text() for text in ax.texts}
    assert {"pays back", "one lever", "today's habits"} <= written
    check_figure(plots.lever_curves(judged.curves))


def test_figures_are_drawn_into_the_axes_given(
    judged: JudgedMixes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No figure more, and none is shown."""
    curves = made_curves(2)

    def cut(ax: Axes) -> Axes:
        return plots.cut_bars(proportional_cut(curves, 0.2), ax)

    for draw in (
        lambda ax: plots.lever_curves(curves, ax),
        lambda ax: plots.lever_returns(curves, ax),
        lambda ax: plots.budget_mixes(mixes_by_budget(curves), ax),
        cut,
        lambda ax: plots.judged_mixes(judged, ax),
    ):
        check_given_axes(draw, monkeypatch)
        plt.close("all")
