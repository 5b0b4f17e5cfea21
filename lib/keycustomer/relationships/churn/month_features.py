"""Features of leaving from customer months.

:func:`churn_features` gives the rows; `CHURN_FEATURES` lists what it makes and why.
:func:`month_ahead` moves what time alone changes (tenure, contract) on by months, for retention
curves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from keycustomer.relationships.churn.table import ChurnTable
from keycustomer.relationships.months.terms import term_of
from keycustomer.relationships.vocabulary import LEVELS

if TYPE_CHECKING:
    from keycustomer.relationships.months.panel import CustomerMonths

CHURN_FEATURES: dict[str, str] = {
    "tenure_log": "log(1 + tenure in years): those who stayed long stay",
    "under_term": "whether the contract runs on after the month: it holds",
    "term_ends": "whether the contract runs out in the month: the hump of renewals",
    "size_log": "log of a month's revenue, mean of a year: large ones are courted",
    "revenue_change": "log of the last three months' revenue to that mean",
    "products": "products bought: switching costs",
    "discount": "share off the list value",
    "contacts_log": "log(1 + contacts in three months)",
    "complaints_log": "log(1 + complaints in three months)",
    "open_complaints": "complaints not resolved",
    "offers": "offers of competitors in three months, where they are recorded",
    "level": "relationship level",
    "channel": "who looks after the customer",
}
"""Columns that :func:`churn_features` makes, where the base tells them, each with its reason."""

RECENT = 3
"""Months that count as recent."""

FAINT = 0.01
"""Least revenue a month, currency, whose logarithm is taken."""


def churn_features(
    months: CustomerMonths, *, lead: int = 1, attributes: Sequence[str] = ()
) -> ChurnTable:
    """Make the rows of a churn model from customer months.

    Parameters
    ----------
    months : CustomerMonths
        From :func:`~keycustomer.relationships.customer_months`.
    lead : int
        Months between what is known and the month at whose end the customer may leave: 1 for a
        forecast, 0 to read the month itself.
    attributes : sequence of str
        Attribute columns of `months.customers` to add as features.

    Returns
    -------
    ChurnTable
        One row a customer and month, with `CHURN_FEATURES`; a customer's first `lead` months have
        no past and are not used.  `upcoming` has what is known of the customers there after the
        last day for the month to come; with `lead` 0 it takes what the last month told.

    Raises
    ------
    ValueError
        When `lead` is no whole number from 0 to 12, an attribute does not exist, or nobody is
        observed for longer than `lead` months.
    """
    if isinstance(lead, bool) or not isinstance(lead, int) or not 0 <= lead <= 12:
        raise ValueError(f"lead={lead!r}: a whole number of months from 0 to 12 is needed")
    known = _known(months)
    rows, past = _shifted(known, lead)
    ahead = known[known["number"] == known["number"].max()].copy()
    ahead = ahead[ahead["customer_id"].isin(months.present)].drop(columns="left")
    rows, ahead = (
        _with_attributes(each, months, attributes) for each in (rows[past], month_ahead(ahead, 1))
    )
    if rows.empty:
        raise ValueError(f"no customer is observed for more than lead={lead} months")
    features = [name for name in CHURN_FEATURES if rows[name].notna().any()]
    excluded = pd.DataFrame(
        {"reason": ["months without a past to forecast from"], "rows": [int((~past).sum())]}
    )
    return ChurnTable(
        frame=rows.reset_index(drop=True),
        upcoming=ahead.reset_index(drop=True),
        features=(*features, *attributes),
        event="left",
        customer="customer_id",
        time="number",
        lead=lead,
        excluded=excluded[excluded["rows"] > 0].reset_index(drop=True),
        notes=_notes(rows, lead),
    )


_KEYS = ["customer_id", "month", "number", "left"]
_AHEAD = ["tenure", "contract_left", "term"]


def _known(months: CustomerMonths) -> pd.DataFrame:
    """Tell what is known of each month, and what time alone decides of it."""
    frame = months.frame
    table = frame[[*_KEYS, "tenure", "contract_left"]].copy()
    table["term"] = _terms(frame)
    own = frame["customer_id"]
    year = _mean_before(frame["revenue"], own, 12)
    table["size_log"] = np.log(year.clip(lower=FAINT))
    recent = _mean_before(frame["revenue"], own, RECENT)
    table["revenue_change"] = np.log(recent.clip(lower=FAINT)) - table["size_log"]
    table["products"] = frame["products"].astype(float)
    table["discount"] = frame["discount"]
    offers = frame.get("competitor_offer", pd.Series(np.nan, frame.index))
    for name, counts in {
        "contacts_log": frame["contacts"],
        "complaints_log": frame["complaints"],
        "offers": offers,
    }.items():
        total = RECENT * _mean_before(counts, own, RECENT)
        table[name] = np.log1p(total) if name.endswith("_log") else total
    table["open_complaints"] = frame["open_complaints"]
    table["level"] = pd.Series(
        pd.array((*LEVELS, None), dtype="str").take(frame["level"].to_numpy())
    )
    table["channel"] = frame["channel"]
    return _timed(table)


def _terms(frame: pd.DataFrame) -> pd.Series:
    """Months of the contract's term, by the plan's name; at least what is still left of it."""
    plans = {plan: term_of(plan) or 0 for plan in frame["price_plan"].dropna().unique()}
    term = frame["price_plan"].map(plans).fillna(0).astype(int)
    return term.where(frame["contract_left"] > 0, 0).clip(lower=frame["contract_left"])


def _mean_before(values: pd.Series, customer: pd.Series, width: int) -> pd.Series:
    """Mean of the last `width` rows of each customer, this one included."""
    grouped = values.astype(float).groupby(customer, sort=False)
    means = grouped.rolling(width, min_periods=1).mean()
    return means.droplevel(0).reindex(values.index)


def _shifted(known: pd.DataFrame, lead: int) -> tuple[pd.DataFrame, pd.Series]:
    """Set beside every month what was known `lead` months before, and say where that is."""
    if lead == 0:
        return known.copy(), pd.Series(True, known.index)
    timed = [*_KEYS, *_AHEAD, "tenure_log", "under_term", "term_ends"]
    told = [name for name in known if name not in timed]
    past = known[["customer_id", "number", *told]].copy()
    past["number"] += lead
    keys = ["customer_id", "number"]
    rows = known[timed].merge(past, on=keys, how="left", indicator="seen")
    seen = rows.pop("seen") == "both"
    return rows, seen


def _timed(table: pd.DataFrame) -> pd.DataFrame:
    """Add what follows from tenure and contract."""
    return table.assign(
        tenure_log=np.log1p(table["tenure"]),
        under_term=table["contract_left"] > 1,
        term_ends=table["contract_left"] == 1,
    )


def month_ahead(frame: pd.DataFrame, months: int) -> pd.DataFrame:
    """Move tenure and contracts on by a number of months; a term that runs out begins anew.

    Parameters
    ----------
    frame : DataFrame
        Rows of :func:`churn_features`, all else in them staying as it is.
    months : int
        Months, 0 or more.

    Returns
    -------
    DataFrame
        A new frame.
    """
    term, left = frame["term"], frame["contract_left"]
    counted = (left - 1 - months) % term.where(term > 0, 1) + 1
    return _timed(
        frame.assign(
            number=frame["number"] + months,
            month=frame["month"] + pd.DateOffset(months=months),
            tenure=frame["tenure"] + months / 12,
            contract_left=counted.where(term > 0, 0),
        )
    )


def _with_attributes(
    rows: pd.DataFrame, months: CustomerMonths, attributes: Sequence[str]
) -> pd.DataFrame:
    if not attributes:
        return rows
    offered = [c for c in months.customers if c not in ("customer_id", "joined_on")]
    unknown = [name for name in attributes if name not in offered]
    if unknown or isinstance(attributes, str):
        raise ValueError(f"attributes={attributes!r}: the customers have {offered}")
    return rows.merge(months.customers[["customer_id", *attributes]], on="customer_id", how="left")


def _notes(rows: pd.DataFrame, lead: int) -> tuple[str, ...]:
    if lead == 0:
        return (
            "Each row reads the month in which the customer may leave (lead=0): it explains, and "
            "forecasts nothing.",
        )
    missing = [name for name in CHURN_FEATURES if rows[name].isna().all()]
    return (f"The base does not tell {', '.join(missing)}.",) if missing else ()
