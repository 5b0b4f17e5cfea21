"""Figures of choice studies say what they found, stay legible with any names, and show nothing."""

from dataclasses import replace

import choice_sets
import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.pricing import (
    GreenPremium,
    LayerWorth,
    LogitModel,
    OfferPriceResponse,
    OfferShares,
    choice_design,
    economic_value,
    fit_logit,
    green_premium,
    layer_worth,
    offer_shares,
    price_response,
    read_choices,
    study_power,
    willingness_to_pay,
)
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401

LONG = "a very long $name$ of what is offered here, "
OFFERS = {
    "plain": {"price": 80.0, "service": "hotline", "energy": "standard"},
    "plus": {"price": 110.0, "service": "person", "energy": "green"},
}
LAYERS = {"core": ["energy"], "augmented": ["service"]}


@pytest.fixture(scope="module")
def model() -> LogitModel:
    group = pd.Series({f"R{n}": f"segment number {n % 2}" for n in range(80)}, name="segment")
    levels = {"service": ["hotline", "person"], "energy": ["standard", "green"]}
    rows = choice_sets.known_rows(80, 6, seed=1)
    data = read_choices(rows, levels=levels, traits=group, currency="EUR", simulated=True)
    return fit_logit(data, by="segment")


@pytest.fixture(scope="module")
def shares(model) -> OfferShares:
    return offer_shares(model, OFFERS)


@pytest.fixture(scope="module")
def response(model) -> OfferPriceResponse:
    return price_response(model, OFFERS, "plus", unit_cost=40.0)


@pytest.fixture(scope="module")
def premium(model) -> GreenPremium:
    score = pd.Series({f"R{n}": n % 5 for n in range(80)}, name="green_attitude")
    return green_premium(model.data, "energy", attitude=score, truth=4.0 + 0.0 * score)


@pytest.fixture(scope="module")
def layers(model) -> LayerWorth:
    return layer_worth(model, LAYERS)


def test_shares_of_offers(shares):
    ax = plots.offer_share_dots(shares)
    check_figure(ax)
    assert title(ax).startswith("Simulated: ") and "would take plain" in title(ax)
    assert "none of these" in plots.description(ax)


def test_shares_by_group_and_groups_that_cannot_be_drawn(shares):
    ax = plots.offer_share_dots(shares, groups=shares.groups)
    check_figure(ax)
    assert len(ax.get_legend().get_texts()) == 3
    with pytest.raises(ValueError, match="give one to 4"):
        plots.offer_share_dots(shares, groups=[])


def test_many_offers_of_long_names(model):
    many = {f"{LONG}{n}": {**OFFERS["plus"], "price": 60.0 + 5 * n} for n in range(14)}
    check_figure(plots.offer_share_dots(offer_shares(model, many)))
    check_figure(plots.offer_price_lines(price_response(model, many, f"{LONG}3")))


def test_profit_by_price(response):
    ax = plots.offer_price_lines(response)
    check_figure(ax)
    assert "more than now" in title(ax) and "profit" in ax.get_ylabel()
    labels = ax.get_legend_handles_labels()[1]
    assert "now: 110.00" in labels and any(one.startswith("best: ") for one in labels)


def test_best_price_out_of_sight(model):
    ax = plots.offer_price_lines(price_response(model, OFFERS, "plus", prices=[20.0, 30.0, 40.0]))
    check_figure(ax)
    assert "revenue" in ax.get_ylabel()
    assert not any(one.startswith("best: ") for one in ax.get_legend_handles_labels()[1])
    nothing = price_response(model, OFFERS, "plus", unit_cost=110.0)
    check_figure(plots.offer_price_lines(nothing))


def test_green_premium_beside_the_truth(premium):
    ax = plots.green_premium_dots(premium)
    check_figure(ax)
    assert title(ax).startswith("Simulated: green (energy) is worth")
    assert "truth (simulated)" in ax.get_legend_handles_labels()[1]


def test_green_premium_of_long_names_unknown_groups_and_without_truth(premium):
    rows = premium.frame.iloc[[0, 1, 1, 1]].assign(truth=np.nan)
    rows["group"] = ["all", *(f"{LONG}{n}" for n in range(3))]
    rows.loc[rows.index[-1:], ["premium", "lower", "upper"]] = np.nan
    odd = replace(premium, frame=rows.reset_index(drop=True), slope=None, currency="CNY $")
    odd = replace(odd, what=f"{LONG}green", frame=odd.frame.iloc[:3])
    ax = plots.green_premium_dots(odd)
    check_figure(ax)
    assert ax.get_legend() is None


