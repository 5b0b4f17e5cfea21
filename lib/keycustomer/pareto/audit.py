"""The customer-base audit: what the base is made of, and what changed between two periods.

Five lenses (Fader, Hardie & Ross).  :func:`audit_period`: one period, how customers differ
(lens 1).  :func:`revenue_bridge` and :func:`decompose_change`: two periods, who came and went, and
whether the change came from customers, orders, order value or margin (lens 2, with
:func:`~keycustomer.pareto.migration.class_migration`).  One cohort over time, cohorts compared and
the whole base (lenses 3 to 5) come from :func:`~keycustomer.pareto.cohorts.build_cohorts`.

The change of a product of factors is split by Shapley's rule: a factor's part is its effect
averaged over all orders in which the factors could have changed.  The parts add up exactly, do
not depend on an order, and exist for negative margins, where the logarithmic rule (LMDI) fails.

Sources: Fader, Hardie & Ross, "The Customer-Base Audit" (2022); Shapley (1953); Ang, "LMDI
decomposition approach" (Energy Policy 2015) for the alternative.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from math import factorial, prod

import numpy as np
import pandas as pd

from keycustomer.pareto.panel import (
    TICKS,
    PeriodChoice,
    Span,
    choose_span,
    known_before,
    read_panel,
    side_by_side,
    totals,
    two_spans,
)

MOST_ORDERS = 10
"""Customers with so many orders or more share one row of the distribution of orders."""


@dataclass(frozen=True)
class PeriodAudit:
    """One period of the customer base (lens 1).

    Attributes
    ----------
    period : str
        The period.
    value, profit : str
        What is called value (for example revenue), and what profit ("" when not known).
    summary : DataFrame
        One row: ``customers`` (who ordered), ``orders``, ``value``, ``profit``,
        ``orders_per_customer``, ``value_per_order``, ``margin_rate`` (profit / value), and
        ``ordered_once`` (share of customers with a single order).  value = customers x
        orders_per_customer x value_per_order; times margin_rate it is the profit.
    orders : DataFrame
        Distribution of orders: ``orders`` ("1" ... "10+"), ``customers``, ``share``, ``value``,
        ``value_share``.
    spread : DataFrame
        Quantiles over customers (rows ``p10`` ... ``p90``, ``mean``) of ``orders``, ``value``,
        ``value_per_order`` and ``profit``.
    deciles : DataFrame
        Ten equal groups of customers by value, the best first, with the columns of `summary` and
        ``value_share``.  Customers of equal value share the groups they span in equal parts.
    """

    period: str
    value: str
    profit: str
    summary: pd.DataFrame = field(repr=False)
    orders: pd.DataFrame = field(repr=False)
    spread: pd.DataFrame = field(repr=False)
    deciles: pd.DataFrame = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return the deciles."""
        return self.deciles.copy()

    def _repr_html_(self) -> str:
        note = html.escape(f"{self.value} of {self.period}: all customers, and by tenth.")
        whole = self.summary.assign(decile="all", value_share=1.0)
        both = pd.concat([whole, self.deciles.assign(decile=self.deciles["decile"].astype(str))])
        table = both[self.deciles.columns].to_html(
            index=False, escape=True, na_rep="", float_format="{:,.2f}".format
        )
        return f"<p>{note}</p>{table}"


def audit_period(
    periods: pd.DataFrame,
    period_chosen: PeriodChoice = None,
    *,
    value: str = "revenue",
    profit: str | None = None,
    customer_id: str = "customer_id",
    period: str = "period",
    orders: str | None = "orders",
) -> PeriodAudit:
    """Describe one period: distributions of orders and values, and a table of deciles.

    Parameters
    ----------
    periods : DataFrame
        One row a customer and period in which it bought (``customers.customer_periods``).
    period_chosen : date-like or (date-like, date-like), optional
        A period's first day, or the first days of the first and last period of a longer one; left
        out, the whole table.
    value : str
        Column customers are ranked by.
    profit : str, optional
        Column of margin or profit, where it is known for every row.
    customer_id, period, orders : str
        Columns of the table; ``orders=None`` when there is none: every period with a positive
        `value` then counts as one order.

    Returns
    -------
    PeriodAudit
        Summary, distributions and deciles of the customers who ordered.

    Raises
    ------
    ValueError
        With every complaint about the table or the period, or when nobody ordered in it.
    """
    panel = read_panel(
        periods,
        amounts=_amounts(value, profit),
        customer_id=customer_id,
        period=period,
        orders=orders,
    )
    whole = (panel["period"].min(), panel["period"].max())
    span = choose_span(panel, whole if period_chosen is None else period_chosen, "period_chosen")
    sums = totals(panel, span)
    _refuse_no_orders(sums["orders"], span)
    names = {value: "value"} | ({} if profit is None else {profit: "profit"})
    base = _in_units(sums[sums["orders"] > 0].rename(columns=names))
    return PeriodAudit(
        str(span),
        value,
        profit or "",
        _ratios(_whole(base)).assign(ordered_once=float((base["orders"] == 1).mean())),
        _order_distribution(base),
        _spread(base),
        _deciles(base),
    )


