"""Customers whose elasticities are known: what estimates are held against.

Question: how near does an estimate come, and do its intervals hold the truth?
:func:`known_customers` draws customers of several tiers, each with an elasticity of its own about
its tier's, and log-log demand with few months; the means, the spread and how little each customer
tells are arguments.  With `endogeneity` prices follow demand and are moved by an instrument too.
:func:`known_sales` draws sales of products that are often zero, of which logarithms lose just
those rows that tell most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.stats.bootstrap import Seed

TIER_SIZES = {"A": (20, 60), "B": (60, 24), "C": (120, 8)}
"""Customers and months of each tier: few large ones that are seen often, many small ones not."""

TIER_MEANS = {"A": -1.2, "B": -2.0, "C": -3.0}
"""Mean elasticity of each tier."""


@dataclass(frozen=True, eq=False)
class KnownCustomers:
    """Rows with a known truth.

    Attributes
    ----------
    frame : DataFrame
        unit, tier, product, period, price, quantity, instrument.
    truth : Series
        Elasticity by customer (of `known_sales`: by tier).
    simulated : bool
        True.
    """

    frame: pd.DataFrame = field(repr=False)
    truth: pd.Series = field(repr=False)
    simulated: bool = True


def known_customers(
    *,
    sizes: Mapping[str, tuple[int, int]] | None = None,
    means: Mapping[str, float] | None = None,
    spread: float = 0.5,
    noise: float = 0.6,
    price_spread: float = 0.15,
    endogeneity: float = 0.0,
    seed: Seed = 0,
) -> KnownCustomers:
    """Draw customers with known elasticities.

    Parameters
    ----------
    sizes : mapping of tier to (customers, months), optional
        How many there are and how often each is seen.
    means : mapping of tier to elasticity, optional
        Mean elasticity of each tier, negative.
    spread : float
        Standard deviation of elasticities about their tier's mean.
    noise : float
        Standard deviation of log quantity.
    price_spread : float
        Standard deviation of log price within a customer, half of its variance from `instrument`.
    endogeneity : float
        What one unit more of the noise adds to the log price: with it least squares is biased
        upwards.
    seed : int or Generator
        Seed.

    Returns
    -------
    KnownCustomers
    """
    sizes, means = sizes or TIER_SIZES, means or TIER_MEANS
    generator = np.random.default_rng(seed)
    tier = np.repeat(list(sizes), [customers for customers, _ in sizes.values()])
    months = np.array([sizes[name][1] for name in tier])
    truth = np.array([means[name] for name in tier]) + spread * generator.normal(size=len(tier))
    level = generator.normal(4, 1, len(tier))
    who = np.repeat(np.arange(len(tier)), months)
    shift, chance, error = generator.normal(size=(3, len(who)))
    log_price = price_spread * np.sqrt(0.5) * (shift + chance) + endogeneity * noise * error
    names = np.array([f"{name}{number:04d}" for number, name in enumerate(tier)])
    number = np.arange(len(who)) - np.repeat(np.cumsum(months) - months, months)
    frame = pd.DataFrame(
        {
            "unit": names[who],
            "tier": tier[who],
            "product": "all",
            "period": pd.Timestamp("2020-01-01") + pd.to_timedelta(7 * number, unit="D"),
            "price": np.exp(log_price),
            "quantity": np.exp(level[who] + truth[who] * log_price + noise * error),
            "instrument": shift,
        }
    )
    return KnownCustomers(frame, pd.Series(truth, pd.Index(names, name="customer")))


def known_sales(
    *,
    means: Mapping[str, float] | None = None,
    levels: Mapping[str, float] | None = None,
    products: int = 40,
    weeks: int = 52,
    price_spread: float = 0.2,
    seed: Seed = 0,
) -> KnownCustomers:
    """Draw sales by product, tier and week that are counts, and often zero where tiers are small.

    Parameters
    ----------
    means : mapping of tier to elasticity, optional
        Elasticity of each tier; left out, -2.5 in all: what differs between them is then only how
        many zeros they have.
    levels : mapping of tier to float, optional
        Units a week that a product of mean price sells to the tier.
    products, weeks : int
        How many.
    price_spread : float
        Standard deviation of log price within a product.
    seed : int or Generator
        Seed.

    Returns
    -------
    KnownCustomers
        Its `truth` by tier.
    """
    means = means or {"A": -2.5, "B": -2.5, "C": -2.5}
    levels = levels or {"A": 20.0, "B": 2.0, "C": 0.4}
    generator = np.random.default_rng(seed)
    product = np.repeat(np.arange(products), weeks)
    week = np.tile(np.arange(weeks), products)
    log_price = price_spread * generator.normal(size=products * weeks)
    popular = 0.8 * generator.normal(size=products)[product]
    parts = []
    for tier, elasticity in means.items():
        expected = levels[tier] * np.exp(popular + elasticity * log_price)
        parts.append(
            pd.DataFrame(
                {
                    "unit": tier,
                    "tier": tier,
                    "product": np.char.add("product ", product.astype(str)),
                    "period": pd.Timestamp("2020-01-06") + pd.to_timedelta(7 * week, unit="D"),
                    "price": np.exp(log_price),
                    "quantity": generator.poisson(expected).astype(float),
                }
            )
        )
    return KnownCustomers(pd.concat(parts, ignore_index=True), pd.Series(means))
