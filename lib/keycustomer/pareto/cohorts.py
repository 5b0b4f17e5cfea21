"""Cohorts: do customers won at the same time stay, and do later ones come up to earlier ones.

:func:`build_cohorts` puts every customer into the cohort of the period of its first purchase and
follows each cohort from period to period.  Its result gives the retention triangle and its
relatives (:meth:`Cohorts.triangle`), one cohort over time (:meth:`Cohorts.one`, lens 3 of the
customer-base audit), cohorts at the same age (:meth:`Cohorts.compare`, lens 4) and the revenue of
the whole base layered by cohort, the C3 picture (:meth:`Cohorts.layers`, lens 5).

What lies after the end of observation has not happened yet: such cells are missing, never zero,
and a period that is observed only in part counts as missing in every rate.  The first purchase is
the first one in the table: one that begins in the middle of a firm's life puts all older customers
into its first cohorts.

Source: Fader, Hardie & Ross, "The Customer-Base Audit" (2022), lenses 3 to 5.
"""

from __future__ import annotations

import datetime as dt
import html
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from keycustomer.pareto.calendar import Calendar, read_calendar
from keycustomer.pareto.panel import TICKS, read_panel
from keycustomer.stats.proportion import wilson_interval

Cell: TypeAlias = Literal[
    "retention",
    "active",
    "orders",
    "value",
    "value_per_customer",
    "cumulative_value_per_customer",
    "orders_per_active",
    "value_per_order",
]
"""What a triangle can show; "customer" is a customer won, "active" one that buys in the period."""


