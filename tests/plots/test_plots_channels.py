"""Figures of channels: what they say, and that they stay legible."""

import dataclasses
from functools import cache

import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer import relationships as rel
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401

LONG = "Dr. Ingeborg von und zu Hohenstaufen-Wittelsbach, head office, $x^_1"


@cache
def effect():
    return rel.responsibility_effect(accounts=60, months=12)


@pytest.fixture(scope="module")
def results(telecom_base):
    compared = rel.compare_channels(
        telecom_base, commissions={"agent": 0.05, "agent and manager": 0.05}, draws=100
    )
    return {
        "overlap_map": rel.channel_overlap(telecom_base),
        "channel_dots": compared,
        "workload_bars": rel.manager_workloads(telecom_base),
        "responsibility_dots": effect(),
    }


NAMES = ("overlap_map", "channel_dots", "workload_bars", "responsibility_dots")


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_says_something_and_stays_legible(name, results, monkeypatch):
    check_figure(getattr(plots, name)(results[name]))
    plots.style.plt.close("all")
    check_given_axes(lambda ax: getattr(plots, name)(results[name], ax), monkeypatch)


@pytest.mark.parametrize("measure", ["revenue", "margin", "cost_to_serve", "profit"])
def test_every_measure_of_a_channel_can_be_drawn(measure, results):
    check_figure(plots.channel_dots(results["channel_dots"], measure=measure))


@pytest.mark.parametrize("measure", ["survival", "last_year"])
def test_every_measure_of_a_rule_can_be_drawn(measure):
    check_figure(plots.responsibility_dots(effect(), measure=measure))


def test_hostile_names_stay_legible(results):
    overlap, work = results["overlap_map"], results["workload_bars"]
    few = overlap.matrix.iloc[:3, :4].set_axis([LONG, "<b>", "电话"], axis=0)
    few = few.set_axis([LONG, LONG + " 2", "\\frac$", "b"], axis=1) + 1
    check_figure(plots.overlap_map(dataclasses.replace(overlap, matrix=few)))
    names = [f"{LONG} {k}" for k in range(len(work.frame))]
    long = dataclasses.replace(work, frame=work.frame.assign(manager=names))
    check_figure(plots.workload_bars(long))
    compared = results["channel_dots"]
    frame = compared.frame.replace({"channel": {"agent": LONG}})
    check_figure(plots.channel_dots(dataclasses.replace(compared, frame=frame)))


def test_the_map_without_shared_accounts_says_so(results):
    overlap = dataclasses.replace(results["overlap_map"], matrix=pd.DataFrame())
    ax = plots.overlap_map(overlap)
    assert title(ax) == "No account has both an agent and a manager on file"


def test_pairs_that_are_not_drawn_are_counted(results):
    overlap = results["overlap_map"]
    ax = plots.overlap_map(overlap)
    drawn = len(ax.get_xticks()) * len(ax.get_yticks())
    assert f"{overlap.matrix.size - drawn:,} pairs" in plots.description(ax)
    assert title(ax) == overlap.sentence


def test_dots_are_the_figures(results):
    compared = results["channel_dots"]
    ax = plots.channel_dots(compared, measure="profit")
    points = np.concatenate([line.get_xdata() for line in ax.get_lines()])
    own = compared.frame[compared.frame["measure"] == "profit"]["estimate"]
    np.testing.assert_allclose(np.sort(points), np.sort(own))
    best = max(compared.channels, key=lambda name: compared.of(name, "profit").estimate)
    assert f"profit is highest with {best}" in title(ax)
    with pytest.raises(ValueError, match="measure='love': one of revenue"):
        plots.channel_dots(compared, measure="love")


def test_the_gain_of_a_rule_is_in_the_title_and_every_company_is_drawn():
    ax = plots.responsibility_dots(effect())
    table = effect().frame.query("measure == 'profit'")
    best = table.loc[table["mean"].idxmax(), "rule"]
    assert title(ax).startswith(f"Simulated, with one in charge: best is '{best}'")
    companies = [line for line in ax.get_lines() if line.get_marker() == "o"]
    assert sum(len(line.get_xdata()) for line in companies) == 7 * 20
    with pytest.raises(ValueError, match="measure='love': one of profit, survival, last_year"):
        plots.responsibility_dots(effect(), measure="love")


def test_the_overloaded_are_marked(results):
    work = results["workload_bars"]
    ax = plots.workload_bars(work)
    marked = sum(
        np.allclose(patch.get_facecolor()[:3], (0xD5 / 255, 0x5E / 255, 0)) for patch in ax.patches
    )
    assert marked == min(len(work.overloaded), len(ax.patches))
