"""Figures of the demand of a market: models compared, who takes buyers from whom, markups, mergers.

:func:`demand_model_dots` sets the mean own-price elasticity of several models side by side,
:func:`elasticity_map` shows own and cross elasticities of a market, :func:`diversion_bars` where
buyers go whom a product loses, :func:`markup_dots` what firms earn on each product,
:func:`price_change_bars` what other prices do to the shares, :func:`merger_dots` prices before and
after a merger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from keycustomer.plots.audit import axis_label, title_width
from keycustomer.plots.labels import interval_text, name_rows, names_in_words, short_names, shorten
from keycustomer.plots.legends import legend_below
from keycustomer.plots.style import (
    PALETTE,
    describe,
    escape_label,
    finding,
    new_axes,
    palette,
    percent,
    percent_axis,
)
from keycustomer.plots.words import MINUS, capital, made_up, with_minus

if TYPE_CHECKING:
    from keycustomer.pricing.market.comparison import DemandComparison
    from keycustomer.pricing.market.demand import MarketDemand
    from keycustomer.pricing.market.mergers import MarketMerger

LONGEST = 26
"""Characters of a name."""

MOST = 10
"""Products shown of a market, the largest; more cannot be read."""

MOST_BARS = 8
"""Rows of bars shown."""

MOST_MERGING, MOST_OTHERS = 12, 4
"""Products shown of a merger."""

OUTSIDE = "outside"
"""Row of a result for those who buy none of the products."""


def demand_model_dots(result: DemandComparison, ax: Axes | None = None) -> Axes:
    """Draw the mean own-price elasticity by model, with intervals and the truth where known.

    Parameters
    ----------
    result : DemandComparison
        From `keycustomer.pricing.compare_demands`.
    ax : Axes, optional
        Axes to draw into.
    """
    rows = result.frame.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 3.0 + 0.6 * len(rows)))
    weak = rows["effective_f"] < 10
    colours = np.where(weak, PALETTE["vermilion"], PALETTE["blue"])
    known = rows["lower"].notna()
    ax.hlines(
        rows.index[known], rows["lower"][known], rows["upper"][known],
        color=colours[known], lw=4,
    )  # fmt: skip
    for chosen, colour, told in (
        (~weak, PALETTE["blue"], f"estimate, {percent(result.level, 0)} interval"),
        (weak, PALETTE["vermilion"], "weak instruments"),
    ):
        if chosen.any():
            ax.plot(
                rows["own_price_elasticity"][chosen], rows.index[chosen], "o", color=colour, ms=11,
                label=told,
            )  # fmt: skip
    ax.axvline(-1, color=PALETTE["grey"], ls=":", lw=2.5, label=f"inelastic right of {MINUS}1")
    if result.truth is not None:
        ax.axvline(result.truth, color=PALETTE["green"], ls="--", label="truth")
    labels = _labels(rows["name"])
    name_rows(ax, labels)
    ax.set_xlabel("Mean own-price elasticity (% of sales per % of price)")
    legend_below(ax, columns=2)
    finding(ax, capital(with_minus(result.sentence)), width=title_width(ax, labels))
    told = "; ".join(
        f"{r['name']} {interval_text(r['own_price_elasticity'], r['lower'], r['upper'])}, "
        f"{r['inelastic']:,} of {r['rows']:,} rows inelastic"
        for r in rows.iloc[::-1].to_dict("records")
    )
    truth = "" if result.truth is None else f" The truth is {result.truth:.2f}."
    return describe(ax, f"Mean own-price elasticity by model: {told}.{truth}")


def elasticity_map(
    result: MarketDemand, market: str, ax: Axes | None = None, *, most: int = MOST
) -> Axes:
    """Draw own and cross-price elasticities of the largest products of a market.

    Parameters
    ----------
    result : MarketDemand
        From `keycustomer.pricing.fit_market_demand`.
    market : str
        Name of the market.
    ax : Axes, optional
        Axes to draw into.
    most : int
        Products shown, the largest.
    """
    table = result.elasticities(market)
    chosen = _largest(result, market, most)
    shown = table.loc[chosen, chosen]
    count = len(chosen)
    ax = new_axes(ax, size=(3.4 + 0.82 * max(count, 5), 3.0 + 0.56 * max(count, 4)))
    cross = shown.to_numpy(float)
    off = np.where(np.eye(count, dtype=bool), np.nan, cross)
    if np.isfinite(off).any() and np.nanmin(off) > 0:
        # Colours stay light enough for the numbers on them.
        norm = LogNorm(np.nanmin(off) * 0.9, np.nanmax(off) * 30)
        ax.pcolormesh(np.arange(count + 1) - 0.5, np.arange(count + 1) - 0.5, off, norm=norm,
                      cmap="Blues", edgecolor="white", lw=2)  # fmt: skip
    for j in range(count):
        for k in range(count):
            own = j == k
            ax.text(
                k, j, with_minus(f"{cross[j, k]:.2f}"), ha="center", va="center",
                fontsize=13, fontweight="bold" if own else "normal",
                color=PALETTE["vermilion"] if own else PALETTE["black"],
            )  # fmt: skip
    labels = _labels(chosen)
    ax.set_xticks(range(count), labels, rotation=90 if max(map(len, labels)) > 5 else 0)
    ax.set_yticks(range(count), labels)
    ax.set_xlim(-0.5, count - 0.5)
    ax.set_ylim(count - 0.5, -0.5)
    ax.grid(visible=False)
    ax.tick_params(length=0)
    ax.set_xlabel("1 % more on the price of …")
    ax.set_ylabel("changes the sales of … by so many %")
    finding(ax, _map_sentence(shown, result, market), width=title_width(ax, labels))
    return describe(ax, _map_description(shown, market, len(table)))


def _map_sentence(shown: pd.DataFrame, result: MarketDemand, market: str) -> str:
    own = pd.Series(np.diag(shown), index=shown.index)
    data = made_up(result.table)
    run = f"elasticities run from {own.min():.2f} to {own.max():.2f}"
    said = run if len(own) > 1 else f"elasticity is {own.iloc[0]:.2f}"
    told = f"{data}in {_short(market)} own-price {said}"
    if len(shown) > 1 and result.model == "logit":
        told += "; the logit lets a price move all rivals alike"
    return capital(with_minus(told))


def _map_description(shown: pd.DataFrame, market: str, products: int) -> str:
    own = ", ".join(
        f"{name} {value:.2f}" for name, value in zip(shown, np.diag(shown), strict=True)
    )
    off = shown.to_numpy()[~np.eye(len(shown), dtype=bool)]
    cross = f" Cross elasticities run from {off.min():.3f} to {off.max():.3f}." if len(off) else ""
    return (
        f"Elasticities of the {len(shown)} largest of {products} products in {market}; own-price "
        f"elasticities: {own}.{cross}"
    )


def diversion_bars(
    results: Mapping[str, MarketDemand],
    market: str,
    product: str,
    ax: Axes | None = None,
    *,
    most: int = MOST_BARS,
) -> Axes:
    """Draw where buyers go whom a product loses by a slightly higher price, by model.

    Parameters
    ----------
    results : mapping of str to MarketDemand
        Up to three models by name.
    market, product : str
        Which product of which market.
    ax : Axes, optional
        Axes to draw into.
    most : int
        Rows shown, those that take most by the last model.

    Raises
    ------
    ValueError
        When the product is not in the market.
    """
    ratios = {}
    for name, one in results.items():
        table = one.diversion_ratios(market)
        if product not in table.index:
            raise ValueError(f"product={product!r} is not in {market!r}; it has {[*table.index]}")
        ratios[name] = table.loc[product].drop(product)
    told = pd.DataFrame(ratios)
    last = told.columns[-1]
    shown = told.sort_values(last, kind="stable").iloc[-most:]
    ax = new_axes(ax, size=(10, 3.2 + 0.28 * len(shown) * (1 + len(results))))
    _bars_side_by_side(ax, shown)
    labels = _labels(shown.index)
    name_rows(ax, labels)
    percent_axis(ax.xaxis)
    ax.set_xlabel(f"Share of the buyers that {escape_label(product, LONGEST)} loses")
    legend_below(ax, columns=min(len(results), 3))
    inside = told[last].drop(OUTSIDE)
    takes = f"{_short(inside.idxmax())} takes {percent(inside.max(), 0)}, " if len(inside) else ""
    data = "Simulated: of" if results[last].table.simulated else "Of"
    finding(
        ax,
        f"{data} the buyers that {_short(product)} loses in {_short(market)}, {takes}"
        f"{percent(float(told[last][OUTSIDE]), 0)} buy none ({last})",
        width=title_width(ax, labels),
    )
    rows = _rows_in_words(shown)
    return describe(ax, f"Diversion from {product} in {market}: {rows}.")


def markup_dots(
    result: MarketDemand, ax: Axes | None = None, *, ownership: Any = "firm", most: int = 12
) -> Axes:
    """Draw the markup of every owner's products, a dot a product and market.

    Parameters
    ----------
    result : MarketDemand
        From `keycustomer.pricing.fit_market_demand`.
    ax : Axes, optional
        Axes to draw into.
    ownership : str or mapping
        See `MarketDemand.markups`.
    most : int
        Owners shown, those with most rows.
    """
    rows = result.markups(ownership)
    owners = rows["owner"].value_counts().index[:most]
    means = rows.groupby("owner")["markup"].mean().loc[owners].sort_values(kind="stable")
    ax = new_axes(ax, size=(10, 2.8 + 0.5 * len(means)))
    generator = np.random.default_rng(0)
    for place, owner in enumerate(means.index):
        own = rows.loc[rows["owner"] == owner, "markup"].to_numpy()
        jitter = generator.uniform(-0.22, 0.22, len(own))
        ax.plot(own, place + jitter, "o", color=PALETTE["blue"], ms=5, alpha=0.35, mew=0)
        ax.plot(means[owner], place, "|", color=PALETTE["black"], ms=24, mew=4)
    ax.axvline(rows["markup"].mean(), color=PALETTE["vermilion"], ls="--", label="mean of all")
    labels = _labels(means.index)
    name_rows(ax, labels)
    percent_axis(ax.xaxis)
    ax.set_xlabel(
        f"Markup: (price {MINUS} marginal cost) / price\n"
        "(a dot a product and market, a line their mean)"
    )
    legend_below(ax)
    finding(ax, _markup_sentence(result, rows), width=title_width(ax, labels))
    told = "; ".join(
        f"{name} {percent(value)}"
        for name, value in zip(means.index[::-1], means[::-1], strict=True)
    )
    mean = percent(rows["markup"].mean())
    return describe(ax, f"Mean markup by owner, the highest first: {told}; of all {mean}.")


def _markup_sentence(result: MarketDemand, rows: pd.DataFrame) -> str:
    data = made_up(result.table)
    told = f"{data}the mean markup that this demand implies is {percent(rows['markup'].mean())}"
    negative = int((rows["marginal_cost"] < 0).sum())
    if negative:
        told += f"; {negative:,} of {len(rows):,} marginal costs would be negative"
    return capital(told)


def price_change_bars(
    results: Mapping[str, pd.DataFrame], ax: Axes | None = None, *, most: int = MOST_BARS
) -> Axes:
    """Draw what other prices do to the shares of the products whose price stays, by model.

    Parameters
    ----------
    results : mapping of str to DataFrame
        From `MarketDemand.shares_at`, up to three models by name.
    ax : Axes, optional
        Axes to draw into.
    most : int
        Products shown, those that the last model moves most.
    """
    last = list(results)[-1]
    table = results[last].set_index("product")
    moved = table.index[(table["new_price"] != table["price"]) & table["price"].notna()]
    changes = pd.DataFrame({n: one.set_index("product")["change"] for n, one in results.items()})
    rest = changes.drop(index=moved)
    order = rest[last].abs().sort_values(kind="stable").index[-most:]
    shown = rest.loc[order]
    ax = new_axes(ax, size=(10, 3.2 + 0.28 * len(shown) * (1 + len(results))))
    _bars_side_by_side(ax, shown)
    ax.axvline(0, color=PALETTE["black"], lw=1.5)
    labels = _labels(shown.index)
    name_rows(ax, labels)
    reach = shown.abs().to_numpy().max() if len(shown) else 0
    percent_axis(ax.xaxis, digits=1 if reach < 0.05 else 0)
    ax.set_xlabel("Change of the share of products whose price stays")
    legend_below(ax, columns=min(len(results), 3))
    data = "Simulated: " if results[last].attrs.get("simulated") else ""
    said = capital(data + _change_sentence(changes, list(moved), last))
    finding(ax, said, width=title_width(ax, labels))
    told = _rows_in_words(shown)
    return describe(ax, f"{said}. Changes of the other shares: {told}.")


def _change_sentence(changes: pd.DataFrame, moved: Sequence[object], last: str) -> str:
    if not moved:
        return "no price changed, so that no share does"
    told = changes.loc[changes.index.isin(moved), last].to_numpy(float)
    name = names_in_words(moved, 2)
    rest = changes[last].drop(index=[*moved, OUTSIDE], errors="ignore")
    change = percent(float(told.mean()), 0)
    more = "+" if not change.startswith(MINUS) else ""
    said = f"at the new price the share of {name} changes by {more}{change}"
    if len(rest) > 1:
        ends = dict.fromkeys(percent(value) for value in (rest.min(), rest.max()))
        said += f", those of the rivals by {' to '.join(ends)}"
    return f"{said} ({last})"


def merger_dots(
    result: MarketMerger, ax: Axes | None = None, *, unit: str = "", most: int = MOST_MERGING
) -> Axes:
    """Draw prices before and after a merger, means over markets.

    Parameters
    ----------
    result : MarketMerger
        From `keycustomer.pricing.market_merger`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency, for the axis.
    most : int
        Products of the merging firms shown, those whose prices rise most; with a few of the others.
    """
    rows = result.by_product().sort_values("change", kind="stable")
    inside, others = (rows[rows["merging"] == one].iloc[-most:] for one in (True, False))
    shown = pd.concat([others.iloc[-MOST_OTHERS:], inside], ignore_index=True)
    ax = new_axes(ax, size=(10, 3.0 + 0.42 * len(shown)))
    colours = np.where(shown["merging"], PALETTE["vermilion"], PALETTE["blue"])
    ax.hlines(shown.index, shown["price"], shown["new_price"], color=colours, lw=4)
    ax.plot(shown["price"], shown.index, "o", color=PALETTE["grey"], ms=9, label="before")
    for merging, colour, told in (
        (True, PALETTE["vermilion"], "after, merging firms"),
        (False, PALETTE["blue"], "after, others"),
    ):
        own = shown[shown["merging"] == merging]
        if len(own):
            ax.plot(own["new_price"], own.index, "o", color=colour, ms=11, label=told)
    labels = _labels(shown["product"])
    name_rows(ax, labels)
    ax.set_xlabel(axis_label("price, mean of markets", unit))
    legend_below(ax, columns=3)
    finding(ax, capital(with_minus(result.sentence)), width=title_width(ax, labels))
    told = "; ".join(
        f"{r['product']} {r['price']:.4g} to {r['new_price']:.4g} ({percent(r['change'])})"
        for r in shown.iloc[::-1].to_dict("records")
    )
    return describe(ax, f"Prices before and after the merger: {told}.")


def _bars_side_by_side(ax: Axes, shown: pd.DataFrame) -> None:
    """Draw a bar a column in every row, the first column highest, as in the legend."""
    height = 0.8 / shown.shape[1]
    for k, (name, colour) in enumerate(zip(shown, palette(shown.shape[1]), strict=True)):
        place = np.arange(len(shown)) + height * ((shown.shape[1] - 1) / 2 - k)
        ax.barh(place, shown[name], height, color=colour, label=escape_label(name, LONGEST))


def _rows_in_words(shown: pd.DataFrame) -> str:
    parts = []
    for name, *values in reversed(list(shown.itertuples(name=None))):
        told = zip(values, shown.columns, strict=True)
        parts.append(f"{name}: " + ", ".join(f"{percent(v)} by {model}" for v, model in told))
    return "; ".join(parts)


def _largest(result: MarketDemand, market: str, most: int) -> list[str]:
    rows = result.table.frame
    own = rows[rows["market"] == market].sort_values("share", ascending=False, kind="stable")
    return own["product"].iloc[:most].tolist()


def _short(name: object) -> str:
    return shorten(name, LONGEST)


def _labels(names: Any) -> list[str]:
    short = short_names(list(names), LONGEST)
    return [escape_label(short[name]) for name in names]
