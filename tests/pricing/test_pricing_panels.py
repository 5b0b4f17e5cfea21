"""Price panels hold every sale once, keep zeros at others' prices, and say what they leave out."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from keycustomer.customers import CustomerBase
from keycustomer.pricing import PricePanel, account_panel, market_panel, sales_panel
from keycustomer.pricing.panels.panel import checked_rows
from keycustomer.simulate import simulate_company
from revenue_tiers import abc

ROUNDED = 3e-2  # invoices are rounded to hundredths of a unit, of dear products a few per cent
SUMS = 1e-9  # sums of doubles in another order, relative


def line(number, customer, day, product, quantity, revenue, discount=0.0, cost=None):
    """One order line of the base made by hand."""
    date = dt.date(2024, 1, 1) + dt.timedelta(days=day)
    return (number, customer, f"o{number}", date, product, quantity, revenue, discount, cost, None)


@pytest.fixture
def small(hand_made_base):
    """Two tiers buy cola at 2.00 and then 1.50; one of them not in the second week."""
    rows = {
        "transactions": [
            line(1, "a", 0, "cola", 3, 6.0, 0.0, 3.0),
            line(2, "b", 1, "cola", 1, 2.0, 0.0, 1.0),
            line(3, "a", 7, "cola", 4, 6.0, 2.0, 4.0),
            line(4, "a", 14, "cola", 2, 4.0, 0.0, 2.0),
            line(5, "b", 15, "cola", 2, 4.0, 0.0, 2.0),
            line(6, "a", 16, "cola", -1, -2.0, 0.0, -1.0),
            line(7, "a", 16, "cola", 1, 0.0, 2.0, 1.0),
            line(8, "c", 16, "cola", 1, 2.0, 0.0, 1.0),
            line(9, "a", 16, "gin", 1, 20.0, 0.0, 9.0),
            line(10, "a", 365, "cola", 1, 2.0, 0.0, 1.0),
        ],
        "products": [("cola", "drinks"), ("gin", None)],
        "customers": [("a", "A"), ("b", "B"), ("c", "C")],
    }
    return hand_made_base(rows)


TIERS = pd.Series({"a": "A", "b": "B"})


def test_a_week_without_a_sale_has_the_price_of_the_others(small: CustomerBase) -> None:
    panel = sales_panel(small, product="product_id", tiers=TIERS)
    frame = panel.to_frame()
    cola = frame[frame["product"] == "cola"].set_index(["unit", "period"])
    empty = cola.loc[("B", pd.Timestamp("2024-01-08"))]
    assert (empty["quantity"], empty["price"], empty["list_price"]) == (0, 1.5, 2.0)
    assert empty["discount"] == pytest.approx(0.25) and empty["promotion"] == 1
    assert empty["price_of_others"] and panel.zeros == pytest.approx(1 / 6)
    sold = cola.loc[("A", pd.Timestamp("2024-01-08"))]
    assert (sold["quantity"], sold["price"], sold["unit_cost"]) == (4, 1.5, 1.0)


def test_every_line_is_on_the_panel_or_counted(small: CustomerBase) -> None:
    panel = sales_panel(small, product="product_id", tiers=TIERS)
    counts = panel.excluded.set_index("reason")["rows"]
    assert counts["order lines: no units, or units taken back"] == 1
    assert counts["order lines: nothing paid"] == 1
    assert counts["order lines: tier not known"] == 1
    assert counts["order lines: week cut by the ends of the window"] == 1
    assert counts["order lines: bought in fewer than 2 periods"] == 1  # the gin
    assert panel.frame["revenue"].sum() == 6 + 2 + 6 + 4 + 4


def test_a_category_is_counted_at_constant_prices(hand_made_base) -> None:
    """Dearer products in the basket are more quantity and no higher price."""
    lines = [
        line(1, "a", 0, "x", 1, 1.0),
        line(2, "a", 7, "y", 1, 3.0),
        line(3, "a", 14, "x", 1, 1),
    ]
    rows = {"transactions": lines, "products": [("x", "drinks"), ("y", "drinks")], "customers": []}
    frame = sales_panel(hand_made_base(rows), unit=None).frame
    assert frame["quantity"].tolist() == [1, 3, 1] and frame["price"].tolist() == [1, 1, 1]


def test_who_has_left_has_no_zero_weeks(hand_made_base) -> None:
    lines = [line(k, "a", 7 * k, "x", 1, 1.0) for k in range(9)]
    lines += [line(10 + k, "b", 7 * k, "x", 1, 1.0) for k in (0, 1, 3)]
    tables = {"transactions": lines, "products": [("x", "d")], "customers": []}
    panel = sales_panel(hand_made_base(tables), unit="customer_id")
    assert (panel.frame["unit"] == "b").sum() == 9
    contracts = {"contracts": [("a", dt.date(2024, 1, 1), None)]}
    left = sales_panel(hand_made_base(tables | contracts), unit="customer_id")
    assert (left.frame["unit"] == "b").sum() == 4
    assert any("who left buys nothing" in note for note in left.notes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"product": "brand"}, "product='brand': one of"),
        ({"every": "day"}, "every='day': 'week' or 'month'"),
        ({"tiers": None}, "unit='tier' needs tiers: a Series"),
        ({"unit": "shop", "tiers": None}, "unit='shop': None or one of"),
        ({"unit": None}, "tiers go with unit='tier'"),
        ({"least_periods": 0}, "least_periods=0: a whole number"),
        ({"category": "tea"}, "no sale is left for the price panel"),
        ({"tiers": pd.Series(["A", "B"], ["a", "a"])}, "1 customer stand twice"),
    ],
)
def test_what_cannot_be_laid_out_is_refused(
    small: CustomerBase, arguments: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        sales_panel(small, **({"tiers": TIERS} | arguments))
    assert small.query("select count(*) as n from duckdb_tables() where temporary")["n"].item() == 0


def test_soft_drinks_of_the_grocery(complete_journey_base: CustomerBase) -> None:
    panel = sales_panel(
        complete_journey_base,
        product="product_id",
        category="SOFT DRINKS",
        tiers=abc(complete_journey_base),
        largest=100,
    )
    frame = panel.frame
    zeros = frame.assign(zero=frame["quantity"] == 0).groupby("tier")["zero"].mean()
    assert zeros["A"] < 0.05 and 0.4 < zeros["B"] < zeros["C"]
    sold = complete_journey_base.query(
        "select sum(revenue)::double as sold from transactions join products using (product_id) "
        "where category = 'SOFT DRINKS' and quantity > 0 and product_id in "
        f"({', '.join(repr(p) for p in frame['product'].unique())}) and date >= '2017-01-02'"
    )["sold"].item()
    left_out = panel.excluded["rows"].sum()
    assert left_out < 300 and frame["revenue"].sum() == pytest.approx(sold, rel=1e-3)
    paid = frame["quantity"] * frame["price"]
    assert np.allclose(paid, frame["revenue"], rtol=SUMS)


def test_accounts_of_a_base_and_of_its_company_agree(telecom_base: CustomerBase) -> None:
    told, made = (
        account_panel(telecom_base),
        account_panel(simulate_company(**telecom_base.simulation)),
    )
    keys = ["unit", "period"]
    pd.testing.assert_frame_equal(told.frame[keys], made.frame[keys], check_dtype=False)
    large = told.frame["quantity"] > 100  # of small amounts hundredths are a larger share
    for column in ("quantity", "price", "list_price", "unit_cost", "competitor_price"):
        one, other = (p.frame.loc[large, column].to_numpy(float) for p in (told, made))
        assert np.abs(one / other - 1).max() < ROUNDED, column
    assert (told.frame["region"] == made.frame["region"]).all()
    assert told.frame["manager"].dropna().tolist() == made.frame["manager"].dropna().tolist()
    assert told.simulated and "simulated" in repr(told)


def test_an_account_pays_its_list_price_less_its_discount() -> None:
    frame = account_panel(simulate_company(60, 12, 3)).frame
    assert np.allclose(frame["price"], frame["list_price"] * (1 - frame["discount"]), rtol=SUMS)
    assert np.allclose(frame["revenue"], frame["quantity"] * frame["price"], rtol=SUMS)


def test_accounts_without_a_tier_are_counted() -> None:
    company = simulate_company(60, 12, 3)
    everybody = account_panel(company)
    some = everybody.frame["unit"].unique()[:10]
    panel = account_panel(company, tiers=pd.Series("A", index=some))
    assert panel.frame["unit"].nunique() == 10
    assert panel.excluded["rows"].sum() == len(everybody.frame) - len(panel.frame)


def test_a_market_table(telecom_base: CustomerBase) -> None:
    panel = market_panel(telecom_base)
    assert panel.frame["unit"].nunique() == 5 and panel.frame["period"].nunique() == 36
    assert panel.frame["cost_shock"].dtype == float and (panel.frame["discount"] >= 0).all()
    table = pd.DataFrame(
        {
            "market": ["m", "m", "n"],
            "product": ["x", "y", "x"],
            "price": [1.0, np.nan, 2.0],
            "share": [0.2, 0.1, 0.3],
        }
    )
    timeless = market_panel(table)
    assert timeless.per == "share of the market" and timeless.frame["period"].isna().all()
    assert timeless.excluded.to_dict("records") == [{"reason": "price not known", "rows": 1}]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"product": ["x"], "unit": ["u"], "period": [0], "quantity": [1]}, "no column price"),
        (
            {
                "product": ["x"] * 2,
                "unit": ["u"] * 2,
                "period": [0] * 2,
                "quantity": [1] * 2,
                "price": [1] * 2,
            },
            "1 rows repeat a product, unit and period",
        ),
        (
            {"product": ["x"], "unit": ["u"], "period": [0], "quantity": [1], "price": [0]},
            "price not above 0",
        ),
    ],
)
def test_rows_that_are_no_panel_are_refused(frame: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked_rows(pd.DataFrame(frame), "my table")


def test_a_panel_reads_well(small: CustomerBase) -> None:
    panel = sales_panel(small, product="product_id", tiers=pd.Series({"a": "<b>A</b>"}))
    assert isinstance(panel, PricePanel)
    text = panel._repr_html_()
    assert "1 product" in text and "<b>A</b>" not in text and "made up" in text
    before = panel.frame.copy()
    copy = panel.to_frame()
    copy["price"] = 0.0
    pd.testing.assert_frame_equal(panel.frame, before)


MARKET = pd.DataFrame(
    {
        "market": [1.0, 1.0, 2.0],
        "product": ["x", "y", "x"],
        "month": [dt.date(2024, 1, 1)] * 3,
        "price": ["1", "2", "3.5"],
        "quantity": [4, 5, 6],
    }
)


def test_a_market_table_keeps_names_and_reads_numbers_written_as_text() -> None:
    panel = market_panel(MARKET.assign(list_price=[2.0, 2.0, 0.0])).frame
    assert panel["unit"].tolist() == ["1", "2", "1"]
    assert panel["price"].tolist() == [1.0, 3.5, 2.0]
    # a list price of 0 tells no discount
    assert panel["discount"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"price": ["1", "abc", "2"]}, r"'price' holds 1 value .*rows \[1\]: 'abc'"),
        ({"quantity": ["a", "b", None]}, "'quantity' holds 2 values"),
        ({"month": ["soon", "2024-01-01", "2024-01-01"]}, r"no days, first at rows \[0\]: 'soon'"),
        ({"month": [1, 1, 1]}, "holds numbers, days are needed"),
    ],
)
def test_a_market_table_that_cannot_be_read(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        market_panel(MARKET.assign(**change))
