from fractions import Fraction
from itertools import permutations
from math import prod

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st
from keycustomer.pareto.audit import (
    audit_period,
    decompose_change,
    revenue_bridge,
    shapley_contributions,
)
from period_tables import MONTHS, for_all, panels, shuffled, table

TWO = (MONTHS[1], MONTHS[2])
ROWS = [
    ("back", MONTHS[0], 1, 3.0),
    ("gone", MONTHS[1], 1, 40.0),
    ("less", MONTHS[1], 2, 30.0),
    ("more", MONTHS[1], 1, 20.0),
    ("same", MONTHS[1], 1, 10.0),
    ("less", MONTHS[2], 1, 25.5),
    ("more", MONTHS[2], 3, 60.25),
    ("same", MONTHS[2], 1, 10.0),
    ("back", MONTHS[2], 1, 7.0),
    ("new", MONTHS[2], 2, 5.0),
]
FACTORS = st.dictionaries(
    st.sampled_from(["customers", "orders", "value", "margin"]),
    st.tuples(st.integers(1, 10**6), st.integers(-(10**6), 10**6)),
    min_size=1,
)


def ticks(amount):
    return round(amount * 10_000)


def test_a_bridge_by_hand():
    frame = revenue_bridge(table(ROWS), *TWO).frame
    assert frame[["step", "customers", "amount"]].to_numpy().tolist() == [
        ["2024-02", 4, 100.0],
        ["lapsed", 1, -40.0],
        ["kept, bought less", 1, -4.5],
        ["kept, bought as much or more", 2, 40.25],
        ["returned", 1, 7.0],
        ["new", 1, 5.0],
        ["2024-03", 5, 107.75],
    ]


@for_all(panels())
def test_the_bridge_adds_up_to_the_last_digit(frame):
    bridge = revenue_bridge(frame, MONTHS[0], MONTHS[1])
    amounts = [ticks(amount) for amount in bridge.frame["amount"]]
    assert sum(amounts[:-1]) == amounts[-1]
    for place, month in ((0, MONTHS[0]), (-1, MONTHS[1])):
        rows = frame[frame["period"] == month]
        assert amounts[place] == sum(ticks(x) for x in rows["revenue"])
    customers = bridge.frame.set_index("step")["customers"]
    steps = bridge.frame["step"].iloc[[0, -1]]
    came = sum(customers.get(name, 0) for name in ("returned", "new"))
    assert customers[steps.iloc[0]] - customers["lapsed"] + came == customers[steps.iloc[1]]


@for_all(panels())
def test_the_bridge_backwards_swaps_signs(frame):
    # what was gained from one month to the next is lost the other way round
    there = revenue_bridge(frame, MONTHS[0], MONTHS[1])
    turned = frame.assign(period=frame["period"].map(lambda day: MONTHS[1 - MONTHS.get_loc(day)]))
    turned = turned[turned["period"].isin(MONTHS[:2])]
    back = revenue_bridge(turned, MONTHS[0], MONTHS[1])
    assert ticks(there.amount("lapsed")) == -ticks(back.amount("new"))
    kept = ("kept, bought less", "kept, bought as much or more")
    assert sum(ticks(there.amount(s)) for s in kept) == -sum(ticks(back.amount(s)) for s in kept)


@for_all(panels())
def test_the_order_of_rows_does_not_matter(frame):
    for function in (revenue_bridge, decompose_change):
        one, two = (function(f, MONTHS[0], MONTHS[1]) for f in (frame, shuffled(frame)))
        pd.testing.assert_frame_equal(one.frame, two.frame)


def test_without_history_nobody_can_return():
    bridge = revenue_bridge(table(ROWS[1:]), *TWO)
    assert not bridge.history
    assert "returned" not in bridge.frame["step"].tolist()
    assert bridge.amount("new") == 12.0
    assert "returning customers count as new" in bridge._repr_html_()


def test_returns_without_orders_have_their_own_step():
    frame = table([*ROWS, ("refund", MONTHS[2], 0, -2.5)])
    bridge = revenue_bridge(frame, *TWO)
    assert bridge.amount("returns only") == -2.5
    assert bridge.frame["amount"].iloc[-1] == 105.25


def test_an_unknown_step_is_named():
    with pytest.raises(KeyError, match=r"step 'lost': one of '2024-02', 'lapsed'"):
        revenue_bridge(table(ROWS), *TWO).amount("lost")


def test_two_factors_by_the_closed_form():
    # the part of x is the mean of y times the change of x
    parts = shapley_contributions({"x": 3, "y": 10}, {"x": 5, "y": 4})
    assert parts == {"x": 14.0, "y": -24.0}


@for_all(FACTORS)
def test_contributions_are_the_mean_over_all_orders_of_change(factors):
    was = {name: Fraction(pair[0]) for name, pair in factors.items()}
    now = {name: Fraction(pair[1]) for name, pair in factors.items()}
    sums = dict.fromkeys(factors, Fraction(0))
    orders = list(permutations(factors))
    for order in orders:
        at = dict(was)
        for name in order:
            before = prod(at.values())
            at[name] = now[name]
            sums[name] += prod(at.values()) - before
    expected = {name: float(total / len(orders)) for name, total in sums.items()}
    assert shapley_contributions(was, now) == expected
    assert sum(sums.values()) / len(orders) == prod(now.values()) - prod(was.values())


@for_all(FACTORS)
def test_the_order_of_factors_is_irrelevant_and_time_reversal_changes_the_sign(factors):
    was, now = ({name: pair[n] for name, pair in factors.items()} for n in (0, 1))
    parts = shapley_contributions(was, now)
    turned = {name: was[name] for name in reversed(was)}
    assert shapley_contributions(turned, now) == parts
    assert shapley_contributions(now, was) == {name: -part for name, part in parts.items()}