@dataclass(frozen=True)
class Cohorts:
    """Customers by the period of their first purchase, followed over time.

    Attributes
    ----------
    value : str
        What is added up, for example revenue.
    every : str
        Length of a period.
    frame : DataFrame
        One row a cohort and observed period: ``cohort``, ``period`` (first days), ``age`` (periods
        since the first purchase), ``size`` (customers won), ``active`` (of them buying in the
        period), ``orders``, ``value``, ``retention`` (active / size) with ``lower`` and ``upper``
        (Wilson), ``complete`` (whether the whole period is observed).
    """

    value: str
    every: str
    frame: pd.DataFrame = field(repr=False)

    @property
    def sizes(self) -> pd.Series:
        """Customers won, by cohort."""
        return self.frame.groupby("cohort")["size"].first()

    def triangle(
        self, of: Cell = "retention", *, by: Literal["age", "period"] = "age"
    ) -> pd.DataFrame:
        """Table with one row a cohort and one column an age or a period.

        Parameters
        ----------
        of : str
            ``retention``, ``active``, ``orders``, ``value``, ``value_per_customer``,
            ``cumulative_value_per_customer``, ``orders_per_active`` or ``value_per_order``.
        by : {"age", "period"}
            What the columns are.

        Returns
        -------
        DataFrame
            NaN before the first purchase and where a period is not wholly observed.

        Raises
        ------
        ValueError
            When `of` or `by` is none of these.
        """
        if of not in get_args(Cell) or by not in ("age", "period"):
            raise ValueError(
                f"triangle(of={of!r}, by={by!r}): of is one of {', '.join(get_args(Cell))}; "
                "by is age or period"
            )
        whole = self.frame[self.frame["complete"]]
        return whole.assign(cell=_cells(whole, of)).pivot(index="cohort", columns=by, values="cell")

    def layers(self) -> pd.DataFrame:
        """Value of every period (rows) by cohort (columns), as far as observed (C3).

        Returns
        -------
        DataFrame
            NaN before a cohort's first purchase; a row adds up to the period's value.
        """
        return self.frame.pivot(index="period", columns="cohort", values="value")

    def whole(self) -> pd.DataFrame:
        """Return the whole base by period: active customers, value, share from new customers."""
        parts = self.frame.assign(new_value=self.frame["value"].where(self.frame["age"] == 0, 0.0))
        grouped = parts.groupby("period")
        whole = grouped[["active", "orders", "value", "new_value"]].sum()
        whole["new_share"] = whole["new_value"] / whole["value"].where(whole["value"] != 0)
        return whole.assign(complete=grouped["complete"].first()).reset_index()

    def one(self, cohort: dt.date | str | None = None) -> pd.DataFrame:
        """One cohort over time (lens 3), wholly observed periods only.

        Parameters
        ----------
        cohort : date-like, optional
            First day of the cohort's period; the largest cohort when left out.

        Raises
        ------
        ValueError
            When there is no such cohort.
        """
        largest = self.sizes.index[int(self.sizes.argmax())]
        chosen = pd.Timestamp(largest if cohort is None else cohort)
        rows = self.frame[(self.frame["cohort"] == chosen) & self.frame["complete"]]
        if rows.empty:
            known = ", ".join(f"{day:%Y-%m-%d}" for day in self.sizes.index[:6])
            raise ValueError(
                f"cohort={cohort!r}: no cohort with a wholly observed period begins on that day; "
                f"the first cohorts are {known}"
            )
        wanted: tuple[Cell, ...] = (
            "orders_per_active",
            "value_per_order",
            "value_per_customer",
            "cumulative_value_per_customer",
        )
        cells = {name: _cells(rows, name) for name in wanted}
        return rows.drop(columns="complete").assign(**cells).reset_index(drop=True)

    def compare(self, age: int | None = None) -> pd.DataFrame:
        """Cohorts at the same age (lens 4): size, retention, value per customer won so far.

        Parameters
        ----------
        age : int, optional
            Periods since the first purchase; left out, the age that half of the cohorts reached.

        Returns
        -------
        DataFrame
            One row a cohort; NaN for cohorts that have not reached the age yet.

        Raises
        ------
        ValueError
            When no cohort has reached the age.
        """
        reached = self.frame[self.frame["complete"]].groupby("cohort")["age"].max()
        chosen = int(reached.median()) if age is None else age
        if not 0 <= chosen <= reached.max():
            raise ValueError(f"age={age}: between 0 and {reached.max()}, the oldest cohort's age")
        table = self.sizes.to_frame("size").assign(age=chosen)
        for name in ("retention", "value_per_customer", "cumulative_value_per_customer"):
            table[name] = self.triangle(name)[chosen]
        return table.reset_index()

    def to_frame(self) -> pd.DataFrame:
        """Return one row a cohort and observed period."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        shares = self.triangle().map(lambda share: "" if pd.isna(share) else f"{share:.1%}")
        shares.insert(0, "customers", self.sizes.map("{:,}".format))
        shares.index = pd.Index([f"{day:%Y-%m-%d}" for day in shares.index], name="cohort")
        note = html.escape(
            f"Share of each cohort that buys, by {self.every}s since the first purchase."
        )
        return f"<p>{note}</p>{shares.to_html(escape=True)}"


def _cells(rows: pd.DataFrame, of: Cell) -> pd.Series:
    """Values of a kind of cell for rows sorted by cohort and age."""
    if of in rows.columns:
        return rows[of]
    if of == "value_per_customer":
        return rows["value"] / rows["size"]
    if of == "cumulative_value_per_customer":
        return rows.groupby("cohort")["value"].cumsum() / rows["size"]
    above, below = {
        "orders_per_active": ("orders", "active"),
        "value_per_order": ("value", "orders"),
    }[of]
    return rows[above] / rows[below].where(rows[below] > 0)


def build_cohorts(
    periods: pd.DataFrame,
    *,
    every: str | None = None,
    end: dt.date | str | None = None,
    value: str = "revenue",
    level: float = 0.95,
    customer_id: str = "customer_id",
    period: str = "period",
    orders: str | None = "orders",
) -> Cohorts:
    """Follow customers by the period of their first purchase.

    Parameters
    ----------
    periods : DataFrame
        One row a customer and period in which it bought (``customers.customer_periods``).
    every : str, optional
        Length of a period: ``week``, ``month``, ``quarter``, ``year`` or ``N days``; left out, it
        is taken from the distances between periods.
    end : date-like, optional
        Last day observed (``base.end``).  A last period that goes on beyond it is marked
        incomplete; periods without any purchase before it count as observed.  Left out, the
        table's last period is taken as complete and as the last one.
    value : str
        Column to add up.
    level : float
        Confidence level of the retention rates.
    customer_id, period, orders : str
        Columns of the table; ``orders=None`` when there is none: then buying means `value` > 0.

    Returns
    -------
    Cohorts
        Every cohort in every observed period.

    Raises
    ------
    ValueError
        With every complaint about the table, when it holds periods after `end`, or when nobody
        ever ordered.
    """
    panel = read_panel(
        periods, amounts=(value,), customer_id=customer_id, period=period, orders=orders
    )
    calendar = read_calendar(pd.DatetimeIndex(panel["period"]), every)
    panel["number"] = calendar.numbers(pd.DatetimeIndex(panel["period"]))
    count, complete = _observed(panel, calendar, end)
    panel["cohort"] = _first_seen(panel)
    cells = _cohort_cells(panel.rename(columns={value: "value"}), count)
    cells["complete"] = cells["period"] < complete
    cells["value"] = cells["value"] / TICKS
    cells["retention"] = cells["active"] / cells["size"]
    cells["lower"], cells["upper"] = wilson_interval(cells["active"], cells["size"], level)
    starts = calendar.starts(count)
    cells["cohort"], cells["period"] = starts[cells["cohort"]], starts[cells["period"]]
    return Cohorts(value, str(calendar), cells[COLUMNS])


COLUMNS = [
    "cohort",
    "period",
    "age",
    "size",
    "active",
    "orders",
    "value",
    "retention",
    "lower",
    "upper",
    "complete",
]
"""Columns of ``Cohorts.frame``."""


def _observed(
    panel: pd.DataFrame, calendar: Calendar, end: dt.date | str | None
) -> tuple[int, int]:
    """Count the periods that have begun, and those of them that are wholly observed."""
    last = int(panel["number"].max())
    if end is None:
        return last + 1, last + 1
    day = pd.Timestamp(end)
    if day < calendar.start(last):
        raise ValueError(
            f"end={end!r}: the table has purchases in the period from "
            f"{calendar.start(last):%Y-%m-%d}, after the end of observation"
        )
    begun = int(calendar.numbers(pd.DatetimeIndex([day]))[0]) + 1
    over = calendar.start(begun) <= day + pd.Timedelta(days=1)
    return begun, begun if over else begun - 1


def _first_seen(panel: pd.DataFrame) -> pd.Series:
    """Return for each row the number of its customer's first period in the table."""
    if not (panel["orders"] > 0).any():
        raise ValueError("periods: nobody ordered in any period, so there are no cohorts")
    return panel.groupby("customer_id")["number"].transform("min")


def _cohort_cells(panel: pd.DataFrame, count: int) -> pd.DataFrame:
    """Every cohort (number) in every period (number) that has begun, zero where nobody bought."""
    buying = panel.assign(active=(panel["orders"] > 0).astype(np.int64))
    sums = buying.groupby(["cohort", "number"])[["active", "orders", "value"]].sum()
    size = panel.groupby("cohort")["customer_id"].nunique()
    pairs = [(cohort, number) for cohort in size.index for number in range(cohort, count)]
    grid = pd.MultiIndex.from_tuples(pairs, names=["cohort", "period"])
    cells = sums.rename_axis(["cohort", "period"]).reindex(grid, fill_value=0).reset_index()
    return cells.assign(age=cells["period"] - cells["cohort"], size=cells["cohort"].map(size))
