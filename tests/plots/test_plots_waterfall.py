"""Figures of price realisation: what they say, and that they stay legible."""

import datetime as dt
from functools import cache

import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.pricing import DeepDiscounts, PriceWaterfall, pocket_price_band, point_of_discount
from keycustomer.stats import Estimate
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401

LONG = "the accounts that the former agency in the north has brought along, $x^_1"


def waterfall(groups, listed, loss=False):
    """Make a waterfall of customers whose discounts rise with size."""
    n = len(listed)
    cut = listed * (0.08 + 0.02 * np.log(listed / listed.min()) / 3)
    goods = listed * (1.1 if loss else 0.52)
    customers = pd.DataFrame(
        {
            "customer_id": [f"{LONG} {k}" for k in range(n)],
            "group": np.resize(groups, n),
            "months": 12.0,
            "list_value": listed,
            "discount": cut,
            "invoice_value": listed - cut,
            "rebates": 0.0,
            "pocket_value": (listed - cut) * np.resize([1, 0.97, 1.01], n),
            "cost_of_goods": goods,
            "cost_to_serve": 0.05 * listed,
        }
    )
    customers["margin"] = customers["pocket_value"] - goods
    customers["profit"] = customers["margin"] - customers["cost_to_serve"]
    rows = [
        ("list value", "total", listed.sum()),
        ("discounts", "change", -cut.sum()),
        ("invoice value", "total", customers["invoice_value"].sum()),
        (LONG if loss else "bonus", "change", -1.0),
        ("pocket value", "total", customers["pocket_value"].sum()),
        ("cost of goods", "change", -goods.sum()),
        ("margin", "total", customers["margin"].sum()),
        ("cost to serve", "change", -0.05 * listed.sum()),
        ("profit", "total", customers["profit"].sum()),
    ]
    frame = pd.DataFrame(rows, columns=["step", "kind", "amount"])
    frame = frame.assign(group="all", share=frame["amount"] / listed.sum())
    day = dt.date(2024, 1, 1), dt.date(2024, 12, 31)
    return PriceWaterfall(frame, customers, pd.DataFrame(), *day, "EUR", not loss, ())


def deep(n, called):
    frame = pd.DataFrame(
        {
            "customer_id": [f"{LONG} {k}" for k in range(n)] if n < 5 else np.arange(n).astype(str),
            "months": 24,
            "list_value": 1e6,
            "discount": np.linspace(0.3, 0.1, n),
            "expected": 0.1,
            "excess": np.linspace(0.2, 0, n),
            "lower": np.linspace(0.2, 0, n) - 0.03,
            "upper": np.linspace(0.2, 0, n) + 0.03,
            "deep": np.arange(n) < called,
            "excess_value": np.linspace(2e5, 0, n),
        }
    )
    return DeepDiscounts(frame, 0.1, 0.05, ("size",), pd.DataFrame(), "$", True, 0.95)


@cache
def results(case):
    generator = np.random.default_rng(1)
    if case == "hostile":
        fall = waterfall(
            [LONG, "<b>", "电话", LONG + " again"], np.geomspace(1, 1e9, 40), loss=True
        )
        point = point_of_discount(fall, points=0.005)
        return {"fall": fall, "band": pocket_price_band(fall, draws=20), "point": point,
                "deep": deep(3, 1)}  # fmt: skip
    fall = waterfall(["A", "B", "C"], np.exp(generator.normal(8, 1, 600)))
    sure = Estimate(-1.2, -1.5, -0.9, "", 1, "")
    point = point_of_discount(fall, elasticity=sure, retention_response=4.0, churn=0.012)
    band = pocket_price_band(fall, draws=20)
    return {"fall": fall, "band": band, "point": point, "deep": deep(60, 25)}


DRAW = {
    "fall": plots.waterfall_bars,
    "band": plots.pocket_price_map,
    "point": plots.discount_point_bars,
    "deep": plots.deep_discount_dots,
}


@pytest.mark.parametrize("case", ["plain", "hostile"])
@pytest.mark.parametrize("name", DRAW)
def test_every_figure_has_a_finding_a_description_and_stays_within_its_edges(case, name):
    check_figure(DRAW[name](results(case)[name]))


@pytest.mark.parametrize("name", DRAW)
def test_figures_draw_into_the_axes_they_are_given_and_show_nothing(name, monkeypatch):
    check_given_axes(lambda ax: DRAW[name](results("plain")[name], ax), monkeypatch)


@pytest.mark.parametrize(
    ("case", "name", "said"),
    [
        ("plain", "fall", "Simulated: Of 100 at list prices"),
        ("plain", "band", "size explains"),
        ("plain", "point", "Simulated: One point of discount costs"),
        ("plain", "point", "comes back"),
        ("hostile", "point", "0.5 points of discount cost"),
        ("hostile", "point", "no volume makes up for it"),
        ("plain", "deep", "25 of 60 accounts have a deeper discount"),
        ("hostile", "deep", "1 of 3 accounts has a deeper discount"),
    ],
)
def test_titles_say_what_was_found(case, name, said):
    assert said in title(DRAW[name](results(case)[name]))


def test_nobody_deep_is_told():
    ax = plots.deep_discount_dots(deep(30, 0))
    check_figure(ax)
    assert "No account has a deeper discount" in title(ax)
