"""Figures of the troubles: what they say, and that they stay legible."""

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest
from account_bases import telecom_base
from keycustomer import plots, strategy
from keycustomer.simulate import Policy
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401

LONG = "a remedy $x^_1$ with a name far longer than anybody would write on a slide or read aloud"

REMEDIED = ("remedy_arrows", "remedy_dots", "remedy_map")


@pytest.fixture(scope="module")
def diagnosis(tmp_path_factory):
    base = telecom_base(tmp_path_factory.mktemp("troubles") / "base.duckdb", 150)
    return strategy.diagnose_troubles(base, draws=50)


@pytest.fixture(scope="module")
def effects():
    chosen = {"c": strategy.REMEDIES["c"], "d": strategy.Remedy(LONG, Policy(discount=0.2))}
    chosen["all"] = strategy.REMEDIES["all"]
    return strategy.remedy_effects(20, 40, 24, remedies=chosen)


def test_troubles_against_their_thresholds(diagnosis, monkeypatch):
    ax = plots.trouble_dots(diagnosis)
    check_figure(ax)
    assert title(ax).startswith("Simulated: Of the five troubles")
    assert len(ax.get_yticks()) == 5
    further = plots.trouble_dots(diagnosis, further=True)
    check_figure(further)
    assert len(further.get_yticks()) == 8
    plots.style.plt.close("all")
    check_given_axes(lambda ax: plots.trouble_dots(diagnosis, ax), monkeypatch)


def test_a_trouble_lies_on_the_side_of_its_verdict(diagnosis):
    """A whole interval beyond the threshold is drawn on the right, one before it on the left."""
    from keycustomer.plots.troubles import _on_own_scale

    told = {"unit": "ratio", "threshold": 1.25, "key": "b"}
    apart = _on_own_scale(told | {"lower": 3.0, "estimate": 4.0, "upper": 5.0})
    alike = _on_own_scale(told | {"lower": 0.9, "estimate": 1.05, "upper": 1.2})
    turned = _on_own_scale(told | {"lower": 0.2, "estimate": 0.25, "upper": 0.3})
    assert max(apart) < 0 < min(alike)
    assert max(turned) < 0  # the last tier is contacted more: tiers differ as well
    odds = {"unit": "odds ratio", "threshold": 1.0, "key": "e"}
    assert min(_on_own_scale(odds | {"lower": 1.2, "estimate": 1.5, "upper": 2.0})) > 0
    share = {"unit": "share of customers", "threshold": 0.1, "key": "c"}
    assert max(_on_own_scale(share | {"lower": 0.0, "estimate": 0.02, "upper": 0.05})) < 0
    nothing = _on_own_scale(share | {"lower": np.nan, "estimate": 0.1, "upper": np.nan})
    assert nothing[1] == 0


def test_one_trouble_without_interval(diagnosis):
    frame = diagnosis.frame.iloc[[2]].assign(lower=np.nan, upper=np.nan, verdict="undecided")
    few = dataclasses.replace(diagnosis, frame=frame, simulated=False)
    ax = plots.trouble_dots(few)
    check_figure(ax)
    assert not title(ax).startswith("Simulated")
    none = dataclasses.replace(diagnosis, frame=diagnosis.frame.iloc[:0])
    with pytest.raises(ValueError, match="nothing to draw"):
        plots.trouble_dots(none)


def test_where_the_margin_went(diagnosis, monkeypatch):
    bridge = diagnosis.parts["d"]
    ax = plots.margin_bridge_bars(bridge)
    check_figure(ax)
    assert "own prices took" in title(ax)
    turned = dataclasses.replace(
        bridge, frame=bridge.frame.assign(estimate=-bridge.frame["estimate"]), simulated=False
    )
    check_figure(plots.margin_bridge_bars(turned))
    bare = bridge.frame[bridge.frame["step"] != "discounts"].assign(lower=np.nan, upper=np.nan)
    check_figure(plots.margin_bridge_bars(dataclasses.replace(bridge, frame=bare)))
    plots.style.plt.close("all")
    check_given_axes(lambda ax: plots.margin_bridge_bars(bridge, ax), monkeypatch)


@pytest.mark.parametrize("name", REMEDIED)
def test_remedies(name, effects, monkeypatch):
    draw = getattr(plots, name)
    ax = draw(effects)
    check_figure(ax)
    assert title(ax).startswith("Simulated")
    plots.style.plt.close("all")
    check_given_axes(lambda ax: draw(effects, ax), monkeypatch)


@pytest.mark.parametrize("measure", ["margin", "large_leaving_rate"])
def test_other_measures_of_remedies(measure, effects):
    check_figure(plots.remedy_dots(effects, measure=measure))


def test_harm_is_said(effects):
    assert "d" in title(plots.remedy_map(effects))
    assert "0 of" not in title(plots.remedy_arrows(effects))
    with pytest.raises(ValueError, match="measure='luck'"):
        plots.remedy_dots(effects, measure="luck")


def test_all_tools_alone_have_dots_and_a_map_and_no_arrows(effects):
    frame = effects.frame[effects.frame["remedy"] == "all"]
    alone = dataclasses.replace(effects, frame=frame)
    check_figure(plots.remedy_dots(alone))
    check_figure(plots.remedy_map(alone))
    with pytest.raises(ValueError, match="no remedy of a single trouble"):
        plots.remedy_arrows(alone)


def test_figures_of_unknown_numbers(effects):
    """A rate of nobody leaves a gap, not a crash."""
    frame = effects.frame.copy()
    own = frame["measure"] == "c"
    frame.loc[own, ["after", "change", "lower", "upper"]] = np.nan
    frame.loc[own, "verdict"] = "undecided"
    with warnings.catch_warnings():
        warnings.simplefilter("error", category=RuntimeWarning)
        check_figure(plots.remedy_map(dataclasses.replace(effects, frame=frame)))
        ax = plots.remedy_arrows(dataclasses.replace(effects, frame=frame))
    check_figure(ax)
    assert isinstance(effects.to_frame(), pd.DataFrame)
