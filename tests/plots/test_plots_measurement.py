"""Figures of measurement: what they say; that long names and few data leave them legible."""

from functools import cache

import known_surveys as surveys
import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.dimensions import (
    MeasurementModel,
    analyse_items,
    compare_indices,
    explore_factors,
    origin_dependence,
    parallel_analysis,
    score_accounts,
    score_dimensions,
    value_indices,
)
from legible import check_figure, check_given_axes, drawn, fresh_figures, title  # noqa: F401

LONG = "How much would you say that $prices$ <b>are</b> fair, all things considered?"
NAMES = (
    "answer_bars",
    "item_dots",
    "scree",
    "loadings_map",
    "value_cloud",
    "index_bars",
    "origin_bars",
    "account_dots",
)
CASES = ("small", "mobi")


@cache
def answers(case):
    if case == "mobi":
        return surveys.mobi()
    return (
        surveys.mobi()
        .head(24)[["PERQ1", "PERQ3", "CUSA1", "PERV1", "CUSL1"]]
        .rename(columns={"PERQ1": LONG})
    )


def constructs(case):
    if case == "small":
        return {LONG: [LONG, "PERQ3", "CUSA1"]}
    return {
        "image": [f"IMAG{n}" for n in range(1, 6)],
        "quality": [f"PERQ{n}" for n in range(1, 8)],
        "complaints": ["CUSCO"],
        "loyalty": [f"CUSL{n}" for n in range(1, 4)],
    }


@cache
def values(case):
    table = answers(case)
    benefits = [LONG, "PERQ3"] if case == "small" else ["PERQ1", "PERQ3", "PERQ4"]
    sacrifices = ["PERV1"] if case == "small" else ["PERV1", "PERV2"]
    return value_indices(11 - table, benefits, sacrifices, draws=20)


@cache
def scores(case):
    table = answers(case)
    solution = explore_factors(table, factors=1)
    owners = [
        f"{LONG} {n // 3}" if case == "small" else f"K{n // 3:03d}" for n in range(len(table))
    ]
    return score_accounts(score_dimensions(solution, table), pd.Series(owners, table.index))


@cache
def result_of(case, name):
    table = answers(case)
    match name:
        case "answer_bars" | "item_dots":
            return analyse_items(table, constructs(case), low=1, high=10)
        case "scree":
            return parallel_analysis(table, draws=40)
        case "loadings_map":
            return explore_factors(table, factors=1 if case == "small" else 3)
        case "value_cloud":
            return values(case)
        case "index_bars":
            return compare_indices(values(case), table, ["CUSL1"], folds=3, repeats=2, draws=40)
        case "origin_bars":
            loyalty = {} if case == "small" else {"answers": table, "loyalty": ["CUSL1"]}
            return origin_dependence(values(case), 1, **loyalty)
    return scores(case)


def figure_of(case, name, ax=None):
    result = result_of(case, name)
    if name == "account_dots":
        return plots.account_dots(result, result.frame["account"].iloc[0], ax)
    return getattr(plots, name)(result, ax)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_a_finding_a_description_and_labels_within_it(case, name):
    check_figure(figure_of(case, name))


@pytest.mark.parametrize("name", NAMES)
def test_figures_draw_into_the_axes_they_are_given_and_show_nothing(name, monkeypatch):
    check_given_axes(lambda ax: figure_of("small", name, ax), monkeypatch)


def test_bars_of_an_item_fill_its_row_and_the_ceiling_is_told():
    result = result_of("mobi", "answer_bars")
    ax = figure_of("mobi", "answer_bars")
    widths = sum(patch.get_width() for patch in ax.patches)
    assert widths == pytest.approx(len(result.items))
    high = (result.items["share_ceiling"] >= 0.15).sum()
    assert title(ax).startswith(f"{high} of {len(result.items)} items have at least 15 %")
    few = surveys.mobi()[["IMAG1", "IMAG2", "IMAG3"]].clip(upper=6)
    none = analyse_items(few, list(few), low=1, high=10)
    assert title(plots.answer_bars(none)) == "No item has 15 % of its answers at the highest point"


def test_a_reversed_item_is_the_finding():
    table = answers("mobi").assign(PERQ3=lambda t: 11 - t["PERQ3"])
    ax = plots.item_dots(analyse_items(table, constructs("mobi"), low=1, high=10))
    assert title(ax) == "PERQ3 runs against the other items: asked the other way round?"
    ax = figure_of("mobi", "item_dots")
    assert "CUSL2 hardly belongs to its construct" in title(ax)
    single = analyse_items(table, {"complaints": ["CUSCO"]})
    assert "nothing to compare" in title(drawn(plots.item_dots(single)))


def test_the_scree_tells_chance_from_the_rule():
    result = result_of("mobi", "scree")
    ax = figure_of("mobi", "scree")
    assert title(ax) == "2 dimensions stand out from chance; the rule 'above 1' would keep 5"
    kept, rest = (part.get_offsets() for part in ax.collections[:2])
    assert (len(kept), len(rest)) == (result.factors, 24 - result.factors)
    noise = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 6)), columns=list("abcdef"))
    nothing = plots.scree(parallel_analysis(noise, draws=60))
    assert title(nothing).startswith("No dimension stands out from chance")


def test_loadings_are_written_and_a_heywood_case_forbids_reading():
    result = result_of("mobi", "loadings_map")
    ax = figure_of("mobi", "loadings_map")
    written = sorted(float(t.get_text().replace("\N{MINUS SIGN}", "-")) for t in ax.texts)
    np.testing.assert_allclose(written, np.sort(result.loadings.to_numpy().ravel()), atol=0.00501)
    table = surveys.holzinger()
    noise = np.random.default_rng(0).normal(0, 0.02, len(table))
    heywood = explore_factors(table.assign(copy=table["x1"] + noise), factors=4)
    assert title(plots.loadings_map(heywood)).startswith("Do not read")


def test_the_cloud_draws_everybody_once():
    result = result_of("mobi", "value_cloud")
    ax = figure_of("mobi", "value_cloud")
    assert sum(len(part.get_offsets()) for part in ax.collections) == result.respondents


def test_bars_of_the_comparison_are_its_estimates():
    result = result_of("mobi", "index_bars")
    widths = [patch.get_width() for patch in figure_of("mobi", "index_bars").patches]
    np.testing.assert_allclose(widths, [e.estimate for e in result.accuracy.values()])
    heights = [patch.get_height() for patch in figure_of("mobi", "origin_bars").patches]
    np.testing.assert_allclose(heights, result_of("mobi", "origin_bars").frame["share_moved"])


def test_an_account_that_stands_out_is_told_with_its_rank():
    items = ["a", "b", "c"]
    model = MeasurementModel(
        pd.DataFrame({"social": [0.9, 0.9, 0.9]}, items),
        pd.DataFrame([[1.0]], ["social"], ["social"]),
        pd.Series(0.19, items),
        pd.Series(0.0, items),
        pd.Series(1.0, items),
    )
    table = pd.DataFrame(np.outer(np.linspace(-2, 2, 21), [1, 1, 1]), columns=items)
    result = score_accounts(score_dimensions(model, table), pd.Series(table.index.map(str)))
    assert title(plots.account_dots(result, "20")) == (
        "Account 20 perceives more social value than average, more than 100 % of the accounts"
    )
    assert "less than 95 % of the accounts" in title(plots.account_dots(result, "1"))
    assert "cannot be told from the average" in title(plots.account_dots(result, "10"))
