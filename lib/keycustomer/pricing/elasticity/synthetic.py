"""A panel whose elasticity is known, with prices that follow demand by as much as is asked for.

Question: what does each estimator find where the truth is known?  :func:`known_panel` makes units
over periods with

    log price    = habit x a + z + endogeneity x u + v
    log quantity = a + elasticity x log price + u

where a is the unit's own level, u the demand that the data do not show, z an instrument, and v
other chance in prices.  Managers who give discounts when demand is weak make endogeneity positive.
Least squares then tends to elasticity + endogeneity var(u) / var(price), however large the panel:
`KnownPanel.limits` has these limits.

Source: Stock & Watson, "Introduction to Econometrics" (2020), chapters 9 and 12.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.pricing.panels.panel import PricePanel
from keycustomer.stats.bootstrap import Seed


@dataclass(frozen=True, eq=False)
class KnownPanel:
    """A synthetic panel and what is true of it.

    Attributes
    ----------
    panel : PricePanel
        product, unit, period, quantity, price, revenue, instrument, simulated.
    elasticity : float
        True own-price elasticity.
    limits : dict of str to float
        Where each method tends to as the panel grows: "ols", "fixed effects", "iv".
    """

    panel: PricePanel = field(repr=False)
    elasticity: float
    limits: dict[str, float]


def known_panel(
    units: int = 200,
    periods: int = 24,
    elasticity: float = -1.5,
    *,
    endogeneity: float = 0.3,
    habit: float = 0.0,
    spread_unit: float = 1.0,
    spread_demand: float = 0.4,
    spread_instrument: float = 0.15,
    spread_price: float = 0.1,
    seed: Seed = 0,
) -> KnownPanel:
    """Make a panel of known elasticity.

    Parameters
    ----------
    units, periods : int
        Size.
    elasticity : float
        True own-price elasticity.
    endogeneity : float
        Log price per unit of unobserved log demand.
    habit : float
        Log price per unit of the unit's own log level.
    spread_unit, spread_demand, spread_instrument, spread_price : float
        Standard deviations of a, u, z and v.
    seed : int or Generator
        Seed of the chance.

    Returns
    -------
    KnownPanel

    Raises
    ------
    ValueError
        When sizes are below 2, a number is not finite, or a spread is negative.
    """
    spreads = (spread_unit, spread_demand, spread_instrument, spread_price)
    _check(units, periods, (elasticity, endogeneity, habit), spreads)
    chance = np.random.default_rng(seed)
    level = spread_unit * chance.standard_normal((units, 1))
    demand, instrument, other = (
        spread * chance.standard_normal((units, periods)) for spread in spreads[1:]
    )
    log_price = habit * level + instrument + endogeneity * demand + other
    quantity = np.exp(level + elasticity * log_price + demand).ravel()
    price = np.exp(log_price).ravel()
    months = pd.date_range("2020-01-01", periods=periods, freq="MS").astype("datetime64[s]")
    frame = pd.DataFrame(
        {
            "product": "product",
            "unit": np.repeat([f"unit {k + 1:04d}" for k in range(units)], periods),
            "period": np.tile(months, units),
            "quantity": quantity,
            "price": price,
            "revenue": quantity * price,
            "instrument": instrument.ravel(),
        }
    )
    return KnownPanel(
        panel=PricePanel(
            frame=frame,
            per="units",
            every="month",
            excluded=pd.DataFrame({"reason": [], "rows": []}),
            simulated=True,
            currency="",
        ),
        elasticity=elasticity,
        limits=_limits(elasticity, endogeneity, habit, spreads),
    )


def _check(
    units: int, periods: int, numbers: tuple[float, ...], spreads: tuple[float, ...]
) -> None:
    if min(units, periods) < 2:
        raise ValueError(f"units={units}, periods={periods}: at least 2 of each are needed")
    if not np.isfinite([*numbers, *spreads]).all():
        raise ValueError("elasticity, endogeneity, habit and spreads must be finite numbers")
    if min(spreads) < 0 or spreads[2] + spreads[3] == 0:
        raise ValueError(f"spreads {spreads}: none may be negative, and prices must vary")


def _limits(
    elasticity: float, endogeneity: float, habit: float, spreads: tuple[float, ...]
) -> dict[str, float]:
    unit, demand, instrument, other = (spread**2 for spread in spreads)
    within = instrument + endogeneity**2 * demand + other
    pooled = within + habit**2 * unit
    return {
        "ols": elasticity + (endogeneity * demand + habit * unit) / pooled,
        "fixed effects": elasticity + endogeneity * demand / within,
        "iv": elasticity,
    }
