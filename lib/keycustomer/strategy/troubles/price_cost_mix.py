"""Why the margin rate changed: own list prices, discounts, unit costs, mix.

Question: did a price war thin the margin, and how much of the change is price?
:func:`margin_bridge` compares the first part of the window with the last: the margin rate is the
margin over revenue of all order lines, and its change is split over

- *list prices*: what the same customers' same products are listed at,
- *discounts*: how much of the list price they keep,
- *unit costs*,
- *mix*: who buys how much of what, customers who came and went included.

All four enter the rate together, so that the part of one depends on which changed before it;
Shapley's rule takes the mean over all orders, and the parts add up to the change exactly.
Intervals are of customers drawn again.

*Margin lost to own prices* is the part of list prices and discounts, turned round.  T8d (a price
war thins margins) is supported when it lies above 0 with its whole interval, not supported when it
lies wholly at or below: own prices that stayed, or rose.  The rule asks whether price took margin;
it does not ask whether that was a war: prices that fall because goods become cheaper count as
well.  Hence the change of the whole rate, the part of costs and the competitors' prices are told
beside it.  Fewer than `FEWEST` customers decide nothing.  An assumed margin cannot tell price from
cost: recorded costs are needed.

Sources: Shapley (1953); Ang (2015), Energy Policy 86, for decompositions that add up;
Diewert (1976), Journal of Econometrics 4, for Fisher's index.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import amount, counted, made_up_note, percent, report_html
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate, verdict_above
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.tools.games import shapley_values
from keycustomer.strategy.troubles.cells import Parts, parts_of, read_cells, with_prices
from keycustomer.strategy.troubles.combinations import (
    customer_combinations,
    filled_price_shifts,
)
from keycustomer.strategy.troubles.rival_prices import own_prices, rival_prices

CHANGES = ("list prices", "discounts", "unit costs", "mix")
"""What the change of the margin rate is split over."""

UNIT = "share of revenue"

FEWEST = 20
"""Customers below which a verdict is not given: with so few drawn again, 95 % intervals miss the
truth in 15 to 50 of 100 cases."""

RATE_BEFORE, RATE_AFTER = "margin rate before", "margin rate after"


@dataclass(frozen=True, eq=False)
class MarginBridge:
    """From the margin rate of the first part of a window to that of the last.

    Attributes
    ----------
    frame : DataFrame
        step ("margin rate before", list prices, discounts, unit costs, mix, "margin rate after"),
        kind ("total" or "change"), estimate, lower, upper (share of revenue).
    estimates : dict of str to Estimate
        By step, and "lost to price", "change", "price less cost".
    prices : DataFrame
        whose ("own list prices", "own prices paid", "unit costs", "competitors' prices"), change
        (relative, of the last part against the first; NaN where not known), products.
    parts : Parts
        The two parts of the window.
    revenue : float
        Of the last part, currency a year.
    matched_share : float
        Share of the last part's revenue that customers spent on what they bought in both.
    discounts_known : bool
        Whether list prices and discounts can be told apart.
    currency : str
        Of all amounts.
    simulated : bool
        Whether the data are made up.
    excluded : DataFrame
        reason, rows, revenue.
    notes : tuple of str
        What the reader must know.
    """

    frame: pd.DataFrame
    estimates: dict[str, Estimate] = field(repr=False)
    prices: pd.DataFrame
    parts: Parts
    revenue: float
    matched_share: float
    discounts_known: bool
    currency: str
    simulated: bool
    excluded: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def lost_to_price(self) -> Estimate:
        """Margin lost to own prices, list and discounts, as a share of revenue."""
        return self.estimates["lost to price"]

    @property
    def change(self) -> Estimate:
        """Change of the margin rate."""
        return self.estimates["change"]

    @property
    def verdict(self) -> str:
        """Verdict on T8d: margin was lost to own prices; undecided below `FEWEST` customers."""
        if self.lost_to_price.n < FEWEST:
            return "undecided"
        return verdict_above(self.lost_to_price, 0.0)

    @property
    def worth(self) -> float:
        """What was lost to price is worth at the last part's revenue, currency a year."""
        return self.lost_to_price.estimate * self.revenue

    def of(self, step: str) -> Estimate:
        """Give one estimate.

        Raises
        ------
        KeyError
            When there is no such step.
        """
        if step not in self.estimates:
            raise KeyError(f"no step {step!r}; there is: {', '.join(self.estimates)}")
        return self.estimates[step]

    @property
    def sentence(self) -> str:
        """The finding in words."""
        before, after = (self.of(step).estimate for step in (RATE_BEFORE, RATE_AFTER))
        lost = self.lost_to_price.estimate
        took = "took" if lost > 0 else "added"
        split = ""
        if self.discounts_known:
            split = (
                f" (list prices {_points(self.of('list prices').estimate)}, discounts "
                f"{_points(self.of('discounts').estimate)})"
            )
        return (
            f"The margin rate went from {percent(before)} to {percent(after)} of revenue; own "
            f"prices {took} {100 * abs(lost):.1f} points{split}, unit costs "
            f"{_points(self.of('unit costs').estimate)}, mix {_points(self.of('mix').estimate)}"
        )

    @property
    def war(self) -> str:
        """What own and competitors' prices did, in words; "" where these are not known."""
        known = self.prices.set_index("whose")["change"]
        rivals = known.get("competitors' prices", math.nan)
        if math.isnan(rivals):
            return ""
        own = known["own prices paid"]
        return (
            f"Competitors' prices changed by {_signed(rivals)}, own prices paid by {_signed(own)}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = [
            *made_up_note(self.simulated),
            f"{self.sentence}.",
            *([f"{self.war}."] if self.war else []),
            f"Margin lost to own prices: {self.lost_to_price.as_percent()} of revenue, "
            f"{amount(self.worth, self.currency)} a year (T8d: {self.verdict}).",
            *self.notes,
        ]
        tables = {"Margin rate": self.frame, "Prices": self.prices, "Left out": self.excluded}
        return report_html("Where the margin went", said, tables)


