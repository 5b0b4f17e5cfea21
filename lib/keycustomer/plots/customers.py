"""Figures of the customer file: what is on file, what the rules removed, who is active.

Can the base be trusted before anything is computed from it?  Each function draws one result of
:mod:`keycustomer.customers`, states the finding in the title, and attaches a text alternative.
No figure names a customer, unless the caller gives the labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from keycustomer.customers.answers import Answer
from keycustomer.customers.base import CustomerBase
from keycustomer.customers.file_report import CustomerFileReport
from keycustomer.customers.questions import Differentiation
from keycustomer.customers.table import customer_periods
from keycustomer.plots.style import (
    PALETTE,
    compact_number,
    describe,
    escape_label,
    finding,
    new_axes,
    number_axis,
    percent,
    percent_axis,
)

STATES = {
    "filled": PALETTE["blue"],
    "filled, but stale": PALETTE["orange"],
    "says nothing": PALETTE["purple"],
    "empty": PALETTE["light grey"],
    "no such field": "#FFFFFF",
}
"""States of a field's values, with their colours."""

LONGEST_NAME = 34
"""Characters of a field's or rule's name that fit beside a bar."""


def completeness_map(report: CustomerFileReport, ax: Axes | None = None) -> Axes:
    """Draw, for every field of the customer file, which part is filled, stale, void or empty.

    Fields that a key account's file should have and the base has not are drawn as empty frames;
    of other tables only the fields with gaps are drawn.

    Parameters
    ----------
    report : CustomerFileReport
        From `keycustomer.customers.customer_file_report`.
    ax : Axes, optional
        Axes to draw into.
    """
    fields = _field_states(report)
    height = max(3.5, 1.8 + 0.36 * len(fields))
    ax = new_axes(ax, size=(10.0, height))
    _state_bars(ax, fields)
    for row, filled in enumerate(fields["share_filled"]):
        ax.text(1.015, row, percent(float(filled), 0), va="center", fontsize=12)
    names = [escape_label(name, LONGEST_NAME) for name in fields["name"]]
    ax.set_yticks(range(len(fields)), names, fontsize=12)
    ax.set_ylim(len(fields) - 0.4, -0.6)
    ax.set_xlim(0, 1.09)
    ax.set_xticks(np.linspace(0, 1, 5))
    percent_axis(ax.xaxis)
    ax.set_xlabel("share of the table's rows")
    ax.grid(axis="y", visible=False)
    ax.legend(loc="upper center", bbox_to_anchor=(0.42, -0.95 / height), ncols=3)
    finding(ax, _completeness_title(report), width=50)
    return describe(ax, _completeness_words(report, fields))


def _state_bars(ax: Axes, fields: pd.DataFrame) -> None:
    place, left = np.arange(len(fields)), np.zeros(len(fields))
    for state, colour in STATES.items():
        share = fields[state].to_numpy(float)
        some = share > 0
        if some.any():
            bars = ax.barh(
                place[some], share[some], left=left[some], color=colour, label=state, height=0.78
            )
            if state == "no such field":
                for bar in bars:
                    bar.set(edgecolor=PALETTE["grey"], linewidth=1.2, linestyle=":")
        left = left + share


def _field_states(report: CustomerFileReport) -> pd.DataFrame:
    """Shares of rows by state, one row a field: they add up to one."""
    everything = report.fields
    own = everything["table"] == "customers"
    shown = own if own.any() else ~own
    fields = everything[shown | (everything["share_filled"] < 1)]
    filled = fields["share_filled"].fillna(0)
    stale = filled * fields["share_stale"].fillna(0)
    void = (fields["placeholders"] / fields["rows"].clip(lower=1)).fillna(0)
    prefix = np.where(fields["table"] == "customers", "", fields["table"] + ".")
    states = pd.DataFrame(
        {
            "name": prefix + fields["field"],
            "share_filled": filled,
            "filled": filled - stale,
            "filled, but stale": stale,
            "says nothing": void,
            "empty": 1 - filled - void,
            "no such field": 0.0,
        }
    )
    return pd.concat([states, _absent_fields(report, list(states.columns))], ignore_index=True)


def _absent_fields(report: CustomerFileReport, columns: list[str]) -> pd.DataFrame:
    lacking = report.missing[report.missing["table"] == "customers"]
    names = lacking.loc[lacking["column"] != "", "column"].tolist()
    absent = pd.DataFrame(0.0, index=range(len(names)), columns=columns)
    absent["name"], absent["no such field"] = names, 1.0
    return absent


def _completeness_title(report: CustomerFileReport) -> str:
    own = report.fields[(report.fields["table"] == "customers")]
    own = own[own["field"] != "customer_id"]
    if not len(own):
        return "There is no customer file: customers are known only by what they buy"
    buying = report.coverage.set_index("group")["customers"]
    both = buying["on file and buying"]
    known = both / max(both + buying["buying, not on file"], 1)
    mean = percent(float(own["share_filled"].mean()), 0)
    return f"{percent(known, 0)} of the buyers are on file, with {mean} of the fields filled"


