"""What a point of discount costs: closed forms, limits, the truth of simulated companies."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.pricing import (
    break_even_volume,
    point_of_discount,
    price_waterfall,
    true_point_of_discount,
)
from keycustomer.pricing.realised.waterfall import PriceWaterfall
from keycustomer.simulate import Parameters, simulate_company
from keycustomer.stats import Estimate

NEAR = 0.12
"""Share of the loss by which the estimate from true responses may miss what truly comes back: the
price war, growth and later products are not in it."""

EXACT = 1e-9


def book(rows, months=12):
    """Make a waterfall of customers from group, list value, discount, cost of goods, to serve."""
    frame = pd.DataFrame(
        rows, columns=["group", "list_value", "discount", "cost_of_goods", "cost_to_serve"]
    )
    frame.insert(0, "customer_id", [f"k{n}" for n in range(len(frame))])
    frame["months"] = float(months)
    frame["invoice_value"] = frame["list_value"] - frame["discount"]
    frame["rebates"], frame["pocket_value"] = 0.0, frame["invoice_value"]
    frame["margin"] = frame["invoice_value"] - frame["cost_of_goods"]
    frame["profit"] = frame["margin"] - frame["cost_to_serve"]
    share = frame["invoice_value"].sum() / frame["list_value"].sum()
    steps = pd.DataFrame(
        {"group": "all", "step": ["invoice value"], "kind": "total", "share": share}
    )
    days = round(months * 365.25 / 12)
    start = dt.date(2024, 1, 1)
    end = start + dt.timedelta(days=days - 1)
    return PriceWaterfall(steps, frame, pd.DataFrame(), start, end, "EUR", True, ())


ONE = book([("A", 1200.0, 200.0, 700.0, 60.0)])


def test_break_even_by_hand():
    assert break_even_volume(0.10, 0.30) == pytest.approx(0.5)
    assert break_even_volume(-0.05, 0.25) == pytest.approx(-1 / 6)
    assert np.isnan(break_even_volume(0.3, 0.3)) and np.isnan(break_even_volume(0.1, -0.2))


@settings(max_examples=60)
@given(st.floats(0.001, 0.3), st.floats(0.31, 1.0))
def test_the_break_even_volume_restores_the_margin(cut, margin):
    growth = break_even_volume(cut, margin)
    assert (1 + growth) * (margin - cut) == pytest.approx(margin)


def test_a_point_at_unchanged_volume_is_a_point_of_the_list_value():
    row = point_of_discount(ONE, points=0.02).frame.iloc[0]
    assert row["loss"] == pytest.approx(24, rel=1e-3)
    assert row["loss_share"] == pytest.approx(24 / 240, rel=EXACT)
    # the cut is .02 x 1200 / 1000 of the price, the margin 300 / 1000
    assert row["break_even_volume"] == pytest.approx(0.024 / (0.3 - 0.024), rel=EXACT)
    assert np.isnan(row["won_back"]) and row["net"] == pytest.approx(-row["loss"])


def test_the_break_even_elasticity_wins_everything_back():
    needed = point_of_discount(ONE).frame.iloc[0]["break_even_elasticity"]
    row = point_of_discount(ONE, elasticity=float(needed)).frame.iloc[0]
    assert row["won_back"] == pytest.approx(1, rel=EXACT)
    assert row["volume_change"] == pytest.approx(row["break_even_volume"], rel=EXACT)
    assert row["net"] == pytest.approx(0, abs=1e-9)


def test_retention_by_hand():
    found = point_of_discount(
        ONE, points=0.05, retention_response=3.0, churn=0.02, horizon=24, discount_rate=0.1
    )
    worth = 1.1 ** (-np.arange(1, 25) / 12)
    before = (0.98 ** np.arange(24)) @ worth
    ratio = 1 - 0.05 * 1.2
    odds = 0.02 / 0.98 * ratio**3
    stays = 1 - odds / (1 + odds)
    after = (stays ** np.arange(24)) @ worth
    month = (1000 - 60 - 700 - 60) / (366 / (365.25 / 12)) * (366 / 365.25)
    row = found.frame.iloc[0]
    assert row["loss"] == pytest.approx(0.05 * 1200 / 12 * before, rel=1e-3)
    assert row["won_by_retention"] == pytest.approx(month * (after - before), rel=1e-3)
    assert row["won_back"] == pytest.approx(row["won_by_retention"] / row["loss"])


@pytest.mark.parametrize("churn", [0.0, 1.0])
def test_who_never_leaves_or_surely_leaves_cannot_be_kept(churn):
    row = point_of_discount(ONE, retention_response=5.0, churn=churn).frame.iloc[0]
    assert row["won_by_retention"] == pytest.approx(0, abs=1e-9)


def test_no_response_brings_nothing_back():
    row = point_of_discount(ONE, elasticity=0.0, retention_response=0.0, churn=0.01).frame.iloc[0]
    assert row["won_back"] == 0 and row["net"] == -row["loss"]


@settings(max_examples=30)
@given(st.floats(-4, 0), st.floats(-4, 0), st.floats(0, 8), st.floats(0, 8))
def test_more_response_brings_more_back(one, other, stay, go):
    options = {"churn": 0.02, "horizon": 12}
    rows = [
        point_of_discount(ONE, elasticity=e, retention_response=r, **options).frame.iloc[0]
        for e, r in ((max(one, other), min(stay, go)), (min(one, other), max(stay, go)))
    ]
    assert rows[0]["won_back"] <= rows[1]["won_back"] + 1e-9


def test_groups_add_up_and_customers_outrank_groups():
    mixed = book([("A", 1200.0, 200, 700, 60), ("A", 600.0, 0, 300, 10), ("B", 300, 30, 200, 5)])
    by_group = point_of_discount(mixed, elasticity={"A": -1.0, "B": -2.0})
    frame = by_group.frame.set_index("group")
    parts = frame.loc[["A", "B"], ["loss", "won_by_volume", "net", "list_value"]].sum()
    assert parts.tolist() == pytest.approx(frame.loc["all", parts.index].tolist())
    assert frame["customers"].tolist() == [3, 2, 1]
    own = point_of_discount(mixed, elasticity=pd.Series({"k0": -1.0, "k1": -1.0, "k2": -2.0}))
    assert own.frame["won_back"].tolist() == pytest.approx(frame["won_back"].tolist())
    some = point_of_discount(mixed, present=["k2"]).frame
    assert some["customers"].tolist() == [1]
    assert some["loss"].iloc[0] == pytest.approx(3.0)


def test_the_interval_is_that_of_the_responses():
    sure = Estimate(-1.5, -1.9, -1.1, "elasticity", 100, "")
    found = point_of_discount(ONE, elasticity=sure, draws=20_000, seed=1).frame.iloc[0]
    ends = [point_of_discount(ONE, elasticity=e).frame["won_back"].iloc[0] for e in (-1.1, -1.9)]
    assert (found["lower"], found["upper"]) == pytest.approx(ends, rel=0.02)
    fixed = point_of_discount(ONE, elasticity=-1.5).frame.iloc[0]
    assert fixed["won_back"] == pytest.approx(found["won_back"]) and np.isnan(fixed["lower"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"points": 0.9}, "one point is .01"),
        ({"points": 0}, "other than 0"),
        ({"elasticity": 0.5}, "not a demand curve"),
        ({"retention_response": 2.0}, "needs churn"),
        ({"retention_response": -2.0, "churn": 0.01}, "not plausible"),
        ({"churn": 1.2}, "a rate a month"),
        ({"elasticity": {"B": -1.0}}, "first 'k0'"),
        ({"elasticity": "high"}, "finite number or an Estimate"),
        ({"elasticity": Estimate.without_interval(-1, "", 1, "one")}, "give its number alone"),
        ({"horizon": 0}, "months of at least 1"),
        ({"discount_rate": 8}, "share a year"),
        ({"present": ["x"]}, "none of these customers"),
        ({"tiers": pd.Series({"k0": "A"})}, "give them to price_waterfall"),
        ({"level": 2}, "level=0.95"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        point_of_discount(ONE, **options)


def test_an_unknown_cost_is_refused():
    unknown = book([("A", 1200.0, 200.0, np.nan, 60.0)])
    with pytest.raises(ValueError, match="cost of goods is not known"):
        point_of_discount(unknown)


def test_where_the_margin_is_thin_no_volume_is_enough():
    thin = point_of_discount(book([("A", 1000.0, 100, 895, 0)]))
    assert np.isnan(thin.frame["break_even_volume"].iloc[0])
    assert "no volume makes up for it" in thin.sentence
    assert "won back" in thin._repr_html_() or "share" in thin._repr_html_()


def test_true_responses_give_nearly_what_truly_comes_back(telecom_base):
    company = simulate_company(**telecom_base.simulation)
    waterfall = price_waterfall(telecom_base, start="2025-01-01")
    truth = company.truth.accounts.set_index("customer_id")
    there = truth.index[company.panel.active[-1]]
    there = there[there.isin(waterfall.customers["customer_id"])]
    seen = company.panel.active[-6:]
    hazard = np.where(seen, company.panel.hazard[-6:], 0).sum(axis=0)
    churn = pd.Series(hazard / np.maximum(seen.sum(axis=0), 1), truth.index)[there]
    found = point_of_discount(
        waterfall,
        present=there,
        elasticity=truth["elasticity"][there],
        retention_response=truth["discount_response"][there],
        churn=churn,
    )
    tiers = truth["region"]
    known = true_point_of_discount(company, tiers=tiers)
    row = found.frame.iloc[0]
    assert row["won_back"] == pytest.approx(known["won_back"].iloc[0], abs=NEAR)
    assert row["loss"] == pytest.approx(known["loss"].iloc[0], rel=NEAR)
    assert "Simulated" in found._repr_html_()
    assert known["loss"].iloc[1:].sum() == pytest.approx(known["loss"].iloc[0])


def test_customers_who_do_not_respond_keep_the_whole_point():
    silent = ("needs.elasticity", "needs.discount_response", "value.price_sacrifice")
    shares = ("costs.service_share", "costs.commission", "costs.bonus")
    deaf = Parameters().but(dict.fromkeys((*silent, *shares), 0.0))
    company = simulate_company(accounts=200, months=12, seed=3, parameters=deaf)
    known = true_point_of_discount(company)
    assert known["group"].tolist() == ["all"]
    # list value per revenue is that of who stayed, which errs a little
    assert known["won_back"].iloc[0] == pytest.approx(0, abs=0.01)


def test_real_data_have_no_truth(hand_made_base):
    real = hand_made_base({"transactions": [], "interactions": []}, simulated="false")
    with pytest.raises(ValueError, match="whose true losses by a discount nobody knows"):
        true_point_of_discount(real)
