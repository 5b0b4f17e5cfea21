"""What customers under contract will still bring: renewals to come, discounted, times margin.

Whom would the firm miss most?  A customer's residual value is the margin of the periods it will
yet pay for: how likely it is to renew after so many renewals made, discounted to today.  The
period now running is paid, so the next renewal is the first to count, on the day it is due.

:func:`value_contracts` does it for every customer of a table of contracts, by the shifted
beta-geometric model or by the survival curve, with intervals from customers drawn again, and adds
up the customer equity.

Source: Fader & Hardie (2010), Marketing Science 29, 85-93.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd

from keycustomer.lifetime.arguments import need_columns, whole_number
from keycustomer.lifetime.contracts.tenures import Renewals, Tenures
from keycustomer.lifetime.units import days_in, force_of_interest
from keycustomer.stats import Estimate, bootstrap_estimate, finite_values
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.samples import FloatArray, share_of

SHOWN = 10
"""Most valuable customers shown in a notebook."""


class RenewalModel(Protocol):
    """What renewals to come are read from: a fitted sBG model, or a survival curve."""

    @property
    def tenures(self) -> Tenures:
        """Tenures it was fitted on."""

    @property
    def unit(self) -> str:
        """Time between two renewals."""

    def expected_renewals(self, renewals: Renewals, horizon: int | None = None) -> FloatArray:
        """Further renewals expected of customers who are still there."""

    def discounted_renewals(
        self,
        renewals: Renewals,
        discount_rate: float,
        horizon: int | None = None,
        until_renewal: float | FloatArray = 0.0,
    ) -> FloatArray:
        """Further renewals expected, discounted to today."""

    def refit(self, weights: FloatArray) -> RenewalModel:
        """Fit again with other numbers of customers."""


@dataclass(frozen=True, eq=False)
class ContractValues:
    """Residual values of customers under contract.

    Attributes
    ----------
    unit : str
        Time between two renewals.
    margin : float
        Share of revenue that is kept.
    discount_rate : float
        Effective rate per year, a share.
    horizon : int or None
        Renewals looked ahead; None: for ever (a survival curve: as far as observed).
    frame : DataFrame
        One row a customer: customer_id, renewals (made), probability_alive (1 while the contract
        runs, else 0), expected_renewals (within a year), revenue_per_period (currency),
        discounted_renewals, residual_value (currency), lower, upper (NaN without draws).
    equity : Estimate
        Sum of the residual values.
    kept : ndarray, shape (customers,)
        Margin of a period, discounted from the next renewal; 0 where no contract runs.
    drawn : ndarray, shape (draws, different numbers of renewals)
        Discounted renewals by every draw's model, the next renewal one period away.
    place : ndarray of int, shape (customers,)
        Column of `drawn` for each customer.
    """

    unit: str
    margin: float
    discount_rate: float
    horizon: int | None
    frame: pd.DataFrame = field(repr=False)
    equity: Estimate
    kept: FloatArray = field(repr=False)
    drawn: FloatArray = field(repr=False)
    place: np.ndarray = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a customer."""
        return self.frame.copy()

    def redrawn(self) -> Iterator[FloatArray]:
        """Give the residual values over again, by the model of every bootstrap draw.

        Yields
        ------
        ndarray, shape (customers,)
            In the order of `frame`, currency.
        """
        for row in self.drawn:
            yield row[self.place] * self.kept

    def _repr_html_(self) -> str:
        running = int(self.frame["probability_alive"].sum())
        ahead = "all renewals to come" if self.horizon is None else f"{self.horizon} renewals"
        said = (
            f"{len(self.frame):,} customers, {running:,} under contract. Customer equity of "
            f"{ahead} at {self.discount_rate:.1%} a year and a margin of {self.margin:.1%}: "
            f"{self.equity} ({self.equity.method})."
        )
        best = self.frame.nlargest(SHOWN, "residual_value")
        table = best.to_html(index=False, na_rep="", float_format="{:,.2f}".format)
        return f"<p>{html.escape(said)}</p>{table}"


