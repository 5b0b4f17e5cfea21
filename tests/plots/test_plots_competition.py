"""Figures of price competition: what they say, and that it stays legible."""

from functools import cache

import numpy as np
import pytest
from keycustomer import plots
from keycustomer.pricing import (
    compare_wars,
    critical_discount_factor,
    entry_effect,
    judge_wars,
    linear_duopoly,
    logit_market,
    merger_effect,
    price_war,
    war_with_service,
)
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401

LONG = "the best product of a regional operator for firms of every size, $x^_1"


@cache
def results(case):
    if case == "hostile":
        names = [f"{LONG} {n}" for n in range(8)] + ["<b>", "电话"]
        firms = [f"{LONG} of firm {n % 3}" for n in range(10)]
        market = logit_market(np.linspace(1, 3, 10), -1, np.ones(10), products=names, firms=firms)
        pair = logit_market([9.0, -3.0], -5e-4, [1e3, 9e4], products=[LONG, LONG + "2"], size=1e6)
        wars = {f"{LONG} {n}": pair.with_nesting(n / 8) for n in range(5)}
        new = market.with_product(LONG, 2.0, 0.1, LONG)
        war = price_war(market, periods=40)
    else:
        market = logit_market(
            [2, 2, 1.5, 1], -1, [1, 1, 1.2, 0.8], firms=["A", "A", "B", "C"], size=1000
        )
        pair = linear_duopoly(100, 2, 1, 10)
        two = logit_market([2, 2], -1, [1, 1], firms=["we", "rival"])
        wars = {"alike": two.with_nesting(0.8), "different": two}
        new = market.with_product("D", 1.5, 0.4, "D")
        war = price_war(pair)
    merging = market.names[:2]
    return {
        "war_path": war,
        "reply_curves": price_war(pair, periods=12),
        "peace_bars": critical_discount_factor(market),
        "price_moves": merger_effect(market, merging),
        "entry": entry_effect(market, new),
        "compared_war_bars": compare_wars(wars),
    }


@cache
def companies(case):
    if case == "hostile":
        return {
            "war_reply_dots": war_with_service(40, 20, replies=["follow"]),
            "lowered_sensitivity_dots": judge_wars(2, 30, 20),
        }
    return {"war_reply_dots": war_with_service(80), "lowered_sensitivity_dots": judge_wars(5, 60)}


NAMES = (
    "war_path",
    "reply_curves",
    "peace_bars",
    "price_moves",
    "entry",
    "compared_war_bars",
    "war_reply_dots",
    "lowered_sensitivity_dots",
)


def figure_of(case, name, ax=None):
    made = companies(case) if name.endswith("dots") else results(case)
    return getattr(plots, "price_moves" if name == "entry" else name)(made[name], ax)


@pytest.mark.parametrize("case", ["plain", "hostile"])
@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_a_finding_a_description_and_stays_within_its_edges(case, name):
    check_figure(figure_of(case, name))


@pytest.mark.parametrize("name", NAMES)
def test_figures_draw_into_the_axes_they_are_given_and_show_nothing(name, monkeypatch):
    check_given_axes(lambda ax: figure_of("plain", name, ax), monkeypatch)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("war_path", "war costs: we 11.4 % and rival 10.1 %"),
        ("reply_curves", "Each round of replies leaves 25.0 %"),
        ("peace_bars", "worth at least 0.877 of this one"),
        ("price_moves", "The merger raises its firms' prices by 12.8 %, and buyers lose 152"),
        ("entry", "The entry lowers prices by up to 5.3 %, and buyers gain 306"),
        ("compared_war_bars", "takes 14.9 % of our profit in 'different', 54.3 % in 'alike'"),
        ("war_reply_dots", "Holding prices leaves most in the price war"),
        ("lowered_sensitivity_dots", "Better service lowers the sensitivity to a price war by"),
    ],
)
def test_titles_state_the_finding(name, said):
    assert said in title(figure_of("plain", name))


def test_peace_that_cannot_hold_and_prices_that_rise_are_told():
    market = linear_duopoly(100, 2, 1, 10)
    hopeless = plots.peace_bars(critical_discount_factor(market, peace=[60.0, 80.0]))
    assert "No patience makes rival keep this peace" in title(hopeless)
    brand = logit_market([[4], [6]], [-1, -4], [0.3], products=["brand"], weights=[0.3, 0.7])
    entry = entry_effect(brand, brand.with_product("copy", [-6.0, 6.0], 0.2, "copier"))
    assert "makes brand dearer" in title(plots.price_moves(entry))
    held = price_war(market, holding=["we"])
    assert "does not end at the equilibrium" in title(plots.reply_curves(held))


def test_reply_curves_need_two_firms_with_one_product_each():
    market = logit_market([1, 1, 1], -1, [1, 1, 1])
    with pytest.raises(ValueError, match="take war_path"):
        plots.reply_curves(price_war(market))