def _completeness_words(report: CustomerFileReport, fields: pd.DataFrame) -> str:
    present = fields[fields["no such field"] == 0]
    worst = present.sort_values(["share_filled", "name"]).head(3).to_dict("records")
    named = ", ".join(f"{row['name']} {percent(row['share_filled'], 0)}" for row in worst)
    absent = fields.loc[fields["no such field"] > 0, "name"].tolist()
    lacking = f" A key account's file would also have {', '.join(absent)}." if absent else ""
    return (
        f"Bars for {len(present)} fields with the share of rows that hold a value. "
        f"{_completeness_title(report)}; the least filled fields are {named}.{lacking}"
    )


def exclusion_bars(base: CustomerBase, ax: Axes | None = None) -> Axes:
    """Draw the rows that each rule removed or changed, with their value.

    Parameters
    ----------
    base : CustomerBase
        The prepared base.
    ax : Axes, optional
        Axes to draw into.

    Raises
    ------
    ValueError
        When no rule touched a row: there is nothing to draw.
    """
    # A return that is set against its purchase takes its value from there: only both rows tell it.
    keys = ["table_name", "rule", "action"]
    rules = base.exclusions.groupby(keys, as_index=False)[["rows", "value"]].sum(min_count=1)
    rules = rules[rules["rows"] > 0].sort_values(
        ["rows", "table_name", "rule"], ascending=[False, True, True]
    )
    if not len(rules):
        raise ValueError("exclusion_bars: no rule removed a row of this base; there is no figure")
    ax = new_axes(ax, size=(10.0, max(3.0, 1.8 + 0.62 * len(rules))))
    place = np.arange(len(rules))
    ax.barh(place, rules["rows"], color=PALETTE["vermilion"], height=0.7)
    for row, rule in zip(place, rules.to_dict("records"), strict=True):
        ax.annotate(
            escape_label(_rule_words(rule, base.currency)),
            (rule["rows"], row),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=13,
        )
    names = [
        f"{rule['table_name']}: {rule['rule']} ({rule['action']})"
        for rule in rules.to_dict("records")
    ]
    ax.set_yticks(place, [escape_label(name, 48) for name in names], fontsize=13)
    ax.set_ylim(len(rules) - 0.4, -0.6)
    ax.set_xlim(0, float(rules["rows"].max()) * 1.75)
    number_axis(ax.xaxis)
    ax.set_xlabel("rows")
    ax.grid(axis="y", visible=False)
    title = _exclusion_title(base, rules)
    finding(ax, title, width=44)
    said = "; ".join(
        f"{name} {_rule_words(rule, base.currency)}"
        for name, rule in zip(names, rules.to_dict("records"), strict=True)
    )
    return describe(ax, f"{title}. By rule: {said}.")


def _rule_words(rule: dict[Any, Any], currency: str) -> str:
    worth = "" if pd.isna(rule["value"]) else f", {compact_number(rule['value'])} {currency}"
    return f"{rule['rows']:,} rows{worth}"


def _exclusion_title(base: CustomerBase, rules: pd.DataFrame) -> str:
    own = rules[rules["table_name"] == "transactions"]
    if not len(own) or not base.has("transactions"):
        return f"Rules touched {int(rules['rows'].sum()):,} rows"
    kept = base.query("select count(*) as rows, sum(revenue) as revenue from transactions").iloc[0]
    rows, value = int(own["rows"].sum()), float(own["value"].fillna(0).sum())
    all_rows, revenue = rows + int(kept["rows"]), float(kept["revenue"] or 0)
    return (
        f"Rules touched {percent(rows / all_rows)} of {compact_number(all_rows)} order lines, "
        f"worth {compact_number(value)} {base.currency} beside {compact_number(revenue)} kept"
    )


def activity_over_time(
    base: CustomerBase, ax: Axes | None = None, *, every: str | None = None
) -> Axes:
    """Draw how many customers bought in each period: for the first time, or again.

    Parameters
    ----------
    base : CustomerBase
        The prepared base, with transactions.
    ax : Axes, optional
        Axes to draw into.
    every : str, optional
        Length of a period, as in `customer_periods`; default: weeks up to 14 months, else months.
    """
    every = every or ("week" if base.days <= 430 else "month")
    counts = _active_customers(customer_periods(base, every))
    ax = new_axes(ax)
    width = 0.86 * _days(every)
    ax.bar(
        counts.index,
        counts["again"],
        width,
        align="edge",
        color=PALETTE["sky"],
        label="had bought before",
        lw=0,
    )
    ax.bar(
        counts.index,
        counts["new"],
        width,
        bottom=counts["again"],
        align="edge",
        color=PALETTE["blue"],
        label="first purchase observed",
        lw=0,
    )
    number_axis(ax.yaxis)
    ax.set_ylabel(f"customers per {every}")
    ax.set_xlabel(f"{base.start} to {base.end}")
    ax.grid(axis="x", visible=False)
    ax.set_ylim(0, 1.16 * float((counts["again"] + counts["new"]).max()))
    ax.legend(loc="upper right", ncols=2)
    title = _activity_title(counts, every)
    finding(ax, title)
    return describe(ax, f"Stacked bars by {every}. {title}. {_activity_words(counts, every)}")


