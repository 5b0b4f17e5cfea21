"""Figures of price competition: the path of a war, replies, peace, mergers, entry, differentiation.

:func:`war_path` draws prices period by period, :func:`reply_curves` the best replies of two firms
with the path between them, :func:`peace_bars` what peace, breach and war bring each firm,
:func:`price_moves` prices before and after a merger or an entry, and :func:`compared_war_bars` what
the same war costs where products are more or less alike.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from keycustomer.plots.audit import axis_label, title_width
from keycustomer.plots.labels import UNDERLAY, name_rows, names_in_words, short_names, shorten
from keycustomer.plots.legends import legend_below
from keycustomer.plots.style import (
    PALETTE,
    compact_number,
    describe,
    escape_label,
    finding,
    new_axes,
    number_axis,
    palette,
    percent,
    percent_axis,
)
from keycustomer.plots.words import hundredths

if TYPE_CHECKING:
    from keycustomer.pricing.competition.differentiation import ComparedWars
    from keycustomer.pricing.competition.entries import EntryEffect
    from keycustomer.pricing.competition.mergers import MergerEffect
    from keycustomer.pricing.competition.peace_terms import PeaceTerms
    from keycustomer.pricing.competition.price_wars import PriceWar

LONGEST = 22
"""Characters of the name of a firm, product or market."""

SMALL = 0.05
"""Least end of an axis of losses: what rounding leaves of none is not drawn large."""

LINES = 6
"""Products drawn in a path; of more, those that sell most at peace."""

REPLY_POINTS = 41
"""Points of a curve of best replies."""


def war_path(result: PriceWar, ax: Axes | None = None, *, unit: str = "") -> Axes:
    """Draw the prices of a war period by period, with those at which it ends if nobody holds.

    Parameters
    ----------
    result : PriceWar
        From `keycustomer.pricing.price_war`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency, for the axis.
    """
    ax = new_axes(ax, size=(10, 6.4))
    market, periods = result.market, np.arange(result.periods + 1)
    at_peace = market.quantities(result.prices[0])
    shown = np.sort(np.argsort(-at_peace, kind="stable")[:LINES])
    names = short_names([market.products[j] for j in shown], LONGEST)
    marker = "o" if result.periods <= 30 else ""
    for j, colour in zip(shown, palette(len(shown)), strict=True):
        label = escape_label(names[market.products[j]])
        ax.plot(periods, result.prices[:, j], marker=marker, ms=7, color=colour, label=label)
        ax.axhline(result.equilibrium.prices[j], color=colour, ls=":", lw=2)
    ax.set_xlabel("Period (0: at peace; dotted: the equilibrium)")
    ax.set_ylabel(axis_label("price", unit))
    number_axis(ax.yaxis)
    legend_below(ax, columns=min(len(shown), 3))
    shares = result.loss_shares
    firms = short_names(market.names, LONGEST)
    costs = [f"{firms[firm]} {percent(share)}" for firm, share in shares.items()]
    dearest = [costs[n] for n in np.argsort(-shares.to_numpy(), kind="stable")]
    finding(ax, f"Part of the profit at peace that war costs: {names_in_words(dearest, 3, 60)}")
    hidden = len(market.products) - len(shown)
    more = f" {hidden} products that sell less are not drawn." if hidden else ""
    ends = result.settled_in
    when = "still moving at the end" if ends is None else f"settled in period {ends}"
    return describe(
        ax,
        f"Prices over {result.periods} periods of a price war started by "
        f"{names_in_words(result.attackers)}, {when}. Cost, share of the profit at peace: "
        f"{'; '.join(costs)}.{more}",
    )


def reply_curves(result: PriceWar, ax: Axes | None = None, *, unit: str = "") -> Axes:
    """Draw the best replies of two firms with one product each, and the path of the war.

    Parameters
    ----------
    result : PriceWar
        Of a market with two products of two firms.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency, for the axes.

    Raises
    ------
    ValueError
        When there are not two firms with one product each.
    """
    market = result.market
    if len(market.products) != 2 or len(market.names) != 2:
        raise ValueError(
            f"reply_curves: {len(market.names)} firms with {len(market.products)} products; two "
            "firms with one product each are needed, for more take war_path"
        )
    ax = new_axes(ax, size=(9, 7.4))
    one, two = result.prices[:, 0], result.prices[:, 1]
    ends = np.concatenate([result.prices, result.equilibrium.prices[None]])
    low, high = ends.min(axis=0), ends.max(axis=0)
    margin = 0.15 * np.maximum(high - low, 0.05 * high)
    low, high = np.maximum(low - margin, 1e-6), high + margin
    first, second = (short_names(market.names, LONGEST)[firm] for firm in market.names)
    for mine, colour, name in ((0, PALETTE["blue"], first), (1, PALETTE["vermilion"], second)):
        grid = np.linspace(low[1 - mine], high[1 - mine], REPLY_POINTS)
        replies = _replies(result, mine, grid)
        curve = (replies, grid) if mine == 0 else (grid, replies)
        ax.plot(*curve, color=colour, label=escape_label(f"best reply of {name}"))
    _draw_path(ax, result)
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    ax.set_xlabel(axis_label(f"price of {first}", unit))
    ax.set_ylabel(axis_label(f"price of {second}", unit))
    legend_below(ax, columns=2)
    pace = result.contraction
    told = (
        f"Each round of replies leaves {percent(pace)} of the distance to the equilibrium"
        if math.isfinite(pace)
        else "Not everybody answers, so that the war does not end at the equilibrium"
    )
    finding(ax, told)
    return describe(
        ax,
        f"Best replies of {first} and {second}, which cross at the prices "
        f"{result.equilibrium.prices[0]:.4g} and {result.equilibrium.prices[1]:.4g}; the war goes "
        f"there from {one[0]:.4g} and {two[0]:.4g}. {told}.",
    )


def _draw_path(ax: Axes, result: PriceWar) -> None:
    """Draw where the war goes, from peace, and where it would end."""
    ax.plot(*result.prices.T, "o-", color=PALETTE["black"], lw=1.8, ms=7, label="path of the war")
    ax.plot(*result.prices[0], "s", color=PALETTE["green"], ms=13, label="peace", zorder=5)
    ax.plot(
        *result.equilibrium.prices,
        "D",
        color="white",
        mec=PALETTE["black"],
        mew=3,
        ms=11,
        ls="",
        label="equilibrium",
        zorder=6,
    )


def _replies(result: PriceWar, mine: int, grid: np.ndarray) -> np.ndarray:
    """Best prices of one firm over a grid of the other's."""
    market, start = result.market, result.equilibrium.prices.copy()
    replies = []
    for price in grid:
        start[1 - mine] = price
        replies.append(market.best_reply(market.firms[mine], start)[mine])
    return np.array(replies)