def test_a_group_without_a_premium_is_left_empty(premium):
    rows = premium.frame.copy()
    rows.loc[2, ["premium", "lower", "upper"]] = np.nan
    ax = plots.green_premium_dots(replace(premium, frame=rows))
    check_figure(ax)
    assert "not told" in plots.description(ax)


def test_layers(layers):
    ax = plots.layer_worth_bars(layers)
    check_figure(ax)
    assert "the augmented layer is worth most" in title(ax)
    own = plots.layer_worth_bars(layers, group="segment number 1")
    assert "segment number 1" in title(own)
    with pytest.raises(ValueError, match="no group 'nobody'"):
        plots.layer_worth_bars(layers, group="nobody")


def test_layers_that_take_worth_away_and_long_names(model):
    both = {"energy": ("green", "standard"), "service": ("person", "hotline")}
    ax = plots.layer_worth_bars(layer_worth(model, LAYERS, ends=both))
    check_figure(ax)
    assert "no layer adds worth" in title(ax)
    turned = layer_worth(model, LAYERS, ends={"energy": ("green", "standard")})
    ax = plots.layer_worth_bars(turned)
    check_figure(ax)
    # 12 of 12 less 4: no 150 % of all
    assert "%" not in title(ax) and not [one for one in ax.texts if "%" in one.get_text()]
    assert "share of all" not in ax.get_xlabel()
    named = {f"{LONG}core": ["energy"], f"{LONG}augmented": ["service"]}
    check_figure(plots.layer_worth_bars(layer_worth(model, named, judged=f"{LONG}core")))


@pytest.mark.parametrize("items", [1, 12])
def test_economic_value(items):
    ranges = {f"{LONG}{n}": (-5.0 + n, 8.0 + n) for n in range(items)}
    ax = plots.value_stair(economic_value((50, 70), ranges, unit_cost=30, price=55, currency="$"))
    check_figure(ax)
    assert "of the value" in title(ax)


def test_economic_value_below_the_next_best():
    ax = plots.value_stair(economic_value(60, {"risk": -10.0}))
    check_figure(ax)
    assert "10 less than the next best costs" in title(ax) and ax.get_legend() is None
    dear = plots.value_stair(economic_value(60, {"risk": -10.0}, unit_cost=20, price=70))
    assert "above its value" in title(dear)


def test_power_of_a_study():
    levels = {f"{LONG}{n}": ["no", "yes"] for n in range(7)}
    design = choice_design({"price": [10, 20, 30], **levels}, tasks=12, swaps=100)
    worths = {name: {"yes": 1.0 + n} for n, name in enumerate(levels)}
    ax = plots.study_power_lines(study_power(design, worths, sensitivity=0.2))
    check_figure(ax)
    assert "2 more" in ax.get_legend_handles_labels()[1]
    few = plots.study_power_lines(study_power(design, worths, sensitivity=0.05, respondents=[9]))
    check_figure(few)
    assert "too few" in title(few)


def test_drawn_into_given_axes(shares, response, premium, layers, monkeypatch):
    check_given_axes(lambda ax: plots.offer_share_dots(shares, ax), monkeypatch)


@pytest.mark.parametrize("name", ["response", "premium", "layers", "value", "power"])
def test_the_others_drawn_into_given_axes(name, response, premium, layers, monkeypatch):
    design = choice_design(
        {"price": [1, 2], "a": ["x", "y"]}, tasks=4, alternatives=2, directions={}
    )
    draw = {
        "response": lambda ax: plots.offer_price_lines(response, ax),
        "premium": lambda ax: plots.green_premium_dots(premium, ax),
        "layers": lambda ax: plots.layer_worth_bars(layers, ax),
        "value": lambda ax: plots.value_stair(economic_value(60, {"a": 5.0}), ax),
        "power": lambda ax: plots.study_power_lines(
            study_power(design, {"a": {"y": 1.0}}, sensitivity=1.0), ax
        ),
    }
    check_given_axes(draw[name], monkeypatch)


@pytest.mark.parametrize(("unit", "said"), [(1e-6, "e"), (1e9, " bn")])
def test_titles_tell_prices_of_every_unit_of_money(model, unit, said):
    frame = model.data.frame.drop(columns="is_none")
    rows = frame.assign(price=frame["price"] * unit)
    other = fit_logit(read_choices(rows, levels=model.data.levels))
    offer = {"price": 60 * unit, "service": "person", "energy": "green"}
    found = price_response(other, {"one": offer}, "one", draws=100)
    ax = plots.offer_price_lines(found)
    check_figure(ax)
    assert said in title(ax) and " 0.00" not in title(ax)
    assert "0.00 [0.00" not in willingness_to_pay(other).sentence