def _active_customers(periods: pd.DataFrame) -> pd.DataFrame:
    """Count customers by period, new ones apart; a period without a purchase is a gap."""
    bought = periods[periods["orders"] > 0]
    first = bought.groupby("customer_id")["period"].transform("min")
    new = (bought["period"] == first).groupby(bought["period"]).sum()
    everybody = bought.groupby("period")["customer_id"].size()
    orders = bought.groupby("period")["orders"].sum()
    return pd.DataFrame({"new": new, "again": everybody - new, "orders": orders}).sort_index()


def _days(every: str) -> float:
    """Usual length of a period in days."""
    usual = {"week": 7.0, "month": 30.4, "quarter": 91.3, "year": 365.2}
    return usual[every] if every in usual else float(every.split()[0])


def _activity_title(counts: pd.DataFrame, every: str) -> str:
    arrived = counts["new"].cumsum() / counts["new"].sum()
    most = arrived.index[int(np.searchsorted(arrived.to_numpy(), 0.9))]
    usual = float((counts["new"] + counts["again"]).median())
    return (
        f"Buyers in the median {every}: {compact_number(usual)}; nine in ten of all customers had "
        f"made their first purchase by {most:%B %Y}"
    )


def _activity_words(counts: pd.DataFrame, every: str) -> str:
    active = counts["new"] + counts["again"]
    return (
        f"Active customers per {every} range from {int(active.min()):,} to {int(active.max()):,}, "
        f"with {int(counts['orders'].sum()):,} orders in all."
    )


def last_largest(
    result: Differentiation | Answer,
    ax: Axes | None = None,
    *,
    shown: int = 15,
    labels: Sequence[str] | None = None,
) -> Axes:
    """Draw what the largest customers of the former period bought then and buy now.

    Parameters
    ----------
    result : Differentiation or Answer
        From `keycustomer.customers.differentiation`, or its answer `last_largest`.
    ax : Axes, optional
        Axes to draw into.
    shown : int
        Customers to draw, the largest of the former period first.
    labels : sequence of str, optional
        Names for the customers drawn, in order; default: their place in the former period.

    Raises
    ------
    ValueError
        When nobody bought in the former period, or there are too few labels.
    """
    answer = result if isinstance(result, Answer) else result["last_largest"]
    drawn = answer.customers.head(shown)
    if not len(drawn):
        raise ValueError(f"last_largest: {answer.sentence} There is nothing to draw.")
    if labels is not None and len(labels) < len(drawn):
        raise ValueError(
            f"last_largest: {len(drawn)} customers are drawn, got {len(labels)} labels"
        )
    names = labels or [f"no. {rank}" for rank in drawn["rank_former"]]
    ax = new_axes(ax, size=(10.0, 2.0 + 0.33 * len(drawn)))
    _dumbbells(ax, drawn)
    ax.set_yticks(
        range(len(drawn)), [escape_label(n, 24) for n in names[: len(drawn)]], fontsize=12
    )
    ax.set_ylim(len(drawn) - 0.4, -0.6)
    ax.set_xlim(left=min(0.0, float(drawn["latter"].min()) * 1.05))
    number_axis(ax.xaxis)
    currency = f", {result.currency}" if isinstance(result, Differentiation) else ""
    ax.set_xlabel(f"revenue in a period{escape_label(currency)}")
    ax.grid(axis="y", visible=False)
    ax.legend(loc="lower right")
    title = _largest_title(answer)
    finding(ax, title)
    gone = int((~drawn["still_orders"]).sum())
    fell = int((drawn["change"] < 0).sum())
    return describe(
        ax,
        f"Then and now for the {len(drawn)} largest customers of the former period: {fell} buy "
        f"less than then, {gone} of them nothing. {answer.sentence}",
    )


def _dumbbells(ax: Axes, drawn: pd.DataFrame) -> None:
    place = np.arange(len(drawn))
    stay = drawn["still_orders"].to_numpy(bool)
    ax.hlines(place, drawn["former"], drawn["latter"], color=PALETTE["light grey"], lw=4, zorder=1)
    ax.plot(drawn["former"], place, "o", color=PALETTE["grey"], ms=9, label="former period")
    if stay.any():
        ax.plot(
            drawn["latter"][stay],
            place[stay],
            "o",
            color=PALETTE["blue"],
            ms=11,
            label="latter period",
        )
    if not stay.all():
        ax.plot(
            drawn["latter"][~stay],
            place[~stay],
            "X",
            color=PALETTE["vermilion"],
            ms=12,
            label="orders no more",
            clip_on=False,
        )


def _largest_title(answer: Answer) -> str:
    largest = answer.customers
    stay = int(largest["still_orders"].sum())
    ratio = float(largest["latter"].sum()) / max(float(largest["former"].sum()), 1e-9) - 1
    moved = f"{percent(abs(ratio), 0)} {'less' if ratio < 0 else 'more'}"
    return (
        f"{percent(stay / len(largest), 0)} of the {len(largest):,} largest still order; together "
        f"they bring {moved} than before"
    )