def peace_bars(result: PeaceTerms, ax: Axes | None = None, *, unit: str = "") -> Axes:
    """Draw what peace, breach and war bring each firm a period.

    Parameters
    ----------
    result : PeaceTerms
        From `keycustomer.pricing.critical_discount_factor`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency, for the axis.
    """
    frame = result.frame.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 3.4 + 0.9 * len(frame)))
    labels = _rows_of(frame["firm"])
    kinds = (("peace", "green"), ("breach", "orange"), ("war", "vermilion"))
    for number, (kind, colour) in enumerate(kinds):
        places = np.arange(len(frame)) + 0.26 * (1 - number)
        ax.barh(places, frame[kind], height=0.24, color=PALETTE[colour])
    name_rows(ax, labels)
    ax.axvline(0, color=PALETTE["grey"], lw=1)
    number_axis(ax.xaxis)
    ax.set_xlabel(axis_label("profit a period", unit))
    keys = [
        Patch(color=PALETTE["green"], label="peace"),
        Patch(color=PALETTE["orange"], label="undercutting the others"),
        Patch(color=PALETTE["vermilion"], label="war"),
    ]
    legend_below(ax, columns=3, handles=keys)
    critical = result.critical
    told = (
        f"Peace holds if the next period is worth at least {critical:.3f} of this one"
        if critical < 1
        else f"No patience makes {names_in_words(_unwilling(result))} keep this peace"
    )
    finding(ax, told, width=title_width(ax, labels))
    each = "; ".join(
        f"{shorten(row['firm'], LONGEST)} {compact_number(row['peace'])} at peace, "
        f"{compact_number(row['breach'])} undercutting, {compact_number(row['war'])} in the war"
        for row in result.frame.to_dict("records")
    )
    return describe(ax, f"Profit a period by firm: {each}. {told}.")


def _unwilling(result: PeaceTerms) -> list[str]:
    hopeless = result.frame["critical_discount_factor"] >= 1
    return [str(firm) for firm in result.frame.loc[hopeless, "firm"]]


def price_moves(
    result: MergerEffect | EntryEffect, ax: Axes | None = None, *, unit: str = ""
) -> Axes:
    """Draw prices before and after a merger or an entry.

    Parameters
    ----------
    result : MergerEffect or EntryEffect
        From `keycustomer.pricing.merger_effect` or `entry_effect`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency, for the axis.
    """
    frame = result.frame.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 3.2 + 0.55 * len(frame)))
    labels = _rows_of(frame["product"])
    before = frame["price_before"].to_numpy(dtype=float)
    after = frame["price_after"].to_numpy(dtype=float)
    places = np.arange(len(frame))
    ax.hlines(places, before, after, color=PALETTE["grey"], lw=4)
    ax.plot(before, places, "o", color="white", mec=PALETTE["black"], mew=3, ms=12, ls="")
    ax.plot(after, places, "o", color=PALETTE["vermilion"], ms=12, ls="")
    name_rows(ax, labels)
    spread = np.concatenate([before[np.isfinite(before)], after])
    room = 0.22 * max(np.ptp(spread), 0.05 * spread.max())
    ax.set_xlim(spread.min() - room / 2, spread.max() + 1.6 * room)
    _write_changes(ax, before, after)
    number_axis(ax.xaxis)
    ax.set_xlabel(axis_label("price", unit))
    keys = [
        Line2D([], [], color="white", marker="o", mec="black", mew=3, ms=11, ls="", label="before"),
        Line2D([], [], color=PALETTE["vermilion"], marker="o", ms=12, ls="", label="after"),
    ]
    legend_below(ax, columns=2, handles=keys)
    told = _moved(result)
    finding(ax, told, width=title_width(ax, labels))
    each = "; ".join(
        f"{shorten(name, LONGEST)} "
        + (f"from {old:.4g} to {new:.4g}" if math.isfinite(old) else f"new at {new:.4g}")
        for name, old, new in zip(frame["product"], before, after, strict=True)
    )
    return describe(ax, f"{told}. Prices: {each}.")


