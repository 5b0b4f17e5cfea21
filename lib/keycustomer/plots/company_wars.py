"""Figures of a price war on the simulated company: replies, service, and many companies.

:func:`war_reply_dots` draws what a war leaves of the profit by reply and service,
:func:`lowered_sensitivity_dots` by how much better service lowers the sensitivity to the war,
company by company.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from keycustomer.plots.audit import axis_label, title_width
from keycustomer.plots.labels import name_rows
from keycustomer.plots.legends import legend_below
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

if TYPE_CHECKING:
    from keycustomer.pricing.competition.company_wars import WarWithService
    from keycustomer.pricing.competition.wars_over_companies import WarsOverCompanies


def war_reply_dots(result: WarWithService, ax: Axes | None = None, *, unit: str = "") -> Axes:
    """Draw the profit at peace and in the war by reply and service.

    Parameters
    ----------
    result : WarWithService
        From `keycustomer.pricing.war_with_service`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency, for the axis.
    """
    frame = result.frame.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 3.2 + 0.62 * len(frame)))
    served = {"as today": "served as today", "better": "better service"}
    labels = [
        escape_label(f"{reply}, {served[service]}")
        for reply, service in zip(frame["reply"], frame["service"], strict=True)
    ]
    places = np.arange(len(frame))
    calm, fought = frame["profit_at_peace"], frame["profit_in_war"]
    colours = np.where(frame["service"] == "better", PALETTE["green"], PALETTE["blue"])
    ax.hlines(places, fought, calm, color=colours, lw=4)
    ax.scatter(calm, places, s=150, facecolor="white", edgecolor=colours, lw=3, zorder=4)
    ax.scatter(fought, places, s=170, color=colours, zorder=4)
    ax.axvline(0, color=PALETTE["grey"], lw=1)
    name_rows(ax, labels)
    number_axis(ax.xaxis)
    ax.set_xlabel(axis_label("expected profit over the window, simulated", unit))
    keys = [
        Line2D([], [], color="white", marker="o", mec="black", mew=3, ms=11, ls="", label="peace"),
        Line2D([], [], color=PALETTE["black"], marker="o", ms=12, ls="", label="price war"),
    ]
    legend_below(ax, columns=2, handles=keys)
    best = result.frame.iloc[int(result.frame["profit_in_war"].argmax())]
    done = {"as today": "Going on as today", "hold prices": "Holding prices", "follow": "Following"}
    also = " and serving better" if best["service"] == "better" else ""
    told = f"{done[best['reply']]}{also} leaves most in the price war: "
    finding(ax, told + compact_number(best["profit_in_war"]), width=title_width(ax, labels))
    each = "; ".join(
        f"{row['reply']}, service {row['service']}: {compact_number(row['profit_at_peace'])} at "
        f"peace, {compact_number(row['profit_in_war'])} in the war"
        for row in result.frame.to_dict("records")
    )
    return describe(
        ax,
        f"Simulated profit by reply to a price war and by service ({result.service}). {each}.",
    )


def lowered_sensitivity_dots(result: WarsOverCompanies, ax: Axes | None = None) -> Axes:
    """Draw by how much better service lowers the sensitivity to a price war, by company.

    Parameters
    ----------
    result : WarsOverCompanies
        From `keycustomer.pricing.judge_wars`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(10, 5.2))
    frame = result.frame
    lowered = 1 - (frame["sensitivity_better"] / frame["sensitivity_usual"]).to_numpy(dtype=float)
    lowered = np.sort(lowered)
    mean = result.share_lowered()
    places = np.arange(1, len(lowered) + 1)
    if math.isfinite(mean.lower):
        ax.axhspan(mean.lower, mean.upper, color=PALETTE["sky"], alpha=0.45, lw=0)
    ax.axhline(mean.estimate, color=PALETTE["blue"])
    ax.axhline(0, color=PALETTE["grey"], lw=1.5)
    ax.plot(places, lowered, "o", color=PALETTE["black"], ms=9, ls="")
    percent_axis(ax.yaxis, digits=1)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel(f"Simulated companies in order ({result.accounts:,} accounts each)")
    ax.set_ylabel("Lower by")
    keys = [
        Line2D([], [], color=PALETTE["black"], marker="o", ms=9, ls="", label="one company"),
        Line2D([], [], color=PALETTE["blue"], label="mean, with its 95 % interval"),
    ]
    legend_below(ax, columns=2, handles=keys)
    word = "lowers" if mean.estimate >= 0 else "raises"
    finding(
        ax,
        f"Better service {word} the sensitivity to a price war by "
        f"{percent(abs(mean.estimate))}: {result.verdict}",
    )
    return describe(
        ax,
        f"Share by which better service ({result.service}) lowers the rise of the log-odds of "
        f"leaving in a price war, in {result.companies} simulated companies: mean "
        f"{mean.as_percent()}; {int((lowered > 0).sum())} companies above 0. Verdict: "
        f"{result.verdict}.",
    )
