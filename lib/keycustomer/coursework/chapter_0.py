"""Exercises of chapter 0, the customer file: population, frequency, recency, lists."""

from __future__ import annotations

import pandas as pd

from keycustomer.coursework.registry import CaseData, exercise
from keycustomer.customers.answers import ranked, whole_customers


@exercise("0.1", "choice")
def kind_of_table(case: CaseData) -> str:
    """Whether the table with most rows describes customers (static) or follows them (dynamic)."""
    sizes = {
        name: int(case.base.query(f"select count(*) as n from {name}")["n"].iloc[0])  # noqa: S608
        for name in sorted(case.base.tables & {"customers", "transactions", "interactions"})
    }
    return "static" if max(sizes, key=lambda name: sizes[name]) == "customers" else "dynamic"


@exercise("0.2", "share")
def one_time_buyers(case: CaseData) -> float:
    """Share of the buyers who bought on one day only."""
    bought = case.table[case.table["orders"] > 0]
    return float((bought["frequency"] == 0).mean())


@one_time_buyers.trap("customers on file who never bought are not buyers")
def _with_never_bought(case: CaseData) -> float:
    return float((case.table["frequency"] == 0).mean())


@one_time_buyers.trap("one order is not one day: two orders of a day are one purchase day")
def _one_order(case: CaseData) -> float:
    bought = case.table[case.table["orders"] > 0]
    return float((bought["orders"] == 1).mean())


@one_time_buyers.trap("frequency counts repeat purchase days, so 1 is a customer who came back")
def _frequency_one(case: CaseData) -> float:
    bought = case.table[case.table["orders"] > 0]
    return float((bought["frequency"] == 1).mean())


@exercise("0.3", "days")
def silence(case: CaseData) -> float:
    """Median days between a buyer's last purchase and the end of observation."""
    bought = case.table[case.table["orders"] > 0]
    return float((bought["T"] - bought["recency"]).median())


@silence.trap("that is recency as the models use it: the age at the last purchase, not the silence")
def _recency(case: CaseData) -> float:
    return float(case.table.loc[case.table["orders"] > 0, "recency"].median())


@silence.trap("that is T, the age at the end; the silence begins at the last purchase")
def _age(case: CaseData) -> float:
    return float(case.table.loc[case.table["orders"] > 0, "T"].median())


@silence.trap("that is the mean; a few very long silences move it, the median is asked for")
def _mean_silence(case: CaseData) -> float:
    bought = case.table[case.table["orders"] > 0]
    return float((bought["T"] - bought["recency"]).mean())


@exercise("0.4", "amount")
def spend_of_the_middle_customer(case: CaseData) -> float:
    """Median revenue of the customers with positive revenue, to the cent."""
    return float(case.buyers["revenue"].median())


@spend_of_the_middle_customer.trap("that is the mean; a few large customers pull it up")
def _mean_spend(case: CaseData) -> float:
    return float(case.buyers["revenue"].mean())


@spend_of_the_middle_customer.trap("customers without revenue belong to another question")
def _median_of_all(case: CaseData) -> float:
    return float(case.table["revenue"].median())


@exercise("0.5", "customers")
def largest_customers(case: CaseData) -> list[str]:
    """Return the ten customers with most revenue, ties by id."""
    return _largest(case.table, "revenue")


@largest_customers.trap("these are the customers with most orders, not with most revenue")
def _most_orders(case: CaseData) -> list[str]:
    return _largest(case.table, "orders")


@exercise("0.6", "customers")
def silent_key_customers(case: CaseData) -> list[str]:
    """Find the top fifth by revenue whose last purchase lies over 90 days back."""
    top = _top_fifth(case.buyers)
    return top.loc[top["T"] - top["recency"] > 90, "customer_id"].tolist()


@silent_key_customers.trap("these are silent, but not all of them belong to the top fifth")
def _all_silent(case: CaseData) -> list[str]:
    buyers = case.buyers
    return buyers.loc[buyers["T"] - buyers["recency"] > 90, "customer_id"].tolist()


@silent_key_customers.trap(
    "recency is the age at the last purchase; the silence is T minus recency"
)
def _recency_for_silence(case: CaseData) -> list[str]:
    top = _top_fifth(case.buyers)
    return top.loc[top["recency"] > 90, "customer_id"].tolist()


def _largest(table: pd.DataFrame, column: str) -> list[str]:
    return ranked(table, column)["customer_id"].head(10).tolist()


def _top_fifth(buyers: pd.DataFrame) -> pd.DataFrame:
    return ranked(buyers, "revenue").head(whole_customers(0.2, len(buyers)))