def margin_bridge(
    base: CustomerBase,
    *,
    months: int | None = None,
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> MarginBridge:
    """Split the change of the margin rate over list prices, discounts, unit costs and mix.

    Parameters
    ----------
    base : CustomerBase
        A prepared base whose transactions know product, quantity and cost; with discounts list
        prices are told apart from them.
    months : int, optional
        Length of the first and the last part; left out, a year, or half the window where that is
        shorter than two years.
    draws, seed, level, progress
        Bootstrap over customers, see :func:`keycustomer.stats.bootstrap`.

    Raises
    ------
    ValueError
        When the base lacks a column, the parts do not fit, or nobody bought the same product in
        both.
    """
    lacking = [f"transactions.{c}" for c in LINES_NEED if not base.has("transactions", c)]
    if lacking:
        raise ValueError(
            f"{base.title}: {', '.join(lacking)} not known; whether price or cost changed the "
            "margin takes recorded quantities and costs by product (map them in the case file)"
        )
    parts = parts_of(base.start, base.end, months)
    cells, excluded = read_cells(base, parts)
    if cells.empty:
        raise ValueError(f"{base.title}: no usable order line in either part of the window")
    told = with_prices(cells)
    estimates = bridge_estimates(told, draws, seed, level, progress)
    discounts = base.has("transactions", "discount")
    paid = told["revenue_1"].sum()
    return MarginBridge(
        frame=_steps(estimates, discounts),
        estimates=estimates,
        prices=pd.concat([own_prices(told, discounts), rival_prices(base, parts)]),
        parts=parts,
        revenue=float(paid) * 12 / parts.months,
        matched_share=float(told.loc[told["matched"], "revenue_1"].sum() / paid) if paid else 0.0,
        discounts_known=discounts,
        currency=base.currency,
        simulated=base.simulated,
        excluded=excluded,
        notes=(*_notes(parts, discounts, told), *_few(told)),
    )


LINES_NEED = ("product_id", "quantity", "cost")
"""Columns of the transactions without which price and cost cannot be told apart."""


_NAMES = (RATE_BEFORE, *CHANGES, RATE_AFTER, "change", "lost to price", "price less cost")


def rates_and_parts(totals: FloatArray) -> FloatArray:
    """Margin rates and parts of their change from totals of revenue and cost.

    Parameters
    ----------
    totals : ndarray, shape (rows, 16, 2)
        As :func:`customer_combinations`, added up.

    Returns
    -------
    ndarray, shape (rows, 9)
        Rate before, list prices, discounts, unit costs, mix, rate after, change, lost to price,
        part of prices and costs together.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = 1 - totals[:, :, 1] / totals[:, :, 0]
    known = np.isfinite(rates).all(axis=1)
    parts = np.full((len(rates), len(CHANGES)), np.nan)
    parts[known] = shapley_values(rates[known], CHANGES)
    lost = -(parts[:, 0] + parts[:, 1])
    ends = rates[:, 0], rates[:, -1]
    return np.column_stack([ends[0], parts, ends[1], ends[1] - ends[0], lost, parts[:, 2] - lost])


def bridge_estimates(
    told: pd.DataFrame,
    draws: int,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> dict[str, Estimate]:
    """Estimate the rates and parts, with intervals of customers drawn again.

    Parameters
    ----------
    told : DataFrame
        From :func:`keycustomer.strategy.troubles.cells.with_prices`.
    draws, seed, level, progress
        See :func:`keycustomer.stats.bootstrap`.
    """
    combos = customer_combinations(told) + filled_price_shifts(told)
    count, flat = len(combos), combos.reshape(len(combos), -1)

    def of_sums(sums: FloatArray) -> FloatArray:
        return rates_and_parts(sums.reshape(len(sums), *combos.shape[1:]))

    def statistic(weights: FloatArray) -> FloatArray:
        return of_sums(weights @ flat)

    total = flat.sum(axis=0, keepdims=True)
    found = of_sums(total)[0]
    drawn = bootstrap(statistic, np.ones(count), draws=draws, seed=seed, progress=progress)
    without = of_sums(total - flat)
    return {
        name: bootstrap_estimate(
            float(found[k]),
            drawn[:, k],
            unit=UNIT,
            n=count,
            leave_one_out=without[:, k] if np.isfinite(without[:, k]).all() else None,
            level=level,
        )
        for k, name in enumerate(_NAMES)
    }


def _steps(estimates: dict[str, Estimate], discounts: bool) -> pd.DataFrame:
    changes = CHANGES if discounts else tuple(c for c in CHANGES if c != "discounts")
    rows = []
    for step in (RATE_BEFORE, *changes, RATE_AFTER):
        one = estimates[step]
        kind = "change" if step in CHANGES else "total"
        rows.append({"step": step, "kind": kind, "estimate": one.estimate,
                     "lower": one.lower, "upper": one.upper})  # fmt: skip
    return pd.DataFrame(rows)


def _notes(parts: Parts, discounts: bool, told: pd.DataFrame) -> tuple[str, ...]:
    first, last = (" to ".join(map(str, days)) for days in (parts.first, parts.last))
    notes = [f"First part: {first}; last part: {last}."]
    if not parts.same_season:
        notes.append("The parts are not the same months of the year: a season may be in the mix.")
    if not discounts:
        notes.append("Discounts are not known: list prices are the prices paid.")
    alone = (~told["matched"]).to_numpy()
    share = float(told.loc[alone, "revenue_1"].sum() / max(told["revenue_1"].sum(), 1e-300))
    notes.append(
        f"{percent(share)} of the last part's revenue is of customers and products that the first "
        "part does not have together; their prices are taken to have moved as those of the others."
    )
    return tuple(notes)


def _few(told: pd.DataFrame) -> tuple[str, ...]:
    count = int(told["customer_id"].nunique())
    if count >= FEWEST:
        return ()
    return (f"{counted(count, 'customer')}, fewer than {FEWEST}: no verdict is given.",)


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "\N{MINUS SIGN}")


def _signed(share: float) -> str:
    return f"{100 * share:+.1f} %".replace("-", "\N{MINUS SIGN}")