def test_factors_must_be_the_same():
    with pytest.raises(ValueError) as raised:
        shapley_contributions({"x": 1}, {"y": 1})
    assert str(raised.value) == "first, second: the factors differ: x against y"


def test_a_decomposition_by_hand_with_margin():
    frame = table(ROWS).assign(margin=lambda t: t["revenue"] * 0.5)
    frame.loc[frame["period"] == MONTHS[2], "margin"] *= 0.8
    result = decompose_change(frame, *TWO, profit="margin")
    assert (result.before, result.after) == (50.0, 43.1)
    assert result.frame["factor"].tolist() == [
        "customers",
        "orders per customer",
        "value per order",
        "margin rate",
    ]
    np.testing.assert_allclose(result.frame["first"], [4, 5 / 4, 20, 0.5])
    np.testing.assert_allclose(result.frame["second"], [5, 8 / 5, 107.75 / 8, 0.4])
    assert result.frame["contribution"].sum() == pytest.approx(-6.9, rel=1e-12)
    assert result.frame["share"].sum() == pytest.approx(1, rel=1e-12)


@for_all(panels(money=st.integers(1, 10**7).map(lambda t: t / 10_000)))
def test_the_decomposition_adds_up_and_is_near_the_logarithmic_one(frame):
    result = decompose_change(frame, MONTHS[0], MONTHS[1])
    change = result.after - result.before
    scale = abs(result.frame["contribution"]).max() + 1e-9
    assert abs(result.frame["contribution"].sum() - change) <= 1e-12 * scale + 1e-12 * result.before
    ratios = np.log(result.frame["ratio"])
    if change and (np.abs(ratios) < 0.2).all():
        # for small changes LMDI and Shapley agree to second order
        mean = change / np.log(result.after / result.before)
        np.testing.assert_allclose(
            result.frame["contribution"], mean * ratios, atol=0.01 * result.before
        )


@pytest.mark.parametrize(
    ("rows", "options", "text"),
    [
        (
            [("a", MONTHS[0], 1, 1.0), ("a", MONTHS[1], 0, -1.0)],
            {},
            "nobody ordered in the period 2024-02: it holds returns only",
        ),
        (
            [("a", MONTHS[0], 1, 1.0), ("a", MONTHS[1], 1, 0.0)],
            {"profit": "margin"},
            "revenue of the period 2024-02 is zero: it has no margin rate",
        ),
        (
            [("a", MONTHS[0], 1, 1.0), ("a", MONTHS[1], 1, 0.0)],
            {"profit": "revenue"},
            "profit='revenue': the same column as value",
        ),
    ],
)
def test_changes_that_cannot_be_decomposed(rows, options, text):
    frame = table(rows).assign(margin=1.0)
    with pytest.raises(ValueError) as raised:
        decompose_change(frame, **options)
    assert str(raised.value) == text


def test_one_period_by_hand():
    audit = audit_period(table(ROWS).assign(margin=1.0), MONTHS[1], profit="margin")
    row = audit.summary.iloc[0]
    assert (row["customers"], row["orders"], row["value"], row["profit"]) == (4, 5, 100.0, 4.0)
    assert (row["value_per_order"], row["margin_rate"], row["ordered_once"]) == (20.0, 0.04, 0.75)
    assert audit.orders["orders"].tolist() == ["1", "2"]
    assert audit.orders["customers"].tolist() == [3, 1]
    assert audit.orders["value_share"].tolist() == [0.7, 0.3]
    spread = audit.spread.set_index("over_customers")
    assert spread.loc["p50", "value"] == 25.0
    assert spread.loc["mean", "value_per_order"] == pytest.approx((40 + 15 + 20 + 10) / 4)


@for_all(panels())
def test_deciles_multiply_out_and_add_up(frame):
    buyers = frame[(frame["period"] == MONTHS[0]) & (frame["orders"] > 0)]
    audit = audit_period(frame, MONTHS[0])
    deciles = audit.deciles
    product = deciles["customers"] * deciles["orders_per_customer"] * deciles["value_per_order"]
    np.testing.assert_allclose(product, deciles["value"], atol=1e-9)
    assert deciles["value"].sum() == pytest.approx(buyers["revenue"].sum(), abs=1e-9)
    assert deciles["orders"].sum() == pytest.approx(buyers["orders"].sum())
    np.testing.assert_allclose(deciles["customers"], len(buyers) / 10)
    assert (np.diff(deciles["value"]) <= 1e-9).all()
    again = audit_period(shuffled(frame), MONTHS[0])
    pd.testing.assert_frame_equal(deciles, again.deciles)


def test_many_orders_share_a_row():
    rows = [("a", MONTHS[0], 10, 1.0), ("b", MONTHS[0], 31, 1.0), ("c", MONTHS[0], 9, 1.0)]
    orders = audit_period(table(rows)).orders
    assert orders[["orders", "customers"]].to_numpy().tolist() == [["9", 1], ["10+", 2]]


def test_one_customer():
    audit = audit_period(table([("a", MONTHS[0], 2, 8.0)]))
    np.testing.assert_allclose(audit.deciles["value"], 0.8)
    assert audit.summary["value_per_order"].tolist() == [4.0]
    assert "<table" in audit._repr_html_()


def test_an_unknown_period():
    with pytest.raises(ValueError, match=r"period_chosen: nobody bought in the period 2030-01"):
        audit_period(table(ROWS), "2030-01-01")
