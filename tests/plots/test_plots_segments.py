"""Figures of segments: what they say, and that it stays legible."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from keycustomer import dimensions, plots
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401

LONG = "number of sites in the regional directory of the chamber of commerce, $x^_1"


@cache
def results(case):
    """Numbers, segments and contributions of round segments with plain or hostile names."""
    rng = np.random.default_rng(2)
    group = rng.integers(0, 3, 150)
    centres = np.array([[0, 0], [6, 0], [0, 6]])[group]
    names = ["x", "y", "z", "where"] if case == "plain" else [LONG, "<b>", "电话", "\\frac$"]
    frame = pd.DataFrame(np.c_[centres + rng.normal(size=(150, 2)), rng.random(150)])
    frame[3] = np.array(["north", "south", "a very long name of a region, by far too long"])[group]
    frame.columns = names
    kinds = {"psychographic": names[:3], "geographic": names[3:]}
    variables = dimensions.read_variables(frame, kinds)
    numbers = dimensions.segment_numbers(variables, (2, 3), pairs=3, method="mixture")
    value = pd.Series(np.exp(rng.normal(size=150)), name="$spend$")
    made = dimensions.segment_customers(variables, 3, value=value)
    return numbers, made, dimensions.kind_contributions(made)


def figure_of(case, name, ax=None):
    numbers, made, kinds = results(case)
    match name:
        case "stability_curve":
            return plots.stability_curve(numbers, ax)
        case "segment_stability_bars":
            return plots.segment_stability_bars(numbers, ax=ax)
        case "kind_bars":
            return plots.kind_bars(kinds, ax)
    return getattr(plots, name)(made, ax)


NAMES = (
    "stability_curve",
    "segment_stability_bars",
    "profile_map",
    "segment_value_bars",
    "kind_bars",
)


@pytest.mark.parametrize("case", ["plain", "hostile"])
@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_a_finding_a_description_and_stays_within_its_edges(case, name):
    check_figure(figure_of(case, name))


@pytest.mark.parametrize("name", NAMES)
def test_figures_draw_into_the_axes_they_are_given_and_show_nothing(name, monkeypatch):
    check_given_axes(lambda ax: figure_of("plain", name, ax), monkeypatch)


def test_the_curve_draws_what_was_measured_and_what_fit_would_say():
    numbers, _, _ = results("plain")
    ax = figure_of("plain", "stability_curve")
    assert title(ax).startswith("3 segments come again in another sample")
    assert f"3: {numbers.of(3)['rand']:.2f} (natural" in plots.description(ax)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert {"data without segments", "best BIC", "natural"} <= set(labels)


def test_bars_of_single_segments_are_their_similarities():
    numbers, _, _ = results("plain")
    ax = figure_of("plain", "segment_stability_bars")
    widths = [patch.get_width() for patch in ax.patches]
    np.testing.assert_allclose(widths, numbers.each.query("segments == 3")["jaccard"])
    assert title(ax) == "3 of 3 segments are stable one by one"
    with pytest.raises(KeyError, match="9 segments were not tried; there are 2, 3"):
        plots.segment_stability_bars(numbers, 9)


def test_value_bars_name_the_segment_that_brings_most_for_its_size():
    _, made, _ = results("plain")
    ax = figure_of("plain", "segment_value_bars")
    table = made.segments
    best = table.iloc[(table["value_share"] / table["share"]).argmax()]
    share = plots.percent(best["value_share"], 0)
    assert title(ax).startswith(f"Segment {best['segment']}, ")
    assert title(ax).endswith(f"brings {share} of \\$spend\\$")
    widths = sorted(patch.get_width() for patch in ax.patches)
    np.testing.assert_allclose(widths, np.sort(table[["share", "value_share"]].to_numpy().ravel()))


def test_a_map_of_many_traits_says_how_many_it_leaves_out():
    _, made, _ = results("plain")
    ax = plots.profile_map(made, most=2)
    assert len(ax.get_yticks()) == 2
    assert "4 traits that differ less are not drawn" in plots.description(ax)
