"""Figures of relationship economics: what the next customer costs, and what a level must gain.

:func:`next_customer_curves` draws what winning and keeping one customer more costs, with averages
beside it and the worth that both must not exceed; :func:`level_cost_dots` the same from data, by
relationship level; :func:`break_even_bars` how much a level must keep customers better to pay, and
how much it does; :func:`policy_dots` the value of customers in each state under a policy.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, PercentFormatter

from keycustomer.plots.audit import axis_label, title_width
from keycustomer.plots.labels import UNDERLAY, name_rows, short_names, shorten
from keycustomer.plots.legends import legend_below
from keycustomer.plots.style import (
    PALETTE,
    compact_number,
    describe,
    escape_label,
    finding,
    new_axes,
    number_axis,
)

if TYPE_CHECKING:
    from keycustomer.relationships.economics.attracting import CostByLevel
    from keycustomer.relationships.economics.closed_forms import LevelWorth
    from keycustomer.relationships.economics.policies import PolicyValue
    from keycustomer.relationships.economics.responses import ExponentialResponse
    from keycustomer.relationships.economics.spending import SpendingPlan

POINTS = 300
"""Points of a curve."""

HEADROOM = 1.7
"""Height of the figure of costs, in worths of a customer."""

LONGEST = 22
"""Characters of a level or state."""

WINNING, KEEPING = PALETTE["blue"], PALETTE["vermilion"]


def next_customer_curves(
    plan: SpendingPlan,
    ax: Axes | None = None,
    *,
    best: SpendingPlan | None = None,
    unit: str = "",
) -> Axes:
    """Draw what one customer more costs to win and to keep, by the spending a head.

    Parameters
    ----------
    plan : SpendingPlan
        Today's, from `keycustomer.relationships.spending_plan`.
    ax : Axes, optional
        Axes to draw into.
    best : SpendingPlan, optional
        From `best_spending`, to mark where both curves reach the worth of a customer.
    unit : str
        Currency, for the axes.
    """
    ax = new_axes(ax, size=(10, 6.8))
    worth = (best or plan).lifetime_value
    spent = [p.acquisition_spending for p in (plan, best) if p]
    spent += [p.retention_spending for p in (plan, best) if p]
    x = np.linspace(0, 1.3 * max(*spent, 1e-9), POINTS)
    top = HEADROOM * max(worth, 1e-9)
    for curve, colour in ((plan.acquisition, WINNING), (plan.retention, KEEPING)):
        _draw_costs(ax, curve, x, colour)
    ax.axhline(worth, color=PALETTE["green"], lw=2.5)
    _mark(ax, plan, "white")
    if best is not None:
        _mark(ax, best, None)
    ax.set_ylim(0, top)
    ax.set_xlim(0, x[-1])
    number_axis(ax.yaxis)
    ax.set_xlabel(axis_label("spending a head: prospect, or customer and period", unit))
    ax.set_ylabel(axis_label("cost of a customer", unit))
    legend_below(ax, columns=3, handles=_cost_keys(best is not None))
    finding(ax, _next_sentence(plan))
    told = f"At the best spending both cost {_amount(worth)}. " if best is not None else ""
    return describe(
        ax,
        f"Cost of winning and keeping a customer by spending a head. On average a customer won "
        f"costs {_amount(plan.average_acquisition_cost)}, one kept "
        f"{_amount(plan.average_retention_cost)}; the next one "
        f"{_amount(plan.marginal_acquisition_cost)} and {_amount(plan.marginal_retention_cost)}. "
        f"A customer is worth {_amount(plan.lifetime_value)}. {told}",
    )


def _draw_costs(ax: Axes, curve: ExponentialResponse, x: np.ndarray, colour: str) -> None:
    ax.plot(x, curve.marginal_cost(x), color=colour)
    ax.plot(x, curve.average_cost(x), color=colour, ls=":", lw=2.5)


def _mark(ax: Axes, plan: SpendingPlan, face: str | None) -> None:
    """Mark the marginal costs of a plan; one beyond the axes is left to the description."""
    for spending, cost, colour in (
        (plan.acquisition_spending, plan.marginal_acquisition_cost, WINNING),
        (plan.retention_spending, plan.marginal_retention_cost, KEEPING),
    ):
        ax.plot(spending, cost, "o", ms=12, color=face or colour, mec=colour, mew=3, zorder=5)


def _cost_keys(best: bool) -> list[Line2D]:
    black = PALETTE["black"]
    keys = [
        Line2D([], [], color=WINNING, label="winning"),
        Line2D([], [], color=KEEPING, label="keeping"),
        Line2D([], [], color=PALETTE["green"], lw=2.5, label="worth of a customer"),
        Line2D([], [], color=black, label="the next customer"),
        Line2D([], [], color=black, ls=":", lw=2.5, label="on average"),
        Line2D([], [], color="white", marker="o", mec=black, mew=3, ms=11, ls="", label="the plan"),
    ]
    if best:
        keys.append(Line2D([], [], color=black, marker="o", ms=11, ls="", label="best"))
    return keys


def _next_sentence(plan: SpendingPlan) -> str:
    winning, keeping = plan.marginal_acquisition_cost, plan.marginal_retention_cost
    costs = f"{_amount(winning)} to win, {_amount(keeping)} to keep"
    if math.isclose(winning, keeping, rel_tol=0.005):
        return f"One customer more costs the same to win and to keep, {_amount(winning)}"
    if min(winning, keeping) >= plan.lifetime_value:
        return f"One customer more costs {costs}, and is worth {_amount(plan.lifetime_value)}"
    cheaper = "winning" if winning < keeping else "keeping"
    return f"One customer more costs {costs}: the next money belongs to {cheaper}"


def level_cost_dots(result: CostByLevel, ax: Axes | None = None, *, unit: str = "") -> Axes:
    """Draw the average and the marginal cost of a customer kept, by relationship level.

    Parameters
    ----------
    result : CostByLevel
        From `keycustomer.relationships.cost_by_level`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency, for the axis.
    """
    frame = result.frame
    ax = new_axes(ax, size=(10, 2.6 + 0.62 * len(frame)))
    labels = [escape_label(name) for name in short_names(list(frame["level"]), LONGEST).values()]
    looks = (
        ("average_cost", "lower", "upper", PALETTE["blue"], "o", "on average", 0.12),
        (
            "marginal_cost", "marginal_lower", "marginal_upper", PALETTE["vermilion"], "D",
            "one customer more than at the level before", -0.12,
        ),
    )  # fmt: skip
    for name, low, high, colour, marker, said, up in looks:
        places = np.arange(len(frame)) + up
        ax.hlines(places, frame[low], frame[high], color=colour, lw=3)
        ax.plot(frame[name], places, marker, color=colour, ms=10, ls="", label=said)
    name_rows(ax, labels)
    _money_scale(ax, frame[["average_cost", "marginal_cost"]].to_numpy(dtype=float))
    ax.set_xlabel(axis_label("cost of a customer kept", unit))
    legend_below(ax, columns=2)
    last = frame.iloc[-1]
    finding(ax, _level_cost_sentence(last), width=title_width(ax, labels))
    told = "; ".join(
        f"{level} {_amount(average)} on average"
        + ("" if math.isnan(marginal) else f", {_amount(marginal)} one more")
        for level, average, marginal in zip(
            frame["level"], frame["average_cost"], frame["marginal_cost"], strict=True
        )
    )
    return describe(
        ax, f"Cost of keeping one of {result.customers:,} customers by level of all: {told}."
    )


def _money_scale(ax: Axes, costs: np.ndarray) -> None:
    """Use a logarithmic axis where costs are positive and differ by more than a factor of 5."""
    known = costs[np.isfinite(costs)]
    if known.min() > 0 and known.max() > 5 * known.min():
        ax.set_xscale("log")
        # ticks at 1, 2 and 5 while these do not crowd
        ax.xaxis.set_major_locator(
            LogLocator(subs=(1.0, 2.0, 5.0) if known.max() < 200 * known.min() else (1.0,))
        )
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: compact_number(value)))
    else:
        number_axis(ax.xaxis)


def _level_cost_sentence(last: pd.Series) -> str:
    level, average = shorten(last["level"], LONGEST), _amount(last["average_cost"])
    if math.isnan(last["marginal_cost"]):
        return f"At {level} a customer kept costs {average}, and no more are kept than before"
    return (
        f"At {level} a customer kept costs {average} on average, one customer more "
        f"{_amount(last['marginal_cost'])}"
    )


def break_even_bars(result: LevelWorth, ax: Axes | None = None, *, customer: int = 0) -> Axes:
    """Draw how much better each level must keep a customer to pay, and how much it does.

    Parameters
    ----------
    result : LevelWorth
        From `keycustomer.relationships.level_worth`.
    ax : Axes, optional
        Axes to draw into.
    customer : int
        Position of the customer.

    Raises
    ------
    IndexError
        When there is no such customer.
    """
    if not 0 <= customer < len(result.value):
        raise IndexError(f"customer={customer!r}: there are 0 to {len(result.value) - 1}")
    frame = result.to_frame()
    own = frame[frame["customer"] == customer].iloc[1:].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 2.8 + 0.62 * len(own)))
    labels = [escape_label(name) for name in short_names(list(own["level"]), LONGEST).values()]
    places = np.arange(len(own))
    needed = own["break_even"].replace(-np.inf, np.nan)
    colours = [PALETTE["blue"] if pays else PALETTE["orange"] for pays in own["pays"]]
    ax.barh(places, own["extra_retention"], color=colours, height=0.55)
    ax.plot(needed, places, "|", color=PALETTE["black"], ms=34, mew=4)
    ends = pd.concat([needed, own["extra_retention"]]).dropna()
    reach = max(ends.max(), 0.0) or 1e-4
    ax.set_xlim(min(1.15 * ends.min(), 0.0), 1.35 * reach)
    for place, row in enumerate(own.to_dict("records")):
        _never(ax, place, row)
    ax.axvline(0, color=PALETTE["grey"], lw=1)
    name_rows(ax, labels)
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=_digits(reach), symbol=" %"))
    ax.set_xlabel(f"Retention rate a {result.unit}, above the level before")
    legend_below(ax, columns=3, handles=_break_even_keys())
    finding(ax, _break_even_sentence(own), width=title_width(ax, labels))
    told = "; ".join(
        f"{row['level']} adds {100 * row['extra_retention']:.2f} points, needs "
        + (f"{100 * row['break_even']:.2f}" if math.isfinite(row["break_even"]) else "what no rate")
        for row in own.to_dict("records")
    )
    return describe(
        ax,
        f"Points added to the retention rate a {result.unit} by each level and those it needs to "
        f"pay, for a margin of {_amount(result.margin[customer, 0])} a {result.unit}: {told}.",
    )


def _never(ax: Axes, place: int, row: dict[Any, Any]) -> None:
    """Say beside the bar where no retention rate would pay for the level."""
    if not math.isnan(row["break_even"]):
        return
    ax.annotate(
        "no rate would pay",
        (max(row["extra_retention"], 0), place),
        (8, 0),
        textcoords="offset points",
        va="center",
        fontsize=14,
        bbox=UNDERLAY,
    )


def _digits(reach: float) -> int:
    """Decimals of percentages that tell ticks apart."""
    return max(0, min(4, math.ceil(-math.log10(max(reach, 1e-6))) - 1))


def _break_even_keys() -> list[Patch | Line2D]:
    return [
        Patch(color=PALETTE["blue"], label="added, and pays"),
        Patch(color=PALETTE["orange"], label="added, does not pay"),
        Line2D([], [], color=PALETTE["black"], marker="|", ms=18, mew=4, ls="", label="needed"),
    ]


def _break_even_sentence(own: pd.DataFrame) -> str:
    paying = own["pays"].astype(bool)
    if paying.all():
        return "Every level keeps the customer enough better to pay for itself"
    if not paying.any():
        return "No level keeps the customer enough better to pay for itself"
    last = own.loc[paying, "level"].iloc[-1]
    first = own.loc[~paying, "level"].iloc[0]
    return (
        f"{shorten(last, LONGEST).capitalize()} pays for itself, {shorten(first, LONGEST)} does not"
    )


def policy_dots(result: PolicyValue, ax: Axes | None = None, *, unit: str = "") -> Axes:
    """Draw the value of a customer by state, under a policy and under the best one.

    Parameters
    ----------
    result : PolicyValue
        From `keycustomer.relationships.policy_value`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency, for the axis.
    """
    frame = result.frame.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 2.6 + 0.55 * len(frame)))
    short = short_names(list(frame["state"]), LONGEST)
    labels = [
        escape_label(f"{short[row['state']]}: {shorten(row['best_action'], LONGEST)}")
        for row in frame.to_dict("records")
    ]
    places = np.arange(len(frame))
    ax.axvline(0, color=PALETTE["grey"], lw=1)
    ax.hlines(places, frame["value"], frame["best_value"], color=PALETTE["light grey"], lw=6)
    ax.plot(frame["value"], places, "s", color=PALETTE["orange"], ms=10, ls="", label="the policy")
    ax.plot(frame["best_value"], places, "o", color=PALETTE["blue"], ms=10, ls="", label="the best")
    name_rows(ax, labels)
    number_axis(ax.xaxis)
    ax.set_xlabel(axis_label("value of a customer", unit))
    ax.set_ylabel("State: best action")
    legend_below(ax, columns=2)
    most = result.frame.iloc[int(result.frame["gain"].argmax())]
    finding(ax, _policy_sentence(most), width=title_width(ax, labels))
    told = "; ".join(
        f"{row['state']} {_amount(row['value'])} under the policy, {_amount(row['best_value'])} "
        f"with {row['best_action']}"
        for row in result.frame.to_dict("records")
    )
    return describe(ax, f"Value of a customer by state: {told}.")


def _policy_sentence(most: pd.Series) -> str:
    if most["gain"] <= 1e-9 * max(1.0, abs(most["value"])):
        return "The policy is the best there is in every state"
    return (
        f"A customer in state {shorten(most['state'], LONGEST)!r} is worth {_amount(most['gain'])} "
        f"more under the best policy"
    )


def _amount(value: float) -> str:
    """Write an amount so that no line ends between the number and its unit."""
    return compact_number(value).replace(" ", "\N{NO-BREAK SPACE}")