def _amounts(value: str, profit: str | None) -> Sequence[str]:
    if profit == value:
        raise ValueError(f"profit={profit!r}: the same column as value")
    return (value,) if profit is None else (value, profit)


def _refuse_no_orders(orders: pd.Series, span: Span) -> None:
    if not (orders > 0).any():
        raise ValueError(f"nobody ordered in the period {span}: it holds returns only")


def _in_units(sums: pd.DataFrame) -> pd.DataFrame:
    money = [name for name in ("value", "profit") if name in sums]
    return sums.assign(**{name: sums[name] / TICKS for name in money})


def _whole(base: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame([{"customers": float(len(base)), **base.sum()}])


def _ratios(sums: pd.DataFrame) -> pd.DataFrame:
    """Add the factors of value and profit to sums."""
    per = sums.assign(
        orders_per_customer=sums["orders"] / sums["customers"],
        value_per_order=sums["value"] / sums["orders"],
    )
    if "profit" in sums:
        per["margin_rate"] = sums["profit"] / sums["value"].where(sums["value"] != 0)
    return per


def _order_distribution(base: pd.DataFrame) -> pd.DataFrame:
    capped = base["orders"].clip(upper=MOST_ORDERS).astype(int)
    grouped = base.groupby(capped)["value"].agg(customers="size", value="sum")
    labels = [f"{n}+" if n == MOST_ORDERS else str(n) for n in grouped.index]
    total = grouped["value"].sum()
    return pd.DataFrame(
        {
            "orders": labels,
            "customers": grouped["customers"].to_numpy(),
            "share": (grouped["customers"] / len(base)).to_numpy(),
            "value": grouped["value"].to_numpy(),
            "value_share": (grouped["value"] / total if total else grouped["value"]).to_numpy(),
        }
    )


def _spread(base: pd.DataFrame) -> pd.DataFrame:
    each = base.assign(value_per_order=base["value"] / base["orders"])
    levels = {"p10": 0.1, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9}
    rows = {name: each.quantile(level) for name, level in levels.items()} | {"mean": each.mean()}
    return pd.DataFrame(rows).T.rename_axis("over_customers").reset_index()


def _deciles(base: pd.DataFrame) -> pd.DataFrame:
    """Add up ten equal groups by value, ties spread evenly, with their ratios."""
    blocks = base.assign(customers=1.0).groupby("value", sort=True).sum().iloc[::-1]
    blocks["value"] = blocks.index.to_numpy() * blocks["customers"]
    reached = np.r_[0.0, blocks["customers"].cumsum()]
    edges = np.linspace(0, len(base), 11)
    # cumulated sums are straight within a block of equal values: it is spread evenly
    sums = {
        name: np.diff(np.interp(edges, reached, np.r_[0.0, blocks[name].cumsum()]))
        for name in ("customers", "orders", "value", "profit")
        if name in blocks
    }
    table = _ratios(pd.DataFrame(sums))
    total = base["value"].sum()
    table["value_share"] = table["value"] / (total if total else np.nan)
    table.insert(0, "decile", np.arange(1, 11))
    return table


@dataclass(frozen=True)
class Bridge:
    """From one period's value to the next one's, by what customers did (lens 2).

    Attributes
    ----------
    first, second : str
        The periods.
    value : str
        What is bridged.
    frame : DataFrame
        One row a step: ``step``, ``kind`` ("total" or "change"), ``customers`` in the step and
        ``amount``.  The first total and the changes add up to the second total exactly (in
        1/10,000 of the unit); so do the customers who order, where the step changes their number.
    history : bool
        Whether the table reaches back before the first period; without, a customer who comes
        back after a pause cannot be told from a new one.
    """

    first: str
    second: str
    value: str
    frame: pd.DataFrame = field(repr=False)
    history: bool

    def amount(self, step: str) -> float:
        """Amount of a step.

        Raises
        ------
        KeyError
            When there is no such step; the message names them.
        """
        rows = self.frame.set_index("step")["amount"]
        if step not in rows:
            raise KeyError(f"step {step!r}: one of {', '.join(map(repr, rows.index))}")
        return float(rows[step])

    def to_frame(self) -> pd.DataFrame:
        """Return one row a step."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        note = html.escape(f"{self.value}: from {self.first} to {self.second}.")
        if not self.history:
            note += " The table begins with the first period: returning customers count as new."
        table = self.frame.to_html(index=False, escape=True, float_format="{:,.2f}".format)
        return f"<p>{note}</p>{table}"


def revenue_bridge(
    periods: pd.DataFrame,
    first: PeriodChoice = None,
    second: PeriodChoice = None,
    *,
    value: str = "revenue",
    customer_id: str = "customer_id",
    period: str = "period",
    orders: str | None = "orders",
) -> Bridge:
    """Explain the change of value by customers lost, kept, won back and won.

    Parameters
    ----------
    periods : DataFrame
        One row a customer and period in which it bought (``customers.customer_periods``); rows
        before the first period tell returning customers from new ones.
    first, second : date-like or (date-like, date-like), optional
        A period's first day, or the first days of the first and last period of a longer one.
        Left out, the table must hold exactly two periods.
    value : str
        Column to bridge: revenue, margin or profit.
    customer_id, period, orders : str
        Columns of the table; ``orders=None`` when there is none: then buying means `value` > 0.

    Returns
    -------
    Bridge
        Steps that add up exactly.

    Raises
    ------
    ValueError
        With every complaint about the table or the periods.
    """
    panel = read_panel(
        periods, amounts=(value,), customer_id=customer_id, period=period, orders=orders
    )
    spans = two_spans(panel, first, second)
    both = side_by_side(panel, *spans)
    history = bool(panel["period"].min() < spans[0].start)
    groups = _bridge_groups(panel, both, spans, value)
    change = both[1, value] - both[0, value]
    rows = [_total(str(spans[0]), both, 0, value)]
    for step, sign in _steps(spans, panel):
        inside = groups == step
        if sign or inside.any():
            amount = int(change[inside].sum()) / TICKS
            rows.append((step, "change", int(inside.sum()), amount))
    rows.append(_total(str(spans[1]), both, 1, value))
    frame = pd.DataFrame(rows, columns=["step", "kind", "customers", "amount"])
    return Bridge(str(spans[0]), str(spans[1]), value, frame, history)


def _total(name: str, both: pd.DataFrame, which: int, value: str) -> tuple[str, str, int, float]:
    buyers = int((both[which, "orders"] > 0).sum())
    return name, "total", buyers, int(both[which, value].sum()) / TICKS


LAPSED, LESS, MORE = "lapsed", "kept, bought less", "kept, bought as much or more"
RETURNED, NEW, NO_ORDERS = "returned", "new", "returns only"


def _steps(spans: tuple[Span, Span], panel: pd.DataFrame) -> list[tuple[str, bool]]:
    """Name the steps in their order, each with whether it is shown when nobody is in it."""
    known = panel.loc[panel["period"] < spans[1].start, "period"]
    earlier = bool(((known < spans[0].start) | (known > spans[0].end)).any())
    shown = {LAPSED: True, LESS: True, MORE: True, RETURNED: earlier, NEW: True}
    return [*shown.items(), (NO_ORDERS, False)]


def _bridge_groups(
    panel: pd.DataFrame, both: pd.DataFrame, spans: tuple[Span, Span], value: str
) -> pd.Series:
    """Step of every customer that has rows in either period."""
    was, now = both[0, "orders"] > 0, both[1, "orders"] > 0
    known = both.index.isin(known_before(panel, spans[1].start))
    less = both[1, value] < both[0, value]
    conditions = [was & ~now, was & now & less, was & now, now & known, now]
    steps = np.select(conditions, [LAPSED, LESS, MORE, RETURNED, NEW], default=NO_ORDERS)
    return pd.Series(steps, index=both.index)


@dataclass(frozen=True)
class Decomposition:
    """The change of value between two periods, by factor (lens 2).

    Attributes
    ----------
    first, second : str
        The periods.
    value : str
        What changed: the value, or the profit when it was given.
    before, after : float
        Its total in both periods.
    frame : DataFrame
        One row a factor: ``factor``, ``first``, ``second``, ``ratio`` (second / first),
        ``contribution`` (in units of value; they add up to the change) and ``share`` of the change
        (NaN when nothing changed).
    """

    first: str
    second: str
    value: str
    before: float
    after: float
    frame: pd.DataFrame = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a factor."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        note = html.escape(
            f"{self.value}: {self.before:,.2f} in {self.first}, {self.after:,.2f} in {self.second}."
        )
        table = self.frame.to_html(index=False, escape=True, float_format="{:,.3f}".format)
        return f"<p>{note}</p>{table}"


def decompose_change(
    periods: pd.DataFrame,
    first: PeriodChoice = None,
    second: PeriodChoice = None,
    *,
    value: str = "revenue",
    profit: str | None = None,
    customer_id: str = "customer_id",
    period: str = "period",
    orders: str | None = "orders",
) -> Decomposition:
    """Split the change of value into customers, orders per customer, value per order, margin rate.

    Parameters
    ----------
    periods, first, second, value, customer_id, period, orders
        As in :func:`revenue_bridge`.
    profit : str, optional
        Column of margin or profit; with it the change of profit is split, and the margin rate
        (profit / value) is the fourth factor.

    Returns
    -------
    Decomposition
        Contributions that add up to the change and do not depend on an order of the factors.

    Raises
    ------
    ValueError
        With every complaint about the table or the periods, or when nobody ordered in one of
        them, or its value is zero, so that a factor has no meaning.
    """
    panel = read_panel(
        periods,
        amounts=_amounts(value, profit),
        customer_id=customer_id,
        period=period,
        orders=orders,
    )
    spans = two_spans(panel, first, second)
    factors = [_factors(totals(panel, span), span, value, profit) for span in spans]
    parts = shapley_contributions(*factors)
    before, after = (float(prod(side.values())) for side in factors)
    frame = pd.DataFrame(
        {
            "factor": list(parts),
            "first": [float(x) for x in factors[0].values()],
            "second": [float(x) for x in factors[1].values()],
            "contribution": list(parts.values()),
        }
    )
    frame.insert(3, "ratio", frame["second"] / frame["first"].where(frame["first"] != 0))
    frame["share"] = frame["contribution"] / (after - before if after != before else np.nan)
    return Decomposition(str(spans[0]), str(spans[1]), profit or value, before, after, frame)


def _factors(sums: pd.DataFrame, span: Span, value: str, profit: str | None) -> dict[str, Fraction]:
    """Factors of a period's value as exact fractions."""
    _refuse_no_orders(sums["orders"], span)
    buyers = int((sums["orders"] > 0).sum())
    orders, worth = int(sums["orders"].sum()), Fraction(int(sums[value].sum()), TICKS)
    factors = {
        "customers": Fraction(buyers),
        "orders per customer": Fraction(orders, buyers),
        "value per order": worth / orders,
    }
    if profit is not None:
        if not worth:
            raise ValueError(f"{value} of the period {span} is zero: it has no margin rate")
        factors["margin rate"] = Fraction(int(sums[profit].sum()), TICKS) / worth
    return factors


def shapley_contributions(
    first: Mapping[str, float | Fraction], second: Mapping[str, float | Fraction]
) -> dict[str, float]:
    """Contribution of each factor to the change of their product.

    Parameters
    ----------
    first, second : mapping of str to number
        The factors before and after, under the same names.

    Returns
    -------
    dict of str to float
        A factor's effect averaged over all orders in which the factors could change, computed in
        exact fractions and rounded once.

    Raises
    ------
    ValueError
        When the names differ.
    """
    if set(first) != set(second):
        raise ValueError(
            f"first, second: the factors differ: {', '.join(first)} against {', '.join(second)}"
        )
    was, now = ({k: Fraction(x) for k, x in side.items()} for side in (first, second))
    return {factor: float(_shapley(factor, was, now)) for factor in first}


def _shapley(factor: str, was: Mapping[str, Fraction], now: Mapping[str, Fraction]) -> Fraction:
    others = [name for name in was if name != factor]
    total = Fraction(0)
    for size in range(len(others) + 1):
        weight = Fraction(factorial(size) * factorial(len(others) - size), factorial(len(was)))
        for changed in combinations(others, size):
            rest = Fraction(1)
            for name in others:
                rest *= now[name] if name in changed else was[name]
            total += weight * rest
    return total * (now[factor] - was[factor])