def value_contracts(
    model: RenewalModel,
    contracts: pd.DataFrame,
    *,
    revenue: str | float = "revenue",
    margin: float = 1.0,
    discount_rate: float = 0.1,
    horizon: int | None = None,
    draws: int = 0,
    seed: Seed = 0,
    level: float = 0.95,
) -> ContractValues:
    """Value customers under contract by the renewals they will yet make.

    Parameters
    ----------
    model : ShiftedBetaGeometric or SurvivalCurve
        How customers renew.
    contracts : DataFrame
        One row a relationship, as :func:`keycustomer.lifetime.contract_tenures` gives:
        customer_id, running, tenure, until_renewal; of a customer's relationships the last one
        counts.
    revenue : str or float
        Revenue per period, currency: a column of `contracts`, or one number for all.
    margin : float
        Share of revenue that is kept, 0..1.
    discount_rate : float
        Effective rate per year, a share.
    horizon : int, optional
        Renewals to look ahead; left out, for ever.
    draws : int
        Number of bootstrap draws for the intervals, 0 for none.
    seed : int or Generator
        The same seed gives the same intervals.
    level : float
        Confidence level of the intervals, 0..1.

    Returns
    -------
    ContractValues

    Raises
    ------
    ValueError
        When a column is missing, a running contract has no revenue, or a horizon reaches beyond
        the survival curve.
    """
    share_of(margin, "margin")
    draws = whole_number(draws, "draws", of="draws")
    force = force_of_interest(discount_rate, model.unit)
    table = _last_relationships(contracts)
    running = table["running"].to_numpy(bool)
    made, place = np.unique(
        np.where(running, table["tenure"].to_numpy(float), 0).astype(np.int64), return_inverse=True
    )
    waiting = table["until_renewal"].to_numpy(float) - 1
    discount = np.where(running, np.exp(-force * np.where(running, waiting, 0)), 0.0)
    worth = model.discounted_renewals(made, discount_rate, horizon, 1.0)
    _need_known(worth, made, horizon)
    frame = _frame(model, table, _amounts(table, revenue), made, place)
    frame["discounted_renewals"] = worth[place] * discount
    kept = np.where(running, frame["revenue_per_period"] * margin, 0.0) * discount
    frame["residual_value"] = kept * worth[place]
    drawn = _drawn(model, made, draws, seed, discount_rate, horizon)
    frame["lower"], frame["upper"] = _interval(drawn, place, kept, level)
    total = float(frame["residual_value"].sum())
    equity = _equity(total, drawn @ np.bincount(place, kept, made.size), len(table), level)
    return ContractValues(
        model.unit, margin, discount_rate, horizon, frame, equity, kept, drawn, place
    )


def _frame(
    model: RenewalModel,
    table: pd.DataFrame,
    amount: FloatArray,
    made: np.ndarray,
    place: np.ndarray,
) -> pd.DataFrame:
    """Start the table of values: who has renewed how often, and will within a year."""
    running = table["running"].to_numpy(bool)
    year = round(days_in("year") / days_in(model.unit))
    soon = model.expected_renewals(made, year)[place]
    return pd.DataFrame(
        {
            "customer_id": table["customer_id"].to_numpy(),
            "renewals": table["tenure"].to_numpy() - table["ended"].to_numpy(),
            "probability_alive": running.astype(float),
            "expected_renewals": np.where(running, soon, 0.0),
            "revenue_per_period": amount,
        }
    )


def _last_relationships(contracts: pd.DataFrame) -> pd.DataFrame:
    needed = ("customer_id", "running", "tenure", "ended", "until_renewal")
    need_columns(contracts, needed, "contracts", cure="make the table with contract_tenures(base)")
    ordered = contracts.sort_values("start") if "start" in contracts.columns else contracts
    last = ~ordered["customer_id"].duplicated(keep="last")
    return contracts.loc[ordered.index[last].sort_values()]


def _amounts(table: pd.DataFrame, revenue: str | float) -> FloatArray:
    """Revenue per period of every customer; NaN is allowed where no contract runs."""
    if not isinstance(revenue, str):
        return np.full(len(table), float(finite_values([revenue], "revenue")[0]))
    if revenue not in table.columns:
        raise ValueError(
            f"revenue={revenue!r}: no such column of the contracts; columns found: "
            f"{', '.join(map(str, table.columns))}; or give one number for all"
        )
    running = table["running"].astype(bool)
    if running.any():
        finite_values(table.loc[running, revenue], f"contracts[{revenue!r}]")
    return table[revenue].to_numpy(dtype=np.float64, na_value=math.nan)


def _need_known(worth: FloatArray, made: np.ndarray, horizon: int | None) -> None:
    unknown = np.isnan(worth)
    if unknown.any():
        raise ValueError(
            f"horizon={horizon}: the survival curve does not reach so far beyond the "
            f"{made[unknown][0]} renewals that some customers have made; give a shorter horizon, "
            "none at all (as far as was observed), or value by fit_sbg(contracts)"
        )


def _drawn(
    model: RenewalModel,
    made: np.ndarray,
    draws: int,
    seed: Seed,
    discount_rate: float,
    horizon: int | None,
) -> FloatArray:
    """Discounted renewals by renewals made, by the model of each draw."""
    generator = np.random.default_rng(seed)
    drawn = np.empty((draws, made.size))
    for row in drawn:
        refitted = model.refit(model.tenures.redrawn(generator))
        row[:] = refitted.discounted_renewals(made, discount_rate, horizon, 1.0)
    return drawn


def _interval(
    drawn: FloatArray, place: np.ndarray, kept: FloatArray, level: float
) -> tuple[FloatArray, FloatArray]:
    if not len(drawn):
        return np.full(place.size, math.nan), np.full(place.size, math.nan)
    ends = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)[:, place] * kept
    return ends.min(axis=0), ends.max(axis=0)


def _equity(equity: float, sums: FloatArray, customers: int, level: float) -> Estimate:
    if not sums.size:
        return Estimate.without_interval(equity, "currency", customers, "no draws", level)
    return bootstrap_estimate(equity, sums, unit="currency", n=customers, level=level)
