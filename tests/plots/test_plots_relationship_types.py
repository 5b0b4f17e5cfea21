"""Figures of levels, types, relationship quality and service levels: what they say, legibly."""

import dataclasses
from functools import cache

import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer import relationships as rel
from keycustomer.relationships.rules import stability
from legible import check_figure, check_given_axes, drawn, fresh_figures, title  # noqa: F401

LONG = "customers of the northern district, served from the head office, $x^_1"


def customers(n=300, seed=1):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer_id": [f"c{k:04d}" for k in range(n)],
            "margin": np.exp(rng.normal(5, 1.2, n)),
            "volume": np.exp(rng.normal(7, 1.2, n)),
            "loyalty": rng.beta(4, 2, n),
            LONG: np.exp(rng.normal(5, 1.2, n)),
        }
    )


@cache
def kotler(case):
    margin = "margin" if case != "hostile" else LONG
    table = customers(300 if case != "tiny" else 1)
    return rel.kotler_levels(table, margin=margin)


@cache
def types(case):
    found = rel.relationship_types(customers(300 if case != "tiny" else 2))
    return dataclasses.replace(found, currency="$a$") if case == "hostile" else found


@cache
def stable(case):
    """A stability report, made of counts: what the purchases would have given."""
    own = types(case)
    size = len(own.frame)
    place = np.arange(size) % 3
    moved = np.where(np.arange(size) % 5 == 0, 3, (place + (np.arange(size) % 7 == 0)) % 3)
    generator = np.random.default_rng(0)
    rows, each, moves = [], [], {}
    for split in stability.SPLITS:
        moves[split] = stability._cross(place, moved if size > 2 else place)
        counts = moves[split].to_numpy()
        rows += stability._agreement(split, counts[:-1, :-1], 100, generator, 0.95, None)
        each.append(stability._each(split, counts))
    frame = pd.DataFrame(rows)
    return rel.TypeStability(
        frame, pd.concat(each), moves, stability._sensitivity(own), {}, ("a note",)
    )


def figure_of(case, name, ax=None):
    result = {"kotler_map": kotler, "type_map": types}.get(name, stable)
    return getattr(plots, name)(result(case), ax)


NAMES = ("kotler_map", "type_map", "type_stability_bars", "threshold_bars")


@pytest.mark.parametrize("case", ["plain", "hostile", "tiny"])
@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_a_finding_a_description_and_stays_within_its_edges(case, name):
    check_figure(figure_of(case, name))


@pytest.mark.parametrize("name", NAMES)
def test_figures_draw_into_the_axes_they_are_given_and_show_nothing(name, monkeypatch):
    check_given_axes(lambda ax: figure_of("plain", name, ax), monkeypatch)


def test_kotlers_table_names_every_cell_even_an_empty_one():
    ax = figure_of("plain", "kotler_map")
    words = [text.get_text() for text in ax.texts]
    levels = [word for word in words if word in rel.LEVELS]
    assert sorted(levels) == sorted(rel.KOTLER_TABLE.values())
    counts = kotler("plain").counts.to_numpy()
    assert words.count("nobody") == (counts == 0).sum()
    assert title(ax).startswith("Kotler's table: 5.0 % of the customers get partnership")


def test_the_map_draws_everybody_and_the_thresholds():
    ax = figure_of("plain", "type_map")
    lines = ax.get_lines()
    assert sum(len(line.get_xdata()) for line in lines if line.get_ls() == "None") == 300
    cut = types("plain").volume_cut
    assert any(np.allclose(line.get_ydata(), cut) for line in lines if line.get_ls() == "--")
    assert title(ax) == types("plain").sentence


def test_customers_without_revenue_are_told():
    table = customers(50)
    table.loc[0, "volume"] = 0.0
    ax = plots.type_map(rel.relationship_types(table))
    assert "1 customer without revenue not drawn" in plots.description(ax)


def test_bars_of_stability_are_the_shares():
    ax = figure_of("plain", "type_stability_bars")
    heights = [patch.get_height() for patch in ax.patches]
    each = stable("plain").each
    expected = [each[each["split"] == split]["share"] for split in stability.SPLITS]
    np.testing.assert_allclose(heights, np.concatenate(expected))
    assert "kappa in turn" in plots.description(ax)


def test_threshold_bars_add_up_to_all_customers():
    ax = figure_of("plain", "threshold_bars")
    widths = np.array([patch.get_width() for patch in ax.patches]).reshape(3, -1)
    np.testing.assert_allclose(widths.sum(axis=0), 1)
    worst = stable("plain").sensitivity["changed"].max()
    assert title(ax).startswith(plots.percent(worst, 0))


@pytest.fixture(scope="module")
def told(telecom_base):
    return rel.quality_prediction(telecom_base, low=1, high=7, draws=100)


@pytest.fixture(scope="module")
def kept(telecom_base):
    return rel.check_service_rules(telecom_base, draws=100)


def of_base(name, told, kept):
    return {
        "quality_part_dots": told.quality,
        "quality_prediction_dots": told,
        "promise_dots": kept,
    }[name]


OF_BASE = ("quality_part_dots", "quality_prediction_dots", "promise_dots")


@pytest.mark.parametrize("name", OF_BASE)
def test_figures_of_a_base_say_something_and_stay_legible(name, told, kept, monkeypatch):
    result = of_base(name, told, kept)
    check_figure(getattr(plots, name)(result))
    plots.style.plt.close("all")
    check_given_axes(lambda ax: getattr(plots, name)(result, ax), monkeypatch)


def test_long_names_of_tiers_stay_legible(kept):
    frame = kept.frame.replace({"tier": {"basic": LONG, "partnership": "<b>电话</b> \\frac$"}})
    check_figure(plots.promise_dots(dataclasses.replace(kept, frame=frame)))


def test_dots_are_the_areas_and_the_title_follows_the_interval(told):
    ax = plots.quality_prediction_dots(told)
    points = [line.get_xdata()[0] for line in ax.get_lines() if line.get_marker() == "o"]
    own = told.frame[told.frame["outcome"] == "left"]
    assert sorted(points) == pytest.approx(sorted(own["auc"]))
    assert ("tells" in title(ax)) == (told.of().lower > 0.5)
    doubtful = told.frame.assign(lower=0.3, upper=0.9)
    ax = plots.quality_prediction_dots(dataclasses.replace(told, frame=doubtful))
    assert title(ax).startswith("Relationship quality is not shown to tell who leaves")
    with pytest.raises(ValueError, match="outcome='gone': one of left"):
        plots.quality_prediction_dots(told, outcome="gone")


def test_a_reliability_that_cannot_be_told_is_written(told):
    parts = told.quality.parts.assign(reliability=np.nan, lower=np.nan, upper=np.nan)
    whole = dataclasses.replace(told.quality.reliability, estimate=np.nan, lower=np.nan)
    ax = plots.quality_part_dots(dataclasses.replace(told.quality, parts=parts, reliability=whole))
    assert [text.get_text() for text in drawn(ax).texts] == ["not known"] * 5
    assert title(ax).startswith("How reliable relationship quality is cannot be told")