def _write_changes(ax: Axes, before: np.ndarray, after: np.ndarray) -> None:
    for place, (old, new) in enumerate(zip(before, after, strict=True)):
        change = f"{new / old - 1:+.1%}" if math.isfinite(old) else "new"
        ax.annotate(
            change.replace("%", "\N{NO-BREAK SPACE}%").replace("-", "\N{MINUS SIGN}"),
            (max(new, old) if math.isfinite(old) else new, place),
            xytext=(12, 0),
            textcoords="offset points",
            va="center",
            fontsize=14,
            bbox=UNDERLAY,
        )


def _moved(result: MergerEffect | EntryEffect) -> str:
    surplus = result.surplus_change
    side = "gain" if surplus > 0 else "lose"
    buyers = f", and buyers {side} {compact_number(abs(surplus))} a period"
    end = buyers if math.isfinite(surplus) else ""
    known = result.frame.dropna(subset="price_before")
    merged = getattr(result, "price_change", None)
    if merged is not None:
        word = "raises" if merged >= 0 else "lowers"
        return f"The merger {word} its firms' prices by {percent(abs(merged))}{end}"
    change = known["price_change"]
    if (change <= 0).all():
        return f"The entry lowers prices by up to {percent(-change.min())}{end}"
    dearer = names_in_words(known.loc[change > 0, "product"], 2, LONGEST)
    return f"The entry makes {dearer} dearer by up to {percent(change.max())}{end}"


def compared_war_bars(result: ComparedWars, ax: Axes | None = None) -> Axes:
    """Draw what the same war costs us in several markets, holding the price and answering.

    Parameters
    ----------
    result : ComparedWars
        From `keycustomer.pricing.compare_wars`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.frame.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 3.4 + 0.8 * len(frame)))
    names = short_names(list(frame["market"]), LONGEST)
    labels = [
        f"{escape_label(names[name])}\nelasticity {hundredths(own)}"
        for name, own in zip(frame["market"], frame["own_price_elasticity"], strict=True)
    ]
    for shift, column, colour in (
        (0.19, "loss_holding", "blue"),
        (-0.19, "loss_answering", "orange"),
    ):
        ax.barh(np.arange(len(frame)) + shift, frame[column], height=0.34, color=PALETTE[colour])
    name_rows(ax, labels)
    ax.axvline(0, color=PALETTE["grey"], lw=1)
    losses = frame[["loss_holding", "loss_answering"]].to_numpy(dtype=float)
    ax.set_xlim(1.08 * min(losses.min(), 0.0), 1.08 * max(losses.max(), SMALL))
    percent_axis(ax.xaxis)
    ax.set_xlabel("Share of our profit at peace that the war takes")
    keys = [
        Patch(color=PALETTE["blue"], label="we hold our price"),
        Patch(color=PALETTE["orange"], label="we answer"),
    ]
    legend_below(ax, columns=2, handles=keys)
    finding(ax, _taken(result, names), width=title_width(ax, labels))
    each = "; ".join(
        f"{shorten(row['market'], LONGEST)}: {percent(row['loss_holding'])} holding, "
        f"{percent(row['loss_answering'])} answering, own elasticity "
        f"{row['own_price_elasticity']:.2f}"
        for row in result.frame.to_dict("records")
    )
    return describe(ax, f"Share of our profit that a war takes. {each}.")


def _taken(result: ComparedWars, names: dict[object, str]) -> str:
    """Say what the war takes where it takes least and most, each with our better reply."""
    least = result.frame[["loss_holding", "loss_answering"]].min(axis=1).to_numpy(dtype=float)
    best, worst = int(least.argmin()), int(least.argmax())
    told = f"A rival {percent(result.cut, 0)} cheaper takes {percent(least[best])} of our profit"
    if percent(least[best]) == percent(least[worst]):
        return told
    mild, dear = (names[result.frame["market"].iloc[n]] for n in (best, worst))
    return f"{told} in {mild!r}, {percent(least[worst])} in {dear!r}"


def _rows_of(names: object) -> list[str]:
    told = list(names)  # type: ignore[call-overload]
    short = short_names(told, LONGEST)
    return [escape_label(short[name]) for name in told]
