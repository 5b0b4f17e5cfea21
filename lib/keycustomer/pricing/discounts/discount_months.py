"""Customer-months with what a discount was given for, and what moved it for other reasons.

Question: what must stand beside a discount before it can be asked whether it kept a customer?
:func:`discount_months` lays out customer-months with the discount given, the relationship level,
what was known of the customer at the start of its year, and the two things that move discounts and
have nothing to do with the customer: shocks of wholesale cost by region and month, and who its
manager is.

What a discount changes itself (margin, revenue) is no covariate: its share of the two tells how
deep the discount is, and would take its effect away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.relationships.effects.entry import HABIT, PEOPLE
from keycustomer.relationships.effects.landmarks import STRETCH, landmark_months
from keycustomer.relationships.months.panel import CustomerMonths, customer_months

if TYPE_CHECKING:
    from keycustomer.simulate import Company

Source: TypeAlias = "CustomerBase | Company"

AMOUNTS = ("yearly_margin", "yearly_revenue")
"""Columns of a landmark that a discount changes."""

OFFERS = ("competitor_offer",)
"""Kinds of interactions that tell what competitors do, and that a discount does not change."""

LIST_VALUE = "yearly_list_value"
"""What the customer used at list prices at the start of the stretch, scaled to a year."""

SHOCKS = "cost_shock"


@dataclass(frozen=True, eq=False)
class DiscountMonths:
    """Customer-months in which level and discount are known.

    Attributes
    ----------
    frame : DataFrame
        customer_id, left, level (position), discount (share of the list price), number (month of
        the window), tenure, contract_left, manager and cost_shock where known, and `covariates`.
    covariates : tuple of str
        What was known of the customer before.
    months : CustomerMonths
        All months of all customers.
    instruments : tuple of str
        Which of "cost shocks" and "managers' habits" the source can tell.
    excluded : DataFrame
        reason, rows: months that are left out.
    """

    frame: pd.DataFrame
    covariates: tuple[str, ...]
    months: CustomerMonths = field(repr=False)
    instruments: tuple[str, ...]
    excluded: pd.DataFrame

    def __len__(self) -> int:
        """Count the customer-months."""
        return len(self.frame)


def discount_months(source: Source, *, controls: Sequence[str] = OFFERS) -> DiscountMonths:
    """Lay out the customer-months of a base or simulated company for the effect of discounts.

    Parameters
    ----------
    source : CustomerBase or Company
        A prepared base with contracts and transactions, or a simulated company.
    controls : sequence of str
        Kinds of interactions to hold constant, used where the source has them; only such as no
        discount brings about.

    Raises
    ------
    TypeError
        When the source is neither.
    ValueError
        When no discount or no level is known.
    """
    months = customer_months(source)
    rows = months.frame
    known = (rows["level"] >= 0) & rows["discount"].notna()
    _refuse_unusable(rows, known)
    table = _with_discounts(months, rows, controls)[known[rows["level"] >= 0].to_numpy()]
    table = _with_shocks(table.reset_index(drop=True), source)
    has = {"cost shocks": SHOCKS in table, "managers' habits": "manager" in table}
    spare = {"customer_id", "left", "level", "stretch", "tenure", "contract_left", "contact_cost"}
    own = {"discount", "number", "month", "manager", SHOCKS, *AMOUNTS, *PEOPLE, *HABIT}
    names = [str(one) for one in table.columns if one not in spare | own]
    return DiscountMonths(
        table,
        tuple(name for name in names if _usable(table[name])),
        months,
        tuple(name for name, there in has.items() if there),
        _excluded(rows),
    )


def _with_discounts(
    months: CustomerMonths, rows: pd.DataFrame, controls: Sequence[str]
) -> pd.DataFrame:
    """Landmarks with the discount of the month and the size at list prices before it."""
    table = landmark_months(months)
    kept = rows[rows["level"] >= 0]
    stretch = (months.months - 1 - kept["number"]) // STRETCH
    size = kept.groupby([kept["customer_id"], stretch], sort=False)["list_revenue"]
    columns = {
        "discount": kept["discount"].to_numpy(dtype=float),
        "number": kept["number"].to_numpy(dtype=np.int64),
        "month": kept["month"].to_numpy(),
        LIST_VALUE: 12 * size.transform("first").to_numpy(dtype=float),
    }
    columns |= {name: kept[name].to_numpy() for name in controls if name in kept}
    customers = months.customers.set_index("customer_id")
    if "manager" in customers and customers["manager"].nunique() > 1:
        columns["manager"] = table["customer_id"].map(customers["manager"]).to_numpy()
    return table.assign(**columns)


def _with_shocks(table: pd.DataFrame, source: Source) -> pd.DataFrame:
    """Join the cost shock of region and month, where the source has a market table with it."""
    shocks = _shocks(source)
    if shocks is None or "region" not in table:
        return table
    day = pd.to_datetime(shocks["month"]).dt.strftime("%Y-%m")
    found = dict(zip(zip(shocks["region"], day, strict=True), shocks[SHOCKS], strict=True))
    keys = zip(table["region"], table["month"].dt.strftime("%Y-%m"), strict=True)
    values = pd.Series([found.get(key, np.nan) for key in keys], dtype=float)
    # a market without a sale has no row: its shock is the mean of the others of that month
    filled = values.fillna(values.groupby(table["month"]).transform("mean")).fillna(0.0)
    return table.assign(**{SHOCKS: filled.to_numpy()}) if filled.nunique() > 1 else table


def _shocks(source: Source) -> pd.DataFrame | None:
    if not isinstance(source, CustomerBase):
        return source.tables()["market"].drop_duplicates(["region", "month"])
    if not all(source.has("market", column) for column in ("region", "month", SHOCKS)):
        return None
    return source.query(
        "select region, cast(month as date) as month, avg(cast(cost_shock as double)) as "
        "cost_shock from market group by all order by all"
    )


def _usable(values: pd.Series) -> bool:
    """Whether a column is no list of names and no days."""
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return True
    return not pd.api.types.is_datetime64_any_dtype(values) and values.nunique() <= 30


def _refuse_unusable(rows: pd.DataFrame, known: pd.Series) -> None:
    if not (rows["level"] >= 0).any():
        raise ValueError(
            "contracts.relationship_level: no level is known in any month; the level's effect "
            "needs it, from the base's contracts"
        )
    if not known.any():
        raise ValueError(
            "transactions.discount: no discount is known in any month with a level; the base "
            "needs list prices or discounts of its order lines"
        )


def _excluded(rows: pd.DataFrame) -> pd.DataFrame:
    level = int((rows["level"] < 0).sum())
    discount = int(((rows["level"] >= 0) & rows["discount"].isna()).sum())
    told = {"level not known": level, "nothing bought, so no discount": discount}
    return pd.DataFrame({"reason": list(told), "rows": list(told.values())})
